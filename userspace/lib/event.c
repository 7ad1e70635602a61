// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "event_queue.h"
#include "message.h"

int usbpass_event_queue(struct usbpass *h, struct nlattr **tb)
{
	struct event_node *node;
	int ret;

	if (!tb[USBPASS_A_EVENT])
		return 0;
	node = calloc(1, sizeof(*node));
	if (!node)
		return usbpass_handle_fail(h, -ENOMEM, "no memory for an event");
	ret = usbpass_codec_decode(tb[USBPASS_A_EVENT], &usbpass_codec_event, &node->event);
	if (ret < 0) {
		free(node);
		return usbpass_handle_fail(h, ret, "malformed event from the kernel");
	}
	*h->last = node;
	h->last = &node->next;
	return 0;
}

int usbpass_event_subscribe(struct usbpass *h, const uint64_t *since, uint32_t flags)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_SUBSCRIBE, 0);
	struct nl_sock *sk;
	int ret;

	if (!msg)
		return -ENOMEM;
	if (h->events) {
		nlmsg_free(msg);
		return usbpass_handle_fail(h, -EALREADY, "this handle has subscribed");
	}
	sk = usbpass_handle_socket();
	if (!sk) {
		ret = -errno;
		nlmsg_free(msg);
		return usbpass_handle_fail(h, ret, "cannot open a netlink socket");
	}
	if (since)
		nla_put_u64(msg, USBPASS_A_SINCE, *since);
	if (flags)
		nla_put_u32(msg, USBPASS_A_FLAGS, flags);
	ret = usbpass_message_call(h, sk, msg, NULL, NULL);
	if (ret < 0)
		nl_socket_free(sk);
	else
		h->events = sk;
	return ret;
}

int usbpass_event_fd(const struct usbpass *h)
{
	return h->events ? nl_socket_get_fd(h->events) : -1;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

int usbpass_event_next(struct usbpass *h, struct usbpass_event *out, int timeout)
{
	const int64_t end = now_ms() + timeout;
	struct event_node *node;

	if (!h->events)
		return usbpass_handle_fail(h, -ENOTCONN, "this handle has not subscribed");
	while (!h->first) {
		int64_t left = timeout < 0 ? -1 : end - now_ms();
		int ret = usbpass_message_pump(h, h->events, left < 0 && timeout >= 0 ? 0 : left);

		if (ret == -EAGAIN)
			return ret;	/* no error worth a sentence */
		if (ret < 0)
			return usbpass_handle_fail(h, ret, "cannot read events");
	}
	node = h->first;
	h->first = node->next;
	if (!h->first)
		h->last = &h->first;
	*out = node->event;
	free(node);
	return 0;
}

int usbpass_event_list(struct usbpass *h, const uint64_t *since, struct usbpass_event **out,
		       size_t *n)
{
	return usbpass_message_list(h, USBPASS_CMD_EVENT_GET, &usbpass_codec_event, since,
				    (void **)out, n);
}
