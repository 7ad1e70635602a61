// SPDX-License-Identifier: GPL-2.0
#include <linux/stddef.h>
#include "descriptor.h"
#include "facts.h"
#include "lease.h"

/* The descriptor after @at, or the first; NULL at the end, or where a length is broken. */
static const u8 *next(const u8 *raw, u32 bytes, const u8 *at)
{
	at = at ? at + at[0] : raw;
	if (raw + bytes - at < 2 || at[0] < 2 || raw + bytes - at < at[0])
		return NULL;
	return at;
}

static const u8 *raw_config(const struct usbpass_facts *facts, u8 value, u32 *bytes)
{
	u32 i;

	for (i = 0; i < facts->nr_configs; i++) {
		const struct usb_config_descriptor *desc = (const void *)facts->configs[i];

		if (facts->config_bytes[i] >= USB_DT_CONFIG_SIZE &&
		    desc->bConfigurationValue == value) {
			*bytes = facts->config_bytes[i];
			return facts->configs[i];
		}
	}
	return NULL;
}

const struct usb_config_descriptor *
usbpass_descriptor_config(const struct usbpass_facts *facts, u8 value)
{
	u32 bytes;

	return (const void *)raw_config(facts, value, &bytes);
}

static const struct usb_interface_descriptor *interface_at(const u8 *at)
{
	return at[1] == USB_DT_INTERFACE && at[0] >= USB_DT_INTERFACE_SIZE ? (const void *)at :
									     NULL;
}

const struct usb_interface_descriptor *
usbpass_descriptor_interface(const struct usbpass_facts *facts, u8 config, u8 ifnum, u8 alt)
{
	const u8 *raw, *at = NULL;
	u32 bytes;

	raw = raw_config(facts, config, &bytes);
	while (raw && (at = next(raw, bytes, at))) {
		const struct usb_interface_descriptor *desc = interface_at(at);

		if (desc && desc->bInterfaceNumber == ifnum && desc->bAlternateSetting == alt)
			return desc;
	}
	return NULL;
}

void usbpass_descriptor_each_interface(const u8 *raw, u32 bytes,
				       void (*fn)(const struct usb_interface_descriptor *desc,
						  void *data), void *data)
{
	const u8 *at = NULL;

	while ((at = next(raw, bytes, at)))
		if (interface_at(at))
			fn(interface_at(at), data);
}

void usbpass_descriptor_each_endpoint(const struct usbpass_facts *facts, u8 config,
				      const u8 *alts,
				      void (*fn)(const struct usb_endpoint_descriptor *desc,
						 unsigned int ifnum, void *data), void *data)
{
	const struct usb_interface_descriptor *interface = NULL;
	const u8 *raw, *at = NULL;
	u32 bytes;

	raw = raw_config(facts, config, &bytes);
	while (raw && (at = next(raw, bytes, at))) {
		if (interface_at(at))
			interface = interface_at(at);
		if (interface && interface->bInterfaceNumber < USBPASS_INTERFACES_MAX &&
		    interface->bAlternateSetting == alts[interface->bInterfaceNumber] &&
		    at[1] == USB_DT_ENDPOINT && at[0] >= USB_DT_ENDPOINT_SIZE)
			fn((const void *)at, interface->bInterfaceNumber, data);
	}
}
