// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a
// group: reset-hub
// cpus: 2
// timeout: 900 3000
// qemu: -drive if=none,id=a1,format=raw,file.driver=null-co,file.size=8M,file.read-zeroes=on,snapshot=on
// qemu: -drive if=none,id=a2,format=raw,file.driver=null-co,file.size=8M,file.read-zeroes=on,snapshot=on
// qemu: -drive if=none,id=b1,format=raw,file.driver=null-co,file.size=8M,file.read-zeroes=on,snapshot=on
// qemu: -drive if=none,id=c1,format=raw,file.driver=null-co,file.size=8M,file.read-zeroes=on,snapshot=on
// Resets of hubs, and power cycles of their ports, in a tree of three levels with devices of two VMs and of the host:
//
//	root port 1 -- top --+-- middle --+-- bottom --+-- disk b1 (VM two)
//	                     |            |            +-- what a test plugs in: the host's disk or keyboard, a mouse
//	                     |            +-- disk a2 (VM one)
//	                     +-- disk a1 (VM one)
//	root port 2 -- beside -- disk c1 (VM two)
#define TAP_SECONDS 150
#include <glob.h>
#include <pthread.h>

#include "consumer.h"
#include "race_qmp.h"
#include "reset.h"

#define DISK_IN 0x81
#define DISK_OUT 0x02
#define BLOCK_BYTES 512
#define DISK_BLOCKS 16384
#define STORAGE "usb-storage"

static struct usbpass *power;		/* carries out power cycles */
static pthread_t power_thread;
static volatile bool power_over;
static volatile unsigned int power_cycles;
static int power_result;		/* what is answered; 0: and done */

/* ---- the tree ---- */

static void qmp_add(const char *arguments)
{
	uint64_t end = reset_end();
	int err;

	/* QEMU lets go of what was unplugged a little later. */
	while ((err = race_qmp("device_add", arguments)) == -EPROTO && fuzz_now_ms() < end)
		usleep(5000);
	if (err)
		TAP_SAY("%s", race_qmp_error);
	ASSERT_EQ(0, err);
}

static int qmp_del(const char *id)
{
	char arguments[64];

	snprintf(arguments, sizeof(arguments), "{\"id\":\"%s\"}", id);
	return race_qmp("device_del", arguments);
}

static void add_hub(const char *id, const char *port)
{
	char arguments[200];

	snprintf(arguments, sizeof(arguments),
		 "{\"driver\":\"usb-hub\",\"id\":\"%s\",\"bus\":\"x.0\",\"port\":\"%s\",\"port-power\":true}", id, port);
	qmp_add(arguments);
}

static void add_disk(const char *id, const char *port)
{
	char arguments[200];

	snprintf(arguments, sizeof(arguments),
		 "{\"driver\":\"usb-storage\",\"id\":\"%s\",\"bus\":\"x.0\",\"port\":\"%s\",\"drive\":\"%s\",\"serial\":\"%s\"}", id, port,
		 id, id);
	qmp_add(arguments);
}

static void add_other(const char *driver, const char *id, const char *port)
{
	char arguments[200];

	snprintf(arguments, sizeof(arguments),
		 "{\"driver\":\"%s\",\"id\":\"%s\",\"bus\":\"x.0\",\"port\":\"%s\",\"serial\":\"%s\"}", driver, id, port, id);
	qmp_add(arguments);
}

/* The device of that serial; id 0: none is here. */
static struct usbpass_device device_of(const char *serial)
{
	struct usbpass_device *list, found = {};
	size_t n;

	ASSERT_EQ(0, usbpass_device_list(h, &list, &n));
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].serial, serial))
			found = list[i];
	found.interface_classes = NULL;
	usbpass_device_list_free(list, n);
	return found;
}

static bool wait_device(const char *serial, uint8_t state)
{
	uint64_t end = reset_end();
	struct usbpass_device found;

	do {
		found = device_of(serial);
		if (found.id && found.state == state)
			return true;
		usleep(10000);
	} while (fuzz_now_ms() < end);
	TAP_SAY("%s is %s (%s)", serial,
		found.id ? usbpass_words_word(USBPASS_WORDS_DEVICE_STATE, found.state) : "not here", found.reason);
	return false;
}

static bool has_driver(const char *serial, const char *driver)
{
	struct usbpass_device found = device_of(serial);
	char pattern[120];
	glob_t paths;
	bool is;

	if (!found.id)
		return false;
	snprintf(pattern, sizeof(pattern), "/sys/bus/usb/drivers/%s/%s:*", driver, found.busid);
	is = !glob(pattern, GLOB_NOSORT, NULL, &paths);
	if (is)
		globfree(&paths);
	return is;
}

static bool wait_driver(const char *serial, const char *driver)
{
	uint64_t end = reset_end();

	while (!has_driver(serial, driver) && fuzz_now_ms() < end)
		usleep(10000);
	return has_driver(serial, driver);
}

static void wait_away(const char *serial)
{
	uint64_t end = reset_end();

	while (device_of(serial).id && fuzz_now_ms() < end)
		usleep(10000);
	ASSERT_EQ(0, device_of(serial).id);
}

/* What a test plugged in below the bottom hub. */
static const char *guest;

static void guest_leaves(void)
{
	if (guest)
		qmp_del(guest);
	guest = NULL;
}

static int in_the_way(const char *of, const char *serial);

