// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/usb.h>
#include <linux/usbdevice_fs.h>
#include "filter.h"
#include "lease.h"
#include "node_priv.h"
#include "transfer.h"

/*
 * Submits and waits. While the device is away it waits for its return first,
 * in the place of the URB's quick -EPROTO. Bytes moved, or -errno.
 */
static int run(struct usbpass_node *node, struct usbpass_transfer *xfer, unsigned int timeout_ms)
{
	unsigned long timeout = timeout_ms ? msecs_to_jiffies(timeout_ms) :
					     MAX_SCHEDULE_TIMEOUT;
	struct completion done;
	struct usbpass_node_urb nurb = { .node = node, .xfer = xfer, .sync = &done };
	struct urb *urb;
	long left;
	int err;

	init_completion(&done);
	xfer->front = &nurb;
	err = usbpass_lease_wait_return(node->lease);
	if (!err)
		err = usbpass_transfer_submit(xfer);
	if (err)
		return err;
	left = wait_for_completion_killable_timeout(&done, timeout);
	if (left <= 0) {
		urb = usbpass_transfer_discard(xfer);
		usb_poison_urb(urb);
		usb_put_urb(urb);	/* usbpass_transfer_discard()'s */
		wait_for_completion(&done);
		if (xfer->status == -ENOENT)
			return left ? -EINTR : -ETIMEDOUT;
	}
	return xfer->status ?: (int)xfer->actual;
}

/* Moves the data of @xfer, whose buffer of the caller is @data, around run(). Frees @xfer. */
static int run_with_data(struct usbpass_node *node, struct usbpass_transfer *xfer,
			 void __user *data, unsigned int timeout_ms)
{
	int ret = 0;

	if (!xfer->in)
		ret = usbpass_transfer_fill(xfer, data);
	if (!ret)
		ret = run(node, xfer, timeout_ms);
	if (ret > 0 && xfer->in && usbpass_transfer_empty(xfer, data))
		ret = -EFAULT;
	usbpass_transfer_free(xfer);
	return ret;
}

int usbpass_node_control(struct usbpass_node *node, void __user *arg)
{
	struct usbdevfs_ctrltransfer control;
	struct usb_ctrlrequest request;
	struct usbpass_transfer *xfer;
	int verdict;

	if (copy_from_user(&control, arg, sizeof(control)))
		return -EFAULT;
	request.bRequestType = control.bRequestType;
	request.bRequest = control.bRequest;
	request.wValue = cpu_to_le16(control.wValue);
	request.wIndex = cpu_to_le16(control.wIndex);
	request.wLength = cpu_to_le16(control.wLength);
	verdict = usbpass_filter_check(node->lease, &request);
	if (verdict < 0)
		return verdict;
	if (verdict == USBPASS_FILTER_CARRY_OUT)
		return usbpass_filter_carry_out(node->lease, &request);
	xfer = usbpass_transfer_alloc(node->lease, USB_ENDPOINT_XFER_CONTROL, 0,
				      control.bRequestType & USB_DIR_IN && control.wLength,
				      control.wLength);
	if (IS_ERR(xfer))
		return PTR_ERR(xfer);
	*xfer->setup = request;
	return run_with_data(node, xfer, control.data, control.timeout);
}

int usbpass_node_bulk(struct usbpass_node *node, void __user *arg)
{
	struct usbdevfs_bulktransfer bulk;
	struct usbpass_transfer *xfer;
	int type, ifnum;

	if (copy_from_user(&bulk, arg, sizeof(bulk)))
		return -EFAULT;
	type = usbpass_node_endpoint_type(node, bulk.ep, &ifnum);
	if (type < 0)
		return type;
	if (bulk.len > INT_MAX)
		return -EINVAL;
	xfer = usbpass_transfer_alloc(node->lease, type, bulk.ep,
				      bulk.ep & USB_ENDPOINT_DIR_MASK, bulk.len);
	if (IS_ERR(xfer))
		return PTR_ERR(xfer);
	return run_with_data(node, xfer, bulk.data, bulk.timeout);
}
