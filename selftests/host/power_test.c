// SPDX-License-Identifier: GPL-2.0
/* How the daemon cycles the power of ports, on a sysfs made of plain files; and what it does not take for a port. */
// libs: libnl-genl-3.0 libsystemd
// link: -I../userspace/daemon ../userspace/daemon/power.o ../userspace/libusbpass.a
// link: -Wl,--wrap=usbpass_power_done
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include "daemon.h"
#include "tap.h"

#define PORT	"/devices/pci0/usb1/1-4/1-4:1.0/1-4-port2"
#define PEER	"/devices/pci0/usb2/2-4/2-4:1.0/2-4-port2"

static char dir[] = "/tmp/usbpass-power.XXXXXX";
static struct usbpass_host host = { .sys = dir };
static struct daemon test = { .host = &host, .run_dir = dir };
static int answers, heard;
static int32_t answered;
static uint32_t answered_job;
static char logged[4096];

int __wrap_usbpass_power_done(struct usbpass *h, uint32_t job, int32_t result);
int __wrap_usbpass_power_done(struct usbpass *h, uint32_t job, int32_t result)
{
	answers++;
	answered_job = job;
	answered = result;
	return 0;
}

void daemon_hear(struct daemon *daemon)
{
	heard++;
}

void daemon_log(const struct daemon *daemon, int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(logged, sizeof(logged), format, args);
	va_end(args);
}

