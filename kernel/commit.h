/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_COMMIT_H
#define _USBPASS_COMMIT_H

#include <linux/types.h>

struct netlink_ext_ack;
struct usbpass_attach;
struct usbpass_config;

/*
 * From the configuration in force to the next one, and what follows of it for
 * slots and nodes:
 *
 *   check (open leases) -> prepare (slots, nodes; all that may fail) -> swap
 *
 * A node whose path is free only after the swap may fail then; a work makes it
 * again until it is there. Everything here is under usbpass_config_lock().
 */
void usbpass_commit_exit(void);		/* not locked; nobody commits any more */

/* -EBUSY: an open lease is in the way, and @flags lacks USBPASS_F_REVOKE. */
int usbpass_commit_check(const struct usbpass_config *next, u32 flags,
			 struct netlink_ext_ack *extack);
/* 0, or -ENOSPC, -ENOMEM...: then nothing has changed, and @next is the caller's to free. */
int usbpass_commit_prepare(struct usbpass_config *next, struct netlink_ext_ack *extack);
/*
 * Puts @next in force. Never fails: what was not prepared goes without a node,
 * for now. Returns what was in force, for usbpass_config_free(). Sleeps.
 */
struct usbpass_config *usbpass_commit_swap(struct usbpass_config *next);
/* The event. @reason: a text or NULL. @asked: by the task that runs. */
void usbpass_commit_tell(const char *reason, bool asked);

/* Would a commit of @next take the slot from @attach, which is in force? */
bool usbpass_commit_retires(const struct usbpass_config *next,
			    const struct usbpass_attach *attach);

#endif /* _USBPASS_COMMIT_H */
