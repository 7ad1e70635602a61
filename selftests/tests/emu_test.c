// SPDX-License-Identifier: GPL-2.0
// libs: libusb-1.0
// link: lib/libemu.a
// on: stock
// The emulated loop device's transfers and misbehaviour, by libusb through the stock kernel's usbfs, without usbpass.
#include <libusb.h>
#include <stdint.h>
#include <time.h>

#include "emu.h"
#include "tap.h"

#define VENDOR 0x1209
#define PRODUCT 0x0e01
#define DEPTH 64

static struct emu *emu;
static libusb_context *context;
static libusb_device_handle *handle;

static void command(const char *line)
{
	char *reply = NULL;

	if (emu_command(emu, line, &reply)) {
		TAP_SAY("%s: %s", line, reply);
		exit(TAP_FAIL);
	}
	free(reply);
}

static void unplug(void)
{
	if (handle)
		libusb_close(handle);
	emu_command(emu, "unplug", NULL);
	emu_wait(emu, "enumerated==0", 10000);
	emu_free(emu);
}

TAP_SETUP
{
	ASSERT_EQ(0, system("modprobe vhci_hcd"));
	emu = emu_new();
	ASSERT(emu);
	tap_defer(unplug);
	command("vid=1209");
	command("pid=0e01");
	command("configs=2");
	command("plug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==1", 20000));
	ASSERT_EQ(0, emu_wait(emu, "configuration==1", 10000));
	ASSERT_EQ(0, libusb_init(&context));
	handle = libusb_open_device_with_vid_pid(context, VENDOR, PRODUCT);
	ASSERT(handle);
	ASSERT_EQ(0, libusb_claim_interface(handle, 0));
	ASSERT_EQ(0, libusb_claim_interface(handle, 1));
}

static int bulk(uint8_t endpoint, void *data, int len, int *done)
{
	return libusb_bulk_transfer(handle, endpoint, data, len, done, 5000);
}

static void fill(uint8_t *data, int len)
{
	for (int i = 0; i < len; i++)
		data[i] = (uint8_t)(random() >> 7);
}

TEST("what goes into a loop comes out, from 1 byte to 1 MiB")
{
	static const int sizes[] = { 1, 511, 512, 513, 4096, 16384, 65537, 1 << 20 };
	uint8_t *out = malloc(1 << 20), *in = malloc(1 << 20);
	int done;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fill(out, sizes[i]);
		ASSERT_EQ(0, bulk(0x01, out, sizes[i], &done));
		ASSERT_EQ(sizes[i], done);
		ASSERT_EQ(0, bulk(0x81, in, sizes[i], &done));
		ASSERT_EQ(sizes[i], done);
		ASSERT(!memcmp(out, in, (size_t)sizes[i]));
	}
}

TEST("a short packet ends a transfer, a full one does not")
{
	uint8_t data[4096];
	int done;

	ASSERT_EQ(0, bulk(0x04, data, 700, &done));
	ASSERT_EQ(0, bulk(0x84, data, sizeof(data), &done));
	EXPECT_EQ(700, done);
	ASSERT_EQ(0, bulk(0x04, data, 512, &done));
	EXPECT_EQ(LIBUSB_ERROR_TIMEOUT, libusb_bulk_transfer(handle, 0x84, data, sizeof(data), &done, 200));
}

TEST("a packet larger than the room for it babbles")
{
	uint8_t data[64];
	int done;

	ASSERT_EQ(0, bulk(0x01, data, 64, &done));
	EXPECT_EQ(LIBUSB_ERROR_OVERFLOW, bulk(0x81, data, 10, &done));
}

