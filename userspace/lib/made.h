/* SPDX-License-Identifier: GPL-2.0 */
/* The identity of a made rule: one that still fits after reboot and replug. */
#ifndef _LIBUSBPASS_MADE_H
#define _LIBUSBPASS_MADE_H

#include "usbpass.h"

/**
 * usbpass_made_identity - conditions that mean @device and no other
 * @list: all present devices, to see whether the serial is unique
 * @node: this node's name (USBPASS_A_INFO_NODE)
 * @rule: gets node, vendor, product, and the serial where it is there, not
 *	empty and unique, else the socket; its old conditions go
 * @why: "serial ABC, unique here", "no serial: socket 0000:00:14.0/4.2"
 *
 * Return: 0; -EINVAL where the device has no identity (a sentence in @why);
 * -ENOMEM.
 */
int usbpass_made_identity(const struct usbpass_device *device, const struct usbpass_device *list,
			  size_t n, const char *node, struct usbpass_rule *rule, char *why,
			  size_t size);

#endif /* _LIBUSBPASS_MADE_H */
