// SPDX-License-Identifier: GPL-2.0
// link: lib/libemu.a
// group: trust
// timeout: 300 3000
// Devices that lie in their descriptors: broken, huge, cyclic, truncated, changing. Whatever the USB core makes of one, a rule
// claims it, no host driver's probe is called, its node works or says why not, and nothing of it remains.
#define TAP_SECONDS 60
#include "hostile.h"

#define HID 0x030101
#define STORAGE 0x080650
#define ACM 0x020201
#define HUB 0x090000
#define VENDOR 0xff0000

TAP_SETUP
{
	hostile_begin();
}

/* What becomes of it. REFUSED: the kernel never has it. CLAIMED: all else, and OPENS, and SERVES on its loop. */
enum fate { REFUSED, CLAIMED, OPENS, SERVES };

static const char *lie;	/* under test */

static unsigned int lease_state(int node)
{
	struct usbpass_node_state state = {.size = sizeof(state)};

	ASSERT_EQ(0, ioctl(node, USBPASS_IOC_LEASE_STATE, &state));
	return state.state;
}

/* One of the errnos that linux/usbpass.h and usbfs have for such a call; ENODEV has a lease that has no device. */
static void answered(int node, const char *call, int result)
{
	static const int known[] = {EINVAL, ENOENT, EACCES, EBUSY, EIO, EPIPE, EPROTO, ETIMEDOUT, EOVERFLOW, EMSGSIZE, ENODATA, EREMOTEIO};
	size_t i;

	if (result >= 0 || (errno == ENODEV && lease_state(node) != USBPASS_LEASE_ONLINE))
		return;
	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (errno == known[i])
			return;
	TAP_CHECK(false, false, "%s: %s gave %s", lie, call, strerrorname_np(errno));
}

static void read_descriptors(int node)
{
	static uint8_t data[18 + 8 * 65536];
	ssize_t got, len = 0;

	while ((got = pread(node, data + len, sizeof(data) - (size_t)len, len)) > 0)
		len += got;
	TAP_CHECK(false, got == 0 && len >= 18, "%s: its descriptors give %zd, %zd bytes", lie, got, len);
	EXPECT_EQ(18, data[0]);
}

/* Everything that a consumer may ask, with numbers that the descriptors have and that they have not. */
static void use(int node)
{
	static const unsigned int alternates[] = {1, 2, 127, 128, 200, 255, 256, 0};
	static uint8_t data[1024];
	unsigned int i, j, config;

	for (i = 0; i < 34; i++) {
		answered(node, "a claim", ioctl(node, USBDEVFS_CLAIMINTERFACE, &i));
		for (j = 0; (i < 2 || i == 31) && j < sizeof(alternates) / sizeof(*alternates); j++) {
			struct usbdevfs_setinterface set = {.interface = i, .altsetting = alternates[j]};

			answered(node, "SETINTERFACE", ioctl(node, USBDEVFS_SETINTERFACE, &set));
		}
	}
	for (i = 0; i < 256; i += i % 16 == 3 ? 0x7d : 1) {
		answered(node, "a transfer", consumer_bulk(node, i, data, 600, 5));
		if (i % 16 > 1)
			continue;
		answered(node, "CLEAR_HALT", ioctl(node, USBDEVFS_CLEAR_HALT, &i));
		answered(node, "RESETEP", ioctl(node, USBDEVFS_RESETEP, &i));
	}
	for (i = 0; i < 34; i++)
		answered(node, "a release", ioctl(node, USBDEVFS_RELEASEINTERFACE, &i));
	for (config = 0; config < 3; config++)
		answered(node, "SETCONFIGURATION", ioctl(node, USBDEVFS_SETCONFIGURATION, &config));
}

