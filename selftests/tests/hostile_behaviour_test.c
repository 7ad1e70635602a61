// SPDX-License-Identifier: GPL-2.0
// link: lib/libemu.a
// group: trust
// timeout: 300 3000
// Devices whose descriptors are right and whose conduct is not: they stall, babble, are late or mute, come and go, come as something
// else. Each call on their node ends in its time, each says what it should, the module can go, and the host's other devices
// and its log do not feel it.
#define TAP_SECONDS 90
#include <pthread.h>

#include "hostile.h"

#define CONTROL_MS 5000	/* the USB core's own time-out of a control request */

TAP_SETUP
{
	hostile_begin();
}

static void plug_keyboard(void)
{
	hostile_new();
	hostile_tell(emu, "class=03:01:01");
	hostile_tell(emu, "serial=HOSTILE");
	hostile_tell(emu, "plug");
	ASSERT(hostile_wait_driver(emu, "usbpass"));
	ASSERT(consumer_wait_slot("hostile", "idle"));
}

static void open_node(void)
{
	fd = open(HOSTILE_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, consumer_claim(fd));
}

static int control_in(unsigned int timeout)
{
	uint8_t data[18];
	struct usbdevfs_ctrltransfer control = {
		.bRequestType = 0x80, .bRequest = 6, .wValue = 0x100, .wLength = 18, .timeout = timeout, .data = data};

	return ioctl(fd, USBDEVFS_CONTROL, &control);
}

/* The helper shows the device in error, and what it says matches both. */
static void expect_error_state(const char *reason, const char *remedy)
{
	char line[300];

	EXPECT(consumer_wait_slot("hostile", "error"));
	snprintf(line, sizeof(line),
		CONSUMER_HELPER "device show HOSTILE >/tmp/hostile.show && grep -q '^state *error$' /tmp/hostile.show && "
		"grep -Eq '^reason .*%s' /tmp/hostile.show && grep -Eq '^remedy .*%s' /tmp/hostile.show", reason, remedy);
	if (system(line)) {
		EXPECT(false);
		system("sed 's/^/# /' /tmp/hostile.show");
	}
	unlink("/tmp/hostile.show");
}

TEST("a device that stalls all is refused at its plug, says EIO to an open and EPIPE to a lease, and serves once it behaves and is replugged")
{
	hostile_new();
	hostile_tell(emu, "stall=all");
	hostile_tell(emu, "plug");
	hostile_wait_quiet();
	EXPECT_EQ(0, hostile_present("1209"));
	hostile_forget();

	plug_keyboard();
	hostile_tell(emu, "stall=all");
	EXPECT_ERRNO(EIO, open(HOSTILE_NODE, O_RDWR));
	expect_error_state("does not take configuration 0", "replug");
	hostile_tell(emu, "behave");
	hostile_replug();
	ASSERT(consumer_wait_slot("hostile", "idle"));
	open_node();
	hostile_tell(emu, "stall=all");
	EXPECT_ERRNO(EPIPE, control_in(5000));
	EXPECT_ERRNO(EPIPE, consumer_bulk(fd, 0x81, (uint8_t[64]){0}, 64, 5000));
	EXPECT_ERRNO(EPIPE, consumer_bulk(fd, 0x01, (uint8_t[64]){0}, 64, 5000));
	EXPECT_ERRNO(EPIPE, ioctl(fd, USBDEVFS_CLEAR_HALT, &(unsigned int){0x81}));
	hostile_tell(emu, "behave");
	EXPECT(consumer_works(fd));
	close(fd);
	EXPECT(consumer_wait_slot("hostile", "idle"));
	hostile_unplug();
	hostile_end();
}

TEST("a device that babbles says EIO to an open, EOVERFLOW to a lease, and not a byte more than was asked for is written")
{
	uint8_t data[192];
	size_t i;

	plug_keyboard();
	hostile_tell(emu, "error=all:overflow");
	EXPECT_ERRNO(EIO, open(HOSTILE_NODE, O_RDWR));
	expect_error_state("does not take configuration 0", "replug");
	hostile_tell(emu, "behave");
	hostile_replug();
	ASSERT(consumer_wait_slot("hostile", "idle"));
	open_node();
	hostile_tell(emu, "error=all:overflow");
	memset(data, 0xc5, sizeof(data));
	EXPECT_ERRNO(EOVERFLOW, consumer_bulk(fd, 0x81, data + 64, 64, 5000));
	EXPECT_ERRNO(EOVERFLOW, control_in(5000));
	hostile_tell(emu, "behave");
	/* 512 bytes are on their way to a buffer of 64. */
	EXPECT_EQ(512, consumer_bulk(fd, 0x01, (uint8_t[512]){0}, 512, 5000));
	EXPECT_ERRNO(EOVERFLOW, consumer_bulk(fd, 0x81, data + 64, 64, 5000));
	for (i = 0; i < 64; i++)
		EXPECT(data[i] == 0xc5 && data[128 + i] == 0xc5);
	close(fd);
	EXPECT(consumer_wait_slot("hostile", "idle"));
	hostile_unplug();
	hostile_end();
}

