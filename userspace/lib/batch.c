// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>
#include "batch.h"
#include "message.h"

int usbpass_batch_begin(struct batch *batch, struct usbpass *h)
{
	*batch = (struct batch){ .h = h };
	batch->msg = usbpass_message_new(h, 0, 0);
	batch->requests = malloc(BATCH_BYTES + MESSAGE_BYTES);
	if (batch->msg && batch->requests)
		return 0;
	usbpass_batch_end(batch);
	return usbpass_handle_fail(h, -ENOMEM, "no memory for requests");
}

void usbpass_batch_end(struct batch *batch)
{
	nlmsg_free(batch->msg);
	free(batch->requests);
}

static int take_answer(struct nlattr **tb, void *arg)
{
	(void)tb;
	(*(size_t *)arg)++;
	return 0;
}

int usbpass_batch_send(struct batch *batch)
{
	size_t n = batch->n, answers = 0, refused = 0;
	int ret;

	if (!n)
		return 0;
	ret = usbpass_message_calls(batch->h, batch->requests, batch->used, n, take_answer,
				    &answers, &refused);
	batch->used = batch->n = 0;
	/* None is taken for done of which nothing is known. */
	if (!ret && answers != n)
		ret = usbpass_handle_fail(batch->h, -EBADMSG, "the kernel's answers are incomplete");
	batch->done += ret < 0 ? refused : n;
	return ret;
}

int usbpass_batch_add(struct batch *batch, uint8_t cmd, const struct codec *codec, const void *object)
{
	struct nlmsghdr *nlh = nlmsg_hdr(batch->msg);
	int ret;

	/* Of the one before. */
	nlh->nlmsg_len = NLMSG_HDRLEN;
	genlmsg_put(batch->msg, NL_AUTO_PORT, NL_AUTO_SEQ, batch->h->family, 0, NLM_F_REQUEST, cmd,
		    USBPASS_GENL_VERSION);
	ret = usbpass_codec_encode(batch->msg, codec, object);
	if (ret < 0)
		return usbpass_batch_send(batch) ?:
		       usbpass_handle_fail(batch->h, ret, "the %s is too large for a message",
					   codec->name);
	nl_complete_msg(batch->h->calls, batch->msg);
	memcpy(batch->requests + batch->used, nlh, nlh->nlmsg_len);
	batch->used += NLMSG_ALIGN(nlh->nlmsg_len);
	if (++batch->n < BATCH_REQUESTS && batch->used < BATCH_BYTES)
		return 0;
	return usbpass_batch_send(batch);
}
