// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/usbpass.h>
#include "claim.h"
#include "device.h"
#include "intf.h"
#include "lease.h"
#include "memory.h"
#include "settings.h"
#include "slot.h"
#include "trace.h"
#include "transfer.h"
#include "usbcore.h"

#define CONTROL_BYTES_MAX	4096
#define HELD_MAX		64	/* a lease; past it they fail as the others do */
#define FAIL_MS			10	/* a consumer that resubmits at once must not spin */

static u32 bytes_max(u8 type)
{
	switch (type) {
	case USB_ENDPOINT_XFER_CONTROL:
		return CONTROL_BYTES_MAX;
	case USB_ENDPOINT_XFER_INT:
		return USBPASS_INTERRUPT_BYTES_MAX;
	default:
		return S32_MAX;		/* the lease's memory is the bound */
	}
}

struct usbpass_transfer *usbpass_transfer_alloc(struct usbpass_lease *lease, u8 type, u8 endpoint,
						bool in, u32 length)
{
	struct usbpass_transfer *xfer;
	u64 bytes = (u64)length + sizeof(*xfer) + sizeof(struct urb);
	int err;

	if (length > bytes_max(type))
		return ERR_PTR(-EINVAL);
	err = usbpass_memory_charge(lease, bytes);
	if (err)
		return ERR_PTR(err);
	xfer = kzalloc(sizeof(*xfer), GFP_KERNEL_ACCOUNT);
	if (!xfer) {
		usbpass_memory_uncharge(lease, bytes);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&xfer->link);
	xfer->lease = usbpass_lease_get(lease);
	xfer->charged = bytes;
	xfer->type = type;
	xfer->endpoint = endpoint;
	xfer->in = in;
	xfer->length = length;

	xfer->urb = usb_alloc_urb(0, GFP_KERNEL_ACCOUNT);
	err = xfer->urb ? usbpass_memory_alloc(xfer) : -ENOMEM;
	if (!err && type == USB_ENDPOINT_XFER_CONTROL) {
		xfer->setup = kzalloc(sizeof(*xfer->setup), GFP_KERNEL_ACCOUNT);
		err = xfer->setup ? 0 : -ENOMEM;
	}
	if (err) {
		usbpass_transfer_free(xfer);
		return ERR_PTR(err);
	}
	return xfer;
}

void usbpass_transfer_free(struct usbpass_transfer *xfer)
{
	struct usbpass_lease *lease = xfer->lease;

	usbpass_memory_free(xfer);
	kfree(xfer->setup);
	usb_free_urb(xfer->urb);
	usbpass_memory_uncharge(lease, xfer->charged);
	kfree(xfer);
	usbpass_lease_put(lease);	/* usbpass_transfer_alloc()'s */
}

int usbpass_transfer_fill(struct usbpass_transfer *xfer, const void __user *from)
{
	struct scatterlist *sg;
	unsigned int i;

	if (xfer->buffer)
		return copy_from_user(xfer->buffer, from, xfer->length) ? -EFAULT : 0;
	if (!xfer->sgt.sgl)
		return 0;
	for_each_sgtable_sg(&xfer->sgt, sg, i) {
		if (copy_from_user(sg_virt(sg), from, sg->length))
			return -EFAULT;
		from += sg->length;
	}
	return 0;
}

int usbpass_transfer_empty(struct usbpass_transfer *xfer, void __user *to)
{
	u32 left = min(xfer->actual, xfer->length);
	struct scatterlist *sg;
	unsigned int i;

	if (xfer->buffer)
		return copy_to_user(to, xfer->buffer, left) ? -EFAULT : 0;
	if (!xfer->sgt.sgl)
		return 0;
	for_each_sgtable_sg(&xfer->sgt, sg, i) {
		u32 bytes = min(left, sg->length);

		if (copy_to_user(to, sg_virt(sg), bytes))
			return -EFAULT;
		to += bytes;
		left -= bytes;
		if (!left)
			break;
	}
	return 0;
}

/*
 * While the lease lives the consumer never sees that its device went: a
 * hypervisor drops a device that answers so, and the core ends URBs with
 * -ESHUTDOWN before our disconnect has run. Of a lease that is gone all that
 * tells of it is -ENODEV, be it revoked or unplugged, or both at once.
 */
