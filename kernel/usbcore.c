// SPDX-License-Identifier: GPL-2.0
#include <linux/device.h>
#include <linux/kernfs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/usb/ch11.h>
#include "compat.h"
#include "intf.h"
#include "usbcore.h"

#define KILL_BATCH		64
#define HUB_DESCRIPTOR_MS	1000	/* time-out */

/*
 * Wished for: usb_register_notify() with an event before the probe. Its
 * USB_DEVICE_ADD comes from the generic driver's probe, which is too late.
 * The bus is not exported either; a registered driver carries it.
 */
const struct bus_type *usbpass_usbcore_bus(void)
{
	return usbpass_core_driver(&usbpass_intf_driver)->bus;
}

int usbpass_usbcore_register_notifier(struct notifier_block *nb)
{
	return bus_register_notifier(usbpass_core_driver(&usbpass_intf_driver)->bus, nb);
}

void usbpass_usbcore_unregister_notifier(struct notifier_block *nb)
{
	bus_unregister_notifier(usbpass_core_driver(&usbpass_intf_driver)->bus, nb);
}

/* Wished for: is_usb_device() and its like, which stand in the core's private usb.h. */
static bool is_type(struct device *dev, const char *name)
{
	return dev->type && dev->type->name && !strcmp(dev->type->name, name);
}

struct usb_interface *usbpass_usbcore_interface(struct device *dev)
{
	return is_type(dev, "usb_interface") ? to_usb_interface(dev) : NULL;
}

struct usb_device *usbpass_usbcore_device(struct device *dev)
{
	struct usb_device *udev;

	if (!is_type(dev, "usb_device"))
		return NULL;
	udev = to_usb_device(dev);
	return udev->parent ? udev : NULL;
}

bool usbpass_usbcore_is_hub(const struct usb_device *udev)
{
	unsigned int i, j, k, interfaces = 0;

	for (i = 0; udev->config && i < udev->descriptor.bNumConfigurations; i++) {
		const struct usb_host_config *config = &udev->config[i];

		for (j = 0; j < config->desc.bNumInterfaces; j++) {
			const struct usb_interface_cache *intf = config->intf_cache[j];

			for (k = 0; k < intf->num_altsetting; k++, interfaces++)
				if (intf->altsetting[k].desc.bInterfaceClass != USB_CLASS_HUB)
					return false;
		}
	}
	return interfaces || udev->descriptor.bDeviceClass == USB_CLASS_HUB;
}

/*
 * Wished for: an owner type of its own. The core only compares the pointer of
 * a port's owner, and the one type that it takes is usbfs's file.
 */
int usbpass_usbcore_own_port(struct usb_device *hub, int port, void *cookie)
{
	device_lock_assert(&hub->dev);
	return usb_hub_claim_port(hub, port, cookie);
}

void usbpass_usbcore_disown_port(struct usb_device *hub, int port, void *cookie)
{
	/* -ENODEV: the hub is gone, and the port with it. */
	usb_hub_release_port(hub, port, cookie);
}

/* "usb1-port4" and "1-4-port2" to "4" and "4.2". False: neither. */
static bool port_name_to_path(const char *name, char *path, size_t size)
{
	const char *port = strstr(name, "-port");
	const char *dash;

	if (!port)
		return false;
	if (!strncmp(name, "usb", 3)) {
		strscpy(path, port + 5, size);
		return true;
	}
	dash = strchr(name, '-');
	if (dash == port)
		return false;
	snprintf(path, size, "%.*s.%s", (int)(port - dash - 1), dash + 1, port + 5);
	return true;
}

/*
 * Wished for: usb_hub_port_device(). Hub's device lock held, or what stands for
 * it while a child is announced. A reference for the caller, or NULL.
 */
static struct device *port_device(struct usb_device *udev)
{
	struct usb_device *hub = udev->parent;
	struct usb_host_config *config = hub->actconfig;
	char name[32];

	if (!config || !config->interface[0])
		return NULL;
	if (hub->parent)
		snprintf(name, sizeof(name), "%s-port%d", dev_name(&hub->dev), udev->portnum);
	else
		snprintf(name, sizeof(name), "usb%d-port%d", hub->bus->busnum, udev->portnum);
	return device_find_child_by_name(&config->interface[0]->dev, name);
}

