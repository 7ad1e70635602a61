/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_BUDGET_H
#define _USBPASS_BUDGET_H

#include <linux/types.h>

/*
 * How many resets consumers have had of a device. It follows the lease where the
 * device comes back as another usb_device. Protected by usbpass_registry_lock.
 */
struct usbpass_budget {
	u64 window_ns;		/* a minute's start, CLOCK_BOOTTIME */
	u32 count;		/* resets on the wire since */
};

/*
 * True: one more is within reset_budget; it is counted. *@silent: it is not, and
 * neither is it the first: a guest must not flood the events.
 */
bool usbpass_budget_spend(struct usbpass_budget *budget, bool *silent);

#endif /* _USBPASS_BUDGET_H */
