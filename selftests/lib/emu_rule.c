// SPDX-License-Identifier: GPL-2.0
/*
 * Chosen misbehaviour: ACTION=TARGET[:ARGUMENT][+SKIP][*COUNT]. Rules are
 * looked at in the order they were given; delays add up, the first of mute,
 * stall and error decides, the last vary.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "emu_private.h"

static const char *const action_names[] = {
	[EMU_MUTE] = "mute", [EMU_STALL] = "stall", [EMU_ERROR] = "error",
	[EMU_DELAY] = "delay", [EMU_SHORT] = "short", [EMU_VARY] = "vary",
};

static const struct {
	const char *name;
	int status;
} errors[] = {
	{ "proto", -EPROTO }, { "crc", -EILSEQ }, { "overflow", -EOVERFLOW },
	{ "timeout", -ETIME }, { "nospace", -ENOSR }, { "underrun", -ECOMM },
};

static bool is_control(const struct emu_urb *urb)
{
	return !(urb->ep & 0x0f);
}

static int match_all(const struct emu_rule *rule, const struct emu_urb *urb,
		     const struct emu_endpoint *endpoint)
{
	return true;
}

static int match_endpoint(const struct emu_rule *rule, const struct emu_urb *urb,
			  const struct emu_endpoint *endpoint)
{
	return rule->number ? urb->ep == rule->number : is_control(urb);
}

static int match_transfer(const struct emu_rule *rule, const struct emu_urb *urb,
			  const struct emu_endpoint *endpoint)
{
	return endpoint && (endpoint->attributes & 3u) == rule->number;
}

/* number: bmRequestType << 8 | bRequest */
static int match_request(const struct emu_rule *rule, const struct emu_urb *urb,
			 const struct emu_endpoint *endpoint)
{
	return is_control(urb) &&
	       (unsigned int)(urb->setup[0] << 8 | urb->setup[1]) == rule->number;
}

/* number: the descriptor's type, 0: any */
static int match_descriptor(const struct emu_rule *rule,
			    const struct emu_urb *urb,
			    const struct emu_endpoint *endpoint)
{
	return is_control(urb) && urb->setup[0] == 0x80 && urb->setup[1] == 6 &&
	       (!rule->number || urb->setup[3] == rule->number);
}

static int match_type(const struct emu_rule *rule, const struct emu_urb *urb,
		      const struct emu_endpoint *endpoint)
{
	return is_control(urb) && (urb->setup[0] & 0x60u) == rule->number;
}

static int match_get_status(const struct emu_rule *rule,
			    const struct emu_urb *urb,
			    const struct emu_endpoint *endpoint)
{
	return is_control(urb) && (urb->setup[0] & 0xe0) == 0x80 &&
	       urb->setup[1] == 0;
}

static const struct {
	const char *name;
	int (*match)(const struct emu_rule *rule, const struct emu_urb *urb,
		     const struct emu_endpoint *endpoint);
	unsigned int number;
} targets[] = {
	{ "all", match_all, 0 },
	{ "ep0", match_endpoint, 0 },
	{ "bulk", match_transfer, 2 },
	{ "interrupt", match_transfer, 3 },
	{ "set_address", match_request, 0x0005 },
	{ "set_configuration", match_request, 0x0009 },
	{ "get_configuration", match_request, 0x8008 },
	{ "set_interface", match_request, 0x010b },
	{ "get_interface", match_request, 0x810a },
	{ "clear_halt", match_request, 0x0201 },
	{ "get_status", match_get_status, 0 },
	{ "get_descriptor", match_descriptor, 0 },
	{ "get_device", match_descriptor, 1 },
	{ "get_config", match_descriptor, 2 },
	{ "get_string", match_descriptor, 3 },
	{ "get_bos", match_descriptor, 15 },
	{ "class", match_type, 0x20 },
	{ "vendor", match_type, 0x40 },
};

static int parse_target(struct emu_rule *rule, const char *name)
{
	unsigned int type, request;
	char rest;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		if (!strcmp(targets[i].name, name)) {
			rule->match = targets[i].match;
			rule->number = targets[i].number;
			return 0;
		}
	}
	if (sscanf(name, "ep%2x%c", &rule->number, &rest) == 1 &&
	    !(rule->number & 0x70)) {
		rule->match = match_endpoint;
		return 0;
	}
	if (sscanf(name, "req%2x.%2x%c", &type, &request, &rest) == 2) {
		rule->match = match_request;
		rule->number = type << 8 | request;
		return 0;
	}
	return -EINVAL;
}

