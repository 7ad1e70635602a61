// SPDX-License-Identifier: GPL-2.0
/* Text to conditions. The grammar stands in rule_text.h. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_text.h"

enum token_type {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,		/* quoted */
	TOKEN_SIGN,		/* = != < <= > >= */
};

struct parser {
	const char *text, *at;	/* @at: behind the token */
	char *err;
	size_t errsize;
	enum token_type type;
	size_t column;		/* of the token, from 1 */
	char token[USBPASS_STRING_MAX + 1];
};

static int fail(struct parser *p, size_t column, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(struct parser *p, size_t column, int error, const char *format, ...)
{
	va_list args;
	int used = snprintf(p->err, p->errsize, "column %zu: ", column);

	va_start(args, format);
	if (used >= 0 && (size_t)used < p->errsize)
		vsnprintf(p->err + used, p->errsize - used, format, args);
	va_end(args);
	return error;
}

static size_t here(const struct parser *p)
{
	return p->at - p->text + 1;
}

static int append(struct parser *p, size_t *len, char byte)
{
	if (*len >= USBPASS_STRING_MAX)
		return fail(p, p->column, -EINVAL, "longer than %d bytes", USBPASS_STRING_MAX);
	p->token[(*len)++] = byte;
	p->token[*len] = '\0';
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int escape(struct parser *p, char *byte)
{
	size_t column = here(p) - 1;	/* of the backslash */
	int high, low;

	switch (*p->at) {
	case '"':
	case '\\':
		*byte = *p->at++;
		return 0;
	case 'x':
		high = hex_digit(p->at[1]);
		low = high < 0 ? -1 : hex_digit(p->at[2]);
		if (low < 0)
			return fail(p, column, -EINVAL, "\\x needs two hex digits");
		if (!high && !low)
			return fail(p, column, -EINVAL, "\\x00 cannot be in a USB string here");
		*byte = high << 4 | low;
		p->at += 3;
		return 0;
	default:
		return fail(p, column, -EINVAL, "only \\\" \\\\ and \\xHH may follow a backslash");
	}
}

static int next_string(struct parser *p)
{
	size_t len = 0;
	int ret = 0;

	p->type = TOKEN_STRING;
	for (p->at++; *p->at != '"';) {
		char byte = *p->at;

		if (!byte)
			return fail(p, p->column, -EINVAL, "this quote is never closed");
		p->at++;
		if (byte == '\\')
			ret = escape(p, &byte);
		if (!ret)
			ret = append(p, &len, byte);
		if (ret)
			return ret;
	}
	p->at++;
	if (*p->at && !isspace((unsigned char)*p->at))
		return fail(p, here(p), -EINVAL, "a space is missing after the closing quote");
	return 0;
}

static int next(struct parser *p)
{
	size_t len = 0;
	int ret = 0;

	while (isspace((unsigned char)*p->at))
		p->at++;
	p->column = here(p);
	p->token[0] = '\0';
	if (!*p->at) {
		p->type = TOKEN_END;
		return 0;
	}
	if (*p->at == '"')
		return next_string(p);
	if (strchr("=!<>", *p->at)) {
		p->type = TOKEN_SIGN;
		append(p, &len, *p->at++);
		if (*p->at == '=')
			append(p, &len, *p->at++);
		return 0;
	}
	p->type = TOKEN_WORD;
	while (!ret && *p->at && !isspace((unsigned char)*p->at) && !strchr("=!<>\"", *p->at))
		ret = append(p, &len, *p->at++);
	return ret;
}

static const char *seen(const struct parser *p)
{
	return p->type == TOKEN_END ? "the end" : p->token;
}

static const struct {
	const char *word, *sign;
	uint8_t op;
} ops[] = {
	{ "eq", "=", USBPASS_OP_EQ },
	{ "eq", "==", USBPASS_OP_EQ },
	{ "ne", "!=", USBPASS_OP_NE },
	{ "lt", "<", USBPASS_OP_LT },
	{ "le", "<=", USBPASS_OP_LE },
	{ "gt", ">", USBPASS_OP_GT },
	{ "ge", ">=", USBPASS_OP_GE },
	{ "begins", NULL, USBPASS_OP_BEGINS },
	{ "ends", NULL, USBPASS_OP_ENDS },
	{ "contains", NULL, USBPASS_OP_CONTAINS },
	{ "icontains", NULL, USBPASS_OP_ICONTAINS },
	{ "glob", NULL, USBPASS_OP_GLOB },
	{ "regex", NULL, USBPASS_OP_REGEX },
	{ "not-begins", NULL, USBPASS_OP_NOT_BEGINS },
	{ "not-ends", NULL, USBPASS_OP_NOT_ENDS },
	{ "not-contains", NULL, USBPASS_OP_NOT_CONTAINS },
	{ "not-icontains", NULL, USBPASS_OP_NOT_ICONTAINS },
	{ "not-glob", NULL, USBPASS_OP_NOT_GLOB },
	{ "not-regex", NULL, USBPASS_OP_NOT_REGEX },
};

/* 0: no operator stands here. */
static uint8_t find_op(const struct parser *p)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (p->type == TOKEN_WORD && !strcmp(p->token, ops[i].word))
			return ops[i].op;
		if (p->type == TOKEN_SIGN && ops[i].sign && !strcmp(p->token, ops[i].sign))
			return ops[i].op;
	}
	return 0;
}