/* The host's, for all to see: a driver whose probe is not over yet is one in sysfs only. */
static void wait_host(const char *driver)
{
	uint64_t until = reset_end();

	ASSERT(wait_driver(guest, driver));
	while (in_the_way("b1", guest) != USBPASS_IN_THE_WAY_HOST && fuzz_now_ms() < until)
		usleep(10000);
	ASSERT_EQ(USBPASS_IN_THE_WAY_HOST, in_the_way("b1", guest));
}

static void host_keyboard(void)
{
	guest = "hostkbd";
	add_other("usb-kbd", guest, "1.1.1.3");
	wait_host("usbhid");
}

static void host_disk(void)
{
	static const char node[] =
		"{\"driver\":\"null-co\",\"node-name\":\"hostdisk\",\"size\":8388608,\"read-zeroes\":true,\"read-only\":false}";
	int err = race_qmp("blockdev-add", node);

	/* Or it is there from the test before. */
	ASSERT(!err || strstr(race_qmp_error, "uplicate"));
	guest = "hostdisk";
	add_disk(guest, "1.1.1.3");
	wait_host(STORAGE);
}

/* ---- the world ---- */

static void rule_new(const char *serial, const char *group)
{
	struct usbpass_cond cond = {.field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_EQ, .string = (char *)serial};
	struct usbpass_rule rule = {
		.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_GROUP),
		.action = USBPASS_ACTION_CLAIM};

	snprintf(rule.name, sizeof(rule.name), "%s", serial);
	snprintf(rule.group, sizeof(rule.group), "%s", group);
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	ASSERT_EQ(0, usbpass_rule_new(h, &rule));
	usbpass_rule_clear(&rule);
}

static void attach_new(const char *serial, const char *group, const char *vm)
{
	struct usbpass_attachment attach = {
		.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP) | USBPASS_HAS(USBPASS_A_ATTACH_VM) |
		       USBPASS_HAS(USBPASS_A_ATTACH_PIN_SERIAL)};

	snprintf(attach.name, sizeof(attach.name), "%s", serial);
	snprintf(attach.group, sizeof(attach.group), "%s", group);
	snprintf(attach.vm, sizeof(attach.vm), "%s", vm);
	snprintf(attach.pin_serial, sizeof(attach.pin_serial), "%s", serial);
	ASSERT_EQ(0, usbpass_attachment_new(h, &attach));
}

static const struct {
	const char *serial, *group, *vm;
} leases[] = {
	{"a1", "ones", "one"}, {"a2", "ones", "one"}, {"b1", "twos", "two"}, {"c1", "twos", "two"}, {"mouse", "ones", "one"},
};

static void configure(void)
{
	static const char *const groups[] = {"ones", "twos"};

	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	for (int i = 0; i < 2; i++) {
		struct usbpass_group group = {
			.has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_RESET), .reset = USBPASS_RESET_HUB};

		strcpy(group.name, groups[i]);
		ASSERT_EQ(0, usbpass_group_new(h, &group));
	}
	for (size_t i = 0; i < sizeof(leases) / sizeof(*leases); i++) {
		rule_new(leases[i].serial, leases[i].group);
		attach_new(leases[i].serial, leases[i].group, leases[i].vm);
	}
	ASSERT_EQ(0, usbpass_txn_commit(h, 0, NULL));
}

/* Once for all tests, before the first: what is plugged in stays, as QEMU's drives go with their devices. */
static void plug_tree(void)
{
	add_hub("top", "1");
	add_hub("middle", "1.1");
	add_hub("bottom", "1.1.1");
	add_hub("beside", "2");
	add_disk("a1", "1.2");
	add_disk("a2", "1.1.2");
	add_disk("b1", "1.1.1.2");
	add_disk("c1", "2.1");
}

static void power_stop(void)
{
	if (!power)
		return;
	power_over = true;
	pthread_join(power_thread, NULL);
	usbpass_close(power);
	power = NULL;
}

static void end(void)
{
	guest_leaves();
	power_stop();
	reset_close();
}

static bool slots_idle(void)
{
	for (int i = 0; i < 4; i++)
		if (!reset_wait_slot(leases[i].serial, USBPASS_SLOT_IDLE))
			return false;
	return true;
}

TAP_SETUP
{
	bool first = access("/sys/module/usbpass", F_OK);

	tap_defer(end);
	if (first) {
		ASSERT_EQ(0, system("modprobe usb-storage; modprobe usbhid"));
		ASSERT_EQ(0, fuzz_insmod("reset_budget=600 return_ms=30000 replug_ms=0 guard_secs=0"));
	}
	reset_open(0);
	if (first) {
		configure();
		plug_tree();
	}
	consumer_parameter("reset_budget", "600");
	consumer_parameter("return_ms", "30000");
	wait_away("hostkbd");
	wait_away("hostdisk");
	wait_away("mouse");
	ASSERT(slots_idle());
}

static int lease(const char *name)
{
	char path[80];
	int node;

	snprintf(path, sizeof(path), "/dev/usbpass/host/%s", name);
	node = open(path, O_RDWR | O_CLOEXEC);
	ASSERT(node >= 0);
	ASSERT_EQ(0, consumer_claim(node));
	return node;
}

/* ---- a disk, as its consumer drives it ---- */

