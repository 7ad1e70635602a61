// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a lib/libemu.a
// group: node
// timeout: 600
// A configuration on trial: what its window changes and what it holds back, confirmed, reverted, or left to its end; and the
// leases that a commit with REVOKE ends. The device is the emulated "loop".
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <sys/ioctl.h>

#define TAP_SECONDS 120
#include "emu.h"
#include "message.h"
#include "tap.h"

#define OLD_NODE "/dev/usbpass/host/old"
#define NEW_NODE "/dev/usbpass/host/new"
#define LONG_SECS 3000		/* a window that nobody sees the end of */

static struct usbpass *h;
static struct emu *emu;
static int fd = -1;
static uint64_t first;		/* generation, of the configuration that setup puts in force */

static void end(void)
{
	if (fd >= 0)
		close(fd);
	if (emu) {
		emu_command(emu, "unplug", NULL);
		emu_free(emu);
	}
	usbpass_close(h);
	if (system("rmmod usbpass"))
		TAP_SAY("the module stays");
}

static struct usbpass_info info(void)
{
	struct usbpass_info info;

	ASSERT_EQ(0, usbpass_info_get(h, &info));
	return info;
}

static struct usbpass_device device(void)
{
	struct usbpass_device *list, found = {};
	size_t n;

	ASSERT_EQ(0, usbpass_device_list(h, &list, &n));
	for (size_t i = 0; i < n; i++)
		if (list[i].vendor == 0x1209)
			found = list[i];
	found.interface_classes = NULL;
	usbpass_device_list_free(list, n);
	return found;
}

static bool wait_state(uint8_t state, const char *group)
{
	for (int i = 0; i < 400 * tap_slower(); i++, usleep(50000)) {
		struct usbpass_device is = device();

		if (is.vendor && is.state == state && !strcmp(is.group, group))
			return true;
	}
	return false;
}

static bool wait_node(const char *path)
{
	for (int i = 0; i < 400 * tap_slower() && access(path, F_OK); i++)
		usleep(50000);
	return !access(path, F_OK);
}

static int group_new(const char *name)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME)};

	snprintf(group.name, sizeof(group.name), "%s", name);
	return usbpass_group_new(h, &group);
}

static int rule_new(const char *name, const char *group)
{
	struct usbpass_cond cond = {.field = USBPASS_FIELD_VENDOR, .op = USBPASS_OP_EQ, .number = 0x1209};
	struct usbpass_rule rule = {
		.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_GROUP),
		.action = USBPASS_ACTION_CLAIM};
	int ret;

	snprintf(rule.name, sizeof(rule.name), "%s", name);
	snprintf(rule.group, sizeof(rule.group), "%s", group);
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	ret = usbpass_rule_new(h, &rule);
	usbpass_rule_clear(&rule);
	return ret;
}

static int attach_new(const char *name, const char *group)
{
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP)};

	snprintf(attach.name, sizeof(attach.name), "%s", name);
	snprintf(attach.group, sizeof(attach.group), "%s", group);
	return usbpass_attachment_new(h, &attach);
}

TAP_SETUP
{
	/* The runner starts tests in selftests/. */
	ASSERT_EQ(0, system("modprobe vhci_hcd; [ ! -e /sys/module/usbpass ] || rmmod usbpass"));
	ASSERT_EQ(0, system("insmod ${USBPASS_KO:-../usbpass.ko}"));
	ASSERT_EQ(0, usbpass_open(&h));
	emu = emu_new();
	ASSERT(emu);
	tap_defer(end);
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, group_new("olds"));
	ASSERT_EQ(0, rule_new("old", "olds"));
	ASSERT_EQ(0, attach_new("old", "olds"));
	ASSERT_EQ(0, usbpass_txn_commit(h, 0, &first));
	ASSERT_EQ(0, emu_command(emu, "vid=1209", NULL));
	ASSERT_EQ(0, emu_command(emu, "plug", NULL));
	ASSERT(wait_state(USBPASS_DEVICE_IDLE, "olds"));
	ASSERT_EQ(0, usbpass_event_subscribe(h, NULL, 0));
}

/* Others of everything in the place of what is there. */
static void try_others(uint32_t secs)
{
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	ASSERT_EQ(0, group_new("news"));
	ASSERT_EQ(0, rule_new("new", "news"));
	ASSERT_EQ(0, attach_new("new", "news"));
	ASSERT_EQ(0, usbpass_txn_trial(h, 0, secs, NULL));
}

/* The same, but for the rule. */
static void try_without_rule(uint32_t flags, uint32_t secs)
{
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, usbpass_rule_del(h, 0, "old"));
	ASSERT_EQ(0, usbpass_txn_trial(h, flags, secs, NULL));
}

