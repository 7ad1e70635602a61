// SPDX-License-Identifier: GPL-2.0
/*
 * A nondeterministic automaton to the smallest deterministic one, and that to the table: each state
 * is a set of nodes (subset construction), states that no string tells apart are one (Moore), and
 * bytes that no state tells apart are one class.
 */
#include <errno.h>
#include <linux/usbpass.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_regex_private.h"

/* Before states that are the same are found to be; of what fits in the end, few need many more. */
#define STATES_MAX	2048
#define BUCKETS		4096
#define NONE		-1

/* What an accepted string goes to, whatever follows, has no nodes. */
struct state {
	uint64_t *nodes;		/* a bit each */
	bool accepts;			/* a string that ends here */
	int chained;			/* the next one of its bucket */
	uint16_t block;			/* of the partition that is refined */
};

struct maker {
	const struct regex_nodes *nodes;
	size_t words;			/* of a set of nodes */
	uint8_t kind[256];		/* of a byte: which sets hold it */
	uint8_t sample[256];		/* a byte of each kind */
	unsigned int n_kinds;
	struct state *states;
	unsigned int n_states;
	int buckets[BUCKETS];		/* states by their nodes */
	uint16_t *next;			/* [state * n_kinds + kind] */
	int *stack;
	struct regex_error *error;
};

static int too_large(struct maker *m, const char *what)
{
	m->error->at = 0;
	snprintf(m->error->text, m->error->size,
		 "needs more than %s; make it shorter, or two rules of it", what);
	return -E2BIG;
}

/* The first of @set from @at on; @n: none. */
static int next_bit(const uint64_t *set, int at, int n)
{
	while (at < n) {
		uint64_t rest = set[at / 64] >> at % 64;

		if (rest)
			return at + __builtin_ctzll(rest);
		at = (at / 64 + 1) * 64;
	}
	return n;
}

/* Bytes that every set holds or does not hold together; a NUL is never met. */
static void find_kinds(struct maker *m)
{
	uint8_t with[256], has[256] = { 255 };	/* bytes of each kind */

	m->n_kinds = 1;
	for (int i = 0; i < m->nodes->n; i++) {
		const uint64_t *set = m->nodes->nodes[i].bytes.words;
		unsigned int before = m->n_kinds;
		uint8_t in[256] = {};

		if (m->nodes->nodes[i].type != REGEX_SET)
			continue;
		for (int c = next_bit(set, 1, 256); c < 256; c = next_bit(set, c + 1, 256))
			in[m->kind[c]]++;
		for (unsigned int kind = 0; kind < before; kind++) {
			with[kind] = kind;
			if (!in[kind] || in[kind] == has[kind])
				continue;
			with[kind] = m->n_kinds++;
			has[with[kind]] = in[kind];
			has[kind] -= in[kind];
		}
		for (int c = next_bit(set, 1, 256); c < 256; c = next_bit(set, c + 1, 256))
			m->kind[c] = with[m->kind[c]];
	}
	for (int c = 255; c > 0; c--)
		m->sample[m->kind[c]] = c;
	m->kind[0] = m->kind[1];
}

/* ---- sets of nodes ---- */

/* Adds @node and all that it goes to without a byte; true: FOUND is among them. */
static bool add(struct maker *m, uint64_t *set, int node, bool begins, bool ends)
{
	unsigned int depth = 0;
	bool found = false;

	m->stack[depth++] = node;
	while (depth) {
		int at = m->stack[--depth];
		const struct regex_node *here;

		if (at < 0 || set[at / 64] >> at % 64 & 1)
			continue;
		set[at / 64] |= 1ULL << at % 64;
		here = &m->nodes->nodes[at];
		found |= here->type == REGEX_FOUND;
		if (here->type == REGEX_SPLIT)
			m->stack[depth++] = here->other;
		if (here->type == REGEX_SPLIT || (here->type == REGEX_BEGIN && begins) ||
		    (here->type == REGEX_END && ends))
			m->stack[depth++] = here->next;
	}
	return found;
}