TEST("the source's pattern counts words, and the sink finds what differs from it")
{
	uint32_t words[4096];
	int done, bad = 0;

	for (uint32_t round = 0; round < 4; round++) {
		ASSERT_EQ(0, bulk(0x82, words, sizeof(words), &done));
		ASSERT_EQ((int)sizeof(words), done);
		for (uint32_t i = 0; i < 4096; i++)
			bad += words[i] != round * 4096 + i;
	}
	EXPECT_EQ(0, bad);
	for (uint32_t i = 0; i < 4096; i++)
		words[i] = i;
	ASSERT_EQ(0, bulk(0x02, words, sizeof(words), &done));
	EXPECT_EQ(0, emu_stat(emu, "pattern_errors"));
	ASSERT_EQ(0, bulk(0x02, words, 4, &done));
	EXPECT_EQ(1, emu_stat(emu, "pattern_errors"));
}

TEST("interrupt reports go both ways, and the host waits where there is none")
{
	uint8_t out[20], in[64];
	int done;

	fill(out, sizeof(out));
	ASSERT_EQ(0, libusb_interrupt_transfer(handle, 0x03, out, sizeof(out), &done, 1000));
	ASSERT_EQ(0, libusb_interrupt_transfer(handle, 0x83, in, sizeof(in), &done, 1000));
	EXPECT_EQ((int)sizeof(out), done);
	EXPECT(!memcmp(out, in, sizeof(out)));
	EXPECT_EQ(LIBUSB_ERROR_TIMEOUT, libusb_interrupt_transfer(handle, 0x83, in, sizeof(in), &done, 100));
	command("interval=20");
	for (uint8_t i = 0; i < 3; i++) {
		ASSERT_EQ(0, libusb_interrupt_transfer(handle, 0x83, in, sizeof(in), &done, 5000));
		EXPECT_EQ(8, done);
		EXPECT_EQ(i, in[0]);
	}
}

TEST("vendor requests write and read a buffer, an unknown one stalls")
{
	uint8_t out[4000], in[4000];

	fill(out, sizeof(out));
	ASSERT_EQ((int)sizeof(out), libusb_control_transfer(handle, 0x40, 0x5b, 0, 0, out, sizeof(out), 1000));
	ASSERT_EQ((int)sizeof(in), libusb_control_transfer(handle, 0xc0, 0x5c, 0, 0, in, sizeof(in), 1000));
	EXPECT(!memcmp(out, in, sizeof(out)));
	EXPECT_EQ(LIBUSB_ERROR_PIPE, libusb_control_transfer(handle, 0x40, 0x77, 0, 0, NULL, 0, 1000));
	EXPECT_EQ(3, emu_stat(emu, "vendor_requests"));
}

TEST("an alternate setting takes its endpoints away and brings them back")
{
	uint8_t data[512];
	int done;

	ASSERT_EQ(0, libusb_set_interface_alt_setting(handle, 0, 1));
	EXPECT_EQ(1, emu_stat(emu, "alternate0"));
	EXPECT_EQ(0, bulk(0x01, data, 10, &done));
	EXPECT_NE(0, bulk(0x82, data, sizeof(data), &done));
	ASSERT_EQ(0, libusb_set_interface_alt_setting(handle, 0, 0));
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(2, emu_stat(emu, "set_interface"));
	EXPECT_EQ(0, emu_stat(emu, "last_alternate"));
}