/* A control request costs five seconds; two in a row, and the device costs nobody anything any more. */
TEST("a device that answers too late fails an open with EIO, and is then in error, with a reason and a remedy, until replugged")
{
	uint64_t began;

	plug_keyboard();
	hostile_tell(emu, "delay=ep0:6500");
	began = fuzz_now_ms();
	EXPECT_ERRNO(EIO, open(HOSTILE_NODE, O_RDWR));
	EXPECT_LE(fuzz_now_ms() - began, 2 * CONTROL_MS + 2000 * tap_slower());
	expect_error_state("does not answer", "replug");
	EXPECT_ERRNO(ENODEV, open(HOSTILE_NODE, O_RDWR));
	hostile_tell(emu, "behave");
	hostile_replug();
	ASSERT(consumer_wait_slot("hostile", "idle"));
	open_node();
	hostile_tell(emu, "delay=bulk:3000");
	began = fuzz_now_ms();
	EXPECT_ERRNO(ETIMEDOUT, consumer_bulk(fd, 0x01, (uint8_t[64]){0}, 64, 100));
	EXPECT_LE(fuzz_now_ms() - began, 2000);
	close(fd);
	EXPECT(consumer_wait_slot("hostile", "idle"));
	hostile_unplug();
	hostile_end();
}

TEST("a device that never answers keeps neither a transfer, nor a close, nor the module's removal for ever")
{
	static uint8_t data[64][512];
	static struct usbdevfs_urb urbs[64];
	uint64_t began;
	int i;

	plug_keyboard();
	open_node();
	hostile_tell(emu, "mute=all");
	EXPECT_ERRNO(ETIMEDOUT, control_in(200));
	for (i = 0; i < 64; i++)
		EXPECT_EQ(0, consumer_submit(fd, &urbs[i], data[i], sizeof(data[i])));
	began = fuzz_now_ms();
	EXPECT_EQ(0, close(fd));
	EXPECT_LE(fuzz_now_ms() - began, 2000 * tap_slower());
	EXPECT_EQ(0, consumer_in_flight());
	expect_error_state("does not take configuration 0", "replug");
	/* It is given back, and the host asks it for a configuration. */
	began = fuzz_now_ms();
	EXPECT_EQ(0, system("rmmod usbpass"));
	EXPECT_LE(fuzz_now_ms() - began, 4 * CONTROL_MS + 5000 * tap_slower());
	hostile_tell(emu, "unplug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", 20000 * tap_slower()));
	hostile_script("probes_disarm");
	ASSERT(hostile_world());
	hostile_probes_before = hostile_probes();
	hostile_end();
}

/* What comes back in a leased socket, and in it after the lease, and has no rule. */
static const char *const others[][4] = {
	{"vid=1d6b", "class=03:01:01", "device-class=00:00:00", "preset=keyboard"},
	{"vid=1d6b", "class=08:06:50", "device-class=00:00:00", "preset=storage"},
	{"vid=1d6b", "class=02:02:01", "device-class=00:00:00", "preset=acm"},
	{"vid=1d6b", "class=03:01:01", "device-class=09:00:00", "preset=keyboard"},	/* says that it is a hub */
};

TEST("a device that comes back as something else, each time another, is held: no host driver gets it during a lease or after")
{
	char busid[32];
	size_t i, j;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		plug_keyboard();
		open_node();
		for (j = 0; j < 4; j++)
			hostile_tell(emu, others[i][j]);
		hostile_replug();
		ASSERT_EQ(0, emu_wait(emu, "enumerated==1", 20000 * tap_slower()));
		TAP_CHECK(false, hostile_wait_driver(emu, "usbpass"), "%s of %s: not held", others[i][3], others[i][2]);
		ASSERT(consumer_wait_slot("hostile", "gone"));
		close(fd);
		hostile_replug();
		ASSERT_EQ(0, emu_wait(emu, "enumerated==1", 20000 * tap_slower()));
		snprintf(busid, sizeof(busid), "%s", emu_busid(emu));
		TAP_CHECK(false, hostile_wait_driver(emu, "usbpass"), "%s of %s: not held after the lease", others[i][3], others[i][2]);
		TAP_CHECK(false, !hostile_interfaces(emu), "%s: it has interfaces", others[i][3]);
		hostile_unplug();
	}
	hostile_end();
}

