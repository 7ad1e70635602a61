// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "message.h"

int usbpass_learned_new(struct usbpass *h, const struct usbpass_learned *learned)
{
	return usbpass_message_object(h, USBPASS_CMD_LEARNED_NEW, &usbpass_codec_learned, learned,
				      0, NULL);
}

int usbpass_learned_del(struct usbpass *h, const struct usbpass_learned *learned)
{
	struct usbpass_learned in = *learned;

	in.has &= ~USBPASS_HAS(USBPASS_A_LEARNED_UNTIL);
	return usbpass_message_object(h, USBPASS_CMD_LEARNED_DEL, &usbpass_codec_learned, &in, 0,
				      NULL);
}

int usbpass_learned_list(struct usbpass *h, struct usbpass_learned **out, size_t *n)
{
	return usbpass_message_list(h, USBPASS_CMD_LEARNED_GET, &usbpass_codec_learned, NULL,
				    (void **)out, n);
}

struct usbpass_learned usbpass_learned_of(const struct usbpass_device *device)
{
	struct usbpass_learned learned = { .vendor = device->vendor, .product = device->product };

	learned.has = USBPASS_HAS(USBPASS_A_LEARNED_VENDOR) | USBPASS_HAS(USBPASS_A_LEARNED_PRODUCT);
	if (device->serial[0]) {
		strcpy(learned.serial, device->serial);
		learned.has |= USBPASS_HAS(USBPASS_A_LEARNED_SERIAL);
	} else {
		strcpy(learned.socket, device->socket);
		learned.has |= USBPASS_HAS(USBPASS_A_LEARNED_SOCKET);
	}
	return learned;
}

bool usbpass_learned_is_of(const struct usbpass_learned *learned,
			   const struct usbpass_device *device)
{
	const struct usbpass_learned of = usbpass_learned_of(device);

	return learned->vendor == of.vendor && learned->product == of.product &&
	       !strcmp(learned->serial, of.serial) && !strcmp(learned->socket, of.socket);
}
