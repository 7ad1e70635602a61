// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a lib/libemu.a
// group: reset
// timeout: 900 4000
// The reset ladder where no hub is: what each policy, the budget and what was learned let a consumer's reset do, how it is told,
// and devices that take theirs badly. The device is the emulated "loop", on a root port.
#define TAP_SECONDS 120
#include <pthread.h>
#include <time.h>

#include "consumer.h"
#include "emu.h"
#include "reset.h"

#define NODE "/dev/usbpass/host/reset"
#define NEIGHBOUR "/dev/usbpass/host/neighbour"
#define DAY_SECS 86400

static struct emu *emu, *neighbour;
static int console;		/* what the kernel's log showed before */

static void tell(struct emu *to, const char *line)
{
	char *reply = NULL;

	if (emu_command(to, line, &reply)) {
		TAP_SAY("%s: %s", line, reply);
		exit(TAP_FAIL);
	}
	free(reply);
}

static void leave(struct emu *device)
{
	if (!device)
		return;
	if (!emu_command(device, "unplug", NULL))
		emu_wait(device, "enumerated==0", RESET_MS * tap_slower());
	emu_free(device);
}

static void end(void)
{
	if (fd >= 0)
		close(fd);
	leave(emu);
	leave(neighbour);
	reset_close();
	consumer_quiet(console);
	if (system("rmmod usbpass"))
		TAP_SAY("the module stays");
}

/* A rule of vendor 1209 and @product, and of @serial where there is one. */
static void rule_new(const char *name, const char *group, uint16_t product, const char *serial)
{
	struct usbpass_cond conds[] = {
		{.field = USBPASS_FIELD_VENDOR, .op = USBPASS_OP_EQ, .number = 0x1209},
		{.field = USBPASS_FIELD_PRODUCT, .op = USBPASS_OP_EQ, .number = product},
		{.field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_EQ, .string = (char *)serial},
	};
	struct usbpass_rule rule = {
		.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_GROUP),
		.action = USBPASS_ACTION_CLAIM};

	snprintf(rule.name, sizeof(rule.name), "%s", name);
	snprintf(rule.group, sizeof(rule.group), "%s", group);
	for (int i = 0; i < (serial ? 3 : 2); i++)
		ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &conds[i]));
	ASSERT_EQ(0, usbpass_rule_new(h, &rule));
	usbpass_rule_clear(&rule);
}

static void group_new(const char *name)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME)};

	snprintf(group.name, sizeof(group.name), "%s", name);
	ASSERT_EQ(0, usbpass_group_new(h, &group));
}

static void attach_new(const char *name, const char *group)
{
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP)};

	snprintf(attach.name, sizeof(attach.name), "%s", name);
	snprintf(attach.group, sizeof(attach.group), "%s", group);
	ASSERT_EQ(0, usbpass_attachment_new(h, &attach));
}

static int open_claimed(const char *path)
{
	int node = open(path, O_RDWR | O_CLOEXEC);

	ASSERT(node >= 0);
	ASSERT_EQ(0, consumer_claim(node));
	return node;
}

static struct emu *plug_new(const char *product)
{
	struct emu *device = emu_new();
	char line[32];

	ASSERT(device);
	snprintf(line, sizeof(line), "pid=%s", product);
	tell(device, "vid=1209");
	tell(device, line);
	tell(device, "serial=R1");
	tell(device, "plug");
	return device;
}

TAP_SETUP
{
	/* The runner starts tests in selftests/. */
	ASSERT_EQ(0, system("modprobe vhci_hcd; [ ! -e /sys/module/usbpass ] || rmmod usbpass"));
	ASSERT_EQ(0, system("insmod ${USBPASS_KO:-../usbpass.ko} reset_budget=600"));
	console = consumer_quiet(5);
	tap_defer(end);
	reset_open(0);
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	group_new("resets");
	group_new("neighbours");
	rule_new("resets", "resets", 0x0e01, "R1");
	rule_new("neighbours", "neighbours", 0x0e09, NULL);
	attach_new("reset", "resets");
	attach_new("neighbour", "neighbours");
	ASSERT_EQ(0, usbpass_txn_commit(h, 0, NULL));
	emu = plug_new("0e01");
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	fd = open_claimed(NODE);
}

static int reset(void)
{
	return ioctl(fd, USBDEVFS_RESET) ? -errno : 0;
}

static void policy(uint8_t policy)
{
	ASSERT_EQ(0, reset_group_policy("resets", policy));
}

static uint32_t policy_in_force(void)
{
	struct usbpass_node_info info = {.size = sizeof(info)};

	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_INFO, &info));
	return info.reset_policy;
}

/* One more reset of the consumer's, and whether it reached the wire: on all counters. */
static struct usbpass_event counted_reset(uint8_t kind, const char *why, bool wire)
{
	long on_device = emu_stat(emu, "resets");
	uint32_t of_device = reset_device_get(reset_device_of(fd)).resets, of_lease = reset_lease(fd).resets;
	struct usbpass_event ev;

	EXPECT_EQ(0, reset());
	ev = reset_expect(kind, why);
	EXPECT_EQ(0, ev.result);
	EXPECT_STR("reset", ev.attach);
	EXPECT_EQ(getpid(), ev.pid);
	EXPECT_EQ(0x0e01, ev.product);
	EXPECT_EQ(on_device + wire, emu_stat(emu, "resets"));
	EXPECT_EQ(of_device + wire, reset_device_get(reset_device_of(fd)).resets);
	EXPECT_EQ(of_lease + 1, reset_lease(fd).resets);
	EXPECT_EQ(of_lease + 1, reset_attachment("reset").resets);
	EXPECT(consumer_works(fd));
	return ev;
}

