// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers, one queue an endpoint, served head first. The life of one:
 * submitted -> judged by the rules -> (muted: stays until unlinked or unmuted)
 * -> (due later: stays until then) -> the device answers or NAKs -> returned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu_private.h"

void emu_urb_free(struct emu_urb *urb)
{
	free(urb->data);
	free(urb->iso);
	free(urb);
}

static struct emu_queue *queue_of(struct emu *emu, const struct emu_urb *urb)
{
	return &emu->queue[emu_urb_index(urb->ep)];
}

/* Appends to what an IN transfer returns. Returns 0, or -EOVERFLOW: babble. */
int emu_urb_put(struct emu_urb *urb, const void *data, size_t len)
{
	if (!urb->data && urb->length)
		urb->data = malloc(urb->length);
	if (urb->length && !urb->data)
		return -ENOMEM;
	if (len > urb->room - urb->actual)
		return -EOVERFLOW;
	if (len)
		memcpy(urb->data + urb->actual, data, len);
	urb->actual += (uint32_t)len;
	return 0;
}

void emu_urb_submit(struct emu *emu, struct emu_urb *urb)
{
	struct emu_queue *queue = queue_of(emu, urb);

	*queue->tail = urb;
	queue->tail = &urb->next;
	queue->count++;
	emu->stats.submits++;
	if (!(urb->ep & 0x0f))
		emu_device_see(emu, urb->setup);
}

static void dequeue(struct emu_queue *queue, struct emu_urb **at)
{
	struct emu_urb *urb = *at;

	*at = urb->next;
	if (!urb->next)
		queue->tail = at;
	queue->count--;
}

static void log_control(struct emu *emu, const struct emu_urb *urb, int status)
{
	const uint8_t *setup = urb->setup;

	emu_log(emu, "setup type=%02x request=%02x value=%04x index=%04x length=%u status=%d actual=%u",
		setup[0], setup[1], setup[2] | setup[3] << 8,
		setup[4] | setup[5] << 8, setup[6] | setup[7] << 8, status,
		urb->actual);
}

void emu_urb_unlink(struct emu *emu, uint32_t seqnum, uint32_t victim)
{
	struct emu_urb **at, *urb;
	unsigned int i;

	emu->stats.unlinks++;
	for (i = 0; i < EMU_QUEUES; i++) {
		for (at = &emu->queue[i].head; *at; at = &(*at)->next) {
			urb = *at;
			if (urb->seqnum != victim)
				continue;
			dequeue(&emu->queue[i], at);
			if (!i)
				log_control(emu, urb, -ECONNRESET);
			emu_urb_free(urb);
			emu_wire_return_unlink(emu, seqnum, -ECONNRESET);
			return;
		}
	}
	emu->stats.unlinks_late++;
	emu_wire_return_unlink(emu, seqnum, 0);
}

void emu_urb_drop_all(struct emu *emu)
{
	struct emu_urb *urb;
	unsigned int i;

	for (i = 0; i < EMU_QUEUES; i++) {
		while ((urb = emu->queue[i].head)) {
			dequeue(&emu->queue[i], &emu->queue[i].head);
			emu_urb_free(urb);
		}
	}
}

unsigned int emu_urb_in_flight(const struct emu *emu)
{
	unsigned int i, sum = 0;

	for (i = 0; i < EMU_QUEUES; i++)
		sum += emu->queue[i].count;
	return sum;
}

/* The rules changed: nothing that waits is decided any more. */
void emu_urb_rejudge(struct emu *emu)
{
	struct emu_urb *urb;
	unsigned int i;

	for (i = 0; i < EMU_QUEUES; i++)
		for (urb = emu->queue[i].head; urb; urb = urb->next)
			urb->judged = false;
}

static void count_result(struct emu *emu, struct emu_queue *queue,
			 const struct emu_urb *urb, int status)
{
	if (status == -EPIPE)
		emu->stats.stalls++;
	else if (status)
		emu->stats.errors++;
	if (!status) {
		queue->urbs++;
		queue->bytes += urb->actual;
	}
}

static void complete(struct emu *emu, struct emu_queue *queue, int status)
{
	struct emu_urb *urb = queue->head;

	if (status && status != -EOVERFLOW)
		urb->actual = 0;
	else if (!(urb->ep & 0x80) && !status)
		urb->actual = urb->length;
	if (!status && (urb->ep & 0x80) && urb->actual < urb->length &&
	    (urb->flags & EMU_SHORT_NOT_OK))
		status = -EREMOTEIO;
	if (!status && (urb->ep & 0x80) && urb->varies && urb->vary_at < urb->actual)
		urb->data[urb->vary_at] += urb->vary_by;
	dequeue(queue, &queue->head);
	count_result(emu, queue, urb, status);
	if (!(urb->ep & 0x0f))
		log_control(emu, urb, status);
	emu_wire_return(emu, urb, status);
	emu_urb_free(urb);
}

/* No model of isochronous endpoints yet: all packets fail, none is lost. */
static int isochronous(struct emu *emu, struct emu_urb *urb)
{
	static const uint8_t failed[8] = { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xee };
	uint32_t i;

	emu->stats.isochronous++;
	for (i = 0; i < urb->packets; i++)	/* actual length 0, -EXDEV */
		memcpy(urb->iso + i * 16 + 8, failed, sizeof(failed));
	return -EPROTO;
}

static int serve(struct emu *emu, struct emu_urb *urb,
		 const struct emu_endpoint *endpoint)
{
	if (emu->lost)
		return EMU_WAIT;
	if (!(urb->ep & 0x0f))
		return emu_device_control(emu, urb);
	if (!endpoint) {
		emu->stats.bad_endpoint++;
		return -EPROTO;
	}
	if (emu->halted & 1u << emu_urb_index(urb->ep))
		return -EPIPE;
	if ((endpoint->attributes & 3) == 1)
		return isochronous(emu, urb);
	return emu->model.function->transfer(emu, urb, endpoint);
}

/* Returns whether the head went. */
static bool run_head(struct emu *emu, struct emu_queue *queue)
{
	struct emu_urb *urb = queue->head;
	struct emu_endpoint found, *endpoint = NULL;
	int status;

	if ((urb->ep & 0x0f) && emu_desc_find(emu, urb->ep, &found))
		endpoint = &found;
	if (!urb->judged)
		emu_rule_judge(emu, urb, endpoint);
	if (urb->muted)
		return false;
	if (urb->due > emu_now()) {
		if (!emu->next_due || urb->due < emu->next_due)
			emu->next_due = urb->due;
		return false;
	}
	status = urb->status;
	if (!status)
		status = serve(emu, urb, endpoint);
	if (status == EMU_WAIT)
		return false;
	complete(emu, queue, status);
	return true;
}

/* As a controller ends transfers to a device that is no longer there. */
void emu_urb_fail(struct emu *emu, bool control_only)
{
	unsigned int i;

	for (i = 0; i < (control_only ? 1 : EMU_QUEUES); i++)
		while (emu->queue[i].head)
			complete(emu, &emu->queue[i], -EPROTO);
}

/* Until nothing moves: what one endpoint took another may have waited for. */
void emu_urb_run(struct emu *emu)
{
	unsigned int i;
	bool moved;

	if (emu->sock < 0 || emu->leaving || emu->dying_until)
		return;
	emu->next_due = 0;
	do {
		moved = false;
		for (i = 0; i < EMU_QUEUES; i++)
			while (emu->queue[i].head &&
			       run_head(emu, &emu->queue[i]))
				moved = true;
	} while (moved);
}
