// SPDX-License-Identifier: GPL-2.0
// libs: libusb-1.0
// link: lib/libemu.a
// group: node
// timeout: 600 3000
// The node as its consumers use it: libusb on an open descriptor, raw ioctls good and bad, the control filter, the reset
// policies, and an unplug in the middle. The device is the emulated "loop".
#include <fcntl.h>
#include <libusb.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define TAP_SECONDS 120
#include "../../uapi/linux/usbpass.h"
#include "emu.h"
#include "tap.h"

#define NODE "/dev/usbpass/host/loop"
#define USBPASS "../userspace/usbpass --no-wait "
#define DEPTH 64

static struct emu *emu;
static libusb_context *context;
static libusb_device_handle *handle;
static int fd = -1;

static void command(const char *line)
{
	char *reply = NULL;

	if (emu_command(emu, line, &reply)) {
		TAP_SAY("%s: %s", line, reply);
		exit(TAP_FAIL);
	}
	free(reply);
}

static int slot_is(const char *state)
{
	char line[32] = "";
	FILE *file = fopen("/sys/class/usbpass/slot0/state", "r");
	bool same;

	if (!file)
		return 0;
	same = fgets(line, sizeof(line), file) && !strncmp(line, state, strlen(state));
	fclose(file);
	return same;
}

static bool wait_slot(const char *state)
{
	int i;

	for (i = 0; i < 400 && !slot_is(state); i++)
		usleep(50000);
	return slot_is(state);
}

static void parameter(const char *name, const char *value)
{
	char path[100];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/usbpass/parameters/%s", name);
	file = fopen(path, "w");
	ASSERT(file);
	fputs(value, file);
	ASSERT_EQ(0, fclose(file));
}

static void end(void)
{
	if (handle)
		libusb_close(handle);
	if (fd >= 0)
		close(fd);
	if (emu) {
		emu_command(emu, "unplug", NULL);
		emu_free(emu);
	}
	if (system("rmmod usbpass"))
		TAP_SAY("the module stays");
}

TAP_SETUP
{
	/* The runner starts tests in selftests/. */
	ASSERT_EQ(0, system("modprobe vhci_hcd; [ ! -e /sys/module/usbpass ] || rmmod usbpass"));
	ASSERT_EQ(0, system("insmod ${USBPASS_KO:-../usbpass.ko}"));
	ASSERT_EQ(0, system("{ " USBPASS "group add loops; " USBPASS "rule add loops --group loops --match 'vendor = 1209'; "
			    USBPASS "attach add loop --group loops; } >/dev/null 2>&1"));
	emu = emu_new();
	ASSERT(emu);
	tap_defer(end);
	command("vid=1209");
	command("pid=0e01");
	command("configs=2");
	command("plug");
	ASSERT(wait_slot("idle"));
	fd = open(NODE, O_RDWR);
	ASSERT(fd >= 0);
}

static void use_libusb(void)
{
	libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	ASSERT_EQ(0, libusb_init(&context));
	ASSERT_EQ(0, libusb_wrap_sys_device(context, fd, &handle));
	ASSERT_EQ(0, libusb_claim_interface(handle, 0));
	ASSERT_EQ(0, libusb_claim_interface(handle, 1));
}

static int claim(unsigned int number)
{
	return ioctl(fd, USBDEVFS_CLAIMINTERFACE, &number);
}

static void fill(uint8_t *data, size_t len, uint32_t seed)
{
	size_t i;

	for (i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = seed >> 24;
	}
}


/* The other direction of a loop, at its own time: all of @len, in URBs as libusb cuts them. */
static int loop(size_t len)
{
	struct libusb_transfer *out = libusb_alloc_transfer(0);
	uint8_t *sent = malloc(len), *got = malloc(len + 1);
	int done = 0, at = 0, err = 0;

	fill(sent, len, len);
	libusb_fill_bulk_transfer(out, handle, 0x01, sent, len, NULL, NULL, 60000);
	err = libusb_submit_transfer(out);
	while (!err && (size_t)at < len) {
		err = libusb_bulk_transfer(handle, 0x81, got + at, len - at, &done, 60000);
		at += done;
	}
	if (!err && memcmp(sent, got, len))
		err = -1000;
	free(sent);
	free(got);
	return err;
}

