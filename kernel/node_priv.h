/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_NODE_PRIV_H
#define _USBPASS_NODE_PRIV_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct usbpass_lease;
struct usbpass_transfer;

/* An open file of the usbdevfs front end. */
struct usbpass_node {
	struct kref kref;		/* the file; each URB */
	struct usbpass_lease *lease;	/* reference, the file's */
	spinlock_t lock;		/* irqsave; outside of lease->lock */
	struct list_head pending;	/* URBs submitted; lock */
	struct list_head done;		/* URBs to reap; lock */
	struct list_head carry;		/* URBs that ask for a setting, in order; lock */
	struct work_struct carry_work;	/* carries them out; holds a reference while queued */
	bool closed;			/* URBs free themselves; lock */
};

/*
 * A URB of the consumer. Its life:
 *
 *   submit -> pending -> (complete) done -> reap -> freed
 *                                   closed file -> freed
 *
 * A synchronous call has one on its stack, with @sync, on no list.
 */
struct usbpass_node_urb {
	struct list_head link;
	struct usbpass_node *node;	/* reference, unless @sync */
	struct usbpass_transfer *xfer;	/* owned */
	void __user *urb;		/* the consumer's struct usbdevfs_urb */
	void __user *buffer;		/* of the data */
	struct list_head carry;		/* a setting asked for on endpoint 0; node->lock */
	int ifnum;			/* whose endpoint it is on; -1: 0 */
	bool cancelled;			/* with its interface; node->lock */
	struct completion *sync;
};

/* node.c */
void usbpass_node_put(struct usbpass_node *node);
void usbpass_node_complete(struct usbpass_transfer *xfer);

/* node_urb.c */
int usbpass_node_submit(struct usbpass_node *node, void __user *arg);
void usbpass_node_carry_out_work(struct work_struct *work);
/* Discards what is on the endpoints of @ifnum. */
void usbpass_node_cancel(struct usbpass_node *node, unsigned int ifnum);
int usbpass_node_discard(struct usbpass_node *node, void __user *arg);
int usbpass_node_reap(struct usbpass_node *node, void __user *arg, bool wait);
void usbpass_node_urb_free(struct usbpass_node_urb *nurb);
/*
 * USB_ENDPOINT_XFER_INT or _BULK of a data endpoint that the consumer has
 * claimed, and its interface, or -errno.
 */
int usbpass_node_endpoint_type(struct usbpass_node *node, unsigned int endpoint, int *ifnum);

/* node_sync.c */
int usbpass_node_control(struct usbpass_node *node, void __user *arg);
int usbpass_node_bulk(struct usbpass_node *node, void __user *arg);

/* node_ioctl.c */
long usbpass_node_ioctl(struct usbpass_node *node, unsigned int cmd, void __user *arg);

#endif /* _USBPASS_NODE_PRIV_H */
