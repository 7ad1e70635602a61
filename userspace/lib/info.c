// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include "message.h"

static int take_info(struct nlattr **tb, void *arg)
{
	struct usbpass_info *out = arg;
	int ret;

	if (!tb[USBPASS_A_INFO] || !tb[USBPASS_A_GENERATION] ||
	    nla_len(tb[USBPASS_A_GENERATION]) != sizeof(uint64_t))
		return -EBADMSG;
	ret = usbpass_codec_decode(tb[USBPASS_A_INFO], &usbpass_codec_info, out);
	out->generation = nla_get_u64(tb[USBPASS_A_GENERATION]);
	return ret;
}

int usbpass_info_get(struct usbpass *h, struct usbpass_info *out)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_INFO, 0);

	if (!msg)
		return -ENOMEM;
	return usbpass_message_call(h, h->calls, msg, take_info, out);
}

int usbpass_maintenance_set(struct usbpass *h, bool on)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_MAINTENANCE_SET, 0);

	if (!msg)
		return -ENOMEM;
	nla_put_u8(msg, USBPASS_A_MAINTENANCE, on);
	return usbpass_message_call(h, h->calls, msg, NULL, NULL);
}