TEST("bulk data of 1 byte to 1 MiB comes back unchanged through libusb")
{
	static const size_t sizes[] = {1, 2, 63, 511, 512, 513, 4096, 16384, 32768, 32769, 65536, 100000, 1 << 20};
	unsigned int i;

	use_libusb();
	command("fifo=2097152");
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		TAP_SAY("%zu bytes", sizes[i]);
		ASSERT_EQ(0, loop(sizes[i]));
	}
}

TEST("a sink takes and a source gives 32 MiB (256 MiB in long runs) of the right pattern")
{
	size_t len = 1 << 20, i, j, total = tap_long() ? 256 : 32;
	uint32_t *data = malloc(len), word = 0, out_word = 0;
	int done;

	use_libusb();
	ASSERT_EQ(0, libusb_set_interface_alt_setting(handle, 0, 0));
	for (i = 0; i < total; i++) {
		for (j = 0; j < len / 4; j++)
			data[j] = out_word++;
		ASSERT_EQ(0, libusb_bulk_transfer(handle, 0x02, (void *)data, len, &done, 60000));
		ASSERT_EQ((int)len, done);
		ASSERT_EQ(0, libusb_bulk_transfer(handle, 0x82, (void *)data, len, &done, 60000));
		ASSERT_EQ((int)len, done);
		for (j = 0; j < len / 4; j++)
			ASSERT_EQ(word++, data[j]);
	}
	EXPECT_EQ(0, emu_stat(emu, "pattern_errors"));
}

TEST("16 MiB move in one call of libusb")
{
	size_t len = 16 << 20;
	uint8_t *data = malloc(len);
	int done;

	use_libusb();
	ASSERT_EQ(0, libusb_bulk_transfer(handle, 0x82, data, len, &done, 60000));
	EXPECT_EQ((int)len, done);
	free(data);
}

TEST("a time-out cancels, and what comes later is not lost")
{
	uint8_t data[512] = {1, 2, 3};
	int done;

	use_libusb();
	EXPECT_EQ(LIBUSB_ERROR_TIMEOUT, libusb_bulk_transfer(handle, 0x81, data, sizeof(data), &done, 200));
	EXPECT_EQ(0, emu_wait(emu, "in_flight==0", 5000));
	EXPECT_EQ(0, loop(512));
}

TEST("a stall is EPIPE, and clear halt ends it")
{
	uint8_t data[64] = {0};
	int done;

	use_libusb();
	command("halt=ep01");
	EXPECT_EQ(LIBUSB_ERROR_PIPE, libusb_bulk_transfer(handle, 0x01, data, sizeof(data), &done, 5000));
	EXPECT_EQ(0, libusb_clear_halt(handle, 0x01));
	EXPECT_EQ(0, loop(64));
}

TEST("an interrupt report arrives")
{
	uint8_t data[64];
	int done;

	use_libusb();
	command("report=01020304");
	EXPECT_EQ(0, libusb_interrupt_transfer(handle, 0x83, data, sizeof(data), &done, 10000));
	EXPECT_EQ(4, done);
	EXPECT_EQ(4, data[3]);
}

TEST("control data goes both ways")
{
	uint8_t sent[256], got[256];

	use_libusb();
	fill(sent, sizeof(sent), 7);
	ASSERT_EQ(256, libusb_control_transfer(handle, 0x40, 0x5b, 0, 0, sent, 256, 5000));
	ASSERT_EQ(256, libusb_control_transfer(handle, 0xc0, 0x5c, 0, 0, got, 256, 5000));
	EXPECT_EQ(0, memcmp(sent, got, 256));
}

TEST("SET_ADDRESS on endpoint 0 is refused with EPERM and never reaches the device")
{
	struct usbdevfs_ctrltransfer control = {.bRequestType = 0x00, .bRequest = 5, .wValue = 77, .timeout = 1000};

	EXPECT_ERRNO(EPERM, ioctl(fd, USBDEVFS_CONTROL, &control));
	EXPECT_EQ(0, emu_stat(emu, "set_address"));
}