/* Bulk-only transport 1.0. 0, the status in the wrapper, or a negative errno. */
static int disk_command(int node, const uint8_t *command, size_t len, void *data, uint32_t bytes, bool in)
{
	uint8_t cbw[31] = {'U', 'S', 'B', 'C', 0x5a, 1, 2, 3, (uint8_t)bytes, (uint8_t)(bytes >> 8), (uint8_t)(bytes >> 16), 0,
		in ? 0x80 : 0, 0, (uint8_t)len};
	uint8_t csw[13] = {};

	memcpy(cbw + 15, command, len);
	if (consumer_bulk(node, DISK_OUT, cbw, sizeof(cbw), 10000) != sizeof(cbw) ||
	    (bytes && consumer_bulk(node, in ? DISK_IN : DISK_OUT, data, bytes, 10000) != (int)bytes) ||
	    consumer_bulk(node, DISK_IN, csw, sizeof(csw), 10000) != sizeof(csw))
		return -errno ?: -EPROTO;
	return memcmp(csw, "USBS\x5a\x01\x02\x03", 8) ? -EBADMSG : csw[12];
}

/* It says once that it was reset. */
static bool disk_ready(int node)
{
	static const uint8_t ready[6] = {0x00}, sense[6] = {0x03, 0, 0, 0, 18};
	uint8_t data[18];

	for (int i = 0; i < 4; i++) {
		int status = disk_command(node, ready, sizeof(ready), NULL, 0, false);

		if (status <= 0)
			return !status;
		if (disk_command(node, sense, sizeof(sense), data, sizeof(data), true))
			return false;
	}
	return false;
}

static int disk_move(int node, uint32_t block, void *data, unsigned int blocks, bool in)
{
	const uint8_t command[10] = {in ? 0x28 : 0x2a, 0, 0, 0, (uint8_t)(block >> 8), (uint8_t)block, 0, 0, (uint8_t)blocks};

	return disk_command(node, command, sizeof(command), data, blocks * BLOCK_BYTES, in);
}

static void fill(uint8_t *data, size_t len, uint32_t seed)
{
	struct fuzz fuzz = fuzz_new(seed, 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)fuzz_next(&fuzz);
}

/* Eight blocks that only @seed makes. */
static int disk_write(int node, uint32_t block, uint32_t seed)
{
	uint8_t data[8 * BLOCK_BYTES];

	fill(data, sizeof(data), seed);
	return disk_move(node, block, data, 8, false);
}

static int disk_check(int node, uint32_t block, uint32_t seed)
{
	uint8_t data[8 * BLOCK_BYTES], expected[8 * BLOCK_BYTES];
	int err = disk_move(node, block, data, 8, true);

	fill(expected, sizeof(expected), seed);
	return err ?: memcmp(data, expected, sizeof(data)) ? -EILSEQ : 0;
}

static int disk_lease(const char *name, uint32_t seed)
{
	int node = lease(name);

	ASSERT(disk_ready(node));
	ASSERT_EQ(0, disk_write(node, 64, seed));
	ASSERT_EQ(0, disk_check(node, 64, seed));
	return node;
}

/* What was written before its hub was reset is read through the same descriptor. */
static void disk_survives(int node, uint32_t returns, uint32_t seed)
{
	ASSERT(reset_wait_returns(node, returns));
	ASSERT(disk_ready(node));
	EXPECT_EQ(0, disk_check(node, 64, seed));
	EXPECT_EQ(0, disk_write(node, 128, seed + 1));
	EXPECT_EQ(0, disk_check(node, 128, seed + 1));
}

/* On c1, beside: written, read and compared, again and again. */
static struct {
	pthread_t thread;
	int node, error;
	volatile bool over;
	volatile unsigned int blocks;
} stream;

static void *run_stream(void *arg)
{
	for (uint32_t i = 0; !stream.over && !stream.error; i++) {
		stream.error = disk_write(stream.node, 8 * (i % (DISK_BLOCKS / 8)), i);
		stream.error = stream.error ?: disk_check(stream.node, 8 * (i % (DISK_BLOCKS / 8)), i);
		stream.blocks += 8;
	}
	return NULL;
}

static void stream_start(void)
{
	stream.node = disk_lease("c1", 1);
	ASSERT_EQ(0, pthread_create(&stream.thread, NULL, run_stream, NULL));
}

static void stream_end(void)
{
	unsigned int seen = stream.blocks;
	uint64_t until = reset_end();

	while (stream.blocks <= seen && !stream.error && fuzz_now_ms() < until)
		usleep(1000);
	stream.over = true;
	pthread_join(stream.thread, NULL);
	TAP_SAY("beside: %u blocks written, read and compared", stream.blocks);
	EXPECT_GE(stream.blocks, seen + 1);
	EXPECT_EQ(0, stream.error);
	EXPECT_EQ(0, reset_lease(stream.node).returns);
	close(stream.node);
}

static int hub_reset(int node)
{
	return ioctl(node, USBPASS_IOC_HUB_RESET) ? -errno : 0;
}

/* It is told, and how it ended. */
static void expect_hub_reset(int node)
{
	struct usbpass_event ev;

	ASSERT_EQ(0, hub_reset(node));
	ev = reset_expect(USBPASS_RESET_KIND_HUB, "");
	EXPECT_EQ(0, ev.result);
}

/* ---- the administrator's view ---- */

/* One device that a reset of kind HUB of @of would hit; -1: it would not. */
static int in_the_way(const char *of, const char *serial)
{
	struct usbpass_hit *hits;
	int found = -1;
	size_t n;

	ASSERT_EQ(0, usbpass_device_radius(h, device_of(of).id, USBPASS_RESET_KIND_HUB, &hits, &n));
	ASSERT_GE(n, 1);
	EXPECT_STR(of, hits[0].device.serial);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(hits[i].device.serial, serial))
			found = hits[i].in_the_way;
		if (hits[i].device.flags & USBPASS_DEVICE_F_HUB)
			EXPECT_EQ(USBPASS_IN_THE_WAY_NO, hits[i].in_the_way);
	}
	usbpass_hit_list_free(hits, n);
	return found;
}

