/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world around a fuzzer: a configuration, one random thing that happens to an emulated device or to the module's parameters,
 * and the proof that all works afterwards. For tests of tap.h that link libusbpass and libemu.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>

#include "emu.h"
#include "fuzz.h"
#include "tap.h"
#include "usbpass.h"

#define FUZZ_PARAMETERS "/sys/module/usbpass/parameters/"

static inline void fuzz_tell(struct emu *emu, const char *line)
{
	emu_command(emu, line, NULL);
}

/* It misbehaves, or behaves again. */
static inline void fuzz_misbehave(struct fuzz *f, struct emu *emu)
{
	static const char *const targets[] = {"all", "ep0", "ep01", "ep81", "ep82", "ep02", "bulk", "interrupt", "set_configuration",
		"set_interface", "clear_halt", "get_status", "get_descriptor", "get_string", "class", "vendor"};
	static const char *const kinds[] = {"mute=%s*3", "stall=%s", "error=%s:proto", "error=%s:overflow", "error=%s:timeout",
		"delay=%s:30", "delay=%s:400", "short=%s:1", "short=%s:100", "mute=%s*2", "stall=%s*1", "error=%s:crc*3"};
	char line[64];

	/* More often not: what waits for a mute device makes no calls. */
	fuzz_tell(emu, "behave");
	if (!fuzz_once_in(f, 3))
		return;
	snprintf(line, sizeof(line), kinds[fuzz_below(f, sizeof(kinds) / sizeof(*kinds))],
		 targets[fuzz_below(f, sizeof(targets) / sizeof(*targets))]);
	fuzz_tell(emu, line);
}

/* It goes, comes, or comes back as another. */
static inline void fuzz_replug(struct fuzz *f, struct emu *emu)
{
	static const char *const others[] = {"preset=loop", "preset=storage", "preset=keyboard", "preset=acm", "speed=full",
		"speed=high", "speed=super", "speed=low", "serial=A", "serial=", "configs=2", "configs=1", "interfaces=4", "bcd=0200",
		"pid=0e01", "pid=0e02", "class=08:06:50", "class=00:00:00"};

	fuzz_tell(emu, "unplug");
	if (fuzz_once_in(f, 3))
		fuzz_tell(emu, "behave");
	while (fuzz_once_in(f, 2))
		fuzz_tell(emu, others[fuzz_below(f, sizeof(others) / sizeof(*others))]);
	if (fuzz_once_in(f, 3))
		usleep(fuzz_below(f, 600000));
	fuzz_tell(emu, "plug");
}

static inline int fuzz_parameter(struct fuzz *f)
{
	static const struct {
		const char *name;
		uint32_t most;		/* of what does not take the test's time */
	} known[] = {{"return_ms", 1500}, {"replug_ms", 1500}, {"reset_budget", 600}, {"lease_memory_mb", 64},
		{"transfer_memory_mb", 256}, {"guard_secs", 2}, {"hold_secs", 2}, {"claim", 1}, {"reset_refusal", 0}, {"node", 0}};
	static const char *const odd[] = {"", "-1", "4294967296", "soft", "error", "1x", " 7", "N", "no such", "0x10", "vm host", "\x01\xff"};
	unsigned int i = fuzz_below(f, sizeof(known) / sizeof(*known));
	char path[100], text[24];

	snprintf(path, sizeof(path), FUZZ_PARAMETERS "%s", known[i].name);
	if (!known[i].most || fuzz_once_in(f, 3))
		return fuzz_write(path, odd[fuzz_below(f, sizeof(odd) / sizeof(*odd))]);
	snprintf(text, sizeof(text), "%u", fuzz_below(f, known[i].most + 1));
	/* Mostly in force, or there would be nothing to fuzz. */
	if (!strcmp(known[i].name, "claim") && !fuzz_once_in(f, 6))
		strcpy(text, "1");
	return fuzz_write(path, text);
}

