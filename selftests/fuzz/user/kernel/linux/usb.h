/* SPDX-License-Identifier: GPL-2.0 */
/* What facts.c reads of a device once the USB core has enumerated it. */
#ifndef SHIM_USB_H
#define SHIM_USB_H

#include <linux/usb/ch9.h>
#include "../shim.h"

/* In the kernel's linux/usb/ch9.h, not in the one for user space. */
enum usb_ssp_rate { USB_SSP_GEN_UNKNOWN, USB_SSP_GEN_2x1, USB_SSP_GEN_1x2, USB_SSP_GEN_2x2 };

struct usb_anchor { char unused; };

struct usb_host_config {
	struct usb_config_descriptor desc;	/* wTotalLength: what there is of the raw one */
};

struct usb_bus {
	int busnum;
};

struct usb_device {
	int devnum;
	enum usb_device_speed speed;
	enum usb_ssp_rate ssp_rate;
	struct usb_device *parent;
	struct usb_bus *bus;
	struct device dev;
	struct usb_device_descriptor descriptor;
	struct usb_host_config *config;
	char **rawdescriptors;
	u8 portnum, level;
	char *product, *manufacturer, *serial;
};

#endif /* SHIM_USB_H */
