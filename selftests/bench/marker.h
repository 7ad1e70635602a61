/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a program in the machine speaks to count.c outside of it: an eight-byte NOP whose displacement, which nothing reads, is a
 * number that no compiler comes upon.
 */
#ifndef BENCH_MARKER_H
#define BENCH_MARKER_H

#define MARKER_BYTES	0x0f, 0x1f, 0x84, 0x00	/* nopl DISPLACEMENT(%rax,%rax) */
#define MARKER_BASE	0x75627000

enum marker {
	MARKER_SYMBOLS,		/* the symbols' file is complete */
	MARKER_BEGIN,		/* of a region */
	MARKER_END,
	MARKERS,
};

/* @number: a constant */
#define MARK(number)									\
	__asm__ __volatile__(".byte 0x0f, 0x1f, 0x84, 0x00; .long %c0"			\
			     : : "i" (MARKER_BASE + (number)) : "memory")

#endif /* BENCH_MARKER_H */
