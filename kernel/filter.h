/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_FILTER_H
#define _USBPASS_FILTER_H

#include <linux/usb/ch9.h>

struct usbpass_lease;

enum usbpass_filter_verdict {
	USBPASS_FILTER_PASS,		/* to the device as it is */
	USBPASS_FILTER_CARRY_OUT,	/* by usbpass_filter_carry_out() instead */
};

/*
 * May a consumer send this request on endpoint 0? A verdict, or: -EPERM, it
 * would leave the kernel and the device out of step; -EACCES, it is for an
 * interface that the consumer has not claimed; -ENOENT, for one that is not.
 */
int usbpass_filter_check(struct usbpass_lease *lease, const struct usb_ctrlrequest *request);

/*
 * Through the USB core, so that kernel and device stay in step. May take
 * seconds. 0, or the status that the device would have given: -EPIPE, -EPROTO.
 */
int usbpass_filter_carry_out(struct usbpass_lease *lease,
			     const struct usb_ctrlrequest *request);

#endif /* _USBPASS_FILTER_H */
