/* SPDX-License-Identifier: GPL-2.0 */
/* A request, its answers and its acknowledgement. */
#ifndef _LIBUSBPASS_MESSAGE_H
#define _LIBUSBPASS_MESSAGE_H

#include <netlink/msg.h>
#include "codec.h"
#include "handle.h"

#define MESSAGE_BYTES	69632	/* of a request: one attribute of the most that it can have, and some */

/* Top-level attributes of an answer, indexed by USBPASS_A_*. Negative: stop with it. */
typedef int (*message_fn)(struct nlattr **tb, void *arg);

/* A request, or NULL with the handle's error set. message_call frees it. */
struct nl_msg *usbpass_message_new(struct usbpass *h, uint8_t cmd, int nl_flags);

/*
 * Sends @msg on @sk, gives each answer to @fn (NULL: none is wanted) and
 * returns what the acknowledgement says. Frees @msg. -EINTR: a dump that a
 * change has torn.
 */
int usbpass_message_call(struct usbpass *h, struct nl_sock *sk, struct nl_msg *msg, message_fn fn,
			 void *arg);

/*
 * The same of @n requests at once, one behind another as in a datagram and numbered in a row, on the
 * handle's calls: @fn gets the answers of all. The kernel takes each, whatever became of the ones
 * before; what is returned is about the first that it refused, *@refused is its index.
 */
int usbpass_message_calls(struct usbpass *h, void *requests, size_t len, size_t n, message_fn fn,
			  void *arg, size_t *refused);

/* Reads once from @sk; events in it are queued in the handle. 0, or -EAGAIN on time-out. */
int usbpass_message_pump(struct usbpass *h, struct nl_sock *sk, int timeout);

/*
 * The verbs that all kinds of object have. _list gives an array that
 * usbpass_message_list_free() frees; _new, _get and _id_call decode the answer
 * into @out where that is not NULL.
 */
int usbpass_message_object(struct usbpass *h, uint8_t cmd, const struct codec *codec,
			   const void *in, uint32_t flags, void *out);
int usbpass_message_list(struct usbpass *h, uint8_t cmd, const struct codec *codec,
			 const uint64_t *since, void **out, size_t *n);
void usbpass_message_list_free(const struct codec *codec, void *list, size_t n);

#endif /* _LIBUSBPASS_MESSAGE_H */