TEST("raw SET_CONFIGURATION, SET_INTERFACE and CLEAR_FEATURE(HALT) leave kernel and device in step")
{
	struct usbdevfs_ctrltransfer configure = {.bRequest = 9, .wValue = 1, .timeout = 5000};
	struct usbdevfs_ctrltransfer alternate = {.bRequestType = 1, .bRequest = 11, .wValue = 1, .timeout = 5000};
	struct usbdevfs_ctrltransfer unhalt = {.bRequestType = 2, .bRequest = 1, .wIndex = 0x81, .timeout = 5000};
	char line[100];
	long before;

	ASSERT_EQ(0, claim(0));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_CONTROL, &alternate));
	EXPECT_EQ(1, emu_stat(emu, "alternate0"));
	snprintf(line, sizeof(line), "[ $(cat /sys/bus/usb/devices/%s:1.0/bAlternateSetting) -eq 1 ]", emu_busid(emu));
	EXPECT_EQ(0, system(line));
	before = emu_stat(emu, "clear_halt");
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_CONTROL, &unhalt));
	EXPECT_EQ(before + 1, emu_stat(emu, "clear_halt"));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_CONTROL, &configure));
	EXPECT_EQ(1, emu_stat(emu, "last_configuration"));
	EXPECT_EQ(0, emu_stat(emu, "alternate0"));
	snprintf(line, sizeof(line), "[ $(cat /sys/bus/usb/devices/%s:1.0/bAlternateSetting) -eq 0 ]", emu_busid(emu));
	EXPECT_EQ(0, system(line));
	configure.wValue = 2;
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_CONTROL, &configure));
	EXPECT_EQ(2, emu_stat(emu, "last_configuration"));
	snprintf(line, sizeof(line), "[ $(cat /sys/bus/usb/devices/%s/bConfigurationValue) -eq 2 ]", emu_busid(emu));
	EXPECT_EQ(0, system(line));
}

TEST("unknown ioctls are ENOTTY, and so are those left out on purpose")
{
	unsigned int number = 0;

	EXPECT_ERRNO(ENOTTY, ioctl(fd, _IO('U', 99)));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, _IO(USBPASS_IOC_MAGIC, 3)));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_CLAIM_PORT, &number));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_RELEASE_PORT, &number));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_HUB_PORTINFO, &number));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_DISCSIGNAL, &number));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_DROP_PRIVILEGES, &number));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_FORBID_SUSPEND));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_ALLOW_SUSPEND));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_WAIT_FOR_RESUME));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_ALLOC_STREAMS, &number));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_FREE_STREAMS, &number));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_DISCONNECT));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, USBDEVFS_CONNECT));
}

