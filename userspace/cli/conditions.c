// SPDX-License-Identifier: GPL-2.0
/* Conditions that were typed and are wrong: the text, with a mark under the character at fault. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "names.h"

#define SHOWN	76		/* bytes of a long text that are shown, the fault among them */
#define AHEAD	16

static bool is_within(char byte)
{
	return (byte & 0xc0) == 0x80;	/* a character of UTF-8 */
}

/* malloc(3)ed. Escaped by @escaped, so that a part is so where the whole is. */
static char *part(const char *text, size_t len, bool escaped)
{
	char *raw = strndup(text, len), *out = malloc(4 * len + 1);

	if (!raw || !out) {
		fputs("usbpass: no memory\n", stderr);
		exit(CLI_REFUSED);
	}
	if (escaped)
		usbpass_names_quote(raw, out, 4 * len + 1);
	else
		strcpy(out, raw);
	free(raw);
	return out;
}

static void point(const char *text, size_t column)
{
	size_t len = strlen(text), at = column - 1 < len ? column - 1 : len, from = 0, to = len;
	bool escaped = !usbpass_names_printable(text);
	char *before, *shown;

	while (at && is_within(text[at]))
		at--;
	if (len > SHOWN && at > SHOWN - AHEAD)
		from = at - (SHOWN - AHEAD);
	while (is_within(text[from]))
		from++;
	if (to - from > SHOWN)
		to = from + SHOWN;
	while (is_within(text[to]))
		to--;
	before = part(text + from, at - from, escaped);
	shown = part(text + from, to - from, escaped);
	cli_say(stderr, "  %s%s%s", from ? "..." : "", shown, to < len ? "..." : "");
	cli_say(stderr, "  %*s^", (int)cli_columns(before) + (from ? 3 : 0), "");
	free(before);
	free(shown);
}

static void print_json(int error, const char *message, size_t column)
{
	struct json_object *body, *out = cli_error_json(error, cli_json_string(message), &body);

	if (column)
		json_object_object_add(body, "column", json_object_new_uint64(column));
	cli_print(out);
}

int cli_conditions(struct cli *cli, int error, const char *what, const char *text, const char *err)
{
	size_t column = 0;

	if (sscanf(err, "column %zu:", &column) == 1 && column)
		point(text, column);
	if (cli->json)
		print_json(error, err, column);
	return cli_usage(cli, "%s, %s", what, err);
}
