// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "facts.h"
#include "frontend.h"
#include "lease.h"
#include "node.h"
#include "node_priv.h"
#include "slot.h"
#include "transfer.h"

static void release_node(struct kref *kref)
{
	kfree(container_of(kref, struct usbpass_node, kref));
}

void usbpass_node_put(struct usbpass_node *node)
{
	kref_put(&node->kref, release_node);
}

void usbpass_node_complete(struct usbpass_transfer *xfer)
{
	struct usbpass_node_urb *nurb = xfer->front;
	struct usbpass_node *node = nurb->node;
	unsigned long flags;
	bool closed;

	if (nurb->sync) {
		complete(nurb->sync);
		return;
	}
	spin_lock_irqsave(&node->lock, flags);
	closed = node->closed;
	if (closed)
		list_del(&nurb->link);
	else
		list_move_tail(&nurb->link, &node->done);
	/* Under the lock: after it a reaper may free transfer and lease. */
	wake_up(&xfer->lease->wait);
	spin_unlock_irqrestore(&node->lock, flags);
	if (closed)
		usbpass_node_urb_free(nurb);
}

static const struct usbpass_frontend frontend = {
	.name = "usbdevfs",
	.complete = usbpass_node_complete,
};

static int node_open(struct inode *inode, struct file *file)
{
	struct usbpass_slot *slot = container_of(inode->i_cdev, struct usbpass_slot, cdev);
	struct usbpass_node *node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);
	struct usbpass_lease *lease;

	if (!node)
		return -ENOMEM;
	kref_init(&node->kref);	/* the file's, put by node_release() */
	spin_lock_init(&node->lock);
	INIT_LIST_HEAD(&node->pending);
	INIT_LIST_HEAD(&node->done);
	INIT_LIST_HEAD(&node->carry);
	INIT_WORK(&node->carry_work, usbpass_node_carry_out_work);
	lease = usbpass_lease_open(slot, &frontend, node, file->f_flags & O_NONBLOCK);
	if (IS_ERR(lease)) {
		usbpass_node_put(node);
		return PTR_ERR(lease);
	}
	node->lease = lease;	/* put by node_release() */
	file->private_data = node;
	return 0;
}

static int node_release(struct inode *inode, struct file *file)
{
	struct usbpass_node *node = file->private_data;
	struct usbpass_node_urb *nurb, *next;
	LIST_HEAD(done);

	spin_lock_irq(&node->lock);
	node->closed = true;
	list_splice_init(&node->done, &done);
	spin_unlock_irq(&node->lock);
	list_for_each_entry_safe(nurb, next, &done, link)
		usbpass_node_urb_free(nurb);

	usbpass_lease_close(node->lease);	/* what is pending ends, and is freed there */
	usbpass_lease_put(node->lease);
	usbpass_node_put(node);
	return 0;
}

/* The descriptors, as usbfs: the device's with host-endian numbers, then the raw configurations. */
static ssize_t node_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct usbpass_node *node = file->private_data;
	const struct usbpass_facts *facts = node->lease->facts;
	struct usb_device_descriptor device = facts->descriptor;
	loff_t at = sizeof(device);
	ssize_t total = 0, got;
	u32 i;

	if (usbpass_lease_state(node->lease) == USBPASS_LEASE_GONE)
		return -ENODEV;
	le16_to_cpus(&device.bcdUSB);
	le16_to_cpus(&device.idVendor);
	le16_to_cpus(&device.idProduct);
	le16_to_cpus(&device.bcdDevice);
	if (*pos < 0)
		return -EINVAL;
	if (*pos < at) {
		got = simple_read_from_buffer(to, count, pos, &device, sizeof(device));
		if (got < 0)
			return got;
		total = got;
	}
	for (i = 0; i < facts->nr_configs && total < count; i++) {
		loff_t start = *pos - at, offset = start;

		if (start >= 0 && start < facts->config_bytes[i]) {
			got = simple_read_from_buffer(to + total, count - total, &offset,
						      facts->configs[i],
						      facts->config_bytes[i]);
			if (got < 0)
				return total ?: got;
			total += got;
			*pos += got;
		}
		at += facts->config_bytes[i];
	}
	return total;
}

static loff_t node_llseek(struct file *file, loff_t offset, int whence)
{
	return no_seek_end_llseek(file, offset, whence);
}

static __poll_t node_poll(struct file *file, poll_table *wait)
{
	struct usbpass_node *node = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &node->lease->wait, wait);
	spin_lock_irq(&node->lock);
	if (file->f_mode & FMODE_WRITE && !list_empty(&node->done))
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_irq(&node->lock);
	if (usbpass_lease_state(node->lease) == USBPASS_LEASE_GONE)
		mask |= EPOLLERR | EPOLLHUP;
	return mask;
}

static long node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EPERM;
	return usbpass_node_ioctl(file->private_data, cmd, (void __user *)arg);
}

/* No compat_ioctl: the ABI's structs hold pointers, and 32-bit callers get ENOTTY. */
const struct file_operations usbpass_node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
	.read = node_read,
	.llseek = node_llseek,
	.poll = node_poll,
	.unlocked_ioctl = node_ioctl,
};