TEST("a halted endpoint stalls until the host clears it")
{
	uint8_t data[512];
	int done;

	command("halt=ep82");
	EXPECT_EQ(LIBUSB_ERROR_PIPE, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(LIBUSB_ERROR_PIPE, bulk(0x82, data, sizeof(data), &done));
	ASSERT_EQ(0, libusb_clear_halt(handle, 0x82));
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(1, emu_stat(emu, "clear_halt"));
	EXPECT_EQ(0x82, emu_stat(emu, "last_clear_halt"));
}

TEST("rules make one transfer short, one fail, and one late")
{
	struct timespec begin, end;
	uint8_t data[512];
	int done;

	command("short=ep82:13*1");
	ASSERT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(13, done);
	ASSERT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(512, done);
	command("error=ep82:overflow+1*1");
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(LIBUSB_ERROR_OVERFLOW, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	command("delay=ep82:300*1");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	ASSERT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	clock_gettime(CLOCK_MONOTONIC, &end);
	EXPECT_GE((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000, 299);
}

static int completed, statuses[DEPTH];

static void count(struct libusb_transfer *transfer)
{
	statuses[completed++] = transfer->status;
}

static void submit_all(uint8_t endpoint)
{
	for (int i = 0; i < DEPTH; i++) {
		struct libusb_transfer *transfer = libusb_alloc_transfer(0);

		libusb_fill_bulk_transfer(transfer, handle, endpoint, malloc(512), 512, count, NULL, 0);
		ASSERT_EQ(0, libusb_submit_transfer(transfer));
	}
	ASSERT_EQ(0, emu_wait(emu, "in_flight>=64", 5000));
}

static void reap_all(int status)
{
	struct timeval wait = { 0, 100000 };

	/* an event may be one transfer's only */
	for (int i = 0; completed < DEPTH && i < 2 * DEPTH; i++)
		libusb_handle_events_timeout(context, &wait);
	ASSERT_EQ(DEPTH, completed);
	for (int i = 0; i < DEPTH; i++)
		EXPECT_EQ(status, statuses[i]);
}

TEST("a mute endpoint holds its transfers until it speaks again")
{
	uint8_t data[512];
	int done;

	command("mute=ep82");
	EXPECT_EQ(LIBUSB_ERROR_TIMEOUT, libusb_bulk_transfer(handle, 0x82, data, sizeof(data), &done, 200));
	EXPECT_EQ(1, emu_stat(emu, "unlinks"));
	submit_all(0x82);
	EXPECT_EQ(0, completed);
	command("unmute=ep82");
	reap_all(LIBUSB_TRANSFER_COMPLETED);
}

TEST("muting reaches what is in flight already")
{
	uint8_t data[512];
	int done;

	submit_all(0x84);
	command("mute=all");
	EXPECT_EQ(LIBUSB_ERROR_TIMEOUT, libusb_control_transfer(handle, 0x80, 0, 0, 0, data, 2, 200));
	EXPECT_EQ(DEPTH, emu_stat(emu, "in_flight"));
	command("behave");
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(DEPTH, emu_stat(emu, "ep84_in_flight"));
	command("fail");
	reap_all(LIBUSB_TRANSFER_ERROR);
}

TEST("an unplug ends 64 transfers in flight, and the device comes back as it was")
{
	submit_all(0x84);
	command("unplug");
	reap_all(LIBUSB_TRANSFER_NO_DEVICE);
	libusb_close(handle);
	handle = NULL;
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", 10000));
	command("plug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==1", 10000));
	/* libusb learns of it from udev, some time later */
	handle = NULL;
	for (int i = 0; !handle && i < 1000; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		handle = libusb_open_device_with_vid_pid(context, VENDOR, PRODUCT);
	}
	ASSERT(handle);
}

TEST("a reset shows as one more enumeration")
{
	long before = emu_stat(emu, "enumerations");

	ASSERT_EQ(0, libusb_reset_device(handle));
	EXPECT_EQ(before + 1, emu_stat(emu, "enumerations"));
	EXPECT_EQ(1, emu_stat(emu, "resets"));
	EXPECT_EQ(0, emu_stat(emu, "set_address"));
}

TEST("what is kept for a reset is done at it, and once")
{
	uint8_t data[512];
	int done;

	command("at-reset=mute=ep82");
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	ASSERT_EQ(0, libusb_reset_device(handle));
	EXPECT_EQ(LIBUSB_ERROR_TIMEOUT, libusb_bulk_transfer(handle, 0x82, data, sizeof(data), &done, 200));
	command("behave");
	ASSERT_EQ(0, libusb_reset_device(handle));
	EXPECT_EQ(2, emu_stat(emu, "resets"));
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	EXPECT_EQ(-EINVAL, emu_command(emu, "at-reset=replug", NULL));
	EXPECT_EQ(-EINVAL, emu_command(emu, "at-reset=at-reset=behave", NULL));
}

static bool product_is(const char *product)
{
	char line[200];

	snprintf(line, sizeof(line), "[ \"$(cat /sys/bus/usb/devices/%s/idProduct 2>/dev/null)\" = %s ]", emu_busid(emu), product);
	return !system(line);
}

TEST("a device that becomes a keyboard at a reset is what it was until then")
{
	uint8_t data[512];
	int done;

	command("preset=keyboard");
	command("pid=0e03");
	command("at-reset=apply");
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
	EXPECT(product_is("0e01"));
	EXPECT_EQ(LIBUSB_ERROR_NOT_FOUND, libusb_reset_device(handle));
	for (int i = 0; i < 1000 && !product_is("0e03"); i++)
		usleep(10000);
	EXPECT(product_is("0e03"));
	EXPECT_EQ(1, emu_stat(emu, "plugs"));
}

TEST("a device that leaves at a reset comes back when told, or not at all")
{
	struct timespec began, now;

	command("at-reset=replug=1500");
	clock_gettime(CLOCK_MONOTONIC, &began);
	EXPECT_NE(0, libusb_reset_device(handle));
	ASSERT_EQ(0, emu_wait(emu, "plugs==2", 10000));
	clock_gettime(CLOCK_MONOTONIC, &now);
	EXPECT_GE((now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000, 1499);
	libusb_close(handle);
	ASSERT_EQ(0, emu_wait(emu, "configuration==1", 10000));
	handle = NULL;
	for (int i = 0; !handle && i < 1000; i++, usleep(10000))
		handle = libusb_open_device_with_vid_pid(context, VENDOR, PRODUCT);
	ASSERT(handle);
	command("at-reset=unplug=0");
	EXPECT_NE(0, libusb_reset_device(handle));
	EXPECT_EQ(0, emu_wait(emu, "enumerated==0", 10000));
	EXPECT_EQ(2, emu_stat(emu, "plugs"));
}

TEST("a device that ignores resets is not found at address 0, and is there again once replugged")
{
	/* Its descriptor is waited for again and again. */
	ASSERT_EQ(0, system("echo 100 >/sys/module/usbcore/parameters/initial_descriptor_timeout"));
	command("at-reset=mute=get_device");
	EXPECT_NE(0, libusb_reset_device(handle));
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", 20000));
	EXPECT_EQ(1, emu_stat(emu, "plugged"));
	ASSERT_EQ(0, system("echo 5000 >/sys/module/usbcore/parameters/initial_descriptor_timeout"));
	command("behave");
	command("replug");
	EXPECT_EQ(0, emu_wait(emu, "enumerated==1", 20000));
}

TEST("a raw SET_ADDRESS is counted and makes it deaf until a reset")
{
	uint8_t data[512];
	int done;

	ASSERT_EQ(0, libusb_control_transfer(handle, 0x00, 5, 99, 0, NULL, 0, 1000));
	EXPECT_EQ(1, emu_stat(emu, "set_address"));
	EXPECT_EQ(LIBUSB_ERROR_TIMEOUT, libusb_bulk_transfer(handle, 0x82, data, sizeof(data), &done, 200));
	ASSERT_EQ(0, libusb_reset_device(handle));
	EXPECT_EQ(0, bulk(0x82, data, sizeof(data), &done));
}

TEST("the second configuration has its one interface")
{
	uint8_t data[64];
	int done;

	libusb_release_interface(handle, 0);
	libusb_release_interface(handle, 1);
	ASSERT_EQ(0, libusb_set_configuration(handle, 2));
	EXPECT_EQ(2, emu_stat(emu, "configuration"));
	ASSERT_EQ(0, libusb_claim_interface(handle, 0));
	EXPECT_NE(0, libusb_claim_interface(handle, 1));
	EXPECT_EQ(0, bulk(0x01, data, 64, &done));
	EXPECT_EQ(0, bulk(0x81, data, 64, &done));
}

TEST("descriptors that change under the host's feet are seen at the next reset")
{
	command("serial=CHANGED");
	command("bcd=0999");
	command("apply");
	EXPECT_EQ(LIBUSB_ERROR_NOT_FOUND, libusb_reset_device(handle));
	ASSERT_EQ(0, emu_wait(emu, "enumerations>=3", 10000));
}

TAP_MAIN
