/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events that race_round.h fires at one another: what each does, and with which errnos it may fail in whose company. The
 * errnos are those of uapi/linux/usbpass.h.
 */
#ifndef RACE_EVENT_H
#define RACE_EVENT_H

#include "race_round.h"

enum race_revoke_kind { RELEASE_DEVICE, DELETE_ATTACHMENT, MOVE_ATTACHMENT, REVOKE_KINDS };
enum race_commit_kind { DESCRIBE, DISABLE_RULE, REPLACE_ALL, COMMIT_KINDS };

static inline int race_fire_unplug(struct race_side *side)
{
	return race_unplug();
}

static inline int race_fire_hub(struct race_side *side)
{
	return race_unplug_hub();
}

/* There and back again; that it stops half-way is race_world.h's doing. */
static inline int race_fire_suspend(struct race_side *side)
{
	return fuzz_write("/sys/power/state", "freeze");
}

static inline int race_describe(struct race_side *side)
{
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_DESCRIPTION),
		.name = "race"};

	snprintf(attach.description, sizeof(attach.description), "%u", side->late_us);
	return usbpass_attachment_set(side->h, &attach, 0);
}

static inline int race_disable_rule(struct race_side *side)
{
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ENABLED), .name = "race"};

	return usbpass_rule_set(side->h, &rule);
}

/* All objects new, except for the attachment's identity: it has a slot. */
static inline int race_replace_all(struct race_side *side)
{
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP),
		.name = "race", .group = "race"};
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME), .name = "race"};
	int err = usbpass_group_new(side->h, &group);

	return err ?: usbpass_attachment_new(side->h, &attach);
}

static inline int race_fire_commit(struct race_side *side)
{
	static int (*const stage[COMMIT_KINDS])(struct race_side *) = {race_describe, race_disable_rule, race_replace_all};
	int err = usbpass_txn_begin(side->h, NULL, side->kind == REPLACE_ALL ? USBPASS_F_REPLACE : 0);

	err = err ?: stage[side->kind](side);
	err = err ?: usbpass_txn_commit(side->h, USBPASS_F_RESCAN, NULL);
	side->commits = !err;
	return err;
}

static inline int race_fire_revoke(struct race_side *side)
{
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP),
		.name = "race", .group = "other"};
	int err;

	if (side->kind == RELEASE_DEVICE)
		return usbpass_device_release(side->h, side->round->w->device, USBPASS_F_REVOKE, 0);
	if (side->kind == DELETE_ATTACHMENT)
		err = usbpass_attachment_del(side->h, 0, "race", USBPASS_F_REVOKE);
	else
		err = usbpass_attachment_set(side->h, &attach, USBPASS_F_REVOKE);
	side->commits = !err;
	return err;
}

static inline int race_fire_reset(struct race_side *side)
{
	return ioctl(side->round->fd, USBDEVFS_RESET) ? -errno : 0;
}

/* Its number stays taken, by a file that knows none of a node's calls. */
static inline int race_fire_close(struct race_side *side)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, side->round->fd);
	close(null);
	return 0;
}

static inline int race_fire_removal(struct race_side *side)
{
	return fuzz_rmmod();
}

static inline int race_fire_open(struct race_side *side)
{
	side->opened = open(RACE_NODE, O_RDWR | O_CLOEXEC);
	return side->opened < 0 ? -errno : 0;
}

/* In the middle of a change that it has to save. */
static inline int race_fire_kill(struct race_side *side)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_DESCRIPTION),
		.name = "race"};
	int err;

	snprintf(group.description, sizeof(group.description), "killed %u", side->late_us);
	err = usbpass_group_set(side->h, &group);
	side->commits = !err;
	usleep(side->late_us % 8000);
	kill(side->round->w->daemon_pid, SIGKILL);
	return err;
}

#define WITH(event) (1U << (event))
#define WITH_ALL (WITH(RACE_EVENTS) - 1)
#define ANY -1