TEST("bad pointers are EFAULT in every ioctl that follows one")
{
	static const unsigned long requests[] = {
		USBDEVFS_CONTROL, USBDEVFS_BULK, USBDEVFS_RESETEP, USBDEVFS_SETINTERFACE, USBDEVFS_SETCONFIGURATION,
		USBDEVFS_GETDRIVER, USBDEVFS_SUBMITURB, USBDEVFS_CLAIMINTERFACE, USBDEVFS_RELEASEINTERFACE, USBDEVFS_CONNECTINFO,
		USBDEVFS_IOCTL, USBDEVFS_CLEAR_HALT, USBDEVFS_GET_CAPABILITIES, USBDEVFS_DISCONNECT_CLAIM,
		USBDEVFS_CONNINFO_EX(sizeof(struct usbdevfs_conninfo_ex)), USBPASS_IOC_INFO, USBPASS_IOC_LEASE_STATE,
	};
	void *pointers[] = {NULL, (void *)1, (void *)0xffffffff81000000, (void *)0x7ffffffff000, (void *)-1UL};
	unsigned int i, j;

	for (i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		for (j = 0; j < sizeof(pointers) / sizeof(*pointers); j++) {
			errno = 0;
			if (ioctl(fd, requests[i], pointers[j]) >= 0 || errno != EFAULT)
				TAP_SAY("request %lx pointer %p: %s", requests[i], pointers[j], strerror(errno));
			EXPECT_EQ(EFAULT, errno);
		}
	EXPECT_ERRNO(EINVAL, ioctl(fd, USBDEVFS_DISCARDURB, NULL));
}

static int submit(struct usbdevfs_urb *urb)
{
	return ioctl(fd, USBDEVFS_SUBMITURB, urb);
}

TEST("lengths are refused past each bound and taken at it")
{
	static uint8_t data[1 << 16];
	struct usbdevfs_ctrltransfer control = {
		.bRequestType = 0xc0, .bRequest = 0x5c, .wLength = 4096, .timeout = 5000, .data = data};
	struct usbdevfs_bulktransfer bulk = {.ep = 0x02, .len = 1 << 16, .timeout = 5000, .data = data};
	struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x82, .buffer = data};

	ASSERT_EQ(0, claim(0));
	EXPECT(ioctl(fd, USBDEVFS_CONTROL, &control) >= 0 || errno == EPIPE);
	control.wLength = 4097;
	EXPECT_ERRNO(EINVAL, ioctl(fd, USBDEVFS_CONTROL, &control));
	EXPECT_EQ(1 << 16, ioctl(fd, USBDEVFS_BULK, &bulk));
	bulk.len = 0x80000000;
	EXPECT_ERRNO(EINVAL, ioctl(fd, USBDEVFS_BULK, &bulk));
	urb.buffer_length = -1;
	EXPECT_ERRNO(EINVAL, submit(&urb));
	/* A lease has 64 MiB. */
	urb.buffer_length = 100 << 20;
	EXPECT_ERRNO(ENOMEM, submit(&urb));
	urb.buffer_length = 16;
	urb.buffer = NULL;
	EXPECT_ERRNO(EINVAL, submit(&urb));
	urb.endpoint = 0x83;
	urb.type = USBDEVFS_URB_TYPE_INTERRUPT;
	urb.buffer = data;
	urb.buffer_length = USBPASS_INTERRUPT_BYTES_MAX + 1;
	EXPECT_ERRNO(EINVAL, submit(&urb));
}

TEST("wrong endpoints, types, flags and unclaimed interfaces are refused by name")
{
	static uint8_t data[512];
	struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x81, .buffer = data, .buffer_length = 512};
	struct usbdevfs_setinterface set = {.interface = 0, .altsetting = 0};
	unsigned int number = 31, config = 77;

	EXPECT_ERRNO(EACCES, submit(&urb));
	EXPECT_ERRNO(EACCES, ioctl(fd, USBDEVFS_SETINTERFACE, &set));
	ASSERT_EQ(0, claim(0));
	EXPECT_ERRNO(ENOENT, claim(31));
	EXPECT_ERRNO(EINVAL, claim(32));
	EXPECT_ERRNO(EINVAL, ioctl(fd, USBDEVFS_RELEASEINTERFACE, &number));
	set.altsetting = 200;
	EXPECT_ERRNO(EINVAL, ioctl(fd, USBDEVFS_SETINTERFACE, &set));
	EXPECT_ERRNO(EBUSY, ioctl(fd, USBDEVFS_SETCONFIGURATION, &(unsigned int){2}));
	urb.endpoint = 0x8f;
	EXPECT_ERRNO(ENOENT, submit(&urb));
	urb.endpoint = 0x70;
	EXPECT_ERRNO(EINVAL, submit(&urb));
	urb.endpoint = 0x81;
	urb.flags = 0x1000;
	EXPECT_ERRNO(EINVAL, submit(&urb));
	urb.flags = 0;
	urb.type = USBDEVFS_URB_TYPE_ISO;
	EXPECT_ERRNO(EINVAL, submit(&urb));
	urb.type = 9;
	EXPECT_ERRNO(EINVAL, submit(&urb));
	urb.type = USBDEVFS_URB_TYPE_BULK;
	urb.signr = SIGUSR1;
	EXPECT_ERRNO(EINVAL, submit(&urb));
	number = 0;
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_RELEASEINTERFACE, &number));
	EXPECT_ERRNO(EINVAL, ioctl(fd, USBDEVFS_SETCONFIGURATION, &config));
}

