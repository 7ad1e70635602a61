// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/genl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "event_queue.h"
#include "message.h"

#define ANSWER_MS	30000	/* no command waits for USB */

struct nl_msg *usbpass_message_new(struct usbpass *h, uint8_t cmd, int nl_flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(MESSAGE_BYTES);

	h->error = 0;
	h->message[0] = '\0';
	h->attr[0] = '\0';
	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, h->family, 0,
				 NLM_F_REQUEST | nl_flags, cmd, USBPASS_GENL_VERSION)) {
		nlmsg_free(msg);
		usbpass_handle_fail(h, -ENOMEM, "no memory for a request");
		return NULL;
	}
	return msg;
}

/* "rule.group" for the attribute that begins at @offset of the request. */
static void name_attr(struct usbpass *h, struct nlmsghdr *request, uint32_t offset)
{
	struct genlmsghdr *genl = nlmsg_data(request);
	const char *fault = (char *)request + offset;
	struct nlattr *attr, *child;
	int rem, inner;

	nla_for_each_attr(attr, genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0), rem) {
		const struct codec *codec = usbpass_codec_of_nest(nla_type(attr));

		if (!codec || fault < (char *)attr || fault >= (char *)attr + attr->nla_len)
			continue;
		snprintf(h->attr, sizeof(h->attr), "%s", codec->name);
		nla_for_each_nested(child, attr, inner) {
			const struct codec_field *field = usbpass_codec_field(codec, nla_type(child));

			if (!field || fault < (char *)child ||
			    fault >= (char *)child + child->nla_len)
				continue;
			snprintf(h->attr, sizeof(h->attr), "%s.%s", codec->name, field->name);
		}
		return;
	}
}

static int take_tlvs(struct usbpass *h, struct nlmsghdr *request, int error, struct nlattr *first,
		     int len)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = {};

	if (error > 0 || error < -CODEC_ERRNO_MAX)
		return usbpass_handle_fail(h, -EBADMSG, "malformed acknowledgement");
	h->error = error;
	if (len > 0 && nla_parse(tb, NLMSGERR_ATTR_MAX, first, len, NULL) == 0) {
		if (tb[NLMSGERR_ATTR_MSG])
			snprintf(h->message, sizeof(h->message), "%.*s",
				 nla_len(tb[NLMSGERR_ATTR_MSG]),
				 (char *)nla_data(tb[NLMSGERR_ATTR_MSG]));
		if (tb[NLMSGERR_ATTR_OFFS] && nla_len(tb[NLMSGERR_ATTR_OFFS]) == 4)
			name_attr(h, request, nla_get_u32(tb[NLMSGERR_ATTR_OFFS]));
	}
	return error;
}

static int take_ack(struct usbpass *h, struct nlmsghdr *request, struct nlmsghdr *nlh)
{
	struct nlmsgerr *ack = nlmsg_data(nlh);
	size_t skip = sizeof(*ack);

	if (nlmsg_datalen(nlh) < (int)sizeof(*ack))
		return usbpass_handle_fail(h, -EBADMSG, "malformed acknowledgement");
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(ack->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || (size_t)nlmsg_datalen(nlh) < skip)
		skip = nlmsg_datalen(nlh);
	return take_tlvs(h, request, ack->error, (struct nlattr *)((char *)ack + skip),
			 nlmsg_datalen(nlh) - skip);
}

static int take_done(struct usbpass *h, struct nlmsghdr *request, struct nlmsghdr *nlh)
{
	int error = 0;

	if (nlmsg_datalen(nlh) >= (int)sizeof(error))
		memcpy(&error, nlmsg_data(nlh), sizeof(error));
	if (error >= 0)
		return 0;
	return take_tlvs(h, request, error, (struct nlattr *)((char *)nlmsg_data(nlh) + sizeof(error)),
			 nlmsg_datalen(nlh) - sizeof(error));
}

static int receive(struct usbpass *h, struct nl_sock *sk, int timeout)
{
	struct pollfd pfd = { .fd = nl_socket_get_fd(sk), .events = POLLIN };
	ssize_t len;
	int n;

	/* The kernel has answered most requests before send(2) returns. */
	len = recv(pfd.fd, h->buffer, HANDLE_BUFFER_BYTES, MSG_TRUNC | MSG_DONTWAIT);
	if (len < 0 && errno == EAGAIN) {
		do {
			n = poll(&pfd, 1, timeout);
		} while (n < 0 && errno == EINTR && timeout < 0);
		if (n == 0)
			return -EAGAIN;
		if (n < 0)
			return -errno;
		len = recv(pfd.fd, h->buffer, HANDLE_BUFFER_BYTES, MSG_TRUNC);
	}
	if (len < 0)
		/* Overrun: the kernel tells the loss in the next event. */
		return errno == ENOBUFS ? 0 : -errno;
	if (len > HANDLE_BUFFER_BYTES)
		return -EBADMSG;
	return len;
}

static int parse(struct usbpass *h, struct nlmsghdr *nlh, struct nlattr **tb)
{
	if (nlh->nlmsg_type != h->family || genlmsg_parse(nlh, 0, tb, USBPASS_A_MAX, NULL) < 0)
		return usbpass_handle_fail(h, -EBADMSG, "malformed answer from the kernel");
	return 0;
}

