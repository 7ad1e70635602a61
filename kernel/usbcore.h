/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_USBCORE_H
#define _USBPASS_USBCORE_H

#include <linux/notifier.h>
#include <linux/usb.h>
#include "hub.h"

/* What the USB core does not export on purpose is reached from here alone. */

/* The bus of USB devices and interfaces. Valid once the interface driver is registered. */
const struct bus_type *usbpass_usbcore_bus(void);
int usbpass_usbcore_register_notifier(struct notifier_block *nb);
void usbpass_usbcore_unregister_notifier(struct notifier_block *nb);

/* @dev as a usb_interface; NULL: anything else. */
struct usb_interface *usbpass_usbcore_interface(struct device *dev);

/* @dev as a usb_device that is plugged into a hub's port; NULL: interface, root hub, other. */
struct usb_device *usbpass_usbcore_device(struct device *dev);

/*
 * Is it for the hub driver alone? What merely says so, and has anything else in
 * any configuration, would get past the rules to the drivers for that.
 */
bool usbpass_usbcore_is_hub(const struct usb_device *udev);

/*
 * The port that keeps the host's interface drivers away from what is plugged
 * into it. Hub's device lock held. 0; -EBUSY: a usbfs user owns it.
 */
int usbpass_usbcore_own_port(struct usb_device *hub, int port, void *cookie);
void usbpass_usbcore_disown_port(struct usb_device *hub, int port, void *cookie);

/*
 * Writes the socket that @udev is plugged into: "0000:00:14.0/4.2", named by
 * its USB 2 half where it has two.
 */
void usbpass_usbcore_socket(struct usb_device *udev, char *socket, size_t size);

/*
 * Writes where sysfs has the port that @udev is plugged into, from /devices on.
 * Locks @hub, its parent. 0, -ENODEV, -ENAMETOOLONG, -ENOMEM.
 */
int usbpass_usbcore_port_path(struct usb_device *udev, struct usb_device *hub, char *path,
			      size_t size);

/* Asks the hub: sleeps for a second at most. */
enum usbpass_hub_power usbpass_usbcore_hub_power(struct usb_device *hub);

/* Has an interface of it a driver? Also yes where its lock is taken, as by who binds one. */
bool usbpass_usbcore_may_have_driver(struct usb_device *udev);

/* Detaches the driver and lets the bus match again. No USB lock held. */
int usbpass_usbcore_reprobe(struct usb_device *udev);

/* As usb_kill_anchored_urbs(), but the controller ends many at a time. */
void usbpass_usbcore_kill_anchored(struct usb_anchor *anchor);

#endif /* _USBPASS_USBCORE_H */
