// SPDX-License-Identifier: GPL-2.0
/*
 * A line of USBGuard's rules.conf:
 *
 *	rule      = target [ id ] { attribute } [ "#" comment ]
 *	target    = "allow" | "block" | "reject"
 *	attribute = word ( value | [ operator ] "{" value { value } "}" )
 *
 * with blanks between. Values are ids (cafe:*), interfaces (08:06:*), strings in double quotes, or
 * of "if" conditions: ["!"] word [ "(" text ")" ].
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "import_usbguard.h"

const char *const usbguard_attribute_words[USBGUARD_ATTRIBUTES] = {
	[USBGUARD_ID] = "id",
	[USBGUARD_NAME] = "name",
	[USBGUARD_HASH] = "hash",
	[USBGUARD_PARENT_HASH] = "parent-hash",
	[USBGUARD_SERIAL] = "serial",
	[USBGUARD_VIA_PORT] = "via-port",
	[USBGUARD_INTERFACE] = "with-interface",
	[USBGUARD_CONNECT_TYPE] = "with-connect-type",
	[USBGUARD_IF] = "if",
	[USBGUARD_LABEL] = "label",
};

static const char *const targets[] = {
	[USBGUARD_ALLOW] = "allow", [USBGUARD_BLOCK] = "block", [USBGUARD_REJECT] = "reject",
};

static const char *const operators[] = {
	[USBGUARD_EQUALS] = "equals",
	[USBGUARD_EQUALS_ORDERED] = "equals-ordered",
	[USBGUARD_ALL_OF] = "all-of",
	[USBGUARD_ONE_OF] = "one-of",
	[USBGUARD_NONE_OF] = "none-of",
	[USBGUARD_MATCH_ALL] = "match-all",
};

struct parser {
	const char *start, *at, *end;
	struct usbguard_rule *rule;
	char *string;			/* where the next one goes */
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3)))
static int wrong(struct parser *parser, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parser->why, parser->size, format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool skip_blanks(struct parser *parser)
{
	const char *from = parser->at;

	while (parser->at < parser->end && is_blank(*parser->at))
		parser->at++;
	return parser->at > from;
}

static bool at_end(const struct parser *parser)
{
	return parser->at == parser->end || *parser->at == '#';
}

static bool take(struct parser *parser, char c)
{
	if (parser->at == parser->end || *parser->at != c)
		return false;
	parser->at++;
	return true;
}

static size_t word(const struct parser *parser)
{
	const char *at = parser->at;

	while (at < parser->end && (isalpha((unsigned char)*at) || *at == '-'))
		at++;
	return (size_t)(at - parser->at);
}

/* Which of the words stands here, and is passed by; -1: none. */
static int take_word(struct parser *parser, const char *const *words, size_t n)
{
	size_t len = word(parser);

	for (size_t i = 0; i < n; i++) {
		if (strlen(words[i]) == len && !memcmp(parser->at, words[i], len)) {
			parser->at += len;
			return (int)i;
		}
	}
	return -1;
}

/* @digits hex digits; *@has is false where an asterisk stands instead. */
static bool take_hex(struct parser *parser, size_t digits, bool *has, uint32_t *value)
{
	char copy[8] = "";

	*value = 0;
	*has = !take(parser, '*');
	if (!*has)
		return true;
	if ((size_t)(parser->end - parser->at) < digits)
		return false;
	memcpy(copy, parser->at, digits);
	if (strspn(copy, "0123456789abcdefABCDEF") != digits)
		return false;
	*value = (uint32_t)strtoul(copy, NULL, 16);
	parser->at += digits;
	return true;
}

static int parse_id(struct parser *parser, struct usbguard_value *value)
{
	const char *from = parser->at;
	uint32_t vendor, product;

	if (!take_hex(parser, 4, &value->has_vendor, &vendor) || !take(parser, ':') ||
	    !take_hex(parser, 4, &value->has_product, &product)) {
		parser->at = from;
		return wrong(parser, "not a vendor:product of four hex digits each, or *");
	}
	if (value->has_product && !value->has_vendor) {
		parser->at = from;
		return wrong(parser, "a product of no vendor");
	}
	value->vendor = (uint16_t)vendor;
	value->product = (uint16_t)product;
	return 0;
}

static int parse_interface(struct parser *parser, struct usbguard_value *value)
{
	const char *from = parser->at;
	uint32_t class, subclass, protocol;
	bool has[3];

	if (!take_hex(parser, 2, &has[0], &class) || !take(parser, ':') ||
	    !take_hex(parser, 2, &has[1], &subclass) || !take(parser, ':') ||
	    !take_hex(parser, 2, &has[2], &protocol) || !has[0] || (has[2] && !has[1])) {
		parser->at = from;
		return wrong(parser, "not class:subclass:protocol of two hex digits each, of which the last ones may be *");
	}
	value->class = class << 16 | subclass << 8 | protocol;
	value->mask = has[2] ? 0xffffff : has[1] ? 0xffff00 : 0xff0000;
	return 0;
}

/* What stands behind a backslash. */
static int parse_escape(struct parser *parser)
{
	static const char letters[] = "abfnrtv\\'\"", bytes[] = "\a\b\f\n\r\t\v\\'\"";
	const char *letter;
	uint32_t byte;
	bool has;

	if (take(parser, 'x')) {
		if (parser->at < parser->end && *parser->at != '*' &&
		    take_hex(parser, 2, &has, &byte) && byte) {
			*parser->string++ = (char)byte;
			return 0;
		}
		return wrong(parser, "\\x takes two hex digits, not both 0");
	}
	letter = parser->at < parser->end && *parser->at ? strchr(letters, *parser->at) : NULL;
	if (!letter)
		return wrong(parser, "a backslash before something that it does not escape");
	*parser->string++ = bytes[letter - letters];
	parser->at++;
	return 0;
}

static int parse_string(struct parser *parser, struct usbguard_value *value)
{
	const char *from = parser->at;
	int ret;

	if (!take(parser, '"'))
		return wrong(parser, "a string in double quotes should stand here");
	value->string = parser->string;
	while (parser->at < parser->end && *parser->at != '"') {
		if (take(parser, '\\')) {
			ret = parse_escape(parser);
			if (ret)
				return ret;
		} else {
			*parser->string++ = *parser->at++;
		}
	}
	if (!take(parser, '"')) {
		parser->at = from;
		return wrong(parser, "the quotes do not end");
	}
	*parser->string++ = '\0';
	return 0;
}

/* Only its name is kept. */
static int parse_condition(struct parser *parser, struct usbguard_value *value)
{
	const char *from;
	size_t len;

	value->negated = take(parser, '!');
	len = word(parser);
	if (!len)
		return wrong(parser, "a condition should stand here");
	value->string = memcpy(parser->string, parser->at, len);
	value->string[len] = '\0';
	parser->string += len + 1;
	parser->at += len;
	from = parser->at;
	if (!take(parser, '('))
		return 0;
	while (parser->at < parser->end && *parser->at != ')')
		parser->at += *parser->at == '\\' && parser->at + 1 < parser->end ? 2 : 1;
	if (take(parser, ')'))
		return 0;
	parser->at = from;
	return wrong(parser, "the parenthesis does not end");
}

static int parse_value(struct parser *parser, enum usbguard_attribute attribute,
		       struct usbguard_set *set)
{
	struct usbguard_value *value;

	if (set->n == USBGUARD_VALUES_MAX)
		return wrong(parser, "more than %d values", USBGUARD_VALUES_MAX);
	value = &set->values[set->n++];
	switch (attribute) {
	case USBGUARD_ID:
		return parse_id(parser, value);
	case USBGUARD_INTERFACE:
		return parse_interface(parser, value);
	case USBGUARD_IF:
		return parse_condition(parser, value);
	default:
		return parse_string(parser, value);
	}
}

static int parse_set(struct parser *parser, enum usbguard_attribute attribute,
		     struct usbguard_set *set)
{
	int operator = take_word(parser, operators, sizeof(operators) / sizeof(operators[0]));
	int ret = 0;

	if (operator >= 0) {
		set->operator = (enum usbguard_operator)operator;
		skip_blanks(parser);
	}
	if (!take(parser, '{'))
		return operator < 0 ? parse_value(parser, attribute, set) :
		       wrong(parser, "a brace should stand behind %s", operators[operator]);
	for (skip_blanks(parser); !ret && !take(parser, '}');) {
		if (parser->at == parser->end)
			return wrong(parser, "the braces do not end");
		ret = parse_value(parser, attribute, set);
		if (!ret && !skip_blanks(parser) && parser->at < parser->end && *parser->at != '}')
			return wrong(parser, "a blank should stand here");
	}
	if (!ret && !set->n)
		return wrong(parser, "the braces are empty");
	return ret;
}

static int begin_set(struct parser *parser, enum usbguard_attribute attribute, const char *from)
{
	struct usbguard_set *set = &parser->rule->sets[attribute];

	if (set->n) {
		parser->at = from;
		return wrong(parser, "a second %s", usbguard_attribute_words[attribute]);
	}
	set->values = calloc(USBGUARD_VALUES_MAX, sizeof(*set->values));
	if (!set->values)
		return -ENOMEM;
	set->place = parser->rule->place;
	set->place.text = from;
	set->place.column = (unsigned int)(from - parser->start) + 1;
	return 0;
}

static int parse_attribute(struct parser *parser)
{
	const char *from = parser->at;
	int attribute = take_word(parser, usbguard_attribute_words, USBGUARD_ATTRIBUTES), ret;

	if (attribute < 0)
		return wrong(parser, "not an attribute of a rule");
	if (!skip_blanks(parser))
		return wrong(parser, "%s lacks its value", usbguard_attribute_words[attribute]);
	ret = begin_set(parser, (enum usbguard_attribute)attribute, from);
	if (!ret)
		ret = parse_set(parser, (enum usbguard_attribute)attribute,
				&parser->rule->sets[attribute]);
	parser->rule->sets[attribute].place.len = (size_t)(parser->at - from);
	return ret;
}

/* The id that needs no word before it. */
static int parse_bare_id(struct parser *parser)
{
	const char *from = parser->at;
	int ret;

	if (at_end(parser) || !(isxdigit((unsigned char)*from) || *from == '*') ||
	    !memchr(from, ':', (size_t)(parser->end - from) < 5 ? (size_t)(parser->end - from) : 5))
		return 0;
	ret = begin_set(parser, USBGUARD_ID, from);
	if (!ret)
		ret = parse_value(parser, USBGUARD_ID, &parser->rule->sets[USBGUARD_ID]);
	parser->rule->sets[USBGUARD_ID].place.len = (size_t)(parser->at - from);
	return ret;
}

static int parse_rule(struct parser *parser)
{
	const char *from = parser->at;
	int target = take_word(parser, targets, sizeof(targets) / sizeof(targets[0])), ret;
	bool blank;

	if (target < 0)
		return wrong(parser, "it begins neither with allow, block nor reject");
	parser->rule->target = (enum usbguard_target)target;
	blank = skip_blanks(parser);
	from = parser->at;
	ret = blank ? parse_bare_id(parser) : 0;
	if (!ret && parser->at > from)
		blank = skip_blanks(parser);
	while (!ret && !at_end(parser)) {
		if (!blank)
			return wrong(parser, "a blank should stand here");
		ret = parse_attribute(parser);
		blank = skip_blanks(parser);
	}
	return ret;
}

int usbguard_parse(const struct import_place *line, struct usbguard_rule *rule,
		   unsigned int *column, char *why, size_t size)
{
	struct parser parser = {
		.start = line->text, .at = line->text, .end = line->text + line->len,
		.rule = rule, .why = why, .size = size,
	};
	const char *nul = memchr(line->text, '\0', line->len);
	int ret = 0;

	memset(rule, 0, sizeof(*rule));
	rule->target = USBGUARD_BLOCK;
	rule->place = *line;
	skip_blanks(&parser);
	if (at_end(&parser))
		return 0;
	/* Each string is shorter than its text, or as long. */
	rule->strings = malloc(line->len + 1);
	if (!rule->strings)
		return -ENOMEM;
	parser.string = rule->strings;
	if (nul) {
		parser.at = nul;
		ret = wrong(&parser, "it has a zero byte in it");
	}
	if (!ret)
		ret = parse_rule(&parser);
	*column = (unsigned int)(parser.at - parser.start) + 1;
	return ret ? ret : 1;
}

void usbguard_clear(struct usbguard_rule *rule)
{
	for (size_t i = 0; i < USBGUARD_ATTRIBUTES; i++)
		free(rule->sets[i].values);
	free(rule->strings);
	memset(rule, 0, sizeof(*rule));
}
