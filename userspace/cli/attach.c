// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "made.h"

struct options {
	const char *name, *group, *slug, *vm, *device, *reset, *follow, *uid, *gid, *description;
	bool optional, no_optional, enable, disable, revoke;
};

#define SET(to, attr) ((to)->has |= USBPASS_HAS(attr))

#define OPTIONS(o)						\
	{ "group", CLI_VALUE, &(o).group },			\
	{ "slug", CLI_VALUE, &(o).slug },			\
	{ "vm", CLI_VALUE, &(o).vm },				\
	{ "device", CLI_VALUE, &(o).device },			\
	{ "reset", CLI_VALUE, &(o).reset },			\
	{ "follow", CLI_VALUE, &(o).follow },			\
	{ "uid", CLI_VALUE, &(o).uid },				\
	{ "gid", CLI_VALUE, &(o).gid },				\
	{ "description", CLI_VALUE, &(o).description },		\
	{ "optional", CLI_FLAG, &(o).optional },		\
	{ "enable", CLI_FLAG, &(o).enable },			\
	{ "disable", CLI_FLAG, &(o).disable }

/* A number, or what getpwnam or getgrnam knows. */
static int take_id(struct cli *cli, const char *option, const char *text, uint32_t *out)
{
	int64_t number;

	if (text[0] >= '0' && text[0] <= '9') {
		int ret = cli_number(cli, option, text, 0, UINT32_MAX - 1, &number);

		*out = number;
		return ret;
	}
	if (!strcmp(option, "uid")) {
		const struct passwd *user = getpwnam(text);

		if (user) {
			*out = user->pw_uid;
			return CLI_DONE;
		}
	} else {
		const struct group *group = getgrnam(text);

		if (group) {
			*out = group->gr_gid;
			return CLI_DONE;
		}
	}
	return cli_usage(cli, "--%s '%s': this host knows no such %s", option, text,
			 !strcmp(option, "uid") ? "user" : "group");
}

static int take_flags(struct cli *cli, const struct options *from, struct usbpass_attachment *to)
{
	if (from->enable && from->disable)
		return cli_usage(cli, "--enable and --disable exclude each other");
	if (from->optional && from->no_optional)
		return cli_usage(cli, "--optional and --no-optional exclude each other");
	if (from->enable || from->disable) {
		to->enabled = from->enable;
		SET(to, USBPASS_A_ATTACH_ENABLED);
	}
	if (from->optional || from->no_optional) {
		to->optional = from->optional;
		SET(to, USBPASS_A_ATTACH_OPTIONAL);
	}
	return CLI_DONE;
}

static int take_strings(struct cli *cli, const struct options *from, struct usbpass_attachment *to)
{
	const struct {
		const char *what, *text;
		char *out;
		size_t size;
		unsigned int attr;
	} strings[] = {
		{ "the name", from->name, to->name, sizeof(to->name), USBPASS_A_ATTACH_NAME },
		{ "the group", from->group, to->group, sizeof(to->group), USBPASS_A_ATTACH_GROUP },
		{ "the slug", from->slug, to->slug, sizeof(to->slug), USBPASS_A_ATTACH_SLUG },
		{ "the VM", from->vm, to->vm, sizeof(to->vm), USBPASS_A_ATTACH_VM },
		{ "the description", from->description, to->description, sizeof(to->description),
		  USBPASS_A_ATTACH_DESCRIPTION },
	};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		int ret;

		if (!strings[i].text)
			continue;
		ret = cli_string(cli, strings[i].what, strings[i].text, strings[i].out,
				 strings[i].size);
		if (ret)
			return ret;
		SET(to, strings[i].attr);
	}
	return CLI_DONE;
}

/* The identity that a made rule would use, as a pin. */
static int take_pin(struct cli *cli, const char *text, struct usbpass_attachment *to)
{
	struct usbpass_rule rule = {};
	struct cli_devices devices;
	char *args[] = { (char *)text }, **saved = cli->args;
	int n = cli->n_args, ret;
	char why[640];

	cli->args = args;
	cli->n_args = 1;
	ret = cli_devices(cli, 0, &devices);
	cli->args = saved;
	cli->n_args = n;
	if (ret)
		return ret;
	if (usbpass_made_identity(devices.chosen[0], devices.list, devices.n, USBPASS_MADE_BY_BEST,
				  NULL, &rule, why, sizeof(why)) < 0)
		ret = cli_fail_text(cli, -EINVAL, "leave --device out", "device '%s': %s", text, why);
	for (size_t i = 0; i < rule.n_conds; i++) {
		const struct usbpass_cond *cond = &rule.conds[i];

		if (cond->field == USBPASS_FIELD_VENDOR) {
			to->pin_vendor = cond->number;
			SET(to, USBPASS_A_ATTACH_PIN_VENDOR);
		} else if (cond->field == USBPASS_FIELD_PRODUCT) {
			to->pin_product = cond->number;
			SET(to, USBPASS_A_ATTACH_PIN_PRODUCT);
		} else if (cond->field == USBPASS_FIELD_SERIAL) {
			snprintf(to->pin_serial, sizeof(to->pin_serial), "%s", cond->string);
			SET(to, USBPASS_A_ATTACH_PIN_SERIAL);
		} else if (cond->field == USBPASS_FIELD_SOCKET) {
			snprintf(to->pin_socket, sizeof(to->pin_socket), "%s", cond->string);
			SET(to, USBPASS_A_ATTACH_PIN_SOCKET);
		}
	}
	if (!ret && !cli->json)
		cli_say(stdout, "only device '%s', by %s", text, why);
	usbpass_rule_clear(&rule);
	cli_devices_free(&devices);
	return ret;
}

