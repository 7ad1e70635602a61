// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoint 0: standard requests, and the count of what the host asked. USB 2.0
 * section 9.4. -EPIPE is a protocol stall.
 */
#include <errno.h>
#include <string.h>

#include "emu_private.h"

enum request {
	GET_STATUS = 0,
	CLEAR_FEATURE = 1,
	SET_FEATURE = 3,
	SET_ADDRESS = 5,
	GET_DESCRIPTOR = 6,
	GET_CONFIGURATION = 8,
	SET_CONFIGURATION = 9,
	GET_INTERFACE = 10,
	SET_INTERFACE = 11,
	SET_SEL = 0x30,
	SET_ISOCH_DELAY = 0x31,
};

enum descriptor {
	DT_DEVICE = 1,
	DT_CONFIG = 2,
	DT_STRING = 3,
	DT_BOS = 15,
	DT_HID_REPORT = 0x22,
};

static int reply(struct emu_urb *urb, const void *data, size_t len)
{
	size_t asked = (size_t)(urb->setup[6] | urb->setup[7] << 8);

	if (asked > urb->room)
		asked = urb->room;
	return emu_urb_put(urb, data, len < asked ? len : asked);
}

static int reply_bytes(struct emu_urb *urb, const struct emu_bytes *bytes)
{
	return bytes->len ? reply(urb, bytes->data, bytes->len) : -EPIPE;
}

/* UTF-8 to UTF-16LE, the basic plane; what is not valid becomes '?'. */
static size_t utf16(const char *text, uint8_t *out, size_t room)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t len = 0;

	while (*at && len + 2 <= room) {
		unsigned int c = *at++, more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : 2;

		if (c >= 0x80) {
			c = more == 1 ? c & 0x1f : more == 2 && c < 0xf0 ? c & 0x0f : '?';
			while (more && c != '?') {
				c = (*at & 0xc0) == 0x80 ? c << 6 | (*at++ & 0x3f) : '?';
				more--;
			}
		}
		out[len++] = c & 0xff;
		out[len++] = (uint8_t)(c >> 8);
	}
	return len;
}

static int get_string(struct emu *emu, struct emu_urb *urb, unsigned int index)
{
	static const uint8_t english[4] = { 4, DT_STRING, 0x09, 0x04 };
	uint8_t desc[255] = { 0, DT_STRING };

	if (index < EMU_RAW_STRINGS && emu->model.raw[index].there)
		return reply(urb, emu->model.raw[index].data,
			     emu->model.raw[index].len);
	if (!index)
		return reply(urb, english, sizeof(english));
	if (index > EMU_STRINGS || !emu->model.string[index - 1][0])
		return -EPIPE;
	desc[0] = (uint8_t)(2 + utf16(emu->model.string[index - 1], desc + 2,
				      sizeof(desc) - 3));
	return reply(urb, desc, desc[0]);
}

static int get_descriptor(struct emu *emu, struct emu_urb *urb)
{
	unsigned int index = urb->setup[2];

	switch (urb->setup[3]) {
	case DT_DEVICE:
		return reply_bytes(urb, &emu->model.device);
	case DT_CONFIG:
		if (index >= emu->model.configs)
			return -EPIPE;
		return reply_bytes(urb, &emu->model.config[index]);
	case DT_STRING:
		return get_string(emu, urb, index);
	case DT_BOS:
		return reply_bytes(urb, &emu->model.bos);
	case DT_HID_REPORT:
		return reply_bytes(urb, &emu->model.report);
	default:	/* also the qualifier: it has one speed only */
		return -EPIPE;
	}
}

static int get_status(struct emu *emu, struct emu_urb *urb)
{
	uint8_t status[2] = { 0, 0 };

	if ((urb->setup[0] & 0x1f) == 2)
		status[0] = !!(emu->halted & 1u << emu_urb_index(urb->setup[4]));
	return reply(urb, status, sizeof(status));
}

static int set_configuration(struct emu *emu, unsigned int value)
{
	if (value && !emu_desc_current(emu, value))
		return -EPIPE;
	emu_reset_state(emu);
	emu->configuration = (uint8_t)value;
	return 0;
}

