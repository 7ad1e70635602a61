// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "codec.h"

struct options {
	const char *name, *class, *reset, *description;
	bool enable, disable;
};

#define SET(to, attr) ((to)->has |= USBPASS_HAS(attr))

static int take_options(struct cli *cli, const struct options *from, struct usbpass_group *to)
{
	int ret = CLI_DONE;

	if (from->enable && from->disable)
		return cli_usage(cli, "--enable and --disable exclude each other");
	if (from->enable || from->disable) {
		to->enabled = from->enable;
		SET(to, USBPASS_A_GROUP_ENABLED);
	}
	if (from->class) {
		ret = cli_word(cli, "class", USBPASS_WORDS_GROUP_CLASS, from->class, &to->class);
		SET(to, USBPASS_A_GROUP_CLASS);
	}
	if (!ret && from->reset) {
		ret = cli_word(cli, "reset", USBPASS_WORDS_RESET, from->reset, &to->reset);
		SET(to, USBPASS_A_GROUP_RESET);
	}
	if (!ret && from->name) {
		ret = cli_string(cli, "the name", from->name, to->name, sizeof(to->name));
		SET(to, USBPASS_A_GROUP_NAME);
	}
	if (!ret && from->description) {
		ret = cli_string(cli, "the description", from->description, to->description,
				 sizeof(to->description));
		SET(to, USBPASS_A_GROUP_DESCRIPTION);
	}
	return ret;
}

#define OPTIONS(o)						\
	{ "class", CLI_VALUE, &(o).class },			\
	{ "reset", CLI_VALUE, &(o).reset },			\
	{ "description", CLI_VALUE, &(o).description },		\
	{ "enable", CLI_FLAG, &(o).enable },			\
	{ "disable", CLI_FLAG, &(o).disable }

static struct json_object *group_json(const struct usbpass_group *group)
{
	struct json_object *out = json_object_new_object();

	json_object_object_add(out, "group", cli_json(&usbpass_codec_group, group));
	return out;
}

int cli_group_add(struct cli *cli)
{
	struct options o = {};
	const struct cli_option options[] = { OPTIONS(o), {} };
	struct usbpass_group group = {};
	int ret = cli_options(cli, options, 0, 1);

	if (ret)
		return ret;
	o.name = cli->n_args ? cli->args[0] : NULL;
	ret = take_options(cli, &o, &group);
	if (ret)
		return ret;
	ret = usbpass_group_new(cli->h, &group);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "group '%s'", group.name);
	if (!cli->json)
		cli_say(stdout, "group '%s' added (#%u)", group.name, group.id);
	return cli_saved(cli, NULL, group_json(&group));
}

/* The group that the first argument names, or the exit code. */
static int get(struct cli *cli, struct usbpass_group *group)
{
	uint32_t id;
	const char *name = cli_object(cli->args[0], &id);
	int ret = usbpass_group_get(cli->h, id, name, group);

	if (ret < 0)
		return cli_fail(cli, ret, ret == -ENOENT ? "see: usbpass group list" : NULL,
				"group '%s'", name);
	return CLI_DONE;
}

int cli_group_set(struct cli *cli)
{
	struct options o = {};
	const struct cli_option options[] = { OPTIONS(o), { "name", CLI_VALUE, &o.name }, {} };
	struct usbpass_group old, group = {};
	int ret = cli_options(cli, options, 1, 1);

	if (!ret)
		ret = take_options(cli, &o, &group);
	if (ret)
		return ret;
	if (!group.has)
		return cli_usage(cli, "nothing to change is given");
	ret = get(cli, &old);
	if (ret)
		return ret;
	group.id = old.id;
	SET(&group, USBPASS_A_GROUP_ID);
	ret = usbpass_group_set(cli->h, &group);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "group '%s'", old.name);
	if (!cli->json)
		cli_say(stdout, "group '%s' changed", o.name ? o.name : old.name);
	return cli_saved(cli, NULL, group_json(&group));
}

int cli_group_del(struct cli *cli)
{
	struct usbpass_group group;
	int ret = cli_options(cli, NULL, 1, 1);

	if (!ret)
		ret = get(cli, &group);
	if (ret)
		return ret;
	ret = usbpass_group_del(cli->h, group.id, NULL);
	if (ret < 0)
		return cli_fail(cli, ret, ret == -EBUSY ?
				"see: usbpass group show" :
				NULL, "group '%s'", group.name);
	if (!cli->json)
		cli_say(stdout, "group '%s' deleted", group.name);
	return cli_saved(cli, NULL, group_json(&group));
}

