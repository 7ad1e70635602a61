/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Consumers of a slot's node that mean no good: two emulated devices, each in a group with one attachment, made once for all
 * tests of a file, which then run against the same module, so that what one leaves behind is the next one's trouble.
 *
 *	TAP_SETUP { consumer_begin(); }		(waits until both are idle, opens "bad" and claims interface 0)
 *	CONSUMER_MAIN				(in the place of TAP_MAIN)
 *
 * Device A (1209:0e01) is behind "bad", device B (1209:0e02) behind "good".
 */
#ifndef CONSUMER_H
#define CONSUMER_H

#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../uapi/linux/usbpass.h"
#include "fuzz.h"
#include "tap.h"

#define CONSUMER_BAD "/dev/usbpass/host/bad"
#define CONSUMER_GOOD "/dev/usbpass/host/good"
#define CONSUMER_HELPER "../userspace/usbpass --no-wait "
#define CONSUMER_EMU_A "/tmp/consumer-a.emu"
#define CONSUMER_EMU_B "/tmp/consumer-b.emu"
#define CONSUMER_SLOTS 8	/* to look through */

static int fd = -1;

/* One command to a device's emulator; true: it said ok. */
static inline bool consumer_emu(const char *ctl, const char *line)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char answer[512] = "";
	size_t len = 0;
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, ctl);
	ASSERT_EQ(0, connect(sock, (struct sockaddr *)&at, sizeof(at)));
	dprintf(sock, "%s\n", line);
	while (len < sizeof(answer) - 1 && !strstr(answer, "ok\n") && !strstr(answer, "error: ")) {
		ssize_t got = read(sock, answer + len, sizeof(answer) - 1 - len);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	close(sock);
	if (!strstr(answer, "ok\n"))
		TAP_SAY("emulator: %s: %s", line, answer);
	return strstr(answer, "ok\n");
}

static inline int consumer_run(const char *command)
{
	char line[400];

	snprintf(line, sizeof(line), CONSUMER_HELPER "%s >/dev/null 2>&1", command);
	return system(line);
}

static inline bool consumer_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "r");
	bool got = file && fgets(line, size, file);

	if (file)
		fclose(file);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

/* Is the slot of attachment @name in @state? */
static inline bool consumer_slot_is(const char *name, const char *state)
{
	char path[80], line[80];
	int i;

	for (i = 0; i < CONSUMER_SLOTS; i++) {
		snprintf(path, sizeof(path), "/sys/class/usbpass/slot%d/attachment", i);
		if (!consumer_line(path, line, sizeof(line)) || strcmp(line, name))
			continue;
		snprintf(path, sizeof(path), "/sys/class/usbpass/slot%d/state", i);
		return consumer_line(path, line, sizeof(line)) && !strcmp(line, state);
	}
	return false;
}

static inline bool consumer_wait_slot(const char *name, const char *state)
{
	uint64_t end = fuzz_now_ms() + 20000 * tap_slower();

	while (!consumer_slot_is(name, state) && fuzz_now_ms() < end)
		usleep(2000);
	return consumer_slot_is(name, state);
}

/* Bytes in flight, of all leases, as the module counts them. */
static inline long long consumer_in_flight(void)
{
	FILE *file = popen(CONSUMER_HELPER "status", "r");
	long long bytes = -1;
	unsigned int leases;
	char line[200];

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "leases%*[ :]%u, %lld bytes in flight", &leases, &bytes);
	if (file)
		pclose(file);
	return bytes;
}

static inline void consumer_parameter(const char *name, const char *value)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/module/usbpass/parameters/%s", name);
	ASSERT(fuzz_write(path, value) >= 0);
}

static inline int consumer_claim(int node)
{
	unsigned int number = 0;

	return ioctl(node, USBDEVFS_CLAIMINTERFACE, &number);
}