__attribute__((format(printf, 1, 2)))
static void sh(const char *format, ...)
{
	char command[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	TAP_CHECK(true, system(command) == 0, "failed: %s", command);
}

static void clean(void)
{
	sh("rm -rf %s", dir);
}

TAP_SETUP
{
	ASSERT(mkdtemp(dir));
	tap_defer(clean);
	sh("mkdir -p %s%s %s%s; echo 0 >%s%s/disable; echo 0 >%s%s/disable", dir, PORT, dir, PEER, dir, PORT, dir, PEER);
	sh("ln -s ../../../../usb2/2-4/2-4:1.0/2-4-port2 %s%s/peer", dir, PORT);
	ASSERT(sd_event_new(&test.loop) >= 0);
}

static char disabled(const char *port)
{
	char path[PATH_MAX], value = '?';
	int fd;

	snprintf(path, sizeof(path), "%s%s/disable", dir, port);
	fd = open(path, O_RDONLY);
	ASSERT(fd >= 0);
	ASSERT_EQ(1, read(fd, &value, 1));
	close(fd);
	return value;
}

static void ask(const char *port)
{
	struct usbpass_event event = { .type = USBPASS_EVENT_POWER_CYCLE, .job = 7 };

	snprintf(event.port, sizeof(event.port), "%s", port);
	daemon_power_cycle(&test, &event);
}

/* How long the daemon's loop ran until the answer, in milliseconds. */
static int64_t run(void)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	while (!answers)
		ASSERT(sd_event_run(test.loop, UINT64_MAX) >= 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * INT64_C(1000) + (to.tv_nsec - from.tv_nsec) / 1000000;
}

TEST("switches a port and its peer off for a second, and on again")
{
	ask(PORT);
	EXPECT_EQ('1', disabled(PORT));
	EXPECT_EQ('1', disabled(PEER));
	EXPECT_EQ(0, answers);
	EXPECT_GE(run(), 999);
	EXPECT_EQ('0', disabled(PORT));
	EXPECT_EQ('0', disabled(PEER));
	EXPECT_EQ(7, answered_job);
	EXPECT_EQ(0, answered);
	EXPECT_EQ(1, heard);
	EXPECT(!test.cycles);
	sh("! test -e %s/power", dir);
}

TEST("cycles several ports at once, each for its own time")
{
	sh("rm %s%s/peer", dir, PORT);
	ask(PORT);
	ask(PEER);
	EXPECT_EQ('1', disabled(PORT));
	EXPECT_EQ('1', disabled(PEER));
	run();
	while (answers < 2)
		ASSERT(sd_event_run(test.loop, UINT64_MAX) >= 0);
	EXPECT_EQ('0', disabled(PORT));
	EXPECT_EQ('0', disabled(PEER));
	EXPECT(!test.cycles);
}

TEST("at its end in the middle switches on what is off, without an answer")
{
	ask(PORT);
	daemon_power_end(&test);
	EXPECT_EQ('0', disabled(PORT));
	EXPECT_EQ('0', disabled(PEER));
	EXPECT_EQ(0, answers);
	EXPECT(!test.cycles);
	/* Nor does its timer come any more. */
	EXPECT_EQ(0, sd_event_run(test.loop, 1200000));
	EXPECT_EQ(0, answers);
}

TEST("switches on what a killed daemon left off, and nothing else")
{
	ask(PORT);
	sh("mkdir %s/elsewhere; echo 1 >%s/elsewhere/disable; echo /elsewhere >>%s/power; echo /devices/x/1-4-port9 >>%s/power",
	   dir, dir, dir, dir);
	test.cycles = NULL;
	daemon_power_clean(&test);
	EXPECT_EQ('0', disabled(PORT));
	EXPECT_EQ('0', disabled(PEER));
	EXPECT_EQ('1', disabled("/elsewhere"));
	sh("! test -e %s/power", dir);
	daemon_power_clean(&test);
}

static void expect_refused(int error, const char *port)
{
	answers = 0;
	ask(port);
	TAP_CHECK(false, answers == 1 && answered == error, "'%s' gave %d", port, answered);
	TAP_CHECK(false, !test.cycles, "'%s' is under way", port);
	EXPECT_EQ('0', disabled(PORT));
}

TEST("writes to nothing that is not a port below /sys/devices")
{
	static const char *const no_ports[] = {
		"", "/", "devices/pci0/usb1/1-4/1-4:1.0/1-4-port2", "/class/1-4-port2", "/devicesx/1-4-port2", "1-4-port2",
		"/devices/pci0/usb1/../usb1/1-4/1-4:1.0/1-4-port2", "/devices/pci0/usb1/1-4/1-4:1.0/1-4-port2/..",
		"/devices//pci0/usb1/1-4/1-4:1.0/1-4-port2", "/devices/pci0/usb1/1-4/1-4:1.0/1-4-port2/",
		"/devices/pci0/usb1/1-4/1-4:1.0", "/devices/pci0/usb1/1-4", "/devices/x/port2", "/devices/x/-port2",
		"/devices/x/usb-port2", "/devices/x/usb1-port", "/devices/x/usb1-port2x", "/devices/x/usbx-port2",
		"/devices/x/eth0-port2", "/devices/x/1-4-port2-port3", "/devices/x/usb1-port1\n",
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(no_ports) / sizeof(no_ports[0]); i++)
		expect_refused(-EINVAL, no_ports[i]);
	EXPECT_EQ(0, daemon_power_path(&test, "/devices/x/usb12-port15", path, sizeof(path)));
	EXPECT_EQ(0, daemon_power_path(&test, "/devices/x/1-4.2.1-port1", path, sizeof(path)));
	EXPECT_EQ(-EINVAL, daemon_power_path(&test, PORT, path, 10));
	/* There, but with nothing to write to, or something else in its place. */
	expect_refused(-ENOENT, "/devices/pci0/usb1/1-4/1-4:1.0/1-4-port3");
	sh("mv %s%s/disable %s/other; ln -s %s/other %s%s/disable", dir, PEER, dir, dir, dir, PEER);
	expect_refused(-ELOOP, PEER);
	expect_refused(-ELOOP, PORT);
	EXPECT(strstr(logged, "cannot cycle the power of port"));
}

TEST("writes to no peer that is none")
{
	sh("mkdir -p %s/elsewhere/2-4-port2; echo 0 >%s/elsewhere/2-4-port2/disable", dir, dir);
	sh("ln -snf ../../../../../../elsewhere/2-4-port2 %s%s/peer", dir, PORT);
	expect_refused(-EINVAL, PORT);
	sh("grep -q 0 %s/elsewhere/2-4-port2/disable", dir);
	sh("ln -snf /proc/self %s%s/peer", dir, PORT);
	expect_refused(-EINVAL, PORT);
	sh("ln -snf ../1-4-port2/disable %s%s/peer", dir, PORT);
	expect_refused(-EINVAL, PORT);
}

TEST("a half that cannot be switched leaves neither of them off")
{
	char path[PATH_MAX];

	/* No file can be written at a place that a pipe has not got. */
	snprintf(path, sizeof(path), "%s%s/disable", dir, PEER);
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, mkfifo(path, 0600));
	ASSERT(open(path, O_RDWR) >= 0);
	expect_refused(-ESPIPE, PORT);
}

TAP_MAIN