static int translate(const struct usbpass_transfer *xfer, int status)
{
	lockdep_assert_held(&xfer->lease->lock);
	if (xfer->discarded && status)
		return -ENOENT;
	switch (status) {
	case -ESHUTDOWN:
	case -ENODEV:
	case -EHOSTUNREACH:
	case -ENOENT:		/* our own kill */
	case -ECONNRESET:
	case -EPERM:
	case -EPROTO:
		return xfer->lease->state == USBPASS_LEASE_GONE ? -ENODEV : -EPROTO;
	default:
		return status;
	}
}

/*
 * What the last thing tried says of the last reset, for reset.c: a device that
 * hangs takes a command and owes the answer. Enumerating moves nothing but
 * control transfers, and an interrupt transfer may wait for a person. Without a
 * lock: the order of what meets here says nothing anyway.
 */
static void note_try(struct usbpass_lease *lease, bool helped)
{
	WRITE_ONCE(lease->ladder.tried, true);
	WRITE_ONCE(lease->ladder.helped, helped);
}

static void note_end(struct usbpass_transfer *xfer, int status)
{
	bool control = !xfer->endpoint;

	if (!control && !status)
		note_try(xfer->lease, true);
	else if (control && status && status != -EPIPE && status != -EREMOTEIO)
		note_try(xfer->lease, false);
}

static void note_submission(struct usbpass_transfer *xfer)
{
	if (xfer->endpoint && xfer->type != USB_ENDPOINT_XFER_INT)
		note_try(xfer->lease, false);
}

void usbpass_transfer_end(struct usbpass_transfer *xfer, int status)
{
	struct usbpass_lease *lease = xfer->lease;
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	xfer->status = translate(xfer, status);
	note_end(xfer, status);
	lease->urbs++;
	lease->bytes += xfer->actual;
	spin_unlock_irqrestore(&lease->lock, flags);
	trace_usbpass_transfer(lease->slot->minor, xfer->endpoint, xfer->length, xfer->actual,
			       xfer->status);
	lease->frontend->complete(xfer);
}

static void urb_complete(struct urb *urb)
{
	struct usbpass_transfer *xfer = urb->context;

	xfer->actual = urb->actual_length;
	usbpass_transfer_end(xfer, urb->status);
}

/* It ends with -EPROTO (or what its lease and consumer ask for) after a moment. */
static void fail_soon(struct usbpass_transfer *xfer)
{
	struct usbpass_lease *lease = xfer->lease;
	unsigned long flags;

	usbpass_lease_get(lease);	/* usbpass_transfer_failing_work() puts it */
	spin_lock_irqsave(&lease->lock, flags);
	list_move_tail(&xfer->link, &lease->failing);
	spin_unlock_irqrestore(&lease->lock, flags);
	if (!queue_delayed_work(usbpass_lease_wq, &lease->failing_work, msecs_to_jiffies(FAIL_MS)))
		usbpass_lease_put(lease);
}

/* What a consumer resubmits meanwhile has its own moment to wait: one batch a run. */
void usbpass_transfer_failing_work(struct work_struct *work)
{
	struct usbpass_lease *lease = container_of(to_delayed_work(work), struct usbpass_lease,
						   failing_work);
	struct usbpass_transfer *xfer;
	unsigned long flags;
	LIST_HEAD(due);

	spin_lock_irqsave(&lease->lock, flags);
	list_splice_init(&lease->failing, &due);
	spin_unlock_irqrestore(&lease->lock, flags);
	for (;;) {
		spin_lock_irqsave(&lease->lock, flags);	/* a discard may move one back */
		xfer = list_first_entry_or_null(&due, struct usbpass_transfer, link);
		if (xfer)
			list_del_init(&xfer->link);
		spin_unlock_irqrestore(&lease->lock, flags);
		if (!xfer)
			break;
		usbpass_transfer_end(xfer, -EPROTO);
	}
	usbpass_lease_put(lease);
}

static void set_held(struct usbpass_transfer *xfer, bool held)
{
	struct usbpass_lease *lease = xfer->lease;
	int one = held ? 1 : -1;

	lockdep_assert_held(&lease->lock);
	xfer->held = held;
	lease->nr_held += one;
	lease->held_at[usbpass_lease_endpoint_index(xfer->endpoint)] += one;
}

/*
 * The lease will hear why, from a disconnect or a resume: until then it is as
 * if it had.
 */