static int set_interface(struct emu *emu, unsigned int number,
			 unsigned int alternate)
{
	if (!emu_desc_has_alternate(emu, number, alternate))
		return -EPIPE;
	emu->alternate[number] = (uint8_t)alternate;
	emu->halted = 0;
	emu->model.function->reset(emu);
	return 0;
}

static int feature(struct emu *emu, const struct emu_urb *urb)
{
	bool set = urb->setup[1] == SET_FEATURE;
	uint32_t bit = 1u << emu_urb_index(urb->setup[4]);

	if ((urb->setup[0] & 0x1f) != 2)
		return 0;	/* remote wakeup, U1, U2 */
	if (urb->setup[2] || urb->setup[3])
		return -EPIPE;
	if (set)
		emu->halted |= bit;
	else
		emu->halted &= ~bit;
	return 0;
}

static int standard(struct emu *emu, struct emu_urb *urb)
{
	const uint8_t *setup = urb->setup;
	unsigned int interface = setup[4];

	switch (setup[1]) {
	case GET_STATUS:
		return get_status(emu, urb);
	case CLEAR_FEATURE:
	case SET_FEATURE:
		return feature(emu, urb);
	case SET_ADDRESS:
		/* vhci keeps its own from us: this one was sent by a program */
		emu->lost = true;
		return 0;
	case GET_DESCRIPTOR:
		return get_descriptor(emu, urb);
	case GET_CONFIGURATION:
		return reply(urb, &emu->configuration, 1);
	case SET_CONFIGURATION:
		return set_configuration(emu, setup[2]);
	case GET_INTERFACE:
		if (interface >= EMU_INTERFACES || !emu->configuration)
			return -EPIPE;
		return reply(urb, &emu->alternate[interface], 1);
	case SET_INTERFACE:
		return set_interface(emu, interface, setup[2]);
	case SET_SEL:
	case SET_ISOCH_DELAY:
		return 0;
	default:
		return -EPIPE;
	}
}

static void see_get_descriptor(struct emu *emu, const uint8_t *setup)
{
	emu->stats.get_descriptor++;
	if (setup[3] == DT_CONFIG)
		emu->stats.get_descriptor_config++;
	if (setup[3] == DT_STRING)
		emu->stats.get_descriptor_string++;
	if (setup[3] != DT_DEVICE) {
		emu->known = true;
		return;
	}
	emu->stats.get_descriptor_device++;
	/*
	 * The lengths with which Linux begins after each port reset, of which
	 * a device behind vhci sees nothing else.
	 */
	if ((setup[6] != 64 && setup[6] != 8) || setup[7])
		return;
	emu->stats.enumerations++;
	emu_reset_see(emu);
	if (emu->lost)
		emu_reset_state(emu);
}

/* Counts a request as it arrives, whatever the device then makes of it. */
void emu_device_see(struct emu *emu, const uint8_t *setup)
{
	struct emu_stats *stats = &emu->stats;

	stats->control++;
	if ((setup[0] & 0x60) == 0x20)
		stats->class_requests++;
	if ((setup[0] & 0x60) == 0x40)
		stats->vendor_requests++;
	if (setup[0] & 0x60)
		return;
	switch (setup[1]) {
	case GET_STATUS:
		stats->get_status++;
		break;
	case CLEAR_FEATURE:
		if ((setup[0] & 0x1f) != 2)
			break;
		stats->clear_halt++;
		stats->last_clear_halt = setup[4];
		break;
	case SET_FEATURE:
		stats->set_feature++;
		break;
	case SET_ADDRESS:
		stats->set_address++;
		break;
	case GET_DESCRIPTOR:
		see_get_descriptor(emu, setup);
		break;
	case SET_CONFIGURATION:
		stats->set_configuration++;
		stats->last_configuration = setup[2];
		break;
	case SET_INTERFACE:
		stats->set_interface++;
		stats->last_interface = setup[4];
		stats->last_alternate = setup[2];
		break;
	}
}

int emu_device_control(struct emu *emu, struct emu_urb *urb)
{
	switch (urb->setup[0] & 0x60) {
	case 0x00:
		return standard(emu, urb);
	case 0x20:
	case 0x40:
		return emu->model.function->control(emu, urb);
	default:
		return -EPIPE;
	}
}
