/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzers share: a seeded source of numbers, how long to run, the module without a program's help.
 *
 *	struct fuzz fuzz = fuzz_new(fuzz_seed(), 3);	(the third stream of the run's seed)
 *	uint64_t end = fuzz_now_ms() + fuzz_run_ms(10, 25);
 *
 * SEED= repeats a run's choices (the threads' order is the scheduler's); without it the clock is asked. The seed is printed.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct fuzz {
	uint64_t state;
};

static inline uint64_t fuzz_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline uint64_t fuzz_seed(void)
{
	const char *given = getenv("SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0) : (uint64_t)(now.tv_sec ^ now.tv_nsec) % 1000000000;
	printf("# SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

/* xorshift64*, started by a round of splitmix64 so that near seeds are far streams. */
static inline struct fuzz fuzz_new(uint64_t seed, unsigned int stream)
{
	uint64_t z = seed + (stream + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (struct fuzz){.state = (z ^ z >> 31) | 1};
}

static inline uint32_t fuzz_next(struct fuzz *fuzz)
{
	fuzz->state ^= fuzz->state >> 12;
	fuzz->state ^= fuzz->state << 25;
	fuzz->state ^= fuzz->state >> 27;
	return fuzz->state * 0x2545f4914f6cdd1d >> 32;
}

static inline uint32_t fuzz_below(struct fuzz *fuzz, uint32_t bound)
{
	return (uint64_t)fuzz_next(fuzz) * bound >> 32;
}

/* True once in @n. */
static inline bool fuzz_once_in(struct fuzz *fuzz, uint32_t n)
{
	return !fuzz_below(fuzz, n);
}

/* Numbers at which bounds tend to break. */
static inline uint64_t fuzz_number(struct fuzz *fuzz)
{
	static const uint64_t edges[] = {0, 1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096, 4097,
		0x7fff, 0x8000, 0xffff, 0x10000, 0xffffff, 0x3ffffff, 0x4000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
		0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};
	uint64_t edge = edges[fuzz_below(fuzz, sizeof(edges) / sizeof(*edges))];

	switch (fuzz_below(fuzz, 4)) {
	case 0:
		return fuzz_next(fuzz);
	case 1:
		return edge + fuzz_below(fuzz, 5) - 2;
	default:
		return edge;
	}
}

/* Of a test: @short_secs, in long runs ten times that, with MINUTES= its percentage of those. */
static inline uint64_t fuzz_run_ms(unsigned int short_secs, unsigned int percent)
{
	const char *minutes = getenv("MINUTES"), *is_long = getenv("LONG");

	if (minutes && strtoul(minutes, NULL, 10))
		return strtoul(minutes, NULL, 10) * 600 * percent;
	return short_secs * (is_long && is_long[0] == '1' ? 10000 : 1000);
}

/* 0 or a negative errno. The runner starts tests in selftests/. */
static inline int fuzz_insmod(const char *parameters)
{
	const char *path = getenv("USBPASS_KO");
	int fd = open(path ? path : "../usbpass.ko", O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters, 0))
		err = -errno;
	close(fd);
	return err;
}

static inline int fuzz_rmmod(void)
{
	return syscall(SYS_delete_module, "usbpass", O_NONBLOCK) ? -errno : 0;
}

/* 0 or a negative errno, as write(2) said it. */
static inline int fuzz_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0, len = snprintf(NULL, 0, "%s", text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) < 0)
		err = -errno;
	close(fd);
	return err;
}

#endif
