// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include <linux/usb.h>
#include "descriptor.h"
#include "device.h"
#include "intf.h"
#include "lease.h"
#include "settings.h"
#include "transfer.h"

#define TIMEOUTS_MAX	2	/* in a row */

/*
 * Counts time-outs in a row. A device that does not answer costs its lease
 * five seconds a call, and would for ever.
 */
static int note_answer(struct usbpass_device *dev, int err)
{
	struct usbpass_lease *lease = NULL;
	bool mute;

	device_lock_assert(&dev->udev->dev);
	spin_lock(&usbpass_registry_lock);
	if (err == -ETIMEDOUT)
		dev->timeouts++;
	else if (!err)
		dev->timeouts = 0;
	mute = dev->timeouts >= TIMEOUTS_MAX;
	if (mute && dev->lease)
		lease = usbpass_lease_get(dev->lease);
	spin_unlock(&usbpass_registry_lock);
	if (mute)
		usbpass_device_fail(dev, "device does not answer",
				    "replug it, or `device release` it");
	if (lease) {
		usbpass_lease_revoke(lease, "its device does not answer");
		usbpass_lease_put(lease);
	}
	return err;
}

int usbpass_settings_configure_device(struct usbpass_device *dev, int config)
{
	/* -1 and not 0: some device has a configuration whose value is 0. */
	return note_answer(dev, usb_set_configuration(dev->udev, config ?: -1));
}

/* As the USB core reads it: the first of two wins, and low speed has no bulk. */
static void map_endpoint(const struct usb_endpoint_descriptor *desc, unsigned int ifnum, void *data)
{
	struct usbpass_lease *lease = data;
	unsigned int index = usbpass_lease_endpoint_index(desc->bEndpointAddress);

	if (ifnum >= USBPASS_INTERFACES_MAX || lease->map[index].ifnum >= 0)
		return;
	lease->map[index].ifnum = ifnum;
	lease->map[index].type = usb_endpoint_type(desc);
	if (lease->facts->speed == USB_SPEED_LOW && usb_endpoint_xfer_bulk(desc))
		lease->map[index].type = USB_ENDPOINT_XFER_INT;
}

/* Which endpoint is of which interface, after each change of the settings. */
static void remap(struct usbpass_lease *lease)
{
	const struct usbpass_settings *settings = &lease->settings;
	unsigned int i;

	lockdep_assert_held(&lease->lock);
	for (i = 0; i < ARRAY_SIZE(lease->map); i++)
		lease->map[i].ifnum = -1;
	usbpass_descriptor_each_endpoint(lease->facts, settings->config, settings->alt,
					 map_endpoint, lease);
}

int usbpass_settings_interface_of(struct usbpass_lease *lease, u8 endpoint)
{
	s8 ifnum = READ_ONCE(lease->map[usbpass_lease_endpoint_index(endpoint)].ifnum);

	return ifnum < 0 ? -ENOENT : ifnum;
}

int usbpass_settings_type_of(struct usbpass_lease *lease, u8 endpoint)
{
	unsigned long flags;
	int type;

	spin_lock_irqsave(&lease->lock, flags);
	type = lease->map[usbpass_lease_endpoint_index(endpoint)].ifnum < 0 ? -ENOENT :
	       lease->map[usbpass_lease_endpoint_index(endpoint)].type;
	spin_unlock_irqrestore(&lease->lock, flags);
	return type;
}

u8 usbpass_settings_config(struct usbpass_lease *lease)
{
	return READ_ONCE(lease->settings.config);
}

/* A change of the settings, asked for by the consumer. */
struct change {
	enum { SET_INTERFACE, SET_CONFIGURATION, CLEAR_HALT, RESET_ENDPOINT } kind;
	unsigned int ifnum, alt;	/* SET_INTERFACE */
	unsigned int config;		/* SET_CONFIGURATION */
	bool force;
	u8 endpoint;			/* CLEAR_HALT, RESET_ENDPOINT */
};

