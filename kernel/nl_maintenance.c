// SPDX-License-Identifier: GPL-2.0
#include "maintenance.h"
#include "nl.h"

int usbpass_nl_maintenance_set(struct sk_buff *skb, struct genl_info *info)
{
	u32 flags;
	int err = usbpass_nl_flags(info, 0, &flags);

	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, USBPASS_A_MAINTENANCE)) {
		NL_SET_ERR_MSG(info->extack, "usbpass: maintenance on or off? that is missing");
		return -EINVAL;
	}
	usbpass_maintenance_set(nla_get_u8(info->attrs[USBPASS_A_MAINTENANCE]));
	return 0;
}