TEST("a read-only descriptor gives the descriptors and no ioctl")
{
	uint8_t device[18];

	close(fd);
	ASSERT(wait_slot("idle"));
	fd = open(NODE, O_RDONLY);
	ASSERT(fd >= 0);
	EXPECT_EQ(18, (int)read(fd, device, sizeof(device)));
	EXPECT_EQ(0x09, device[8]);
	EXPECT_EQ(0x12, device[9]);
	EXPECT_ERRNO(EPERM, claim(0));
}

TEST("EAGAIN when nothing is done, and a discarded URB is reaped with ENOENT")
{
	static uint8_t data[512];
	struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x81, .buffer = data, .buffer_length = 512};
	struct usbdevfs_urb *done = NULL;

	ASSERT_EQ(0, claim(0));
	EXPECT_ERRNO(EAGAIN, ioctl(fd, USBDEVFS_REAPURBNDELAY, &done));
	ASSERT_EQ(0, submit(&urb));
	EXPECT_ERRNO(EAGAIN, ioctl(fd, USBDEVFS_REAPURBNDELAY, &done));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_DISCARDURB, &urb));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_REAPURB, &done));
	EXPECT(done == &urb);
	EXPECT_EQ(-ENOENT, urb.status);
	EXPECT_ERRNO(EINVAL, ioctl(fd, USBDEVFS_DISCARDURB, &urb));
}

static long enumerations(void)
{
	return emu_stat(emu, "enumerations");
}

TEST("policy none: a guest's reset reaches no wire, answers 0 and keeps the settings")
{
	struct usbdevfs_setinterface set = {.interface = 0, .altsetting = 1};
	long before;

	close(fd);
	ASSERT(wait_slot("idle"));
	ASSERT_EQ(0, system(USBPASS "group set loops --reset none >/dev/null"));
	fd = open(NODE, O_RDWR);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, claim(0));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_SETINTERFACE, &set));
	before = enumerations();
	EXPECT_EQ(0, ioctl(fd, USBDEVFS_RESET));
	EXPECT_EQ(before, enumerations());
	EXPECT_EQ(1, emu_stat(emu, "alternate0"));
	/* The policy may change under the lease: from the next request on. */
	ASSERT_EQ(0, system(USBPASS "group set loops --reset device >/dev/null"));
	EXPECT_EQ(0, ioctl(fd, USBDEVFS_RESET));
	EXPECT(enumerations() > before);
}

TEST("policy device: a reset is one on the wire, up to the budget")
{
	int i, tries;
	long before;

	parameter("reset_budget", "2");
	ASSERT_EQ(0, claim(0));
	/* The device's minute may end in the middle; the next one is all ahead then. */
	for (tries = 0; tries < 2; tries++) {
		before = enumerations();
		for (i = 0; i < 2; i++)
			EXPECT_EQ(0, ioctl(fd, USBDEVFS_RESET));
		EXPECT(enumerations() > before);
		before = enumerations();
		EXPECT_EQ(0, ioctl(fd, USBDEVFS_RESET));
		if (enumerations() == before)
			break;
	}
	EXPECT_EQ(before, enumerations());
	parameter("reset_refusal", "error");
	EXPECT_ERRNO(EPERM, ioctl(fd, USBDEVFS_RESET));
}

/* URBs that the device never answers. */
static void submit_many(struct usbdevfs_urb *urbs, uint8_t (*data)[512])
{
	int i;

	ASSERT_EQ(0, claim(0));
	for (i = 0; i < DEPTH; i++) {
		urbs[i] = (struct usbdevfs_urb){
			.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x81, .buffer = data[i], .buffer_length = 512};
		ASSERT_EQ(0, submit(&urbs[i]));
	}
}

static int reap_all(void)
{
	struct usbdevfs_urb *done;
	int i, failed = 0;

	for (i = 0; i < DEPTH; i++) {
		if (ioctl(fd, USBDEVFS_REAPURB, &done))
			break;
		failed += done->status != 0;
	}
	return failed;
}

