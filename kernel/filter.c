// SPDX-License-Identifier: GPL-2.0
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "descriptor.h"
#include "event.h"
#include "filter.h"
#include "lease.h"
#include "settings.h"
#include "slot.h"

static void tell_refused(struct usbpass_lease *lease, const struct usb_ctrlrequest *request)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 10);
	struct usbpass_event ev = {
		.type = USBPASS_EVENT_FILTERED,
		.owner = lease->owner,
		.has_result = true,
		.result = -EPERM,
	};

	if (!__ratelimit(&limit))
		return;
	usbpass_event_by_current(&ev);
	usbpass_slot_name(lease->slot, ev.attach);
	snprintf(ev.reason, sizeof(ev.reason),
		 "control request %02x %02x value %04x index %04x", request->bRequestType,
		 request->bRequest, le16_to_cpu(request->wValue), le16_to_cpu(request->wIndex));
	usbpass_event_emit(&ev);
}

static bool is_clear_halt(const struct usb_ctrlrequest *request)
{
	return request->bRequestType == USB_RECIP_ENDPOINT &&
	       request->bRequest == USB_REQ_CLEAR_FEATURE &&
	       le16_to_cpu(request->wValue) == USB_ENDPOINT_HALT &&
	       le16_to_cpu(request->wIndex) & USB_ENDPOINT_NUMBER_MASK;
}

static bool is_read(u8 request)
{
	switch (request) {
	case USB_REQ_CLEAR_FEATURE:
	case USB_REQ_SET_FEATURE:
	case USB_REQ_SET_ADDRESS:
	case USB_REQ_SET_DESCRIPTOR:
	case USB_REQ_SET_CONFIGURATION:
	case USB_REQ_SET_INTERFACE:
	case USB_REQ_SET_SEL:
	case USB_REQ_SET_ISOCH_DELAY:
		return false;
	default:
		return true;
	}
}

/*
 * Standard requests that change what the kernel believes of the device. Some
 * firmware obeys SET_ADDRESS and the like whichever direction the request names.
 */
static int check_standard(const struct usb_ctrlrequest *request)
{
	u16 value = le16_to_cpu(request->wValue);

	if (request->bRequestType & USB_DIR_IN)
		return is_read(request->bRequest) ? USBPASS_FILTER_PASS : -EPERM;
	switch (request->bRequest) {
	case USB_REQ_SET_CONFIGURATION:
		return request->bRequestType == USB_RECIP_DEVICE ? USBPASS_FILTER_CARRY_OUT :
								   -EPERM;
	case USB_REQ_SET_INTERFACE:
		return request->bRequestType == USB_RECIP_INTERFACE ? USBPASS_FILTER_CARRY_OUT :
								      -EPERM;
	case USB_REQ_CLEAR_FEATURE:
		if (is_clear_halt(request))
			return USBPASS_FILTER_CARRY_OUT;
		fallthrough;
	case USB_REQ_SET_FEATURE:
		if (request->bRequestType == USB_RECIP_ENDPOINT)
			return USBPASS_FILTER_PASS;
		/* Of device and interface only remote wake-up is the consumer's. */
		return request->bRequestType == USB_RECIP_DEVICE &&
		       value == USB_DEVICE_REMOTE_WAKEUP ? USBPASS_FILTER_PASS : -EPERM;
	case USB_REQ_SET_ADDRESS:
	case USB_REQ_SET_DESCRIPTOR:
	case USB_REQ_SET_SEL:
	case USB_REQ_SET_ISOCH_DELAY:
		return -EPERM;
	default:
		return USBPASS_FILTER_PASS;
	}
}

static int check_interface(struct usbpass_lease *lease, unsigned int ifnum)
{
	if (usbpass_settings_claimed(lease, ifnum))
		return 0;
	return usbpass_descriptor_interface(lease->facts, usbpass_settings_config(lease), ifnum,
					    0) ? -EACCES : -ENOENT;
}

/*
 * As usbfs: vendor requests go anywhere; a class request names an interface or
 * an endpoint of the consumer's. A printer's GET_DEVICE_ID has the interface in
 * the high byte (USB printer class 1.1, 4.2.1).
 */
static int check_recipient(struct usbpass_lease *lease, const struct usb_ctrlrequest *request)
{
	u16 index = le16_to_cpu(request->wIndex);
	u8 endpoint = index;
	int ifnum;

	if ((request->bRequestType & USB_TYPE_MASK) == USB_TYPE_VENDOR)
		return 0;
	switch (request->bRequestType & USB_RECIP_MASK) {
	case USB_RECIP_INTERFACE:
		if (request->bRequestType == (USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) &&
		    request->bRequest == 0 && !check_interface(lease, index >> 8))
			return 0;
		return check_interface(lease, index & 0xff);
	case USB_RECIP_ENDPOINT:
		if (!(endpoint & ~USB_DIR_IN))
			return 0;
		ifnum = usbpass_settings_interface_of(lease, endpoint);
		if (ifnum < 0)	/* some get the direction wrong */
			ifnum = usbpass_settings_interface_of(lease, endpoint ^ USB_DIR_IN);
		return ifnum < 0 ? ifnum : check_interface(lease, ifnum);
	default:
		return 0;
	}
}

int usbpass_filter_check(struct usbpass_lease *lease, const struct usb_ctrlrequest *request)
{
	int verdict = USBPASS_FILTER_PASS;
	int err;

	if ((request->bRequestType & USB_TYPE_MASK) == USB_TYPE_STANDARD)
		verdict = check_standard(request);
	if (verdict == -EPERM)
		tell_refused(lease, request);
	if (verdict < 0)
		return verdict;
	err = check_recipient(lease, request);
	return err ?: verdict;
}

int usbpass_filter_carry_out(struct usbpass_lease *lease,
			     const struct usb_ctrlrequest *request)
{
	u16 value = le16_to_cpu(request->wValue);
	u16 index = le16_to_cpu(request->wIndex);
	int err;

	switch (request->bRequest) {
	case USB_REQ_SET_CONFIGURATION:
		err = usbpass_settings_set_configuration(lease, value & 0xff, true);
		break;
	case USB_REQ_SET_INTERFACE:
		err = usbpass_settings_set_interface(lease, index & 0xff, value & 0xff);
		break;
	default:
		err = usbpass_settings_clear_halt(lease, index & 0xff);
	}
	switch (err) {
	case 0:
	case -ENODEV:
		return err;
	case -EINVAL:		/* no such configuration or setting: the device would stall */
	case -EPIPE:
		return -EPIPE;
	default:
		return -EPROTO;
	}
}