/* The next one of @type. */
static struct usbpass_event event(uint8_t type)
{
	struct usbpass_event event;

	do
		ASSERT_EQ(0, usbpass_event_next(h, &event, 60000));
	while (event.type != type);
	return event;
}

static bool is_open(void)
{
	return !ioctl(fd, USBDEVFS_GET_CAPABILITIES, &(uint32_t){0});
}

static bool hangs_up(void)
{
	struct pollfd pfd = {.fd = fd};

	return poll(&pfd, 1, 20000 * tap_slower()) == 1 && pfd.revents & POLLHUP;
}

static int fail_to_open(const char *path)
{
	int opened = open(path, O_RDWR | O_CLOEXEC);

	if (opened < 0)
		return errno;
	close(opened);
	return 0;
}

/* All of the first configuration, under the generation that comes next. */
static void check_back(const struct usbpass_attachment *attach, const struct usbpass_rule *rule)
{
	struct usbpass_attachment a;
	struct usbpass_rule r;

	EXPECT_EQ(first + 2, info().generation);
	EXPECT_EQ(0, info().confirm_ms);
	EXPECT(wait_node(OLD_NODE));
	EXPECT(access(NEW_NODE, F_OK));
	EXPECT_EQ(1, info().rules);
	EXPECT_EQ(1, info().attachments);
	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "old", &a));
	EXPECT_EQ(attach->id, a.id);
	ASSERT_EQ(0, usbpass_rule_get(h, 0, "old", &r));
	EXPECT_EQ(rule->id, r.id);
	EXPECT_EQ(rule->hits, r.hits);
	usbpass_rule_clear(&r);
	EXPECT(wait_state(USBPASS_DEVICE_IDLE, "olds"));
	EXPECT_EQ(0, fail_to_open(OLD_NODE));
}

TEST("the window ends: the old attachments, ids, counters and paths are there, the device is idle, a lease that came since is over")
{
	struct usbpass_attachment attach;
	struct usbpass_rule rule;
	struct usbpass_event told;

	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "old", &attach));
	ASSERT_EQ(0, usbpass_rule_get(h, 0, "old", &rule));
	EXPECT(rule.hits);
	try_others(2 * tap_slower());
	EXPECT(info().confirm_ms > 0 && info().confirm_ms <= 2000U * tap_slower());
	told = event(USBPASS_EVENT_COMMIT);
	EXPECT(strstr(told.reason, "unless confirmed"));
	EXPECT_EQ(getpid(), told.pid);
	EXPECT(access(OLD_NODE, F_OK));
	ASSERT(wait_state(USBPASS_DEVICE_IDLE, "news"));
	fd = open(NEW_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	EXPECT(is_open());
	EXPECT(hangs_up());
	EXPECT(!is_open() && errno == ENODEV);
	told = event(USBPASS_EVENT_LEASE_REVOKED);
	EXPECT_STR("new", told.attach);
	EXPECT(told.reason[0]);
	told = event(USBPASS_EVENT_COMMIT);
	EXPECT_EQ(first + 2, told.generation);
	EXPECT(strstr(told.reason, "not confirmed: back to generation"));
	EXPECT(!usbpass_has(&told, USBPASS_A_EVENT_PID));
	close(fd);
	fd = -1;
	check_back(&attach, &rule);
	usbpass_rule_clear(&rule);
}

TEST("revert goes back at once, and who asked is told")
{
	struct usbpass_attachment attach;
	struct usbpass_event told;
	struct usbpass_rule rule;
	uint64_t generation;

	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "old", &attach));
	ASSERT_EQ(0, usbpass_rule_get(h, 0, "old", &rule));
	try_others(LONG_SECS);
	event(USBPASS_EVENT_COMMIT);
	ASSERT(wait_state(USBPASS_DEVICE_IDLE, "news"));
	ASSERT_EQ(0, usbpass_txn_revert(h, &generation));
	EXPECT_EQ(first + 2, generation);
	told = event(USBPASS_EVENT_COMMIT);
	EXPECT(strstr(told.reason, "reverted: back to generation"));
	EXPECT_EQ(getpid(), told.pid);
	check_back(&attach, &rule);
	usbpass_rule_clear(&rule);
	EXPECT_EQ(-ENOENT, usbpass_txn_revert(h, NULL));
}

TEST("confirm keeps it: nothing goes back, and it is confirmed once")
{
	uint64_t generation;

	try_others(2 * tap_slower());
	ASSERT_EQ(0, usbpass_txn_confirm(h, &generation));
	EXPECT_EQ(first + 1, generation);
	EXPECT_EQ(generation, event(USBPASS_EVENT_CONFIRMED).generation);
	EXPECT_EQ(0, info().confirm_ms);
	EXPECT_EQ(-ENOENT, usbpass_txn_confirm(h, NULL));
	EXPECT(strstr(usbpass_error(h), "no configuration waits"));
	/* A later window is not the first one's to end. */
	try_others(LONG_SECS);
	usleep(2200000 * tap_slower());
	EXPECT_GE(info().confirm_ms, 1000 * (LONG_SECS - 100 * tap_slower()));
	EXPECT_EQ(first + 2, info().generation);
	EXPECT(!access(NEW_NODE, F_OK));
}

