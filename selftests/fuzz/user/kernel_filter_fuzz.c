// SPDX-License-Identifier: GPL-2.0
/*
 * No SETUP packet gets past the filter that would change what the kernel believes of the device, or that is for an interface
 * which the consumer has not claimed. Input: packets of 8 bytes after the claimed interfaces and those of the endpoints.
 */
#include "descriptor.h"
#include "event.h"
#include "facts.h"
#include "filter.h"
#include "fuzz.h"
#include "lease.h"
#include "settings.h"
#include "slot.h"

#define INTERFACES	4	/* of the device; more can be asked for */

static uint8_t claimed, interface_of[32];
static unsigned int told;

/* One configuration of INTERFACES interfaces, in the place of kernel/settings.c. */
bool usbpass_settings_claimed(struct usbpass_lease *lease, unsigned int ifnum)
{
	(void)lease;
	return ifnum < INTERFACES && claimed >> ifnum & 1;
}

u8 usbpass_settings_config(struct usbpass_lease *lease)
{
	(void)lease;
	return 1;
}

int usbpass_settings_interface_of(struct usbpass_lease *lease, u8 endpoint)
{
	unsigned int i = usbpass_lease_endpoint_index(endpoint);

	(void)lease;
	return (i & 15) && interface_of[i] < INTERFACES ? interface_of[i] : -2;	/* -ENOENT */
}

static int carry_out_error;

int usbpass_settings_set_configuration(struct usbpass_lease *lease, unsigned int config, bool force)
{
	(void)lease;
	CHECK(force && config < 256, "configuration %u", config);
	return carry_out_error;
}

int usbpass_settings_set_interface(struct usbpass_lease *lease, unsigned int ifnum, unsigned int alt)
{
	(void)lease;
	CHECK(usbpass_settings_claimed(lease, ifnum) && alt < 256, "setting %u of interface %u", alt, ifnum);
	return carry_out_error;
}

int usbpass_settings_clear_halt(struct usbpass_lease *lease, u8 endpoint)
{
	(void)lease;
	CHECK(endpoint & USB_ENDPOINT_NUMBER_MASK, "endpoint 0 is not for the core");
	return carry_out_error;
}

void usbpass_event_by_current(struct usbpass_event *ev)
{
	ev->has_who = true;
}

void usbpass_event_emit(struct usbpass_event *ev)
{
	CHECK(ev->type == USBPASS_EVENT_FILTERED && strlen(ev->reason) < sizeof(ev->reason), "another event");
	told++;
}

void usbpass_slot_name(struct usbpass_slot *slot, char *name)
{
	(void)slot;
	name[0] = '\0';
}

/* What a request must never do by itself, whichever way it says that its data goes. */
static bool desynchronizes(const struct usb_ctrlrequest *r)
{
	if ((r->bRequestType & USB_TYPE_MASK) != USB_TYPE_STANDARD)
		return false;
	switch (r->bRequest) {
	case USB_REQ_SET_ADDRESS:
	case USB_REQ_SET_CONFIGURATION:
	case USB_REQ_SET_INTERFACE:
	case USB_REQ_SET_DESCRIPTOR:
	case USB_REQ_SET_SEL:
	case USB_REQ_SET_ISOCH_DELAY:
		return true;
	case USB_REQ_CLEAR_FEATURE:
		return (r->bRequestType & USB_RECIP_MASK) == USB_RECIP_ENDPOINT &&
		       le16_to_cpu(r->wValue) == USB_ENDPOINT_HALT && le16_to_cpu(r->wIndex) & USB_ENDPOINT_NUMBER_MASK;
	case USB_REQ_SET_FEATURE:
		/* Test modes, U1 and U2, suspending a function. */
		return (r->bRequestType & USB_RECIP_MASK) != USB_RECIP_ENDPOINT &&
		       !((r->bRequestType & USB_RECIP_MASK) == USB_RECIP_DEVICE &&
			 le16_to_cpu(r->wValue) == USB_DEVICE_REMOTE_WAKEUP);
	default:
		return false;
	}
}