static int open_in_time(void)
{
	uint64_t end = hostile_end_ms(12);
	int node = open(HOSTILE_NODE, O_RDWR | O_CLOEXEC);

	TAP_CHECK(false, node >= 0 || errno == EIO, "%s: open gave %s", lie, strerrorname_np(errno));
	TAP_CHECK(false, fuzz_now_ms() < end, "%s: open took too long", lie);
	return node;
}

static void serve(enum fate fate)
{
	int node = open_in_time();

	if (fate >= OPENS)
		TAP_CHECK(false, node >= 0, "%s: it should open, gave %s", lie, strerrorname_np(errno));
	if (node < 0)
		return;
	if (fate == SERVES && (consumer_claim(node) || !consumer_works(node)))
		TAP_CHECK(false, false, "%s: its loop does not work", lie);
	read_descriptors(node);
	use(node);
	EXPECT_EQ(0, close(node));
}

/* The device that the descriptors make, from its plug to its unplug. */
static void ordeal(const char *what, enum fate fate)
{
	lie = what;
	hostile_plug();
	if (fate == REFUSED) {
		hostile_wait_quiet();
		TAP_CHECK(false, !hostile_present("1209"), "%s: the kernel took it", lie);
	} else {
		TAP_CHECK(true, hostile_wait_driver(emu, "usbpass"), "%s: it is not claimed", lie);
		TAP_CHECK(true, consumer_wait_slot("hostile", "idle"), "%s: it is not idle", lie);
		TAP_CHECK(false, !hostile_interfaces(emu), "%s: %u interfaces while idle", lie, hostile_interfaces(emu));
		serve(fate);
		TAP_CHECK(true, consumer_wait_slot("hostile", "idle"), "%s: it is not idle after the close", lie);
		TAP_CHECK(false, !hostile_interfaces(emu), "%s: %u interfaces after the close", lie, hostile_interfaces(emu));
	}
	hostile_unplug();
	TAP_CHECK(false, hostile_probes() == hostile_probes_before, "%s: a host driver's probe was called", lie);
}

static void one_config(unsigned int class)
{
	descriptor_begin(class, 1);
	descriptor_config(1, 1);
}

TEST("the host's drivers would take these devices, and that is counted: no rule claims this one")
{
	hostile_new();
	hostile_tell(emu, "vid=1d6b");
	hostile_tell(emu, "preset=keyboard");
	hostile_tell(emu, "plug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==1", 20000 * tap_slower()));
	ASSERT_EQ(0, emu_wait(emu, "configuration==1", 20000 * tap_slower()));
	for (uint64_t end = hostile_end_ms(20); hostile_probes() <= hostile_probes_before && fuzz_now_ms() < end;)
		usleep(10000);
	EXPECT_EQ(hostile_probes_before + 1, hostile_probes());
	hostile_forget();
}

TEST("lengths that are too long, too short, nil, or past the end are no way out of the configuration")
{
	unsigned int i;

	one_config(0);
	descriptor_loop(0, STORAGE);
	while (descriptor.len - descriptor.config + 255 <= 65535) {
		DESCRIPTOR_BYTES(255, 0x24);
		for (i = 0; i < 253; i++)
			DESCRIPTOR_BYTES(i);
	}
	descriptor_total();
	ordeal("65,535 bytes", SERVES);

	one_config(0);
	descriptor_loop(0, STORAGE);
	descriptor_lie_total(65535);
	ordeal("says 65,535 bytes and has 32", SERVES);
	descriptor_lie_total(25);
	ordeal("ends within its last endpoint", OPENS);
	descriptor_lie_total(9);
	ordeal("says that it ends after its head", OPENS);
	descriptor_lie_total(3);
	ordeal("says that it ends within its head", OPENS);

	one_config(0);
	descriptor_loop(0, HID);
	DESCRIPTOR_BYTES(0, 4, 1, 0, 0, 8, 6, 80, 0);
	descriptor_total();
	ordeal("a descriptor of length 0, which follows itself", SERVES);
	descriptor.data[descriptor.len - 9] = 1;
	ordeal("a descriptor of length 1", SERVES);
	descriptor.data[descriptor.len - 9] = 255;
	ordeal("a descriptor past the end", SERVES);
	descriptor.data[descriptor.len - 9] = 8;
	ordeal("an interface of 8 bytes", SERVES);
	hostile_end();
}