/* @optional: the operator may be left out, which means "=". */
static int parse_op(struct parser *p, struct usbpass_cond *cond, bool optional)
{
	uint8_t op = find_op(p);

	cond->op = USBPASS_OP_EQ;
	if (!op && optional && p->type != TOKEN_SIGN)
		return 0;
	if (!op)
		return fail(p, p->column, -EINVAL,
			    "an operator (= or !=) must follow the field, not '%s'", seen(p));
	if (op > USBPASS_OP_NE)
		return fail(p, p->column, -EOPNOTSUPP,
			    "the operator '%s' needs a newer module; this one carries = and !=",
			    p->token);
	cond->op = op;
	return next(p);
}

static int parse_hex(struct parser *p, struct usbpass_cond *cond)
{
	const char *at = p->token;

	if (at[0] == '0' && at[1] == 'x')
		at += 2;
	if (strlen(at) != 4 || strspn(at, "0123456789abcdefABCDEF") != 4)
		return fail(p, p->column, -EINVAL, "'%s' is not four hex digits, as in 046d",
			    p->token);
	cond->number = strtoul(at, NULL, 16);
	return 0;
}

/* "2.1" is how people write 2.10. */
static int parse_bcd(struct parser *p, struct usbpass_cond *cond)
{
	const char *digits = "0123456789abcdefABCDEF";
	size_t major = strspn(p->token, digits), minor;
	const char *dot = p->token + major;

	minor = *dot == '.' ? strspn(dot + 1, digits) : 0;
	if (major < 1 || major > 2 || minor < 1 || minor > 2 || dot[1 + minor])
		return fail(p, p->column, -EINVAL, "'%s' is not a version, as in 2.10", p->token);
	cond->number = strtoul(p->token, NULL, 16) << 8;
	cond->number |= strtoul(dot + 1, NULL, 16) << (minor == 1 ? 4 : 0);
	return 0;
}

static int parse_number(struct parser *p, struct usbpass_cond *cond)
{
	size_t len = strlen(p->token);
	unsigned long long number = strtoull(p->token, NULL, 10);

	if (!len || len > 10 || strspn(p->token, "0123456789") != len || number > UINT32_MAX)
		return fail(p, p->column, -EINVAL, "'%s' is not a number from 0 to 4294967295",
			    p->token);
	cond->number = number;
	return 0;
}

static int parse_speed(struct parser *p, struct usbpass_cond *cond)
{
	static const struct {
		const char *word;
		uint32_t kbps;
	} words[] = {
		{ "low", 1500 }, { "full", 12000 }, { "high", 480000 }, { "super", 5000000 },
		{ "super+", 10000000 },
	};
	size_t whole, rest = 0;
	unsigned long long kbps;
	const char *dot;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(p->token, words[i].word)) {
			cond->number = words[i].kbps;
			return 0;
		}
	}
	whole = strspn(p->token, "0123456789");
	dot = p->token + whole;
	if (*dot == '.')
		rest = strspn(dot + 1, "0123456789");
	if (whole < 1 || whole > 7 || rest > 3 || (*dot == '.' && !rest) ||
	    dot[rest ? rest + 1 : 0])
		goto wrong;
	kbps = strtoull(p->token, NULL, 10) * 1000;
	for (size_t i = 0, unit = 100; i < rest; i++, unit /= 10)
		kbps += (dot[1 + i] - '0') * unit;
	/* What the kernel can hold must read back, sensible or not. */
	if (kbps > UINT32_MAX)
		goto wrong;
	cond->number = kbps;
	return 0;

wrong:
	return fail(p, p->column, -EINVAL,
		    "'%s' is not a speed: Mbit/s (1.5, 12, 480, 5000) or low, full, high, super",
		    p->token);
}

static int parse_class(struct parser *p, struct usbpass_cond *cond)
{
	const char *at = p->token;
	int shift = 16;

	cond->number = 0;
	cond->mask = 0;
	for (; shift >= 0; shift -= 8) {
		int high = hex_digit(at[0]), low = high < 0 ? -1 : hex_digit(at[1]);

		if (low < 0)
			break;
		cond->number |= (uint32_t)(high << 4 | low) << shift;
		cond->mask |= 0xffu << shift;
		at += 2;
		if (!*at)
			return 0;
		if (*at++ != ':')
			break;
	}
	return fail(p, p->column, -EINVAL,
		    "'%s' is not a class: two hex digits each of class[:subclass[:protocol]], as in 08:06",
		    p->token);
}

