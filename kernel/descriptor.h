/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_DESCRIPTOR_H
#define _USBPASS_DESCRIPTOR_H

#include <linux/types.h>
#include <linux/usb/ch9.h>

struct usbpass_facts;

/*
 * The raw descriptors of a device, which it wrote and which outlive it.
 * Lookups give pointers into the facts, or NULL.
 */
const struct usb_config_descriptor *
usbpass_descriptor_config(const struct usbpass_facts *facts, u8 value);
const struct usb_interface_descriptor *
usbpass_descriptor_interface(const struct usbpass_facts *facts, u8 config, u8 ifnum, u8 alt);

/* Calls @fn for each interface descriptor of a raw configuration. */
void usbpass_descriptor_each_interface(const u8 *raw, u32 bytes,
				       void (*fn)(const struct usb_interface_descriptor *desc,
						  void *data), void *data);
/* Calls @fn for each endpoint of configuration @config under the settings @alts, by ifnum. */
void usbpass_descriptor_each_endpoint(const struct usbpass_facts *facts, u8 config,
				      const u8 *alts,
				      void (*fn)(const struct usb_endpoint_descriptor *desc,
						 unsigned int ifnum, void *data), void *data);

#endif /* _USBPASS_DESCRIPTOR_H */
