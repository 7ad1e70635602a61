// SPDX-License-Identifier: GPL-2.0
/* The vocabulary: one line, a verb or a setting, with an argument after "=". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emu_private.h"

#define PLUG_WAIT_MS 10000

struct command {
	const char *name;
	enum { NONE, MAY, MUST } argument;
	int (*run)(struct emu *emu, const struct command *command,
		   const char *argument, FILE *out);
	const char *help;
	int action;
};

static int parse_ms(const char *text, uint64_t *ms, FILE *out)
{
	char *end;

	*ms = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && *ms <= 3600000)
		return 0;
	fprintf(out, "%s: want milliseconds, 0 to 3600000", text);
	return -EINVAL;
}

static bool parse_endpoint(const char *text, unsigned int *address)
{
	char rest;

	return sscanf(text, "ep%2x%c", address, &rest) == 1 &&
	       !(*address & 0x70) && (*address & 0x0f);
}

static void want_plug(struct emu *emu, uint64_t after)
{
	emu->plug_error[0] = '\0';
	emu->plug_at = emu_now() + after + !after;	/* 0 says "not wanted" */
	emu->plug_until = emu->plug_at + PLUG_WAIT_MS;
	emu_kick(emu);
}

static bool plugged(const struct emu *emu)
{
	return emu->sock >= 0 && !emu->leaving;
}

/* Until the thread has done it, or said why it cannot. */
static int wait_plug(struct emu *emu, FILE *out)
{
	uint64_t end = emu_now() + 2 * PLUG_WAIT_MS;
	struct timespec until = {
		.tv_sec = (time_t)(end / 1000),
		.tv_nsec = (long)(end % 1000 * 1000000),
	};

	while (emu->plug_at &&
	       !pthread_cond_timedwait(&emu->changed, &emu->lock, &until))
		;
	if (plugged(emu))
		return 0;
	fprintf(out, "plug: %s",
		emu->plug_error[0] ? emu->plug_error : "gone again at once");
	return -EIO;
}

static int run_plug(struct emu *emu, const struct command *command,
		    const char *argument, FILE *out)
{
	uint64_t after = 0;

	if (argument && parse_ms(argument, &after, out))
		return -EINVAL;
	if (plugged(emu) && !emu->unplug_at) {
		fprintf(out, "plug: it is plugged in, unplug first");
		return -EBUSY;
	}
	want_plug(emu, after);
	return argument ? 0 : wait_plug(emu, out);
}

static int run_unplug(struct emu *emu, const struct command *command,
		      const char *argument, FILE *out)
{
	uint64_t after = 0;

	if (argument && parse_ms(argument, &after, out))
		return -EINVAL;
	if (!plugged(emu) && !emu->plug_at) {
		fprintf(out, "unplug: it is not plugged in");
		return -ENODEV;
	}
	emu->unplug_at = emu_now() + after + !after;
	emu_kick(emu);
	while (!argument && emu->unplug_at)
		pthread_cond_wait(&emu->changed, &emu->lock);
	return 0;
}

static int run_replug(struct emu *emu, const struct command *command,
		      const char *argument, FILE *out)
{
	uint64_t after = 0;
	int ret;

	if (argument && parse_ms(argument, &after, out))
		return -EINVAL;
	/* At a reset it is the thread itself that cannot wait: the plug then does. */
	ret = run_unplug(emu, command, pthread_equal(pthread_self(), emu->thread) ? "0" : NULL, out);
	if (ret)
		return ret;
	want_plug(emu, after);
	return argument ? 0 : wait_plug(emu, out);
}

static int run_apply(struct emu *emu, const struct command *command,
		     const char *argument, FILE *out)
{
	char error[512];
	int ret = emu_apply(emu, error, sizeof(error));

	if (ret)
		fprintf(out, "apply: %s", error);
	return ret;
}

static int run_rule(struct emu *emu, const struct command *command,
		    const char *argument, FILE *out)
{
	char error[256];
	int ret = emu_rule_add(emu, (enum emu_action)command->action, argument,
			       error, sizeof(error));

	if (ret)
		fprintf(out, "%s", error);
	return ret;
}

static int run_at_reset(struct emu *emu, const struct command *command,
			const char *argument, FILE *out)
{
	return emu_reset_add(emu, argument, out);
}

static int run_behave(struct emu *emu, const struct command *command,
		      const char *argument, FILE *out)
{
	emu_reset_forget(emu);
	emu_rule_remove(emu, -1, "all");
	return 0;
}

