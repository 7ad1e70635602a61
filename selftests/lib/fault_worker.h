/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As fault.h, for what the kernel's workers do on this process's behalf: the Nth allocation of each worker fails.
 *
 *	fault_workers_begin();			(skips the test where the kernel cannot do it; undone at the test's end)
 *	for (unsigned int n = 1; ...; n = fault_workers_next(n)) {
 *		fault_workers_arm(n);
 *		...				(have them work, and wait for the end of it)
 *		injected = fault_workers_disarm();
 *	}
 *
 * A worker that is born in between is not armed, and work is taken by whichever is idle: one round without a failure does not
 * tell that there is no Nth call. FAULT_WORKERS_QUIET in a row do. Needs fault.h.
 */
#ifndef FAULT_WORKER_H
#define FAULT_WORKER_H

#include <dirent.h>

#define FAULT_WORKERS_MAX 128
#define FAULT_WORKERS_ALL 12	/* each call up to here, in any run */
#define FAULT_WORKERS_QUIET 3

static int fault_workers[FAULT_WORKERS_MAX];	/* their fail-nth */
static unsigned int n_fault_workers;

static inline bool fault_is_worker(const char *pid)
{
	char path[300], name[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strncmp(name, "kworker/", 8);
}

static inline void fault_workers_arm(unsigned int n)
{
	char text[16], path[600];
	int len = snprintf(text, sizeof(text), "%u", n);
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	ASSERT(dir);
	n_fault_workers = 0;
	while ((entry = readdir(dir)) && n_fault_workers < FAULT_WORKERS_MAX) {
		int fd;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || !fault_is_worker(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task/%s/fail-nth", entry->d_name, entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			fault_workers[n_fault_workers++] = fd;
	}
	closedir(dir);
	ASSERT(n_fault_workers);
	/* Last, and at once: this thread's own calls above have workers run too. One that has ended meanwhile is ESRCH. */
	for (unsigned int i = 0; i < n_fault_workers; i++)
		if (pwrite(fault_workers[i], text, len, 0) != len)
			ASSERT_EQ(ESRCH, errno);
}

/* True: one at least came to its Nth call. */
static inline bool fault_workers_disarm(void)
{
	bool injected = false;
	char text[16] = "";

	for (unsigned int i = 0; i < n_fault_workers; i++) {
		injected |= pread(fault_workers[i], text, sizeof(text) - 1, 0) > 0 && text[0] == '0';
		if (pwrite(fault_workers[i], "0", 1, 0) != 1)
			ASSERT_EQ(ESRCH, errno);
		close(fault_workers[i]);
	}
	n_fault_workers = 0;
	return injected;
}

static inline void fault_workers_end(void)
{
	if (n_fault_workers)
		fault_workers_disarm();
}

static inline void fault_workers_begin(void)
{
	fault_begin();
	tap_defer(fault_workers_end);
}

/* Coarser than fault_next(): a round is a device's way to the module and back. */
static inline unsigned int fault_workers_next(unsigned int n)
{
	return n + (tap_long() || n < FAULT_WORKERS_ALL ? 1 : 1 + (n - FAULT_WORKERS_ALL) / 3 + n % 3);
}

#endif
