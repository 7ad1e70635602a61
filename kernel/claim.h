/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_CLAIM_H
#define _USBPASS_CLAIM_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct usbpass_device;

/* The device driver, and the port ownership that keeps the host's drivers off. */
int usbpass_claim_init(void);
/* Gives every claimed device to the host's drivers. No lease is open. */
void usbpass_claim_exit(void);

/* Should usbpass have it, by verdict, hold, guard and the administrator's word? No sleep. */
bool usbpass_claim_wants(struct usbpass_device *dev);
/* Makes the binding equal to usbpass_claim_wants(). On the reconcile worker. 0 or -errno. */
int usbpass_claim_apply(struct usbpass_device *dev);

/*
 * The work of one device, apart from all others, as a mute one takes its time:
 * cleans it after a lease, then offers it to the lease that waits for it.
 */
void usbpass_claim_settle(struct usbpass_device *dev);
void usbpass_claim_settle_work(struct work_struct *work);

#endif /* _USBPASS_CLAIM_H */
