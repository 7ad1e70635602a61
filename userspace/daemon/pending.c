// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <unistd.h>
#include "daemon.h"
#include "inuse.h"

#define POLL_USEC	(2 * UINT64_C(1000000))

/*
 * What the kernel says of a device that was there before its rule and that
 * nobody has asked for (kernel/device.c); a rule alone takes no such device.
 */
#define UNASKED		"was the host's before its rule"

/*
 * The reason is the kernel's to keep: there it is seen, and what it says already
 * is neither said nor told again, however often this is tried.
 */
static void mark(struct daemon *daemon, const struct usbpass_device *device, const char *what,
		 const char *remedy)
{
	char reason[USBPASS_REASON_MAX + 1];

	snprintf(reason, sizeof(reason), "%s", what);
	if (!strcmp(device->reason, reason))
		return;
	if (usbpass_device_claim(daemon->h, device->id, reason, USBPASS_F_PENDING, 0) < 0)
		daemon_log(daemon, LOG_WARNING, "device #%u (%s): %s", device->id, device->busid,
			   usbpass_error(daemon->h));
	else
		daemon_log(daemon, LOG_NOTICE, "device #%u (%s) is pending: %s; %s", device->id,
			   device->busid, reason, remedy);
}

static void take(struct daemon *daemon, const struct usbpass_device *device)
{
	int ret = usbpass_device_claim(daemon->h, device->id, NULL, 0, 0);
	const char *prefix = "usbpass: ";
	char why[512];

	if (ret >= 0) {
		daemon_log(daemon, LOG_NOTICE, "device #%u (%s) is taken: the host does not use it",
			   device->id, device->busid);
		return;
	}
	if (ret == -ENODEV || ret == -ENOENT)
		return;		/* it went, or its rule did, since the list was made */
	snprintf(why, sizeof(why), "%s", usbpass_error(daemon->h));
	mark(daemon, device, strncmp(why, prefix, strlen(prefix)) ? why : why + strlen(prefix),
	     "it is tried again");
}

/* True while the device may become free. */
static bool look(struct daemon *daemon, const struct usbpass_device *device)
{
	struct usbpass_inuse inuse;
	char what[128];
	int ret;

	if (device->state != USBPASS_DEVICE_PENDING)
		return false;
	if (!daemon->look_all && !strcmp(device->reason, UNASKED))
		return false;
	ret = usbpass_inuse_find(daemon->host, device->busid, &inuse);
	switch (ret) {
	case 0:
		take(daemon, device);
		return true;	/* until its event says so */
	case 1:
		mark(daemon, device, inuse.what, inuse.remedy);
		return true;
	case -ENODEV:
		return false;
	default:
		/* Not knowing is no licence to take it. */
		snprintf(what, sizeof(what), "cannot tell whether the host uses it: %s",
			 strerror(-ret));
		mark(daemon, device, what, "it is tried again");
		return true;
	}
}

static void poll_while(struct daemon *daemon, bool wanted)
{
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(daemon->poll, &enabled);
	if (wanted && enabled == SD_EVENT_OFF)
		sd_event_source_set_time_relative(daemon->poll, POLL_USEC);
	sd_event_source_set_enabled(daemon->poll, wanted ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	sd_event_source_set_enabled(daemon->mounts, wanted ? SD_EVENT_ON : SD_EVENT_OFF);
}

void daemon_pending_look(struct daemon *daemon)
{
	struct usbpass_device *list;
	bool pending = false;
	size_t n;

	daemon->look = false;
	if (usbpass_device_list(daemon->h, &list, &n) < 0) {
		daemon_log(daemon, LOG_ERR, "cannot list the devices: %s", usbpass_error(daemon->h));
		daemon->look = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		pending |= look(daemon, &list[i]);
	usbpass_device_list_free(list, n);
	daemon->look_all = false;
	poll_while(daemon, pending);
}

static int on_poll(sd_event_source *source, uint64_t now, void *data)
{
	struct daemon *daemon = data;

	(void)source;
	(void)now;
	daemon->look = true;
	daemon_work(daemon);
	return 0;
}

static int on_mounts(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)fd;
	(void)events;
	return on_poll(source, 0, data);
}

int daemon_pending_watch(struct daemon *daemon)
{
	char path[PATH_MAX];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/self/mountinfo", daemon->host->proc);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* A change of the mounts is an error and urgent, see proc(5); edges, as nobody reads it. */
	ret = sd_event_add_io(daemon->loop, &daemon->mounts, fd, EPOLLPRI | EPOLLET, on_mounts,
			      daemon);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	sd_event_source_set_io_fd_own(daemon->mounts, true);
	sd_event_source_set_enabled(daemon->mounts, SD_EVENT_OFF);
	ret = sd_event_add_time_relative(daemon->loop, &daemon->poll, CLOCK_BOOTTIME, POLL_USEC, 0,
					 on_poll, daemon);
	if (ret < 0)
		return ret;
	return sd_event_source_set_enabled(daemon->poll, SD_EVENT_OFF);
}
