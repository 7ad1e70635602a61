/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_MAINTENANCE_H
#define _USBPASS_MAINTENANCE_H

#include <linux/types.h>

/*
 * Maintenance: nothing new is claimed or leased. What is claimed stays so, open
 * leases go on, and quarantine goes on. It ends with the module.
 *
 * On the way in: once set() has returned no lease begins, so that the open ones
 * are all that there is to wait for.
 */
void usbpass_maintenance_set(bool wanted);
bool usbpass_maintenance_is_on(void);
bool usbpass_maintenance_is_on_locked(void);	/* registry_lock held */

#endif /* _USBPASS_MAINTENANCE_H */
