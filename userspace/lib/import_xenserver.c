// SPDX-License-Identifier: GPL-2.0
/*
 * XenServer's and XCP-ng's usb-policy.conf. A line is
 *
 *	("ALLOW" | "DENY") ":" { key "=" hex }  [ "#" comment ]
 *
 * of either case; keys are vid, pid and rel (four digits), class, subclass and prot (two), each
 * once. A line that is not so makes their whole file void; here it is left out, and told.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "import_private.h"

static const struct key {
	const char *word;
	int id;				/* of IMPORT_IDS, or -1 */
	uint32_t mask;			/* of a class */
	size_t digits;
} keys[] = {
	{ "vid", IMPORT_VENDOR, 0, 4 },
	{ "pid", IMPORT_PRODUCT, 0, 4 },
	{ "rel", IMPORT_RELEASE, 0, 4 },
	{ "class", -1, 0xff0000, 2 },
	{ "subclass", -1, 0x00ff00, 2 },
	{ "prot", -1, 0x0000ff, 2 },
};

struct reader {
	struct importer *importer;
	struct import_place place;
	const char *at, *end;		/* what is left of the line */
};

__attribute__((format(printf, 2, 3)))
static bool wrong(struct reader *reader, const char *format, ...)
{
	struct import_place place = reader->place;
	char why[256];
	va_list args;

	place.column = (unsigned int)(reader->at - reader->place.text) + 1;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	import_remark(reader->importer, USBPASS_IMPORT_LEFT_OUT, &place, "%s", why);
	return false;
}

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && isspace((unsigned char)*reader->at))
		reader->at++;
}

static size_t span(const struct reader *reader, int (*is)(int c))
{
	const char *at = reader->at;

	while (at < reader->end && is((unsigned char)*at))
		at++;
	return (size_t)(at - reader->at);
}

static bool is_word(const struct reader *reader, size_t len, const char *word)
{
	return strlen(word) == len && !strncasecmp(reader->at, word, len);
}

static bool read_action(struct reader *reader, struct import_filter_rule *rule)
{
	size_t len = span(reader, isalpha);

	rule->allow = is_word(reader, len, "allow");
	if (!rule->allow && !is_word(reader, len, "deny"))
		return wrong(reader, "it begins neither with ALLOW: nor with DENY:");
	reader->at += len;
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != ':')
		return wrong(reader, "a colon is missing");
	reader->at++;
	return true;
}

/* Exactly so many digits, which fit. */
static bool read_hex(struct reader *reader, const struct key *key, uint32_t *value)
{
	size_t len = span(reader, isxdigit);
	char digits[8] = "";

	if (len != key->digits)
		return wrong(reader, "%s takes %zu hex digits", key->word, key->digits);
	memcpy(digits, reader->at, len);
	sscanf(digits, "%x", value);
	reader->at += len;
	return true;
}

static bool read_pair(struct reader *reader, struct import_filter_rule *rule)
{
	size_t len = span(reader, isalpha);
	const struct key *key = NULL;
	uint32_t value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (is_word(reader, len, keys[i].word))
			key = &keys[i];
	if (!key)
		return wrong(reader, "neither vid, pid, rel, class, subclass nor prot stands here");
	if (key->id >= 0 ? rule->has[key->id] : (rule->mask & key->mask) != 0)
		return wrong(reader, "%s stands here twice", key->word);
	reader->at += len;
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != '=')
		return wrong(reader, "an equals sign is missing behind %s", key->word);
	reader->at++;
	skip_blanks(reader);
	if (!read_hex(reader, key, &value))
		return false;
	if (key->id >= 0) {
		rule->has[key->id] = true;
		rule->id[key->id] = (uint16_t)value;
	} else {
		rule->mask |= key->mask;
		rule->class |= value << __builtin_ctz(key->mask);
	}
	return true;
}

static bool is_prefix(uint32_t mask)
{
	return mask == 0 || mask == 0xff0000 || mask == 0xffff00 || mask == 0xffffff;
}

static bool read_rule(struct reader *reader, struct import_filter_rule *rule)
{
	if (memchr(reader->place.text, '\0', reader->place.len))
		return wrong(reader, "it has a zero byte in it");
	if (!read_action(reader, rule))
		return false;
	for (skip_blanks(reader); reader->at < reader->end; skip_blanks(reader))
		if (!read_pair(reader, rule))
			return false;
	if (!is_prefix(rule->mask)) {
		reader->at = reader->place.text;
		return wrong(reader, "a subclass goes only with its class, a protocol only with both");
	}
	return true;
}

static void read_line(struct import_filter *filter, const struct import_place *line)
{
	const char *comment = memchr(line->text, '#', line->len);
	struct reader reader = {
		.importer = filter->importer, .place = *line, .at = line->text,
		.end = comment ? comment : line->text + line->len,
	};
	struct import_filter_rule rule = {};

	skip_blanks(&reader);
	if (reader.at == reader.end || !import_count(filter->importer, &reader.place))
		return;
	rule.place = reader.place;
	if (read_rule(&reader, &rule))
		import_filter_add(filter, &rule);
	else if (!rule.allow)
		filter->importer->out->refusals++;
}

static void never(struct importer *importer, const char *tag, const char *text,
		  const struct import_conds *conds)
{
	const struct import_place place = { .tag = tag, .text = text, .len = strlen(text) };

	import_rule(importer, &place, USBPASS_ACTION_IGNORE, NULL, conds);
}

/* Whatever the file says. */
static void refuse_hubs(struct importer *importer)
{
	struct import_conds device = {}, interface = {}, none = {};

	import_class(&device, USBPASS_FIELD_DEVICE_CLASS, 0, 0x090000, 0xff0000);
	never(importer, "hub", "XenServer passes no hub", &device);
	import_class(&interface, USBPASS_FIELD_INTERFACE_CLASS, USBPASS_QUANTIFIER_ANY, 0x090000,
		     0xff0000);
	never(importer, "hub-interface", "XenServer passes no hub", &interface);
	import_number(&none, USBPASS_FIELD_INTERFACES, USBPASS_OP_EQ, 0);
	never(importer, "no-interface", "XenServer passes nothing without interfaces", &none);
}

int usbpass_import_xenserver(const char *text, size_t size,
			     const struct usbpass_import_options *options,
			     struct usbpass_import *out, char *err, size_t errsize)
{
	struct importer importer;
	struct import_filter filter = { .importer = &importer };
	struct import_place line = {};

	import_begin(&importer, options, out, err, errsize);
	refuse_hubs(&importer);
	while (!importer.error && import_line(&text, &size, &line))
		read_line(&filter, &line);
	import_filter_run(&filter);
	return import_end(&importer);
}