TEST("policy none: a reset is soft, told with its reason, counted for the lease and not for the device")
{
	policy(USBPASS_RESET_NONE);
	EXPECT_EQ(USBPASS_RESET_NONE, policy_in_force());
	counted_reset(USBPASS_RESET_KIND_SOFT, "the policy is none", false);
	counted_reset(USBPASS_RESET_KIND_SOFT, "the policy is none", false);
}

TEST("policy device: a reset is one of the port, told and counted, and so is the next")
{
	EXPECT_EQ(USBPASS_RESET_DEVICE, policy_in_force());
	counted_reset(USBPASS_RESET_KIND_DEVICE, "", true);
	counted_reset(USBPASS_RESET_KIND_DEVICE, "", true);
	EXPECT_ERRNO(EPERM, ioctl(fd, USBPASS_IOC_HUB_RESET));
}

TEST("policy hub: resets with nothing wrong between them, as a guest's boot has them, are the device's, told without a word more")
{
	struct usbpass_event ev;

	policy(USBPASS_RESET_HUB);
	EXPECT_EQ(USBPASS_RESET_HUB, policy_in_force());
	for (int i = 0; i < 3; i++) {
		ev = counted_reset(USBPASS_RESET_KIND_DEVICE, "", true);
		EXPECT_STR("device", ev.reason);
	}
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(fd, USBPASS_IOC_HUB_RESET));
}

/* ---- what is between two resets ---- */

static uint8_t between_data[512];

static void nothing(void)
{
}

static void data_moves(void)
{
	EXPECT(consumer_works(fd));
}

static void bulk_stalls(void)
{
	tell(emu, "halt=ep81");
	EXPECT_ERRNO(EPIPE, consumer_bulk(fd, 0x81, between_data, sizeof(between_data), 5000));
}

static void bulk_waits(void)
{
	EXPECT_ERRNO(ETIMEDOUT, consumer_bulk(fd, 0x81, between_data, sizeof(between_data), 100));
}

static void bulk_waits_and_data_moves(void)
{
	bulk_waits();
	data_moves();
}

static void data_moves_and_bulk_waits(void)
{
	data_moves();
	bulk_waits();
}

static int vendor_request(uint8_t request)
{
	struct usbdevfs_ctrltransfer control = {
		.bRequestType = 0xc0, .bRequest = request, .wLength = 8, .timeout = 5000, .data = between_data};

	return ioctl(fd, USBDEVFS_CONTROL, &control);
}

static void control_stalls(void)
{
	EXPECT_ERRNO(EPIPE, vendor_request(0x77));
}

static void control_fails(void)
{
	tell(emu, "error=vendor:proto*1");
	EXPECT_ERRNO(EPROTO, vendor_request(0x5c));
}

static void interrupt_waits(void)
{
	struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_INTERRUPT, .endpoint = 0x83, .buffer = between_data, .buffer_length = 64};
	void *done;

	ASSERT_EQ(0, ioctl(fd, USBDEVFS_SUBMITURB, &urb));
	ASSERT_EQ(0, emu_wait(emu, "in_flight==1", RESET_MS * tap_slower()));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_DISCARDURB, &urb));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_REAPURB, &done));
}

static const struct {
	const char *name;
	void (*between)(void);
	bool helped;		/* so the next is no step further */
} betweens[] = {
	{"nothing", nothing, true},
	{"data that moves", data_moves, true},
	{"a bulk transfer that stalls", bulk_stalls, false},
	{"a bulk transfer that waits", bulk_waits, false},
	{"a bulk transfer that waits, and one that does not", bulk_waits_and_data_moves, true},
	{"the same, the other way round", data_moves_and_bulk_waits, false},
	{"a control transfer that stalls", control_stalls, true},
	{"a control transfer that fails", control_fails, false},
	{"an interrupt transfer that waits", interrupt_waits, true},
};

TEST("policy hub: a reset goes a step further only where the last did not help; on a root port it says what is not to be had")
{
	struct usbpass_event ev;

	policy(USBPASS_RESET_HUB);
	for (size_t i = 0; i < sizeof(betweens) / sizeof(*betweens); i++) {
		EXPECT(consumer_works(fd));
		EXPECT_EQ(0, reset());
		ev = reset_expect(USBPASS_RESET_KIND_DEVICE, "");
		EXPECT_STR("device", ev.reason);
		betweens[i].between();
		EXPECT_EQ(0, reset());
		ev = reset_expect(USBPASS_RESET_KIND_DEVICE, "");
		TAP_CHECK(false, !strcmp(ev.reason, "device") == betweens[i].helped && !strstr(ev.reason, "root hub") == betweens[i].helped,
			  "after %s: '%s'", betweens[i].name, ev.reason);
	}
	EXPECT_EQ(2 * (long)(sizeof(betweens) / sizeof(*betweens)), emu_stat(emu, "resets"));
	EXPECT(consumer_works(fd));
}

TEST("a policy that changes under a lease holds from the next request on")
{
	counted_reset(USBPASS_RESET_KIND_DEVICE, "", true);
	policy(USBPASS_RESET_NONE);
	counted_reset(USBPASS_RESET_KIND_SOFT, "the policy is none", false);
	EXPECT_ERRNO(EPERM, ioctl(fd, USBPASS_IOC_HUB_RESET));
	policy(USBPASS_RESET_HUB);
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(fd, USBPASS_IOC_HUB_RESET));
	policy(USBPASS_RESET_DEVICE);
	counted_reset(USBPASS_RESET_KIND_DEVICE, "", true);
	EXPECT_ERRNO(EPERM, ioctl(fd, USBPASS_IOC_HUB_RESET));
}