static int parse_argument(struct emu_rule *rule, const char *text)
{
	char *end;
	size_t i;

	if (rule->action == EMU_ERROR) {
		for (i = 0; text && i < ARRAY_SIZE(errors); i++) {
			if (!strcmp(errors[i].name, text)) {
				rule->argument = errors[i].status;
				return 0;
			}
		}
		return -EINVAL;
	}
	if (rule->action < EMU_DELAY)
		return text ? -EINVAL : 0;
	if (!text || !*text)
		return -EINVAL;
	rule->argument = strtol(text, &end, 10);
	return *end || rule->argument < 0 || rule->argument > INT_MAX ? -EINVAL : 0;
}

/* Cuts "C digits" off the end of text. False: there, but no number. */
static bool cut_number(char *text, char c, unsigned long *number)
{
	char *at = strrchr(text, c), *end;

	*number = 0;
	if (!at)
		return true;
	*at++ = '\0';
	*number = strtoul(at, &end, 10);
	return *at >= '0' && *at <= '9' && !*end;
}

int emu_rule_add(struct emu *emu, enum emu_action action, const char *text,
		 char *error, size_t size)
{
	struct emu_rule *rule = calloc(1, sizeof(*rule)), **at;
	char *argument;
	bool numbers;

	if (!rule)
		return -ENOMEM;
	rule->action = action;
	snprintf(rule->text, sizeof(rule->text), "%s", text);
	numbers = cut_number(rule->text, '*', &rule->count) &&
		  cut_number(rule->text, '+', &rule->skip);
	rule->counted = rule->count;
	argument = strchr(rule->text, ':');
	if (argument)
		*argument++ = '\0';
	if (!numbers || parse_target(rule, rule->text) ||
	    parse_argument(rule, argument)) {
		free(rule);
		snprintf(error, size, "%s=%s: not TARGET%s[+SKIP][*COUNT], see `help`",
			 action_names[action], text,
			 action == EMU_DELAY ? ":MS" :
			 action == EMU_SHORT ? ":BYTES" :
			 action == EMU_VARY ? ":OFFSET" :
			 action == EMU_ERROR ? ":ERROR" : "");
		return -EINVAL;
	}
	for (at = &emu->rules; *at; at = &(*at)->next)
		;
	*at = rule;
	emu_urb_rejudge(emu);
	return 0;
}

/* action -1: any. Returns whether there was one. */
bool emu_rule_remove(struct emu *emu, int action, const char *text)
{
	struct emu_rule **at = &emu->rules, *rule;
	bool all = !strcmp(text, "all"), found = false;

	while ((rule = *at)) {
		if ((action >= 0 && rule->action != (enum emu_action)action) ||
		    (!all && strcmp(rule->text, text))) {
			at = &rule->next;
			continue;
		}
		*at = rule->next;
		free(rule);
		found = true;
	}
	emu_urb_rejudge(emu);
	return found;
}

static bool applies(struct emu_rule *rule, const struct emu_urb *urb,
		    const struct emu_endpoint *endpoint)
{
	if (rule->spent || !rule->match(rule, urb, endpoint))
		return false;
	if (rule->skip) {
		rule->skip--;
		return false;
	}
	if (rule->counted && !--rule->count)
		rule->spent = true;
	return true;
}

void emu_rule_judge(struct emu *emu, struct emu_urb *urb,
		    const struct emu_endpoint *endpoint)
{
	struct emu_rule *rule;
	long delay = 0;
	bool decided = false;

	urb->judged = true;
	urb->muted = false;
	urb->status = 0;
	urb->room = urb->length;
	urb->varies = false;
	for (rule = emu->rules; rule; rule = rule->next) {
		if (decided && rule->action <= EMU_ERROR)
			continue;
		if (!applies(rule, urb, endpoint))
			continue;
		switch (rule->action) {
		case EMU_MUTE:
			urb->muted = true;
			break;
		case EMU_STALL:
			urb->status = -EPIPE;
			break;
		case EMU_ERROR:
			urb->status = (int)rule->argument;
			break;
		case EMU_DELAY:
			delay += rule->argument;
			continue;
		case EMU_SHORT:
			/* not below what a half filled transfer has already */
			if (urb->room > rule->argument)
				urb->room = (uint32_t)rule->argument;
			if (urb->room < urb->actual)
				urb->room = urb->actual;
			continue;
		case EMU_VARY:
			urb->varies = true;
			urb->vary_at = (size_t)rule->argument;
			urb->vary_by = ++rule->turn;
			continue;
		}
		decided = true;
	}
	/* a transfer that waits already is not delayed a second time */
	if (delay && !urb->due)
		urb->due = emu_now() + (uint64_t)delay;
	if (!delay)
		urb->due = 0;
}

void emu_rule_print(const struct emu *emu, FILE *out)
{
	const struct emu_rule *rule;

	for (rule = emu->rules; rule; rule = rule->next)
		fprintf(out, "%s target=%s argument=%ld skip=%lu %s=%lu\n",
			action_names[rule->action], rule->text, rule->argument,
			rule->skip, rule->counted ? "left" : "unlimited",
			rule->count);
}
