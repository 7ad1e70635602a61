/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The helper's verbs over objects that a program makes up instead of the kernel, and a look at each byte that they print. To
 * be linked with all objects of userspace/cli but main.o, and with --wrap for the functions listed here.
 */
// wrap: usbpass_device_list usbpass_group_list usbpass_group_get usbpass_rule_list usbpass_rule_get usbpass_rule_explain
// wrap: usbpass_attachment_list usbpass_attachment_get usbpass_info_get usbpass_event_subscribe usbpass_event_next
// wrap: usbpass_learned_list usbpass_device_radius usbpass_device_reset
#ifndef HELPER_H
#define HELPER_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "handle.h"
#include "names.h"

/* What the kernel would say; the lists hold one each. */
static struct helper {
	struct usbpass_info info;
	struct usbpass_device device;
	struct usbpass_group group;
	struct usbpass_rule rule;
	struct usbpass_attachment attachment;
	struct usbpass_event event;
	struct usbpass_learned learned;
	bool told;			/* the event */
} helper;

int cli_usage(struct cli *cli, const char *format, ...)
{
	(void)cli;
	(void)format;
	return CLI_USAGE;
}

static void *helper_copy(const void *object, size_t size)
{
	return memcpy(malloc(size), object, size);
}

/* What the caller frees: copied. */
static void helper_rule(struct usbpass_rule *out)
{
	*out = helper.rule;
	out->description = helper.rule.description ? strdup(helper.rule.description) : NULL;
	out->conds = NULL;
	out->n_conds = 0;
	for (size_t i = 0; i < helper.rule.n_conds; i++)
		usbpass_rule_add_cond(out, &helper.rule.conds[i]);
}

#define WRAP(ret, name, ...)	ret __wrap_##name(__VA_ARGS__); ret __wrap_##name(__VA_ARGS__)

WRAP(int, usbpass_device_list, struct usbpass *h, struct usbpass_device **out, size_t *n)
{
	(void)h;
	*out = helper_copy(&helper.device, sizeof(helper.device));
	*n = 1;
	return 0;
}

WRAP(int, usbpass_group_list, struct usbpass *h, struct usbpass_group **out, size_t *n)
{
	(void)h;
	*out = helper_copy(&helper.group, sizeof(helper.group));
	*n = 1;
	return 0;
}

WRAP(int, usbpass_group_get, struct usbpass *h, uint32_t id, const char *name, struct usbpass_group *out)
{
	(void)h;
	(void)id;
	(void)name;
	*out = helper.group;
	return 0;
}

WRAP(int, usbpass_rule_list, struct usbpass *h, struct usbpass_rule **out, size_t *n)
{
	(void)h;
	*out = malloc(sizeof(**out));
	helper_rule(*out);
	*n = 1;
	return 0;
}

WRAP(int, usbpass_rule_get, struct usbpass *h, uint32_t id, const char *name, struct usbpass_rule *out)
{
	(void)h;
	(void)id;
	(void)name;
	helper_rule(out);
	return 0;
}

/* One that stumbles over its first condition, if it has one. */
WRAP(int, usbpass_rule_explain, struct usbpass *h, const struct usbpass_device *device, struct usbpass_verdict **out, size_t *n)
{
	(void)h;
	(void)device;
	*out = calloc(1, sizeof(**out));
	helper_rule(&(*out)->rule);
	(*out)->holds = !(*out)->rule.n_conds;
	*n = 1;
	return 0;
}

WRAP(int, usbpass_attachment_list, struct usbpass *h, struct usbpass_attachment **out, size_t *n)
{
	(void)h;
	*out = helper_copy(&helper.attachment, sizeof(helper.attachment));
	*n = 1;
	return 0;
}

WRAP(int, usbpass_attachment_get, struct usbpass *h, uint32_t id, const char *name, struct usbpass_attachment *out)
{
	(void)h;
	(void)id;
	(void)name;
	*out = helper.attachment;
	return 0;
}

WRAP(int, usbpass_info_get, struct usbpass *h, struct usbpass_info *out)
{
	(void)h;
	*out = helper.info;
	return 0;
}

WRAP(int, usbpass_event_subscribe, struct usbpass *h, const uint64_t *since, uint32_t flags)
{
	(void)h;
	(void)since;
	(void)flags;
	return 0;
}