/* A URB that waits until something is written to the device. */
static inline int consumer_submit(int node, struct usbdevfs_urb *urb, void *buffer, int len)
{
	*urb = (struct usbdevfs_urb){.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x81, .buffer = buffer, .buffer_length = len};
	return ioctl(node, USBDEVFS_SUBMITURB, urb);
}

static inline int consumer_bulk(int node, unsigned int ep, void *data, unsigned int len, unsigned int timeout)
{
	struct usbdevfs_bulktransfer bulk = {.ep = ep, .len = len, .timeout = timeout, .data = data};

	return ioctl(node, USBDEVFS_BULK, &bulk);
}

/* 512 bytes through the device and back. */
static inline bool consumer_works(int node)
{
	uint8_t sent[512], got[512] = {0};

	memset(sent, 0x5a, sizeof(sent));
	return consumer_bulk(node, 0x01, sent, sizeof(sent), 20000) == 512 &&
	       consumer_bulk(node, 0x81, got, sizeof(got), 20000) == 512 && !memcmp(sent, got, sizeof(sent));
}

/* A device that keeps nothing and does as it should, and a lease of it in @fd. */
static inline void consumer_begin(void)
{
	consumer_emu(CONSUMER_EMU_A, "behave");
	consumer_emu(CONSUMER_EMU_B, "behave");
	ASSERT(consumer_wait_slot("bad", "idle"));
	ASSERT(consumer_wait_slot("good", "idle"));
	fd = open(CONSUMER_BAD, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, consumer_claim(fd));
}

/* The lease in @fd ends: nothing is in flight, and the slot is free. */
static inline void consumer_end(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
	EXPECT(consumer_wait_slot("bad", "idle"));
	EXPECT_EQ(0, consumer_in_flight());
}

/*
 * vhci_hcd tells the kernel log of each URB that is unlinked; on a serial line that takes longer than all else. What tells of
 * trouble is still shown.
 */
static inline int consumer_quiet(int level)
{
	char line[80], text[12];

	if (!consumer_line("/proc/sys/kernel/printk", line, sizeof(line)))
		return level;
	snprintf(text, sizeof(text), "%d", level);
	fuzz_write("/proc/sys/kernel/printk", text);
	return atoi(line);
}

static inline bool consumer_world(void)
{
	return !system("modprobe vhci_hcd; [ ! -e /sys/module/usbpass ] || rmmod usbpass") &&
	       !system("insmod ${USBPASS_KO:-../usbpass.ko} reset_budget=600") &&
	       !consumer_run("group add as") && !consumer_run("group add bs") &&
	       !consumer_run("rule add as --group as --match 'product = 0e01'") &&
	       !consumer_run("rule add bs --group bs --match 'product = 0e02'") &&
	       !consumer_run("attach add bad --group as") && !consumer_run("attach add good --group bs") &&
	       !system("lib/emudev --ctl " CONSUMER_EMU_A " --daemon --vid 1209 --pid 0e01 >/dev/null") &&
	       !system("lib/emudev --ctl " CONSUMER_EMU_B " --daemon --vid 1209 --pid 0e02 >/dev/null");
}

static inline int consumer_main(char **wanted)
{
	int level = consumer_quiet(5), status;
	bool made = consumer_world();

	if (!made)
		printf("# the world could not be made\n");
	status = made ? tap_main(wanted) : TAP_FAIL;
	if (access(CONSUMER_EMU_A, F_OK) == 0)
		consumer_emu(CONSUMER_EMU_A, "quit");
	if (access(CONSUMER_EMU_B, F_OK) == 0)
		consumer_emu(CONSUMER_EMU_B, "quit");
	if (system("rmmod usbpass"))
		status = TAP_FAIL;
	consumer_quiet(level);
	return status;
}

#define CONSUMER_MAIN                                                                                                          \
	int main(int argc, char **argv)                                                                                        \
	{                                                                                                                      \
		(void)argc;                                                                                                    \
		return consumer_main(argv + 1);                                                                                \
	}

#endif