/* Is it possible at all, by descriptors and claims? */
static int check(struct usbpass_lease *lease, const struct change *change)
{
	const struct usbpass_settings *settings = &lease->settings;
	int ifnum;

	lockdep_assert_held(&lease->lock);
	switch (change->kind) {
	case SET_INTERFACE:
		if (change->ifnum >= USBPASS_INTERFACES_MAX || change->alt > U8_MAX ||
		    !usbpass_descriptor_interface(lease->facts, settings->config,
						  change->ifnum, change->alt))
			return -EINVAL;
		return settings->claimed & BIT(change->ifnum) ? 0 : -EACCES;
	case SET_CONFIGURATION:
		if (change->config &&
		    !usbpass_descriptor_config(lease->facts, change->config))
			return -EINVAL;
		return settings->claimed && !change->force ? -EBUSY : 0;
	default:
		ifnum = usbpass_settings_interface_of(lease, change->endpoint);
		if (ifnum < 0)
			return ifnum;
		return settings->claimed & BIT(ifnum) ? 0 : -EACCES;
	}
}

static void note(struct usbpass_lease *lease, const struct change *change)
{
	struct usbpass_settings *settings = &lease->settings;

	lockdep_assert_held(&lease->lock);
	switch (change->kind) {
	case SET_INTERFACE:
		settings->alt[change->ifnum] = change->alt;
		break;
	case SET_CONFIGURATION:
		if (settings->config != change->config)
			settings->claimed = 0;
		settings->config = change->config;
		memset(settings->alt, 0, sizeof(settings->alt));
		break;
	default:
		return;
	}
	remap(lease);
}

static int set_configuration(struct usbpass_lease *lease, struct usbpass_device *dev,
			     unsigned int config)
{
	struct usb_host_config *active = dev->udev->actconfig;
	int err;

	usbpass_transfer_kill_all(lease);
	if (active && active->desc.bConfigurationValue == config)
		return note_answer(dev, usb_reset_configuration(dev->udev));
	err = usbpass_settings_configure_device(dev, config) ?: usbpass_intf_claim_all(dev);
	/* Half a configuration would be taken for the whole one when it is asked for again. */
	if (err && dev->udev->actconfig)
		usbpass_settings_configure_device(dev, 0);
	return err;
}

static int apply(struct usbpass_lease *lease, struct usbpass_device *dev,
		 const struct change *change)
{
	struct usb_device *udev = dev->udev;
	struct usb_host_endpoint *ep;
	unsigned int pipe;

	switch (change->kind) {
	case SET_INTERFACE:
		return note_answer(dev, usb_set_interface(udev, change->ifnum, change->alt));
	case SET_CONFIGURATION:
		return set_configuration(lease, dev, change->config);
	case CLEAR_HALT:
		ep = change->endpoint & USB_DIR_IN ? udev->ep_in[change->endpoint & 0xf] :
						     udev->ep_out[change->endpoint & 0xf];
		if (!ep)
			return -ENOENT;
		pipe = change->endpoint & USB_DIR_IN ?
		       usb_rcvbulkpipe(udev, change->endpoint & 0xf) :
		       usb_sndbulkpipe(udev, change->endpoint & 0xf);
		return note_answer(dev, usb_clear_halt(udev, pipe));
	default:
		usb_reset_endpoint(udev, change->endpoint);
		return 0;
	}
}

/* New transfers wait meanwhile; a submission waits for no USB call. */
static int apply_online(struct usbpass_lease *lease, struct usbpass_device *dev,
			const struct change *change)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&lease->lock, flags);
	err = check(lease, change);
	spin_unlock_irqrestore(&lease->lock, flags);
	if (err)
		return err;
	usbpass_lease_pause(lease, USBPASS_PAUSE_HOLD);
	err = apply(lease, dev, change);
	spin_lock_irqsave(&lease->lock, flags);
	if (!err)
		note(lease, change);
	spin_unlock_irqrestore(&lease->lock, flags);
	usbpass_lease_go_on(lease);
	return err;
}