/* Does a string that ends with @set fit? @scratch: a set to use. */
static bool accepts(struct maker *m, const uint64_t *set, bool begins, uint64_t *scratch)
{
	const int n = m->nodes->n;
	bool found = false;

	memset(scratch, 0, m->words * sizeof(*scratch));
	for (int i = next_bit(set, 0, n); i < n; i = next_bit(set, i + 1, n))
		found |= add(m, scratch, i, begins, true);
	return found;
}

/* FNV-1a, of words. */
static unsigned int bucket_of(const struct maker *m, const uint64_t *set)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < m->words; i++)
		hash = (hash ^ set[i]) * 0x100000001b3;
	return (hash ^ hash >> 32) % BUCKETS;
}

/* A negative errno, or the new state's number. */
static int new_state(struct maker *m, const uint64_t *set, bool accepted)
{
	struct state *state = &m->states[m->n_states];

	if (m->n_states == STATES_MAX)
		return too_large(m, "2048 states on the way to the smallest number");
	*state = (struct state){ .accepts = accepted, .chained = NONE };
	state->nodes = malloc(m->words * sizeof(*set));
	if (!state->nodes)
		return -ENOMEM;
	memcpy(state->nodes, set, m->words * sizeof(*set));
	return m->n_states++;
}

/* The state of this set, which may be new. A negative errno. */
static int state_of(struct maker *m, const uint64_t *set, bool accepted)
{
	int *bucket = &m->buckets[bucket_of(m, set)], at;

	for (at = *bucket; at != NONE; at = m->states[at].chained)
		if (m->states[at].accepts == accepted &&
		    !memcmp(m->states[at].nodes, set, m->words * sizeof(*set)))
			return at;
	at = new_state(m, set, accepted);
	if (at >= 0) {
		m->states[at].chained = *bucket;
		*bucket = at;
	}
	return at;
}

/* Where @from goes to with a byte. Found once is found: the empty set, which accepts. */
static int step(struct maker *m, unsigned int from, unsigned int byte, uint64_t *set,
		uint64_t *scratch)
{
	const uint64_t *nodes = m->states[from].nodes;
	const int n = m->nodes->n;
	bool found;

	memset(set, 0, m->words * sizeof(*set));
	if (next_bit(nodes, 0, n) == n)
		return from;
	/* The expression may begin anywhere. */
	found = add(m, set, m->nodes->first, false, false);
	for (int i = next_bit(nodes, 0, n); i < n; i = next_bit(nodes, i + 1, n)) {
		const struct regex_node *node = &m->nodes->nodes[i];

		if (node->type == REGEX_SET && regex_bytes_has(&node->bytes, byte))
			found |= add(m, set, node->next, false, false);
	}
	if (!found)
		return state_of(m, set, accepts(m, set, false, scratch));
	memset(set, 0, m->words * sizeof(*set));
	return state_of(m, set, true);
}

static int make_states(struct maker *m, uint64_t *set, uint64_t *scratch)
{
	bool found = add(m, set, m->nodes->first, true, false);
	int ret;

	if (found)
		memset(set, 0, m->words * sizeof(*set));
	/* In no bucket: as the string's beginning it is nobody else's. */
	ret = new_state(m, set, found || accepts(m, set, true, scratch));
	for (unsigned int from = 0; ret >= 0 && from < m->n_states; from++) {
		for (unsigned int kind = 0; ret >= 0 && kind < m->n_kinds; kind++) {
			ret = step(m, from, m->sample[kind], set, scratch);
			if (ret >= 0)
				m->next[from * m->n_kinds + kind] = ret;
		}
	}
	return ret < 0 ? ret : 0;
}

/* ---- the smallest ---- */

/* Do two states of one block go to the same blocks? */
static bool alike(const struct maker *m, unsigned int a, unsigned int b)
{
	if (m->states[a].block != m->states[b].block)
		return false;
	for (unsigned int kind = 0; kind < m->n_kinds; kind++)
		if (m->states[m->next[a * m->n_kinds + kind]].block !=
		    m->states[m->next[b * m->n_kinds + kind]].block)
			return false;
	return true;
}

/*
 * Refines until nothing changes.
 * Gives the number of blocks, which are numbered as their first states are: 0 begins.
 */
