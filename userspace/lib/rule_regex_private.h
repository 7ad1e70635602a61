/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LIBUSBPASS_RULE_REGEX_PRIVATE_H
#define _LIBUSBPASS_RULE_REGEX_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of bytes. */
struct regex_bytes {
	uint64_t words[4];
};

static inline void regex_bytes_add(struct regex_bytes *set, unsigned int byte)
{
	set->words[byte / 64] |= 1ULL << byte % 64;
}

static inline bool regex_bytes_has(const struct regex_bytes *set, unsigned int byte)
{
	return set->words[byte / 64] >> byte % 64 & 1;
}

/* A node of the automaton that an expression is made into first (Thompson's construction). */
struct regex_node {
	enum regex_node_type {
		REGEX_SET,		/* takes a byte of @bytes to @next */
		REGEX_SPLIT,		/* goes to @next and to @other */
		REGEX_BEGIN,		/* goes to @next at the string's beginning */
		REGEX_END,		/* goes to @next at its end */
		REGEX_FOUND,
	} type;
	struct regex_bytes bytes;
	int next, other;		/* -1: nowhere */
};

/* More are never needed by what fits into a table in the end, but by expressions of malice. */
#define REGEX_NODES_MAX	8192

struct regex_nodes {
	struct regex_node *nodes;
	int n, first;
};

struct regex_error {
	size_t at;
	char *text;
	size_t size;
};

/* rule_regex_parse.c: @nodes->nodes is to be freed, on error too. -EINVAL, -E2BIG, -ENOMEM. */
int regex_parse(const char *expression, struct regex_nodes *nodes, struct regex_error *error);

/* rule_regex_table.c: -E2BIG, -ENOMEM. */
int regex_table(const struct regex_nodes *nodes, uint8_t **table, size_t *size,
		struct regex_error *error);

#endif /* _LIBUSBPASS_RULE_REGEX_PRIVATE_H */