static int run_unrule(struct emu *emu, const struct command *command,
		      const char *argument, FILE *out)
{
	if (emu_rule_remove(emu, command->action, argument ? argument : "all") ||
	    !argument || !strcmp(argument, "all"))
		return 0;
	fprintf(out, "%s=%s: no such rule, see `rules`", command->name, argument);
	return -ENOENT;
}

static int run_rules(struct emu *emu, const struct command *command,
		     const char *argument, FILE *out)
{
	emu_rule_print(emu, out);
	emu_reset_print(emu, out);
	return 0;
}

static int run_halt(struct emu *emu, const struct command *command,
		    const char *argument, FILE *out)
{
	unsigned int address;

	if (!parse_endpoint(argument, &address)) {
		fprintf(out, "halt=%s: want epXX, not ep00", argument);
		return -EINVAL;
	}
	if (command->action)
		emu->halted |= 1u << emu_urb_index((uint8_t)address);
	else
		emu->halted &= ~(1u << emu_urb_index((uint8_t)address));
	return 0;
}

static int run_fail(struct emu *emu, const struct command *command,
		    const char *argument, FILE *out)
{
	if (!plugged(emu)) {
		fprintf(out, "fail: it is not plugged in");
		return -ENODEV;
	}
	emu_urb_fail(emu, false);
	return 0;
}

static int run_report(struct emu *emu, const struct command *command,
		      const char *argument, FILE *out)
{
	uint8_t data[EMU_REPORT_MAX];
	size_t len = strlen(argument), i;
	char byte[3] = "", *end;

	for (i = 0; i * 2 < len && i < sizeof(data); i++) {
		memcpy(byte, argument + i * 2, 2);
		data[i] = (uint8_t)strtoul(byte, &end, 16);
		if (*end || len % 2)
			break;
	}
	if (!len || i * 2 != len) {
		fprintf(out, "report=%s: want up to %d bytes in hex", argument,
			EMU_REPORT_MAX);
		return -EINVAL;
	}
	if (emu_report_add(emu, data, len / 2)) {
		fprintf(out, "report: the host has not read the last 1024");
		return -ENOSPC;
	}
	return 0;
}

static int run_interval(struct emu *emu, const struct command *command,
			const char *argument, FILE *out)
{
	uint64_t ms;

	if (parse_ms(argument, &ms, out))
		return -EINVAL;
	emu->reports.interval = (unsigned int)ms;
	emu->reports.next_at = emu_now();
	return 0;
}

static int run_stats(struct emu *emu, const struct command *command,
		     const char *argument, FILE *out)
{
	emu_stats_print(emu, out);
	return 0;
}

static int run_get(struct emu *emu, const struct command *command,
		   const char *argument, FILE *out)
{
	int ret = emu_stats_find(emu, argument, out);

	if (ret)
		fprintf(out, "get=%s: no such line in `stats`", argument);
	return ret;
}

static int run_clear(struct emu *emu, const struct command *command,
		     const char *argument, FILE *out)
{
	unsigned int i;

	memset(&emu->stats, 0, sizeof(emu->stats));
	emu->stats.last_configuration = -1;
	emu->stats.last_interface = -1;
	emu->stats.last_alternate = -1;
	emu->stats.last_clear_halt = -1;
	for (i = 0; i < EMU_QUEUES; i++) {
		emu->queue[i].urbs = 0;
		emu->queue[i].bytes = 0;
	}
	emu->log_next = 0;
	return 0;
}

static int run_log(struct emu *emu, const struct command *command,
		   const char *argument, FILE *out)
{
	unsigned int i = 0;

	if (emu->log_next > EMU_LOG_LINES)
		i = emu->log_next - EMU_LOG_LINES;
	for (; i < emu->log_next; i++)
		fprintf(out, "%s\n", emu->log[i % EMU_LOG_LINES]);
	return 0;
}

static int run_show(struct emu *emu, const struct command *command,
		    const char *argument, FILE *out)
{
	emu_settings_print(&emu->settings, out);
	return 0;
}

static int run_help(struct emu *emu, const struct command *command,
		    const char *argument, FILE *out)
{
	emu_command_help(out);
	return 0;
}