TEST("a dump says what a reset of each hub would hit, and what of that is in its way")
{
	static const struct {
		const char *of;
		bool hits[3];	/* a1, a2, b1 */
	} rows[] = {
		{"a1", {true, true, true}}, {"a2", {false, true, true}}, {"b1", {false, false, true}},
	};
	static const char *const names[] = {"a1", "a2", "b1"};

	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 3; j++)
			TAP_CHECK(false, in_the_way(rows[i].of, names[j]) == (rows[i].hits[j] ? USBPASS_IN_THE_WAY_NO : -1),
				  "a reset of the hub of %s and %s: %d", rows[i].of, names[j], in_the_way(rows[i].of, names[j]));
		EXPECT_EQ(-1, in_the_way(rows[i].of, "c1"));
	}
	disk_lease("a1", 1);
	disk_lease("a2", 2);
	disk_lease("b1", 3);
	EXPECT_EQ(USBPASS_IN_THE_WAY_NO, in_the_way("a1", "a1"));
	EXPECT_EQ(USBPASS_IN_THE_WAY_NO, in_the_way("a1", "a2"));
	EXPECT_EQ(USBPASS_IN_THE_WAY_LEASE, in_the_way("a1", "b1"));
	EXPECT_EQ(USBPASS_IN_THE_WAY_LEASE, in_the_way("a2", "b1"));
	EXPECT_EQ(USBPASS_IN_THE_WAY_NO, in_the_way("b1", "b1"));
	host_keyboard();
	EXPECT_EQ(USBPASS_IN_THE_WAY_HOST, in_the_way("b1", "hostkbd"));
	EXPECT_EQ(USBPASS_IN_THE_WAY_HOST, in_the_way("a1", "hostkbd"));
	EXPECT_EQ(-1, in_the_way("c1", "hostkbd"));
}

/* ---- a consumer's reset of its hub ---- */

TEST("a reset of the top hub: both leases of its VM come back on their descriptors, and beside nothing is lost")
{
	int a1, a2;

	stream_start();
	a1 = disk_lease("a1", 1);
	a2 = disk_lease("a2", 2);
	expect_hub_reset(a1);
	disk_survives(a1, 1, 1);
	disk_survives(a2, 1, 2);
	EXPECT_EQ(1, reset_lease(a1).resets);
	EXPECT_EQ(0, reset_lease(a2).resets);
	EXPECT(reset_wait_slot("b1", USBPASS_SLOT_IDLE));
	stream_end();
}

TEST("a reset of the hub in the middle, and of the one at the bottom: what is above feels nothing of it")
{
	int a1 = disk_lease("a1", 1), a2 = disk_lease("a2", 2), b1;

	expect_hub_reset(a2);
	disk_survives(a2, 1, 2);
	EXPECT_EQ(0, reset_lease(a1).returns);
	EXPECT_EQ(0, disk_check(a1, 64, 1));
	ASSERT(reset_wait_slot("b1", USBPASS_SLOT_IDLE));
	b1 = disk_lease("b1", 3);
	expect_hub_reset(b1);
	disk_survives(b1, 1, 3);
	EXPECT_EQ(0, reset_lease(a1).returns);
	EXPECT_EQ(1, reset_lease(a2).returns);
	EXPECT_EQ(0, disk_check(a1, 64, 1));
	EXPECT_EQ(0, disk_check(a2, 64, 2));
}

TEST("another VM's lease below a hub refuses its reset, to the consumer and to the administrator, and feels nothing of that")
{
	int a1 = disk_lease("a1", 1), a2 = disk_lease("a2", 2), b1 = disk_lease("b1", 3);

	EXPECT_EQ(-EBUSY, hub_reset(a1));
	EXPECT_EQ(-EBUSY, hub_reset(a2));
	EXPECT_EQ(-EBUSY, reset_device(device_of("a1").id, USBPASS_RESET_KIND_HUB, 0));
	EXPECT_EQ(-EBUSY, reset_device(device_of("a2").id, USBPASS_RESET_KIND_HUB, 0));
	EXPECT_EQ(0, reset_lease(a1).returns);
	EXPECT_EQ(0, reset_lease(b1).returns);
	EXPECT_EQ(0, disk_check(a1, 64, 1));
	EXPECT_EQ(0, disk_check(a2, 64, 2));
	EXPECT_EQ(0, disk_check(b1, 64, 3));
	/* Its own hub has none but its own. */
	expect_hub_reset(b1);
	disk_survives(b1, 1, 3);
	close(b1);
	ASSERT(reset_wait_slot("b1", USBPASS_SLOT_IDLE));
	expect_hub_reset(a1);
	disk_survives(a1, 1, 1);
	disk_survives(a2, 1, 2);
}

TEST("a keyboard of the host's below a hub refuses its reset, to all, until it is gone")
{
	int a1 = disk_lease("a1", 1), b1 = disk_lease("b1", 3);
	struct usbpass_device keyboard;

	host_keyboard();
	keyboard = device_of("hostkbd");
	EXPECT_EQ(-EBUSY, hub_reset(a1));
	EXPECT_EQ(-EBUSY, hub_reset(b1));
	EXPECT_EQ(-EBUSY, reset_device(device_of("b1").id, USBPASS_RESET_KIND_HUB, 0));
	EXPECT_EQ(-EBUSY, reset_device(keyboard.id, USBPASS_RESET_KIND_HUB, 0));
	EXPECT_EQ(keyboard.id, device_of("hostkbd").id);
	EXPECT(has_driver("hostkbd", "usbhid"));
	guest_leaves();
	wait_away("hostkbd");
	expect_hub_reset(b1);
	disk_survives(b1, 1, 3);
}

