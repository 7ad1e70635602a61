/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_SETTINGS_H
#define _USBPASS_SETTINGS_H

#include <linux/types.h>

struct usbpass_device;
struct usbpass_lease;

/*
 * Configuration, interfaces and halts of a leased device, through the USB
 * core. Each call does its work when ONLINE; when RETURNING it is checked
 * against the descriptors, recorded, and applied at return.
 * Errors: -ENODEV, the lease is gone; -EACCES, the interface is not claimed by
 * the consumer; else as usbfs gives them.
 */
int usbpass_settings_claim(struct usbpass_lease *lease, unsigned int ifnum);
int usbpass_settings_release(struct usbpass_lease *lease, unsigned int ifnum);
bool usbpass_settings_claimed(struct usbpass_lease *lease, unsigned int ifnum);
int usbpass_settings_set_interface(struct usbpass_lease *lease, unsigned int ifnum,
				   unsigned int alt);
/* @force: a request on endpoint 0, which asks no one who has claimed what. */
int usbpass_settings_set_configuration(struct usbpass_lease *lease, unsigned int config,
				       bool force);
int usbpass_settings_clear_halt(struct usbpass_lease *lease, u8 endpoint);
int usbpass_settings_reset_endpoint(struct usbpass_lease *lease, u8 endpoint);

/* Of the current settings: */
u8 usbpass_settings_config(struct usbpass_lease *lease);
/* bInterfaceNumber that @endpoint is of; -ENOENT: none. */
int usbpass_settings_interface_of(struct usbpass_lease *lease, u8 endpoint);
/* USB_ENDPOINT_XFER_* of @endpoint; -ENOENT: none. */
int usbpass_settings_type_of(struct usbpass_lease *lease, u8 endpoint);

/* For lease.c and reset.c; device lock held. */

/* The configuration that an open chooses: a value of the descriptors. */
void usbpass_settings_choose(struct usbpass_lease *lease, const struct usbpass_device *dev);
/* Brings @dev, which is not the consumer's yet, to the lease's settings. 0 or -errno. */
int usbpass_settings_restore(struct usbpass_lease *lease, struct usbpass_device *dev);
/* A guest's reset without one on the wire: halts cleared, settings selected again. */
int usbpass_settings_soft_reset(struct usbpass_lease *lease, struct usbpass_device *dev);

/*
 * usb_set_configuration(), bounded: after two time-outs in a row the device is
 * in error, off the bus, and its lease is gone. Device lock held.
 */
int usbpass_settings_configure_device(struct usbpass_device *dev, int config);

#endif /* _USBPASS_SETTINGS_H */