TEST("descriptors in one another and about themselves are read once")
{
	unsigned int i;

	descriptor_begin(0, 1);
	descriptor_config(1, 2);
	DESCRIPTOR_BYTES(8, 11, 0, 255, 2, 2, 1, 0);
	descriptor_loop(0, ACM);
	DESCRIPTOR_BYTES(5, 0x24, 0x06, 0, 0, 5, 0x24, 0x01, 0, 0);	/* a union of 0 and 0, whose data is itself */
	DESCRIPTOR_BYTES(9, 2, 255, 255, 1, 1, 0, 0x80, 50);		/* its own configuration, longer than it */
	DESCRIPTOR_BYTES(18, 1, 0, 2, 9, 0, 0, 64, 9, 0x12, 0xa0, 0x0b, 0, 1, 0, 0, 0, 1);
	for (i = 0; i < 40; i++)
		DESCRIPTOR_BYTES(8, 11, i, 255, 2, 2, 1, 0);
	descriptor_total();
	ordeal("a configuration that contains itself", SERVES);
	hostile_end();
}

TEST("32 interfaces, 64 of them, 256 settings of one, numbers and endpoints twice: what the core reads is what is served")
{
	unsigned int i;

	descriptor_begin(0, 1);
	descriptor_config(1, 32);
	descriptor_loop(0, STORAGE);
	for (i = 1; i < 32; i++)
		descriptor_interface(i, 0, 0, i % 2 ? HID : STORAGE);
	descriptor_total();
	ordeal("32 interfaces", SERVES);
	for (; i < 64; i++)
		descriptor_interface(i, 0, 0, HID);
	descriptor.data[descriptor.config + 4] = 64;
	descriptor_total();
	ordeal("64 interfaces", SERVES);

	one_config(0);
	for (i = 0; i < 256; i++) {
		descriptor_interface(0, i, 2, i % 2 ? HID : ACM);
		descriptor_endpoint(0x01, 2, 512, 0);
		descriptor_endpoint(0x81, i % 2 ? 3 : 2, 512, 1);
	}
	descriptor_total();
	ordeal("256 settings of an interface", SERVES);

	descriptor_begin(0, 1);
	descriptor_config(1, 3);
	descriptor_loop(0, STORAGE);
	descriptor_loop(0, HID);
	descriptor_loop(1, HID);
	descriptor_loop(200, HID);
	descriptor_loop(255, ACM);
	descriptor_total();
	ordeal("interfaces and endpoints twice, and numbers past 32", SERVES);
	hostile_end();
}

TEST("an endpoint that is declared once for the core and once for others is not used as what it is not")
{
	descriptor_begin(0, 1);
	descriptor_config(1, 2);
	descriptor_interface(0, 0, 0, HID);	/* has none, and then has them */
	descriptor_endpoint(0x82, 2, 512, 0);
	descriptor_endpoint(0x02, 2, 512, 0);
	descriptor_interface(1, 0, 2, HID);
	descriptor_endpoint(0x82, 3, 64, 1);
	descriptor_endpoint(0x02, 3, 64, 1);
	descriptor_total();
	ordeal("bulk, and in truth interrupt", OPENS);

	one_config(0);
	descriptor_interface(0, 0, 12, HID);
	descriptor_endpoint(0x71, 2, 512, 0);
	descriptor_endpoint(0xf1, 3, 64, 1);
	descriptor_endpoint(0x00, 2, 512, 0);
	descriptor_endpoint(0x80, 0, 64, 0);
	descriptor_endpoint(0x01, 0, 64, 0);
	descriptor_endpoint(0x82, 2, 0, 0);
	descriptor_endpoint(0x02, 3, 0xffff, 255);
	descriptor_endpoint(0x83, 3, 64, 0);
	descriptor_endpoint(0x03, 1, 0x1fff, 255);
	descriptor_endpoint(0x84, 1, 0, 17);
	DESCRIPTOR_BYTES(6, 5, 0x85, 2, 0, 2);
	DESCRIPTOR_BYTES(2, 5);
	descriptor_total();
	ordeal("endpoints of every wrong kind", OPENS);
	hostile_end();
}

