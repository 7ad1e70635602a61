/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_COND_H
#define _USBPASS_COND_H

#include <linux/types.h>
#include <linux/usbpass.h>

struct usbpass_facts;
struct usbpass_regex;

/* What a field is, and so which value and operators it takes. */
enum usbpass_field_kind {
	USBPASS_KIND_NONE,		/* ANY */
	USBPASS_KIND_NUMBER,
	USBPASS_KIND_STRING,
	USBPASS_KIND_CLASS,
};

struct usbpass_cond {
	u8 field, op, quantifier;
	u32 number, mask;
	char *string;			/* owned; NULL unless the kind is STRING */
	struct usbpass_regex *regex;	/* reference; NULL unless the operator is one */
};

enum usbpass_field_kind usbpass_cond_kind(u8 field);
u32 usbpass_cond_number_max(u8 field);	/* of a number or class field */
bool usbpass_cond_takes(u8 field, u8 op);	/* has the operator a meaning there? */
bool usbpass_cond_has_table(u8 op);		/* REGEX and its opposite */

/* @to is to be cleared even if there was no memory for it (-ENOMEM). */
int usbpass_cond_copy(struct usbpass_cond *to, const struct usbpass_cond *cond);
void usbpass_cond_clear(struct usbpass_cond *cond);

/* No sleep. @node: this host's name. */
bool usbpass_cond_holds(const struct usbpass_cond *cond, const struct usbpass_facts *facts,
			const char *node);

#endif /* _USBPASS_COND_H */
