/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_STEP_H
#define _USBPASS_STEP_H

#include <linux/types.h>

struct netlink_ext_ack;
struct usbpass_device;
struct usbpass_lease;

/*
 * A reset that is carried out by a work: what waits for other devices, for a
 * hub or for the daemon, and all that the administrator asks for.
 */
int usbpass_step_init(void);
void usbpass_step_exit(void);

/*
 * Of a consumer, device lock held: PORT or HUB. What is not available or barred
 * falls to the next lower step, and to HUB first where PORT is not available.
 * The lease submits nothing until it is over. 0; -EBUSY, one is on its way;
 * -ENOMEM.
 */
int usbpass_step_queue(struct usbpass_lease *lease, struct usbpass_device *dev, u8 kind);
/* The same, without falling. */
int usbpass_step_queue_only(struct usbpass_lease *lease, struct usbpass_device *dev, u8 kind);

/* DEVICE_RESET: errors as in linux/usbpass.h, told. @flags: USBPASS_F_FORCE. */
int usbpass_step_request(u32 device_id, u8 kind, u32 flags, u32 *job,
			 struct netlink_ext_ack *extack);

#endif /* _USBPASS_STEP_H */
