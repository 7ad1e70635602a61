// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/module.h>
#include <linux/usb.h>
#include "device.h"
#include "intf.h"
#include "lease.h"
#include "transfer.h"

/* Interfaces are claimed as a whole configuration, never matched. */
static int probe(struct usb_interface *intf, const struct usb_device_id *id)
{
	return -ENODEV;
}

static unsigned int number(struct usb_interface *intf)
{
	return intf->cur_altsetting->desc.bInterfaceNumber;
}

/*
 * The configuration goes, or root took this interface through usbfs. The core
 * has ended the transfers on its endpoints.
 */
static void disconnect(struct usb_interface *intf)
{
	struct usbpass_device *dev = usb_get_intfdata(intf);

	clear_bit(number(intf), &dev->held_interfaces);
}

/* A reference on the lease of an interface's device; NULL: none. */
static struct usbpass_lease *lease_of(struct usb_interface *intf)
{
	struct usbpass_device *dev = usb_get_intfdata(intf);
	struct usbpass_lease *lease;

	spin_lock(&usbpass_registry_lock);
	lease = dev->lease ? usbpass_lease_get(dev->lease) : NULL;
	spin_unlock(&usbpass_registry_lock);
	return lease;
}

/* Both come once an interface; a second one finds the work done. */
static int pause(struct usb_interface *intf)
{
	struct usbpass_lease *lease = lease_of(intf);

	if (lease) {
		usbpass_lease_pause(lease, USBPASS_PAUSE_FAIL);
		usbpass_transfer_kill_all(lease);
		usbpass_lease_put(lease);
	}
	return 0;
}

static int go_on(struct usb_interface *intf)
{
	struct usbpass_lease *lease = lease_of(intf);

	if (lease) {
		usbpass_lease_go_on(lease);
		usbpass_lease_put(lease);
	}
	return 0;
}

static int suspend(struct usb_interface *intf, pm_message_t message)
{
	return pause(intf);
}

static const struct usb_device_id no_ids[] = { { } };

struct usb_driver usbpass_intf_driver = {
	.name = "usbpass-interface",
	.probe = probe,
	.disconnect = disconnect,
	.suspend = suspend,	/* without them the core unbinds us instead */
	.resume = go_on,
	.reset_resume = go_on,
	.pre_reset = pause,
	.post_reset = go_on,
	.id_table = no_ids,
	.no_dynamic_id = 1,
};

int usbpass_intf_init(void)
{
	return usb_register(&usbpass_intf_driver);
}

void usbpass_intf_exit(void)
{
	usb_deregister(&usbpass_intf_driver);
}

bool usbpass_intf_held(struct usbpass_device *dev, unsigned int ifnum)
{
	return ifnum < USBPASS_INTERFACES_MAX && test_bit(ifnum, &dev->held_interfaces);
}

void usbpass_intf_bar(struct usbpass_device *dev, struct usb_interface *intf)
{
	device_lock_assert(&dev->udev->dev);
	/* One that was barred before is so by the administrator, and stays it. */
	if (number(intf) < USBPASS_INTERFACES_MAX)
		__assign_bit(number(intf), &dev->barred_interfaces, intf->authorized);
	intf->authorized = 0;
}

int usbpass_intf_claim_all(struct usbpass_device *dev)
{
	struct usb_host_config *config = dev->udev->actconfig;
	unsigned int i;
	int err;

	device_lock_assert(&dev->udev->dev);
	for (i = 0; config && i < config->desc.bNumInterfaces; i++) {
		struct usb_interface *intf = config->interface[i];
		unsigned int ifnum = number(intf);

		if (ifnum >= USBPASS_INTERFACES_MAX || usbpass_intf_held(dev, ifnum))
			continue;
		if (__test_and_clear_bit(ifnum, &dev->barred_interfaces))
			intf->authorized = 1;
		/* The core goes on without one that it had no memory for; it cannot unbind. */
		err = device_is_registered(&intf->dev) ?
		      usb_driver_claim_interface(&usbpass_intf_driver, intf, dev) : -ENOMEM;
		if (err)
			return err;
		set_bit(ifnum, &dev->held_interfaces);
	}
	return 0;
}
