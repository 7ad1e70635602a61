/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The conditions of a rule as text, the one form of command line and files:
 *
 *	text      = "any" | cond { "and" cond }
 *	cond      = field op value
 *	          | "interface-class" quantifier ( op value | value )
 *	op        = "=" | "!=" | "<" | ... | "eq" | ... | ["not"] "begins" | ... (see usbpass(7))
 *	value     = word | '"' text with \" \\ \xHH '"'
 *
 * In quotes behind ~ and !~ only \" and \xHH are escapes of the text; any other backslash is the
 * expression's own.
 */
#ifndef _LIBUSBPASS_RULE_TEXT_H
#define _LIBUSBPASS_RULE_TEXT_H

#include "usbpass.h"

/* What kind of value a field takes. */
enum usbpass_kind {
	USBPASS_KIND_NONE,		/* any */
	USBPASS_KIND_STRING,
	USBPASS_KIND_HEX,		/* four hex digits */
	USBPASS_KIND_BCD,		/* 2.10 */
	USBPASS_KIND_NUMBER,
	USBPASS_KIND_SPEED,
	USBPASS_KIND_CLASS,
	USBPASS_KIND_REMOVABLE,
};

enum usbpass_kind usbpass_rule_text_kind(unsigned int field);

/* An operator by a word or sign for it, 0: there is none; and as it is printed. */
uint8_t usbpass_rule_text_op(const char *text);
const char *usbpass_rule_text_op_text(uint8_t op);

/* The operators that a field takes, as people write them; and whether @op is one. */
const char *usbpass_rule_text_ops(unsigned int field);
bool usbpass_rule_text_takes(unsigned int field, uint8_t op);
bool usbpass_rule_text_is_regex(uint8_t op);	/* or its opposite */

/* Could this be a socket's name? What is not must stand in quotes, or is a slip. */
bool usbpass_rule_text_socket(const char *text);

/* True for fields whose values do not last over a replug or a reboot. */
bool usbpass_rule_text_volatile(unsigned int field);

/**
 * usbpass_rule_text_parse - replace the rule's conditions by those of @text
 * @rule: only conds, n_conds and HAS COND change; on error nothing does
 * @err: on error "column N: ..." (columns count bytes from 1)
 *
 * Return: 0; -EINVAL, @text is wrong; -E2BIG, more than USBPASS_CONDS_MAX
 * conditions, or an expression that is too large; -ENOMEM.
 */
int usbpass_rule_text_parse(const char *text, struct usbpass_rule *rule, char *err,
			    size_t errsize);

/* The inverse; malloc(3)ed, NULL: no memory. What it gives, parse reads back. */
char *usbpass_rule_text_print(const struct usbpass_rule *rule);

/*
 * rule_text_device.c
 */

/**
 * usbpass_rule_text_describe - a device of conditions that say what it is
 * @text: "=" only; interface-class once for each; no node, no any
 * @out: HAS what is described; clear with usbpass_device_clear(). On error cleared
 * @err: as of usbpass_rule_text_parse()
 *
 * Return: 0; -EINVAL, -E2BIG, -ENOMEM.
 */
int usbpass_rule_text_describe(const char *text, struct usbpass_device *out, char *err,
			       size_t errsize);

/*
 * What the device has in a field, as a condition would have it; @node: the host's name.
 * malloc(3)ed, NULL: no memory.
 */
char *usbpass_rule_text_fact(uint8_t field, const struct usbpass_device *device, const char *node);

#endif /* _LIBUSBPASS_RULE_TEXT_H */
