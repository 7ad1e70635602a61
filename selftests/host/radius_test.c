// SPDX-License-Identifier: GPL-2.0
/* How the helper shows what a reset would hit: hubs, ports, devices, whose they are, and what is in the way. */
// libs: libnl-genl-3.0 json-c libudev yaml-0.1
// link: -I../userspace/cli ../userspace/cli/[!m]*.o ../userspace/libusbpass.a
// link: -Wl,--wrap=usbpass_device_radius,--wrap=usbpass_attachment_list,--wrap=usbpass_names_open
#include "cli.h"
#include "names.h"
#include "tap.h"

static char dir[] = "/tmp/usbpass-radius.XXXXXX";
static struct usbpass_host host = { dir, "/nonexistent", "/nonexistent", "/nonexistent" };
static struct cli cli = { .host = &host };

enum { HUB, KEYBOARD, DISK, INNER, KEY, LAST, OTHER, ROOTED, DEVICES };

static struct usbpass_device all[DEVICES] = {
	[HUB] = { .id = 3, .busid = "1-1", .flags = USBPASS_DEVICE_F_HUB, .vendor = 0x0409, .product = 0x55aa, .product_name = "Hub" },
	[KEYBOARD] = { .id = 4, .busid = "1-1.1", .vendor = 0x0627, .product = 1, .vendor_name = "QEMU", .product_name = "Keys" },
	[DISK] = { .id = 5, .busid = "1-1.2", .state = USBPASS_DEVICE_IDLE, .group = "g", .owner = "host", .product_name = "Disk" },
	[INNER] = { .id = 6, .busid = "1-1.4", .flags = USBPASS_DEVICE_F_HUB, .product_name = "Hub" },
	[KEY] = { .id = 7, .busid = "1-1.4.1", .state = USBPASS_DEVICE_ONLINE, .group = "k", .attach = "exapp", .owner = "host" },
	[LAST] = { .id = 8, .busid = "1-1.10", .product_name = "Idle" },
	[OTHER] = { .id = 9, .busid = "2-1.2", .product_name = "Fast" },
	[ROOTED] = { .id = 10, .busid = "3-12", .product_name = "Rooted" },
};

static struct usbpass_attachment attachment = { .name = "exapp", .vm = "libvirt:cad", .pid = 77, .comm = "qemu" };
static struct usbpass_hit hits[DEVICES];
static size_t n_hits;
static const struct usbpass_device *chosen[1];
static struct cli_devices devices = { .list = all, .n = DEVICES, .chosen = chosen, .n_chosen = 1 };

int cli_usage(struct cli *of, const char *format, ...)
{
	return CLI_USAGE;
}

#define WRAP(ret, name, ...)	ret __wrap_##name(__VA_ARGS__); ret __wrap_##name(__VA_ARGS__)

static void *copy(const void *from, size_t size)
{
	return memcpy(malloc(size), from, size);
}

WRAP(int, usbpass_device_radius, struct usbpass *h, uint32_t id, uint8_t kind, struct usbpass_hit **out, size_t *n)
{
	*out = copy(hits, n_hits * sizeof(*hits));
	*n = n_hits;
	return 0;
}

WRAP(int, usbpass_attachment_list, struct usbpass *h, struct usbpass_attachment **out, size_t *n)
{
	*out = copy(&attachment, sizeof(attachment));
	*n = 1;
	return 0;
}

WRAP(struct usbpass_names *, usbpass_names_open, void)
{
	return NULL;
}

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", dir);
}

TAP_SETUP
{
	char command[512];

	if (!mkdtemp(dir))
		exit(TAP_FAIL);
	tap_defer(clean);
	snprintf(command, sizeof(command), "cd %s && mkdir -p bus/usb/devices/1-1.1/1-1.1:1.0 bus/usb/drivers/usbhid &&"
		 "ln -s ../../../drivers/usbhid bus/usb/devices/1-1.1/1-1.1:1.0/driver", dir);
	ASSERT_EQ(0, system(command));
}

static void hit(int which, uint8_t in_the_way)
{
	hits[n_hits].device = all[which];
	hits[n_hits++].in_the_way = in_the_way;
}

/* In the order of a table, not of a tree. */
static void hit_hub(void)
{
	chosen[0] = &all[DISK];
	hit(DISK, USBPASS_IN_THE_WAY_NO);
	hit(LAST, USBPASS_IN_THE_WAY_NO);
	hit(KEY, USBPASS_IN_THE_WAY_LEASE);
	hit(KEYBOARD, USBPASS_IN_THE_WAY_HOST);
	hit(INNER, USBPASS_IN_THE_WAY_NO);
}

