/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_RESET_H
#define _USBPASS_RESET_H

struct usbpass_device;
struct usbpass_lease;

/*
 * A consumer's RESET, under the policy and budget in force. 0; -ENODEV: the
 * lease is gone; -EPERM: refused, and reset_refusal is error.
 */
int usbpass_reset_guest(struct usbpass_lease *lease);

/* A port reset of our own (between owners). Device lock held. 0 or -errno. */
int usbpass_reset_port(struct usbpass_device *dev);

#endif /* _USBPASS_RESET_H */
