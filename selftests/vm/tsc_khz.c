// SPDX-License-Identifier: GPL-2.0
// The frequency in kHz of this machine's time-stamp counter, which QEMU shows to the test machine as it is. The kernel there counts
// it against an emulated timer, and where others have the processor meanwhile its clock runs at a third or three times the pace.
// Prints nothing where there is no such counter.
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>

#define SPAN_NS 200000000
#define TRIES 1000

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct point {
	uint64_t ns, ticks;
};

/* Of several readings the one that nothing came between. */
static struct point read_point(void)
{
	struct point best = {0};
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = now_ns(), ticks = __rdtsc(), took = now_ns() - before;

		if (took < least) {
			least = took;
			best = (struct point){before + took / 2, ticks};
		}
	}
	return best;
}

int main(void)
{
	struct point first = read_point(), last;

	do
		last = read_point();
	while (last.ns - first.ns < SPAN_NS);
	printf("%.0f\n", (double)(last.ticks - first.ticks) * 1e6 / (double)(last.ns - first.ns));
	return 0;
}
#else
int main(void)
{
	return 0;
}
#endif
