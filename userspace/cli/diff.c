// SPDX-License-Identifier: GPL-2.0
/*
 * What a file would change, if it were applied. The kernel is asked, in a transaction that is never
 * committed: what it would say to a device, and what it has made of the objects.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "names.h"
#include "rule_text.h"
#include "state.h"

#define REPLUG	"at its next plug, or with --rescan"
#define PLUG	"at its next plug"
#define LEASE	"when its lease ends, or with --revoke at once"

struct diff {
	struct cli *cli;
	struct json_object *changes;
};

/* @from, @to: groups; they and @when may be NULL. */
struct change {
	const char *action, *object, *name, *from, *to, *when;
};

static void tell(struct diff *diff, const struct change *change)
{
	struct json_object *out = json_object_new_object();
	const struct {
		const char *key, *value;
	} members[] = {
		{ "action", change->action }, { "object", change->object }, { "name", change->name },
		{ "from", change->from }, { "to", change->to }, { "when", change->when },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (members[i].value)
			json_object_object_add(out, members[i].key,
					       cli_json_string(members[i].value));
	json_object_array_add(diff->changes, out);
	if (diff->cli->json)
		return;
	cli_say(stdout, "%-10s %s %s%s%s%s%s%s%s%s%s", change->action, change->object, change->name,
		change->from ? ", from group '" : "", change->from ? change->from : "",
		change->from ? "'" : "", change->to ? ", into group '" : "",
		change->to ? change->to : "", change->to ? "'" : "", change->when ? ": " : "",
		change->when ? change->when : "");
}

/* ---- devices ---- */

/* What the rules want of a device. */
struct wish {
	uint8_t action;				/* 0: leave it to the host */
	char group[USBPASS_NAME_MAX + 1];	/* of CLAIM, else "" */
};

static int wanted(struct cli *cli, const struct usbpass_device *device, struct wish *wish)
{
	struct usbpass_rule rule;
	int ret = usbpass_rule_test(cli->h, device->id, &rule);

	*wish = (struct wish){};
	if (ret == -ENODEV)
		return 0;		/* unplugged meanwhile */
	if (ret < 0)
		return ret;
	if (rule.has && rule.action != USBPASS_ACTION_IGNORE) {
		wish->action = rule.action;
		snprintf(wish->group, sizeof(wish->group), "%s", rule.group);
	}
	usbpass_rule_clear(&rule);
	return 0;
}

/* Of a device that usbpass has. False: nothing. */
static bool change_owned(const struct usbpass_device *device, const struct wish *now,
			 const struct wish *next, struct change *change)
{
	change->from = device->group[0] ? device->group : NULL;
	change->when = device->state == USBPASS_DEVICE_ONLINE ? LEASE : NULL;
	switch (next->action) {
	case USBPASS_ACTION_CLAIM:
		change->action = change->from ? "move" : "claim";
		change->to = next->group;
		return strcmp(device->group, next->group) != 0;
	case USBPASS_ACTION_QUARANTINE:
		change->action = "quarantine";
		return now->action != USBPASS_ACTION_QUARANTINE;
	default:
		change->action = "release";
		return true;
	}
}

/* Of one that it has not, or holds for want of rules or in a guarded socket. */
static bool change_other(const struct usbpass_device *device, const struct wish *now,
			 const struct wish *next, struct change *change)
{
	bool held = device->state == USBPASS_DEVICE_HELD;

	switch (next->action) {
	case USBPASS_ACTION_CLAIM:
		change->action = "claim";
		change->to = next->group;
		change->when = held ? NULL : REPLUG;
		return strcmp(now->group, next->group) != 0;
	case USBPASS_ACTION_QUARANTINE:
		change->action = "quarantine";
		change->when = held ? NULL : PLUG;
		return now->action != USBPASS_ACTION_QUARANTINE;
	default:
		change->action = "leave";
		change->from = now->group[0] ? now->group : NULL;
		change->when = now->action == USBPASS_ACTION_CLAIM ?
			       "it was to be claimed, and stays the host's" :
			       "it was to be quarantined, and stays the host's";
		return now->action;
	}
}

/* @now, @next: by the rules in force and in the file. */
static void tell_device(struct diff *diff, const struct usbpass_device *device,
			const struct wish *now, const struct wish *next)
{
	bool owned = device->state >= USBPASS_DEVICE_IDLE ||
		     (device->state == USBPASS_DEVICE_HELD &&
		      now->action == USBPASS_ACTION_QUARANTINE);
	char name[128 + USBPASS_STRING_MAX * 4], serial[USBPASS_STRING_MAX * 4];
	struct change change = { .object = "device", .name = name };

	usbpass_names_quote(device->serial, serial, sizeof(serial));
	snprintf(name, sizeof(name), "%s (%04x:%04x%s%s)", device->busid, device->vendor,
		 device->product, serial[0] ? " " : "", serial);
	if (owned ? change_owned(device, now, next, &change) :
		    change_other(device, now, next, &change))
		tell(diff, &change);
}

/* ---- objects ---- */

struct kind {
	const char *object, *fresh, *gone;
	const struct codec *codec;
	size_t name;			/* offset of the member */
};

static const struct kind groups = {
	"group", "add", "remove", &usbpass_codec_group, offsetof(struct usbpass_group, name),
};

static const struct kind rules = {
	"rule", "add", "remove", &usbpass_codec_rule, offsetof(struct usbpass_rule, name),
};

static const struct kind attachments = {
	"attachment", "attach", "detach", &usbpass_codec_attachment,
	offsetof(struct usbpass_attachment, name),
};

static bool same_conds(const struct usbpass_rule *a, const struct usbpass_rule *b)
{
	char *x = usbpass_rule_text_print(a), *y = usbpass_rule_text_print(b);
	bool same = x && y && !strcmp(x, y);

	free(x);
	free(y);
	return same;
}

static bool same_field(const struct codec_field *field, const void *a, const void *b)
{
	const void *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
	const char *s, *t;

	if ((*(const uint64_t *)a ^ *(const uint64_t *)b) & USBPASS_HAS(field->attr))
		return false;
	switch (field->type) {
	case CODEC_STRING:
		return !strcmp(x, y);
	case CODEC_TEXT:
		s = *(char *const *)x;
		t = *(char *const *)y;
		return !strcmp(s ? s : "", t ? t : "");
	case CODEC_LIST:
		return same_conds(a, b);	/* the only list that can be set */
	default:
		return !memcmp(x, y, field->size);
	}
}

/* What an operator can set; the id is the kernel's. */
static bool same(const struct codec *codec, const void *a, const void *b)
{
	for (size_t i = 0; i < codec->n_fields; i++)
		if (codec->fields[i].in && strcmp(codec->fields[i].name, "id") != 0 &&
		    !same_field(&codec->fields[i], a, b))
			return false;
	return true;
}

static void tell_object(struct diff *diff, const struct kind *kind, const char *action,
			const void *object)
{
	struct change change = {
		.action = action, .object = kind->object,
		.name = (const char *)object + kind->name,
	};
	const struct usbpass_attachment *attachment = object;

	if (action == attachments.gone && attachment->state == USBPASS_SLOT_ONLINE)
		change.when = "refused while its lease is open, unless --revoke";
	tell(diff, &change);
}

static int by_name(const void *a, const void *b, void *kind)
{
	size_t name = ((const struct kind *)kind)->name;

	return strcmp(*(const char *const *)a + name, *(const char *const *)b + name);
}

/* Pointers to the objects, in the order of their names. NULL: no memory. */
static const char **sorted(const struct kind *kind, const void *list, size_t n)
{
	const char **out = calloc(n + 1, sizeof(*out));

	for (size_t i = 0; out && i < n; i++)
		out[i] = (const char *)list + i * kind->codec->size;
	if (out)
		qsort_r(out, n, sizeof(*out), by_name, (void *)kind);
	return out;
}

static int tell_objects(struct diff *diff, const struct kind *kind, const void *now, size_t n_now,
			const void *next, size_t n_next)
{
	const char **a = sorted(kind, now, n_now), **b = sorted(kind, next, n_next);
	size_t i = 0, k = 0;
	int ret = a && b ? 0 : -ENOMEM;

	while (!ret && (i < n_now || k < n_next)) {
		int order = i == n_now ? 1 : k == n_next ? -1 :
			    strcmp(a[i] + kind->name, b[k] + kind->name);

		if (order < 0)
			tell_object(diff, kind, kind->gone, a[i]);
		else if (order > 0)
			tell_object(diff, kind, kind->fresh, b[k]);
		else if (!same(kind->codec, a[i], b[k]))
			tell_object(diff, kind, "change", b[k]);
		i += order <= 0;
		k += order >= 0;
	}
	free(a);
	free(b);
	return ret;
}

/* ---- the whole ---- */

/* In force, and what the open transaction has made of the file. */
struct world {
	struct cli_devices devices;
	struct wish *wanted;		/* by device */
	struct usbpass_state objects;
};

static int read_objects(struct cli *cli, struct usbpass_state *out)
{
	int ret = usbpass_group_list(cli->h, &out->groups, &out->n_groups);

	if (!ret)
		ret = usbpass_rule_list(cli->h, &out->rules, &out->n_rules);
	if (!ret)
		ret = usbpass_attachment_list(cli->h, &out->attachments, &out->n_attachments);
	return ret;
}

static int read_world(struct cli *cli, struct world *out)
{
	int ret = usbpass_device_list(cli->h, &out->devices.list, &out->devices.n);

	if (!ret)
		out->wanted = calloc(out->devices.n + 1, sizeof(*out->wanted));
	if (!ret && !out->wanted)
		ret = -ENOMEM;
	for (size_t i = 0; !ret && i < out->devices.n; i++)
		ret = wanted(cli, &out->devices.list[i], &out->wanted[i]);
	return ret ? ret : read_objects(cli, &out->objects);
}

static int compare(struct diff *diff, const struct world *now)
{
	struct usbpass_state next = {};
	struct wish wish;
	int ret = read_objects(diff->cli, &next);

	for (size_t i = 0; !ret && i < now->devices.n; i++) {
		if (now->devices.list[i].flags & USBPASS_DEVICE_F_HUB)
			continue;
		ret = wanted(diff->cli, &now->devices.list[i], &wish);
		if (!ret)
			tell_device(diff, &now->devices.list[i], &now->wanted[i], &wish);
	}
	if (!ret)
		ret = tell_objects(diff, &attachments, now->objects.attachments,
				   now->objects.n_attachments, next.attachments,
				   next.n_attachments);
	if (!ret)
		ret = tell_objects(diff, &groups, now->objects.groups, now->objects.n_groups,
				   next.groups, next.n_groups);
	if (!ret)
		ret = tell_objects(diff, &rules, now->objects.rules, now->objects.n_rules,
				   next.rules, next.n_rules);
	usbpass_state_free(&next);
	return ret;
}

static int print(struct diff *diff)
{
	struct json_object *out;

	if (!diff->cli->json) {
		if (!json_object_array_length(diff->changes))
			puts("nothing would change");
		json_object_put(diff->changes);
		return CLI_DONE;
	}
	out = json_object_new_object();
	json_object_object_add(out, "changes", diff->changes);
	return cli_print(out);
}

int cli_diff_state(struct cli *cli, const char *path, const struct usbpass_state *state)
{
	struct diff diff = { .cli = cli, .changes = json_object_new_array() };
	struct world now = {};
	char err[1024];
	int ret = read_world(cli, &now), shown = CLI_DONE;

	if (ret < 0) {
		shown = cli_fail(cli, ret, NULL, "what is in force");
	} else {
		ret = usbpass_state_stage(cli->h, state, err, sizeof(err));
		if (ret < 0) {
			cli_fail_text(cli, ret, "it cannot be applied", "%s: %s", path, err);
			shown = CLI_REFUSED;	/* not 3: the file was found */
		}
	}
	if (!ret) {
		ret = compare(&diff, &now);
		if (ret < 0)
			shown = cli_fail(cli, ret, NULL, "%s", path);
		usbpass_txn_abort(cli->h);
	}
	if (ret < 0)
		json_object_put(diff.changes);
	else
		shown = print(&diff);
	usbpass_state_free(&now.objects);
	cli_devices_free(&now.devices);
	free(now.wanted);
	return shown;
}

int cli_diff(struct cli *cli)
{
	struct usbpass_state state;
	char err[1024];
	int ret = cli_options(cli, NULL, 1, 1);

	if (ret)
		return ret;
	ret = usbpass_state_load(cli->args[0], &state, err, sizeof(err));
	if (ret < 0)
		return cli_fail_text(cli, ret, NULL, "%s", err);
	cli_unlearned(cli->args[0], &state);
	ret = cli_diff_state(cli, cli->args[0], &state);
	usbpass_state_free(&state);
	return ret;
}
