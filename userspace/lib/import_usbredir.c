// SPDX-License-Identifier: GPL-2.0
/*
 * usbredir's filter, as QEMU and SPICE take it:
 *
 *	rule { "|" rule }
 *	rule = class ":" vendor ":" product ":" version ":" allow
 *
 * Commas may stand for the colons; empty rules and fields count for nothing. Numbers are those of
 * strtol(3): decimal, 0x hex or 0 octal; -1 is any. A rule that is not so makes the whole filter
 * void there; here it is left out, and told.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "import_private.h"

enum { CLASS, VENDOR, PRODUCT, VERSION, ALLOW, FIELDS };

/* Behind them stands whether it is allowed: any number. */
static const long max[ALLOW] = {
	[CLASS] = 0xff, [VENDOR] = 0xffff, [PRODUCT] = 0xffff, [VERSION] = 0xffff,
};

/* All of the text is a number. */
static bool read_number(const char *text, size_t len, long *value)
{
	char copy[24], *end;

	if (!len || len >= sizeof(copy) || memchr(text, '\0', len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	errno = 0;
	*value = strtol(copy, &end, 0);
	return end != copy && !*end && !errno;
}

static size_t until(const char *text, size_t len, const char *stops)
{
	size_t n = 0;

	while (n < len && !(text[n] && strchr(stops, text[n])))
		n++;
	return n;
}

static bool wrong(struct import_filter *filter, struct import_place place, size_t at,
		  const char *why)
{
	place.column += (unsigned int)at;
	import_remark(filter->importer, USBPASS_IMPORT_LEFT_OUT, &place, "%s", why);
	return false;
}

static bool read_fields(struct import_filter *filter, const struct import_place *place,
			long values[FIELDS])
{
	size_t n = 0;

	for (size_t at = 0, len; at < place->len; at += len + 1) {
		len = until(place->text + at, place->len - at, ":,");
		if (!len)
			continue;
		if (n == FIELDS)
			return wrong(filter, *place, at, "it has more than five fields");
		if (!read_number(place->text + at, len, &values[n]))
			return wrong(filter, *place, at, "not a number");
		if (n != ALLOW && (values[n] < -1 || values[n] > max[n]))
			return wrong(filter, *place, at, "the number is out of range");
		n++;
	}
	if (n < FIELDS)
		return wrong(filter, *place, 0, "it has less than the five fields class, vendor, product, version and allow");
	return true;
}

static void set(struct import_filter_rule *rule, int id, long value)
{
	rule->has[id] = value >= 0;
	rule->id[id] = rule->has[id] ? (uint16_t)value : 0;
}

static void read_rule(struct import_filter *filter, struct import_place *place)
{
	struct import_filter_rule rule = {};
	long values[FIELDS];

	if (!import_count(filter->importer, place))
		return;
	if (!read_fields(filter, place, values)) {
		filter->importer->out->refusals++;
		return;
	}
	rule.place = *place;
	rule.allow = values[ALLOW] != 0;
	rule.mask = values[CLASS] < 0 ? 0 : 0xff0000;
	rule.class = values[CLASS] < 0 ? 0 : (uint32_t)values[CLASS] << 16;
	set(&rule, IMPORT_VENDOR, values[VENDOR]);
	set(&rule, IMPORT_PRODUCT, values[PRODUCT]);
	set(&rule, IMPORT_RELEASE, values[VERSION]);
	import_filter_add(filter, &rule);
}

static void read_line(struct import_filter *filter, const struct import_place *line)
{
	for (size_t at = 0, len; at < line->len && !filter->importer->error; at += len + 1) {
		struct import_place place = *line;

		len = until(line->text + at, line->len - at, "|");
		place.text += at;
		place.len = len;
		while (place.len && isspace((unsigned char)place.text[place.len - 1]))
			place.len--;
		while (place.len && isspace((unsigned char)*place.text)) {
			place.text++;
			place.len--;
		}
		place.column = (unsigned int)(place.text - line->text) + 1;
		if (place.len)
			read_rule(filter, &place);
	}
}

int usbpass_import_usbredir(const char *text, size_t size,
			    const struct usbpass_import_options *options,
			    struct usbpass_import *out, char *err, size_t errsize)
{
	struct importer importer;
	struct import_filter filter = { .importer = &importer, .usbredir = true };
	struct import_place line = {};

	import_begin(&importer, options, out, err, errsize);
	importer.by_rule = true;
	while (!importer.error && import_line(&text, &size, &line))
		read_line(&filter, &line);
	import_filter_run(&filter);
	return import_end(&importer);
}
