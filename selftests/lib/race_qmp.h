/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The QMP monitor of the very machine (vm/boot.sh), for tests in C: what lib/qmp.sh is for scripts. One caller at a time.
 *
 *	err = race_qmp("device_del", "{\"id\":\"stick\"}");
 */
#ifndef RACE_QMP_H
#define RACE_QMP_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RACE_QMP_MS 30000	/* QEMU answers at once, where the host lets it run */

static pthread_mutex_t race_qmp_lock = PTHREAD_MUTEX_INITIALIZER;
static char race_qmp_error[512];	/* QEMU's words for the last failure */

/* One line of QEMU's, without its end; false: none came. What is longer than @size is cut. */
static inline bool race_qmp_line(int fd, char *line, size_t size)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	char byte;

	while (poll(&pollfd, 1, RACE_QMP_MS) > 0) {
		ssize_t got = read(fd, &byte, 1);

		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (got != 1)
			continue;
		if (byte == '\n') {
			line[len] = '\0';
			return true;
		}
		if (len < size - 1)
			line[len++] = byte;
	}
	return false;
}

/* 0, -ENODEV: QEMU knows no such device, -EPROTO: another error of its, -EIO: no answer. */
static inline int race_qmp_locked(int fd, const char *command, const char *arguments)
{
	static unsigned int last;
	char line[2048], id[32];

	snprintf(id, sizeof(id), "\"id\": \"race%u\"", ++last);
	/* The first is an error where it was done before, and an answer without our id. */
	if (dprintf(fd, "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"%s\",\"arguments\":%s,\"id\":\"race%u\"}\n", command,
		    arguments, last) < 0)
		return -EIO;
	do {
		if (!race_qmp_line(fd, line, sizeof(line))) {
			snprintf(race_qmp_error, sizeof(race_qmp_error), "%s: no answer", command);
			return -EIO;
		}
	} while (!strstr(line, id));
	if (!strstr(line, "\"error\""))
		return 0;
	snprintf(race_qmp_error, sizeof(race_qmp_error), "%s: %.400s", command, line);
	return strstr(line, "DeviceNotFound") ? -ENODEV : -EPROTO;
}

static inline int race_qmp(const char *command, const char *arguments)
{
	static int fd = -1;
	int err;

	pthread_mutex_lock(&race_qmp_lock);
	if (fd < 0)
		fd = open(getenv("BED_QMP") ?: "", O_RDWR | O_CLOEXEC);
	err = fd < 0 ? -EIO : race_qmp_locked(fd, command, arguments);
	pthread_mutex_unlock(&race_qmp_lock);
	return err;
}

#endif
