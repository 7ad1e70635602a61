// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "message.h"

static struct usbpass_group key(uint32_t id, const char *name)
{
	struct usbpass_group group = { .id = id };

	group.has = USBPASS_HAS(id ? USBPASS_A_GROUP_ID : USBPASS_A_GROUP_NAME);
	if (!id)
		snprintf(group.name, sizeof(group.name), "%s", name);
	return group;
}

int usbpass_group_get(struct usbpass *h, uint32_t id, const char *name, struct usbpass_group *out)
{
	struct usbpass_group in = key(id, name);

	return usbpass_message_object(h, USBPASS_CMD_GROUP_GET, &usbpass_codec_group, &in, 0, out);
}

int usbpass_group_list(struct usbpass *h, struct usbpass_group **out, size_t *n)
{
	return usbpass_message_list(h, USBPASS_CMD_GROUP_GET, &usbpass_codec_group, NULL,
				    (void **)out, n);
}

int usbpass_group_new(struct usbpass *h, struct usbpass_group *group)
{
	struct usbpass_group made = {};
	int ret = usbpass_message_object(h, USBPASS_CMD_GROUP_NEW, &usbpass_codec_group, group, 0,
					 &made);

	if (ret < 0)
		return ret;
	group->id = made.id;
	snprintf(group->name, sizeof(group->name), "%s", made.name);
	group->has |= made.has;
	return 0;
}

int usbpass_group_set(struct usbpass *h, const struct usbpass_group *group)
{
	return usbpass_message_object(h, USBPASS_CMD_GROUP_SET, &usbpass_codec_group, group, 0,
				      NULL);
}

int usbpass_group_del(struct usbpass *h, uint32_t id, const char *name)
{
	struct usbpass_group in = key(id, name);

	return usbpass_message_object(h, USBPASS_CMD_GROUP_DEL, &usbpass_codec_group, &in, 0, NULL);
}

void usbpass_group_list_free(struct usbpass_group *list, size_t n)
{
	usbpass_message_list_free(&usbpass_codec_group, list, n);
}