TEST("configurations of value 0, of one value, and more or fewer than are told leave no interface while idle")
{
	descriptor_begin(0, 1);
	descriptor_config(0, 1);
	descriptor_loop(0, HID);
	descriptor_total();
	ordeal("a configuration of value 0", OPENS);

	descriptor_begin(0, 2);
	descriptor_config(1, 1);
	descriptor_loop(0, STORAGE);
	descriptor_total();
	descriptor_config(1, 1);
	descriptor_interface(0, 0, 0, HID);
	descriptor_total();
	ordeal("two configurations of one value", SERVES);

	descriptor_begin(0, 0);
	descriptor_config(1, 1);
	descriptor_loop(0, HID);
	descriptor_total();
	ordeal("0 configurations", REFUSED);
	descriptor.data[17] = 255;
	ordeal("255 configurations", REFUSED);
	descriptor.data[17] = 1;
	descriptor.data[descriptor.config + 1] = 4;
	ordeal("a configuration that says it is an interface", REFUSED);
	descriptor.data[descriptor.config + 1] = 2;
	descriptor.data[7] = 7;
	ordeal("packets of 7 bytes on endpoint 0", REFUSED);
	hostile_end();
}

/* Hubs are never claimed; one that has anything else is none, neither for the core's driver. */
TEST("a device that says it is a hub and is something else is claimed as any")
{
	descriptor_begin(0, 1);
	descriptor_config(1, 2);
	descriptor_loop(0, HID);
	descriptor_interface(1, 0, 0, HUB);
	descriptor_total();
	ordeal("a keyboard with a hub beside it", SERVES);

	one_config(HUB);
	descriptor_loop(0, HID);
	descriptor_total();
	ordeal("a keyboard that calls itself a hub", SERVES);

	one_config(0);
	descriptor_loop(0, HID);
	descriptor_interface(0, 1, 0, HUB);
	descriptor_total();
	ordeal("a keyboard that can be set to a hub", SERVES);

	descriptor_begin(HUB, 2);
	descriptor_config(1, 1);
	descriptor_loop(0, HUB);
	descriptor_total();
	descriptor_config(2, 1);
	descriptor_interface(0, 0, 0, HID);
	descriptor_total();
	ordeal("a hub with a keyboard's configuration", SERVES);
	hostile_end();
}

