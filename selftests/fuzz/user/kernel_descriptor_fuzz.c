// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever descriptors and strings a device has, reading them stays within them, and finds each interface and endpoint that
 * stands there whole. Input: the device descriptor, how many strings, then configurations with their length before each.
 */
#include "descriptor.h"
#include "facts.h"
#include "fuzz.h"
#include "lease.h"
#include "usbcore.h"

#define CONFIGS	4

/* A plugged-in device, as the USB core hands it over. */
struct plugged {
	struct usb_device udev;
	struct usb_bus bus;
	struct usb_host_config configs[CONFIGS];
	char *raw[CONFIGS];
	char strings[3][512];
};

void usbpass_usbcore_socket(struct usb_device *udev, char *socket, size_t size)
{
	snprintf(socket, size, "0000:00:14.0/%d", udev->portnum);
}

/* Asked of what the core has parsed, which is not here. */
bool usbpass_usbcore_is_hub(const struct usb_device *udev)
{
	return udev->descriptor.bDeviceClass == USB_CLASS_HUB;
}

/* Of each configuration the core keeps as many bytes as its (corrected) wTotalLength says. */
static void plug(struct plugged *dev, struct input *in)
{
	struct usb_device *udev = &dev->udev;
	uint8_t flags;
	int i;

	memset(dev, 0, sizeof(*dev));
	take(in, &udev->descriptor, sizeof(udev->descriptor));
	flags = take_u8(in);
	udev->descriptor.bNumConfigurations %= CONFIGS + 1;
	udev->speed = flags & 7;
	udev->level = flags >> 4;
	udev->bus = &dev->bus;
	udev->dev.name = "1-1";
	udev->dev.removable = flags & 3;
	udev->config = dev->configs;
	udev->rawdescriptors = flags & 8 ? NULL : dev->raw;
	udev->manufacturer = take_line(in, dev->strings[0], sizeof(dev->strings[0])) ? dev->strings[0] : NULL;
	udev->product = take_line(in, dev->strings[1], sizeof(dev->strings[1])) ? dev->strings[1] : NULL;
	udev->serial = take_line(in, dev->strings[2], sizeof(dev->strings[2])) ? dev->strings[2] : NULL;
	for (i = 0; i < udev->descriptor.bNumConfigurations; i++) {
		uint16_t len = take_u16(in);

		if (len > in->left)
			len = (uint16_t)in->left;
		take(in, &dev->configs[i].desc, 0);
		if (i && !len)
			continue;	/* could not be read */
		dev->raw[i] = alone(in->at, len);
		in->at += len;
		in->left -= len;
		dev->configs[i].desc.wTotalLength = cpu_to_le16(len);
	}
}

static void unplug(struct plugged *dev)
{
	int i;

	for (i = 0; i < CONFIGS; i++)
		free(dev->raw[i]);
}

/* The walk in the plainest words: from length to length, until one is broken. */
static unsigned int count(const uint8_t *raw, size_t bytes, uint8_t type, size_t least)
{
	unsigned int n = 0;
	size_t at = 0;

	while (at + 2 <= bytes && raw[at] >= 2 && at + raw[at] <= bytes) {
		n += raw[at + 1] == type && raw[at] >= least;
		at += raw[at];
	}
	return n;
}

struct seen {
	const struct usbpass_facts *facts;
	const uint8_t *raw;
	size_t bytes;
	uint8_t config;
	unsigned int n;
};

static void check_within(const struct seen *seen, const void *desc)
{
	const uint8_t *at = desc;

	CHECK(at >= seen->raw && at + 2 <= seen->raw + seen->bytes && at + at[0] <= seen->raw + seen->bytes,
	      "a descriptor outside of its configuration");
}

static void see_interface(const struct usb_interface_descriptor *desc, void *data)
{
	struct seen *seen = data;

	check_within(seen, desc);
	CHECK(desc->bDescriptorType == USB_DT_INTERFACE, "no interface");
	seen->n++;
}