static char *printed(uint8_t kind)
{
	struct cli_radius radius;
	FILE *out = stdout;
	char *text = NULL;
	size_t size;

	ASSERT_EQ(0, cli_radius_get(&cli, &devices, kind, &radius));
	stdout = open_memstream(&text, &size);
	cli_radius_print(&cli, &radius);
	fclose(stdout);
	stdout = out;
	cli_radius_free(&radius);
	return text;
}

TEST("a hub is shown with its ports in order, and what hangs below them")
{
	hit_hub();
	EXPECT_STR("a reset of the hub of device #5 (1-1.2) hits:\n"
		   "hub #3 (1-1) 0409:55aa Hub\n"
		   "  port 1: #4 (1-1.1) 0627:0001 QEMU Keys: host driver usbhid  <- in the way\n"
		   "  port 2: #5 (1-1.2) 0000:0000 Disk: idle, group 'g' of host\n"
		   "  port 4: #6 (1-1.4) 0000:0000 Hub: a hub\n"
		   "    port 1: #7 (1-1.4.1) 0000:0000: leased by attachment 'exapp' of host, VM libvirt:cad, open in qemu (pid 77)"
		   "  <- in the way\n"
		   "  port 10: #8 (1-1.10) 0000:0000 Idle: no driver\n"
		   "5 devices, of them 2 in the way\n", printed(USBPASS_RESET_KIND_HUB));
}

TEST("both speed halves of a port are trees of their own")
{
	chosen[0] = &all[DISK];
	hit(DISK, USBPASS_IN_THE_WAY_NO);
	hit(OTHER, USBPASS_IN_THE_WAY_NO);
	EXPECT_STR("a power cycle of the port of device #5 (1-1.2) hits:\n"
		   "hub #3 (1-1) 0409:55aa Hub\n"
		   "  port 2: #5 (1-1.2) 0000:0000 Disk: idle, group 'g' of host\n"
		   "hub 2-1\n"
		   "  port 2: #9 (2-1.2) 0000:0000 Fast: no driver\n"
		   "2 devices, none in the way\n", printed(USBPASS_RESET_KIND_PORT));
}

TEST("a device on a root port hangs on its root hub")
{
	chosen[0] = &all[ROOTED];
	hit(ROOTED, USBPASS_IN_THE_WAY_NO);
	EXPECT_STR("a reset of the port of device #10 (3-12) hits:\n"
		   "root hub usb3\n"
		   "  port 12: #10 (3-12) 0000:0000 Rooted: no driver\n"
		   "1 device, none in the way\n", printed(USBPASS_RESET_KIND_DEVICE));
}

TEST("a device with one below it is hit once")
{
	chosen[0] = &all[INNER];
	hit(KEY, USBPASS_IN_THE_WAY_NO);
	hit(INNER, USBPASS_IN_THE_WAY_NO);
	EXPECT(strstr(printed(USBPASS_RESET_KIND_PORT), "hub #3 (1-1) 0409:55aa Hub\n"
		      "  port 4: #6 (1-1.4) 0000:0000 Hub: a hub\n    port 1: #7"));
}

TEST("what is in the way is named with who has it")
{
	struct cli_radius radius;
	char *text;

	hit_hub();
	ASSERT_EQ(0, cli_radius_get(&cli, &devices, USBPASS_RESET_KIND_HUB, &radius));
	EXPECT_EQ(2, radius.n_barring);
	text = cli_radius_barring(&cli, &radius);
	EXPECT_STR("\n  device #7 (1-1.4.1) 0000:0000: leased by attachment 'exapp' of host, VM libvirt:cad, open in qemu (pid 77)"
		   "\n  device #4 (1-1.1) 0627:0001: host driver usbhid", text);
	free(text);
	cli_radius_free(&radius);
}

TEST("programs get the same as JSON")
{
	struct json_object *array, *item, *device, *value;
	struct cli_radius radius;

	hit_hub();
	ASSERT_EQ(0, cli_radius_get(&cli, &devices, USBPASS_RESET_KIND_HUB, &radius));
	array = cli_radius_json(&cli, &radius);
	ASSERT_EQ(5, json_object_array_length(array));
	item = json_object_array_get_idx(array, 3);
	ASSERT(json_object_object_get_ex(item, "hub", &value));
	EXPECT_STR("1-1", json_object_get_string(value));
	ASSERT(json_object_object_get_ex(item, "port", &value));
	EXPECT_EQ(1, json_object_get_int(value));
	ASSERT(json_object_object_get_ex(item, "in_the_way", &value));
	EXPECT_STR("host", json_object_get_string(value));
	ASSERT(json_object_object_get_ex(item, "holder", &value));
	EXPECT_STR("host driver usbhid", json_object_get_string(value));
	ASSERT(json_object_object_get_ex(item, "device", &device));
	json_object_put(array);
	cli_radius_free(&radius);
}

TAP_MAIN
