// SPDX-License-Identifier: GPL-2.0
/* The module's coming and going, its events, and the work that they leave. */
#include <errno.h>
#include <limits.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <unistd.h>
#include "daemon.h"

#define AGAIN_USEC	(5 * UINT64_C(1000000))

static void leave(struct daemon *daemon)
{
	char path[PATH_MAX];

	daemon_power_end(daemon);
	daemon->events = sd_event_source_unref(daemon->events);
	usbpass_close(daemon->h);
	daemon->h = NULL;
	daemon_unsave(daemon);
	snprintf(path, sizeof(path), "%s/started", daemon->run_dir);
	unlink(path);
	sd_event_source_set_enabled(daemon->poll, SD_EVENT_OFF);
	sd_event_source_set_enabled(daemon->mounts, SD_EVENT_OFF);
	daemon_status(daemon, "waits for the kernel module (modprobe usbpass)");
}

static void try_again(struct daemon *daemon)
{
	sd_event_source_set_time_relative(daemon->again, AGAIN_USEC);
	sd_event_source_set_enabled(daemon->again, SD_EVENT_ONESHOT);
}

static void look_for_lost(struct daemon *daemon)
{
	daemon->unsaved = true;
	daemon->relearned = true;
	daemon->look = true;
}

/* False once there are no more. */
static bool next_event(struct daemon *daemon)
{
	struct usbpass_event event;
	int ret = usbpass_event_next(daemon->h, &event, 0);

	if (ret == -EAGAIN)
		return false;
	if (ret < 0) {
		/* An overrun: what was lost is found by looking. */
		daemon_log(daemon, LOG_WARNING, "events were lost: %s", usbpass_error(daemon->h));
		look_for_lost(daemon);
		return false;
	}
	if (event.lost)
		look_for_lost(daemon);
	if (event.type == USBPASS_EVENT_COMMIT || event.type == USBPASS_EVENT_CONFIRMED)
		daemon->unsaved = true;
	if (event.type == USBPASS_EVENT_DEVICE_STATE && event.state == USBPASS_DEVICE_PENDING)
		daemon->look = true;
	if (event.type == USBPASS_EVENT_LEARNED) {
		daemon->unsaved = true;
		daemon->relearned = true;
	}
	if (event.type == USBPASS_EVENT_POWER_CYCLE && daemon->power)
		daemon_power_cycle(daemon, &event);
	return true;
}

void daemon_hear(struct daemon *daemon)
{
	while (next_event(daemon))
		;
	daemon_work(daemon);
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)source;
	(void)fd;
	(void)events;
	daemon_hear(data);
	return 0;
}

/* With the promise to cycle the power of ports, which only one can make. */
static int subscribe(struct daemon *daemon)
{
	int ret = usbpass_event_subscribe(daemon->h, NULL, USBPASS_F_POWER);

	daemon->power = !ret;
	if (ret != -EBUSY && ret != -EINVAL)
		return ret;
	daemon_log(daemon, LOG_WARNING, ret == -EBUSY ?
		   "another program carries out power cycles, this one does not" :
		   "the module asks for no power cycles: it is older than this daemon");
	return usbpass_event_subscribe(daemon->h, NULL, 0);
}

/* Subscribed first, so that no commit falls between the start and the events. */
static int enter(struct daemon *daemon)
{
	int ret = usbpass_open(&daemon->h);

	if (ret < 0)
		return ret;
	ret = subscribe(daemon);
	if (ret < 0) {
		daemon_log(daemon, LOG_ERR, "cannot hear of events: %s", usbpass_error(daemon->h));
		goto close;
	}
	ret = sd_event_add_io(daemon->loop, &daemon->events, usbpass_event_fd(daemon->h), EPOLLIN,
			      on_events, daemon);
	if (ret < 0)
		goto close;
	ret = daemon_start(daemon);
	if (ret < 0) {
		daemon_log(daemon, LOG_ERR, "the module does not answer: %s",
			   usbpass_error(daemon->h));
		goto close;
	}
	return 0;

close:
	daemon->events = sd_event_source_unref(daemon->events);
	usbpass_close(daemon->h);
	daemon->h = NULL;
	return ret;
}

void daemon_work(struct daemon *daemon)
{
	if (!daemon->h) {
		int ret = enter(daemon);

		/* Without a module nothing need be tried: its coming is told. */
		if (ret < 0 && ret != -ENOTCONN)
			try_again(daemon);
		if (ret < 0)
			return;
	}
	/* First to safety, then to the devices: a look at them takes its time. */
	if (daemon->unsaved)
		daemon->unsaved = daemon_save(daemon) < 0;
	if (daemon->look)
		daemon_pending_look(daemon);
	if (daemon->unsaved || daemon->look)
		try_again(daemon);
}

static int on_again(sd_event_source *source, uint64_t now, void *data)
{
	(void)source;
	(void)now;
	daemon_work(data);
	return 0;
}

static int on_family(struct nl_msg *msg, void *data)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct genlmsghdr *head = nlmsg_data(nlmsg_hdr(msg));
	struct daemon *daemon = data;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, CTRL_ATTR_MAX, NULL) < 0 ||
	    !attrs[CTRL_ATTR_FAMILY_NAME] ||
	    strcmp(nla_get_string(attrs[CTRL_ATTR_FAMILY_NAME]), USBPASS_GENL_NAME))
		return NL_OK;
	if (head->cmd == CTRL_CMD_NEWFAMILY) {
		/* What we hold, if anything, is of the one before. */
		if (daemon->h)
			leave(daemon);
		daemon_log(daemon, LOG_INFO, "the module is loaded");
		daemon_work(daemon);
	} else if (head->cmd == CTRL_CMD_DELFAMILY && daemon->h) {
		daemon_log(daemon, LOG_NOTICE, "the module is gone");
		leave(daemon);
	}
	return NL_OK;
}

static int on_families(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct daemon *daemon = data;

	(void)source;
	(void)fd;
	(void)events;
	nl_recvmsgs_default(daemon->families);
	return 0;
}

static int watch_families(struct daemon *daemon)
{
	struct nl_sock *sk = nl_socket_alloc();
	int group;

	daemon->families = sk;
	if (!sk || genl_connect(sk) < 0)
		return -ENOMEM;
	group = genl_ctrl_resolve_grp(sk, "nlctrl", "notify");
	if (group < 0 || nl_socket_add_membership(sk, group) < 0)
		return -EPROTO;
	nl_socket_disable_seq_check(sk);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_family, daemon);
	nl_socket_set_nonblocking(sk);
	return sd_event_add_io(daemon->loop, NULL, nl_socket_get_fd(sk), EPOLLIN, on_families,
			       daemon);
}

int daemon_module_watch(struct daemon *daemon)
{
	int ret = watch_families(daemon);

	if (ret >= 0)
		ret = sd_event_add_time_relative(daemon->loop, &daemon->again, CLOCK_BOOTTIME,
						 AGAIN_USEC, 0, on_again, daemon);
	if (ret >= 0)
		ret = sd_event_source_set_enabled(daemon->again, SD_EVENT_OFF);
	if (ret < 0)
		return ret;
	daemon_unsave(daemon);
	daemon_work(daemon);
	if (!daemon->h)
		daemon_status(daemon, "waits for the kernel module (modprobe usbpass)");
	return 0;
}