/* A printer's GET_DEVICE_ID names the interface in the other byte. */
static bool trespasses(const struct usb_ctrlrequest *r)
{
	u16 index = le16_to_cpu(r->wIndex);
	u8 endpoint = (u8)index;

	if ((r->bRequestType & USB_TYPE_MASK) == USB_TYPE_VENDOR)
		return false;
	switch (r->bRequestType & USB_RECIP_MASK) {
	case USB_RECIP_INTERFACE:
		if (r->bRequestType == 0xa1 && r->bRequest == 0 && usbpass_settings_claimed(NULL, index >> 8))
			return false;
		return !usbpass_settings_claimed(NULL, index & 0xff);
	case USB_RECIP_ENDPOINT:
		return (endpoint & ~USB_DIR_IN) &&
		       !usbpass_settings_claimed(NULL, (unsigned int)usbpass_settings_interface_of(NULL, endpoint)) &&
		       !usbpass_settings_claimed(NULL, (unsigned int)usbpass_settings_interface_of(NULL, endpoint ^ USB_DIR_IN));
	default:
		return false;
	}
}

static void check(struct usbpass_lease *lease, const struct usb_ctrlrequest *r)
{
	unsigned int before = told;
	int verdict = usbpass_filter_check(lease, r), status;

	CHECK(verdict == USBPASS_FILTER_PASS || verdict == USBPASS_FILTER_CARRY_OUT || verdict == -1 || verdict == -2 ||
	      verdict == -13, "verdict %d", verdict);
	CHECK((verdict == -1) == (told != before), "%d, and %u events", verdict, told - before);
	if (verdict >= 0)
		CHECK(!trespasses(r), "%02x %02x %04x passes to an interface of another", r->bRequestType, r->bRequest,
		      le16_to_cpu(r->wIndex));
	if (verdict == USBPASS_FILTER_PASS)
		CHECK(!desynchronizes(r), "%02x %02x %04x %04x passes", r->bRequestType, r->bRequest, le16_to_cpu(r->wValue),
		      le16_to_cpu(r->wIndex));
	if (verdict != USBPASS_FILTER_CARRY_OUT)
		return;
	CHECK(desynchronizes(r) && !(r->bRequestType & USB_DIR_IN), "%02x %02x is carried out", r->bRequestType, r->bRequest);
	status = usbpass_filter_carry_out(lease, r);
	CHECK(status == 0 || status == -19 || status == -32 || status == -71, "status %d", status);
	CHECK(!status == !carry_out_error, "%d becomes %d", carry_out_error, status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int errors[] = { 0, -2, -5, -13, -19, -22, -32, -110 };
	/* A configuration with INTERFACES interfaces, which are there or not. */
	static u8 raw[9 + 9 * INTERFACES] = { 9, USB_DT_CONFIG, sizeof(raw), 0, INTERFACES, 1 };
	u8 *configs[] = { raw };
	u32 bytes[] = { sizeof(raw) };
	struct usbpass_facts facts = { .nr_configs = 1, .configs = configs, .config_bytes = bytes };
	struct usbpass_lease lease = { .facts = &facts };
	struct input in = { data, size };
	u8 i, flags = take_u8(&in);

	claimed = flags & 0xf;
	carry_out_error = errors[flags >> 5];
	for (i = 0; i < INTERFACES; i++) {
		u8 interface[9] = { 9, USB_DT_INTERFACE, i };

		memcpy(raw + 9 + 9 * i, interface, sizeof(interface));
	}
	for (i = 0; i < 32; i += 2) {
		u8 pair = take_u8(&in);

		interface_of[i] = pair & 7;
		interface_of[i + 1] = pair >> 4 & 7;
	}
	while (in.left) {
		struct usb_ctrlrequest request;

		take(&in, &request, sizeof(request));
		check(&lease, &request);
	}
	return 0;
}