TEST("of the policies of a group and its attachment the narrower one holds, whichever it is")
{
	static const uint8_t rows[][3] = {	/* group, attachment, in force */
		{USBPASS_RESET_DEVICE, USBPASS_RESET_NONE, USBPASS_RESET_NONE},
		{USBPASS_RESET_NONE, USBPASS_RESET_HUB, USBPASS_RESET_NONE},
		{USBPASS_RESET_HUB, USBPASS_RESET_DEVICE, USBPASS_RESET_DEVICE},
		{USBPASS_RESET_DEVICE, USBPASS_RESET_HUB, USBPASS_RESET_DEVICE},
		{USBPASS_RESET_HUB, USBPASS_RESET_HUB, USBPASS_RESET_HUB},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		policy(rows[i][0]);
		ASSERT_EQ(0, reset_attachment_policy("reset", rows[i][1]));
		EXPECT_EQ(rows[i][2], policy_in_force());
		if (rows[i][2] == USBPASS_RESET_NONE)
			counted_reset(USBPASS_RESET_KIND_SOFT, "the policy is none", false);
		else
			EXPECT_ERRNO(rows[i][2] == USBPASS_RESET_HUB ? EOPNOTSUPP : EPERM, ioctl(fd, USBPASS_IOC_HUB_RESET));
	}
}

/* ---- devices that take it badly ---- */

static uint64_t reset_at(void)
{
	uint64_t at = fuzz_now_ms();

	EXPECT_EQ(0, reset());
	return at;
}

TEST("a device that comes back a while after its reset, the same, goes on in the same descriptor")
{
	tell(emu, "at-reset=replug=3000");
	consumer_parameter("return_ms", "30000");
	consumer_parameter("replug_ms", "0");
	reset_at();
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_RETURNING));
	reset_expect(USBPASS_RESET_KIND_DEVICE, "");
	EXPECT(reset_wait_slot("reset", USBPASS_SLOT_RETURNING));
	ASSERT(reset_wait_returns(fd, 1));
	EXPECT_EQ(2, emu_stat(emu, "plugs"));
	EXPECT(consumer_works(fd));
	EXPECT_EQ(1, reset_lease(fd).resets);
}

/* It left, or does not listen: gone, once return_ms is over and not before. */
static void never_back(const char *at_reset)
{
	uint64_t began, took;
	char line[60];

	snprintf(line, sizeof(line), "at-reset=%s", at_reset);
	tell(emu, line);
	consumer_parameter("return_ms", "1500");
	consumer_parameter("replug_ms", "60000");
	began = reset_at();
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
	took = fuzz_now_ms() - began;
	TAP_SAY("%s: gone after %llu ms", at_reset, (unsigned long long)took);
	EXPECT_GE(took, 1400);
	EXPECT_LE(took, 1500 + 10000 * (unsigned int)tap_slower());
	reset_expect_gone(fd);
	EXPECT(reset_wait_slot("reset", USBPASS_SLOT_GONE));
	close(fd);
	EXPECT(reset_wait_slot("reset", USBPASS_SLOT_MISSING));
	tell(emu, "behave");
	if (emu_stat(emu, "plugged") == 1)
		tell(emu, "unplug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", RESET_MS * tap_slower()));
	tell(emu, "plug");
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	fd = open_claimed(NODE);
	EXPECT(consumer_works(fd));
}

TEST("a device that never comes back from its reset is gone after return_ms, and serves again once it is plugged in")
{
	never_back("unplug=0");
}

/* It stays at its address and so is not found at 0. The core asks again and again, each time so long. */
TEST("a device that ignores its reset is gone after return_ms, and serves again once it is replugged")
{
	ASSERT_EQ(0, fuzz_write("/sys/module/usbcore/parameters/initial_descriptor_timeout", "100"));
	never_back("mute=get_device");
	ASSERT_EQ(0, fuzz_write("/sys/module/usbcore/parameters/initial_descriptor_timeout", "5000"));
}

/* What a device changes at its reset, and how that is told. */
static const struct {
	const char *setting[2], *told;
} changes[] = {
	{{"pid=0e02"}, "1209:0e02 was 1209:0e01"},
	{{"serial=R2"}, "serial \"R2\" was \"R1\""},
	{{"vid=046d", "preset=keyboard"}, "046d:0e01 was 1209:0e01"},
	{{"preset=keyboard"}, "other configurations"},
	{{"serial="}, "serial \"\" was \"R1\""},
	{{"configs=2"}, "other configurations"},
	{{"bcd=0999"}, "another device descriptor"},
};

static void as_before(void)
{
	tell(emu, "vid=1209");
	tell(emu, "pid=0e01");
	tell(emu, "bcd=0100");
	tell(emu, "serial=R1");
	tell(emu, "preset=loop");
	tell(emu, "configs=1");
	tell(emu, "unplug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", RESET_MS * tap_slower()));
	tell(emu, "plug");
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	fd = open_claimed(NODE);
}

/* The device in the emulator's socket; id 0: none. */
static struct usbpass_device device_there(void)
{
	struct usbpass_device *list, found = {};
	size_t n;

	ASSERT_EQ(0, usbpass_device_list(h, &list, &n));
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].busid, emu_busid(emu)))
			found = list[i];
	found.interface_classes = NULL;
	usbpass_device_list_free(list, n);
	return found;
}

