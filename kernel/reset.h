/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_RESET_H
#define _USBPASS_RESET_H

#include <linux/types.h>

struct usbpass_device;
struct usbpass_event;
struct usbpass_lease;

/*
 * A consumer's RESET, under the policy and budget in force. 0; -ENODEV: the
 * lease is gone; -EPERM: refused, and reset_refusal is error.
 */
int usbpass_reset_guest(struct usbpass_lease *lease);
/* A consumer's HUB_RESET: see linux/usbpass.h. */
int usbpass_reset_guest_hub(struct usbpass_lease *lease);

/* A port reset of our own (between owners). Device lock held. 0 or -errno. */
int usbpass_reset_port(struct usbpass_device *dev);

/* How the last reset on the wire of a lease ended, once that is known. Sleeps. */
void usbpass_reset_note(struct usbpass_lease *lease, bool failed);

/* For step.c. */
/*
 * A port reset of a leased device, with its device lock held. A failed one means
 * that the device re-enumerates: the lease waits for it.
 */
int usbpass_reset_on_wire(struct usbpass_lease *lease, struct usbpass_device *dev);
/* The disconnect that follows is our doing, or not. */
void usbpass_reset_mark_own(struct usbpass_lease *lease, bool own);
/* Sends @ev, with who asked for it, as a reset of @dev that ended so. NULL: what is not known. */
void usbpass_reset_tell(struct usbpass_event *ev, struct usbpass_lease *lease,
			struct usbpass_device *dev, u8 kind, const char *why, int result);

#endif /* _USBPASS_RESET_H */
