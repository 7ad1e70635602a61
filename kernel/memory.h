/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_MEMORY_H
#define _USBPASS_MEMORY_H

#include <linux/types.h>

struct usbpass_lease;
struct usbpass_transfer;

/*
 * The account of transfer memory: a lease's and the module's. @bytes counts
 * data and overhead. 0, or -ENOMEM: past lease_memory_mb, transfer_memory_mb
 * or USBPASS_URBS_MAX.
 */
int usbpass_memory_charge(struct usbpass_lease *lease, u64 bytes);
void usbpass_memory_uncharge(struct usbpass_lease *lease, u64 bytes);
u64 usbpass_memory_in_use(void);
/* Does the controller take lists long enough for all of a lease's memory in one transfer? */
bool usbpass_memory_in_one_list(const struct usbpass_lease *lease);

/* The data's: one piece, or a list of them past 32 KiB. 0 or -ENOMEM. Not charged here. */
int usbpass_memory_alloc(struct usbpass_transfer *xfer);
void usbpass_memory_free(struct usbpass_transfer *xfer);

#endif /* _USBPASS_MEMORY_H */
