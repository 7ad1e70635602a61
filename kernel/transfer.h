/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_TRANSFER_H
#define _USBPASS_TRANSFER_H

#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/usb.h>
#include <linux/usb/ch9.h>

struct usbpass_lease;

/*
 * One transfer of a consumer, and its memory. Its life:
 *
 *   alloc -> [front end fills it] -> submit -> (URB in flight | held | failing)
 *   -> frontend->complete() -> [front end empties it] -> free
 *
 * The endpoint is looked up at each submission: a device that returns has new
 * ones.
 */
struct usbpass_transfer {
	struct list_head link;		/* the lease's held or failing list; lease->lock */
	struct usbpass_lease *lease;	/* reference, dropped by free */
	struct urb *urb;		/* owned */
	struct usb_ctrlrequest *setup;	/* control only; owned */
	void *front;			/* the front end's */
	u8 endpoint;			/* bEndpointAddress; 0: control */
	u8 type;			/* USB_ENDPOINT_XFER_* */
	bool in;
	unsigned int flags;		/* URB_SHORT_NOT_OK, URB_ZERO_PACKET */
	u32 length;			/* bytes of data asked for */
	u64 charged;			/* bytes, against lease and module */
	void *buffer;			/* one piece, or NULL: @sgt */
	struct sg_table sgt;
	bool held;			/* on the held list; lease->lock */
	bool discarded;			/* by the consumer; lease->lock */

	/* Results, valid in complete(). */
	int status;			/* as the consumer may see it */
	u32 actual;
};

/*
 * Memory for @length bytes on @endpoint, charged. ERR_PTR: -ENOMEM (no memory,
 * or past the lease's or module's bound), -EINVAL (past the type's bound).
 */
struct usbpass_transfer *usbpass_transfer_alloc(struct usbpass_lease *lease, u8 type, u8 endpoint,
						bool in, u32 length);
void usbpass_transfer_free(struct usbpass_transfer *xfer);

/* Move data between @xfer and the caller's memory. 0 or -EFAULT. */
int usbpass_transfer_fill(struct usbpass_transfer *xfer, const void __user *from);
int usbpass_transfer_empty(struct usbpass_transfer *xfer, void __user *to);

/*
 * Hands it over; complete() follows exactly once if 0 is returned. -ENODEV:
 * the lease is gone. Anything else: as usb_submit_urb().
 */
int usbpass_transfer_submit(struct usbpass_transfer *xfer);

/*
 * Asks for an early end. The caller keeps @xfer from being freed during the
 * call (it may hold a spinlock), then waits with usb_poison_urb() for what is
 * returned, and puts it.
 */
struct urb *usbpass_transfer_discard(struct usbpass_transfer *xfer);

/* Ends one that is not at the controller, as if it had been there. */
void usbpass_transfer_end(struct usbpass_transfer *xfer, int status);

/* For lease.c and settings.c; process context, gate not held. */

/* Those at the controller; waits for their giveback. */
void usbpass_transfer_kill_all(struct usbpass_lease *lease);
/* Submits what is held, or ends it if the lease is gone. */
void usbpass_transfer_release_held(struct usbpass_lease *lease);
void usbpass_transfer_failing_work(struct work_struct *work);	/* lease->failing_work */

#endif /* _USBPASS_TRANSFER_H */
