/* SPDX-License-Identifier: GPL-2.0 */
/* USBGuard's rule language. Between the import_usbguard*.c only. */
#ifndef _LIBUSBPASS_IMPORT_USBGUARD_H
#define _LIBUSBPASS_IMPORT_USBGUARD_H

#include "import_private.h"

enum usbguard_target { USBGUARD_ALLOW, USBGUARD_BLOCK, USBGUARD_REJECT };

enum usbguard_attribute {
	USBGUARD_ID,
	USBGUARD_NAME,
	USBGUARD_HASH,
	USBGUARD_PARENT_HASH,
	USBGUARD_SERIAL,
	USBGUARD_VIA_PORT,
	USBGUARD_INTERFACE,
	USBGUARD_CONNECT_TYPE,
	USBGUARD_IF,
	USBGUARD_LABEL,

	USBGUARD_ATTRIBUTES,
};

/* The first is what stands where none does. */
enum usbguard_operator {
	USBGUARD_EQUALS,
	USBGUARD_EQUALS_ORDERED,
	USBGUARD_ALL_OF,
	USBGUARD_ONE_OF,
	USBGUARD_NONE_OF,
	USBGUARD_MATCH_ALL,
};

struct usbguard_value {
	char *string;			/* of an if: its condition's name */
	bool negated;			/* of an if */
	bool has_vendor, has_product;	/* of an id; none: every device */
	uint16_t vendor, product;
	uint32_t class, mask;		/* of an interface */
};

#define USBGUARD_VALUES_MAX	256	/* of an attribute */

struct usbguard_set {
	enum usbguard_operator operator;
	struct usbguard_value *values;	/* room for USBGUARD_VALUES_MAX */
	size_t n;			/* 0: the rule has no such attribute */
	struct import_place place;
};

struct usbguard_rule {
	enum usbguard_target target;
	struct usbguard_set sets[USBGUARD_ATTRIBUTES];
	struct import_place place;
	char *strings;			/* of the values */
};

extern const char *const usbguard_attribute_words[USBGUARD_ATTRIBUTES];

/*
 * import_usbguard_parse.c
 */

/* 1: a rule; 0: a blank line or a comment; -EINVAL, with where and why; -ENOMEM. */
int usbguard_parse(const struct import_place *line, struct usbguard_rule *rule,
		   unsigned int *column, char *why, size_t size);
void usbguard_clear(struct usbguard_rule *rule);	/* also after an error */

#endif /* _LIBUSBPASS_IMPORT_USBGUARD_H */
