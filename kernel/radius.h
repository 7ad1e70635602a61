/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_RADIUS_H
#define _USBPASS_RADIUS_H

#include <linux/types.h>
#include <linux/usb.h>
#include <linux/usbpass.h>

struct netlink_ext_ack;
struct usbpass_device;

/* A device that a reset would hit, and whether it bars it. */
struct usbpass_hit {
	struct usbpass_device *dev;	/* reference */
	u32 attach_id;			/* that leased it when it was looked at; 0: none */
	u8 in_the_way;			/* enum usbpass_in_the_way */
};

/* What a reset would hit: the device itself first, then by age. */
struct usbpass_radius {
	struct usbpass_device *dev;	/* the caller's */
	struct usb_device *hub;		/* that @dev is plugged into; reference */
	u8 kind;			/* enum usbpass_reset_kind */
	u32 attach_id;			/* whose consumer asks, or has the device; 0: nobody has */
	struct usbpass_hit *hits;
	u32 nr;
};

/*
 * survey -> [mark -> the reset -> unmark] -> free. Topology is the device
 * table's, under usbpass_registry_lock; a reset of a hub surveys again with the
 * hub's device lock held, so that nothing is plugged into it any more.
 */
/*
 * @attach_id: 0, the administrator asks. 0; -ENODEV, the device left;
 * -EOPNOTSUPP, HUB and a root hub; -ENOMEM. free() is for 0 only.
 */
int usbpass_radius_survey(struct usbpass_radius *radius, struct usbpass_device *dev, u8 kind,
			  u32 attach_id);
/* The same for the administrator, with what is wrong told. Also -EOPNOTSUPP: @dev is a hub. */
int usbpass_radius_survey_told(struct usbpass_radius *radius, struct usbpass_device *dev, u8 kind,
			       struct netlink_ext_ack *extack);
void usbpass_radius_free(struct usbpass_radius *radius);
/* The first device in the way; NULL: none. */
const struct usbpass_hit *usbpass_radius_barred(const struct usbpass_radius *radius);
/*
 * From now on nothing in it is leased or claimed. 0; -EBUSY: something is being
 * reset already; -EAGAIN: leased or plugged in since the survey, look again.
 */
int usbpass_radius_mark(struct usbpass_radius *radius);
void usbpass_radius_unmark(struct usbpass_radius *radius);

#endif /* _USBPASS_RADIUS_H */
