/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_HOLD_H
#define _USBPASS_HOLD_H

#include <linux/types.h>

struct usbpass_facts;

/*
 * hold_secs: on a host whose ruleset comes late, devices that are added after
 * load wait for the first commit, without a driver.
 */
void usbpass_hold_init(void);
void usbpass_hold_exit(void);
/*
 * Is it one that waits now? Never a hub or a boot keyboard, nor a mass storage
 * device: it may carry /, swap or the resume image, and nothing tells that
 * before it is mounted.
 */
bool usbpass_hold_applies(const struct usbpass_facts *facts);
u32 usbpass_hold_left_ms(void);

#endif /* _USBPASS_HOLD_H */