int usbpass_usbcore_port_path(struct usb_device *udev, struct usb_device *hub, char *path,
			      size_t size)
{
	struct device *port;
	char *whole;
	int err = -ENODEV;

	usb_lock_device(hub);
	port = udev->state != USB_STATE_NOTATTACHED ? port_device(udev) : NULL;
	usb_unlock_device(hub);
	if (!port)
		return -ENODEV;
	whole = kobject_get_path(&port->kobj, GFP_KERNEL);
	if (!whole)
		err = -ENOMEM;
	else
		err = strscpy(path, whole, size) < 0 ? -ENAMETOOLONG : 0;
	kfree(whole);
	put_device(port);
	return err;
}

/* Wished for: usb_hub_port_power_mode(); the core keeps the descriptor in a private struct. */
enum usbpass_hub_power usbpass_usbcore_hub_power(struct usb_device *hub)
{
	bool super = hub->speed >= USB_SPEED_SUPER;
	u8 descriptor[USB_DT_SS_HUB_SIZE];
	u8 bytes = super ? USB_DT_SS_HUB_SIZE : USB_DT_HUB_NONVAR_SIZE;
	int err = usb_control_msg_recv(hub, 0, USB_REQ_GET_DESCRIPTOR,
				       USB_DIR_IN | USB_RT_HUB,
				       (super ? USB_DT_SS_HUB : USB_DT_HUB) << 8, 0, descriptor,
				       bytes, HUB_DESCRIPTOR_MS, GFP_KERNEL);

	return err ? USBPASS_HUB_POWER_NONE : usbpass_hub_power(descriptor, bytes);
}

/* Not device_for_each_child(), which meets no interface while its driver probes. */
bool usbpass_usbcore_may_have_driver(struct usb_device *udev)
{
	struct usb_host_config *config;
	bool has = false;
	unsigned int i;

	if (!usb_trylock_device(udev))
		return true;
	config = udev->actconfig;
	for (i = 0; config && i < config->desc.bNumInterfaces; i++)
		has |= config->interface[i] && config->interface[i]->dev.driver;
	usb_unlock_device(udev);
	return has;
}

/*
 * Wished for: usb_port_peer(). The peer of a port is kept in a private struct;
 * sysfs shows it as a link, whose target's name tells hub and port.
 */
static bool peer_path(struct usb_device *udev, char *path, size_t size)
{
	struct device *port = port_device(udev);
	struct kernfs_node *link = NULL;
	bool found = false;

	if (!port)
		return false;
	if (port->kobj.sd)
		link = kernfs_find_and_get(port->kobj.sd, "peer");
	if (link && kernfs_type(link) == KERNFS_LINK)
		found = port_name_to_path(link->symlink.target_kn->name, path, size);
	kernfs_put(link);
	put_device(port);
	return found;
}

void usbpass_usbcore_socket(struct usb_device *udev, char *socket, size_t size)
{
	char path[32];

	if (udev->speed < USB_SPEED_SUPER || !peer_path(udev, path, sizeof(path)))
		strscpy(path, udev->devpath, sizeof(path));
	snprintf(socket, size, "%s/%s", dev_name(udev->bus->sysdev), path);
}

/*
 * Wished for: that usb_kill_anchored_urbs() unlinks all before it waits for the
 * first. (usb_unlink_anchored_urbs() begins with the oldest, so that the device
 * may take one whose forerunner it never saw, and leaves nothing to wait for.)
 */
void usbpass_usbcore_kill_anchored(struct usb_anchor *anchor)
{
	struct urb *urbs[KILL_BATCH], *urb;
	unsigned int n, i;

	do {
		n = 0;
		spin_lock_irq(&anchor->lock);
		list_for_each_entry_reverse(urb, &anchor->urb_list, anchor_list) {
			urbs[n++] = usb_get_urb(urb);
			if (n == KILL_BATCH)
				break;
		}
		spin_unlock_irq(&anchor->lock);
		for (i = 0; i < n; i++)
			usb_unlink_urb(urbs[i]);
		for (i = 0; i < n; i++) {
			usb_kill_urb(urbs[i]);
			usb_put_urb(urbs[i]);
		}
	} while (n);
	usb_kill_anchored_urbs(anchor);	/* those whose completion is under way */
}

/* Wished for: nothing; device_reprobe() is exported, but says nothing of locks. */
int usbpass_usbcore_reprobe(struct usb_device *udev)
{
	return device_reprobe(&udev->dev);
}
