// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/usb.h>
#include <linux/usbdevice_fs.h>
#include <linux/usbpass.h>
#include "config.h"
#include "descriptor.h"
#include "facts.h"
#include "lease.h"
#include "memory.h"
#include "node_priv.h"
#include "param.h"
#include "reset.h"
#include "settings.h"
#include "slot.h"

static int get_capabilities(struct usbpass_node *node, void __user *arg)
{
	u32 caps = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_REAP_AFTER_DISCONNECT |
		   USBDEVFS_CAP_CONNINFO_EX;

	/* Without them libusb cuts a transfer into pieces, which any controller takes. */
	if (usbpass_memory_in_one_list(node->lease))
		caps |= USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_BULK_SCATTER_GATHER;
	return put_user(caps, (u32 __user *)arg);
}

static int connectinfo(struct usbpass_node *node, void __user *arg)
{
	const struct usbpass_facts *facts = node->lease->facts;
	struct usbdevfs_connectinfo info;

	memset(&info, 0, sizeof(info));
	info.devnum = facts->address;
	info.slow = facts->speed == USB_SPEED_LOW;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int conninfo_ex(struct usbpass_node *node, void __user *arg, size_t size)
{
	const struct usbpass_facts *facts = node->lease->facts;
	struct usbdevfs_conninfo_ex info;

	if (size < sizeof(info.size))
		return -EINVAL;
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.busnum = facts->bus;
	info.devnum = facts->address;
	info.speed = facts->speed;
	info.num_ports = facts->level;
	memcpy(info.ports, facts->ports, sizeof(info.ports));
	return copy_to_user(arg, &info, min(size, sizeof(info))) ? -EFAULT : 0;
}

static int getdriver(struct usbpass_node *node, void __user *arg)
{
	struct usbdevfs_getdriver driver;

	if (copy_from_user(&driver, arg, sizeof(driver)))
		return -EFAULT;
	if (!usbpass_settings_claimed(node->lease, driver.interface))
		return -ENODATA;
	strscpy(driver.driver, "usbpass", sizeof(driver.driver));
	return copy_to_user(arg, &driver, sizeof(driver)) ? -EFAULT : 0;
}

/* There never is a driver to disconnect: a plain claim, if "usbpass" is not the one excluded. */
static int disconnect_claim(struct usbpass_node *node, void __user *arg)
{
	struct usbdevfs_disconnect_claim claim;

	if (copy_from_user(&claim, arg, sizeof(claim)))
		return -EFAULT;
	if (usbpass_settings_claimed(node->lease, claim.interface)) {
		bool same = !strncmp(claim.driver, "usbpass", sizeof(claim.driver));

		if ((claim.flags & USBDEVFS_DISCONNECT_CLAIM_IF_DRIVER && !same) ||
		    (claim.flags & USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER && same))
			return -EBUSY;
	}
	return usbpass_settings_claim(node->lease, claim.interface);
}

/* What is in flight on it ends, as usbfs does. */
static int release_claim(struct usbpass_node *node, unsigned int ifnum)
{
	int err = usbpass_settings_release(node->lease, ifnum);

	if (!err)
		usbpass_node_cancel(node, ifnum);
	return err;
}

static int release_interface(struct usbpass_node *node, void __user *arg)
{
	unsigned int ifnum;

	if (get_user(ifnum, (unsigned int __user *)arg))
		return -EFAULT;
	return release_claim(node, ifnum);
}

/* The requests for an interface's driver that libusb makes: detach and attach. */
static int interface_ioctl(struct usbpass_node *node, void __user *arg)
{
	struct usbpass_lease *lease = node->lease;
	struct usbdevfs_ioctl ioctl;
	bool claimed;

	if (copy_from_user(&ioctl, arg, sizeof(ioctl)))
		return -EFAULT;
	if (ioctl.ifno < 0 || ioctl.ifno > U8_MAX ||
	    !usbpass_descriptor_interface(lease->facts, usbpass_settings_config(lease),
					  ioctl.ifno, 0))
		return -EINVAL;
	claimed = usbpass_settings_claimed(lease, ioctl.ifno);
	switch (ioctl.ioctl_code) {
	case USBDEVFS_DISCONNECT:
		return claimed ? release_claim(node, ioctl.ifno) : -ENODATA;
	case USBDEVFS_CONNECT:
		return claimed ? -EBUSY : 0;
	default:
		return -ENOTTY;
	}
}

static int set_interface(struct usbpass_node *node, void __user *arg)
{
	struct usbdevfs_setinterface set;

	if (copy_from_user(&set, arg, sizeof(set)))
		return -EFAULT;
	usbpass_node_cancel(node, set.interface);	/* as usbfs */
	return usbpass_settings_set_interface(node->lease, set.interface, set.altsetting);
}

/* -1 is 0, as usbfs takes it. */
static int set_configuration(struct usbpass_node *node, void __user *arg)
{
	int config;

	if (get_user(config, (int __user *)arg))
		return -EFAULT;
	if (config < -1 || config > U8_MAX)
		return -EINVAL;
	return usbpass_settings_set_configuration(node->lease, max(config, 0), false);
}

static int claim_interface(struct usbpass_node *node, void __user *arg)
{
	unsigned int ifnum;

	if (get_user(ifnum, (unsigned int __user *)arg))
		return -EFAULT;
	return usbpass_settings_claim(node->lease, ifnum);
}

static int with_endpoint(struct usbpass_node *node, void __user *arg,
			 int (*fn)(struct usbpass_lease *lease, u8 endpoint))
{
	unsigned int endpoint;

	if (get_user(endpoint, (unsigned int __user *)arg))
		return -EFAULT;
	if (endpoint & ~(USB_ENDPOINT_DIR_MASK | USB_ENDPOINT_NUMBER_MASK))
		return -EINVAL;
	return fn(node->lease, endpoint);
}

/* The head that our own structs share: how much the caller knows. */
static int get_head(void __user *arg, u32 *size)
{
	u32 head[2];

	if (copy_from_user(head, arg, sizeof(head)))
		return -EFAULT;
	if (head[0] < sizeof(head) || head[1])
		return -EINVAL;
	*size = head[0];
	return 0;
}

static int node_info_get(struct usbpass_node *node, void __user *arg)
{
	struct usbpass_lease *lease = node->lease;
	struct usbpass_node_info info;
	u32 size;
	int err = get_head(arg, &size);

	if (err)
		return err;
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.device_id = usbpass_lease_device_id(lease);
	info.slot = lease->slot->minor;
	info.attach_id = lease->attach_id;
	info.reset_policy = usbpass_config_reset_policy(lease->attach_id);
	info.speed_kbps = lease->facts->speed_kbps;
	info.lease_memory_bytes = usbpass_param_lease_memory_bytes();
	strscpy(info.socket, lease->facts->socket, sizeof(info.socket));
	return copy_to_user(arg, &info, min_t(size_t, size, sizeof(info))) ? -EFAULT : 0;
}

static int lease_state(struct usbpass_node *node, void __user *arg)
{
	struct usbpass_lease *lease = node->lease;
	struct usbpass_node_state state;
	u32 size;
	int err = get_head(arg, &size);

	if (err)
		return err;
	memset(&state, 0, sizeof(state));
	state.size = sizeof(state);
	state.state = usbpass_lease_state(lease);
	state.window_ms = usbpass_lease_window_ms(lease);
	spin_lock_irq(&lease->lock);
	state.returns = lease->returns;
	state.resets = lease->resets;
	spin_unlock_irq(&lease->lock);
	return copy_to_user(arg, &state, min_t(size_t, size, sizeof(state))) ? -EFAULT : 0;
}

/* What the lease answers, gone or not. */
static long always(struct usbpass_node *node, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case USBDEVFS_REAPURB:
		return usbpass_node_reap(node, arg, true);
	case USBDEVFS_REAPURBNDELAY:
		return usbpass_node_reap(node, arg, false);
	case USBPASS_IOC_INFO:
		return node_info_get(node, arg);
	case USBPASS_IOC_LEASE_STATE:
		return lease_state(node, arg);
	default:
		return -ENOIOCTLCMD;
	}
}

