/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hostile devices (of vendor 1209), which a rule claims and an attachment offers as HOSTILE_NODE, and the host's drivers' probes,
 * which nothing of all that may reach. One world for all tests of a file:
 *
 *	TAP_SETUP { hostile_begin(); }
 *	HOSTILE_MAIN				(in the place of TAP_MAIN)
 *
 * Descriptors are written byte by byte, as wrong as one likes: descriptor_begin(), then any of descriptor_*(),
 * descriptor_end(); hostile_plug() plugs what they say in. A test ends with hostile_end().
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <glob.h>

#include "consumer.h"
#include "emu.h"

#define HOSTILE_NODE "/dev/usbpass/host/hostile"
#define HOSTILE_FILE "/tmp/hostile.descriptors"
#define HOSTILE_PROBES "/sys/kernel/tracing/kprobe_profile"

static struct emu *emu;

/* What is written into HOSTILE_FILE. */
static struct {
	uint8_t data[18 + 4 * 65536];
	size_t len, config;	/* config: where the last one begins */
} descriptor;

static inline void descriptor_raw(const void *data, size_t len)
{
	ASSERT_LE(descriptor.len + len, sizeof(descriptor.data));
	memcpy(descriptor.data + descriptor.len, data, len);
	descriptor.len += len;
}

#define DESCRIPTOR_BYTES(...) descriptor_raw((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* High speed, USB 2.0, 1209:0ba0, with a manufacturer and a product, and without a serial. */
static inline void descriptor_begin(unsigned int class, unsigned int configs)
{
	descriptor.len = 0;
	DESCRIPTOR_BYTES(18, 1, 0x00, 0x02, class >> 16 & 0xff, class >> 8 & 0xff, class & 0xff, 64, 0x09, 0x12, 0xa0, 0x0b, 0x00, 0x01,
		1, 2, 0, configs);
}

static inline void descriptor_config(unsigned int value, unsigned int interfaces)
{
	descriptor.config = descriptor.len;
	DESCRIPTOR_BYTES(9, 2, 0, 0, interfaces, value, 0, 0x80, 50);
}

static inline void descriptor_interface(unsigned int number, unsigned int alternate, unsigned int endpoints, unsigned int class)
{
	DESCRIPTOR_BYTES(9, 4, number, alternate, endpoints, class >> 16 & 0xff, class >> 8 & 0xff, class & 0xff, 0);
}

static inline void descriptor_endpoint(unsigned int address, unsigned int attributes, unsigned int maxpacket, unsigned int interval)
{
	DESCRIPTOR_BYTES(7, 5, address, attributes, maxpacket & 0xff, maxpacket >> 8 & 0xff, interval);
}

/* The emulator's loop: what is written to 0x01 is read from 0x81. */
static inline void descriptor_loop(unsigned int number, unsigned int class)
{
	descriptor_interface(number, 0, 2, class);
	descriptor_endpoint(0x01, 2, 512, 0);
	descriptor_endpoint(0x81, 2, 512, 0);
}

/* wTotalLength as it should be. */
static inline void descriptor_total(void)
{
	size_t total = descriptor.len - descriptor.config;

	descriptor.data[descriptor.config + 2] = total & 0xff;
	descriptor.data[descriptor.config + 3] = total >> 8 & 0xff;
}

static inline void descriptor_lie_total(unsigned int total)
{
	descriptor.data[descriptor.config + 2] = total & 0xff;
	descriptor.data[descriptor.config + 3] = total >> 8 & 0xff;
}

static inline void descriptor_end(void)
{
	FILE *file = fopen(HOSTILE_FILE, "w");

	ASSERT(file);
	ASSERT_EQ(1, fwrite(descriptor.data, descriptor.len, 1, file));
	ASSERT_EQ(0, fclose(file));
}

static inline void hostile_tell(struct emu *to, const char *line)
{
	char *reply = NULL;

	if (emu_command(to, line, &reply)) {
		TAP_SAY("%s: %s", line, reply);
		exit(TAP_FAIL);
	}
	free(reply);
}

static inline uint64_t hostile_end_ms(unsigned int seconds)
{
	return fuzz_now_ms() + seconds * 1000 * (unsigned int)tap_slower();
}

/* Calls of the host drivers' probes; -1: they are not counted. */
static inline long hostile_probes(void)
{
	FILE *file = fopen(HOSTILE_PROBES, "r");
	unsigned long hits, missed;
	long sum = 0, lines = 0;

	while (file && fscanf(file, "%*s %lu %lu", &hits, &missed) == 2) {
		sum += (long)(hits + missed);
		lines++;
	}
	if (file)
		fclose(file);
	return lines ? sum : -1;
}

static long hostile_probes_before;

static inline bool hostile_driver_is(const char *busid, const char *name)
{
	char path[100], target[200];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/driver", busid);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	return !strcmp(strrchr(target, '/') + 1, name);
}

static inline bool hostile_wait_driver(struct emu *of, const char *name)
{
	uint64_t end = hostile_end_ms(20);
	bool is;

	while (!(is = hostile_driver_is(emu_busid(of), name)) && fuzz_now_ms() < end)
		usleep(5000);
	return is;
}