static long slab_kib(void)
{
	long kib = -1;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static void unplug_rounds(int rounds)
{
	static struct usbdevfs_urb urbs[DEPTH];
	static uint8_t data[DEPTH][512];
	struct usbdevfs_urb *done;
	struct pollfd pollfd;

	while (rounds--) {
		submit_many(urbs, data);
		command("unplug");
		ASSERT_EQ(DEPTH, reap_all());
		ASSERT(wait_slot("gone"));
		EXPECT_ERRNO(ENODEV, ioctl(fd, USBDEVFS_REAPURBNDELAY, &done));
		EXPECT_ERRNO(ENODEV, ioctl(fd, USBDEVFS_RESET));
		pollfd = (struct pollfd){.fd = fd, .events = POLLOUT};
		ASSERT_EQ(1, poll(&pollfd, 1, 1000));
		EXPECT_EQ(POLLERR | POLLHUP, pollfd.revents & (POLLERR | POLLHUP));
		close(fd);
		command("plug");
		ASSERT(wait_slot("idle"));
		fd = open(NODE, O_RDWR);
		ASSERT(fd >= 0);
	}
}

TEST("unplugged with 64 URBs in flight, again and again: all are reaped with an error, ENODEV, ERR, HUP, and no memory is lost")
{
	/* Of a slow kernel KASAN keeps what was freed for a while; its leaks are found by kmemleak. */
	int rounds = tap_long() ? 50 : tap_slower() > 1 ? 2 : 5, slack_kib = tap_slower() > 1 ? 32768 : 1024;
	long before, after;

	alarm(tap_long() ? 2400 : 400);
	parameter("replug_ms", "0");
	unplug_rounds(rounds);
	before = slab_kib();
	unplug_rounds(rounds * 9);
	after = slab_kib();
	TAP_SAY("%d rounds, unreclaimable slab from %ld to %ld KiB", rounds * 10, before, after);
	EXPECT_LE(after - before, slack_kib);
}

TEST("a device back in time: its URBs end with EPROTO, and the same descriptor goes on")
{
	static struct usbdevfs_urb urbs[DEPTH];
	static uint8_t data[DEPTH][512];
	struct usbpass_node_state state = {.size = sizeof(state)};
	struct timespec began, now;

	parameter("replug_ms", "20000");
	submit_many(urbs, data);
	command("unplug");
	ASSERT(wait_slot("returning"));
	EXPECT_EQ(DEPTH, reap_all());
	EXPECT_EQ(-EPROTO, urbs[0].status);
	/* A hypervisor calls this under its big lock. */
	clock_gettime(CLOCK_MONOTONIC, &began);
	EXPECT_EQ(0, ioctl(fd, USBDEVFS_RESET));
	clock_gettime(CLOCK_MONOTONIC, &now);
	EXPECT(now.tv_sec - began.tv_sec < 2);
	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_LEASE_STATE, &state));
	EXPECT_EQ(USBPASS_LEASE_RETURNING, (int)state.state);
	command("plug");
	ASSERT(wait_slot("online"));
	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_LEASE_STATE, &state));
	EXPECT_EQ(USBPASS_LEASE_ONLINE, (int)state.state);
	EXPECT_EQ(1, (int)state.returns);
	use_libusb();
	EXPECT_EQ(0, loop(4096));
}

TEST("own ioctls check their size and flags")
{
	struct usbpass_node_info info = {.size = 4};

	EXPECT_ERRNO(EINVAL, ioctl(fd, USBPASS_IOC_INFO, &info));
	info.size = sizeof(info);
	info.flags = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, USBPASS_IOC_INFO, &info));
	info.flags = 0;
	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_INFO, &info));
	EXPECT_EQ((int)sizeof(info), (int)info.size);
	EXPECT_EQ(480000, (int)info.speed_kbps);
	EXPECT(!strncmp(info.socket, "vhci_hcd.0/", 11));
}

/* open() of the node in each of the states that the UAPI header has a row for: the errno, 0 if it opens. */
static int try_open(const char *path, int flags)
{
	int other = open(path, O_RDWR | flags);

	if (other < 0)
		return errno;
	close(other);
	return 0;
}

static int while_open(void)
{
	return try_open(NODE, 0);
}

static int without_device(void)
{
	close(fd);
	fd = -1;
	command("unplug");
	ASSERT(wait_slot("missing"));
	return try_open(NODE, 0);
}

/* A device that does not take configuration 0 is being cleaned for five seconds. */
static void close_mute(void)
{
	command("mute=set_configuration");
	close(fd);
	fd = -1;
	ASSERT(wait_slot("cleaning"));
}