struct call {
	struct nlmsghdr *requests;	/* one behind another, numbered in a row */
	size_t n;
	message_fn fn;
	void *arg;
	int error;		/* of fn: the answers still have to be read to their end */
	int refused;		/* what the first error of the kernel's said, and of which request */
	size_t which;
	bool torn, over;
};

/* Which request it answers; n: none. */
static size_t answered(const struct nlmsghdr *nlh, const struct call *call)
{
	uint32_t i = call->n ? nlh->nlmsg_seq - call->requests->nlmsg_seq : 0;

	return i < call->n ? i : call->n;
}

static struct nlmsghdr *request(const struct call *call, size_t i)
{
	struct nlmsghdr *nlh = call->requests;

	while (i--)
		nlh = (struct nlmsghdr *)((char *)nlh + NLMSG_ALIGN(nlh->nlmsg_len));
	return nlh;
}

/* Events are numbered 0, as all that nobody asked for; so are no answers. */
static bool is_event(struct usbpass *h, struct nlmsghdr *nlh)
{
	struct genlmsghdr *genl = nlmsg_data(nlh);

	return nlh->nlmsg_type == h->family && nlmsg_datalen(nlh) >= (int)GENL_HDRLEN &&
	       genl->cmd == USBPASS_CMD_EVENT;
}

/* The last request's answers come last. */
static void take_end(struct usbpass *h, struct nlmsghdr *nlh, struct call *call, size_t i)
{
	struct nlmsghdr *of = request(call, i);
	int ret;

	call->over = i == call->n - 1;
	if (call->refused)
		return;
	ret = nlh->nlmsg_type == NLMSG_DONE ? take_done(h, of, nlh) : take_ack(h, of, nlh);
	if (ret < 0) {
		call->refused = ret;
		call->which = i;
	}
}

static int take_message(struct usbpass *h, struct nlmsghdr *nlh, struct call *call)
{
	struct nlattr *tb[USBPASS_A_MAX + 1];
	size_t i = answered(nlh, call);
	int ret;

	if (i == call->n) {
		if (!is_event(h, nlh))
			return 0;
		return parse(h, nlh, tb) ?: usbpass_event_queue(h, tb);
	}
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		call->torn = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		take_end(h, nlh, call, i);
		return 0;
	}
	ret = parse(h, nlh, tb);
	if (!ret && call->fn && !call->error)
		call->error = call->fn(tb, call->arg);
	return ret;
}

static int take_buffer(struct usbpass *h, int len, struct call *call)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)h->buffer;

	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		int ret = take_message(h, nlh, call);

		if (ret < 0)
			return ret;
	}
	return 0;
}

int usbpass_message_pump(struct usbpass *h, struct nl_sock *sk, int timeout)
{
	struct call none = {};
	int len = receive(h, sk, timeout);

	return len < 0 ? len : take_buffer(h, len, &none);
}

static int exchange(struct usbpass *h, struct nl_sock *sk, size_t len, struct call *call)
{
	int ret = send(nl_socket_get_fd(sk), call->requests, len, 0) < 0 ? -errno : 0;

	if (ret < 0)
		usbpass_handle_fail(h, ret, "cannot send to the kernel: %s", strerror(-ret));
	while (ret >= 0 && !call->over) {
		ret = receive(h, sk, ANSWER_MS);
		if (ret == -EAGAIN)
			ret = usbpass_handle_fail(h, -ETIMEDOUT, "the kernel does not answer");
		else if (ret < 0)
			usbpass_handle_fail(h, ret, "cannot read from the kernel: %s",
					    strerror(-ret));
		else
			ret = take_buffer(h, ret, call);
	}
	if (ret < 0)
		return ret;
	if (call->refused)
		return call->refused;
	if (call->error)
		return usbpass_handle_fail(h, call->error, "cannot take the kernel's answer: %s",
					   strerror(-call->error));
	return call->torn ? -EINTR : 0;
}

int usbpass_message_call(struct usbpass *h, struct nl_sock *sk, struct nl_msg *msg, message_fn fn,
			 void *arg)
{
	struct call call = { .requests = nlmsg_hdr(msg), .n = 1, .fn = fn, .arg = arg };
	int ret;

	if (!(call.requests->nlmsg_flags & NLM_F_DUMP))
		call.requests->nlmsg_flags |= NLM_F_ACK;
	nl_complete_msg(sk, msg);
	ret = exchange(h, sk, call.requests->nlmsg_len, &call);
	nlmsg_free(msg);
	return ret;
}

int usbpass_message_calls(struct usbpass *h, void *requests, size_t len, size_t n, message_fn fn,
			  void *arg, size_t *refused)
{
	struct call call = { .requests = requests, .n = n, .fn = fn, .arg = arg };
	int ret;

	request(&call, n - 1)->nlmsg_flags |= NLM_F_ACK;
	ret = exchange(h, h->calls, len, &call);
	*refused = call.which;
	return ret;
}