TEST("a device that comes back as another is told with what differs, gone after return_ms, and no host driver's")
{
	/* On a slow kernel each of them takes its time. */
	size_t rows = tap_slower() > 1 ? 4 : sizeof(changes) / sizeof(*changes);
	struct usbpass_event ev;

	consumer_parameter("return_ms", "1500");
	consumer_parameter("replug_ms", "60000");
	for (size_t i = 0; i < rows; i++) {
		uint32_t id = reset_device_of(fd);
		struct usbpass_device there;

		for (int j = 0; j < 2 && changes[i].setting[j]; j++)
			tell(emu, changes[i].setting[j]);
		tell(emu, "at-reset=apply");
		reset_at();
		ev = reset_event(USBPASS_EVENT_IDENTITY_CHANGED);
		TAP_CHECK(false, strstr(ev.reason, changes[i].told), "%s: told as '%s'", changes[i].setting[0], ev.reason);
		EXPECT_NE(id, ev.device);
		ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
		reset_expect_gone(fd);
		there = device_there();
		EXPECT_EQ(ev.device, there.id);
		TAP_CHECK(false, there.state == USBPASS_DEVICE_HELD || there.state == USBPASS_DEVICE_IDLE, "%s: the device is %s",
			  changes[i].setting[0], usbpass_words_word(USBPASS_WORDS_DEVICE_STATE, there.state));
		close(fd);
		as_before();
	}
}

static bool script(const char *function)
{
	char line[200];

	snprintf(line, sizeof(line), "bash -uc 'TMP=/tmp; . lib/probes.sh; %s' >/dev/null", function);
	return !system(line);
}

/* Calls of usbhid's probe; -1: they are not counted. */
static long keyboard_probes(void)
{
	FILE *file = fopen("/sys/kernel/tracing/kprobe_profile", "r");
	unsigned long hits, missed;
	long sum = -1;

	if (file && fscanf(file, " usbhid_probe %lu %lu", &hits, &missed) == 2)
		sum = (long)(hits + missed);
	if (file)
		fclose(file);
	return sum;
}

static void no_probes(void)
{
	script("probes_disarm");
}

TEST("a dongle that becomes a keyboard under its lease never meets the host's driver, which another keyboard does")
{
	struct usbpass_device there;
	uint64_t end;

	ASSERT(script("probes_arm usbhid_probe"));
	tap_defer(no_probes);
	ASSERT_EQ(0, keyboard_probes());
	consumer_parameter("return_ms", "1000");
	tell(emu, "vid=046d");
	tell(emu, "preset=keyboard");
	tell(emu, "at-reset=apply");
	reset_at();
	reset_event(USBPASS_EVENT_IDENTITY_CHANGED);
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
	close(fd);
	fd = -1;
	EXPECT(reset_wait_slot("reset", USBPASS_SLOT_MISSING));
	there = device_there();
	EXPECT_EQ(0x046d, there.vendor);
	EXPECT_EQ(USBPASS_DEVICE_HELD, there.state);
	EXPECT_EQ(0, keyboard_probes());

	neighbour = emu_new();
	ASSERT(neighbour);
	tell(neighbour, "vid=046d");
	tell(neighbour, "preset=keyboard");
	tell(neighbour, "plug");
	end = reset_end();
	while (keyboard_probes() == 0 && fuzz_now_ms() < end)
		usleep(5000);
	EXPECT_EQ(1, keyboard_probes());
}

TEST("of a device that hangs after its reset a transfer can be discarded, and the next reset says that no more is to be had")
{
	static uint8_t data[512];
	struct usbdevfs_urb urb, *done = NULL;
	struct usbpass_event ev;

	policy(USBPASS_RESET_HUB);
	tell(emu, "at-reset=mute=bulk");
	EXPECT_EQ(0, reset());
	reset_expect(USBPASS_RESET_KIND_DEVICE, "");
	ASSERT_EQ(0, consumer_submit(fd, &urb, data, sizeof(data)));
	ASSERT_EQ(0, emu_wait(emu, "in_flight==1", RESET_MS * tap_slower()));
	EXPECT_ERRNO(EAGAIN, ioctl(fd, USBDEVFS_REAPURBNDELAY, &done));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_DISCARDURB, &urb));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_REAPURB, &done));
	EXPECT(done == &urb);
	EXPECT_EQ(-ENOENT, urb.status);
	EXPECT_EQ(0, reset());
	ev = reset_expect(USBPASS_RESET_KIND_DEVICE, ": ");
	EXPECT(strstr(ev.reason, "root hub"));
	EXPECT_EQ(2, emu_stat(emu, "resets"));
	tell(emu, "behave");
	EXPECT(consumer_works(fd));
	EXPECT_EQ(USBPASS_LEASE_ONLINE, reset_lease(fd).state);
}

/* ---- what was learned ---- */

static struct usbpass_learned learned(uint16_t product, const char *serial, int64_t secs)
{
	struct usbpass_learned learned = {
		.has = USBPASS_HAS(USBPASS_A_LEARNED_VENDOR) | USBPASS_HAS(USBPASS_A_LEARNED_PRODUCT) |
		       USBPASS_HAS(USBPASS_A_LEARNED_SERIAL) | USBPASS_HAS(USBPASS_A_LEARNED_UNTIL),
		.vendor = 0x1209, .product = product, .until = (uint64_t)(time(NULL) + secs)};

	snprintf(learned.serial, sizeof(learned.serial), "%s", serial);
	return learned;
}

/* How many are known; of @product too: *found. */
static size_t learned_count(uint16_t product, struct usbpass_learned *found)
{
	struct usbpass_learned *list;
	size_t n;

	ASSERT_EQ(0, usbpass_learned_list(h, &list, &n));
	found->has = 0;
	for (size_t i = 0; i < n; i++)
		if (list[i].vendor == 0x1209 && list[i].product == product)
			*found = list[i];
	free(list);
	return n;
}

static bool is_flagged(void)
{
	return reset_device_get(reset_device_of(fd)).flags & USBPASS_DEVICE_F_BAD_RESETTER;
}

