/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One round of a race: a lease with URBs in flight in a whole world, two events that are fired by two threads a seeded moment
 * apart, and what must hold once both have returned. The events themselves are race_event.h's.
 */
#ifndef RACE_ROUND_H
#define RACE_ROUND_H

#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

#include "race_world.h"

#define RACE_IN 0x81
#define RACE_OUT 0x02
#define RACE_URBS 16		/* the first half reads, and waits for ever; the other half writes */
#define RACE_BYTES 64
#define RACE_LONG_WINDOW 30000
#define RACE_CALL_MS 20000	/* for one event, on a stock kernel */

enum race_event {
	UNPLUG,
	SUSPEND,
	COMMIT,
	REVOKE,
	RESET,
	CLOSE,
	REMOVAL,
	HUB,
	OPEN,
	KILL,
	RACE_EVENTS,
};

struct race_urb {
	struct usbdevfs_urb urb;
	uint8_t data[RACE_BYTES];
	bool submitted;
};

struct race_round;

/* What a thread fires, and what came of it. */
struct race_side {
	struct race_round *round;
	struct race_side *other;
	enum race_event event;
	unsigned int kind;		/* of revokes and commits */
	unsigned int late_us;
	struct usbpass *h;
	int result;			/* 0 or a negative errno */
	int opened;			/* by OPEN; -1: nothing */
	unsigned int commits;		/* that took place */
	uint64_t took_ms;
};

struct race_round {
	struct race_world *w;
	struct fuzz fuzz;
	struct race_side side[2];
	bool leased;			/* to begin with */
	unsigned int replug_ms;
	int fd;				/* the lease; /dev/null once it is closed */
	bool pumped;
	volatile bool stop;
	struct race_urb urbs[RACE_URBS];
	uint64_t generation;
	pthread_barrier_t barrier;
	pthread_t pump;
	int pump_err;			/* of a submission or a reaping that no one expects */
};

static inline bool race_has(const struct race_round *r, enum race_event event)
{
	return r->side[0].event == event || r->side[1].event == event;
}

/* The side that is @event and went well; NULL: there is none. */
static inline const struct race_side *race_done(const struct race_round *r, enum race_event event)
{
	for (int i = 0; i < 2; i++)
		if (r->side[i].event == event && !r->side[i].result)
			return &r->side[i];
	return NULL;
}

/* ---- URBs ---- */

static inline int race_submit(struct race_round *r, unsigned int i)
{
	struct race_urb *one = &r->urbs[i];

	one->urb = (struct usbdevfs_urb){.type = USBDEVFS_URB_TYPE_BULK, .endpoint = i < RACE_URBS / 2 ? RACE_IN : RACE_OUT,
		.buffer = one->data, .buffer_length = RACE_BYTES};
	if (ioctl(r->fd, USBDEVFS_SUBMITURB, &one->urb))
		return -errno;
	one->submitted = true;
	return 0;
}

/* 0, or why nothing was reaped; -EBADMSG: it was none of what is in flight, or ended as none may. */
static inline int race_reap(struct race_round *r)
{
	struct usbdevfs_urb *done = NULL;

	if (ioctl(r->fd, USBDEVFS_REAPURBNDELAY, &done))
		return -errno;
	for (unsigned int i = 0; i < RACE_URBS; i++) {
		if (done != &r->urbs[i].urb)
			continue;
		if (!r->urbs[i].submitted) {
			TAP_SAY("URB %u is reaped twice", i);
			return -EBADMSG;
		}
		r->urbs[i].submitted = false;
		if (!done->status || done->status == -ENOENT || done->status == -EPROTO || done->status == -ENODEV)
			return 0;
		TAP_SAY("URB %u ended with %s", i, strerrorname_np(-done->status));
		return -EBADMSG;
	}
	TAP_SAY("reaped what was never submitted");
	return -EBADMSG;
}

/* Writes, again and again, as long as the lease lets it. A closed one's number is /dev/null's. */
static inline void *race_pump(void *arg)
{
	struct race_round *r = arg;
	int err = 0;

	while (!r->stop && !err) {
		struct pollfd pollfd = {.fd = r->fd, .events = POLLOUT};

		for (unsigned int i = RACE_URBS / 2; i < RACE_URBS && !err; i++)
			if (!r->urbs[i].submitted)
				err = race_submit(r, i);
		poll(&pollfd, 1, 2);
		while (!err)
			err = race_reap(r);
		if (err == -EAGAIN)
			err = 0;
	}
	r->pump_err = err == -ENODEV || err == -ENOTTY ? 0 : err;
	return NULL;
}

