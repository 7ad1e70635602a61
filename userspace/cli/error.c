// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

static int exit_code(int error)
{
	switch (-error) {
	case ENOENT:
	case ENODEV:
		return CLI_NOT_FOUND;
	case ENOTCONN:
	case ESRCH:
		return CLI_NO_MODULE;
	default:
		return CLI_REFUSED;
	}
}

/* What nearly always helps; the callers know better where something else does. */
static const char *usual_remedy(int error)
{
	switch (-error) {
	case EPERM:
	case EACCES:
		return "run it as root";
	case EEXIST:
		return "choose another name, or change the existing one with `set`";
	case ESTALE:
		return "someone else changed the configuration; run it again";
	case EOPNOTSUPP:
		return "that needs a newer module (see: usbpass version)";
	case ENOSPC:
		return "delete what is no longer needed";
	case ETIMEDOUT:
		return "watch it with `usbpass device list`";
	case EIO:
		return "replug the device";
	default:
		return NULL;
	}
}

/* A list of candidates is a line each. */
static void say_lines(const char *message, const char *remedy)
{
	const char *prefix = "usbpass: ", *end;

	while ((end = strchr(message, '\n'))) {
		cli_say(stderr, "%s%.*s", prefix, (int)(end - message), message);
		message = end + 1;
		prefix = "";
	}
	cli_say(stderr, "%s%s%s%s", prefix, message, remedy ? "; " : "", remedy ? remedy : "");
}

/* The same lines for a program. What is in them has been made printable, or is the helper's own. */
static struct json_object *json_lines(const char *message)
{
	struct json_object *object;
	size_t size, len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	for (; out; message += len + 1) {
		char *line, *safe;

		len = strcspn(message, "\n");
		line = strndup(message, len);
		safe = cli_safe(line ? line : "");
		fputs(safe, out);
		free(safe);
		free(line);
		if (!message[len])
			break;
		fputc('\n', out);
	}
	if (out)
		fclose(out);
	object = json_object_new_string(text ? text : "no memory");
	free(text);
	return object;
}

struct json_object *cli_error_json(int error, struct json_object *message,
				   struct json_object **body)
{
	struct json_object *out = json_object_new_object();
	const char *name = strerrorname_np(-error);

	*body = json_object_new_object();
	json_object_object_add(*body, "errno", json_object_new_string(name ? name : "?"));
	json_object_object_add(*body, "message", message);
	json_object_object_add(out, "error", *body);
	return out;
}

static int report(struct cli *cli, int error, const char *attr, const char *remedy,
		  const char *message)
{
	if (!remedy)
		remedy = usual_remedy(error);
	if (remedy && !*remedy)
		remedy = NULL;
	fflush(stdout);
	say_lines(message, remedy);
	if (cli->json) {
		struct json_object *body, *out = cli_error_json(error, json_lines(message), &body);

		if (*attr)
			json_object_object_add(body, "attribute", cli_json_string(attr));
		if (remedy)
			json_object_object_add(body, "remedy", cli_json_string(remedy));
		cli_print(out);
	}
	return exit_code(error);
}

/* The kernel's sentences are literals: the time is asked for. */
const char *cli_with_time(struct cli *cli, const char *text, char *buf, size_t size)
{
	const char *waits = "waits to be confirmed", *end;
	struct usbpass_info info = {};
	char kept[1024];
	int before;

	snprintf(buf, size, "%s", text);
	snprintf(kept, sizeof(kept), "%s", text);	/* @text may be the handle's */
	end = strstr(kept, waits);
	if (!end || usbpass_info_get(cli->h, &info) < 0 || !info.confirm_ms)
		return buf;
	before = end - kept + strlen(waits);
	snprintf(buf, size, "%.*s (%u s left)%s", before, kept, (info.confirm_ms + 999) / 1000,
		 kept + before);
	return buf;
}

int cli_fail(struct cli *cli, int error, const char *remedy, const char *format, ...)
{
	const char *attr = usbpass_error_attr(cli->h), *text = usbpass_error(cli->h);
	const char *prefix = "usbpass: ";
	char message[2048], said[1100], *safe;
	va_list args;
	size_t used;
	int ret;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	text = cli_with_time(cli, text, said, sizeof(said));
	/* Some of the kernel's sentences begin with the name that ours do. */
	if (!strncmp(text, prefix, strlen(prefix)))
		text += strlen(prefix);
	/* "...; do this": the kernel has said what to do. */
	if (!remedy && strstr(text, "; "))
		remedy = "";
	used = strlen(message);
	snprintf(message + used, sizeof(message) - used, "%s%s%s%s%s", used ? ": " : "",
		 text, *attr ? " (" : "", attr, *attr ? ")" : "");
	safe = cli_safe(message);	/* the kernel's sentences and names have no lines */
	ret = report(cli, error, attr, remedy, safe);
	free(safe);
	return ret;
}

int cli_fail_text(struct cli *cli, int error, const char *remedy, const char *format, ...)
{
	char message[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return report(cli, error, "", remedy, message);
}
