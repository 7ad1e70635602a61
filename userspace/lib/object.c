// SPDX-License-Identifier: GPL-2.0
/* What the verbs of all kinds of object have in common. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"

#define DUMP_TRIES	64

struct one {
	const struct codec *codec;
	void *out;
	bool seen;
};

static int take_one(struct nlattr **tb, void *arg)
{
	struct one *one = arg;

	if (!tb[one->codec->nest])
		return 0;
	/* A second answer would leak the first one's lists. */
	if (one->seen)
		return -EBADMSG;
	one->seen = true;
	return usbpass_codec_decode(tb[one->codec->nest], one->codec, one->out);
}

int usbpass_message_object(struct usbpass *h, uint8_t cmd, const struct codec *codec,
			   const void *in, uint32_t flags, void *out)
{
	struct nl_msg *msg = usbpass_message_new(h, cmd, 0);
	struct one one = { .codec = codec, .out = out };
	int ret;

	if (!msg)
		return -ENOMEM;
	ret = usbpass_codec_encode(msg, codec, in);
	if (!ret && flags)
		ret = nla_put_u32(msg, USBPASS_A_FLAGS, flags) < 0 ? -EMSGSIZE : 0;
	if (ret < 0) {
		nlmsg_free(msg);
		return usbpass_handle_fail(h, ret, "the %s is too large for a message",
					   codec->name);
	}
	ret = usbpass_message_call(h, h->calls, msg, out ? take_one : NULL, &one);
	if (ret < 0 && one.seen && codec->clear)
		codec->clear(out);
	return ret;
}

struct many {
	const struct codec *codec;
	char *list;
	size_t n, room;
};

static int take_many(struct nlattr **tb, void *arg)
{
	struct many *many = arg;
	const size_t size = many->codec->size;
	int ret;

	if (!tb[many->codec->nest])
		return 0;
	if (many->n == many->room) {
		size_t room = many->room ? many->room * 2 : 16;
		char *list = reallocarray(many->list, room, size);

		if (!list)
			return -ENOMEM;
		many->list = list;
		many->room = room;
	}
	ret = usbpass_codec_decode(tb[many->codec->nest], many->codec, many->list + many->n * size);
	if (!ret)
		many->n++;
	return ret;
}

void usbpass_message_list_free(const struct codec *codec, void *list, size_t n)
{
	if (codec->clear)
		for (size_t i = 0; i < n; i++)
			codec->clear((char *)list + i * codec->size);
	free(list);
}

int usbpass_message_list(struct usbpass *h, uint8_t cmd, const struct codec *codec,
			 const uint64_t *since, void **out, size_t *n)
{
	*out = NULL;
	*n = 0;
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct nl_msg *msg = usbpass_message_new(h, cmd, NLM_F_DUMP);
		struct many many = { .codec = codec };
		int ret;

		if (!msg)
			return -ENOMEM;
		if (since)
			nla_put_u64(msg, USBPASS_A_SINCE, *since);
		ret = usbpass_message_call(h, h->calls, msg, take_many, &many);
		if (!ret) {
			*out = many.list;
			*n = many.n;
			return 0;
		}
		usbpass_message_list_free(codec, many.list, many.n);
		if (ret != -EINTR)
			return ret;
	}
	return usbpass_handle_fail(h, -EAGAIN,
				   "the configuration changes faster than it can be read; try again");
}
