// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include "message.h"

static struct usbpass_attachment key(uint32_t id, const char *name)
{
	struct usbpass_attachment attachment = { .id = id };

	attachment.has = USBPASS_HAS(id ? USBPASS_A_ATTACH_ID : USBPASS_A_ATTACH_NAME);
	if (!id)
		snprintf(attachment.name, sizeof(attachment.name), "%s", name);
	return attachment;
}

int usbpass_attachment_get(struct usbpass *h, uint32_t id, const char *name,
			   struct usbpass_attachment *out)
{
	struct usbpass_attachment in = key(id, name);

	return usbpass_message_object(h, USBPASS_CMD_ATTACH_GET, &usbpass_codec_attachment, &in, 0,
				      out);
}

int usbpass_attachment_list(struct usbpass *h, struct usbpass_attachment **out, size_t *n)
{
	return usbpass_message_list(h, USBPASS_CMD_ATTACH_GET, &usbpass_codec_attachment, NULL,
				    (void **)out, n);
}

int usbpass_attachment_new(struct usbpass *h, struct usbpass_attachment *attachment)
{
	struct usbpass_attachment made = {};
	int ret = usbpass_message_object(h, USBPASS_CMD_ATTACH_NEW, &usbpass_codec_attachment,
					 attachment, 0, &made);

	if (ret < 0)
		return ret;
	attachment->id = made.id;
	attachment->slot = made.slot;
	snprintf(attachment->name, sizeof(attachment->name), "%s", made.name);
	snprintf(attachment->slug, sizeof(attachment->slug), "%s", made.slug);
	attachment->has |= made.has;
	return 0;
}

int usbpass_attachment_set(struct usbpass *h, const struct usbpass_attachment *attachment,
			   uint32_t flags)
{
	return usbpass_message_object(h, USBPASS_CMD_ATTACH_SET, &usbpass_codec_attachment,
				      attachment, flags, NULL);
}

int usbpass_attachment_del(struct usbpass *h, uint32_t id, const char *name, uint32_t flags)
{
	struct usbpass_attachment in = key(id, name);

	return usbpass_message_object(h, USBPASS_CMD_ATTACH_DEL, &usbpass_codec_attachment, &in,
				      flags, NULL);
}

void usbpass_attachment_list_free(struct usbpass_attachment *list, size_t n)
{
	usbpass_message_list_free(&usbpass_codec_attachment, list, n);
}
