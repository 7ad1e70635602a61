// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/ktime.h>
#include "descriptor.h"
#include "facts.h"
#include "usbcore.h"

static u32 speed_kbps(const struct usb_device *udev)
{
	switch (udev->speed) {
	case USB_SPEED_LOW:
		return 1500;
	case USB_SPEED_FULL:
		return 12000;
	case USB_SPEED_HIGH:
	case USB_SPEED_WIRELESS:
		return 480000;
	case USB_SPEED_SUPER:
		return 5000000;
	case USB_SPEED_SUPER_PLUS:
		return udev->ssp_rate == USB_SSP_GEN_2x2 ? 20000000 : 10000000;
	default:
		return 0;
	}
}

/* USB 2.0, 4.1.1: at most 5 hubs between root hub and device. */
static void read_ports(struct usbpass_facts *facts, const struct usb_device *udev)
{
	for (; udev->parent; udev = udev->parent)
		if (udev->level >= 1 && udev->level <= ARRAY_SIZE(facts->ports))
			facts->ports[udev->level - 1] = udev->portnum;
}

static u8 removable(const struct usb_device *udev)
{
	switch (udev->dev.removable) {
	case DEVICE_REMOVABLE:
		return USBPASS_REMOVABLE_YES;
	case DEVICE_FIXED:
		return USBPASS_REMOVABLE_NO;
	default:
		return USBPASS_REMOVABLE_UNKNOWN;
	}
}

/* What the interfaces of one configuration say, in all alternate settings. */
struct survey {
	struct usbpass_facts *facts;
	DECLARE_BITMAP(numbers, 256);
};

static void note_interface(const struct usb_interface_descriptor *desc, void *data)
{
	struct survey *survey = data;
	struct usbpass_facts *facts = survey->facts;
	u32 class = desc->bInterfaceClass << 16 | desc->bInterfaceSubClass << 8 |
		    desc->bInterfaceProtocol;
	u32 i;

	__set_bit(desc->bInterfaceNumber, survey->numbers);
	if (class == 0x030101)
		facts->boot_keyboard = true;
	if (desc->bInterfaceClass == USB_CLASS_MASS_STORAGE)
		facts->storage = true;
	for (i = 0; i < facts->nr_classes; i++)
		if (facts->classes[i] == class)
			return;
	if (facts->nr_classes < ARRAY_SIZE(facts->classes))
		facts->classes[facts->nr_classes++] = class;
}

static void note_interfaces(struct usbpass_facts *facts, const u8 *raw, u32 bytes)
{
	struct survey survey = { .facts = facts };

	usbpass_descriptor_each_interface(raw, bytes, note_interface, &survey);
	facts->interfaces = max_t(u32, facts->interfaces, bitmap_weight(survey.numbers, 256));
}

static int read_configs(struct usbpass_facts *facts, struct usb_device *udev)
{
	u32 i, nr = udev->descriptor.bNumConfigurations;

	if (!udev->config || !udev->rawdescriptors)
		return 0;
	facts->configs = kcalloc(nr, sizeof(*facts->configs), GFP_KERNEL);
	facts->config_bytes = kcalloc(nr, sizeof(*facts->config_bytes), GFP_KERNEL);
	if (!facts->configs || !facts->config_bytes)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		u32 bytes = le16_to_cpu(udev->config[i].desc.wTotalLength);

		if (!udev->rawdescriptors[i])
			break;
		facts->configs[i] = kvmalloc(bytes, GFP_KERNEL);
		if (!facts->configs[i])
			return -ENOMEM;
		memcpy(facts->configs[i], udev->rawdescriptors[i], bytes);
		facts->config_bytes[i] = bytes;
		facts->nr_configs = i + 1;
		note_interfaces(facts, facts->configs[i], bytes);
	}
	return 0;
}

static int read_string(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = kstrndup(from, USBPASS_STRING_MAX, GFP_KERNEL);
	return *to ? 0 : -ENOMEM;
}

struct usbpass_facts *usbpass_facts_blank(void)
{
	struct usbpass_facts *facts = kzalloc(sizeof(*facts), GFP_KERNEL);

	if (facts)
		kref_init(&facts->kref);
	return facts;
}

struct usbpass_facts *usbpass_facts_new(struct usb_device *udev, u32 id)
{
	struct usbpass_facts *facts = usbpass_facts_blank();

	if (!facts)
		return NULL;
	facts->id = id;
	facts->time_ns = ktime_get_boottime_ns();
	facts->descriptor = udev->descriptor;
	facts->hub = usbpass_usbcore_is_hub(udev);
	facts->speed = udev->speed;
	facts->speed_kbps = speed_kbps(udev);
	facts->bus = udev->bus->busnum;
	facts->address = udev->devnum;
	facts->level = udev->level;
	read_ports(facts, udev);
	facts->removable = removable(udev);
	strscpy(facts->busid, dev_name(&udev->dev), sizeof(facts->busid));
	usbpass_usbcore_socket(udev, facts->socket, sizeof(facts->socket));

	if (read_configs(facts, udev) || read_string(&facts->vendor_name, udev->manufacturer) ||
	    read_string(&facts->product_name, udev->product) ||
	    read_string(&facts->serial, udev->serial)) {
		usbpass_facts_put(facts);
		return NULL;
	}
	return facts;
}

static void free_rcu_cb(struct rcu_head *rcu)
{
	struct usbpass_facts *facts = container_of(rcu, struct usbpass_facts, rcu);
	u32 i;

	for (i = 0; facts->configs && i < facts->nr_configs; i++)
		kvfree(facts->configs[i]);
	kfree(facts->configs);
	kfree(facts->config_bytes);
	kfree(facts->vendor_name);
	kfree(facts->product_name);
	kfree(facts->serial);
	kfree(facts);
}

static void release(struct kref *kref)
{
	struct usbpass_facts *facts = container_of(kref, struct usbpass_facts, kref);

	/* .match reads the facts of a device under RCU alone. */
	call_rcu(&facts->rcu, free_rcu_cb);
}

struct usbpass_facts *usbpass_facts_get(struct usbpass_facts *facts)
{
	kref_get(&facts->kref);
	return facts;
}

void usbpass_facts_put(struct usbpass_facts *facts)
{
	kref_put(&facts->kref, release);
}

bool usbpass_facts_same_string(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

bool usbpass_facts_same_configs(const struct usbpass_facts *a, const struct usbpass_facts *b)
{
	u32 i;

	if (a->nr_configs != b->nr_configs)
		return false;
	for (i = 0; i < a->nr_configs; i++)
		if (a->config_bytes[i] != b->config_bytes[i] ||
		    memcmp(a->configs[i], b->configs[i], a->config_bytes[i]) != 0)
			return false;
	return true;
}

bool usbpass_facts_same(const struct usbpass_facts *a, const struct usbpass_facts *b)
{
	return !strcmp(a->socket, b->socket) && a->speed == b->speed &&
	       !memcmp(&a->descriptor, &b->descriptor, sizeof(a->descriptor)) &&
	       usbpass_facts_same_string(a->serial, b->serial) && usbpass_facts_same_configs(a, b);
}