/* @error is legal of @event beside any of @with; @leased: whether there was a lease to begin with. */
static const struct race_legal {
	enum race_event event;
	int error;
	unsigned int with;
	int leased, kind;
} race_legal[] = {
	{UNPLUG, 0, WITH_ALL, ANY, ANY},
	{UNPLUG, ENODEV, WITH(HUB), ANY, ANY},
	{SUSPEND, EBUSY, WITH_ALL, ANY, ANY},
	{COMMIT, 0, WITH_ALL, ANY, ANY},
	{COMMIT, ESTALE, WITH(COMMIT) | WITH(REVOKE) | WITH(KILL), ANY, ANY},
	/* Deleted before its stage was begun, or moved, to where a lease keeps it. */
	{COMMIT, ENOENT, WITH(REVOKE), ANY, DESCRIBE},
	{COMMIT, EBUSY, WITH(REVOKE), true, REPLACE_ALL},
	/* All was replaced, its rule too, before its stage was begun. */
	{COMMIT, ENOENT, WITH(COMMIT), ANY, DISABLE_RULE},
	{COMMIT, ENOENT, WITH(REMOVAL), false, ANY},
	{REVOKE, 0, WITH_ALL, ANY, ANY},
	{REVOKE, ENODEV, WITH(UNPLUG) | WITH(HUB), ANY, RELEASE_DEVICE},
	{REVOKE, EALREADY, WITH(REVOKE) | WITH(COMMIT), ANY, RELEASE_DEVICE},
	{REVOKE, ENOENT, WITH(REVOKE), ANY, DELETE_ATTACHMENT},
	{REVOKE, ENOENT, WITH(REVOKE) | WITH(COMMIT), ANY, MOVE_ATTACHMENT},
	{REVOKE, ENOENT, WITH(REMOVAL), false, ANY},
	{RESET, 0, WITH_ALL, true, ANY},
	{RESET, ENODEV, WITH(UNPLUG) | WITH(HUB) | WITH(REVOKE), true, ANY},
	{RESET, ENOTTY, WITH(CLOSE), true, ANY},
	{CLOSE, 0, WITH_ALL, true, ANY},
	{REMOVAL, EAGAIN, WITH_ALL, true, ANY},
	{REMOVAL, 0, WITH(CLOSE), true, ANY},
	{REMOVAL, 0, WITH_ALL, false, ANY},
	{REMOVAL, EBUSY, WITH(REMOVAL), false, ANY},
	{REMOVAL, ENOENT, WITH(REMOVAL), false, ANY},
	/* The first open, or a dump of the daemon's, has the module. */
	{REMOVAL, EAGAIN, WITH(OPEN) | WITH(KILL), false, ANY},
	{HUB, 0, WITH_ALL, ANY, ANY},
	{OPEN, EBUSY, WITH_ALL, true, ANY},
	{OPEN, 0, WITH(CLOSE), true, ANY},
	{OPEN, 0, WITH_ALL, false, ANY},
	{OPEN, EBUSY, WITH(OPEN), false, ANY},
	{OPEN, ENOENT, WITH(REVOKE) | WITH(REMOVAL), ANY, ANY},
	{OPEN, ENXIO, WITH(REVOKE) | WITH(REMOVAL), ANY, ANY},
	{OPEN, ENODEV, WITH(UNPLUG) | WITH(HUB) | WITH(REVOKE) | WITH(COMMIT), false, ANY},
	{OPEN, EIO, WITH(UNPLUG) | WITH(HUB), false, ANY},
	{KILL, 0, WITH_ALL, ANY, ANY},
	{KILL, ENOENT, WITH(REMOVAL), false, ANY},
};

static const struct {
	const char *name;
	int (*fire)(struct race_side *side);
	unsigned int kinds;
} race_events[RACE_EVENTS] = {
	[UNPLUG] = {"unplug", race_fire_unplug, 1},
	[SUSPEND] = {"suspend", race_fire_suspend, 1},
	[COMMIT] = {"commit", race_fire_commit, COMMIT_KINDS},
	[REVOKE] = {"revoke", race_fire_revoke, REVOKE_KINDS},
	[RESET] = {"reset", race_fire_reset, 1},
	[CLOSE] = {"close", race_fire_close, 1},
	[REMOVAL] = {"removal", race_fire_removal, 1},
	[HUB] = {"hub unplug", race_fire_hub, 1},
	[OPEN] = {"open", race_fire_open, 1},
	[KILL] = {"kill", race_fire_kill, 1},
};

static inline bool race_is_legal(const struct race_side *side)
{
	for (unsigned int i = 0; i < sizeof(race_legal) / sizeof(*race_legal); i++) {
		const struct race_legal *legal = &race_legal[i];

		if (legal->event == side->event && legal->error == -side->result && legal->with & WITH(side->other->event) &&
		    (legal->leased == ANY || legal->leased == side->round->leased) &&
		    (legal->kind == ANY || legal->kind == (int)side->kind))
			return true;
	}
	return false;
}

static inline void race_check_result(const struct race_side *side)
{
	bool legal = race_is_legal(side);

	if (!legal)
		TAP_SAY("%s (kind %u, %u us late) meets %s (kind %u, %u us late)%s: %s", race_events[side->event].name, side->kind,
			side->late_us, race_events[side->other->event].name, side->other->kind, side->other->late_us,
			side->round->leased ? "" : ", no lease", side->result ? strerrorname_np(-side->result) : "done");
	EXPECT(legal);
	EXPECT_LE(side->took_ms, RACE_CALL_MS * tap_slower());
}

#endif
