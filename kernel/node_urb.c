// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/usb.h>
#include <linux/usbdevice_fs.h>
#include "filter.h"
#include "lease.h"
#include "node_priv.h"
#include "settings.h"
#include "transfer.h"

#define URB_FLAGS	(USBDEVFS_URB_SHORT_NOT_OK | USBDEVFS_URB_ZERO_PACKET | \
			 USBDEVFS_URB_NO_FSBR | USBDEVFS_URB_NO_INTERRUPT)

void usbpass_node_urb_free(struct usbpass_node_urb *nurb)
{
	struct usbpass_node *node = nurb->node;

	usbpass_transfer_free(nurb->xfer);
	kfree(nurb);
	usbpass_node_put(node);
}

int usbpass_node_endpoint_type(struct usbpass_node *node, unsigned int endpoint, int *ifnum)
{
	int type;

	if (endpoint & ~(USB_ENDPOINT_DIR_MASK | USB_ENDPOINT_NUMBER_MASK))
		return -EINVAL;
	if (!(endpoint & USB_ENDPOINT_NUMBER_MASK))
		return -EINVAL;
	type = usbpass_settings_type_of(node->lease, endpoint);
	if (type < 0)
		return type;
	if (type != USB_ENDPOINT_XFER_BULK && type != USB_ENDPOINT_XFER_INT)
		return -EINVAL;
	*ifnum = usbpass_settings_interface_of(node->lease, endpoint);
	if (*ifnum < 0)
		return *ifnum;
	return usbpass_settings_claimed(node->lease, *ifnum) ? type : -EACCES;
}

/*
 * Settings that control requests asked for; the consumer must not wait for
 * them. One work a file: they are carried out in order, and a consumer that
 * sends many takes one worker from the other leases, not all.
 */
void usbpass_node_carry_out_work(struct work_struct *work)
{
	struct usbpass_node *node = container_of(work, struct usbpass_node, carry_work);
	struct usbpass_node_urb *nurb;

	for (;;) {
		spin_lock_irq(&node->lock);
		nurb = list_first_entry_or_null(&node->carry, struct usbpass_node_urb, carry);
		if (nurb)
			list_del_init(&nurb->carry);
		spin_unlock_irq(&node->lock);
		if (!nurb)
			break;
		usbpass_transfer_end(nurb->xfer, READ_ONCE(nurb->xfer->discarded) ? -ENOENT :
				     usbpass_filter_carry_out(nurb->xfer->lease,
							      nurb->xfer->setup));
	}
	usbpass_node_put(node);
}

static struct usbpass_node_urb *alloc(struct usbpass_node *node, u8 type, u8 endpoint, bool in,
				      u32 length)
{
	struct usbpass_node_urb *nurb = kzalloc(sizeof(*nurb), GFP_KERNEL_ACCOUNT);

	if (!nurb)
		return ERR_PTR(-ENOMEM);
	nurb->xfer = usbpass_transfer_alloc(node->lease, type, endpoint, in, length);
	if (IS_ERR(nurb->xfer)) {
		int err = PTR_ERR(nurb->xfer);

		kfree(nurb);
		return ERR_PTR(err);
	}
	nurb->xfer->front = nurb;
	nurb->ifnum = -1;
	nurb->node = node;
	kref_get(&node->kref);	/* put by usbpass_node_urb_free() */
	return nurb;
}

static struct usbpass_node_urb *decode_control(struct usbpass_node *node,
					       const struct usbdevfs_urb *urb, bool *carry_out)
{
	struct usb_ctrlrequest request;
	struct usbpass_node_urb *nurb;
	u16 length;
	int verdict;

	if (urb->endpoint & ~USB_ENDPOINT_DIR_MASK)
		return ERR_PTR(-EINVAL);
	if (urb->buffer_length < (int)sizeof(request))
		return ERR_PTR(-EINVAL);
	if (copy_from_user(&request, urb->buffer, sizeof(request)))
		return ERR_PTR(-EFAULT);
	length = le16_to_cpu(request.wLength);
	if (urb->buffer_length < (int)sizeof(request) + length)
		return ERR_PTR(-EINVAL);
	verdict = usbpass_filter_check(node->lease, &request);
	if (verdict < 0)
		return ERR_PTR(verdict);
	*carry_out = verdict == USBPASS_FILTER_CARRY_OUT;
	nurb = alloc(node, USB_ENDPOINT_XFER_CONTROL, 0,
		     request.bRequestType & USB_DIR_IN && length, length);
	if (IS_ERR(nurb))
		return nurb;
	*nurb->xfer->setup = request;
	nurb->buffer = urb->buffer + sizeof(request);
	if (nurb->xfer->in && urb->flags & USBDEVFS_URB_SHORT_NOT_OK)
		nurb->xfer->flags |= URB_SHORT_NOT_OK;
	return nurb;
}

static struct usbpass_node_urb *decode_data(struct usbpass_node *node,
					    const struct usbdevfs_urb *urb)
{
	bool in = urb->endpoint & USB_ENDPOINT_DIR_MASK;
	struct usbpass_node_urb *nurb;
	int type, ifnum;

	type = usbpass_node_endpoint_type(node, urb->endpoint, &ifnum);
	if (type < 0)
		return ERR_PTR(type);
	/* As usbfs: bulk on an interrupt endpoint is a single interrupt transfer. */
	if (urb->type == USBDEVFS_URB_TYPE_INTERRUPT && type != USB_ENDPOINT_XFER_INT)
		return ERR_PTR(-EINVAL);
	nurb = alloc(node, type, urb->endpoint, in, urb->buffer_length);
	if (IS_ERR(nurb))
		return nurb;
	nurb->buffer = urb->buffer;
	nurb->ifnum = ifnum;
	if (in && urb->flags & USBDEVFS_URB_SHORT_NOT_OK)
		nurb->xfer->flags |= URB_SHORT_NOT_OK;
	if (!in && type == USB_ENDPOINT_XFER_BULK && urb->flags & USBDEVFS_URB_ZERO_PACKET)
		nurb->xfer->flags |= URB_ZERO_PACKET;
	return nurb;
}

