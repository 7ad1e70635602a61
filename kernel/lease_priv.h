/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_LEASE_PRIV_H
#define _USBPASS_LEASE_PRIV_H

#include <linux/types.h>

struct usbpass_device;
struct usbpass_lease;

/* What lease.c and window.c share: the end of an ONLINE lease. */

/*
 * Ends the tie of lease and device; exactly one caller gets the device, and
 * with it the reference. The state becomes @state. @only: not if the lease has
 * another one; NULL: whatever it has.
 */
struct usbpass_device *usbpass_lease_take_device(struct usbpass_lease *lease, u8 state,
						 struct usbpass_device *only);
/* The device is free again, after the cleaner had it. Drops take_device()'s reference. */
void usbpass_lease_give_back(struct usbpass_lease *lease, struct usbpass_device *dev);
/* The state is GONE: everything that waits on the lease ends. */
void usbpass_lease_finish(struct usbpass_lease *lease);

#endif /* _USBPASS_LEASE_PRIV_H */
