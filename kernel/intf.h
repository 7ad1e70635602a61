/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_INTF_H
#define _USBPASS_INTF_H

#include <linux/usb.h>

struct usbpass_device;

/* The interface driver: it binds by claim only. Its bus is how usbcore.c finds the bus. */
extern struct usb_driver usbpass_intf_driver;
int usbpass_intf_init(void);
void usbpass_intf_exit(void);
/*
 * Keeps every driver but ours away from an interface that is being registered,
 * device lock held. The port's owner does so as well, but not once the device
 * has been unplugged, which the core may notice before the interface is there.
 */
void usbpass_intf_bar(struct usbpass_device *dev, struct usb_interface *intf);
/* Claims every interface of the active configuration. Device lock held. 0 or -errno. */
int usbpass_intf_claim_all(struct usbpass_device *dev);
/* Is bInterfaceNumber @ifnum bound to us? (A root user may have taken it through usbfs.) */
bool usbpass_intf_held(struct usbpass_device *dev, unsigned int ifnum);

#endif /* _USBPASS_INTF_H */