TEST("past the budget, or with policy device or none, a consumer's reset of its hub is EPERM, and nothing is reset")
{
	int a1 = disk_lease("a1", 1), err = 0;
	unsigned int budget, returns = 0;
	bool followed = false;
	char text[16];

	ASSERT_EQ(0, reset_attachment_policy("a1", USBPASS_RESET_DEVICE));
	EXPECT_EQ(-EPERM, hub_reset(a1));
	ASSERT_EQ(0, reset_attachment_policy("a1", USBPASS_RESET_NONE));
	EXPECT_EQ(-EPERM, hub_reset(a1));
	EXPECT_EQ(0, reset_lease(a1).returns);
	EXPECT_EQ(0, disk_check(a1, 64, 1));
	ASSERT_EQ(0, reset_attachment_policy("a1", USBPASS_RESET_HUB));
	consumer_parameter("reset_budget", "0");
	EXPECT_EQ(-EPERM, hub_reset(a1));
	EXPECT_EQ(0, reset_lease(a1).returns);
	/*
	 * As many as it had in this minute, and one more: then none, as the count follows the lease. Unless a new minute begins.
	 * The first one that is refused counts, too.
	 */
	for (int i = 0; i < 4 && !followed; i++) {
		for (budget = 1; (err = hub_reset(a1)) == -EPERM && budget < 100; budget += 2) {
			snprintf(text, sizeof(text), "%u", budget);
			consumer_parameter("reset_budget", text);
		}
		ASSERT_EQ(0, err);
		disk_survives(a1, ++returns, 1);
		err = hub_reset(a1);
		followed = err == -EPERM;
		if (!err)
			disk_survives(a1, ++returns, 1);
	}
	EXPECT(followed);
}

/* ---- the administrator's ---- */

TEST("forced, a reset goes over the host's disk and another VM's lease: the driver and the lease are there again")
{
	int a1 = disk_lease("a1", 1), b1 = disk_lease("b1", 3);
	struct usbpass_device disk;
	uint64_t until = reset_end();

	host_disk();
	disk = device_of("hostdisk");
	EXPECT_EQ(-EBUSY, reset_device(device_of("a1").id, USBPASS_RESET_KIND_HUB, 0));
	EXPECT_EQ(disk.id, device_of("hostdisk").id);
	EXPECT_EQ(0, reset_device(device_of("a1").id, USBPASS_RESET_KIND_HUB, USBPASS_F_FORCE));
	disk_survives(a1, 1, 1);
	disk_survives(b1, 1, 3);
	while ((!device_of("hostdisk").id || device_of("hostdisk").id == disk.id) && fuzz_now_ms() < until)
		usleep(10000);
	EXPECT_NE(disk.id, device_of("hostdisk").id);
	EXPECT(wait_driver("hostdisk", STORAGE));
	EXPECT_EQ(USBPASS_DEVICE_HOST, device_of("hostdisk").state);
}

TEST("a device of the host's is reset by the administrator, with its hub too, where nothing else is in the way")
{
	host_disk();
	EXPECT_EQ(0, reset_device(device_of("hostdisk").id, USBPASS_RESET_KIND_DEVICE, 0));
	EXPECT(has_driver("hostdisk", STORAGE));
	EXPECT_EQ(-EBUSY, reset_device(device_of("hostdisk").id, USBPASS_RESET_KIND_HUB, 0));
	EXPECT_EQ(0, reset_device(device_of("hostdisk").id, USBPASS_RESET_KIND_HUB, USBPASS_F_FORCE));
	EXPECT(wait_driver("hostdisk", STORAGE));
	EXPECT(reset_wait_slot("b1", USBPASS_SLOT_IDLE));
	EXPECT(!has_driver("b1", STORAGE));
}

TEST("a hub itself is reset by nobody")
{
	struct usbpass_device *list;
	unsigned int hubs = 0;
	size_t n;

	ASSERT_EQ(0, usbpass_device_list(h, &list, &n));
	for (size_t i = 0; i < n; i++) {
		if (!(list[i].flags & USBPASS_DEVICE_F_HUB))
			continue;
		hubs++;
		EXPECT_EQ(-EOPNOTSUPP, reset_device(list[i].id, USBPASS_RESET_KIND_DEVICE, 0));
		EXPECT_EQ(-EOPNOTSUPP, reset_device(list[i].id, USBPASS_RESET_KIND_HUB, USBPASS_F_FORCE));
	}
	usbpass_device_list_free(list, n);
	EXPECT_EQ(4, hubs);
}

/* ---- power ---- */

static int power_write(const char *port, const char *text)
{
	char path[USBPASS_PORT_MAX + 32];

	snprintf(path, sizeof(path), "/sys%s%s/disable", port[0] == '/' ? "" : "/", port);
	return fuzz_write(path, text);
}

/* As the daemon does: off, a second, on. */
static void *run_power(void *arg)
{
	struct usbpass_event ev;
	int err;

	while (!power_over) {
		if (usbpass_event_next(power, &ev, 100) || ev.type != USBPASS_EVENT_POWER_CYCLE)
			continue;
		power_cycles++;
		err = power_result;
		if (!err) {
			err = power_write(ev.port, "1");
			sleep(1);
			err = err ?: power_write(ev.port, "0");
		}
		if (err != power_result)
			TAP_SAY("power cycle of %s: %s", ev.port, strerror(-err));
		usbpass_power_done(power, ev.job, err);
	}
	return NULL;
}

