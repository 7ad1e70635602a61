// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "cli.h"
#include "codec.h"
#include "names.h"

static struct json_object *to_json(const struct usbpass_attachment *attachment)
{
	struct json_object *out = cli_json(&usbpass_codec_attachment, attachment);
	char path[256];

	json_object_object_add(out, "path", cli_json_string(
		cli_node_path(attachment, path, sizeof(path))));
	return out;
}

static void row(struct cli_table *table, const struct usbpass_attachment *attachment)
{
	char id[16], path[256], device[16], user[96] = "", comm[64];
	const char *cells[] = {
		id, attachment->name, attachment->group, attachment->vm, path,
		usbpass_words_word(USBPASS_WORDS_SLOT_STATE, attachment->state), device, user,
	};

	snprintf(id, sizeof(id), "#%u", attachment->id);
	cli_node_path(attachment, path, sizeof(path));
	snprintf(device, sizeof(device), attachment->device ? "#%u" : "-", attachment->device);
	usbpass_names_quote(attachment->comm, comm, sizeof(comm));
	if (attachment->pid)
		snprintf(user, sizeof(user), "%s (pid %u)", comm, attachment->pid);
	cli_table_row(table, cells);
}

int cli_attach_list(struct cli *cli)
{
	static const char *const titles[] = {
		"ID", "NAME", "GROUP", "VM", "PATH", "STATE", "DEVICE", "OPEN IN",
	};
	struct cli_table table = { .titles = titles, .columns = 8 };
	struct usbpass_attachment *list;
	struct json_object *out, *array;
	size_t n;
	int ret = cli_options(cli, NULL, 0, 0);

	if (ret)
		return ret;
	ret = usbpass_attachment_list(cli->h, &list, &n);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "the list of attachments");
	out = json_object_new_object();
	array = json_object_new_array();
	json_object_object_add(out, "attachments", array);
	for (size_t i = 0; i < n; i++) {
		if (cli->json)
			json_object_array_add(array, to_json(&list[i]));
		else
			row(&table, &list[i]);
	}
	usbpass_attachment_list_free(list, n);
	if (cli->json)
		return cli_print(out);
	json_object_put(out);
	cli_table_print(&table);
	return CLI_DONE;
}

static void show_pin(const struct usbpass_attachment *a)
{
	char serial[4 * USBPASS_STRING_MAX + 1];

	if (usbpass_has(a, USBPASS_A_ATTACH_PIN_VENDOR))
		cli_pair("only vendor", "%04x", a->pin_vendor);
	if (usbpass_has(a, USBPASS_A_ATTACH_PIN_PRODUCT))
		cli_pair("only product", "%04x", a->pin_product);
	if (usbpass_has(a, USBPASS_A_ATTACH_PIN_SERIAL))
		cli_pair("only serial", "%s",
			 usbpass_names_quote(a->pin_serial, serial, sizeof(serial)));
	if (usbpass_has(a, USBPASS_A_ATTACH_PIN_SOCKET))
		cli_pair("only socket", "%s", a->pin_socket);
}

static void show_lease(const struct usbpass_attachment *a)
{
	char comm[64];

	if (!a->pid)
		return;
	cli_pair("open in", "%s (pid %u, uid %u)", usbpass_names_quote(a->comm, comm, sizeof(comm)),
		 a->pid, a->opener_uid);
	cli_pair("moved", "%" PRIu64 " bytes in %" PRIu64 " URBs, %u resets", a->bytes, a->urbs,
		 a->resets);
}

static void show(const struct usbpass_attachment *a)
{
	char path[256];

	cli_pair("attachment", "%s (#%u)", a->name, a->id);
	cli_pair("path", "%s", cli_node_path(a, path, sizeof(path)));
	cli_pair("state", "%s", usbpass_words_word(USBPASS_WORDS_SLOT_STATE, a->state));
	if (a->reason[0])
		cli_pair("reason", "%s", a->reason);
	if (a->remedy[0])
		cli_pair("remedy", "%s", a->remedy);
	cli_pair("group", "%s", a->group);
	if (a->vm[0])
		cli_pair("vm", "%s", a->vm);
	if (usbpass_has(a, USBPASS_A_ATTACH_RESET))
		cli_pair("guest reset", "%s", usbpass_words_word(USBPASS_WORDS_RESET, a->reset));
	if (a->follow == USBPASS_FOLLOW_SOCKET)
		cli_pair("follow", "socket: whatever a rule of the group claims there");
	cli_pair("optional", "%s", a->optional ? "yes" : "no");
	cli_pair("enabled", "%s", a->enabled ? "yes" : "no");
	cli_pair("owner", "uid %u", a->uid);
	if (usbpass_has(a, USBPASS_A_ATTACH_GID))
		cli_pair("group of node", "gid %u", a->gid);
	if (a->description[0])
		cli_pair("description", "%s", a->description);
	show_pin(a);
	if (a->device)
		cli_pair("device", "#%u", a->device);
	show_lease(a);
}

int cli_attach_show(struct cli *cli)
{
	struct usbpass_attachment attachment;
	struct json_object *out;
	const char *name;
	uint32_t id;
	int ret = cli_options(cli, NULL, 1, 1);

	if (ret)
		return ret;
	name = cli_object(cli->args[0], &id);
	ret = usbpass_attachment_get(cli->h, id, name, &attachment);
	if (ret < 0)
		return cli_fail(cli, ret, ret == -ENOENT ? "see: usbpass attach list" : NULL,
				"attachment '%s'", name);
	if (!cli->json) {
		show(&attachment);
		return CLI_DONE;
	}
	out = json_object_new_object();
	json_object_object_add(out, "attachment", to_json(&attachment));
	return cli_print(out);
}