/* From a good one, one to eight changes; its length and its number of configurations among them. */
TEST("descriptors changed at random end claimed or refused, never with a host driver")
{
	struct fuzz fuzz = fuzz_new(fuzz_seed(), 0);
	unsigned int round, rounds = tap_long() ? 300 : tap_slower() > 1 ? 3 : 12, taken = 0, i;
	uint64_t end;

	for (round = 0; round < rounds; round++) {
		descriptor_begin(0, 1);
		descriptor_config(1, 3);
		DESCRIPTOR_BYTES(8, 11, 0, 2, 2, 2, 1, 0);
		descriptor_loop(0, ACM);
		DESCRIPTOR_BYTES(5, 0x24, 0x06, 0, 1, 5, 0x24, 0x01, 0, 1);
		descriptor_loop(1, HID);
		descriptor_interface(1, 1, 1, HID);
		descriptor_endpoint(0x83, 3, 64, 4);
		descriptor_interface(2, 0, 1, STORAGE);
		descriptor_endpoint(0x84, 1, 1024, 4);
		descriptor_total();
		/* Its vendor stays: that is the rule's. */
		for (i = 1 + fuzz_below(&fuzz, 8); i; i--)
			descriptor.data[fuzz_once_in(&fuzz, 8) ? 4 + fuzz_below(&fuzz, 4) :
				18 + fuzz_below(&fuzz, descriptor.len - 18)] = (uint8_t)fuzz_number(&fuzz);
		if (fuzz_once_in(&fuzz, 4))
			descriptor.len -= fuzz_below(&fuzz, descriptor.len - 27);
		lie = "random";
		hostile_plug();
		/* Within that time the core has tried four times. */
		for (end = hostile_end_ms(4); fuzz_now_ms() < end && !consumer_slot_is("hostile", "idle");)
			usleep(5000);
		if (consumer_slot_is("hostile", "idle")) {
			taken++;
			serve(CLAIMED);
			ASSERT(consumer_wait_slot("hostile", "idle"));
		}
		hostile_unplug();
		if (hostile_probes() != hostile_probes_before) {
			TAP_CHECK(true, false, "a host driver's probe was called in round %u", round);
		}
	}
	TAP_SAY("%u of %u were claimed", taken, rounds);
	EXPECT(taken > 0);
	hostile_end();
}

/* Offsets into what is read again and again: by the core at the plug, at a reset, at a replug. */
static const struct {
	const char *name, *rule;
} changing[] = {
	{"another length between the two reads of a configuration", "vary=get_config:2+1"},
	{"another interface class at each read", "vary=get_config:14"},
	{"another configuration value at each read", "vary=get_config:5"},
	{"another endpoint at each read", "vary=get_config:20"},
	{"another device class at each read", "vary=get_device:4"},
	{"another product at each read", "vary=get_device:10"},
	{"another number of configurations at each read", "vary=get_device:17"},
	{"another string length at each read", "vary=get_string:0"},
};

/* A reset on the wire reads it all again. ONLINE still, or away and then gone: never something else's lease. */
static void reset_and_look(int node)
{
	uint64_t end = hostile_end_ms(20);
	unsigned int state;

	answered(node, "RESET", ioctl(node, USBDEVFS_RESET));
	while ((state = lease_state(node)) == USBPASS_LEASE_RETURNING && fuzz_now_ms() < end)
		usleep(10000);
	EXPECT(state == USBPASS_LEASE_ONLINE || state == USBPASS_LEASE_GONE);
}

TEST("a device that answers otherwise at each read is what it was at its plug, or it is gone for its lease")
{
	unsigned int i, opened = 0;
	int node;

	consumer_parameter("return_ms", "2000");
	for (i = 0; i < sizeof(changing) / sizeof(*changing); i++) {
		lie = changing[i].name;
		hostile_new();
		hostile_tell(emu, "interfaces=1");
		hostile_tell(emu, "class=03:01:01");
		hostile_tell(emu, "serial=CHANGES");
		hostile_tell(emu, changing[i].rule);
		hostile_tell(emu, "plug");
		for (uint64_t end = hostile_end_ms(5); fuzz_now_ms() < end && !consumer_slot_is("hostile", "idle");)
			usleep(5000);
		node = consumer_slot_is("hostile", "idle") ? open_in_time() : -1;
		if (node >= 0) {
			opened++;
			read_descriptors(node);
			consumer_claim(node);
			reset_and_look(node);
			use(node);
			EXPECT_EQ(0, close(node));
		}
		hostile_tell(emu, "unplug");
		ASSERT_EQ(0, emu_wait(emu, "enumerated==0", 20000 * tap_slower()));
		ASSERT(consumer_wait_slot("hostile", "missing"));
		emu_free(emu);
		emu = NULL;
		TAP_CHECK(false, hostile_probes() == hostile_probes_before, "%s: a host driver's probe was called", lie);
	}
	consumer_parameter("return_ms", "5000");
	EXPECT(opened >= 4);
	hostile_end();
}

HOSTILE_MAIN