/* -EAGAIN: it is not RETURNING any more. */
static int record(struct usbpass_lease *lease, const struct change *change)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&lease->lock, flags);
	if (lease->state == USBPASS_LEASE_RETURNING) {
		err = check(lease, change);
		if (!err) {
			note(lease, change);
			lease->settings_changes++;
		}
	} else {
		err = lease->state == USBPASS_LEASE_GONE ? -ENODEV : -EAGAIN;
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	return err;
}

/* What a consumer whose lease is not gone never hears. */
static bool is_away(int err)
{
	return err == -ENODEV || err == -ESHUTDOWN || err == -EHOSTUNREACH;
}

static int carry_out(struct usbpass_lease *lease, const struct change *change)
{
	for (;;) {
		struct usbpass_device *dev = usbpass_lease_lock_device(lease);
		int err;

		if (dev) {
			err = apply_online(lease, dev, change);
			usbpass_lease_unlock_device(dev);
			/* It went under the call: what was asked for is for its return. */
			if (!is_away(err) || usbpass_lease_state(lease) == USBPASS_LEASE_GONE)
				return err;
		}
		err = record(lease, change);
		if (err != -EAGAIN)
			return err;
		if (dev)
			return -EPROTO;	/* ONLINE still: it is just going */
	}
}

int usbpass_settings_set_interface(struct usbpass_lease *lease, unsigned int ifnum,
				   unsigned int alt)
{
	struct change change = { .kind = SET_INTERFACE, .ifnum = ifnum, .alt = alt };

	return carry_out(lease, &change);
}

int usbpass_settings_set_configuration(struct usbpass_lease *lease, unsigned int config,
				       bool force)
{
	struct change change = { .kind = SET_CONFIGURATION, .config = config, .force = force };

	return carry_out(lease, &change);
}

int usbpass_settings_clear_halt(struct usbpass_lease *lease, u8 endpoint)
{
	struct change change = { .kind = CLEAR_HALT, .endpoint = endpoint };

	return carry_out(lease, &change);
}

int usbpass_settings_reset_endpoint(struct usbpass_lease *lease, u8 endpoint)
{
	struct change change = { .kind = RESET_ENDPOINT, .endpoint = endpoint };

	return carry_out(lease, &change);
}

/* A claim is the consumer's own note: all interfaces are usbpass's. */
int usbpass_settings_claim(struct usbpass_lease *lease, unsigned int ifnum)
{
	struct usbpass_device *dev;
	unsigned long flags;
	bool held = false;
	int err = 0;

	if (ifnum >= USBPASS_INTERFACES_MAX)
		return -EINVAL;
	spin_lock_irqsave(&lease->lock, flags);
	if (lease->state == USBPASS_LEASE_GONE)
		err = -ENODEV;
	else if (!usbpass_descriptor_interface(lease->facts, lease->settings.config, ifnum, 0))
		err = -ENOENT;
	else
		lease->settings.claimed |= BIT(ifnum);
	if (lease->state == USBPASS_LEASE_ONLINE)
		held = usbpass_intf_held(lease->device, ifnum);
	spin_unlock_irqrestore(&lease->lock, flags);
	if (err || held)
		return err;

	/* Root took it through usbfs. Only then the device lock is waited for. */
	dev = usbpass_lease_lock_device(lease);
	if (dev) {
		if (!usbpass_intf_held(dev, ifnum))
			usbpass_intf_claim_all(dev);
		usbpass_lease_unlock_device(dev);
	}
	return 0;
}