TEST("a device that is known to take resets badly is shown so and gets soft ones, until it is forgotten")
{
	struct usbpass_learned bad = learned(0x0e01, "R1", DAY_SECS), found;

	EXPECT(!is_flagged());
	ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	EXPECT(is_flagged());
	EXPECT_EQ(1, learned_count(0x0e01, &found));
	EXPECT_STR("R1", found.serial);
	EXPECT_STR("host", found.owner);
	EXPECT_EQ(bad.until, found.until);
	EXPECT(!usbpass_has(&found, USBPASS_A_LEARNED_SOCKET));
	counted_reset(USBPASS_RESET_KIND_SOFT, "", false);
	policy(USBPASS_RESET_HUB);
	counted_reset(USBPASS_RESET_KIND_SOFT, "", false);
	/* The administrator's are not the consumer's. */
	EXPECT_EQ(0, reset_device(reset_device_of(fd), USBPASS_RESET_KIND_DEVICE, 0));
	reset_expect(USBPASS_RESET_KIND_DEVICE, "");
	EXPECT_EQ(1, emu_stat(emu, "resets"));
	bad.until += 60;
	ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	EXPECT_EQ(1, learned_count(0x0e01, &found));
	EXPECT_EQ(bad.until, found.until);
	ASSERT_EQ(0, usbpass_learned_del(h, &bad));
	EXPECT(!is_flagged());
	EXPECT_EQ(0, learned_count(0x0e01, &found));
	counted_reset(USBPASS_RESET_KIND_DEVICE, "", true);
}

TEST("what is known of a device without a serial is known of its socket")
{
	struct usbpass_learned bad = learned(0x0e09, "", DAY_SECS), found;
	struct usbpass_device there;

	neighbour = emu_new();
	ASSERT(neighbour);
	tell(neighbour, "vid=1209");
	tell(neighbour, "pid=0e09");
	tell(neighbour, "plug");
	ASSERT(reset_wait_slot("neighbour", USBPASS_SLOT_IDLE));
	close(fd);
	fd = open_claimed(NEIGHBOUR);
	there = reset_device_get(reset_device_of(fd));
	bad.has ^= USBPASS_HAS(USBPASS_A_LEARNED_SERIAL) | USBPASS_HAS(USBPASS_A_LEARNED_SOCKET);
	strcpy(bad.socket, "0000:00:14.0/7");
	ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	EXPECT(!is_flagged());
	strcpy(bad.socket, there.socket);
	ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	EXPECT(is_flagged());
	EXPECT_EQ(2, learned_count(0x0e09, &found));
	EXPECT(!usbpass_has(&found, USBPASS_A_LEARNED_SERIAL));
	EXPECT_EQ(0, reset());
	reset_expect(USBPASS_RESET_KIND_SOFT, "");
	ASSERT_EQ(0, usbpass_learned_del(h, &bad));
	EXPECT(!is_flagged());
	EXPECT_EQ(1, learned_count(0x0e09, &found));
}

TEST("what is known ends at its time")
{
	struct usbpass_learned bad = learned(0x0e01, "R1", 3), found;
	uint64_t end = reset_end();

	ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	EXPECT(is_flagged());
	while (learned_count(0x0e01, &found) && fuzz_now_ms() < end)
		usleep(20000);
	EXPECT_GE(time(NULL), (time_t)bad.until);
	EXPECT(!is_flagged());
	counted_reset(USBPASS_RESET_KIND_DEVICE, "", true);
}

TEST("what cannot be is refused: no identity or two, a time that has passed or is too far, what nobody knows")
{
	struct usbpass_learned bad = learned(0x0e01, "R1", DAY_SECS), found;

	bad.has |= USBPASS_HAS(USBPASS_A_LEARNED_SOCKET);
	strcpy(bad.socket, "0000:00:14.0/7");
	EXPECT_EQ(-EINVAL, usbpass_learned_new(h, &bad));
	bad.has &= ~(USBPASS_HAS(USBPASS_A_LEARNED_SOCKET) | USBPASS_HAS(USBPASS_A_LEARNED_SERIAL));
	EXPECT_EQ(-EINVAL, usbpass_learned_new(h, &bad));
	bad = learned(0x0e01, "R1", -1);
	EXPECT_EQ(-EINVAL, usbpass_learned_new(h, &bad));
	bad.until = 0;
	EXPECT_EQ(-EINVAL, usbpass_learned_new(h, &bad));
	bad = learned(0x0e01, "R1", USBPASS_LEARNED_DAYS * DAY_SECS + 60);
	EXPECT_EQ(-ERANGE, usbpass_learned_new(h, &bad));
	bad.until = UINT64_MAX;
	EXPECT_EQ(-ERANGE, usbpass_learned_new(h, &bad));
	bad = learned(0x0e01, "R1", DAY_SECS);
	EXPECT_EQ(-ENOENT, usbpass_learned_del(h, &bad));
	bad.has &= ~USBPASS_HAS(USBPASS_A_LEARNED_UNTIL);
	EXPECT_EQ(-EINVAL, usbpass_learned_new(h, &bad));
	EXPECT_EQ(0, learned_count(0x0e01, &found));
	bad = learned(0x0e01, "R1", USBPASS_LEARNED_DAYS * DAY_SECS - 60);
	EXPECT_EQ(0, usbpass_learned_new(h, &bad));
	bad.product = 0x0e02;
	EXPECT_EQ(-ENOENT, usbpass_learned_del(h, &bad));
	EXPECT_EQ(1, learned_count(0x0e01, &found));
}

