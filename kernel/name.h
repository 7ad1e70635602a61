/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_NAME_H
#define _USBPASS_NAME_H

#include <linux/types.h>

/*
 * 1 to USBPASS_NAME_MAX bytes of UTF-8 without `/`, control characters, or a
 * space at either end.
 */
bool usbpass_name_valid(const char *name);
/* UTF-8 without control characters; newline and tab only if @text. */
bool usbpass_name_printable(const char *string, bool text);
/* [a-z0-9._-], not "." or "..". */
bool usbpass_name_slug_valid(const char *slug);
/* The slug of a name, in USBPASS_SLUG_MAX + 1 bytes. */
void usbpass_name_to_slug(const char *name, char *slug);

#endif /* _USBPASS_NAME_H */
