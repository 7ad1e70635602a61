// SPDX-License-Identifier: GPL-2.0
/*
 * The vendor-specific device "loop", and what other presets borrow from it.
 *
 *	bulk 01, 81	what comes in goes out again
 *	bulk 02, 82	sink and source of a pattern
 *	bulk 04, 84	on interface 1, as 01 and 81
 *	interrupt 03	each transfer becomes a report
 *	interrupt 83	reports
 *
 * Alternate setting 1 of interface 0 has endpoints 01 and 81 only; so has the
 * second configuration, whose only interface has the one setting. The pattern
 * is the little endian 32-bit count of words since the configuration was set.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "emu_private.h"

#define VENDOR_CLASS 0xff0000

/* The pair of vendor requests that Linux's own test gadgets have. */
#define REQUEST_WRITE	0x5b
#define REQUEST_READ	0x5c

#define BLOCK 4096

static void pattern(uint8_t *block, size_t len, uint64_t at)
{
	uint32_t word;
	size_t i = 0;

	for (; i < len && at % 4; i++, at++)
		block[i] = (uint8_t)(at / 4 >> (at % 4 * 8));
	for (; i + 4 <= len; i += 4, at += 4) {
		word = htole32((uint32_t)(at / 4));
		memcpy(block + i, &word, 4);
	}
	for (; i < len; i++, at++)
		block[i] = (uint8_t)(at / 4 >> (at % 4 * 8));
}

static void pair(struct emu *emu, uint8_t number)
{
	char type = emu->model.speed == EMU_LOW ? 'i' : 'b';

	emu_desc_endpoint(emu, number, type, 0);
	emu_desc_endpoint(emu, number | 0x80, type, 0);
}

static int build(struct emu *emu)
{
	unsigned int class = emu->settings.class ? emu->settings.class :
						   VENDOR_CLASS;
	unsigned int i;

	emu_desc_begin(emu, 0);
	emu_desc_config(emu);
	emu_desc_interface(emu, 0, 0, class);
	pair(emu, 1);
	pair(emu, 2);
	emu_desc_endpoint(emu, 0x03, 'i', 0);
	emu_desc_endpoint(emu, 0x83, 'i', 0);
	emu_desc_interface(emu, 0, 1, class);
	pair(emu, 1);
	for (i = 1; i < emu->settings.interfaces; i++) {
		emu_desc_interface(emu, i, 0, class);
		pair(emu, (uint8_t)(3 + i));
	}
	for (i = 1; i < emu->settings.configs; i++) {
		emu_desc_config(emu);
		emu_desc_interface(emu, 0, 0, class);
		pair(emu, 1);
	}
	emu_desc_end(emu);
	return 0;
}

int emu_loop_control(struct emu *emu, struct emu_urb *urb)
{
	size_t len = (size_t)(urb->setup[6] | urb->setup[7] << 8);

	if (len > urb->length)
		len = urb->length;
	if (urb->setup[0] == 0x40 && urb->setup[1] == REQUEST_WRITE) {
		memcpy(emu->control_data, urb->data ? urb->data : urb->setup, len);
		emu->control_len = len;
		return 0;
	}
	if (urb->setup[0] == 0xc0 && urb->setup[1] == REQUEST_READ) {
		if (len > emu->control_len)
			len = emu->control_len;
		if (len > urb->room)
			len = urb->room;
		return emu_urb_put(urb, emu->control_data, len);
	}
	return -EPIPE;
}

static int source(struct emu *emu, struct emu_urb *urb)
{
	uint8_t block[BLOCK];
	size_t len;
	int ret = 0;

	while (!ret && urb->actual < urb->room) {
		len = urb->room - urb->actual;
		if (len > BLOCK)
			len = BLOCK;
		pattern(block, len, emu->source_at);
		emu->source_at += len;
		ret = emu_urb_put(urb, block, len);
	}
	return ret;
}

static int sink(struct emu *emu, const struct emu_urb *urb)
{
	uint8_t block[BLOCK];
	size_t at, len, i;

	for (at = 0; at < urb->length; at += len) {
		len = urb->length - at < BLOCK ? urb->length - at : BLOCK;
		pattern(block, len, emu->sink_at);
		emu->sink_at += len;
		if (!memcmp(block, urb->data + at, len))
			continue;
		for (i = 0; i < len; i++)
			emu->stats.pattern_errors += block[i] != urb->data[at + i];
	}
	return 0;
}

static int interrupt(struct emu *emu, struct emu_urb *urb)
{
	int ret;

	if (urb->ep & 0x80)
		return emu_report_take(emu, urb);
	ret = emu_report_add(emu, urb->data ? urb->data : urb->setup, urb->length);
	if (ret == -ENOSPC)
		return EMU_WAIT;
	emu->stats.reports_received++;
	return ret;
}

int emu_loop_transfer(struct emu *emu, struct emu_urb *urb,
		      const struct emu_endpoint *endpoint)
{
	struct emu_fifo *fifo = &emu->fifo[urb->ep & 0x0f];

	if ((endpoint->attributes & 3) == 3)
		return interrupt(emu, urb);
	if (urb->ep == 0x82)
		return source(emu, urb);
	if (urb->ep == 0x02)
		return sink(emu, urb);
	if (urb->ep & 0x80)
		return emu_fifo_take(fifo, urb, endpoint->maxpacket);
	return emu_fifo_put(emu, fifo, urb, endpoint->maxpacket);
}

void emu_loop_reset(struct emu *emu)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		emu_fifo_clear(&emu->fifo[i]);
	emu_report_clear(emu);
	emu->source_at = 0;
	emu->sink_at = 0;
}

const struct emu_function emu_loop_function = {
	.name = "loop",
	.build = build,
	.control = emu_loop_control,
	.transfer = emu_loop_transfer,
	.reset = emu_loop_reset,
};