static inline unsigned int hostile_count(const char *pattern)
{
	glob_t found;
	unsigned int count = 0;

	if (!glob(pattern, GLOB_NOSORT, NULL, &found)) {
		count = (unsigned int)found.gl_pathc;
		globfree(&found);
	}
	return count;
}

static inline unsigned int hostile_interfaces(struct emu *of)
{
	char pattern[100];

	snprintf(pattern, sizeof(pattern), "/sys/bus/usb/devices/%s:*", emu_busid(of));
	return hostile_count(pattern);
}

/* How many devices of @vendor sysfs has. */
static inline unsigned int hostile_present(const char *vendor)
{
	unsigned int count = 0;
	char line[16];
	glob_t found;

	if (glob("/sys/bus/usb/devices/*/idVendor", GLOB_NOSORT, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		count += consumer_line(found.gl_pathv[i], line, sizeof(line)) && !strcmp(line, vendor);
	globfree(&found);
	return count;
}

static inline void hostile_forget(void)
{
	if (!emu)
		return;
	if (!emu_command(emu, "unplug", NULL))
		emu_wait(emu, "enumerated==0", 20000 * tap_slower());
	emu_free(emu);
	emu = NULL;
}

static inline void hostile_new(void)
{
	emu = emu_new();
	ASSERT(emu);
	hostile_tell(emu, "vid=1209");
	hostile_tell(emu, "pid=0ba0");
}

/* As the descriptors are; returns before the kernel has made up its mind. */
static inline void hostile_plug(void)
{
	descriptor_end();
	hostile_new();
	hostile_tell(emu, "descriptors=" HOSTILE_FILE);
	hostile_tell(emu, "plug");
}

/* A plug that comes before the hub has seen the unplug is none to it, where the descriptors are the same. */
static inline void hostile_replug(void)
{
	hostile_tell(emu, "unplug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", 20000 * tap_slower()));
	hostile_tell(emu, "plug");
}

/* The kernel asks nothing of it any more. */
static inline void hostile_wait_quiet(void)
{
	uint64_t end = hostile_end_ms(40), since = fuzz_now_ms();
	long seen = -1;

	while (fuzz_now_ms() < end && (seen < 1 || fuzz_now_ms() < since + 1000)) {
		long now = emu_stat(emu, "control");

		if (now != seen)
			since = fuzz_now_ms();
		seen = now;
		usleep(20000);
	}
	ASSERT(seen > 0);
}

static inline void hostile_unplug(void)
{
	hostile_tell(emu, "unplug");
	ASSERT_EQ(0, emu_wait(emu, "enumerated==0", 20000 * tap_slower()));
	EXPECT(consumer_wait_slot("hostile", "missing"));
	emu_free(emu);
	emu = NULL;
}

static inline void hostile_begin(void)
{
	hostile_probes_before = hostile_probes();
	ASSERT_EQ(0, hostile_present("1209"));
	ASSERT(consumer_wait_slot("hostile", "missing"));
	tap_defer(hostile_forget);
}

/* Nothing is left of the devices, for anybody, and no host driver was asked about them. */
static inline void hostile_end(void)
{
	EXPECT_EQ(0, hostile_present("1209"));
	EXPECT_EQ(0, consumer_in_flight());
	EXPECT(system(CONSUMER_HELPER "-j device list | grep -q '\"vendor\": \"1209\"'") != 0);
	EXPECT_EQ(hostile_probes_before, hostile_probes());
	/* By which way it was called, and after what. */
	if (hostile_probes_before != hostile_probes() && system("(cat /sys/kernel/tracing/trace; dmesg | tail -n 80) | sed 's/^/# /'"))
		TAP_SAY("no trace");
}

static inline bool hostile_script(const char *function)
{
	char line[200];

	snprintf(line, sizeof(line), "bash -uc 'TMP=/tmp; . lib/probes.sh; %s' >/dev/null", function);
	return !system(line);
}

static inline bool hostile_world(void)
{
	return !system("modprobe vhci_hcd; [ ! -e /sys/module/usbpass ] || rmmod usbpass") &&
	       hostile_script("probes_arm; echo 1 >/sys/kernel/tracing/options/stacktrace") &&
	       !system("insmod ${USBPASS_KO:-../usbpass.ko} reset_budget=600") && !consumer_run("group add hostiles") &&
	       !consumer_run("rule add hostiles --group hostiles --match 'vendor = 1209'") &&
	       !consumer_run("attach add hostile --group hostiles");
}

static inline int hostile_main(char **wanted)
{
	int level = consumer_quiet(5), status;
	bool made = hostile_world();

	if (!made)
		printf("# the world could not be made\n");
	status = made ? tap_main(wanted) : TAP_FAIL;
	if (system("rmmod usbpass"))
		status = TAP_FAIL;
	hostile_script("probes_disarm; echo 0 >/sys/kernel/tracing/options/stacktrace");
	unlink(HOSTILE_FILE);
	consumer_quiet(level);
	return status;
}

#define HOSTILE_MAIN                                                                                                           \
	int main(int argc, char **argv)                                                                                        \
	{                                                                                                                      \
		(void)argc;                                                                                                    \
		return hostile_main(argv + 1);                                                                                 \
	}

#endif
