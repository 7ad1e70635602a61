// SPDX-License-Identifier: GPL-2.0
/*
 * Power cycles. The kernel module asks, as a port is switched by its attribute in sysfs only; what is there is written to as
 * root, so that a path is looked at before. A cycle keeps its files open: what is switched off is what is switched on again,
 * and what has gone meanwhile is gone. What is off is written down, for the daemon that comes after one that was killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "daemon.h"

#define OFF_USEC	UINT64_C(1000000)
#define HALVES		2	/* a port, and its peer of the other speed */

struct power_cycle {
	struct power_cycle *next;
	struct daemon *daemon;
	uint32_t job;
	char name[64];
	char port[HALVES][USBPASS_PORT_MAX + 1];
	int disable[HALVES];	/* files; -1: none */
	bool off;
	sd_event_source *timer;
};

/* "usb1-port2", "1-4.2-port1" */
static bool is_port(const char *name)
{
	const char *port = strstr(name, "-port");
	size_t digits = port ? strspn(port + 5, "0123456789") : 0;

	if (!digits || port[5 + digits])
		return false;
	if (!strncmp(name, "usb", 3))
		return name[3] != '-' && name + 3 + strspn(name + 3, "0123456789") == port;
	return name != port && name + strspn(name, "0123456789-.") == port + 1;
}

int daemon_power_path(const struct daemon *daemon, const char *port, char *path, size_t size)
{
	const char *name = strrchr(port, '/');

	if (strncmp(port, "/devices/", 9) || strstr(port, "/../") || strstr(port, "//") || !name ||
	    !is_port(name + 1))
		return -EINVAL;
	return (size_t)snprintf(path, size, "%s%s", daemon->host->sys, port) < size ? 0 : -EINVAL;
}

static int open_disable(const char *path)
{
	char file[PATH_MAX];
	int fd;

	if (snprintf(file, sizeof(file), "%s/disable", path) >= (int)sizeof(file))
		return -ENAMETOOLONG;
	fd = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* 0 where it has none. */
static int open_peer(struct power_cycle *cycle, const char *path)
{
	const char *sys = cycle->daemon->host->sys;
	char link[PATH_MAX], real[PATH_MAX], peer[PATH_MAX];
	int ret;

	if (snprintf(link, sizeof(link), "%s/peer", path) >= (int)sizeof(link))
		return -ENAMETOOLONG;
	if (!realpath(link, real))
		return errno == ENOENT ? 0 : -errno;
	if (strncmp(real, sys, strlen(sys)))
		return -EINVAL;
	ret = daemon_power_path(cycle->daemon, real + strlen(sys), peer, sizeof(peer));
	if (ret)
		return ret;
	if (snprintf(cycle->port[1], USBPASS_PORT_MAX + 1, "%s", real + strlen(sys)) > USBPASS_PORT_MAX)
		return -ENAMETOOLONG;
	ret = cycle->disable[1] = open_disable(peer);
	return ret < 0 ? ret : 0;
}

static int open_all(struct power_cycle *cycle, const char *port)
{
	char path[PATH_MAX];
	int ret = daemon_power_path(cycle->daemon, port, path, sizeof(path));

	if (ret)
		return ret;
	snprintf(cycle->name, sizeof(cycle->name), "%.63s", strrchr(port, '/') + 1);
	snprintf(cycle->port[0], sizeof(cycle->port[0]), "%s", port);
	ret = cycle->disable[0] = open_disable(path);
	return ret < 0 ? ret : open_peer(cycle, path);
}

/* The first error; all are written to nevertheless. */
static int switch_all(const struct power_cycle *cycle, bool off)
{
	int ret = 0;

	for (int i = 0; i < HALVES; i++) {
		if (cycle->disable[i] < 0)
			continue;
		errno = 0;
		if (pwrite(cycle->disable[i], off ? "1" : "0", 1, 0) != 1 && !ret)
			ret = errno ? -errno : -EIO;
	}
	return ret;
}

static const char *notes(const struct daemon *daemon, char *path, size_t size)
{
	snprintf(path, size, "%s/power", daemon->run_dir);
	return path;
}

/* The ports that are off, a line each; no file where none is. */
static void note(const struct daemon *daemon)
{
	char path[PATH_MAX];
	FILE *file;

	if (!daemon->cycles) {
		unlink(notes(daemon, path, sizeof(path)));
		return;
	}
	file = fopen(notes(daemon, path, sizeof(path)), "we");
	for (const struct power_cycle *cycle = daemon->cycles; file && cycle; cycle = cycle->next)
		for (int i = 0; i < HALVES; i++)
			if (cycle->disable[i] >= 0)
				fprintf(file, "%s\n", cycle->port[i]);
	if (!file || fclose(file) == EOF)
		daemon_log(daemon, LOG_WARNING, "cannot write %s: %s", path, strerror(errno));
}

void daemon_power_clean(const struct daemon *daemon)
{
	char path[PATH_MAX], line[USBPASS_PORT_MAX + 2];
	FILE *file = fopen(notes(daemon, path, sizeof(path)), "re");

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		int fd;

		line[strcspn(line, "\n")] = '\0';
		if (daemon_power_path(daemon, line, path, sizeof(path)))
			continue;
		fd = open_disable(path);
		if (fd < 0)
			continue;	/* gone */
		daemon_log(daemon, LOG_NOTICE, "port %s, left switched off, is switched on again",
			   strrchr(line, '/') + 1);
		if (pwrite(fd, "0", 1, 0) != 1)
			daemon_log(daemon, LOG_ERR, "cannot switch it on: %s", strerror(errno));
		close(fd);
	}
	fclose(file);
	unlink(notes(daemon, path, sizeof(path)));
}

