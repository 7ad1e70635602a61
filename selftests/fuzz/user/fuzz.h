/* SPDX-License-Identifier: GPL-2.0 */
/* What the targets share: an input taken apart from its front, and a check that ends the run. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise is a finding as much as a crash is. */
#define CHECK(condition, ...)							\
	do {									\
		if (!(condition)) {						\
			fprintf(stderr, "%s:%d: broken promise: ", __FILE__, __LINE__);	\
			fprintf(stderr, __VA_ARGS__);				\
			fputc('\n', stderr);					\
			abort();						\
		}								\
	} while (0)

struct input {
	const uint8_t *at;
	size_t left;
};

/* @size bytes; zeroes once the input is over. */
static inline void take(struct input *in, void *to, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memset(to, 0, size);
	if (n)
		memcpy(to, in->at, n);
	in->at += n;
	in->left -= n;
}

static inline uint8_t take_u8(struct input *in)
{
	uint8_t value;

	take(in, &value, sizeof(value));
	return value;
}

static inline uint16_t take_u16(struct input *in)
{
	uint16_t value;

	take(in, &value, sizeof(value));
	return value;
}

static inline uint32_t take_u32(struct input *in)
{
	uint32_t value;

	take(in, &value, sizeof(value));
	return value;
}

/* Up to the next newline or NUL, as much as fits; false: the input was over. -> @to, of @size bytes. */
static inline bool take_line(struct input *in, char *to, size_t size)
{
	bool any = in->left > 0;
	size_t n = 0;

	while (in->left && *in->at && *in->at != '\n') {
		if (n + 1 < size)
			to[n++] = (char)*in->at;
		in->at++;
		in->left--;
	}
	if (in->left) {
		in->at++;
		in->left--;
	}
	to[n] = '\0';
	return any;
}

/* The bytes alone in memory of their own, so that a byte read past them is seen. Free it. */
static inline void *alone(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

#endif /* FUZZ_H */