static int parse_removable(struct parser *p, struct usbpass_cond *cond)
{
	int number = usbpass_words_number(USBPASS_WORDS_REMOVABLE, p->token);

	if (number < 0)
		return fail(p, p->column, -EINVAL, "'%s' is not yes, no or unknown", p->token);
	cond->number = number;
	return 0;
}

static int parse_string(struct parser *p, struct usbpass_cond *cond)
{
	if (cond->field == USBPASS_FIELD_SOCKET && p->type == TOKEN_WORD &&
	    !usbpass_rule_text_socket(p->token))
		return fail(p, p->column, -EINVAL,
			    "'%s' is not a socket, as in 0000:00:14.0/4.2 (see: usbpass device list)",
			    p->token);
	cond->string = p->token;	/* add_cond copies it */
	return 0;
}

static int parse_value(struct parser *p, struct usbpass_cond *cond)
{
	static int (*const parse[])(struct parser *p, struct usbpass_cond *cond) = {
		[USBPASS_KIND_STRING] = parse_string,
		[USBPASS_KIND_HEX] = parse_hex,
		[USBPASS_KIND_BCD] = parse_bcd,
		[USBPASS_KIND_NUMBER] = parse_number,
		[USBPASS_KIND_SPEED] = parse_speed,
		[USBPASS_KIND_CLASS] = parse_class,
		[USBPASS_KIND_REMOVABLE] = parse_removable,
	};

	if (p->type != TOKEN_WORD && p->type != TOKEN_STRING)
		return fail(p, p->column, -EINVAL, "a value is missing here");
	cond->mask = 0;
	return parse[usbpass_rule_text_kind(cond->field)](p, cond);
}

static int parse_quantifier(struct parser *p, struct usbpass_cond *cond)
{
	int quantifier = usbpass_words_number(USBPASS_WORDS_QUANTIFIER, p->token);

	cond->quantifier = USBPASS_QUANTIFIER_ANY;
	if (p->type != TOKEN_WORD || quantifier < 0)
		return 0;
	cond->quantifier = quantifier;
	return next(p);
}

static int parse_cond(struct parser *p, struct usbpass_rule *rule)
{
	struct usbpass_cond cond = {};
	size_t column = p->column;
	int field, ret;
	char words[256];

	field = p->type == TOKEN_WORD ? usbpass_words_number(USBPASS_WORDS_FIELD, p->token) : -1;
	if (field < 0)
		return fail(p, column, -EINVAL, "'%s' is no field; fields are: %s", seen(p),
			    usbpass_words_list(USBPASS_WORDS_FIELD, words, sizeof(words)));
	cond.field = field;
	ret = next(p);
	if (!ret && field == USBPASS_FIELD_INTERFACE_CLASS)
		ret = parse_quantifier(p, &cond);
	if (!ret && field == USBPASS_FIELD_ANY)
		cond.op = USBPASS_OP_EQ;
	else if (!ret) {
		ret = parse_op(p, &cond, field == USBPASS_FIELD_INTERFACE_CLASS) ?:
		      parse_value(p, &cond);
	}
	if (ret)
		return ret;
	ret = usbpass_rule_add_cond(rule, &cond);
	if (ret == -E2BIG)
		return fail(p, column, ret, "more than %d conditions in one rule",
			    USBPASS_CONDS_MAX);
	if (ret)
		return fail(p, column, ret, "no memory");
	return field == USBPASS_FIELD_ANY ? 0 : next(p);
}

static int parse_all(struct parser *p, struct usbpass_rule *rule)
{
	int ret = next(p);

	if (!ret && p->type == TOKEN_END)
		return fail(p, p->column, -EINVAL,
			    "a rule needs a condition; one for every device says: any");
	while (!ret) {
		size_t column = p->column;

		ret = parse_cond(p, rule);
		if (ret)
			return ret;
		if (rule->conds[rule->n_conds - 1].field == USBPASS_FIELD_ANY &&
		    (rule->n_conds > 1 || p->type != TOKEN_END))
			return fail(p, column, -EINVAL, "'any' stands alone");
		if (p->type == TOKEN_END)
			return 0;
		if (p->type != TOKEN_WORD || strcmp(p->token, "and"))
			return fail(p, p->column, -EINVAL,
				    "'and' must join two conditions, not '%s'", seen(p));
		ret = next(p);
	}
	return ret;
}

int usbpass_rule_text_parse(const char *text, struct usbpass_rule *rule, char *err, size_t errsize)
{
	struct parser p = { .text = text, .at = text, .err = err, .errsize = errsize };
	struct usbpass_rule made = {};
	struct usbpass_cond *conds = rule->conds;
	size_t n = rule->n_conds;
	int ret = parse_all(&p, &made);

	if (ret < 0) {
		usbpass_rule_clear(&made);
		return ret;
	}
	rule->conds = made.conds;
	rule->n_conds = made.n_conds;
	rule->has |= USBPASS_HAS(USBPASS_A_RULE_COND);
	made.conds = conds;
	made.n_conds = n;
	usbpass_rule_clear(&made);
	return 0;
}