static int take_options(struct cli *cli, const struct options *from, struct usbpass_attachment *to)
{
	int ret = take_flags(cli, from, to);

	if (!ret)
		ret = take_strings(cli, from, to);
	if (!ret && from->reset) {
		ret = cli_word(cli, "reset", USBPASS_WORDS_RESET, from->reset, &to->reset);
		SET(to, USBPASS_A_ATTACH_RESET);
	}
	if (!ret && from->follow) {
		ret = cli_word(cli, "follow", USBPASS_WORDS_FOLLOW, from->follow, &to->follow);
		SET(to, USBPASS_A_ATTACH_FOLLOW);
	}
	if (!ret && from->uid) {
		ret = take_id(cli, "uid", from->uid, &to->uid);
		SET(to, USBPASS_A_ATTACH_UID);
	}
	if (!ret && from->gid) {
		ret = take_id(cli, "gid", from->gid, &to->gid);
		SET(to, USBPASS_A_ATTACH_GID);
	}
	if (!ret && from->device)
		ret = take_pin(cli, from->device, to);
	return ret;
}

static struct json_object *attach_json(const struct usbpass_attachment *attachment)
{
	struct json_object *out = json_object_new_object();
	struct json_object *body = cli_json(&usbpass_codec_attachment, attachment);
	char path[256];

	if (attachment->slug[0])
		json_object_object_add(body, "path", cli_json_string(
			cli_node_path(attachment, path, sizeof(path))));
	json_object_object_add(out, "attachment", body);
	return out;
}

int cli_attach_add(struct cli *cli)
{
	struct options o = {};
	const struct cli_option options[] = { OPTIONS(o), {} };
	struct usbpass_attachment attachment = {};
	char path[256];
	int ret = cli_options(cli, options, 0, 1);

	if (ret)
		return ret;
	o.name = cli->n_args ? cli->args[0] : NULL;
	if (!o.group)
		return cli_usage(cli, "an attachment needs --group");
	ret = take_options(cli, &o, &attachment);
	if (ret)
		return ret;
	ret = usbpass_attachment_new(cli->h, &attachment);
	if (ret == -ENOENT)
		return cli_fail(cli, ret, "see: usbpass group list", "attachment '%s', group '%s'",
				attachment.name, attachment.group);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "attachment '%s'", attachment.name);
	if (!cli->json) {
		cli_say(stdout, "attachment '%s' added (#%u)", attachment.name, attachment.id);
		cli_say(stdout, "%s", cli_node_path(&attachment, path, sizeof(path)));
	}
	return cli_saved(cli, NULL, attach_json(&attachment));
}

/* The attachment that the first argument names, or the exit code. */
static int get(struct cli *cli, struct usbpass_attachment *attachment)
{
	uint32_t id;
	const char *name = cli_object(cli->args[0], &id);
	int ret = usbpass_attachment_get(cli->h, id, name, attachment);

	if (ret < 0)
		return cli_fail(cli, ret, ret == -ENOENT ? "see: usbpass attach list" : NULL,
				"attachment '%s'", name);
	return CLI_DONE;
}

int cli_attach_set(struct cli *cli)
{
	struct options o = {};
	const struct cli_option options[] = {
		OPTIONS(o),
		{ "name", CLI_VALUE, &o.name },
		{ "no-optional", CLI_FLAG, &o.no_optional },
		{ "revoke", CLI_FLAG, &o.revoke },
		{},
	};
	struct usbpass_attachment old, attachment = {};
	int ret = cli_options(cli, options, 1, 1);

	if (!ret)
		ret = take_options(cli, &o, &attachment);
	if (ret)
		return ret;
	if (!attachment.has)
		return cli_usage(cli, "nothing to change is given");
	ret = get(cli, &old);
	if (ret)
		return ret;
	attachment.id = old.id;
	SET(&attachment, USBPASS_A_ATTACH_ID);
	ret = usbpass_attachment_set(cli->h, &attachment, o.revoke ? USBPASS_F_REVOKE : 0);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "attachment '%s'", old.name);
	if (!cli->json)
		cli_say(stdout, "attachment '%s' changed", o.name ? o.name : old.name);
	return cli_saved(cli, NULL, attach_json(&attachment));
}

int cli_attach_del(struct cli *cli)
{
	bool revoke = false;
	const struct cli_option options[] = { { "revoke", CLI_FLAG, &revoke }, {} };
	struct usbpass_attachment attachment;
	int ret = cli_options(cli, options, 1, 1);

	if (!ret)
		ret = get(cli, &attachment);
	if (ret)
		return ret;
	ret = usbpass_attachment_del(cli->h, attachment.id, NULL, revoke ? USBPASS_F_REVOKE : 0);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "attachment '%s'", attachment.name);
	if (!cli->json)
		cli_say(stdout, "attachment '%s' deleted", attachment.name);
	return cli_saved(cli, NULL, attach_json(&attachment));
}
