/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_CONFIRM_H
#define _USBPASS_CONFIRM_H

#include <linux/types.h>

struct netlink_ext_ack;
struct usbpass_attach;
struct usbpass_config;
struct usbpass_facts;

/*
 * The way back from a configuration that may have cost the operator his
 * keyboard or his network: the one in force before is kept, and is in force
 * again when the window is over, unless somebody confirms.
 *
 *   spare -> swap (the window opens) -> keep
 *                                    -> revert, or the window's end: back
 *
 * All that going back takes is allocated before the swap, so that it cannot
 * fail. Nothing else can commit meanwhile: what was reckoned then still fits.
 *
 * Under usbpass_config_lock(), but for defers(). The work that ends the window
 * takes that lock, so nobody waits for the work under it. The kept
 * configuration is set before the next one is in force, and forgotten a grace
 * period after it is in force again: who reads both under RCU, as defers()
 * says, never misses it.
 */
void usbpass_confirm_exit(void);	/* not locked; nobody commits any more */

/* -EBUSY: a configuration waits to be confirmed. */
int usbpass_confirm_waits(struct netlink_ext_ack *extack);
u32 usbpass_confirm_left_ms(void);	/* at least 1 while one waits, else 0 */

/*
 * For the attachments in force that @next takes the slot from: copies, each
 * with a slot of its own. ERR_PTR: -ENOMEM, -ENOSPC.
 */
struct usbpass_attach **usbpass_confirm_spare(const struct usbpass_config *next,
					      struct netlink_ext_ack *extack);
void usbpass_confirm_discard(struct usbpass_attach **spares);	/* no swap came of it */
/* usbpass_commit_swap(), and the window is open. */
void usbpass_confirm_swap(struct usbpass_config *next, struct usbpass_attach **spares, u32 secs);

int usbpass_confirm_keep(struct netlink_ext_ack *extack);	/* 0 or -ENOENT */
int usbpass_confirm_revert(struct netlink_ext_ack *extack);	/* 0 or -ENOENT */

/*
 * Does the kept configuration claim it, or keep it in quarantine? In one RCU
 * section with, and after, the usbpass_config_decide() that said no. No sleep.
 */
bool usbpass_confirm_defers(const struct usbpass_facts *facts);

#endif /* _USBPASS_CONFIRM_H */
