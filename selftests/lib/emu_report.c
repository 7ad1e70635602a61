// SPDX-License-Identifier: GPL-2.0
/* Data on its way from the device to the host: byte streams and reports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu_private.h"

#define REPORTS_MAX 1024

struct emu_report {
	struct emu_report *next;
	size_t len;
	uint8_t data[];
};

void emu_fifo_clear(struct emu_fifo *fifo)
{
	struct emu_chunk *chunk;

	while ((chunk = fifo->head)) {
		fifo->head = chunk->next;
		free(chunk->data);
		free(chunk);
	}
	fifo->tail = &fifo->head;
	fifo->bytes = 0;
}

static int add_chunk(struct emu_fifo *fifo, uint8_t *data, size_t len)
{
	struct emu_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		return -ENOMEM;
	chunk->data = data;
	chunk->len = len;
	*fifo->tail = chunk;
	fifo->tail = &chunk->next;
	fifo->bytes += len;
	return 0;
}

/*
 * Takes an OUT transfer. NAKs while the FIFO is over its limit, but always
 * takes one: a transfer may be larger than the limit. As on the wire, only a
 * short packet (or one of no length) ends the message: a chunk whose length is
 * no multiple of the packet size. One that is goes on in the next chunk.
 */
int emu_fifo_put(struct emu *emu, struct emu_fifo *fifo, struct emu_urb *urb,
		 unsigned int maxpacket)
{
	bool empty_packet = !urb->length || (!(urb->length % maxpacket) &&
					     (urb->flags & EMU_ZERO_PACKET));
	int ret = 0;

	if (fifo->bytes && fifo->bytes + urb->length > emu->settings.fifo)
		return EMU_WAIT;
	if (urb->length) {
		ret = add_chunk(fifo, urb->data, urb->length);
		if (!ret)
			urb->data = NULL;	/* the chunk's now */
	}
	if (!ret && empty_packet)
		ret = add_chunk(fifo, NULL, 0);
	return ret;
}

/* Fills an IN transfer packet by packet, up to a short one. */
int emu_fifo_take(struct emu_fifo *fifo, struct emu_urb *urb,
		  unsigned int maxpacket)
{
	struct emu_chunk *chunk;
	size_t packet;
	int ret;

	while ((chunk = fifo->head)) {
		packet = chunk->len - chunk->off;
		if (packet > maxpacket)
			packet = maxpacket;
		/* cut by a rule: a short packet, where the host's would babble */
		if (urb->room < urb->length && packet > urb->room - urb->actual)
			packet = urb->room - urb->actual;
		ret = emu_urb_put(urb, chunk->data + chunk->off, packet);
		chunk->off += packet;
		fifo->bytes -= packet;
		if (chunk->off == chunk->len) {
			fifo->head = chunk->next;
			if (!fifo->head)
				fifo->tail = &fifo->head;
			free(chunk->data);
			free(chunk);
		}
		if (ret || packet < maxpacket || urb->actual == urb->room)
			return ret;
	}
	return EMU_WAIT;
}

int emu_report_add(struct emu *emu, const uint8_t *data, size_t len)
{
	struct emu_reportq *queue = &emu->reports;
	struct emu_report *report;

	if (queue->count >= REPORTS_MAX)
		return -ENOSPC;
	report = malloc(sizeof(*report) + len);
	if (!report)
		return -ENOMEM;
	report->next = NULL;
	report->len = len;
	memcpy(report->data, data, len);
	*queue->tail = report;
	queue->tail = &report->next;
	queue->count++;
	return 0;
}

static void pop(struct emu_reportq *queue)
{
	struct emu_report *report = queue->head;

	queue->head = report->next;
	if (!queue->head)
		queue->tail = &queue->head;
	queue->count--;
	free(report);
}

/* One report answers one IN transfer of an interrupt endpoint. */
int emu_report_take(struct emu *emu, struct emu_urb *urb)
{
	struct emu_report *report = emu->reports.head;
	int ret;

	if (!report)
		return EMU_WAIT;
	ret = emu_urb_put(urb, report->data, report->len);
	pop(&emu->reports);
	emu->stats.reports_sent++;
	return ret;
}

void emu_report_clear(struct emu *emu)
{
	while (emu->reports.head)
		pop(&emu->reports);
}

/* With an interval set: a report of a little endian counter, none in arrears. */
void emu_report_tick(struct emu *emu, uint64_t now)
{
	struct emu_reportq *queue = &emu->reports;
	uint8_t data[8];
	unsigned int i;

	if (!queue->interval || now < queue->next_at)
		return;
	queue->next_at = now + queue->interval;
	if (emu->sock < 0 || !emu->configuration || queue->count)
		return;
	for (i = 0; i < 8; i++)
		data[i] = (uint8_t)(queue->counter >> (8 * i));
	queue->counter++;
	emu_report_add(emu, data, sizeof(data));
}