/* Lines of the module (the core's are "usbpass 1-1: ...") that came to the kernel's log since @kmsg was at its end. */
static unsigned int our_lines(int kmsg)
{
	char line[8192];
	unsigned int lines = 0;
	ssize_t len;

	for (;;) {
		len = read(kmsg, line, sizeof(line) - 1);
		if (len < 0 && errno == EPIPE)
			continue;	/* it was overrun: those that are left */
		if (len <= 0)
			return lines;
		line[len] = '\0';
		lines += strstr(line, "usbpass: ") != NULL;
	}
}

static int log_end(void)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	ASSERT(kmsg >= 0);
	lseek(kmsg, 0, SEEK_END);
	return kmsg;
}

static volatile bool over;
static unsigned int storms, opens;

/* In and out, another class each time, opened as soon as it can be. */
static void *re_enumerate(void *arg)
{
	struct emu *of = arg;
	unsigned int i;
	int node;

	for (i = 0; !over; i++) {
		hostile_tell(of, i % 2 ? "class=08:06:50" : "class=03:01:01");
		if (emu_command(of, "plug", NULL))
			break;
		if (!emu_wait(of, "enumerated==1", 5000 * tap_slower()))
			__atomic_add_fetch(&storms, 1, __ATOMIC_RELAXED);
		node = open(HOSTILE_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (node >= 0) {
			__atomic_add_fetch(&opens, 1, __ATOMIC_RELAXED);
			consumer_claim(node);
			consumer_works(node);
		}
		emu_command(of, "unplug", NULL);
		emu_wait(of, "enumerated==0", 5000 * tap_slower());
		if (node >= 0)
			close(node);
	}
	return NULL;
}

#define STORM_DEVICES 4
#define STORM_SECONDS 40
#define LINES_MAX 10

static struct emu *storm_emu[STORM_DEVICES];

static void end_storm(void)
{
	int i;

	for (i = 0; i < STORM_DEVICES; i++)
		if (storm_emu[i])
			emu_free(storm_emu[i]);
}

TEST("devices that come and go do not leave a line each in the log, neither of the module's nor of the daemon's")
{
	pthread_t threads[STORM_DEVICES];
	unsigned int lines, i;
	int kmsg = log_end();
	FILE *told;

	/* Too many by one, and all counted: so would be a line a plug. Ten in five seconds are what one opener may write. */
	for (i = 0; i <= LINES_MAX; i++)
		ASSERT_EQ(0, fuzz_write("/dev/kmsg", "usbpass: a line\n"));
	EXPECT_EQ(LINES_MAX + 1, our_lines(kmsg));

	ASSERT_EQ(0, system("../userspace/usbpassd --foreground --config /tmp/hostile.yaml --state /tmp/hostile-state "
			    "2>/tmp/hostile.log >&2 & echo $! >/tmp/hostile.pid"));
	for (uint64_t end = hostile_end_ms(20); system("grep -Eq 'no configuration yet|without a configuration' /tmp/hostile.log") &&
	     fuzz_now_ms() < end;)
		usleep(50000);
	told = fopen("/tmp/hostile.log", "r");
	ASSERT(told);
	fseek(told, 0, SEEK_END);
	tap_defer(end_storm);
	for (i = 0; i < STORM_DEVICES; i++) {
		storm_emu[i] = emu_new();
		ASSERT(storm_emu[i]);
		hostile_tell(storm_emu[i], "vid=1209");
		hostile_tell(storm_emu[i], "pid=0ba1");
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, re_enumerate, storm_emu[i]));
	}
	for (uint64_t end = hostile_end_ms(STORM_SECONDS); storms <= LINES_MAX && fuzz_now_ms() < end;)
		usleep(20000);
	over = true;
	for (i = 0; i < STORM_DEVICES; i++)
		pthread_join(threads[i], NULL);
	lines = our_lines(kmsg);
	TAP_SAY("%u plugs, %u opens, %u lines", storms, opens, lines);
	EXPECT_LE(lines, LINES_MAX);
	/* Or a line a plug would not be seen. */
	EXPECT(storms > LINES_MAX);
	EXPECT(opens > 0);
	ASSERT_EQ(0, system("kill $(cat /tmp/hostile.pid); while kill -0 $(cat /tmp/hostile.pid) 2>/dev/null; do sleep 0.05; done"));
	for (lines = 0; (i = (unsigned int)fgetc(told)) != (unsigned int)EOF;)
		lines += i == '\n';
	fclose(told);
	TAP_SAY("%u lines of the daemon's", lines);
	EXPECT_LE(lines, LINES_MAX);
	close(kmsg);
	EXPECT(!system("rm -rf /tmp/hostile-state /tmp/hostile.log /tmp/hostile.pid"));
	EXPECT(consumer_wait_slot("hostile", "missing"));
	hostile_end();
}

