/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A serial was unique when an identity was made of it; a second device with it may come later. Then
 * what was meant for one means several, and which of them is the right one, only people know.
 */
#ifndef _LIBUSBPASS_AMBIGUOUS_H
#define _LIBUSBPASS_AMBIGUOUS_H

#include "usbpass.h"

struct usbpass_ambiguous {
	size_t n;			/* present devices that are meant; 0: no more than one */
	char what[512];			/* "2 devices here have serial S1: #1 (1-1), #2 (1-2)" */
	char remedy[512];
};

/**
 * usbpass_ambiguous_rule - of a made rule by serial
 * @list: all present devices
 * @node: this node's name
 *
 * Any other rule, and a disabled one, means what it says: never ambiguous.
 */
bool usbpass_ambiguous_rule(const struct usbpass_rule *rule, const struct usbpass_device *list,
			    size_t n, const char *node, struct usbpass_ambiguous *out);

/* The same of an attachment's pin. */
bool usbpass_ambiguous_pin(const struct usbpass_attachment *attachment,
			   const struct usbpass_device *list, size_t n,
			   struct usbpass_ambiguous *out);

#endif /* _LIBUSBPASS_AMBIGUOUS_H */