TEST("past the most that are kept the one that ends first makes room")
{
	struct usbpass_learned bad, found;

	/* Not in the order of their ends: the hundredth is the first to go. */
	for (unsigned int i = 0; i < USBPASS_LEARNED_MAX; i++) {
		bad = learned((uint16_t)(0x1000 + i), "R1", i == 100 ? 500 : 1000 + (int)(i * 7919 % 1000));
		ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	}
	EXPECT_EQ(USBPASS_LEARNED_MAX, learned_count(0x1064, &found));
	EXPECT_NE(0, found.has);
	bad = learned(0x2000, "R1", 600);
	ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	EXPECT_EQ(USBPASS_LEARNED_MAX, learned_count(0x1064, &found));
	EXPECT_EQ(0, found.has);
	EXPECT_EQ(USBPASS_LEARNED_MAX, learned_count(0x2000, &found));
	EXPECT_NE(0, found.has);
	/* One that is there needs no room. */
	bad.until++;
	ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	EXPECT_EQ(USBPASS_LEARNED_MAX, learned_count(0x1000, &found));
	EXPECT_NE(0, found.has);
}

/* It leaves at its reset, is gone, and is plugged in again. */
static void fail_once(void)
{
	tell(emu, "at-reset=unplug=0");
	reset_at();
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
	close(fd);
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", RESET_MS * tap_slower()));
	tell(emu, "plug");
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	fd = open_claimed(NODE);
}

TEST("two failed resets a minute apart are learned, and two in the same minute are not")
{
	struct usbpass_learned found;
	uint64_t began;

	if (!tap_long())
		SKIP("its minute is for long runs");
	alarm(400);
	consumer_parameter("return_ms", "500");
	began = fuzz_now_ms();
	fail_once();
	fail_once();
	EXPECT(!is_flagged());
	EXPECT_EQ(0, learned_count(0x0e01, &found));
	while (fuzz_now_ms() < began + 75000)
		usleep(100000);
	fail_once();
	reset_event(USBPASS_EVENT_LEARNED);
	EXPECT(is_flagged());
	EXPECT_EQ(1, learned_count(0x0e01, &found));
	EXPECT_STR("R1", found.serial);
	EXPECT_GE(found.until, (uint64_t)time(NULL) + USBPASS_LEARNED_DAYS * DAY_SECS - 600);
	EXPECT_LE(found.until, (uint64_t)time(NULL) + USBPASS_LEARNED_DAYS * DAY_SECS);
	counted_reset(USBPASS_RESET_KIND_SOFT, "", false);
}

/* ---- the budget, and who sits beside ---- */

/* Data through the neighbour's loop, each block another, compared. */
static struct {
	pthread_t thread;
	int node;
	volatile bool over;
	unsigned int blocks, errors, differ;
} stream;

static void *run_stream(void *arg)
{
	static uint8_t sent[4096], got[4096];
	struct fuzz fuzz = fuzz_new(1, 1);

	while (!stream.over) {
		for (size_t i = 0; i < sizeof(sent); i++)
			sent[i] = (uint8_t)fuzz_next(&fuzz);
		if (consumer_bulk(stream.node, 0x01, sent, sizeof(sent), 20000) != (int)sizeof(sent) ||
		    consumer_bulk(stream.node, 0x81, got, sizeof(got), 20000) != (int)sizeof(got))
			stream.errors++;
		else if (memcmp(sent, got, sizeof(sent)))
			stream.differ++;
		else
			stream.blocks++;
	}
	return NULL;
}

static void stream_start(void)
{
	neighbour = plug_new("0e09");
	ASSERT(reset_wait_slot("neighbour", USBPASS_SLOT_IDLE));
	stream.node = open_claimed(NEIGHBOUR);
	ASSERT_EQ(0, pthread_create(&stream.thread, NULL, run_stream, NULL));
}

/* At least one more block has gone through whole. */
static void stream_flows(void)
{
	unsigned int seen = stream.blocks;
	uint64_t end = reset_end();

	while (stream.blocks < seen + 2 && !stream.errors && fuzz_now_ms() < end)
		usleep(1000);
	EXPECT_GE(stream.blocks, seen + 2);
}

static void stream_end(void)
{
	stream.over = true;
	pthread_join(stream.thread, NULL);
	TAP_SAY("the neighbour: %u blocks of 4 KiB, %u errors, %u differ", stream.blocks, stream.errors, stream.differ);
	EXPECT_EQ(0, stream.errors);
	EXPECT_EQ(0, stream.differ);
	close(stream.node);
}

TEST("past the budget resets are soft, told once, and the neighbour loses nothing")
{
	stream_start();
	consumer_parameter("reset_budget", "2");
	for (int i = 0; i < 2; i++) {
		counted_reset(USBPASS_RESET_KIND_DEVICE, "", true);
		stream_flows();
	}
	counted_reset(USBPASS_RESET_KIND_SOFT, "budget", false);
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(0, reset());
	stream_flows();
	EXPECT_EQ(0, reset_count(USBPASS_EVENT_RESET, "resets"));
	EXPECT_EQ(2, emu_stat(emu, "resets"));
	EXPECT_EQ(23, reset_lease(fd).resets);
	/* A device's own, not the machine's. */
	EXPECT_EQ(0, reset_device_get(reset_device_of(stream.node)).resets);
	stream_end();
}

TEST("with reset_refusal=error a refused reset is EPERM, and one that is allowed is not")
{
	struct usbpass_learned bad = learned(0x0e01, "R1", DAY_SECS);

	consumer_parameter("reset_refusal", "error");
	EXPECT_EQ(0, reset());
	policy(USBPASS_RESET_NONE);
	EXPECT_EQ(-EPERM, reset());
	policy(USBPASS_RESET_DEVICE);
	ASSERT_EQ(0, usbpass_learned_new(h, &bad));
	EXPECT_EQ(-EPERM, reset());
	ASSERT_EQ(0, usbpass_learned_del(h, &bad));
	EXPECT_EQ(0, reset());
	consumer_parameter("reset_budget", "1");
	EXPECT_EQ(-EPERM, reset());
	consumer_parameter("reset_refusal", "soft");
	EXPECT_EQ(0, reset());
	EXPECT_EQ(2, emu_stat(emu, "resets"));
	EXPECT(consumer_works(fd));
}

