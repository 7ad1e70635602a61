/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_POWER_H
#define _USBPASS_POWER_H

#include <linux/types.h>

struct net;
struct usb_device;
struct usbpass_device;

/*
 * Power cycles of a port. The switch is an attribute of the port in sysfs, so a
 * socket that subscribed with USBPASS_F_POWER (the daemon) does it on an event.
 */
bool usbpass_power_available(void);
/*
 * Asks for one and waits for its end, USBPASS_POWER_SECS at most. @hub: @dev's.
 * 0; -EOPNOTSUPP, nobody does it; -ENODEV; -ETIMEDOUT; else what was answered.
 */
int usbpass_power_cycle(struct usbpass_device *dev, struct usb_device *hub, u32 job);
/* A socket closed: where it was the one, nobody answers any more. */
void usbpass_power_forsaken(void);
void usbpass_power_exit(void);	/* ends those that are under way with -ETIMEDOUT */
/* The answer. -ENOENT: no such cycle; -EPERM: another socket's. @result: 0 or a negative errno. */
int usbpass_power_done(struct net *net, u32 portid, u32 job, int result);

#endif /* _USBPASS_POWER_H */