static int while_cleaned(void)
{
	close_mute();
	return try_open(NODE, O_NONBLOCK);
}

static void on_alarm(int signal)
{
}

static int interrupted(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 500000}}, never = {0};
	struct sigaction action = {.sa_handler = on_alarm};
	int err;

	close_mute();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	err = try_open(NODE, 0);
	setitimer(ITIMER_REAL, &never, NULL);
	return err;
}

static int disabled(void)
{
	int err;

	close(fd);
	fd = -1;
	ASSERT(wait_slot("idle"));
	ASSERT_EQ(0, system(USBPASS "attach set loop --disable >/dev/null"));
	err = try_open(NODE, 0);
	ASSERT_EQ(0, system(USBPASS "attach set loop --enable >/dev/null"));
	return err;
}

static int in_maintenance(void)
{
	int err;

	close(fd);
	fd = -1;
	ASSERT(wait_slot("idle"));
	ASSERT_EQ(0, system(USBPASS "maintenance on >/dev/null"));
	err = try_open(NODE, 0);
	ASSERT_EQ(0, system(USBPASS "maintenance off >/dev/null"));
	return err;
}

static int mute(void)
{
	close(fd);
	fd = -1;
	ASSERT(wait_slot("idle"));
	command("mute=set_configuration");
	return try_open(NODE, 0);
}

/* The inode outlives its name. */
static int deleted(void)
{
	int path = open(NODE, O_PATH), err;
	char again[40];

	ASSERT(path >= 0);
	close(fd);
	fd = -1;
	ASSERT(wait_slot("idle"));
	ASSERT_EQ(0, system(USBPASS "attach del loop >/dev/null"));
	snprintf(again, sizeof(again), "/proc/self/fd/%d", path);
	err = try_open(again, 0);
	close(path);
	return err;
}

static const struct {
	const char *name;
	int err;
	int (*provoke)(void);
} rows[] = {
	{"EBUSY", EBUSY, while_open},
	{"EBUSY", EBUSY, in_maintenance},
	{"ENODEV", ENODEV, without_device},
	{"EAGAIN", EAGAIN, while_cleaned},
	{"EACCES", EACCES, disabled},
	{"EIO", EIO, mute},
	{"EINTR", EINTR, interrupted},
	{"ENXIO", ENXIO, deleted},	/* last: the attachment is gone */
};

#define ROWS (sizeof(rows) / sizeof(*rows))

/* Each row that the header has must stand in the table above. */
static unsigned int header_rows(void)
{
	FILE *header = fopen("../uapi/linux/usbpass.h", "r");
	char line[200], name[20];
	bool within = false;
	unsigned int count = 0, i;

	ASSERT(header);
	while (fgets(line, sizeof(line), header)) {
		if (strstr(line, "Opening it leases"))
			within = true;
		else if (strstr(line, "It speaks the ABI"))
			break;
		else if (within && sscanf(line, " *   %19[A-Z] ", name) == 1 && name[0] == 'E' && name[1]) {
			count++;
			for (i = 0; i < ROWS && strcmp(rows[i].name, name); i++)
				;
			if (i == ROWS)
				TAP_SAY("no test for the row %s", name);
			EXPECT(i < ROWS);
		}
	}
	fclose(header);
	return count;
}

TEST("open gives each errno that the header has a row for, where it says so")
{
	unsigned int i, hit = 0, wanted = header_rows();

	for (i = 0; i < ROWS; i++) {
		int err = rows[i].provoke();

		if (err != rows[i].err)
			TAP_SAY("%s: %s", rows[i].name, strerror(err));
		hit += err == rows[i].err;
		/* As it was, for the next. */
		if (i + 1 < ROWS) {
			command("behave");
			if (fd >= 0)
				close(fd);
			if (emu_stat(emu, "plugged") == 1)
				command("unplug");
			ASSERT(wait_slot("missing"));
			command("plug");
			ASSERT(wait_slot("idle"));
			fd = open(NODE, O_RDWR);
			ASSERT(fd >= 0);
		}
	}
	TAP_SAY("errno rows: %u of %u hit", hit, wanted);
	EXPECT_EQ(wanted, hit);
}

TAP_MAIN
