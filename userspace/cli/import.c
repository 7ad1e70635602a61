// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "import.h"
#include "names.h"

static const struct {
	const char *name;
	usbpass_import_fn *fn;
} formats[] = {
	{ "usbguard", usbpass_import_usbguard },
	{ "usbredir", usbpass_import_usbredir },
	{ "xenserver", usbpass_import_xenserver },
	{ "libvirt", usbpass_import_libvirt },
};

static usbpass_import_fn *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return formats[i].fn;
	return NULL;
}

/* ---- the source ---- */

static int read_stream(FILE *file, char **text, size_t *size)
{
	size_t room = 65536, n;
	char *more;

	*text = malloc(room);
	*size = 0;
	if (!*text)
		return -ENOMEM;
	while ((n = fread(*text + *size, 1, room - *size, file))) {
		*size += n;
		if (*size > USBPASS_IMPORT_BYTES_MAX)
			return -EFBIG;
		if (*size < room)
			continue;
		room *= 2;
		more = realloc(*text, room);
		if (!more)
			return -ENOMEM;
		*text = more;
	}
	return ferror(file) ? -errno : 0;
}

/* What stands in the file; free(3) it, also on error. */
static int read_source(const char *path, char **text, size_t *size)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	int ret;

	*text = NULL;
	if (!file)
		return -errno;
	ret = read_stream(file, text, size);
	if (file != stdin)
		fclose(file);
	return ret;
}

/* ---- what is told ---- */

static void say_remark(const char *source, const struct usbpass_import_remark *remark)
{
	char place[32] = "";

	if (remark->line && remark->column)
		snprintf(place, sizeof(place), ":%u:%u", remark->line, remark->column);
	else if (remark->line)
		snprintf(place, sizeof(place), ":%u", remark->line);
	cli_say(stderr, "%s%s: %s: %s", source, place, usbpass_import_word(remark->kind), remark->text);
}

static void say_summary(const char *source, const struct usbpass_import *import)
{
	const size_t *counts = import->counts;
	const struct usbpass_state *state = &import->state;

	cli_say(stderr, "%s: %zu rules became %zu rules, %zu groups and %zu attachments; left out %zu, stricter %zu, wider %zu",
		source, import->rules, state->n_rules, state->n_groups, state->n_attachments,
		counts[USBPASS_IMPORT_LEFT_OUT], counts[USBPASS_IMPORT_STRICTER],
		counts[USBPASS_IMPORT_WIDER]);
	if (counts[USBPASS_IMPORT_LEFT_OUT])
		cli_say(stderr, "%s: what a rule that was left out decides, those behind it decide now%s",
			source, import->refusals ?
			"; some of them keep devices back, so that more may get through: look before you apply it" :
			"");
}

static struct json_object *json_objects(const struct codec *codec, const void *list, size_t n)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, cli_json(codec, (const char *)list + i * codec->size));
	return array;
}

static struct json_object *json_remarks(const struct usbpass_import *import)
{
	struct json_object *array = json_object_new_array(), *out;

	for (size_t i = 0; i < import->n_remarks; i++) {
		const struct usbpass_import_remark *remark = &import->remarks[i];

		out = json_object_new_object();
		json_object_object_add(out, "kind",
				       json_object_new_string(usbpass_import_word(remark->kind)));
		if (remark->line)
			json_object_object_add(out, "line", json_object_new_int64(remark->line));
		if (remark->column)
			json_object_object_add(out, "column", json_object_new_int64(remark->column));
		json_object_object_add(out, "text", json_object_new_string(remark->text));
		json_object_array_add(array, out);
	}
	return array;
}

static void print_json(const struct usbpass_import *import, bool whole)
{
	const struct usbpass_state none = {}, *state = whole ? &import->state : &none;
	struct json_object *out = json_object_new_object();

	json_object_object_add(out, "groups", json_objects(&usbpass_codec_group, state->groups,
							   state->n_groups));
	json_object_object_add(out, "rules", json_objects(&usbpass_codec_rule, state->rules,
							  state->n_rules));
	json_object_object_add(out, "attachments",
			       json_objects(&usbpass_codec_attachment, state->attachments,
					    state->n_attachments));
	json_object_object_add(out, "remarks", json_remarks(import));
	cli_print(out);
}