TEST("while a configuration waits no other is committed, only staged, and a stage of it ends with it")
{
	struct usbpass *other;

	ASSERT_EQ(0, usbpass_open(&other));
	try_others(LONG_SECS);
	EXPECT_EQ(-EBUSY, group_new("more"));
	EXPECT(strstr(usbpass_error(h), "waits to be confirmed"));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	EXPECT_EQ(0, group_new("more"));
	EXPECT_EQ(-EBUSY, usbpass_txn_trial(h, 0, 1, NULL));
	EXPECT_EQ(first + 1, info().generation);
	ASSERT_EQ(0, usbpass_txn_revert(other, NULL));
	EXPECT_EQ(-ESTALE, usbpass_txn_commit(h, 0, NULL));
	ASSERT_EQ(0, usbpass_txn_abort(h));
	EXPECT_EQ(0, group_new("more"));
	usbpass_close(other);
}

TEST("what the new rules release stays claimed and is nobody's, until it is confirmed")
{
	struct usbpass_device is;

	try_without_rule(0, LONG_SECS);
	ASSERT(wait_state(USBPASS_DEVICE_HELD, ""));
	is = device();
	EXPECT_STR("released when the configuration is confirmed", is.reason);
	EXPECT(is.remedy[0]);
	EXPECT_EQ(ENODEV, fail_to_open(OLD_NODE));
	ASSERT_EQ(0, usbpass_txn_revert(h, NULL));
	ASSERT(wait_state(USBPASS_DEVICE_IDLE, "olds"));
	EXPECT_EQ(0, fail_to_open(OLD_NODE));
	ASSERT(wait_state(USBPASS_DEVICE_IDLE, "olds"));
	try_without_rule(0, LONG_SECS);
	ASSERT(wait_state(USBPASS_DEVICE_HELD, ""));
	ASSERT_EQ(0, usbpass_txn_confirm(h, NULL));
	EXPECT(wait_state(USBPASS_DEVICE_HOST, ""));
}

TEST("a lease on what the new rules release goes on, there and back, and past confirmation to its close")
{
	fd = open(OLD_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	try_without_rule(0, LONG_SECS);
	ASSERT(wait_state(USBPASS_DEVICE_ONLINE, ""));
	EXPECT(is_open());
	ASSERT_EQ(0, usbpass_txn_revert(h, NULL));
	ASSERT(wait_state(USBPASS_DEVICE_ONLINE, "olds"));
	EXPECT(is_open());
	try_without_rule(0, LONG_SECS);
	ASSERT(wait_state(USBPASS_DEVICE_ONLINE, ""));
	ASSERT_EQ(0, usbpass_txn_confirm(h, NULL));
	EXPECT(is_open());
	close(fd);
	fd = -1;
	EXPECT(wait_state(USBPASS_DEVICE_HOST, ""));
}

TEST("going back ends a lease of the window whose device the old rules have elsewhere, and no older one")
{
	struct usbpass_rule set = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_GROUP), .name = "old",
				   .group = "news"};

	ASSERT_EQ(0, group_new("news"));
	ASSERT_EQ(0, attach_new("new", "news"));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, usbpass_rule_set(h, &set));
	ASSERT_EQ(0, usbpass_txn_trial(h, 0, LONG_SECS, NULL));
	ASSERT(wait_state(USBPASS_DEVICE_IDLE, "news"));
	fd = open(NEW_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, usbpass_txn_revert(h, NULL));
	EXPECT(hangs_up());
	EXPECT_STR("no rule claims its device into the group any more", event(USBPASS_EVENT_LEASE_REVOKED).reason);
	close(fd);
	ASSERT(wait_state(USBPASS_DEVICE_IDLE, "olds"));
	/* One that no rule carries any more, and that a later window finds. */
	fd = open(OLD_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	try_without_rule(0, 0);
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, usbpass_txn_trial(h, 0, LONG_SECS, NULL));
	ASSERT_EQ(0, usbpass_txn_revert(h, NULL));
	ASSERT(wait_state(USBPASS_DEVICE_ONLINE, ""));
	EXPECT(is_open());
}

