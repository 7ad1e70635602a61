/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_WINDOW_H
#define _USBPASS_WINDOW_H

#include <linux/types.h>

struct usbpass_device;
struct usbpass_facts;
struct usbpass_lease;
struct work_struct;

/*
 * The window of a lease whose device is away (RETURNING): return_ms after a
 * reset of usbpass's own, else replug_ms. What comes back the same meanwhile
 * gets its settings again; then the lease goes on, else it is GONE.
 */

/* @dev is disconnected. Device lock held. */
void usbpass_window_lost(struct usbpass_lease *lease, struct usbpass_device *dev);
/* A device was claimed: does a lease wait for it? Process context, no locks. */
void usbpass_window_offer(struct usbpass_device *dev);
/* Does a lease wait for such a device? Any context. */
bool usbpass_window_expects(const struct usbpass_facts *facts);
bool usbpass_window_expects_locked(const struct usbpass_facts *facts);	/* registry_lock held */

/*
 * Does a lease wait in this socket for something else? Then @text tells what
 * differs.
 */
bool usbpass_window_differs(const struct usbpass_facts *facts, char *text, size_t size);

/* For lease.c: the lease waits no more; and the end of a window. */
void usbpass_window_stop(struct usbpass_lease *lease);
void usbpass_window_work(struct work_struct *work);

#endif /* _USBPASS_WINDOW_H */
