/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_COMPAT_H
#define _USBPASS_COMPAT_H

/*
 * What moved between the kernels that usbpass builds on (6.1 and later).
 * Driver files carry no version check; they all stand here.
 */

#include <linux/device/class.h>
#include <linux/usb.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "usbpass needs Linux 6.1 or later"
#endif

/* 6.4: class_create() lost its module. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define usbpass_class_create(name)	class_create(THIS_MODULE, name)
#else
#define usbpass_class_create(name)	class_create(name)
#endif

/* 6.2: device_type.devnode takes a const device. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define USBPASS_DEVNODE_CONST
#else
#define USBPASS_DEVNODE_CONST	const
#endif

/* 6.2: the hooks around a verb take a split op. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define USBPASS_GENL_PRE_DOIT_OPS	const struct genl_ops
#else
#define USBPASS_GENL_PRE_DOIT_OPS	const struct genl_split_ops
#endif

/* 6.6: a dump's attributes moved into its genl_info. Needs net/genetlink.h. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define usbpass_genl_dump_attrs(cb)	(genl_dumpit_info(cb)->attrs)
#else
#define usbpass_genl_dump_attrs(cb)	(genl_info_dump(cb)->attrs)
#endif

/*
 * 6.8 (and Debian's 6.1): struct usb_driver and usb_device_driver carry .driver
 * instead of .drvwrap.driver. Kbuild looks which the headers have.
 */
#ifdef USBPASS_USB_DRVWRAP
#define usbpass_core_driver(drv)	(&(drv)->drvwrap.driver)
#else
#define usbpass_core_driver(drv)	(&(drv)->driver)
#endif

#endif /* _USBPASS_COMPAT_H */
