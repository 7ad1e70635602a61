// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"

#define DUMP_TRIES	64

/* A request about device @id, or NULL with the handle's error set. */
static struct nl_msg *request(struct usbpass *h, int nl_flags, uint32_t id, uint8_t kind)
{
	struct usbpass_device in = { .has = USBPASS_HAS(USBPASS_A_DEVICE_ID), .id = id };
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_DEVICE_RESET, nl_flags);

	if (!msg)
		return NULL;
	usbpass_codec_encode(msg, &usbpass_codec_device, &in);
	nla_put_u8(msg, USBPASS_A_RESET, kind);
	return msg;
}

static int take_job(struct nlattr **tb, void *arg)
{
	if (!tb[USBPASS_A_JOB] || nla_len(tb[USBPASS_A_JOB]) != sizeof(uint32_t))
		return -EBADMSG;
	*(uint32_t *)arg = nla_get_u32(tb[USBPASS_A_JOB]);
	return 0;
}

int usbpass_device_reset(struct usbpass *h, uint32_t id, uint8_t kind, uint32_t flags,
			 uint32_t *job)
{
	struct nl_msg *msg = request(h, 0, id, kind);

	*job = 0;
	if (!msg)
		return -ENOMEM;
	if (flags)
		nla_put_u32(msg, USBPASS_A_FLAGS, flags);
	return usbpass_message_call(h, h->calls, msg, take_job, job);
}

struct hits {
	struct usbpass_hit *list;
	size_t n, room;
};

static int take_hit(struct nlattr **tb, void *arg)
{
	struct hits *all = arg;
	struct usbpass_hit *one;
	int ret;

	if (!tb[USBPASS_A_DEVICE] || !tb[USBPASS_A_IN_THE_WAY] ||
	    nla_len(tb[USBPASS_A_IN_THE_WAY]) != sizeof(uint8_t))
		return -EBADMSG;
	if (all->n == all->room) {
		size_t room = all->room ? 2 * all->room : 16;

		one = reallocarray(all->list, room, sizeof(*one));
		if (!one)
			return -ENOMEM;
		all->list = one;
		all->room = room;
	}
	one = &all->list[all->n];
	ret = usbpass_codec_decode(tb[USBPASS_A_DEVICE], &usbpass_codec_device, &one->device);
	if (ret < 0)
		return ret;
	one->in_the_way = nla_get_u8(tb[USBPASS_A_IN_THE_WAY]);
	all->n++;
	return 0;
}

void usbpass_hit_list_free(struct usbpass_hit *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		usbpass_device_clear(&list[i].device);
	free(list);
}

int usbpass_device_radius(struct usbpass *h, uint32_t id, uint8_t kind, struct usbpass_hit **out,
			  size_t *n)
{
	*out = NULL;
	*n = 0;
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct nl_msg *msg = request(h, NLM_F_DUMP, id, kind);
		struct hits all = {};
		int ret;

		if (!msg)
			return -ENOMEM;
		ret = usbpass_message_call(h, h->calls, msg, take_hit, &all);
		if (!ret) {
			*out = all.list;
			*n = all.n;
			return 0;
		}
		usbpass_hit_list_free(all.list, all.n);
		if (ret != -EINTR)
			return ret;
	}
	return usbpass_handle_fail(h, -EAGAIN,
				   "the devices change faster than they can be read; try again");
}

/* By the socket that made the promise. */
int usbpass_power_done(struct usbpass *h, uint32_t job, int32_t result)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_POWER_DONE, 0);

	if (!msg)
		return -ENOMEM;
	if (!h->events) {
		nlmsg_free(msg);
		return usbpass_handle_fail(h, -ENOTCONN, "this handle has not subscribed");
	}
	nla_put_u32(msg, USBPASS_A_JOB, job);
	nla_put_s32(msg, USBPASS_A_RESULT, result);
	return usbpass_message_call(h, h->events, msg, NULL, NULL);
}