static void power_start(void)
{
	ASSERT_EQ(0, usbpass_open(&power));
	ASSERT_EQ(0, usbpass_event_subscribe(power, NULL, USBPASS_F_POWER));
	ASSERT_EQ(0, pthread_create(&power_thread, NULL, run_power, NULL));
}

TEST("a power cycle hits its port alone, and the lease comes back on its descriptor")
{
	int a1 = disk_lease("a1", 1), a2 = disk_lease("a2", 2);

	EXPECT_EQ(-EOPNOTSUPP, reset_device(device_of("a2").id, USBPASS_RESET_KIND_PORT, 0));
	power_start();
	EXPECT_EQ(0, reset_device(device_of("a2").id, USBPASS_RESET_KIND_PORT, 0));
	EXPECT_EQ(1, power_cycles);
	disk_survives(a2, 1, 2);
	EXPECT_EQ(0, reset_lease(a1).returns);
	EXPECT_EQ(0, disk_check(a1, 64, 1));
	/* No driver of the host's meets what comes back, and another VM's device in another port is in no way. */
	EXPECT(!has_driver("a2", STORAGE));
	EXPECT(reset_wait_slot("b1", USBPASS_SLOT_IDLE));
}

TEST("one socket carries out power cycles, answers once for each, and nobody else does")
{
	struct usbpass *other;
	uint32_t job;
	struct usbpass_event ev;
	int a2 = disk_lease("a2", 2);

	ASSERT_EQ(0, usbpass_open(&power));
	ASSERT_EQ(0, usbpass_event_subscribe(power, NULL, USBPASS_F_POWER));
	ASSERT_EQ(0, usbpass_open(&other));
	EXPECT_EQ(-EBUSY, usbpass_event_subscribe(other, NULL, USBPASS_F_POWER));
	ASSERT_EQ(0, usbpass_event_subscribe(other, NULL, 0));
	EXPECT_EQ(-ENOENT, usbpass_power_done(power, 4711, 0));
	ASSERT_EQ(0, usbpass_device_reset(h, device_of("a2").id, USBPASS_RESET_KIND_PORT, 0, &job));
	do
		ASSERT_EQ(0, usbpass_event_next(power, &ev, RESET_MS * tap_slower()));
	while (ev.type != USBPASS_EVENT_POWER_CYCLE);
	EXPECT_EQ(device_of("a2").id, ev.device);
	EXPECT(strstr(ev.port, "-port2"));
	EXPECT_EQ(-EPERM, usbpass_power_done(other, ev.job, 0));
	EXPECT_EQ(-EBUSY, reset_device(device_of("a2").id, USBPASS_RESET_KIND_PORT, 0));
	EXPECT_EQ(0, usbpass_power_done(power, ev.job, -EIO));
	EXPECT_EQ(-EIO, usbpass_job_wait(h, job, RESET_MS * tap_slower()));
	EXPECT_EQ(-ENOENT, usbpass_power_done(power, ev.job, 0));
	ASSERT(reset_wait_lease(a2, USBPASS_LEASE_ONLINE));
	ASSERT(disk_ready(a2));
	EXPECT_EQ(0, disk_check(a2, 64, 2));

	/* The promise ends with its socket, and so does what waits for it. */
	ASSERT_EQ(0, usbpass_device_reset(h, device_of("a2").id, USBPASS_RESET_KIND_PORT, 0, &job));
	usbpass_close(power);
	power = NULL;
	EXPECT_NE(0, usbpass_job_wait(h, job, RESET_MS * tap_slower()));
	EXPECT_EQ(-EOPNOTSUPP, usbpass_device_reset(h, device_of("a2").id, USBPASS_RESET_KIND_PORT, 0, &job));
	ASSERT(reset_wait_lease(a2, USBPASS_LEASE_ONLINE));
	usbpass_close(other);
}

TEST("a power cycle that nobody answers is over after ten seconds, and the lease goes on")
{
	int a2 = disk_lease("a2", 2);
	uint64_t began = fuzz_now_ms();

	ASSERT_EQ(0, usbpass_open(&power));
	ASSERT_EQ(0, usbpass_event_subscribe(power, NULL, USBPASS_F_POWER));
	EXPECT_EQ(-ETIMEDOUT, reset_device(device_of("a2").id, USBPASS_RESET_KIND_PORT, 0));
	EXPECT_GE(fuzz_now_ms() - began, USBPASS_POWER_SECS * 1000 - 100);
	EXPECT_LE(fuzz_now_ms() - began, USBPASS_POWER_SECS * 1000 + 5000 * (unsigned int)tap_slower());
	usbpass_close(power);
	power = NULL;
	ASSERT(reset_wait_lease(a2, USBPASS_LEASE_ONLINE));
	ASSERT(disk_ready(a2));
	EXPECT_EQ(0, disk_check(a2, 64, 2));
}

/* ---- the ladder ---- */

/* What shows that a reset did not help: the disk has nothing to say now, and stalls. */
static void stuck(int node)
{
	uint8_t data[13];

	EXPECT_ERRNO(EPIPE, consumer_bulk(node, DISK_IN, data, sizeof(data), 10000));
}

