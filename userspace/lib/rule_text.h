/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The conditions of a rule as text, the one form of command line and files:
 *
 *	text      = "any" | cond { "and" cond }
 *	cond      = field op value
 *	          | "interface-class" quantifier ( op value | value )
 *	op        = "=" | "!=" | "eq" | "ne" | ... (see usbpass(7))
 *	value     = word | '"' text with \" \\ \xHH '"'
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

/* Could this be a socket's name? What is not must stand in quotes, or is a slip. */
bool usbpass_rule_text_socket(const char *text);

/* True for fields whose values do not last over a replug or a reboot. */
bool usbpass_rule_text_volatile(unsigned int field);

/**
 * usbpass_rule_text_parse - replace the rule's conditions by those of @text
 * @rule: only conds, n_conds and HAS COND change; on error nothing does
 * @err: on error "column N: ..." (columns count bytes from 1)
 *
 * Return: 0; -EINVAL, @text is wrong; -EOPNOTSUPP, right, but of a newer
 * version; -E2BIG, more than USBPASS_CONDS_MAX conditions; -ENOMEM.
 */
int usbpass_rule_text_parse(const char *text, struct usbpass_rule *rule, char *err,
			    size_t errsize);

/* The inverse; malloc(3)ed, NULL: no memory. What it gives, parse reads back. */
char *usbpass_rule_text_print(const struct usbpass_rule *rule);

#endif /* _LIBUSBPASS_RULE_TEXT_H */
