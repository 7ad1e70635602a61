/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_RECONCILE_H
#define _USBPASS_RECONCILE_H

#include <linux/types.h>

/*
 * The one ordered worker that makes reality equal to the ruleset: takes,
 * releases, fills, revokes. Kicks fold into one run.
 */
int usbpass_reconcile_init(void);
void usbpass_reconcile_exit(void);
/* @rescan: present devices too. Any context. */
void usbpass_reconcile_kick(bool rescan);
/* And ends leases that the rules have no place for: usbpass_revoke_unruled(). Any context. */
void usbpass_reconcile_revoke(u64 since);

/*
 * The administrator's verbs; they run on the worker, as jobs. @job gets the
 * job's id. Errnos: linux/usbpass.h, DEVICE_CLAIM and DEVICE_RELEASE.
 */
struct netlink_ext_ack;
int usbpass_reconcile_request_claim(u32 id, u32 flags, const char *reason, u32 *job,
				    struct netlink_ext_ack *extack);
int usbpass_reconcile_request_release(u32 id, u32 flags, u32 *job,
				      struct netlink_ext_ack *extack);

#endif /* _USBPASS_RECONCILE_H */
