// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>
#include "host.h"

#define POLL_MS	200	/* where inotify cannot tell: the directory is not there yet */

bool usbpass_host_daemon(const struct usbpass_host *host, int *pid)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX], line[32];
	bool runs;
	int fd;

	if (pid)
		*pid = 0;
	snprintf(path, sizeof(path), "%s/usbpass/usbpassd.pid", host->run);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* Asks of record locks without taking one, then of flock(2). */
	runs = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	if (!runs)
		runs = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	if (runs && pid && usbpass_host_line(line, sizeof(line), "%s", path))
		*pid = atoi(line);
	return runs;
}

bool usbpass_host_saved(const struct usbpass_host *host, uint64_t *generation)
{
	char line[32], *end;

	if (!usbpass_host_line(line, sizeof(line), "%s/usbpass/saved", host->run))
		return false;
	*generation = strtoull(line, &end, 10);
	return end != line && !*end;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static void drain(int fd)
{
	char events[4096] __attribute__((aligned(8)));

	while (read(fd, events, sizeof(events)) > 0)
		;
}

int usbpass_host_wait_saved(const struct usbpass_host *host, uint64_t generation, int timeout)
{
	const int64_t end = now_ms() + timeout;
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), ret = 0;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/usbpass", host->run);
	if (fd >= 0)
		inotify_add_watch(fd, path, IN_MOVED_TO | IN_CLOSE_WRITE);
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int64_t left = end - now_ms();
		uint64_t saved;

		if (usbpass_host_saved(host, &saved) && saved >= generation)
			break;
		if (!usbpass_host_daemon(host, NULL))
			ret = -ESRCH;
		else if (left <= 0)
			ret = -ETIMEDOUT;
		if (ret)
			break;
		if (poll(&pfd, 1, left < POLL_MS ? left : POLL_MS) > 0)
			drain(fd);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}
