/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of resets share: leases by their descriptors, and the events that tell what was done. A test has two handles, one to
 * ask and one that is subscribed, whose events it reads once, in order:
 *
 *	reset_open(0);
 *	ASSERT_EQ(0, ioctl(fd, USBDEVFS_RESET));
 *	reset_expect(USBPASS_RESET_KIND_SOFT, "the policy is none");
 */
#ifndef RESET_H
#define RESET_H

#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "fuzz.h"
#include "tap.h"
#include "usbpass.h"

#define RESET_MS 20000		/* for anything to come to rest, on a stock kernel */

static struct usbpass *h, *reset_events;

static inline uint64_t reset_end(void)
{
	return fuzz_now_ms() + RESET_MS * (unsigned int)tap_slower();
}

/* @flags: of the subscription, 0 or USBPASS_F_POWER. */
static inline void reset_open(uint32_t flags)
{
	ASSERT_EQ(0, usbpass_open(&h));
	ASSERT_EQ(0, usbpass_open(&reset_events));
	ASSERT_EQ(0, usbpass_event_subscribe(reset_events, NULL, flags));
}

static inline void reset_close(void)
{
	usbpass_close(h);
	usbpass_close(reset_events);
	h = NULL;
	reset_events = NULL;
}

/* ---- events ---- */

/* The next one of @type; those before it are not looked at. */
static inline struct usbpass_event reset_event(uint8_t type)
{
	uint64_t end = reset_end();
	struct usbpass_event ev;

	while (fuzz_now_ms() < end)
		if (!usbpass_event_next(reset_events, &ev, 100) && ev.type == type)
			return ev;
	TAP_CHECK(true, false, "no event %s came", usbpass_words_word(USBPASS_WORDS_EVENT_TYPE, type));
	exit(TAP_FAIL);
}

/* A consumer's reset is told: what was done, and why not more. */
static inline void reset_told(const struct usbpass_event *ev, uint8_t kind, const char *why)
{
	static const char *const words[] = {"soft", "device", "port", "hub"};

	TAP_CHECK(false, usbpass_has(ev, USBPASS_A_EVENT_RESET) && ev->reset == kind, "a %s reset is told as %u: %s", words[kind],
		  ev->reset, ev->reason);
	TAP_CHECK(false, !strncmp(ev->reason, words[kind], strlen(words[kind])) && strstr(ev->reason, why),
		  "a %s reset, '%s', is told as '%s'", words[kind], why, ev->reason);
	EXPECT(usbpass_has(ev, USBPASS_A_EVENT_RESULT));
}

static inline struct usbpass_event reset_expect(uint8_t kind, const char *why)
{
	struct usbpass_event ev = reset_event(USBPASS_EVENT_RESET);

	reset_told(&ev, kind, why);
	return ev;
}

/* How many of @type came until now: a commit is the mark behind them. */
static inline unsigned int reset_count(uint8_t type, const char *group)
{
	struct usbpass_group mark = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_DESCRIPTION)};
	uint64_t end = reset_end();
	unsigned int count = 0;
	struct usbpass_event ev;

	snprintf(mark.name, sizeof(mark.name), "%s", group);
	snprintf(mark.description, sizeof(mark.description), "%llu", (unsigned long long)fuzz_now_ms());
	ASSERT_EQ(0, usbpass_group_set(h, &mark));
	while (fuzz_now_ms() < end) {
		if (usbpass_event_next(reset_events, &ev, 100))
			continue;
		if (ev.type == USBPASS_EVENT_COMMIT)
			return count;
		count += ev.type == type;
	}
	ASSERT(!"a commit is told");
	return 0;
}

/* ---- the administrator's ---- */

/* How a job of a reset ended, or why none began. */
static inline int reset_device(uint32_t id, uint8_t kind, uint32_t flags)
{
	uint32_t job;
	int err = usbpass_device_reset(h, id, kind, flags, &job);

	return err ?: usbpass_job_wait(h, job, RESET_MS * tap_slower());
}

static inline int reset_group_policy(const char *name, uint8_t policy)
{
	struct usbpass_group group = {
		.has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_RESET), .reset = policy};

	snprintf(group.name, sizeof(group.name), "%s", name);
	return usbpass_group_set(h, &group);
}

static inline int reset_attachment_policy(const char *name, uint8_t policy)
{
	struct usbpass_attachment attach = {
		.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_RESET), .reset = policy};

	snprintf(attach.name, sizeof(attach.name), "%s", name);
	return usbpass_attachment_set(h, &attach, 0);
}

static inline struct usbpass_attachment reset_attachment(const char *name)
{
	struct usbpass_attachment attach;

	ASSERT_EQ(0, usbpass_attachment_get(h, 0, name, &attach));
	return attach;
}

static inline bool reset_wait_slot(const char *name, uint8_t state)
{
	uint64_t end = reset_end();
	struct usbpass_attachment attach;

	do {
		attach = reset_attachment(name);
		if (attach.state == state)
			return true;
		usleep(5000);
	} while (fuzz_now_ms() < end);
	TAP_SAY("%s is %s (%s)", name, usbpass_words_word(USBPASS_WORDS_SLOT_STATE, attach.state), attach.reason);
	return false;
}

static inline struct usbpass_device reset_device_get(uint32_t id)
{
	struct usbpass_device device;

	ASSERT_EQ(0, usbpass_device_get(h, id, &device));
	usbpass_device_clear(&device);
	return device;
}

/* ---- a lease, from the consumer's side ---- */

static inline struct usbpass_node_state reset_lease(int fd)
{
	struct usbpass_node_state state = {.size = sizeof(state)};

	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_LEASE_STATE, &state));
	return state;
}

static inline bool reset_wait_lease(int fd, uint32_t state)
{
	uint64_t end = reset_end();

	while (reset_lease(fd).state != state && fuzz_now_ms() < end)
		usleep(2000);
	return reset_lease(fd).state == state;
}

/* It left and is back: @returns times since the lease began. */
static inline bool reset_wait_returns(int fd, uint32_t returns)
{
	struct usbpass_node_state state;
	uint64_t end = reset_end();

	do {
		state = reset_lease(fd);
		if (state.returns >= returns && state.state == USBPASS_LEASE_ONLINE)
			return true;
		usleep(2000);
	} while (state.state != USBPASS_LEASE_GONE && fuzz_now_ms() < end);
	TAP_SAY("returns: %u of %u, state %u", state.returns, returns, state.state);
	return false;
}

static inline void reset_expect_gone(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
	void *reaped;

	EXPECT_ERRNO(ENODEV, ioctl(fd, USBDEVFS_REAPURBNDELAY, &reaped));
	EXPECT_ERRNO(ENODEV, ioctl(fd, USBDEVFS_RESET));
	EXPECT_ERRNO(ENODEV, ioctl(fd, USBPASS_IOC_HUB_RESET));
	ASSERT_EQ(1, poll(&pollfd, 1, 1000));
	EXPECT_EQ(POLLERR | POLLHUP, pollfd.revents & (POLLERR | POLLHUP));
}

static inline uint32_t reset_device_of(int fd)
{
	struct usbpass_node_info info = {.size = sizeof(info)};

	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_INFO, &info));
	return info.device_id;
}

#endif