static bool is_away(int err)
{
	return err == -ENODEV || err == -ESHUTDOWN || err == -EHOSTUNREACH;
}

static bool may_submit(const struct usbpass_lease *lease)
{
	lockdep_assert_held(&lease->gate);
	return lease->state == USBPASS_LEASE_ONLINE && !lease->paused;
}

/* One before it on its endpoint waits to be submitted: the order is the consumer's. */
static bool must_queue(struct usbpass_transfer *xfer)
{
	return READ_ONCE(xfer->lease->held_at[usbpass_lease_endpoint_index(xfer->endpoint)]);
}

/* The device is away or being reset: control waits for it, all else fails soon. */
static void park(struct usbpass_transfer *xfer, bool queue)
{
	struct usbpass_lease *lease = xfer->lease;
	unsigned long flags;
	bool hold;

	lockdep_assert_held(&lease->gate);
	spin_lock_irqsave(&lease->lock, flags);
	if (lease->paused == USBPASS_PAUSE_HOLD)
		hold = true;	/* the device is there: nothing may fail */
	else if (xfer->type == USB_ENDPOINT_XFER_CONTROL)
		hold = lease->nr_held < HELD_MAX;
	else
		hold = queue;
	hold = hold && !xfer->discarded;
	if (hold) {
		set_held(xfer, true);
		list_add_tail(&xfer->link, &lease->held);
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	if (!hold)
		fail_soon(xfer);
}

static struct usb_host_endpoint *endpoint_of(struct usb_device *udev, u8 address)
{
	unsigned int number = address & USB_ENDPOINT_NUMBER_MASK;

	if (!number)
		return &udev->ep0;	/* a reset takes it out of the table for a moment */
	return address & USB_DIR_IN ? udev->ep_in[number] : udev->ep_out[number];
}

static unsigned int interval(const struct usb_device *udev, const struct usb_host_endpoint *ep)
{
	/* As usb_fill_int_urb(); the device chose bInterval. */
	if (udev->speed >= USB_SPEED_HIGH)
		return 1 << (clamp_t(int, ep->desc.bInterval, 1, 16) - 1);
	return ep->desc.bInterval;
}

static void prepare(struct usbpass_transfer *xfer, struct usb_device *udev,
		    struct usb_host_endpoint *ep)
{
	struct urb *urb = xfer->urb;
	unsigned int number = xfer->endpoint & USB_ENDPOINT_NUMBER_MASK;

	urb->dev = udev;
	urb->context = xfer;
	urb->complete = urb_complete;
	urb->transfer_flags = xfer->flags;
	urb->transfer_buffer = xfer->buffer;
	urb->transfer_buffer_length = xfer->length;
	urb->sg = xfer->sgt.sgl;
	urb->num_sgs = xfer->sgt.nents;
	urb->setup_packet = (void *)xfer->setup;
	switch (xfer->type) {
	case USB_ENDPOINT_XFER_CONTROL:
		urb->pipe = xfer->in ? usb_rcvctrlpipe(udev, 0) : usb_sndctrlpipe(udev, 0);
		break;
	case USB_ENDPOINT_XFER_INT:
		urb->pipe = xfer->in ? usb_rcvintpipe(udev, number) :
				       usb_sndintpipe(udev, number);
		urb->interval = interval(udev, ep);
		break;
	default:
		urb->pipe = xfer->in ? usb_rcvbulkpipe(udev, number) :
				       usb_sndbulkpipe(udev, number);
	}
}

/*
 * The gate is held and the lease has its device. 0: it is at the controller, or
 * ends soon. Else it is the caller's still.
 */
static int hand_over(struct usbpass_transfer *xfer)
{
	struct usbpass_lease *lease = xfer->lease;
	struct usbpass_device *dev = lease->device;
	struct usb_host_endpoint *ep = endpoint_of(dev->udev, xfer->endpoint);
	int ifnum = usbpass_settings_interface_of(lease, xfer->endpoint);
	int err;

	lockdep_assert_held(&lease->gate);
	if (xfer->endpoint && (!ep || ifnum < 0 || !usbpass_intf_held(dev, ifnum))) {
		/* Root took the interface through usbfs: it is claimed again. */
		usbpass_claim_settle(dev);
		fail_soon(xfer);
		return 0;
	}
	/* Another setting since it was made, or descriptors that the kernel reads otherwise. */
	if (usb_endpoint_type(&ep->desc) != xfer->type)
		return -EINVAL;
	prepare(xfer, dev->udev, ep);
	usb_anchor_urb(xfer->urb, &lease->anchor);
	err = usb_submit_urb(xfer->urb, GFP_NOIO);
	if (!err)
		return 0;	/* it may have ended: @xfer is not ours any more */
	usb_unanchor_urb(xfer->urb);
	if (err == -ENOENT || err == -EPERM) {	/* its setting went; it was discarded */
		fail_soon(xfer);
		return 0;
	}
	return err;
}

int usbpass_transfer_submit(struct usbpass_transfer *xfer)
{
	struct usbpass_lease *lease = xfer->lease;
	int err = 0;

	down_read(&lease->gate);
	if (lease->state != USBPASS_LEASE_ONLINE && lease->state != USBPASS_LEASE_RETURNING) {
		err = -ENODEV;
	} else if (!may_submit(lease)) {
		park(xfer, false);
	} else if (must_queue(xfer)) {
		park(xfer, true);	/* usbpass_transfer_release_held() is on its way */
	} else {
		note_submission(xfer);
		err = hand_over(xfer);
		if (is_away(err)) {
			park(xfer, false);
			err = 0;
		}
	}
	up_read(&lease->gate);
	return err;
}

/*
 * usb_poison_urb() by the caller, and not usb_kill_urb(): one that is on its
 * way to the controller is refused there.
 */
struct urb *usbpass_transfer_discard(struct usbpass_transfer *xfer)
{
	struct usbpass_lease *lease = xfer->lease;
	bool parked;
	unsigned long flags;

	usbpass_lease_get(lease);	/* the failing work's, if it is queued here */
	spin_lock_irqsave(&lease->lock, flags);
	xfer->discarded = true;
	parked = !list_empty(&xfer->link);
	if (parked) {
		if (xfer->held)
			set_held(xfer, false);
		list_move_tail(&xfer->link, &lease->failing);
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	/* mod_delayed_work() says true if it was queued, with a reference, before. */
	if (!parked || mod_delayed_work(usbpass_lease_wq, &lease->failing_work, 0))
		usbpass_lease_put(lease);
	return usb_get_urb(xfer->urb);
}

void usbpass_transfer_kill_all(struct usbpass_lease *lease)
{
	usbpass_usbcore_kill_anchored(&lease->anchor);
}

/* The first that waits, now the caller's; NULL: none, or all must go on waiting. */
static struct usbpass_transfer *take_held(struct usbpass_lease *lease)
{
	struct usbpass_transfer *xfer = NULL;
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	if (lease->state != USBPASS_LEASE_RETURNING && !lease->paused)
		xfer = list_first_entry_or_null(&lease->held, struct usbpass_transfer, link);
	if (xfer) {
		list_del_init(&xfer->link);
		set_held(xfer, false);
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	return xfer;
}

/* The device went again: control onto @again, to wait further; all else fails soon. */
static void put_back(struct usbpass_transfer *xfer, struct list_head *again)
{
	struct usbpass_lease *lease = xfer->lease;
	unsigned long flags;
	bool hold;

	spin_lock_irqsave(&lease->lock, flags);
	hold = xfer->type == USB_ENDPOINT_XFER_CONTROL && !xfer->discarded;
	if (hold) {
		set_held(xfer, true);
		list_add_tail(&xfer->link, again);
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	if (!hold)
		fail_soon(xfer);
}

/*
 * The gate is held for writing: a submission waits until those before it are
 * at the controller.
 */
void usbpass_transfer_release_held(struct usbpass_lease *lease)
{
	struct usbpass_transfer *xfer;
	unsigned long flags;
	LIST_HEAD(again);

	down_write(&lease->gate);
	while ((xfer = take_held(lease))) {
		int err = lease->device ? hand_over(xfer) : -ENODEV;

		if (lease->device && is_away(err))
			put_back(xfer, &again);
		else if (err)
			usbpass_transfer_end(xfer, err);
	}
	spin_lock_irqsave(&lease->lock, flags);
	list_splice(&again, &lease->held);
	spin_unlock_irqrestore(&lease->lock, flags);
	up_write(&lease->gate);
}