WRAP(int, usbpass_learned_list, struct usbpass *h, struct usbpass_learned **out, size_t *n)
{
	(void)h;
	*out = helper_copy(&helper.learned, sizeof(helper.learned));
	*n = 1;
	return 0;
}

/* The device, which is in the way of its own reset. */
WRAP(int, usbpass_device_radius, struct usbpass *h, uint32_t id, uint8_t kind, struct usbpass_hit **out, size_t *n)
{
	(void)h;
	(void)id;
	(void)kind;
	*out = calloc(1, sizeof(**out));
	(*out)->device = helper.device;
	(*out)->in_the_way = USBPASS_IN_THE_WAY_HOST;
	*n = 1;
	return 0;
}

WRAP(int, usbpass_device_reset, struct usbpass *h, uint32_t id, uint8_t kind, uint32_t flags, uint32_t *job)
{
	(void)h;
	(void)id;
	(void)kind;
	(void)flags;
	*job = 0;
	return -EBUSY;
}

/* One, then the kernel's own words of an error. */
WRAP(int, usbpass_event_next, struct usbpass *h, struct usbpass_event *out, int timeout)
{
	(void)timeout;
	if (helper.told) {
		h->error = -EIO;
		return -EIO;
	}
	*out = helper.event;
	helper.told = true;
	return 0;
}

/* What cannot be reached by a verb without a host to look at. */
static int helper_taking(struct cli *cli)
{
	struct cli_taking taking = { .result = CLI_PENDING };
	struct json_object *out;

	snprintf(taking.reason, sizeof(taking.reason), "%s", helper.device.reason);
	snprintf(taking.remedy, sizeof(taking.remedy), "%.127s", helper.device.remedy);
	if (!cli->json) {
		cli_taking_print(&helper.device, &taking);
		return CLI_DONE;
	}
	out = json_object_new_object();
	json_object_object_add(out, "taking", cli_taking_json(&helper.device, &taking));
	return cli_print(out);
}

static int helper_fail(struct cli *cli)
{
	return cli_fail(cli, -EINVAL, NULL, "group '%s'", helper.group.name);
}

static const struct {
	const char *name;
	int (*fn)(struct cli *cli);
	int args;			/* a device or a name, and */
	const char *option;
} helper_verbs[] = {
	{ "device list", cli_device_list, 0, NULL }, { "device show", cli_device_show, 1, NULL },
	{ "group list", cli_group_list, 0, NULL }, { "group show", cli_group_show, 1, NULL },
	{ "rule list", cli_rule_list, 0, NULL }, { "rule show", cli_rule_show, 1, NULL },
	{ "rule test", cli_rule_test, 1, NULL }, { "attach list", cli_attach_list, 0, NULL },
	{ "attach show", cli_attach_show, 1, NULL }, { "status", cli_status, 0, NULL },
	{ "monitor", cli_monitor, 0, NULL },
	{ "a pending device", helper_taking, 0, NULL }, { "an error", helper_fail, 0, NULL },
	{ "device reset --dry-run", cli_device_reset, 2, "--dry-run" }, { "a refused reset", cli_device_reset, 2, "--hub" },
};

#define HELPER_VERBS	(sizeof(helper_verbs) / sizeof(helper_verbs[0]))

/* What verb @i prints on both streams; free it. @error: the kernel's words where it fails. */
static char *helper_run(size_t i, bool json, const char *error)
{
	static const struct usbpass_host nowhere = { "/nonexistent", "/nonexistent", "/nonexistent", "/nonexistent" };
	struct usbpass h = { .error = -EINVAL };
	struct cli cli = { .h = &h, .host = &nowhere, .json = json, .n_args = helper_verbs[i].args };
	char id[] = "#1", *args[] = { id, (char *)helper_verbs[i].option, NULL }, *text = NULL;
	FILE *out = stdout, *err = stderr;
	size_t size;

	snprintf(h.message, sizeof(h.message), "%s", error);
	helper.told = false;
	helper.device.id = 1;
	cli.args = args;
	stdout = stderr = open_memstream(&text, &size);
	helper_verbs[i].fn(&cli);
	fclose(stdout);
	stdout = out;
	stderr = err;
	return text;
}

/* Each line can be shown, and nothing but a newline ends it. The fault, NULL: none. */
static const char *helper_unsafe(char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")))
		if (!usbpass_names_printable(line))
			return line;
	return NULL;
}

#endif /* HELPER_H */