int cli_group_list(struct cli *cli)
{
	static const char *const titles[] = {
		"ID", "NAME", "CLASS", "RESET", "ENABLED", "DEVICES", "FREE", "DESCRIPTION",
	};
	struct cli_table table = { .titles = titles, .columns = 8 };
	struct json_object *out = json_object_new_object(), *array = json_object_new_array();
	struct usbpass_group *list;
	size_t n;
	int ret = cli_options(cli, NULL, 0, 0);

	json_object_object_add(out, "groups", array);
	if (!ret) {
		ret = usbpass_group_list(cli->h, &list, &n);
		if (ret < 0)
			ret = cli_fail(cli, ret, NULL, "the list of groups");
	}
	if (ret) {
		json_object_put(out);
		return ret;
	}
	for (size_t i = 0; i < n; i++) {
		const struct usbpass_group *group = &list[i];
		char id[16], devices[16], idle[16];
		const char *cells[] = {
			id, group->name, usbpass_words_word(USBPASS_WORDS_GROUP_CLASS, group->class),
			usbpass_words_word(USBPASS_WORDS_RESET, group->reset),
			group->enabled ? "yes" : "no", devices, idle, group->description,
		};

		snprintf(id, sizeof(id), "#%u", group->id);
		snprintf(devices, sizeof(devices), "%u", group->devices);
		snprintf(idle, sizeof(idle), "%u", group->free);
		if (cli->json)
			json_object_array_add(array, cli_json(&usbpass_codec_group, group));
		else
			cli_table_row(&table, cells);
	}
	usbpass_group_list_free(list, n);
	if (cli->json)
		return cli_print(out);
	json_object_put(out);
	cli_table_print(&table);
	return CLI_DONE;
}

struct parts {
	struct usbpass_rule *rules;
	struct usbpass_attachment *attachments;
	struct usbpass_device *devices;
	size_t n_rules, n_attachments, n_devices;
};

static int get_parts(struct cli *cli, struct parts *parts)
{
	int ret = usbpass_rule_list(cli->h, &parts->rules, &parts->n_rules);

	if (ret >= 0)
		ret = usbpass_attachment_list(cli->h, &parts->attachments, &parts->n_attachments);
	if (ret >= 0)
		ret = usbpass_device_list(cli->h, &parts->devices, &parts->n_devices);
	return ret < 0 ? cli_fail(cli, ret, NULL, "the lists") : CLI_DONE;
}

static void free_parts(struct parts *parts)
{
	usbpass_rule_list_free(parts->rules, parts->n_rules);
	usbpass_attachment_list_free(parts->attachments, parts->n_attachments);
	usbpass_device_list_free(parts->devices, parts->n_devices);
}

static void show_parts(const char *name, const struct parts *parts)
{
	for (size_t i = 0; i < parts->n_rules; i++)
		if (!strcmp(parts->rules[i].group, name))
			cli_pair("rule", "%s", parts->rules[i].name);
	for (size_t i = 0; i < parts->n_devices; i++)
		if (!strcmp(parts->devices[i].group, name))
			cli_pair("device", "#%u %04x:%04x %s %s", parts->devices[i].id,
				 parts->devices[i].vendor, parts->devices[i].product,
				 parts->devices[i].socket,
				 usbpass_words_word(USBPASS_WORDS_DEVICE_STATE,
						    parts->devices[i].state));
	for (size_t i = 0; i < parts->n_attachments; i++)
		if (!strcmp(parts->attachments[i].group, name))
			cli_pair("attachment", "%s (%s)", parts->attachments[i].name,
				 usbpass_words_word(USBPASS_WORDS_SLOT_STATE,
						    parts->attachments[i].state));
}

static void parts_json(const char *name, const struct parts *parts, struct json_object *out)
{
	struct json_object *rules = json_object_new_array(), *devices = json_object_new_array(),
			   *attachments = json_object_new_array();

	for (size_t i = 0; i < parts->n_rules; i++)
		if (!strcmp(parts->rules[i].group, name))
			json_object_array_add(rules, cli_json(&usbpass_codec_rule, &parts->rules[i]));
	for (size_t i = 0; i < parts->n_devices; i++)
		if (!strcmp(parts->devices[i].group, name))
			json_object_array_add(devices, cli_json(&usbpass_codec_device,
								&parts->devices[i]));
	for (size_t i = 0; i < parts->n_attachments; i++)
		if (!strcmp(parts->attachments[i].group, name))
			json_object_array_add(attachments, cli_json(&usbpass_codec_attachment,
								    &parts->attachments[i]));
	json_object_object_add(out, "rules", rules);
	json_object_object_add(out, "devices", devices);
	json_object_object_add(out, "attachments", attachments);
}

int cli_group_show(struct cli *cli)
{
	struct parts parts = {};
	struct usbpass_group group;
	struct json_object *out;
	int ret = cli_options(cli, NULL, 1, 1);

	if (!ret)
		ret = get(cli, &group);
	if (ret)
		return ret;
	ret = get_parts(cli, &parts);
	if (!ret && cli->json) {
		out = group_json(&group);
		parts_json(group.name, &parts, out);
		cli_print(out);
	} else if (!ret) {
		cli_pair("group", "%s (#%u)", group.name, group.id);
		cli_pair("class", "%s", usbpass_words_word(USBPASS_WORDS_GROUP_CLASS, group.class));
		cli_pair("guest reset", "%s", usbpass_words_word(USBPASS_WORDS_RESET, group.reset));
		cli_pair("enabled", "%s", group.enabled ? "yes" : "no");
		if (group.description[0])
			cli_pair("description", "%s", group.description);
		cli_pair("devices", "%u, of them free %u", group.devices, group.free);
		show_parts(group.name, &parts);
	}
	free_parts(&parts);
	return ret;
}
