/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_FRONTEND_H
#define _USBPASS_FRONTEND_H

struct usbpass_lease;
struct usbpass_transfer;

/*
 * What sits on a lease: the usbdevfs node today. A front end decodes and moves
 * memory; what may be done is decided below it.
 */
struct usbpass_frontend {
	const char *name;
	/*
	 * A transfer is over; the front end owns it again. May run in softirq
	 * with nothing held; must not sleep.
	 */
	void (*complete)(struct usbpass_transfer *xfer);
	/* The lease is gone for good. Process context; must not wait for the consumer. */
	void (*gone)(struct usbpass_lease *lease);
};

#endif /* _USBPASS_FRONTEND_H */
