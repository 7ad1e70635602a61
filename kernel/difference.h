/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_DIFFERENCE_H
#define _USBPASS_DIFFERENCE_H

#include <linux/types.h>

struct usbpass_facts;

/*
 * Writes to @text, for people, what of @b is not as in @a. Their sockets are
 * taken for the same.
 */
void usbpass_difference_tell(const struct usbpass_facts *a, const struct usbpass_facts *b,
			     char *text, size_t size);

#endif /* _USBPASS_DIFFERENCE_H */