static int print(struct cli *cli, const char *source, const struct usbpass_import *import, bool strict)
{
	bool written = !strict || usbpass_import_whole(import);
	char err[1024];
	int ret;

	for (size_t i = 0; i < import->n_remarks; i++)
		say_remark(source, &import->remarks[i]);
	say_summary(source, import);
	if (!written)
		cli_say(stderr, "%s: nothing is written (--strict)", source);
	if (cli->json) {
		print_json(import, written);
	} else if (written) {
		ret = usbpass_state_save("-", &import->state, err, sizeof(err));
		if (ret < 0)
			return cli_fail_text(cli, ret, NULL, "%s", err);
	}
	return usbpass_import_whole(import) ? CLI_DONE : CLI_REFUSED;
}

/* ---- the verb ---- */

/* As the kernel has it of names. */
static int check_name(struct cli *cli, const char *option, const char *name)
{
	char room[USBPASS_NAME_MAX + 1];

	if (!name)
		return CLI_DONE;
	if (!*name || name[0] == ' ' || name[strlen(name) - 1] == ' ' || strchr(name, '/') ||
	    !usbpass_names_printable(name))
		return cli_usage(cli, "--%s '%s' is no name: it must be printable, without a slash, or a space at either end",
				 option, name);
	return cli_string(cli, option, name, room, sizeof(room));
}

static int check_default(struct cli *cli, const char *text, bool *allow)
{
	*allow = text && !strcmp(text, "allow");
	if (text && !*allow && strcmp(text, "deny"))
		return cli_usage(cli, "--default '%s' is neither allow nor deny", text);
	if (*allow && strcmp(cli->args[0], "usbguard") && strcmp(cli->args[0], "usbredir"))
		return cli_usage(cli, "--default allow goes only with usbguard and usbredir");
	return CLI_DONE;
}

/* Without the module no device is known, and what needs one is told. */
static void find_devices(struct cli *cli, struct usbpass_device **list, size_t *n)
{
	*list = NULL;
	*n = 0;
	if (cli->h && usbpass_device_list(cli->h, list, n) < 0) {
		*list = NULL;
		*n = 0;
	}
}

static int import(struct cli *cli, usbpass_import_fn *fn, struct usbpass_import_options *options,
		  bool strict)
{
	const char *path = cli->args[1], *source = strcmp(path, "-") ? path : "standard input";
	struct usbpass_import out;
	struct usbpass_device *devices;
	char *text, err[1024];
	size_t size = 0;
	int ret = read_source(path, &text, &size);

	if (ret < 0) {
		free(text);
		return cli_fail_text(cli, ret, ret == -EFBIG ? "a list of rules is smaller" : NULL,
				     "%s: %s", source, strerror(-ret));
	}
	find_devices(cli, &devices, &options->n_devices);
	options->devices = devices;
	ret = fn(text, size, options, &out, err, sizeof(err));
	if (ret < 0)
		ret = cli_fail_text(cli, ret, "nothing is written", "%s: %s", source, err);
	else
		ret = print(cli, source, &out, strict);
	usbpass_import_free(&out);
	usbpass_device_list_free(devices, options->n_devices);
	free(text);
	return ret;
}

int cli_import(struct cli *cli)
{
	struct usbpass_import_options options = {};
	const char *rest = NULL;
	bool strict = false;
	const struct cli_option table[] = {
		{ "group", CLI_VALUE, &options.group },
		{ "prefix", CLI_VALUE, &options.prefix },
		{ "default", CLI_VALUE, &rest },
		{ "exact", CLI_FLAG, &options.exact },
		{ "loose", CLI_FLAG, &options.loose },
		{ "strict", CLI_FLAG, &strict },
		{},
	};
	usbpass_import_fn *fn;
	int ret = cli_options(cli, table, 2, 2);

	if (ret)
		return ret;
	fn = find_format(cli->args[0]);
	if (!fn)
		return cli_usage(cli, "'%s' is none of the formats usbguard, usbredir, xenserver, libvirt",
				 cli->args[0]);
	ret = check_name(cli, "group", options.group);
	if (!ret)
		ret = check_name(cli, "prefix", options.prefix);
	if (!ret)
		ret = check_default(cli, rest, &options.allow);
	return ret ? ret : import(cli, fn, &options, strict);
}