/* Switched on again, out of the list, freed. */
static int end(struct power_cycle *cycle)
{
	struct power_cycle **at = &cycle->daemon->cycles;
	int ret = cycle->off ? switch_all(cycle, false) : 0;

	while (*at != cycle)
		at = &(*at)->next;
	*at = cycle->next;
	note(cycle->daemon);
	for (int i = 0; i < HALVES; i++)
		if (cycle->disable[i] >= 0)
			close(cycle->disable[i]);
	sd_event_source_unref(cycle->timer);
	free(cycle);
	return ret;
}

static void answer(struct daemon *daemon, uint32_t job, const char *name, int result)
{
	if (result)
		daemon_log(daemon, LOG_ERR, "cannot cycle the power of port %s: %s", name,
			   strerror(-result));
	if (usbpass_power_done(daemon->h, job, result) < 0)
		daemon_log(daemon, LOG_WARNING, "power cycle of port %s, job %u: %s", name, job,
			   usbpass_error(daemon->h));
}

static int on_timer(sd_event_source *source, uint64_t now, void *data)
{
	struct power_cycle *cycle = data;
	struct daemon *daemon = cycle->daemon;
	uint32_t job = cycle->job;
	char name[sizeof(cycle->name)];

	(void)source;
	(void)now;
	memcpy(name, cycle->name, sizeof(name));
	answer(daemon, job, name, end(cycle));
	/* What came between question and answer stands in the handle, and wakes nobody. */
	daemon_hear(daemon);
	return 0;
}

void daemon_power_cycle(struct daemon *daemon, const struct usbpass_event *event)
{
	struct power_cycle *cycle = calloc(1, sizeof(*cycle));
	int ret;

	if (!cycle) {
		answer(daemon, event->job, event->port, -ENOMEM);
		return;
	}
	*cycle = (struct power_cycle){
		.next = daemon->cycles, .daemon = daemon, .job = event->job, .disable = { -1, -1 },
	};
	daemon->cycles = cycle;
	ret = open_all(cycle, event->port);
	if (!ret) {
		note(daemon);
		daemon_log(daemon, LOG_NOTICE, "port %s is switched off for a second%s", cycle->name,
			   cycle->disable[1] >= 0 ? ", and so is its peer" : "");
		cycle->off = true;
		ret = switch_all(cycle, true);
	}
	if (!ret)
		ret = sd_event_add_time_relative(daemon->loop, &cycle->timer, CLOCK_MONOTONIC,
						 OFF_USEC, 0, on_timer, cycle);
	if (ret < 0) {
		end(cycle);
		answer(daemon, event->job, event->port, ret);
	}
}

void daemon_power_end(struct daemon *daemon)
{
	while (daemon->cycles) {
		daemon_log(daemon, LOG_NOTICE, "port %s is switched on again at once",
			   daemon->cycles->name);
		end(daemon->cycles);
	}
}
