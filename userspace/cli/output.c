// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "cli.h"
#include "names.h"

size_t cli_columns(const char *text)
{
	wchar_t wide[512];
	size_t n = mbstowcs(wide, text, 512);
	int width = n == (size_t)-1 ? -1 : wcswidth(wide, n < 512 ? n : 511);

	return width < 0 ? strlen(text) : (size_t)width;
}

void cli_table_row(struct cli_table *table, const char *const *cells)
{
	char **all = reallocarray(table->cells, (table->rows + 1) * table->columns, sizeof(*all));

	if (!all) {
		fputs("usbpass: no memory\n", stderr);
		exit(CLI_REFUSED);
	}
	table->cells = all;
	all += table->rows++ * table->columns;
	for (size_t i = 0; i < table->columns; i++)
		all[i] = cli_safe(cells[i] && *cells[i] ? cells[i] : "-");
}

char *cli_safe(const char *text)
{
	size_t size = 4 * strlen(text) + 1;
	char *safe = malloc(size);

	if (!safe) {
		fputs("usbpass: no memory\n", stderr);
		exit(CLI_REFUSED);
	}
	usbpass_names_safe(text, safe, size);
	return safe;
}

static char *format_safe(const char *format, va_list args)
{
	char *text, *safe;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	safe = cli_safe(text ? text : "");
	free(text);
	return safe;
}

void cli_say(FILE *to, const char *format, ...)
{
	va_list args;
	char *safe;

	va_start(args, format);
	safe = format_safe(format, args);
	va_end(args);
	fprintf(to, "%s\n", safe);
	free(safe);
}

static void print_cell(const char *text, size_t width, bool last)
{
	size_t have = cli_columns(text);

	fputs(text, stdout);
	if (!last)
		printf("%*s", (int)(width > have ? width - have : 0) + 2, "");
}

void cli_table_print(struct cli_table *table)
{
	size_t *width = calloc(table->columns, sizeof(*width));
	size_t n = table->rows * table->columns;

	for (size_t i = 0; width && i < table->columns; i++)
		width[i] = strlen(table->titles[i]);
	for (size_t i = 0; width && i < n; i++) {
		size_t have = cli_columns(table->cells[i]);

		if (have > width[i % table->columns])
			width[i % table->columns] = have;
	}
	for (size_t i = 0; width && i < table->columns; i++)
		print_cell(table->titles[i], width[i], i + 1 == table->columns);
	putchar('\n');
	for (size_t i = 0; width && i < n; i++) {
		bool last = i % table->columns + 1 == table->columns;

		print_cell(table->cells[i], width[i % table->columns], last);
		if (last)
			putchar('\n');
	}
	for (size_t i = 0; i < n; i++)
		free(table->cells[i]);
	free(table->cells);
	free(width);
	table->cells = NULL;
	table->rows = 0;
}

static int print(struct json_object *out, int flags)
{
	struct json_object *whole = json_object_new_object();
	struct json_object_iterator at = json_object_iter_begin(out), end = json_object_iter_end(out);

	json_object_object_add(whole, "schema", json_object_new_int(1));
	/* Members print in the order in which they were added, and schema comes first. */
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		json_object_object_add(whole, json_object_iter_peek_name(&at),
				       json_object_get(json_object_iter_peek_value(&at)));
	json_object_put(out);
	puts(json_object_to_json_string_ext(whole, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(whole);
	return CLI_DONE;
}

int cli_print(struct json_object *out)
{
	return print(out, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

int cli_print_line(struct json_object *out)
{
	int ret = print(out, JSON_C_TO_STRING_PLAIN);

	fflush(stdout);
	return ret;
}

void cli_pair(const char *title, const char *format, ...)
{
	va_list args;
	char *safe;

	va_start(args, format);
	safe = format_safe(format, args);
	va_end(args);
	printf("%-16s%s\n", title, safe);
	free(safe);
}

const char *cli_speed(uint32_t kbps, char *buf, size_t size)
{
	if (kbps % 1000)
		snprintf(buf, size, "%u.%u", kbps / 1000, kbps % 1000 / 100);
	else
		snprintf(buf, size, "%u", kbps / 1000);
	return buf;
}
