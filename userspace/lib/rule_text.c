// SPDX-License-Identifier: GPL-2.0
/* What kind of value and which operators a field takes, and conditions to text. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "rule_text.h"

static const uint8_t kinds[__USBPASS_FIELD_MAX] = {
	[USBPASS_FIELD_ANY] = USBPASS_KIND_NONE,
	[USBPASS_FIELD_NODE] = USBPASS_KIND_STRING,
	[USBPASS_FIELD_VENDOR] = USBPASS_KIND_HEX,
	[USBPASS_FIELD_PRODUCT] = USBPASS_KIND_HEX,
	[USBPASS_FIELD_USB_VERSION] = USBPASS_KIND_BCD,
	[USBPASS_FIELD_BCD_DEVICE] = USBPASS_KIND_BCD,
	[USBPASS_FIELD_VENDOR_NAME] = USBPASS_KIND_STRING,
	[USBPASS_FIELD_PRODUCT_NAME] = USBPASS_KIND_STRING,
	[USBPASS_FIELD_SERIAL] = USBPASS_KIND_STRING,
	[USBPASS_FIELD_SOCKET] = USBPASS_KIND_STRING,
	[USBPASS_FIELD_BUS] = USBPASS_KIND_NUMBER,
	[USBPASS_FIELD_ADDRESS] = USBPASS_KIND_NUMBER,
	[USBPASS_FIELD_LEVEL] = USBPASS_KIND_NUMBER,
	[USBPASS_FIELD_SPEED] = USBPASS_KIND_SPEED,
	[USBPASS_FIELD_DEVICE_CLASS] = USBPASS_KIND_CLASS,
	[USBPASS_FIELD_INTERFACE_CLASS] = USBPASS_KIND_CLASS,
	[USBPASS_FIELD_INTERFACES] = USBPASS_KIND_NUMBER,
	[USBPASS_FIELD_REMOVABLE] = USBPASS_KIND_REMOVABLE,
};

/* The first of an operator is the one that is printed. */
static const struct {
	const char *text;
	uint8_t op;
} ops[] = {
	{ "=", USBPASS_OP_EQ },
	{ "==", USBPASS_OP_EQ },
	{ "eq", USBPASS_OP_EQ },
	{ "!=", USBPASS_OP_NE },
	{ "ne", USBPASS_OP_NE },
	{ "<", USBPASS_OP_LT },
	{ "lt", USBPASS_OP_LT },
	{ "<=", USBPASS_OP_LE },
	{ "le", USBPASS_OP_LE },
	{ ">", USBPASS_OP_GT },
	{ "gt", USBPASS_OP_GT },
	{ ">=", USBPASS_OP_GE },
	{ "ge", USBPASS_OP_GE },
	{ "begins", USBPASS_OP_BEGINS },
	{ "ends", USBPASS_OP_ENDS },
	{ "contains", USBPASS_OP_CONTAINS },
	{ "icontains", USBPASS_OP_ICONTAINS },
	{ "glob", USBPASS_OP_GLOB },
	{ "~", USBPASS_OP_REGEX },
	{ "regex", USBPASS_OP_REGEX },
	{ "not-begins", USBPASS_OP_NOT_BEGINS },
	{ "not-ends", USBPASS_OP_NOT_ENDS },
	{ "not-contains", USBPASS_OP_NOT_CONTAINS },
	{ "not-icontains", USBPASS_OP_NOT_ICONTAINS },
	{ "not-glob", USBPASS_OP_NOT_GLOB },
	{ "!~", USBPASS_OP_NOT_REGEX },
	{ "not-regex", USBPASS_OP_NOT_REGEX },
};

uint8_t usbpass_rule_text_op(const char *text)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(text, ops[i].text))
			return ops[i].op;
	return 0;
}

const char *usbpass_rule_text_op_text(uint8_t op)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (op == ops[i].op)
			return ops[i].text;
	return "=";
}

/* By kind, from the first to the last in the enum's order. */
static const struct {
	uint8_t last;
	const char *text;
} taken[] = {
	[USBPASS_KIND_NONE] = { 0, "none" },
	[USBPASS_KIND_STRING] = { __USBPASS_OP_MAX - 1,
				  "= != < <= > >= ~ !~ and [not] begins ends contains icontains glob" },
	[USBPASS_KIND_HEX] = { USBPASS_OP_GE, "= != < <= > >=" },
	[USBPASS_KIND_BCD] = { USBPASS_OP_GE, "= != < <= > >=" },
	[USBPASS_KIND_NUMBER] = { USBPASS_OP_GE, "= != < <= > >=" },
	[USBPASS_KIND_SPEED] = { USBPASS_OP_GE, "= != < <= > >=" },
	[USBPASS_KIND_CLASS] = { USBPASS_OP_NE, "= !=" },
	[USBPASS_KIND_REMOVABLE] = { USBPASS_OP_NE, "= !=" },
};

bool usbpass_rule_text_is_regex(uint8_t op)
{
	return op == USBPASS_OP_REGEX || op == USBPASS_OP_NOT_REGEX;
}

