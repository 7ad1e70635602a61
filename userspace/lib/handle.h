/* SPDX-License-Identifier: GPL-2.0 */
/* Inside of a handle; for the files of this library only. */
#ifndef _LIBUSBPASS_HANDLE_H
#define _LIBUSBPASS_HANDLE_H

#include <netlink/netlink.h>
#include "usbpass.h"

/* Large enough for any dump message that the kernel builds (32 KiB). */
#define HANDLE_BUFFER_BYTES	65536

struct event_node {
	struct event_node *next;
	struct usbpass_event event;
};

struct usbpass {
	struct nl_sock *calls;		/* requests, replies, the stage */
	struct nl_sock *events;		/* NULL until subscribed */
	int family;
	struct event_node *first, **last;	/* received, not yet taken */
	int error;			/* negative errno of the last call */
	char message[512];
	char attr[64];
	unsigned char *buffer;
};

/* A connected socket with extended acks, or NULL with errno set. */
struct nl_sock *usbpass_handle_socket(void);

/* Keeps @error and the sentence; returns @error. */
int usbpass_handle_fail(struct usbpass *h, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* _LIBUSBPASS_HANDLE_H */
