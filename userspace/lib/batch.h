/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NEWs of very many objects, sent many at a time, in the handle's stage: one that is refused leaves the ones behind it in
 * the stage, which the caller then aborts. What the kernel made of them (id, name) is not told.
 */
#ifndef _LIBUSBPASS_BATCH_H
#define _LIBUSBPASS_BATCH_H

#include <netlink/msg.h>
#include "codec.h"
#include "handle.h"

/* The answers must have room in the socket's buffer, at 1,280 bytes each, and refusals with the request in them. */
#define BATCH_REQUESTS	64
#define BATCH_BYTES	32768

struct batch {
	struct usbpass *h;
	struct nl_msg *msg;		/* the next request */
	unsigned char *requests;
	size_t used, n;
	size_t done;			/* requests that have been answered, of all */
};

int usbpass_batch_begin(struct batch *batch, struct usbpass *h);
void usbpass_batch_end(struct batch *batch);

/*
 * Adds one, and sends all if there are enough; sends the rest. 0, or the first error, with the
 * handle's text: it is of the object that was the batch's number @done, from 0.
 */
int usbpass_batch_add(struct batch *batch, uint8_t cmd, const struct codec *codec, const void *object);
int usbpass_batch_send(struct batch *batch);

#endif /* _LIBUSBPASS_BATCH_H */
