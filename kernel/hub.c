// SPDX-License-Identifier: GPL-2.0
#include "hub.h"

/* bDescLength, bDescriptorType, bNbrPorts, wHubCharacteristics (little endian)... */
#define TYPE_AT			1
#define CHARACTERISTICS_AT	3
#define TYPE_USB2		0x29	/* USB 2.0, 11.23.2.1 */
#define TYPE_SUPERSPEED		0x2a	/* USB 3.2, 10.15.2.1 */
#define BYTES_USB2		7	/* without the fields that grow with the ports */
#define BYTES_SUPERSPEED	12

enum usbpass_hub_power usbpass_hub_power(const u8 *descriptor, size_t bytes)
{
	if (bytes < BYTES_USB2 ||
	    (descriptor[TYPE_AT] != TYPE_USB2 && descriptor[TYPE_AT] != TYPE_SUPERSPEED) ||
	    (descriptor[TYPE_AT] == TYPE_SUPERSPEED && bytes < BYTES_SUPERSPEED))
		return USBPASS_HUB_POWER_NONE;
	switch (descriptor[CHARACTERISTICS_AT] & 3) {
	case 0:
		return USBPASS_HUB_POWER_GANGED;
	case 1:
		return USBPASS_HUB_POWER_PORT;
	default:	/* USB 1.0's hubs that switch nothing; reserved in SuperSpeed ones */
		return USBPASS_HUB_POWER_NONE;
	}
}
