/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_FACTS_H
#define _USBPASS_FACTS_H

#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/usb.h>
#include <linux/usbpass.h>

#define USBPASS_FACTS_CLASSES_MAX	64	/* distinct interface triples kept */

/*
 * What was true of a device when it was plugged in, read before any probe.
 * Immutable; lives as long as anyone refers to it, after the device too.
 */
struct usbpass_facts {
	struct kref kref;
	struct rcu_head rcu;
	u32 id;				/* USBPASS_A_DEVICE_ID */
	u64 time_ns;			/* CLOCK_BOOTTIME */
	struct usb_device_descriptor descriptor;	/* little endian */
	enum usb_device_speed speed;
	u32 speed_kbps;
	u32 bus, address, level;	/* level 1: on a root port */
	u8 ports[7];			/* on the way from the root hub, as usbdevfs_conninfo_ex */
	u8 removable;			/* enum usbpass_removable */
	bool hub;
	bool boot_keyboard;		/* an interface 03/01/01 */
	bool storage;			/* an interface 08/xx/xx */
	char busid[32];
	char socket[USBPASS_SOCKET_MAX + 1];
	char *vendor_name, *product_name, *serial;	/* NULL: none */
	u32 interfaces;			/* most in one configuration */
	u32 nr_classes;
	u32 classes[USBPASS_FACTS_CLASSES_MAX];	/* 0xCCSSPP, no doubles */
	u32 nr_configs;
	u32 *config_bytes;		/* length of each raw descriptor */
	u8 **configs;			/* raw, as on the wire */
};

/* Reads @udev, which must be enumerated. NULL: no memory. */
struct usbpass_facts *usbpass_facts_new(struct usb_device *udev, u32 id);
/* Of no device: all is 0 or empty, and for the caller to fill before anyone else sees it. */
struct usbpass_facts *usbpass_facts_blank(void);
struct usbpass_facts *usbpass_facts_get(struct usbpass_facts *facts);
void usbpass_facts_put(struct usbpass_facts *facts);

/* Would a consumer take @b for @a, replugged? Byte-identical descriptors, speed, serial, socket. */
bool usbpass_facts_same(const struct usbpass_facts *a, const struct usbpass_facts *b);
/* Parts of that. NULL is as good as none. */
bool usbpass_facts_same_configs(const struct usbpass_facts *a, const struct usbpass_facts *b);
bool usbpass_facts_same_string(const char *a, const char *b);

#endif /* _USBPASS_FACTS_H */