/* The neighbour: on another hub, the host's own, moved by usbfs. */
#define BLOCK 16384

static struct emu *neighbour;
static int neighbour_fd = -1;
static unsigned int wrong;

static void end_neighbour(void)
{
	if (neighbour_fd >= 0)
		close(neighbour_fd);
	if (neighbour)
		emu_free(neighbour);
}

static void plug_neighbour(void)
{
	char path[100], bus[8], device[8];

	neighbour = emu_new();
	ASSERT(neighbour);
	tap_defer(end_neighbour);
	hostile_tell(neighbour, "vid=1d6b");
	hostile_tell(neighbour, "speed=super");
	/* Not a socket that was leased: that is guarded for a while. */
	hostile_tell(neighbour, "port=6");
	hostile_tell(neighbour, "plug");
	ASSERT_EQ(0, emu_wait(neighbour, "configuration==1", 30000 * tap_slower()));
	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/busnum", emu_busid(neighbour));
	ASSERT(consumer_line(path, bus, sizeof(bus)));
	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/devnum", emu_busid(neighbour));
	ASSERT(consumer_line(path, device, sizeof(device)));
	snprintf(path, sizeof(path), "/dev/bus/usb/%03d/%03d", atoi(bus), atoi(device));
	neighbour_fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT(neighbour_fd >= 0);
	ASSERT_EQ(0, consumer_claim(neighbour_fd));
}

/* Bytes that went through it and came back as they were. */
static unsigned long long move_ms(unsigned int ms)
{
	static uint8_t out[BLOCK], in[BLOCK];
	uint64_t end = fuzz_now_ms() + ms;
	unsigned long long bytes = 0;
	size_t i;

	while (fuzz_now_ms() < end) {
		for (i = 0; i < BLOCK; i += 61)
			out[i] = (uint8_t)(bytes / 512 + i);
		if (consumer_bulk(neighbour_fd, 0x01, out, BLOCK, 20000) != BLOCK ||
		    consumer_bulk(neighbour_fd, 0x81, in, BLOCK, 20000) != BLOCK || memcmp(out, in, BLOCK))
			wrong++;
		bytes += BLOCK;
	}
	return bytes;
}

/* An open that a mute device keeps for five seconds. */
static void *open_mute(void *arg)
{
	hostile_tell(emu, "mute=set_configuration");
	while (!over) {
		int node = open(HOSTILE_NODE, O_RDWR | O_CLOEXEC);

		if (node >= 0)
			close(node);
		usleep(20000);
	}
	hostile_tell(emu, "behave");
	return NULL;
}

/* A guest's driver that does not give up. */
static void *read_babble(void *arg)
{
	uint8_t data[64];
	int node = open(HOSTILE_NODE, O_RDWR | O_CLOEXEC);

	if (node >= 0)
		consumer_claim(node);
	hostile_tell(emu, "error=bulk:overflow");
	while (!over) {
		if (node >= 0)
			consumer_bulk(node, 0x81, data, sizeof(data), 1000);
		usleep(2000);
	}
	hostile_tell(emu, "behave");
	if (node >= 0)
		close(node);
	return NULL;
}

static void beside(const char *what, void *(*conduct)(void *), unsigned long long *quiet, unsigned long long *loud)
{
	unsigned int slice = tap_long() ? 10000 : tap_slower() > 1 ? 1000 : 2000;
	unsigned long long alone, with;
	pthread_t thread;

	alone = move_ms(slice / 2);
	over = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, conduct, emu));
	with = move_ms(slice);
	over = true;
	pthread_join(thread, NULL);
	alone += move_ms(slice / 2);
	TAP_SAY("%s: %llu KiB alone, %llu KiB beside it", what, alone >> 10, with >> 10);
	*quiet += alone;
	*loud += with;
}

TEST("the host's other devices keep at least half of their throughput beside a hostile one, and each byte")
{
	unsigned long long quiet = 0, loud = 0;

	plug_neighbour();
	hostile_new();
	hostile_tell(emu, "serial=HOSTILE");
	beside("re-enumerates", re_enumerate, &quiet, &loud);
	ASSERT(consumer_wait_slot("hostile", "missing"));
	hostile_forget();
	plug_keyboard();
	beside("babbles", read_babble, &quiet, &loud);
	ASSERT(consumer_wait_slot("hostile", "idle"));
	beside("is mute", open_mute, &quiet, &loud);
	EXPECT(storms > 0);
	EXPECT_EQ(0, wrong);
	EXPECT(quiet > 0);
	printf("# figure: a neighbour keeps %llu %% of its throughput beside a hostile device\n", quiet ? loud * 100 / quiet : 0);
	EXPECT_GE(loud * 100, quiet * 50);
	hostile_unplug();
	hostile_end();
}

HOSTILE_MAIN