/* As after load. */
static inline void fuzz_parameters_default(void)
{
	static const char *const defaults[][2] = {{"return_ms", "5000"}, {"replug_ms", "2000"}, {"reset_budget", "6"},
		{"lease_memory_mb", "64"}, {"transfer_memory_mb", "256"}, {"guard_secs", "30"}, {"hold_secs", "0"}, {"claim", "1"},
		{"reset_refusal", "soft"}, {"node", "\n"}};
	char path[100];

	for (unsigned int i = 0; i < sizeof(defaults) / sizeof(*defaults); i++) {
		snprintf(path, sizeof(path), FUZZ_PARAMETERS "%s", defaults[i][0]);
		fuzz_write(path, defaults[i][1]);
	}
}

/* Group pool, with all devices of vendor 1209, and the attachments a and b. */
static inline struct usbpass *fuzz_configure(void)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME), .name = "pool"};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION) |
					   USBPASS_HAS(USBPASS_A_RULE_GROUP),
		.name = "all", .action = USBPASS_ACTION_CLAIM, .group = "pool"};
	struct usbpass_cond cond = {.field = USBPASS_FIELD_VENDOR, .op = USBPASS_OP_EQ, .number = 0x1209};
	struct usbpass_attachment attach;
	struct usbpass *handle;

	ASSERT_EQ(0, usbpass_open(&handle));
	ASSERT_EQ(0, usbpass_group_new(handle, &group));
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	ASSERT_EQ(0, usbpass_rule_new(handle, &rule));
	usbpass_rule_clear(&rule);
	for (int i = 0; i < 2; i++) {
		attach = (struct usbpass_attachment){.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP),
			.name = {'a' + i}, .group = "pool"};
		ASSERT_EQ(0, usbpass_attachment_new(handle, &attach));
	}
	return handle;
}

static inline bool fuzz_wait_slot(struct usbpass *handle, const char *name, uint8_t state)
{
	uint64_t end = fuzz_now_ms() + 30000ULL * tap_slower();
	struct usbpass_attachment attach;

	do {
		if (usbpass_attachment_get(handle, 0, name, &attach))
			return false;
		if (attach.state == state)
			return true;
		usleep(50000);
	} while (fuzz_now_ms() < end);
	TAP_SAY("%s is in state %u, not %u: %s", name, attach.state, state, attach.reason);
	return false;
}

/* All devices are away: one comes, behaves, and data goes through it and back by the node of attachment a. */
static inline void fuzz_works_again(struct usbpass *handle, struct emu *emu)
{
	static const char *const plain[] = {"behave", "preset=loop", "speed=high", "configs=2", "interfaces=2", "pid=0e01",
		"serial=LAST", "class=00:00:00"};
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_ENABLED),
		.enabled = 1, .name = "a"};
	static uint8_t sent[4096], got[4096];
	struct usbdevfs_bulktransfer out = {.ep = 0x01, .len = sizeof(sent), .timeout = 60000, .data = sent};
	struct usbdevfs_bulktransfer in = {.ep = 0x81, .len = sizeof(got), .timeout = 60000, .data = got};
	int fd;

	for (unsigned int i = 0; i < sizeof(sent); i++)
		sent[i] = i * 7 + 3;
	fuzz_parameters_default();
	ASSERT_EQ(0, usbpass_attachment_set(handle, &attach, 0));
	ASSERT(fuzz_wait_slot(handle, "a", USBPASS_SLOT_MISSING));
	for (unsigned int i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		ASSERT_EQ(0, emu_command(emu, plain[i], NULL));
	ASSERT_EQ(0, emu_command(emu, "plug", NULL));
	ASSERT(fuzz_wait_slot(handle, "a", USBPASS_SLOT_IDLE));
	fd = open("/dev/usbpass/host/a", O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_CLAIMINTERFACE, &(unsigned int){0}));
	ASSERT_EQ(sizeof(sent), ioctl(fd, USBDEVFS_BULK, &out));
	ASSERT_EQ(sizeof(got), ioctl(fd, USBDEVFS_BULK, &in));
	EXPECT(!memcmp(sent, got, sizeof(got)));
	close(fd);
	ASSERT(fuzz_wait_slot(handle, "a", USBPASS_SLOT_IDLE));
}

#endif
