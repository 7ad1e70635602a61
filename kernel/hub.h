/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_HUB_H
#define _USBPASS_HUB_H

#include <linux/types.h>

/* What a hub's own descriptor says of how it switches the power of its ports. */
enum usbpass_hub_power {
	USBPASS_HUB_POWER_NONE,		/* it does not, or its descriptor is broken */
	USBPASS_HUB_POWER_PORT,		/* each by itself */
	USBPASS_HUB_POWER_GANGED,	/* all together */
};

/* Of a USB 2 (type 0x29) or SuperSpeed hub (0x2a), as on the wire. */
enum usbpass_hub_power usbpass_hub_power(const u8 *descriptor, size_t bytes);

#endif /* _USBPASS_HUB_H */