static struct usbpass_node_urb *decode(struct usbpass_node *node, const struct usbdevfs_urb *urb,
				       bool *carry_out)
{
	if (urb->flags & ~URB_FLAGS || urb->signr || urb->buffer_length < 0 ||
	    (urb->buffer_length && !urb->buffer))
		return ERR_PTR(-EINVAL);
	switch (urb->type) {
	case USBDEVFS_URB_TYPE_CONTROL:
		return decode_control(node, urb, carry_out);
	case USBDEVFS_URB_TYPE_BULK:
	case USBDEVFS_URB_TYPE_INTERRUPT:
		return decode_data(node, urb);
	default:
		return ERR_PTR(-EINVAL);
	}
}

int usbpass_node_submit(struct usbpass_node *node, void __user *arg)
{
	struct usbpass_node_urb *nurb;
	struct usbdevfs_urb urb;
	bool carry_out = false;
	int err = 0;

	if (copy_from_user(&urb, arg, sizeof(urb)))
		return -EFAULT;
	nurb = decode(node, &urb, &carry_out);
	if (IS_ERR(nurb))
		return PTR_ERR(nurb);
	nurb->urb = arg;
	if (!nurb->xfer->in)
		err = usbpass_transfer_fill(nurb->xfer, nurb->buffer);
	if (err) {
		usbpass_node_urb_free(nurb);
		return err;
	}

	/* On the list first: it may complete before submit returns. */
	spin_lock_irq(&node->lock);
	list_add_tail(&nurb->link, &node->pending);
	if (carry_out)
		list_add_tail(&nurb->carry, &node->carry);
	spin_unlock_irq(&node->lock);
	if (carry_out) {
		kref_get(&node->kref);	/* usbpass_node_carry_out_work() puts it */
		if (!queue_work(usbpass_lease_wq, &node->carry_work))
			usbpass_node_put(node);
		return 0;
	}
	err = usbpass_transfer_submit(nurb->xfer);
	if (err) {
		spin_lock_irq(&node->lock);
		list_del(&nurb->link);
		spin_unlock_irq(&node->lock);
		wake_up(&node->lease->wait);	/* a reap of a gone lease waits for the last */
		usbpass_node_urb_free(nurb);
	}
	return err;
}

void usbpass_node_cancel(struct usbpass_node *node, unsigned int ifnum)
{
	struct usbpass_node_urb *nurb;
	struct urb *urb;

	do {
		urb = NULL;
		spin_lock_irq(&node->lock);
		list_for_each_entry(nurb, &node->pending, link) {
			if (nurb->ifnum < 0 || nurb->ifnum != ifnum || nurb->cancelled)
				continue;
			nurb->cancelled = true;
			urb = usbpass_transfer_discard(nurb->xfer);
			break;
		}
		spin_unlock_irq(&node->lock);
		usb_poison_urb(urb);	/* NULL: nothing */
		usb_put_urb(urb);	/* usbpass_transfer_discard()'s */
	} while (urb);
}

int usbpass_node_discard(struct usbpass_node *node, void __user *arg)
{
	struct usbpass_node_urb *nurb;
	struct urb *urb = NULL;

	spin_lock_irq(&node->lock);
	list_for_each_entry(nurb, &node->pending, link) {
		if (nurb->urb == arg) {
			/* On the list it is not freed. */
			urb = usbpass_transfer_discard(nurb->xfer);
			break;
		}
	}
	spin_unlock_irq(&node->lock);
	if (!urb)
		return -EINVAL;
	usb_poison_urb(urb);
	usb_put_urb(urb);	/* usbpass_transfer_discard()'s */
	return 0;
}

/* True: *nurb is to be reaped, or (NULL) nothing will ever be. */
static bool ready(struct usbpass_node *node, struct usbpass_node_urb **nurb)
{
	bool gone = usbpass_lease_state(node->lease) == USBPASS_LEASE_GONE;
	bool over;

	spin_lock_irq(&node->lock);
	*nurb = list_first_entry_or_null(&node->done, struct usbpass_node_urb, link);
	if (*nurb)
		list_del_init(&(*nurb)->link);
	over = *nurb || (gone && list_empty(&node->pending));
	spin_unlock_irq(&node->lock);
	return over;
}

static int report(struct usbpass_node_urb *nurb, void __user *arg)
{
	struct usbdevfs_urb __user *urb = nurb->urb;
	struct usbpass_transfer *xfer = nurb->xfer;

	if (xfer->in && xfer->actual && usbpass_transfer_empty(xfer, nurb->buffer))
		return -EFAULT;
	if (put_user(xfer->status, &urb->status) ||
	    put_user(xfer->actual, &urb->actual_length) || put_user(0, &urb->error_count) ||
	    put_user(nurb->urb, (void __user * __user *)arg))
		return -EFAULT;
	return 0;
}

int usbpass_node_reap(struct usbpass_node *node, void __user *arg, bool wait)
{
	struct usbpass_node_urb *nurb;
	int err;

	if (!ready(node, &nurb)) {
		if (!wait)
			return -EAGAIN;
		if (wait_event_interruptible(node->lease->wait, ready(node, &nurb)))
			return -EINTR;
	}
	if (!nurb)
		return -ENODEV;
	err = report(nurb, arg);
	usbpass_node_urb_free(nurb);
	return err;
}
