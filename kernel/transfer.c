// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/mm.h>
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

#define CONTROL_BYTES_MAX	4096
#define PIECE_ORDER		3	/* the largest allocation: a fragmented host has these */
#define PIECE_BYTES		(PAGE_SIZE << PIECE_ORDER)
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

static void free_pieces(struct usbpass_transfer *xfer)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&xfer->sgt, sg, i)
		if (sg_page(sg))
			__free_pages(sg_page(sg), get_order(sg->length));
	sg_free_table(&xfer->sgt);
}

/*
 * Whole pages, so that each piece but the last is a multiple of any packet
 * size. Without a large page a piece is a single one: a list grown past the
 * controller's size fails.
 */
static int alloc_pieces(struct usbpass_transfer *xfer)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | (xfer->in ? __GFP_ZERO : 0);
	unsigned int nents = DIV_ROUND_UP(xfer->length, PIECE_BYTES);
	u32 left = xfer->length;
	struct scatterlist *sg;
	unsigned int i;

	if (nents > xfer->lease->sg_tablesize)
		return -ENOMEM;
	if (sg_alloc_table(&xfer->sgt, nents, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	for_each_sgtable_sg(&xfer->sgt, sg, i) {
		u32 bytes = min_t(u32, left, PIECE_BYTES);
		struct page *page = alloc_pages(gfp | __GFP_NOWARN, get_order(bytes));

		if (!page) {
			free_pieces(xfer);
			return -ENOMEM;
		}
		sg_set_page(sg, page, bytes, 0);
		left -= bytes;
	}
	return 0;
}

static int alloc_data(struct usbpass_transfer *xfer)
{
	if (xfer->length > PIECE_BYTES)
		return alloc_pieces(xfer);
	if (!xfer->length)
		return 0;
	/* What the device did not write must not reach user space. */
	xfer->buffer = kmalloc(xfer->length, GFP_KERNEL_ACCOUNT | (xfer->in ? __GFP_ZERO : 0));
	return xfer->buffer ? 0 : -ENOMEM;
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
	err = xfer->urb ? alloc_data(xfer) : -ENOMEM;
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

	if (xfer->sgt.sgl)
		free_pieces(xfer);
	kfree(xfer->buffer);
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
 * -ESHUTDOWN before our disconnect has run.
 */
static int translate(const struct usbpass_transfer *xfer, int status)
{
	lockdep_assert_held(&xfer->lease->lock);
	if (xfer->discarded && status)
		return -ENOENT;
	if (xfer->lease->state == USBPASS_LEASE_GONE)
		return status == -EPROTO || status == -ENOENT ? -ENODEV : status;
	switch (status) {
	case -ESHUTDOWN:
	case -ENODEV:
	case -EHOSTUNREACH:
	case -ENOENT:		/* our own kill */
	case -ECONNRESET:
	case -EPERM:
		return -EPROTO;
	default:
		return status;
	}
}

void usbpass_transfer_end(struct usbpass_transfer *xfer, int status)
{
	struct usbpass_lease *lease = xfer->lease;
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	xfer->status = translate(xfer, status);
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

void usbpass_transfer_failing_work(struct work_struct *work)
{
	struct usbpass_lease *lease = container_of(to_delayed_work(work), struct usbpass_lease,
						   failing_work);
	struct usbpass_transfer *xfer;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&lease->lock, flags);
		xfer = list_first_entry_or_null(&lease->failing, struct usbpass_transfer, link);
		if (xfer)
			list_del_init(&xfer->link);
		spin_unlock_irqrestore(&lease->lock, flags);
		if (!xfer)
			break;
		usbpass_transfer_end(xfer, -EPROTO);
	}
	usbpass_lease_put(lease);
}

/* The device is away or being reset: control waits for it, all else fails soon. */
static void park(struct usbpass_transfer *xfer)
{
	struct usbpass_lease *lease = xfer->lease;
	bool hold = lease->paused == USBPASS_PAUSE_HOLD ||
		    xfer->type == USB_ENDPOINT_XFER_CONTROL;
	unsigned long flags;

	lockdep_assert_held(&lease->gate);
	spin_lock_irqsave(&lease->lock, flags);
	hold = hold && lease->nr_held < HELD_MAX && !xfer->discarded;
	if (hold) {
		xfer->held = true;
		lease->nr_held++;
		list_add_tail(&xfer->link, &lease->held);
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	if (!hold)
		fail_soon(xfer);
}

static struct usb_host_endpoint *endpoint_of(struct usb_device *udev, u8 address)
{
	unsigned int number = address & USB_ENDPOINT_NUMBER_MASK;

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

/* The gate is held for reading and the lease has its device. */
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
	prepare(xfer, dev->udev, ep);
	usb_anchor_urb(xfer->urb, &lease->anchor);
	err = usb_submit_urb(xfer->urb, GFP_NOIO);
	if (!err)
		return 0;	/* it may have ended: @xfer is not ours any more */
	usb_unanchor_urb(xfer->urb);
	switch (err) {
	case -ENODEV:
	case -ESHUTDOWN:
	case -EHOSTUNREACH:
	case -ENOENT:
	case -EPERM:		/* discarded */
		fail_soon(xfer);
		return 0;
	default:
		return err;
	}
}

int usbpass_transfer_submit(struct usbpass_transfer *xfer)
{
	struct usbpass_lease *lease = xfer->lease;
	int err = 0;

	down_read(&lease->gate);
	switch (lease->state) {
	case USBPASS_LEASE_ONLINE:
		if (lease->paused)
			park(xfer);
		else
			err = hand_over(xfer);
		break;
	case USBPASS_LEASE_RETURNING:
		park(xfer);
		break;
	default:
		err = -ENODEV;
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
		lease->nr_held -= xfer->held;
		xfer->held = false;
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
	usb_kill_anchored_urbs(&lease->anchor);
}

void usbpass_transfer_release_held(struct usbpass_lease *lease)
{
	struct usbpass_transfer *xfer, *next;
	unsigned long flags;
	LIST_HEAD(held);

	spin_lock_irqsave(&lease->lock, flags);
	list_for_each_entry(xfer, &lease->held, link)
		xfer->held = false;
	list_splice_init(&lease->held, &held);
	lease->nr_held = 0;
	spin_unlock_irqrestore(&lease->lock, flags);

	/* A discard may take one off meanwhile: the list is walked under the lock. */
	for (;;) {
		int err;

		spin_lock_irqsave(&lease->lock, flags);
		next = list_first_entry_or_null(&held, struct usbpass_transfer, link);
		if (next)
			list_del_init(&next->link);
		spin_unlock_irqrestore(&lease->lock, flags);
		if (!next)
			break;
		err = usbpass_transfer_submit(next);
		if (err)
			usbpass_transfer_end(next, err);
	}
}
