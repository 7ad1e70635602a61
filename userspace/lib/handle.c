// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/netlink.h>
#include "handle.h"

struct nl_sock *usbpass_handle_socket(void)
{
	struct nl_sock *sk = nl_socket_alloc();
	int on = 1, err;

	if (!sk) {
		errno = ENOMEM;
		return NULL;
	}
	errno = 0;
	if (genl_connect(sk) < 0)
		goto err_free;
	nl_socket_disable_auto_ack(sk);
	if (setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) < 0)
		goto err_free;
	/* A burst of events must not overrun a subscriber that is about to read. */
	nl_socket_set_buffer_size(sk, 1 << 20, 1 << 18);
	return sk;

err_free:
	err = errno ? errno : EIO;
	nl_socket_free(sk);
	errno = err;
	return NULL;
}

int usbpass_open(struct usbpass **out)
{
	struct usbpass *h = calloc(1, sizeof(*h));
	int ret = -ENOMEM;

	*out = NULL;
	if (!h)
		return ret;
	h->last = &h->first;
	h->buffer = malloc(HANDLE_BUFFER_BYTES);
	if (!h->buffer)
		goto err_close;
	h->calls = usbpass_handle_socket();
	if (!h->calls) {
		ret = -errno;
		goto err_close;
	}
	h->family = genl_ctrl_resolve(h->calls, USBPASS_GENL_NAME);
	if (h->family < 0) {
		ret = -ENOTCONN;
		goto err_close;
	}
	*out = h;
	return 0;

err_close:
	usbpass_close(h);
	return ret;
}

void usbpass_close(struct usbpass *h)
{
	struct event_node *node;

	if (!h)
		return;
	while ((node = h->first)) {
		h->first = node->next;
		free(node);
	}
	nl_socket_free(h->events);
	nl_socket_free(h->calls);
	free(h->buffer);
	free(h);
}

int usbpass_handle_fail(struct usbpass *h, int error, const char *format, ...)
{
	va_list args;

	h->error = error;
	va_start(args, format);
	vsnprintf(h->message, sizeof(h->message), format, args);
	va_end(args);
	return error;
}

const char *usbpass_error(const struct usbpass *h)
{
	return h->message[0] ? h->message : strerror(-h->error);
}

int usbpass_error_code(const struct usbpass *h)
{
	return h->error;
}

const char *usbpass_error_attr(const struct usbpass *h)
{
	return h->attr;
}