const char *usbpass_rule_text_ops(unsigned int field)
{
	return taken[usbpass_rule_text_kind(field)].text;
}

bool usbpass_rule_text_takes(unsigned int field, uint8_t op)
{
	return op && op <= taken[usbpass_rule_text_kind(field)].last;
}

enum usbpass_kind usbpass_rule_text_kind(unsigned int field)
{
	return field < __USBPASS_FIELD_MAX ? kinds[field] : USBPASS_KIND_NONE;
}

bool usbpass_rule_text_volatile(unsigned int field)
{
	return field == USBPASS_FIELD_BUS || field == USBPASS_FIELD_ADDRESS ||
	       field == USBPASS_FIELD_LEVEL;
}

bool usbpass_rule_text_socket(const char *text)
{
	return strchr(text, '/') && strlen(text) <= USBPASS_SOCKET_MAX;
}

static bool plain(const char *text)
{
	if (!*text || !strcmp(text, "and"))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._:/-", *text))
			return false;
	return true;
}

/*
 * In an expression a backslash is one, with what stands behind it; where that would be read
 * otherwise, in hex. Gives the number of bytes that were printed.
 */
static size_t print_backslash(FILE *out, const char *text)
{
	size_t len = usbpass_names_character(text + 1);

	if (!len || text[1] == '"' || text[1] == 'x') {
		fputs("\\x5c", out);
		return 1;
	}
	fwrite(text, 1, 1 + len, out);
	return 1 + len;
}

static size_t print_character(FILE *out, const char *text, bool regex)
{
	size_t len = usbpass_names_character(text);

	if (!len) {
		/* Neither a terminal nor YAML could carry it. */
		fprintf(out, "\\x%02x", (unsigned char)*text);
		return 1;
	}
	if (*text == '\\' && regex)
		return print_backslash(out, text);
	if (*text == '"' || *text == '\\')
		fputc('\\', out);
	fwrite(text, 1, len, out);
	return len;
}

static void print_string(FILE *out, const struct usbpass_cond *cond)
{
	const char *text = cond->string ? cond->string : "";
	bool bare = cond->field == USBPASS_FIELD_NODE ||
		    (cond->field == USBPASS_FIELD_SOCKET && usbpass_rule_text_socket(text));

	if (bare && plain(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	while (*text)
		text += print_character(out, text, usbpass_rule_text_is_regex(cond->op));
	fputc('"', out);
}

static void print_class(FILE *out, const struct usbpass_cond *cond)
{
	fprintf(out, "%02x", cond->number >> 16 & 0xff);
	if (cond->mask & 0xff00)
		fprintf(out, ":%02x", cond->number >> 8 & 0xff);
	if (cond->mask & 0xff)
		fprintf(out, ":%02x", cond->number & 0xff);
}

static void print_speed(FILE *out, uint32_t kbps)
{
	uint32_t rest = kbps % 1000;
	int digits = 3;

	fprintf(out, "%u", kbps / 1000);
	if (!rest)
		return;
	for (; rest % 10 == 0; digits--)
		rest /= 10;
	fprintf(out, ".%0*u", digits, rest);
}

static void print_value(FILE *out, const struct usbpass_cond *cond)
{
	switch (usbpass_rule_text_kind(cond->field)) {
	case USBPASS_KIND_STRING:
		print_string(out, cond);
		break;
	case USBPASS_KIND_HEX:
		fprintf(out, "%04x", cond->number);
		break;
	case USBPASS_KIND_BCD:
		fprintf(out, "%x.%02x", cond->number >> 8, cond->number & 0xff);
		break;
	case USBPASS_KIND_SPEED:
		print_speed(out, cond->number);
		break;
	case USBPASS_KIND_CLASS:
		print_class(out, cond);
		break;
	case USBPASS_KIND_REMOVABLE:
		fputs(usbpass_words_word(USBPASS_WORDS_REMOVABLE, cond->number), out);
		break;
	default:
		fprintf(out, "%u", cond->number);
	}
}

static void print_cond(FILE *out, const struct usbpass_cond *cond)
{
	const char *op = usbpass_rule_text_op_text(cond->op);

	fputs(usbpass_words_word(USBPASS_WORDS_FIELD, cond->field), out);
	if (cond->field == USBPASS_FIELD_ANY)
		return;
	if (cond->field == USBPASS_FIELD_INTERFACE_CLASS) {
		fprintf(out, " %s", usbpass_words_word(USBPASS_WORDS_QUANTIFIER, cond->quantifier));
		if (cond->op != USBPASS_OP_EQ)
			fprintf(out, " %s", op);
	} else {
		fprintf(out, " %s", op);
	}
	fputc(' ', out);
	print_value(out, cond);
}

char *usbpass_rule_text_print(const struct usbpass_rule *rule)
{
	char *text = NULL;
	size_t size, printed = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < rule->n_conds; i++) {
		/* Beside another condition, which the kernel allows, `any` says nothing. */
		if (rule->conds[i].field == USBPASS_FIELD_ANY && (printed || i + 1 < rule->n_conds))
			continue;
		if (printed++)
			fputs(" and ", out);
		print_cond(out, &rule->conds[i]);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
