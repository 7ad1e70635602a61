/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LIBUSBPASS_EVENT_QUEUE_H
#define _LIBUSBPASS_EVENT_QUEUE_H

#include "handle.h"

struct nlattr;

/* Keeps an event that came, perhaps between a request and its answer. In event.c. */
int usbpass_event_queue(struct usbpass *h, struct nlattr **tb);

#endif /* _LIBUSBPASS_EVENT_QUEUE_H */
