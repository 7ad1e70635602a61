// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <syslog.h>
#include <unistd.h>
#include "daemon.h"

/* The helper, asking whether a daemon runs, holds a shared lock for a moment. */
#define TRIES	20
#define TRY_MS	50

int daemon_lock(const struct daemon *daemon)
{
	char path[PATH_MAX], line[32];
	int fd, ret = -1;

	snprintf(path, sizeof(path), "%s/usbpassd.pid", daemon->run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		ret = -errno;
		daemon_log(daemon, LOG_ERR, "cannot open %s: %s", path, strerror(-ret));
		return ret;
	}
	for (int i = 0; i < TRIES && ret < 0; i++) {
		ret = flock(fd, LOCK_EX | LOCK_NB);
		if (ret < 0)
			poll(NULL, 0, TRY_MS);
	}
	if (ret < 0) {
		daemon_log(daemon, LOG_ERR, "another usbpassd runs: it has %s locked", path);
		close(fd);
		return -EBUSY;
	}
	snprintf(line, sizeof(line), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, line, strlen(line)) < 0) {
		ret = -errno;
		daemon_log(daemon, LOG_ERR, "cannot write %s: %s", path, strerror(-ret));
		close(fd);
		return ret;
	}
	return 0;	/* open, and so locked, as long as the process lives */
}