static const struct command commands[] = {
	{ "plug", MAY, run_plug, "attach; =MS: that much later, without waiting", 0 },
	{ "unplug", MAY, run_unplug, "detach; =MS: that much later, without waiting", 0 },
	{ "replug", MAY, run_replug, "unplug, then plug; =MS: that much later, without waiting", 0 },
	{ "apply", NONE, run_apply, "make the settings true under the host's feet", 0 },
	{ "mute", MUST, run_rule, "never answer =TARGET: NAK, transfers stay in flight", EMU_MUTE },
	{ "nak", MUST, run_rule, "the same", EMU_MUTE },
	{ "stall", MUST, run_rule, "stall =TARGET, whatever is cleared", EMU_STALL },
	{ "error", MUST, run_rule, "=TARGET:proto|crc|overflow|timeout|nospace|underrun", EMU_ERROR },
	{ "delay", MUST, run_rule, "=TARGET:MS", EMU_DELAY },
	{ "short", MUST, run_rule, "=TARGET:BYTES, at most, of IN transfers", EMU_SHORT },
	{ "vary", MUST, run_rule, "=TARGET:OFFSET, another byte there in each answer", EMU_VARY },
	{ "unmute", MAY, run_unrule, "take back; =TARGET: that one; what waits is answered", EMU_MUTE },
	{ "unnak", MAY, run_unrule, "the same", EMU_MUTE },
	{ "unstall", MAY, run_unrule, "", EMU_STALL },
	{ "unerror", MAY, run_unrule, "", EMU_ERROR },
	{ "undelay", MAY, run_unrule, "", EMU_DELAY },
	{ "unshort", MAY, run_unrule, "", EMU_SHORT },
	{ "unvary", MAY, run_unrule, "", EMU_VARY },
	{ "at-reset", MUST, run_at_reset, "=LINE: that, once, at the next reset of its port; may be given several times", 0 },
	{ "behave", NONE, run_behave, "take back all of them", 0 },
	{ "rules", NONE, run_rules, "those in force", 0 },
	{ "halt", MUST, run_halt, "=epXX: stalls until the host clears it", 1 },
	{ "unhalt", MUST, run_halt, "=epXX", 0 },
	{ "fail", NONE, run_fail, "all that is in flight, with -EPROTO", 0 },
	{ "report", MUST, run_report, "=HEX: to the next interrupt IN transfer", 0 },
	{ "interval", MUST, run_interval, "=MS: reports of an 8-byte counter; 0: none", 0 },
	{ "stats", NONE, run_stats, "key=value lines", 0 },
	{ "get", MUST, run_get, "=KEY: the value of one of them", 0 },
	{ "clear", NONE, run_clear, "forget stats and log", 0 },
	{ "log", NONE, run_log, "the last 512 control requests, plugs and unplugs", 0 },
	{ "show", NONE, run_show, "the settings", 0 },
	{ "help", NONE, run_help, "this", 0 },
};

void emu_command_help(FILE *out)
{
	size_t i;

	fprintf(out, "Commands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
	fprintf(out,
		"  wait      =CONDITION[:MS], such as in_flight>=64:5000, over stats; 10 s\n"
		"TARGET: all ep0 epXX bulk interrupt set_address set_configuration\n"
		"  get_configuration set_interface get_interface clear_halt get_status\n"
		"  get_descriptor get_device get_config get_string get_bos class vendor\n"
		"  reqTT.RR (bmRequestType, bRequest); any with +SKIP and *COUNT after it\n"
		"A device behind vhci sees neither port resets nor the SET_ADDRESS of the kernel.\n"
		"What follows a reset is counted instead: enumerations grows by one for each at\n"
		"high and super speed, by one or two at low and full; resets by one for each,\n"
		"except for that of a plug, and also where a program asks as the kernel does, for\n"
		"8 or 64 bytes of the device descriptor. set_address counts those\n"
		"that a program sent; the device is deaf from then on until the next reset.\n");
	emu_settings_help(out);
}

int emu_command_locked(struct emu *emu, const char *line, FILE *out)
{
	const char *argument = strchr(line, '=');
	char name[32], error[512];
	size_t len = argument ? (size_t)(argument++ - line) : strlen(line), i;
	int ret = -ENOENT;

	snprintf(name, sizeof(name), "%.*s", (int)len, line);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->name, name))
			continue;
		if ((argument && command->argument == NONE) ||
		    (!argument && command->argument == MUST)) {
			fprintf(out, "%s: %s: %s", name,
				argument ? "takes no argument" : "needs an argument",
				command->help);
			return -EINVAL;
		}
		return command->run(emu, command, argument, out);
	}
	if (argument)
		ret = emu_settings_set(&emu->settings, name, argument, error,
				       sizeof(error));
	if (ret == -EINVAL)
		fprintf(out, "%s", error);
	if (ret == -ENOENT)
		fprintf(out, "%s: no such command or setting, see `help`", name);
	return ret;
}
