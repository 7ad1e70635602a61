/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_REVOKE_H
#define _USBPASS_REVOKE_H

#include <linux/types.h>

/*
 * Ends the leases whose device no rule in force claims into the group of their
 * attachment, where they were opened in generation @since or later. On the
 * reconcile worker, without locks: it waits for transfers to be cancelled.
 */
void usbpass_revoke_unruled(u64 since);

#endif /* _USBPASS_REVOKE_H */
