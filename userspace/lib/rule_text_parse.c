// SPDX-License-Identifier: GPL-2.0
/* Text to conditions. The grammar stands in rule_text.h. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_regex.h"
#include "rule_text.h"

enum token_type {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,		/* quoted */
	TOKEN_SIGN,		/* = != < <= > >= ~ !~ */
};

struct parser {
	const char *text, *at;	/* @at: behind the token */
	char *err;
	size_t errsize;
	enum token_type type;
	size_t column;		/* of the token, from 1 */
	bool regex;		/* what comes is an expression */
	uint8_t *table;		/* of the expression that was read last, until its condition has it */
	size_t table_bytes;	/* of the expressions until here */
	char token[USBPASS_STRING_MAX + 1];
	size_t columns[USBPASS_STRING_MAX + 1];	/* of each of its bytes, and of its end */
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

/* @column: where the byte came from */
static int append(struct parser *p, size_t *len, char byte, size_t column)
{
	if (*len >= USBPASS_STRING_MAX)
		return fail(p, p->column, -EINVAL, "longer than %d bytes", USBPASS_STRING_MAX);
	p->columns[*len] = column;
	p->token[(*len)++] = byte;
	p->token[*len] = '\0';
	p->columns[*len] = here(p);
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
	for (p->at++; *p->at != '"' && !ret;) {
		size_t column = here(p);
		char byte = *p->at;

		if (!byte)
			return fail(p, p->column, -EINVAL, "this quote is never closed");
		p->at++;
		if (byte == '\\' && p->regex && *p->at && !strchr("\"x", *p->at)) {
			/* The expression's own, with what stands behind it. */
			ret = append(p, &len, byte, column);
			column = here(p);
			byte = *p->at++;
		} else if (byte == '\\') {
			ret = escape(p, &byte);
		}
		if (!ret)
			ret = append(p, &len, byte, column);
	}
	if (ret)
		return ret;
	p->at++;
	if (*p->at && !isspace((unsigned char)*p->at))
		return fail(p, here(p), -EINVAL, "a space is missing after the closing quote");
	return 0;
}

static bool is_sign(char c)
{
	return c == '=' || c == '!' || c == '<' || c == '>' || c == '~';
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
	if (is_sign(*p->at)) {
		p->type = TOKEN_SIGN;
		append(p, &len, *p->at++, p->column);
		if (*p->at == '=' || *p->at == '~')
			append(p, &len, *p->at++, p->column);
		return 0;
	}
	p->type = TOKEN_WORD;
	while (!ret && *p->at && !isspace((unsigned char)*p->at) && !is_sign(*p->at) && *p->at != '"')
		ret = append(p, &len, *p->at++, p->column + len);
	return ret;
}

static const char *seen(const struct parser *p)
{
	return p->type == TOKEN_END ? "the end" : p->token;
}

/* "not" before a word is the operator's opposite; 0: no operator stands here. */
static int parse_negation(struct parser *p, uint8_t *op)
{
	size_t column = p->column;
	int ret = next(p);

	if (ret)
		return ret;
	*op = p->type == TOKEN_WORD ? usbpass_rule_text_op(p->token) : 0;
	if (*op < USBPASS_OP_BEGINS || *op > USBPASS_OP_REGEX)
		return fail(p, column, -EINVAL,
			    "'not' stands before begins, ends, contains, icontains, glob or regex");
	*op += USBPASS_OP_NOT_BEGINS - USBPASS_OP_BEGINS;
	return 0;
}

/* @optional: the operator may be left out, which means "=". */
static int parse_op(struct parser *p, struct usbpass_cond *cond, bool optional)
{
	bool not = p->type == TOKEN_WORD && !strcmp(p->token, "not");
	size_t column = p->column;
	uint8_t op = 0;
	int ret = 0;

	cond->op = USBPASS_OP_EQ;
	if (not)
		ret = parse_negation(p, &op);
	else if (p->type == TOKEN_WORD || p->type == TOKEN_SIGN)
		op = usbpass_rule_text_op(p->token);
	if (ret)
		return ret;
	if (!op && optional && p->type != TOKEN_SIGN)
		return 0;
	if (!op)
		return fail(p, column, -EINVAL,
			    "an operator (%s) must follow the field, not '%s'",
			    usbpass_rule_text_ops(cond->field), seen(p));
	if (!usbpass_rule_text_takes(cond->field, op))
		return fail(p, column, -EINVAL, "%s takes %s, not '%s'",
			    usbpass_words_word(USBPASS_WORDS_FIELD, cond->field),
			    usbpass_rule_text_ops(cond->field), usbpass_rule_text_op_text(op));
	cond->op = op;
	p->regex = usbpass_rule_text_is_regex(op);
	ret = next(p);
	p->regex = false;
	return ret;
}

static int parse_hex(struct parser *p, struct usbpass_cond *cond)
{
	const char *at = p->token;
	uint32_t number = 0;
	int n, digit;

	if (at[0] == '0' && at[1] == 'x')
		at += 2;
	for (n = 0; n < 4 && (digit = hex_digit(at[n])) >= 0; n++)
		number = number << 4 | (uint32_t)digit;
	if (n != 4 || at[n])
		return fail(p, p->column, -EINVAL, "'%s' is not four hex digits, as in 046d",
			    p->token);
	cond->number = number;
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

static int check_regex(struct parser *p)
{
	char text[200];
	size_t size, at;
	int ret = usbpass_regex_compile(p->token, &p->table, &size, &at, text, sizeof(text));

	if (ret == -ENOMEM)
		return fail(p, p->column, ret, "no memory");
	if (ret)
		return fail(p, p->columns[at], ret, "in the expression: %s", text);
	p->table_bytes += size;
	if (p->table_bytes > USBPASS_REGEX_RULE_BYTES)
		return fail(p, p->column, -E2BIG,
			    "with this expression the rule's tables have %zu bytes, and may have %d: make it two rules, or shorter",
			    p->table_bytes, USBPASS_REGEX_RULE_BYTES);
	return 0;
}

static int parse_string(struct parser *p, struct usbpass_cond *cond)
{
	bool whole = cond->op == USBPASS_OP_EQ || cond->op == USBPASS_OP_NE;

	if (cond->field == USBPASS_FIELD_SOCKET && p->type == TOKEN_WORD && whole &&
	    !usbpass_rule_text_socket(p->token))
		return fail(p, p->column, -EINVAL,
			    "'%s' is not a socket, as in 0000:00:14.0/4.2 (see: usbpass device list)",
			    p->token);
	cond->string = p->token;	/* add_cond copies it */
	return usbpass_rule_text_is_regex(cond->op) ? check_regex(p) : 0;
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
	if (!ret) {
		rule->conds[rule->n_conds - 1].table = p->table;
		p->table = NULL;
	}
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

/* Not as a whole: the token's room is large, and rules may be many. */
static void begin(struct parser *p, const char *text, char *err, size_t errsize)
{
	p->text = text;
	p->at = text;
	p->err = err;
	p->errsize = errsize;
	p->column = 0;
	p->regex = false;
	p->table = NULL;
	p->table_bytes = 0;
	p->columns[0] = 0;
}

int usbpass_rule_text_parse(const char *text, struct usbpass_rule *rule, char *err, size_t errsize)
{
	struct usbpass_rule made = {};
	struct usbpass_cond *conds = rule->conds;
	size_t n = rule->n_conds;
	struct parser p;
	int ret;

	begin(&p, text, err, errsize);
	ret = parse_all(&p, &made);
	free(p.table);
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