/* Each URB comes back, once. A suspend, too, ends what is in flight: there nothing has to be discarded. */
static inline void race_reap_all(struct race_round *r)
{
	uint64_t end = race_end();
	unsigned int left = 0, i;
	int err;

	for (i = 0; i < RACE_URBS && !race_has(r, SUSPEND); i++)
		if (r->urbs[i].submitted && ioctl(r->fd, USBDEVFS_DISCARDURB, &r->urbs[i].urb))
			EXPECT(errno == EINVAL || errno == ENODEV);
	do {
		err = race_reap(r);
		for (left = 0, i = 0; i < RACE_URBS; i++)
			left += r->urbs[i].submitted;
		if (err == -EAGAIN)
			usleep(1000);
	} while (left && (!err || err == -EAGAIN) && fuzz_now_ms() < end);
	EXPECT_EQ(0, left);
	if (!left) {
		err = race_reap(r);
		EXPECT(err == -EAGAIN || err == -ENODEV);
	}
}

/* ---- a lease ---- */

static inline bool race_writes(int fd)
{
	uint8_t data[RACE_BYTES] = {0};
	struct usbdevfs_bulktransfer out = {.ep = RACE_OUT, .len = sizeof(data), .timeout = RACE_MS, .data = data};

	return ioctl(fd, USBDEVFS_BULK, &out) == sizeof(data);
}

static inline unsigned int race_lease_state(int fd)
{
	struct usbpass_node_state state = {.size = sizeof(state)};

	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_LEASE_STATE, &state));
	return state.state;
}

/* The state in which the lease comes to rest. */
static inline unsigned int race_settled(int fd)
{
	uint64_t end = race_end() + RACE_LONG_WINDOW;

	while (race_lease_state(fd) == USBPASS_LEASE_RETURNING && fuzz_now_ms() < end)
		usleep(2000);
	return race_lease_state(fd);
}

static inline void race_lease(struct race_round *r)
{
	r->fd = open(RACE_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(r->fd >= 0);
	ASSERT_EQ(0, ioctl(r->fd, USBDEVFS_CLAIMINTERFACE, &(unsigned int){0}));
	for (unsigned int i = 0; i < RACE_URBS; i++)
		ASSERT_EQ(0, race_submit(r, i));
}

/* ---- afterwards ---- */

/* What the lease that was there must be now: a bit for each state that may be. */
static inline unsigned int race_lease_may_be(struct race_round *r)
{
	const unsigned int online = 1 << USBPASS_LEASE_ONLINE, gone = 1 << USBPASS_LEASE_GONE;
	const struct race_side *revoke = race_done(r, REVOKE);
	bool away = race_has(r, UNPLUG) || race_has(r, HUB);

	/* A release finds a lease only on its device. */
	if (revoke && !(away && revoke->kind == 0))
		return gone;
	if (away && r->replug_ms != RACE_LONG_WINDOW)
		return gone;
	return revoke ? online | gone : online;
}

/* The lease is what it must be, and no URB is lost. */
static inline void race_check_lease(struct race_round *r)
{
	unsigned int may = race_lease_may_be(r), state;

	if (race_has(r, UNPLUG) || race_has(r, HUB))
		race_wait_gone(r->w->h, r->w->device);
	if (may != 1 << USBPASS_LEASE_GONE)
		race_plug(r->w);
	state = race_settled(r->fd);
	if (!(may & 1 << state))
		TAP_SAY("the lease is in state %u, may be in %#x, window %u ms", state, may, r->replug_ms);
	EXPECT(may & 1 << state);
	if (state == USBPASS_LEASE_ONLINE)
		EXPECT(race_writes(r->fd));
	race_reap_all(r);
}

/* What an open has got is a lease as any; a revoke comes before it, and refuses it, or after it, and ends it. */
static inline void race_check_opened(struct race_round *r, struct race_side *side)
{
	bool away = race_has(r, UNPLUG) || race_has(r, HUB);
	unsigned int state;

	if (side->opened < 0)
		return;
	if (race_done(r, REVOKE))
		EXPECT_EQ(USBPASS_LEASE_GONE, race_lease_state(side->opened));
	if (away)
		race_wait_gone(r->w->h, r->w->device);
	if (away && r->replug_ms == RACE_LONG_WINDOW)
		race_plug(r->w);
	state = race_settled(side->opened);
	if (state == USBPASS_LEASE_ONLINE) {
		EXPECT_EQ(0, ioctl(side->opened, USBDEVFS_CLAIMINTERFACE, &(unsigned int){0}));
		EXPECT(race_writes(side->opened));
	} else {
		EXPECT(race_has(r, REVOKE) || (away && r->replug_ms != RACE_LONG_WINDOW));
	}
	close(side->opened);
}

/* The configuration is that of all changes that were said to have been made, and of no other. */
static inline void race_check_generation(struct race_round *r)
{
	unsigned int commits = r->side[0].commits + r->side[1].commits;
	struct usbpass *h = race_handle();

	EXPECT_EQ(r->generation + commits, race_generation(h));
	usbpass_close(h);
}

/* Nothing is left of any lease. */
static inline void race_check_free(struct race_world *w)
{
	struct usbpass_info info;

	ASSERT_EQ(0, usbpass_info_get(w->h, &info));
	EXPECT_EQ(0, info.leases);
	EXPECT_EQ(0, info.transfer_bytes);
}

#endif