static long while_leased(struct usbpass_node *node, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case USBDEVFS_CONTROL:
		return usbpass_node_control(node, arg);
	case USBDEVFS_BULK:
		return usbpass_node_bulk(node, arg);
	case USBDEVFS_SUBMITURB:
		return usbpass_node_submit(node, arg);
	case USBDEVFS_DISCARDURB:
		return usbpass_node_discard(node, arg);
	case USBDEVFS_RESETEP:
		return with_endpoint(node, arg, usbpass_settings_reset_endpoint);
	case USBDEVFS_CLEAR_HALT:
		return with_endpoint(node, arg, usbpass_settings_clear_halt);
	case USBDEVFS_CLAIMINTERFACE:
		return claim_interface(node, arg);
	case USBDEVFS_RELEASEINTERFACE:
		return release_interface(node, arg);
	case USBDEVFS_SETINTERFACE:
		return set_interface(node, arg);
	case USBDEVFS_SETCONFIGURATION:
		return set_configuration(node, arg);
	case USBDEVFS_GETDRIVER:
		return getdriver(node, arg);
	case USBDEVFS_DISCONNECT_CLAIM:
		return disconnect_claim(node, arg);
	case USBDEVFS_IOCTL:
		return interface_ioctl(node, arg);
	case USBDEVFS_RESET:
		return usbpass_reset_guest(node->lease);
	case USBPASS_IOC_HUB_RESET:
		return usbpass_reset_guest_hub(node->lease);
	case USBDEVFS_CONNECTINFO:
		return connectinfo(node, arg);
	case USBDEVFS_GET_CAPABILITIES:
		return get_capabilities(node, arg);
	case USBDEVFS_GET_SPEED:
		return node->lease->facts->speed;
	}
	/* Its number carries the size that the caller knows. */
	if ((cmd & ~IOCSIZE_MASK) == USBDEVFS_CONNINFO_EX(0))
		return conninfo_ex(node, arg, _IOC_SIZE(cmd));
	return -ENOTTY;
}

long usbpass_node_ioctl(struct usbpass_node *node, unsigned int cmd, void __user *arg)
{
	long ret = always(node, cmd, arg);

	if (ret != -ENOIOCTLCMD)
		return ret;
	if (usbpass_lease_state(node->lease) == USBPASS_LEASE_GONE)
		return -ENODEV;
	return while_leased(node, cmd, arg);
}
