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
 * Errors: -ENODEV gone; else as usbfs gives them.
 */
int usbpass_settings_claim(struct usbpass_lease *lease, unsigned int ifnum);
int usbpass_settings_release(struct usbpass_lease *lease, unsigned int ifnum);
bool usbpass_settings_claimed(struct usbpass_lease *lease, unsigned int ifnum);
int usbpass_settings_set_interface(struct usbpass_lease *lease, unsigned int ifnum,
				   unsigned int alt);
int usbpass_settings_set_configuration(struct usbpass_lease *lease, int config);
int usbpass_settings_clear_halt(struct usbpass_lease *lease, unsigned int endpoint);
int usbpass_settings_reset_endpoint(struct usbpass_lease *lease, unsigned int endpoint);

/* bInterfaceNumber that @endpoint is of in the current settings; -ENOENT: none. */
int usbpass_settings_interface_of(struct usbpass_lease *lease, u8 endpoint);

/*
 * For lease.c, with the device lock held and the device not yet the lease's
 * (or opening): brings the device to the lease's settings. Loops until no
 * change came meanwhile. 0, or a negative errno.
 */
int usbpass_settings_restore(struct usbpass_lease *lease, struct usbpass_device *dev);
/* The configuration that an open chooses: a value of the descriptors. */
u8 usbpass_settings_choose(const struct usbpass_device *dev);

/*
 * Bounded calls: they count time-outs in a row on the device and put it in
 * error ("device does not answer") after two. Device lock held.
 */
int usbpass_settings_configure_device(struct usbpass_device *dev, int config);

#endif /* _USBPASS_SETTINGS_H */