/* ---- firmware modes ---- */

static void pin(uint8_t follow)
{
	struct usbpass_attachment attach = {
		.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_FOLLOW) |
		       USBPASS_HAS(USBPASS_A_ATTACH_PIN_VENDOR) | USBPASS_HAS(USBPASS_A_ATTACH_PIN_PRODUCT) |
		       USBPASS_HAS(USBPASS_A_ATTACH_PIN_SERIAL),
		.name = "reset", .follow = follow, .pin_vendor = 0x1209, .pin_product = 0x0e01, .pin_serial = "R1"};

	close(fd);
	fd = -1;
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	ASSERT_EQ(0, usbpass_attachment_set(h, &attach, 0));
	rule_new("mode", "resets", 0x0e02, NULL);
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	fd = open_claimed(NODE);
}

static uint16_t product_of(int node)
{
	uint8_t device[18] = {};

	ASSERT_EQ(18, pread(node, device, sizeof(device), 0));
	return (uint16_t)(device[10] | device[11] << 8);
}

TEST("follow=socket: a device that becomes another of its group ends the lease at once, and fills the slot")
{
	uint64_t began;

	pin(USBPASS_FOLLOW_SOCKET);
	EXPECT_EQ(0x0e01, product_of(fd));
	consumer_parameter("return_ms", "60000");
	consumer_parameter("replug_ms", "60000");
	tell(emu, "pid=0e02");
	tell(emu, "serial=MODE");
	tell(emu, "at-reset=apply");
	began = reset_at();
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
	EXPECT_LE(fuzz_now_ms() - began, 15000 * (unsigned int)tap_slower());
	reset_expect_gone(fd);
	close(fd);
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	fd = open_claimed(NODE);
	EXPECT_EQ(0x0e02, product_of(fd));
	EXPECT(consumer_works(fd));
	/* And back again, by itself. */
	tell(emu, "pid=0e01");
	tell(emu, "serial=R1");
	tell(emu, "unplug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", RESET_MS * tap_slower()));
	tell(emu, "plug");
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
	close(fd);
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	fd = open_claimed(NODE);
	EXPECT_EQ(0x0e01, product_of(fd));
}

TEST("follow=socket: what no rule of the group claims is not followed")
{
	pin(USBPASS_FOLLOW_SOCKET);
	consumer_parameter("return_ms", "1500");
	tell(emu, "pid=0e03");
	tell(emu, "at-reset=apply");
	reset_at();
	reset_event(USBPASS_EVENT_IDENTITY_CHANGED);
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
	EXPECT_EQ(USBPASS_DEVICE_HELD, device_there().state);
	close(fd);
	fd = -1;
	EXPECT(reset_wait_slot("reset", USBPASS_SLOT_MISSING));
}

TEST("without follow a device that becomes another of its group is gone after return_ms, and its slot misses it")
{
	uint64_t began;

	pin(USBPASS_FOLLOW_IDENTITY);
	consumer_parameter("return_ms", "1500");
	tell(emu, "pid=0e02");
	tell(emu, "at-reset=apply");
	began = reset_at();
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
	EXPECT_GE(fuzz_now_ms() - began, 1400);
	reset_expect_gone(fd);
	close(fd);
	fd = -1;
	EXPECT(reset_wait_slot("reset", USBPASS_SLOT_MISSING));
	EXPECT_ERRNO(ENODEV, open(NODE, O_RDWR));
	EXPECT_EQ(USBPASS_DEVICE_IDLE, device_there().state);
}

/* ---- the administrator's resets ---- */

TEST("the administrator's reset is no consumer's: no policy, budget or lease holds it back, and the lease lives through it")
{
	uint32_t id = reset_device_of(fd);

	policy(USBPASS_RESET_NONE);
	consumer_parameter("reset_budget", "0");
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, reset_device(id, USBPASS_RESET_KIND_DEVICE, 0));
	EXPECT_EQ(3, emu_stat(emu, "resets"));
	EXPECT_EQ(3, reset_device_get(id).resets);
	EXPECT_EQ(0, reset_lease(fd).resets);
	EXPECT_EQ(USBPASS_LEASE_ONLINE, reset_lease(fd).state);
	EXPECT(consumer_works(fd));
	EXPECT_EQ(id, reset_device_of(fd));
	/* Not held back by anything, and still with nothing on the wire. */
	EXPECT_EQ(0, reset_device(id, USBPASS_RESET_KIND_SOFT, 0));
	EXPECT_EQ(3, emu_stat(emu, "resets"));
	EXPECT(consumer_works(fd));
}

TEST("the administrator resets what is idle and what is the host's, too")
{
	struct usbpass_device there;
	uint64_t end = reset_end();

	close(fd);
	fd = -1;
	ASSERT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	there = device_there();
	EXPECT_EQ(0, reset_device(there.id, USBPASS_RESET_KIND_DEVICE, 0));
	EXPECT_EQ(1, emu_stat(emu, "resets"));
	EXPECT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	ASSERT_EQ(0, usbpass_device_release(h, there.id, 0, RESET_MS * tap_slower()));
	while (emu_stat(emu, "configuration") != 1 && fuzz_now_ms() < end)
		usleep(5000);
	EXPECT_EQ(USBPASS_DEVICE_HOST, device_there().state);
	EXPECT_EQ(0, reset_device(there.id, USBPASS_RESET_KIND_DEVICE, 0));
	EXPECT_EQ(2, emu_stat(emu, "resets"));
	EXPECT_EQ(USBPASS_DEVICE_HOST, device_there().state);
	EXPECT_EQ(there.id, device_there().id);
}