TEST("resets of policy hub that do not help climb: the device, its port's power, its hub; and begin anew where one did")
{
	int a1 = disk_lease("a1", 1), a2 = disk_lease("a2", 2);

	power_start();
	ASSERT_EQ(0, ioctl(a2, USBDEVFS_RESET));
	reset_expect(USBPASS_RESET_KIND_DEVICE, "");
	stuck(a2);
	ASSERT_EQ(0, ioctl(a2, USBDEVFS_RESET));
	EXPECT_EQ(0, reset_expect(USBPASS_RESET_KIND_PORT, "").result);
	ASSERT(reset_wait_returns(a2, 1));
	EXPECT_EQ(1, power_cycles);
	stuck(a2);
	ASSERT_EQ(0, ioctl(a2, USBDEVFS_RESET));
	EXPECT_EQ(0, reset_expect(USBPASS_RESET_KIND_HUB, "").result);
	disk_survives(a2, 2, 2);
	ASSERT_EQ(0, ioctl(a2, USBDEVFS_RESET));
	EXPECT_EQ(0, reset_expect(USBPASS_RESET_KIND_DEVICE, "").result);
	ASSERT(disk_ready(a2));
	EXPECT_EQ(2, reset_lease(a2).returns);
	EXPECT_EQ(1, power_cycles);
	EXPECT_EQ(0, reset_lease(a1).returns);
	EXPECT_EQ(0, disk_check(a1, 64, 1));
}

TEST("resets that follow one another with nothing wrong between them stay the device's")
{
	int a2 = disk_lease("a2", 2);

	power_start();
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, ioctl(a2, USBDEVFS_RESET));
		EXPECT_STR("device", reset_expect(USBPASS_RESET_KIND_DEVICE, "").reason);
		if (i >= 2)
			ASSERT(disk_ready(a2));
	}
	EXPECT_EQ(0, power_cycles);
	EXPECT_EQ(0, reset_lease(a2).returns);
	EXPECT_EQ(0, disk_check(a2, 64, 2));
}

TEST("without anyone for the power the ladder goes from the device to its hub, and says so")
{
	int a2 = disk_lease("a2", 2);
	struct usbpass_event ev;

	ASSERT_EQ(0, ioctl(a2, USBDEVFS_RESET));
	reset_expect(USBPASS_RESET_KIND_DEVICE, "");
	stuck(a2);
	ASSERT_EQ(0, ioctl(a2, USBDEVFS_RESET));
	ev = reset_expect(USBPASS_RESET_KIND_HUB, "");
	EXPECT_EQ(0, ev.result);
	TAP_CHECK(false, strstr(ev.reason, "power"), "told as '%s'", ev.reason);
	disk_survives(a2, 1, 2);
}

TEST("where another VM's lease is in the way the ladder ends at the device, and names what is")
{
	int a2 = disk_lease("a2", 2), b1 = disk_lease("b1", 3);
	struct usbpass_event ev;

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, ioctl(a2, USBDEVFS_RESET));
		ev = reset_expect(USBPASS_RESET_KIND_DEVICE, i ? device_of("b1").busid : "");
		stuck(a2);
	}
	TAP_SAY("told as '%s'", ev.reason);
	ASSERT_EQ(0, ioctl(a2, USBDEVFS_CLEAR_HALT, &(unsigned int){DISK_IN}));
	ASSERT(disk_ready(a2));
	EXPECT_EQ(0, disk_check(a2, 64, 2));
	EXPECT_EQ(0, reset_lease(b1).returns);
	EXPECT_EQ(0, disk_check(b1, 64, 3));
}

/* ---- in the middle of a reset ---- */

TEST("a device that is unplugged in the middle of its hub's reset is gone, and the others come back")
{
	int rounds = tap_long() ? 20 : tap_slower() > 1 ? 2 : 5;
	int a2 = disk_lease("a2", 2), mouse;
	struct fuzz fuzz = fuzz_new(fuzz_seed(), 2);

	consumer_parameter("return_ms", "5000");
	for (int i = 1; i <= rounds; i++) {
		unsigned int late_us = fuzz_below(&fuzz, 400000);

		guest = "mouse";
		add_other("usb-mouse", guest, "1.1.1.3");
		ASSERT(reset_wait_slot("mouse", USBPASS_SLOT_IDLE));
		mouse = lease("mouse");
		ASSERT_EQ(0, hub_reset(a2));
		usleep(late_us);
		ASSERT_EQ(0, qmp_del(guest));
		guest = NULL;
		TAP_CHECK(false, reset_wait_lease(mouse, USBPASS_LEASE_GONE), "%u us late: the lease is not gone", late_us);
		reset_expect_gone(mouse);
		close(mouse);
		disk_survives(a2, (uint32_t)i, 2);
		wait_away("mouse");
		EXPECT(reset_wait_slot("mouse", USBPASS_SLOT_MISSING));
	}
	consumer_parameter("return_ms", "30000");
}

/* What races with the resets, and what it met. */
static struct {
	volatile bool over;
	volatile unsigned int opened, claimed;
	unsigned int busy, away, released, refused;
	int open_error, claim_error;	/* that should not be */
	unsigned int lost;		/* releases that were said to be done and were not */
	unsigned int hits;		/* a device of the host's has gone */
	uint64_t slowest_ms;
} race;

static void race_took(uint64_t began)
{
	uint64_t took = fuzz_now_ms() - began;

	if (took > race.slowest_ms)
		race.slowest_ms = took;
}

static void *run_opens(void *arg)
{
	/* Each refusal is an event, and no more are to come than are kept until they are read. */
	for (; !race.over; usleep(2000)) {
		uint64_t began = fuzz_now_ms();
		int node = open("/dev/usbpass/host/a2", O_RDWR | O_CLOEXEC);

		race_took(began);
		if (node >= 0) {
			race.opened++;
			close(node);
		} else if (errno == EBUSY) {
			race.busy++;
		} else if (errno == ENODEV) {
			race.away++;	/* between its disconnect and its next self */
		} else {
			race.open_error = errno;
		}
	}
	return NULL;
}

