/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One call of the kernel's fails: the Nth allocation or copy from or to user space that this thread makes.
 *
 *	fault_begin();				(skips the test where the kernel cannot do it; undone at the test's end)
 *	for (unsigned int n = 1; ; n = fault_next(n)) {
 *		fault_arm(n);
 *		ret = ioctl(...);
 *		if (!fault_disarm())
 *			break;			(it has fewer such calls than n)
 *		...				(ret says what became of it)
 *	}
 *
 * Between fault_arm() and fault_disarm() the thread does nothing but the system call that is meant. Allocations in interrupts
 * and in the kernel's workers do not count. Needs tap.h.
 */
#ifndef FAULT_H
#define FAULT_H

#include <fcntl.h>
#include <sys/mman.h>

#define FAULT_ALL 16	/* each call up to here, in any run */

static int fault_nth = -1;

/* Of all tests, each of which is a process. */
static struct fault_total {
	unsigned int injected, kinds;
} *fault_total;

__attribute__((constructor)) static void fault_share(void)
{
	fault_total = mmap(NULL, sizeof(*fault_total), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fault_total == MAP_FAILED)
		abort();
}

static inline bool fault_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* @on: also what may wait, which most of it may; nothing but calls that are armed. */
static inline bool fault_filters(bool on)
{
	static const char *const files[][3] = {
		{"failslab/ignore-gfp-wait", "N", "Y"}, {"fail_page_alloc/ignore-gfp-wait", "N", "Y"},
		{"fail_page_alloc/min-order", "0", "1"}, {"failslab/verbose", "0", "2"}, {"fail_page_alloc/verbose", "0", "2"},
		{"fail_usercopy/verbose", "0", "2"}, {"failslab/cache-filter", "N", "N"},
	};
	char path[100];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", files[i][0]);
		if (!fault_put(path, files[i][on ? 1 : 2]))
			return false;
	}
	return true;
}

static inline void fault_end(void)
{
	fault_filters(false);
}

static inline void fault_begin(void)
{
	fault_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fault_nth < 0)
		SKIP("the kernel has no /proc/thread-self/fail-nth");
	if (!fault_filters(true))
		SKIP("the kernel has not failslab, fail_page_alloc and fail_usercopy in debugfs");
	tap_defer(fault_end);
}

static inline void fault_arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	ASSERT_EQ(len, pwrite(fault_nth, text, len, 0));
}

/* True: the call that was to fail came, and failed. errno stays. */
static inline bool fault_disarm(void)
{
	char text[16] = "";
	int saved = errno;
	/* The answer is copied too: where that is what fails, what was meant had no such call. */
	bool injected = pread(fault_nth, text, sizeof(text) - 1, 0) > 0 && text[0] == '0';

	/* And so is this; what it hits is the last. */
	while (pwrite(fault_nth, "0", 1, 0) != 1)
		ASSERT_EQ(EFAULT, errno);
	errno = saved;
	return injected;
}

/*
 * Every call in long runs. In short ones those past FAULT_ALL at growing distances: a device has hundreds of small allocations
 * of the driver core's.
 */
static inline unsigned int fault_next(unsigned int n)
{
	return n + (tap_long() || n < FAULT_ALL ? 1 : 1 + (n - FAULT_ALL) / 4 + n % 3);
}

static inline void fault_tell(const char *what, unsigned int injected, unsigned int survived)
{
	TAP_SAY("fault: %s: %u injected, %u survived", what, injected, survived);
	fault_total->injected += injected;
	fault_total->kinds += injected > 0;
}

/* For the last test's end. */
static inline void fault_figure(const char *of_what)
{
	TAP_SAY("figure: faults injected %u over %u %s", fault_total->injected, fault_total->kinds, of_what);
}

#endif
