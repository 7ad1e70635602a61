/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_TXN_H
#define _USBPASS_TXN_H

#include <linux/list.h>
#include <linux/types.h>
#include "catalog.h"

struct net;
struct netlink_ext_ack;
struct usbpass_attach;
struct usbpass_config;
struct usbpass_group;
struct usbpass_rule;

/*
 * A stage: a copy of the configuration that a socket changes, and commits all
 * or nothing. A verb outside of a transaction has one of its own for itself.
 * Everything here is under usbpass_config_lock(), but for what says otherwise.
 */
struct usbpass_stage {
	struct list_head link;		/* open stages of sockets */
	u32 portid;			/* the socket */
	struct net *net;		/* compared, never followed */
	u64 generation;			/* that it is a copy of */
	bool replace;			/* began empty: @base holds what was in force */
	unsigned long touched;		/* jiffies, of the last command */
	u64 bytes;			/* of staged messages */
	struct usbpass_catalog now;
	struct usbpass_catalog base;	/* only if @replace */
};

void usbpass_txn_exit(void);	/* drops all stages; nobody begins one any more */

/* The stage of a socket, or NULL. ERR_PTR(-ENOBUFS): @bytes of a message are past its bound. */
struct usbpass_stage *usbpass_txn_find(struct net *net, u32 portid, u32 bytes);
/* @generation: NULL, or the one that must be in force. 0, -EALREADY, -ESTALE, -ENOMEM. */
int usbpass_txn_begin(struct net *net, u32 portid, const u64 *generation, bool replace,
		      struct netlink_ext_ack *extack);
/* The socket closed, or aborts: its stage, which is the caller's to close, or NULL. */
struct usbpass_stage *usbpass_txn_take(struct net *net, u32 portid);
/* Has any socket a stage? Without the lock: a socket's own does not come or go meanwhile. */
bool usbpass_txn_any(void);

/* A stage of one verb. */
struct usbpass_stage *usbpass_txn_open(bool replace);	/* NULL: no memory */
/* NULL is none. After usbpass_config_unlock(): of a large one, each object is freed by itself. */
void usbpass_txn_close(struct usbpass_stage *stage);
/*
 * Makes it the configuration in force. @flags: USBPASS_F_REVOKE and
 * USBPASS_F_RESCAN. @confirm_secs: the window in which it is to be confirmed;
 * 0: it stays. The stage is left as it was if this fails.
 */
int usbpass_txn_commit(struct usbpass_stage *stage, u32 flags, u32 confirm_secs,
		       struct netlink_ext_ack *extack);

#endif /* _USBPASS_TXN_H */
