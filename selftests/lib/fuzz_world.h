/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world around a fuzzer: one random thing happens to an emulated device, or to the module's parameters. Needs emu.h, fuzz.h.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <string.h>

#include "emu.h"
#include "fuzz.h"

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
	if (fuzz_once_in(f, 2))
		usleep(fuzz_below(f, 900000));
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

#endif