TEST("a commit with REVOKE ends the lease of a device that is ruled no more, one without and a verb's leave it")
{
	fd = open(OLD_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	try_without_rule(0, 0);
	ASSERT(wait_state(USBPASS_DEVICE_ONLINE, ""));
	ASSERT_EQ(0, group_new("more"));
	ASSERT_EQ(0, attach_new("another", "more"));
	ASSERT_EQ(0, usbpass_attachment_del(h, 0, "another", USBPASS_F_REVOKE));
	ASSERT(wait_state(USBPASS_DEVICE_ONLINE, ""));
	EXPECT(is_open());
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, usbpass_txn_commit(h, USBPASS_F_REVOKE, NULL));
	EXPECT(hangs_up());
	EXPECT(!is_open() && errno == ENODEV);
	EXPECT_STR("no rule claims its device into the group any more", event(USBPASS_EVENT_LEASE_REVOKED).reason);
	EXPECT(wait_state(USBPASS_DEVICE_HOST, ""));
}

TEST("REVOKE ends the lease that waits for a device that is ruled no more")
{
	ASSERT_EQ(0, system("echo 60000 >/sys/module/usbpass/parameters/replug_ms"));
	fd = open(OLD_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, emu_command(emu, "unplug", NULL));
	for (int i = 0; i < 400 * tap_slower() && device().vendor; i++)
		usleep(50000);
	try_without_rule(USBPASS_F_REVOKE, 0);
	EXPECT(hangs_up());
}

TEST("who commits may be killed at once: the kernel goes back alone")
{
	struct usbpass_event told;
	pid_t child = fork();
	int status;

	if (!child) {
		ASSERT_EQ(0, usbpass_open(&h));
		try_others(tap_slower());
		raise(SIGKILL);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT(WIFSIGNALED(status));
	do
		told = event(USBPASS_EVENT_COMMIT);
	while (told.generation != first + 2);
	EXPECT(wait_node(OLD_NODE));
	EXPECT(wait_state(USBPASS_DEVICE_IDLE, "olds"));
}

TEST("who stages may be killed at once: what is in force stays, and a lease goes on")
{
	pid_t child;
	int status;

	fd = open(OLD_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	child = fork();
	if (!child) {
		close(fd);
		ASSERT_EQ(0, usbpass_open(&h));
		ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
		ASSERT_EQ(0, group_new("news"));
		raise(SIGKILL);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT(WIFSIGNALED(status));
	EXPECT_EQ(first, info().generation);
	EXPECT(is_open());
	EXPECT(wait_state(USBPASS_DEVICE_ONLINE, "olds"));
}

TEST("a path passes to another attachment and back")
{
	struct usbpass_attachment set = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_SLUG)}, seen;
	static const char *const steps[][2] = {{"old", "other"}, {"new", "old"}};

	ASSERT_EQ(0, attach_new("new", "olds"));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	for (int i = 0; i < 2; i++) {
		strcpy(set.name, steps[i][0]);
		strcpy(set.slug, steps[i][1]);
		ASSERT_EQ(0, usbpass_attachment_set(h, &set, 0));
	}
	ASSERT_EQ(0, usbpass_txn_trial(h, 0, LONG_SECS, NULL));
	EXPECT(!access("/dev/usbpass/host/other", F_OK));
	EXPECT(access(NEW_NODE, F_OK));
	ASSERT_EQ(0, usbpass_txn_revert(h, NULL));
	EXPECT(access("/dev/usbpass/host/other", F_OK));
	EXPECT(!access(NEW_NODE, F_OK));
	fd = open(OLD_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "old", &seen));
	EXPECT_EQ(getpid(), seen.pid);
}

TEST("the module can be removed while a configuration waits, and forgets it")
{
	struct usbpass *fresh;

	try_others(LONG_SECS);
	ASSERT_EQ(0, system("rmmod usbpass && insmod ${USBPASS_KO:-../usbpass.ko}"));
	ASSERT_EQ(0, usbpass_open(&fresh));
	usbpass_close(h);
	h = fresh;
	EXPECT_EQ(0, info().generation);
	EXPECT_EQ(0, info().confirm_ms);
	EXPECT_EQ(-ENOENT, usbpass_txn_revert(h, NULL));
}

TEST("a window is 1 s to an hour, else ERANGE")
{
	static const uint32_t bad[] = {0, USBPASS_CONFIRM_SECS_MAX + 1, UINT32_MAX};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_TXN_COMMIT, 0);

		ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
		nla_put_u32(msg, USBPASS_A_CONFIRM_SECS, bad[i]);
		EXPECT_EQ(-ERANGE, usbpass_message_call(h, h->calls, msg, NULL, NULL));
		ASSERT_EQ(0, usbpass_txn_abort(h));
	}
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, usbpass_txn_trial(h, 0, USBPASS_CONFIRM_SECS_MAX, NULL));
	EXPECT_GE(info().confirm_ms, 1000 * (USBPASS_CONFIRM_SECS_MAX - 60));
}

TAP_MAIN
