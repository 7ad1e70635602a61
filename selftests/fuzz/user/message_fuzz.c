// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever comes from the netlink socket, each call of the library ends, with the kernel's answer or an error in words, and
 * reads no byte behind what was received. Input: the call, then datagrams with their length before each (16 bits); a header's
 * sequence number is made a request's if it is odd, else 0, which is how events come.
 */
// wrap: recv poll send nl_socket_get_fd
#include <errno.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <sys/socket.h>
#include "handle.h"
#include "message.h"
#include "state.h"
#include "fuzz.h"

#define FAMILY	0x20

static struct input in;
static uint32_t seq, requests;

int __wrap_nl_socket_get_fd(const struct nl_sock *sk);
int __wrap_nl_socket_get_fd(const struct nl_sock *sk)
{
	return sk ? 0 : -1;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	const struct nlmsghdr *request = buf;
	int rem = (int)len;

	(void)fd;
	(void)flags;
	seq = request->nlmsg_seq;
	for (requests = 0; nlmsg_ok(request, rem); requests++) {
		CHECK(request->nlmsg_seq == seq + requests, "requests out of order");
		request = nlmsg_next((struct nlmsghdr *)request, &rem);
	}
	CHECK(requests && rem <= 0, "requests of another length");
	return (ssize_t)len;
}

/* The kernel answers at once, or never: no time passes here. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	(void)fds;
	(void)n;
	(void)timeout;
	return in.left >= 2;
}

static void number(unsigned char *bytes, int len)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)bytes;

	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len))
		nlh->nlmsg_seq = nlh->nlmsg_seq & 1 ? seq + (nlh->nlmsg_seq >> 1) % requests : 0;
}

ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t size, int flags)
{
	size_t len;

	(void)fd;
	if (in.left < 2 && flags & MSG_DONTWAIT) {
		errno = EAGAIN;
		return -1;
	}
	len = take_u16(&in);
	if (len > in.left)
		len = in.left;
	CHECK(len <= size, "a buffer of %zu bytes", size);
	ASAN_UNPOISON_MEMORY_REGION(buf, size);
	take(&in, buf, len);
	number(buf, (int)len);
	ASAN_POISON_MEMORY_REGION((char *)buf + len, size - len);
	return (ssize_t)len;
}

static void list(struct usbpass *h, uint8_t kind)
{
	static const struct {
		uint8_t cmd;
		const struct codec *codec;
	} kinds[] = {
		{ USBPASS_CMD_DEVICE_GET, &usbpass_codec_device },
		{ USBPASS_CMD_GROUP_GET, &usbpass_codec_group },
		{ USBPASS_CMD_RULE_GET, &usbpass_codec_rule },
		{ USBPASS_CMD_ATTACH_GET, &usbpass_codec_attachment },
		{ USBPASS_CMD_EVENT_GET, &usbpass_codec_event },
		{ USBPASS_CMD_LEARNED_GET, &usbpass_codec_learned },
	};
	const struct codec *codec = kinds[kind % 6].codec;
	void *objects;
	size_t n;

	if (usbpass_message_list(h, kinds[kind % 6].cmd, codec, NULL, &objects, &n) == 0)
		usbpass_message_list_free(codec, objects, n);
	else
		CHECK(!objects && !n, "a failed list leaves something");
}

/* Some more than go at once. */
static int commit(struct usbpass *h)
{
	static struct usbpass_group groups[70];
	struct usbpass_state state = { .groups = groups, .n_groups = sizeof(groups) / sizeof(groups[0]) };
	char err[256] = "";
	int ret;

	for (size_t i = 0; i < state.n_groups; i++) {
		groups[i].has = USBPASS_HAS(USBPASS_A_GROUP_NAME);
		snprintf(groups[i].name, sizeof(groups[i].name), "g%zu", i);
	}
	ret = usbpass_state_commit(h, &state, 0, NULL, err, sizeof(err));
	CHECK(ret == 0 || err[0], "%d without a word", ret);
	return 0;
}

static int reset(struct usbpass *h, bool radius)
{
	struct usbpass_hit *hits;
	uint32_t job;
	size_t n;
	int ret;

	if (!radius)
		return usbpass_device_reset(h, 1, USBPASS_RESET_KIND_HUB, 0, &job);
	ret = usbpass_device_radius(h, 1, USBPASS_RESET_KIND_HUB, &hits, &n);
	CHECK(!ret || (!hits && !n), "a failed list leaves something");
	usbpass_hit_list_free(hits, n);
	return ret;
}

static int call(struct usbpass *h, uint8_t which)
{
	struct usbpass_attachment attachment = { .has = USBPASS_HAS(USBPASS_A_ATTACH_NAME), .name = "a" };
	struct usbpass_state state;
	struct usbpass_device device;
	struct usbpass_verdict *verdicts;
	struct usbpass_rule rule;
	struct usbpass_event event;
	struct usbpass_info info;
	size_t n;
	int ret;

	switch (which % 8) {
	case 0:
		return usbpass_info_get(h, &info);
	case 1:
		ret = usbpass_device_get(h, 1, &device);
		if (!ret)
			usbpass_device_clear(&device);
		return ret;
	case 2:
		if (which & 8) {
			device = (struct usbpass_device){ .has = USBPASS_HAS(USBPASS_A_DEVICE_ID), .id = 1 };
			ret = usbpass_rule_explain(h, &device, &verdicts, &n);
			if (!ret)
				usbpass_verdict_list_free(verdicts, n);
			return ret;
		}
		ret = usbpass_rule_test(h, 1, &rule);
		if (!ret)
			usbpass_rule_clear(&rule);
		return ret;
	case 3:
		ret = usbpass_state_read(h, &state);
		if (!ret)
			usbpass_state_free(&state);
		return ret;
	case 4:
		ret = usbpass_event_next(h, &event, 0);
		return ret == -EAGAIN ? 0 : ret;	/* no error worth a sentence */
	case 5:
		if (which & 8)
			return commit(h);
		return usbpass_device_claim(h, 1, NULL, 0, 0);
	case 6:
		if (which & 8)
			return reset(h, which & 16);
		return usbpass_attachment_new(h, &attachment);
	default:
		list(h, which / 8);
		return 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nl_sock *sk;
	struct usbpass *h = calloc(1, sizeof(*h));
	struct event_node *node;
	int ret;

	if (!sk)
		sk = nl_socket_alloc();
	in = (struct input){ data, size };
	h->last = &h->first;
	h->buffer = malloc(HANDLE_BUFFER_BYTES);
	h->family = FAMILY;
	h->calls = h->events = sk;
	ret = call(h, take_u8(&in));
	CHECK(strlen(usbpass_error(h)) < 512 && strlen(usbpass_error_attr(h)) < 64, "an error without an end");
	CHECK(ret >= 0 || usbpass_error(h)[0], "%d without a word", ret);
	while ((node = h->first)) {
		h->first = node->next;
		free(node);
	}
	ASAN_UNPOISON_MEMORY_REGION(h->buffer, HANDLE_BUFFER_BYTES);
	free(h->buffer);
	free(h);
	return 0;
}