TEST("the administrator's reset says what cannot be, and how it failed")
{
	uint32_t id = reset_device_of(fd), job;
	struct usbpass_hit *hits;
	size_t n;
	int err;

	EXPECT_EQ(-ENODEV, reset_device(id + 1000, USBPASS_RESET_KIND_DEVICE, 0));
	EXPECT_EQ(-EOPNOTSUPP, reset_device(id, USBPASS_RESET_KIND_HUB, 0));
	EXPECT_EQ(-EOPNOTSUPP, reset_device(id, USBPASS_RESET_KIND_HUB, USBPASS_F_FORCE));
	/* Nobody here carries out power cycles. */
	EXPECT_EQ(-EOPNOTSUPP, reset_device(id, USBPASS_RESET_KIND_PORT, 0));
	EXPECT_EQ(-ERANGE, usbpass_device_reset(h, id, __USBPASS_RESET_KIND_MAX, 0, &job));
	EXPECT_EQ(0, emu_stat(emu, "resets"));
	ASSERT_EQ(0, usbpass_device_radius(h, id, USBPASS_RESET_KIND_DEVICE, &hits, &n));
	ASSERT_EQ(1, n);
	EXPECT_EQ(id, hits[0].device.id);
	EXPECT_EQ(USBPASS_IN_THE_WAY_NO, hits[0].in_the_way);
	usbpass_hit_list_free(hits, n);
	EXPECT_EQ(-EOPNOTSUPP, usbpass_device_radius(h, id, USBPASS_RESET_KIND_HUB, &hits, &n));
	EXPECT_EQ(-ENODEV, usbpass_device_radius(h, id + 1000, USBPASS_RESET_KIND_DEVICE, &hits, &n));
	EXPECT_EQ(0, emu_stat(emu, "resets"));

	consumer_parameter("return_ms", "1000");
	tell(emu, "at-reset=unplug=0");
	err = reset_device(id, USBPASS_RESET_KIND_DEVICE, 0);
	TAP_CHECK(false, err == -EIO || err == -ENODEV, "a reset at which the device leaves: %d", err);
	ASSERT(reset_wait_lease(fd, USBPASS_LEASE_GONE));
	EXPECT_EQ(-ENODEV, reset_device(id, USBPASS_RESET_KIND_DEVICE, 0));
}

/* ---- under load ---- */

#define URBS 32
#define URB_BYTES 4096

/* Transfers that are in flight at all times, and go out again as soon as they are back, however they ended. */
static struct {
	pthread_t thread;
	volatile bool over;
	unsigned long done, failed;
	int error;		/* of a call that should not fail */
	struct usbdevfs_urb urbs[URBS];
	uint8_t data[URBS][URB_BYTES];
} load;

static void load_submit(struct usbdevfs_urb *urb)
{
	size_t i = (size_t)(urb - load.urbs);

	*urb = (struct usbdevfs_urb){.type = USBDEVFS_URB_TYPE_BULK, .endpoint = i % 2 ? 0x82 : 0x02, .buffer = load.data[i],
		.buffer_length = URB_BYTES};
	if (ioctl(fd, USBDEVFS_SUBMITURB, urb))
		load.error = errno;
}

static void *run_load(void *arg)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
	struct usbdevfs_urb *done;

	for (int i = 0; i < URBS; i++)
		load_submit(&load.urbs[i]);
	while (!load.over && !load.error) {
		if (ioctl(fd, USBDEVFS_REAPURBNDELAY, &done)) {
			if (errno != EAGAIN)
				load.error = errno;
			poll(&pollfd, 1, 100);
			continue;
		}
		if (done->status)
			load.failed++;
		else
			load.done++;
		load_submit(done);
	}
	return NULL;
}

static bool load_flows(void)
{
	unsigned long seen = load.done;
	uint64_t end = reset_end();

	while (load.done < seen + URBS && !load.error && fuzz_now_ms() < end)
		usleep(500);
	return load.done >= seen + URBS;
}

static void resets_under_load(int resets)
{
	uint32_t id = reset_device_of(fd);

	while (resets-- && !load.error) {
		if (resets % 5)
			ASSERT_EQ(0, reset());
		else
			ASSERT_EQ(0, reset_device(id, USBPASS_RESET_KIND_DEVICE, 0));
		ASSERT(load_flows());
		ASSERT_EQ(USBPASS_LEASE_ONLINE, reset_lease(fd).state);
	}
}

static long slab_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

TEST("200 resets (1,000 in long runs), anybody's, with transfers in flight: the lease lives and no memory is lost")
{
	/* Of a slow kernel KASAN keeps what was freed for a while; its leaks are found by kmemleak. */
	int resets = tap_long() ? 1000 : tap_slower() > 1 ? 30 : 200, slack_kib = tap_slower() > 1 ? 32768 : 1024;
	long before, after;

	alarm(tap_long() ? 3000 : 600);
	ASSERT_EQ(0, pthread_create(&load.thread, NULL, run_load, NULL));
	ASSERT(load_flows());
	resets_under_load(resets / 10);
	before = slab_kib();
	resets_under_load(resets - resets / 10);
	after = slab_kib();
	load.over = true;
	pthread_join(load.thread, NULL);
	TAP_SAY("%d resets, %lu transfers done, %lu failed, slab that stays from %ld to %ld KiB", resets, load.done, load.failed,
		before, after);
	EXPECT_EQ(0, load.error);
	EXPECT_EQ(resets, emu_stat(emu, "resets"));
	EXPECT_EQ(0, reset_lease(fd).returns);
	EXPECT_LE(after - before, slack_kib);
	close(fd);
	fd = -1;
	EXPECT(reset_wait_slot("reset", USBPASS_SLOT_IDLE));
	EXPECT_EQ(0, consumer_in_flight());
}

TAP_MAIN
