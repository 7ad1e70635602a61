/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_POOL_H
#define _USBPASS_POOL_H

#include <linux/types.h>

struct usbpass_attach;
struct usbpass_device;

/* What the devices that could fill an attachment are doing. */
struct usbpass_pool {
	struct usbpass_device *free;	/* the first; no reference */
	bool disabled;			/* the attachment or its group */
	unsigned int cleaning, leased, pending, failed, resetting;
	const char *error, *remedy;	/* of a failed one; literals */
};

/* registry_lock held. */
void usbpass_pool_survey(const struct usbpass_attach *attach, struct usbpass_pool *pool);

#endif /* _USBPASS_POOL_H */
