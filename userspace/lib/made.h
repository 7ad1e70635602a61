/* SPDX-License-Identifier: GPL-2.0 */
/* The identity of a made rule: one that still fits after reboot and replug. */
#ifndef _LIBUSBPASS_MADE_H
#define _LIBUSBPASS_MADE_H

#include "usbpass.h"

/* What beside vendor and product. */
enum usbpass_made_by {
	USBPASS_MADE_BY_BEST,		/* the serial where it will do, else the socket */
	USBPASS_MADE_BY_SERIAL,
	USBPASS_MADE_BY_SOCKET,
	USBPASS_MADE_BY_MODEL,		/* nothing: every device of its kind */
};

/* "serial", "socket", "model"; -1: none of them */
int usbpass_made_by_number(const char *word);

/**
 * usbpass_made_identity - conditions that mean @device and, but by model, no other
 * @list: all present devices, to see whether the serial is unique
 * @node: the name of the node that the rule is for (USBPASS_A_INFO_NODE); NULL: of every node
 * @rule: gets node, vendor, product, and what @by says; its old conditions go
 * @why: "serial ABC, unique here", "no serial: socket 0000:00:14.0/4.2"
 *
 * A serial will do where it is there, not empty, printable, and unique among the present devices
 * of the model.
 *
 * Return: 0; -EINVAL where the device has not got what @by asks for (a sentence, with the way out,
 * in @why); -ENOMEM.
 */
int usbpass_made_identity(const struct usbpass_device *device, const struct usbpass_device *list,
			  size_t n, enum usbpass_made_by by, const char *node,
			  struct usbpass_rule *rule, char *why, size_t size);

#endif /* _LIBUSBPASS_MADE_H */