static void see_endpoint(const struct usb_endpoint_descriptor *desc, unsigned int ifnum, void *data)
{
	struct seen *seen = data;

	check_within(seen, desc);
	CHECK(desc->bDescriptorType == USB_DT_ENDPOINT && ifnum < USBPASS_INTERFACES_MAX, "no endpoint");
	seen->n++;
}

/* Two configurations may say the same value; the first is meant. */
static void check_config(const struct usbpass_facts *facts, u32 i)
{
	const struct usb_config_descriptor *desc = (const void *)facts->configs[i], *found;
	struct seen seen = { .facts = facts, .raw = facts->configs[i], .bytes = facts->config_bytes[i] };
	u8 alts[USBPASS_INTERFACES_MAX] = { 0 };
	unsigned int ifnum, alt, endpoints;

	usbpass_descriptor_each_interface(facts->configs[i], facts->config_bytes[i], see_interface, &seen);
	CHECK(seen.n == count(seen.raw, seen.bytes, USB_DT_INTERFACE, USB_DT_INTERFACE_SIZE), "%u interfaces", seen.n);
	if (facts->config_bytes[i] < USB_DT_CONFIG_SIZE)
		return;
	found = usbpass_descriptor_config(facts, desc->bConfigurationValue);
	CHECK(found && found->bConfigurationValue == desc->bConfigurationValue, "a configuration is not found");
	if (found != desc)
		return;
	endpoints = count(seen.raw, seen.bytes, USB_DT_ENDPOINT, USB_DT_ENDPOINT_SIZE);
	for (alt = 0; alt < 3; alt++) {
		memset(alts, (int)alt, sizeof(alts));
		seen.n = 0;
		usbpass_descriptor_each_endpoint(facts, desc->bConfigurationValue, alts, see_endpoint, &seen);
		CHECK(seen.n <= endpoints, "%u endpoints of %u", seen.n, endpoints);
		for (ifnum = 0; ifnum < USBPASS_INTERFACES_MAX; ifnum++) {
			const struct usb_interface_descriptor *interface =
				usbpass_descriptor_interface(facts, desc->bConfigurationValue, (u8)ifnum, (u8)alt);

			if (!interface)
				continue;
			check_within(&seen, interface);
			CHECK(interface->bInterfaceNumber == ifnum && interface->bAlternateSetting == alt, "another interface");
		}
	}
}

static void check_facts(const struct usbpass_facts *facts)
{
	u32 i, j;

	CHECK(facts->nr_configs <= facts->descriptor.bNumConfigurations, "%u configurations", facts->nr_configs);
	CHECK(facts->interfaces <= 256 && facts->nr_classes <= USBPASS_FACTS_CLASSES_MAX, "too much is kept");
	for (i = 0; i < facts->nr_classes; i++)
		for (j = 0; j < i; j++)
			CHECK(facts->classes[i] != facts->classes[j], "class %06x twice", facts->classes[i]);
	CHECK(!facts->serial || strlen(facts->serial) <= USBPASS_STRING_MAX, "a serial longer than netlink carries");
	for (i = 0; i < facts->nr_configs; i++)
		check_config(facts, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct usbpass_facts *facts, *again;
	struct plugged dev;

	plug(&dev, &in);
	facts = usbpass_facts_new(&dev.udev, 1);
	again = usbpass_facts_new(&dev.udev, 2);
	CHECK(facts && again, "no memory");
	check_facts(facts);
	CHECK(usbpass_facts_same(facts, again), "a device is not the same after a replug");
	if (facts->nr_configs && facts->config_bytes[0]) {
		again->configs[0][facts->config_bytes[0] - 1] ^= 1;
		CHECK(!usbpass_facts_same(facts, again), "another device is taken for it");
	}
	usbpass_facts_put(again);
	unplug(&dev);
	check_facts(facts);	/* they outlive the device */
	usbpass_facts_put(facts);
	return 0;
}