int usbpass_settings_release(struct usbpass_lease *lease, unsigned int ifnum)
{
	unsigned long flags;
	bool alt;
	int err;

	if (ifnum >= USBPASS_INTERFACES_MAX)
		return -EINVAL;
	spin_lock_irqsave(&lease->lock, flags);
	err = lease->state == USBPASS_LEASE_GONE ? -ENODEV :
	      lease->settings.claimed & BIT(ifnum) ? 0 : -EINVAL;
	alt = lease->settings.alt[ifnum];
	spin_unlock_irqrestore(&lease->lock, flags);
	if (err)
		return err;
	/* As the core does at an unbind: the next claim finds setting 0. */
	if (alt)
		usbpass_settings_set_interface(lease, ifnum, 0);
	spin_lock_irqsave(&lease->lock, flags);
	lease->settings.claimed &= ~BIT(ifnum);
	spin_unlock_irqrestore(&lease->lock, flags);
	return 0;
}

bool usbpass_settings_claimed(struct usbpass_lease *lease, unsigned int ifnum)
{
	return ifnum < USBPASS_INTERFACES_MAX &&
	       READ_ONCE(lease->settings.claimed) & BIT(ifnum);
}

/* In the spirit of usb_choose_configuration(), which says none for an owned port. */
static u8 choose(const struct usb_device *udev)
{
	unsigned int unit_ma = udev->speed >= USB_SPEED_SUPER ? 8 : 2;
	u8 fallback = 0;
	unsigned int i;

	for (i = 0; i < udev->descriptor.bNumConfigurations; i++) {
		const struct usb_host_config *config = &udev->config[i];
		const struct usb_interface_cache *first = config->intf_cache[0];

		if (config->desc.bMaxPower * unit_ma > udev->bus_mA)
			continue;
		if (!fallback)
			fallback = config->desc.bConfigurationValue;
		/* A driver of the class beats one of the vendor. */
		if (config->desc.bNumInterfaces && first && first->num_altsetting &&
		    first->altsetting->desc.bInterfaceClass != USB_CLASS_VENDOR_SPEC)
			return config->desc.bConfigurationValue;
	}
	if (!fallback && udev->descriptor.bNumConfigurations)
		fallback = udev->config[0].desc.bConfigurationValue;
	return fallback;
}

void usbpass_settings_choose(struct usbpass_lease *lease, const struct usbpass_device *dev)
{
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	memset(&lease->settings, 0, sizeof(lease->settings));
	lease->settings.config = choose(dev->udev);
	remap(lease);
	spin_unlock_irqrestore(&lease->lock, flags);
}

int usbpass_settings_restore(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	struct usb_device *udev = dev->udev;
	struct usbpass_settings settings;
	unsigned long flags;
	unsigned int i;
	int err;

	device_lock_assert(&udev->dev);
	spin_lock_irqsave(&lease->lock, flags);
	settings = lease->settings;
	spin_unlock_irqrestore(&lease->lock, flags);

	if ((udev->actconfig ? udev->actconfig->desc.bConfigurationValue : 0) !=
	    settings.config) {
		err = usbpass_settings_configure_device(dev, settings.config);
		if (err)
			return err;
		/* What sysfs deauthorizes stays unconfigured, and says 0. */
		if (settings.config && !udev->actconfig)
			return -EIO;
	}
	err = usbpass_intf_claim_all(dev);
	for (i = 0; !err && i < USBPASS_INTERFACES_MAX; i++) {
		struct usb_interface *intf = usb_ifnum_to_if(udev, i);

		if (intf && intf->cur_altsetting->desc.bAlternateSetting != settings.alt[i])
			err = note_answer(dev, usb_set_interface(udev, i, settings.alt[i]));
	}
	return err;
}

int usbpass_settings_soft_reset(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	int err = 0;

	device_lock_assert(&dev->udev->dev);
	usbpass_lease_pause(lease, USBPASS_PAUSE_HOLD);
	usbpass_transfer_kill_all(lease);
	/* Selects setting 0 of all interfaces and clears all halts, on both sides. */
	if (dev->udev->actconfig)
		err = note_answer(dev, usb_reset_configuration(dev->udev));
	if (!err)
		err = usbpass_settings_restore(lease, dev);
	usbpass_lease_go_on(lease);
	return err;
}