static uint32_t race_device(struct usbpass *mine, const char *serial)
{
	struct usbpass_device *list;
	uint32_t id = 0;
	size_t n;

	if (usbpass_device_list(mine, &list, &n))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].serial, serial))
			id = list[i].id;
	usbpass_device_list_free(list, n);
	return id;
}

/* b1 is given to the host, is the host's for a moment, in which nothing may take it from there, and is claimed again. */
static void race_give_and_take(struct usbpass *mine)
{
	uint32_t id = race_device(mine, "b1");
	uint64_t began = fuzz_now_ms();
	struct usbpass_device device;
	int err = id ? usbpass_device_release(mine, id, 0, RESET_MS * tap_slower()) : -ENODEV;

	race_took(began);
	if (err) {
		race.refused++;
		if (err != -EBUSY && err != -ENODEV)
			race.claim_error = -err;
		return;
	}
	race.released++;
	for (int i = 0; i < 20; i++, usleep(5000)) {
		err = usbpass_device_get(mine, id, &device);
		usbpass_device_clear(&device);
		if (!err && device.state == USBPASS_DEVICE_HOST)
			continue;
		/* It may have left while its release waited for the hub. */
		race.lost += !err;
		race.hits += err && i;
		race.released -= err && !i;
		return;
	}
	began = fuzz_now_ms();
	do {
		err = usbpass_device_claim(mine, id, NULL, 0, RESET_MS * tap_slower());
		race.refused += err == -EBUSY;
	} while (err == -EBUSY && fuzz_now_ms() < began + RESET_MS);
	race_took(began);
	race.claimed += !err;
	/* Between its two drivers it is nobody's, and may be reset. */
	if (err && err != -ENODEV)
		race.claim_error = -err;
}

static void *run_claims(void *arg)
{
	struct usbpass *mine;

	if (usbpass_open(&mine))
		return NULL;
	while (!race.over) {
		race_give_and_take(mine);
		usleep(50000);
	}
	usbpass_close(mine);
	return NULL;
}

/* Both have got something, and some time has passed. */
static void race_goes_on(struct fuzz *fuzz)
{
	unsigned int opened = race.opened, claimed = race.claimed;
	uint64_t until = reset_end();

	while ((race.opened == opened || race.claimed == claimed) && fuzz_now_ms() < until)
		usleep(1000);
	usleep(fuzz_below(fuzz, 300000));
}

TEST("opens and claims that race a hub's reset succeed or are EBUSY, in time, and no device of the host's is reset")
{
	int wanted = tap_long() ? 200 : tap_slower() > 1 ? 5 : 20, done = 0, refused = 0;
	int a1 = disk_lease("a1", 1), err;
	struct fuzz fuzz = fuzz_new(fuzz_seed(), 3);
	pthread_t opener, claimer;
	uint64_t until;

	alarm(tap_long() ? 2400 : 140 * (unsigned int)tap_slower());
	ASSERT_EQ(0, pthread_create(&opener, NULL, run_opens, NULL));
	ASSERT_EQ(0, pthread_create(&claimer, NULL, run_claims, NULL));
	until = fuzz_now_ms() + 120000 * (unsigned int)(tap_long() ? 15 : tap_slower());
	while (done < wanted && fuzz_now_ms() < until) {
		/* What gets in its way between the call and the lock of the hub is told by the event. */
		err = hub_reset(a1) ?: reset_event(USBPASS_EVENT_RESET).result;
		if (err == -EBUSY) {
			refused++;
			usleep(fuzz_below(&fuzz, 20000));
			continue;
		}
		ASSERT_EQ(0, err);
		ASSERT(reset_wait_returns(a1, (uint32_t)++done));
		race_goes_on(&fuzz);
	}
	race.over = true;
	pthread_join(opener, NULL);
	pthread_join(claimer, NULL);
	TAP_SAY("%d resets and %d refused; %u opens, %u busy, %u away", done, refused, race.opened, race.busy, race.away);
	TAP_SAY("%u given to the host, %u taken, %u refused; the slowest took %llu ms", race.released, race.claimed, race.refused,
		(unsigned long long)race.slowest_ms);
	EXPECT_EQ(wanted, done);
	EXPECT_EQ(0, race.open_error);
	EXPECT_EQ(0, race.claim_error);
	EXPECT_EQ(0, race.lost);
	EXPECT_EQ(0, race.hits);
	EXPECT_LE(race.slowest_ms, 15000 * (unsigned int)tap_slower());
	EXPECT_GE(race.opened, 1);
	EXPECT_GE(race.claimed, 1);
	ASSERT(disk_ready(a1));
	EXPECT_EQ(0, disk_check(a1, 64, 1));
	ASSERT(wait_device("b1", USBPASS_DEVICE_IDLE));
}

static void unload(void)
{
	for (int i = 0; i < 4; i++)
		qmp_del(leases[i].serial);
	qmp_del("top");
	qmp_del("beside");
	if (system("rmmod usbpass"))
		TAP_SAY("the module stays");
}

int main(int argc, char **argv)
{
	int status;

	(void)argc;
	if (system("[ ! -e /sys/module/usbpass ] || rmmod usbpass"))
		printf("# the module stays\n");
	status = tap_main(argv + 1);
	unload();
	return status;
}