static unsigned int find_blocks(struct maker *m, uint16_t *fresh, unsigned int *first)
{
	unsigned int n = 0, before;

	for (unsigned int i = 0; i < m->n_states; i++)
		m->states[i].block = m->states[i].accepts;
	do {
		before = n;
		n = 0;
		for (unsigned int i = 0; i < m->n_states; i++) {
			unsigned int block = 0;

			while (block < n && !alike(m, first[block], i))
				block++;
			if (block == n)
				first[n++] = i;
			fresh[i] = block;
		}
		for (unsigned int i = 0; i < m->n_states; i++)
			m->states[i].block = fresh[i];
	} while (n != before);
	return n;
}

/*
 * Kinds that lead from each block to the same are a class. Gives their number; @sample: a kind of
 * each.
 */
static unsigned int find_classes(const struct maker *m, const unsigned int *first,
				 unsigned int n_blocks, uint8_t *class, uint8_t *sample)
{
	unsigned int n = 0;

	for (unsigned int kind = 0; kind < m->n_kinds; kind++) {
		unsigned int at = 0, block;

		for (; at < n; at++) {
			for (block = 0; block < n_blocks; block++) {
				const uint16_t *row = m->next + first[block] * m->n_kinds;

				if (m->states[row[sample[at]]].block != m->states[row[kind]].block)
					break;
			}
			if (block == n_blocks)
				break;
		}
		if (at == n)
			sample[n++] = kind;
		class[kind] = at;
	}
	return n;
}

static int make_table(struct maker *m, uint8_t **out, size_t *size, uint16_t *fresh,
		      unsigned int *first)
{
	unsigned int n = find_blocks(m, fresh, first), n_classes;
	uint8_t class[256], sample[256], *at;

	if (n > USBPASS_TABLE_STATES)
		return too_large(m, "250 states");
	n_classes = find_classes(m, first, n, class, sample);
	if (n_classes > USBPASS_TABLE_CLASSES)
		return too_large(m, "64 kinds of bytes");
	*size = USBPASS_TABLE_SIZE(n, n_classes);
	*out = malloc(*size);
	if (!*out)
		return -ENOMEM;
	at = *out;
	*at++ = n;
	*at++ = n_classes;
	for (int c = 0; c < 256; c++)
		*at++ = class[m->kind[c]];
	for (unsigned int block = 0; block < n; block++)
		*at++ = m->states[first[block]].accepts;
	for (unsigned int block = 0; block < n; block++)
		for (unsigned int i = 0; i < n_classes; i++)
			*at++ = m->states[m->next[first[block] * m->n_kinds + sample[i]]].block;
	return 0;
}

int regex_table(const struct regex_nodes *nodes, uint8_t **table, size_t *size,
		struct regex_error *error)
{
	struct maker m = { .nodes = nodes, .words = (nodes->n + 63) / 64, .error = error };
	uint64_t *set = calloc(m.words, sizeof(*set)), *scratch = calloc(m.words, sizeof(*scratch));
	/* Not zeroed: most of it is never used. */
	uint16_t *fresh = malloc(STATES_MAX * sizeof(*fresh));
	unsigned int *first = malloc(STATES_MAX * sizeof(*first));
	int ret = -ENOMEM;

	for (int i = 0; i < BUCKETS; i++)
		m.buckets[i] = NONE;
	find_kinds(&m);
	m.states = malloc(STATES_MAX * sizeof(*m.states));
	m.next = malloc((size_t)STATES_MAX * m.n_kinds * sizeof(*m.next));
	/* Each node that is added puts two there at most; and the one that is asked for. */
	m.stack = malloc((2 * (size_t)nodes->n + 1) * sizeof(*m.stack));
	if (set && scratch && fresh && first && m.states && m.next && m.stack)
		ret = make_states(&m, set, scratch);
	if (!ret)
		ret = make_table(&m, table, size, fresh, first);
	for (unsigned int i = 0; m.states && i < m.n_states; i++)
		free(m.states[i].nodes);
	free(m.states);
	free(m.next);
	free(m.stack);
	free(set);
	free(scratch);
	free(fresh);
	free(first);
	if (ret == -ENOMEM)
		snprintf(error->text, error->size, "no memory");
	return ret;
}
