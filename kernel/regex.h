/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_REGEX_H
#define _USBPASS_REGEX_H

#include <linux/kref.h>
#include <linux/types.h>

/*
 * A regular expression as user space has compiled it: the table of linux/usbpass.h, found to lead
 * nowhere outside of itself. Immutable, shared by the copies of its rule.
 */
struct usbpass_regex {
	struct kref kref;
	u8 table[];
};

/* A copy of what user space sent. -EINVAL: no table; -ENOMEM. */
struct usbpass_regex *usbpass_regex_read(const u8 *table, size_t size);
struct usbpass_regex *usbpass_regex_get(struct usbpass_regex *regex);
void usbpass_regex_put(struct usbpass_regex *regex);	/* NULL is allowed */

/* No sleep; one look at the table for each byte of @string. */
bool usbpass_regex_fits(const struct usbpass_regex *regex, const char *string);

#endif /* _USBPASS_REGEX_H */
