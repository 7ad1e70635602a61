// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include "config.h"
#include "config_priv.h"
#include "confirm.h"
#include "device.h"
#include "event.h"
#include "hold.h"
#include "maintenance.h"
#include "memory.h"
#include "nl.h"

#define FEATURES	(USBPASS_FEATURE_RULES_EQ | USBPASS_FEATURE_RESET_DEVICE | \
			 USBPASS_FEATURE_RULES_TEXT | USBPASS_FEATURE_QUARANTINE | \
			 USBPASS_FEATURE_RESET_HUB)

static int fill(struct sk_buff *skb)
{
	struct nlattr *nest = nla_nest_start(skb, USBPASS_A_INFO);
	const struct usbpass_config *config = usbpass_config_current();
	u32 devices, claimed, leases;

	if (!nest)
		return -EMSGSIZE;
	usbpass_device_count(&devices, &claimed, &leases);
	if (nla_put_string(skb, USBPASS_A_INFO_VERSION, THIS_MODULE->version) ||
	    nla_put_u64_64bit(skb, USBPASS_A_INFO_FEATURES, FEATURES, USBPASS_A_INFO_PAD) ||
	    nla_put_string(skb, USBPASS_A_INFO_NODE, config->node) ||
	    nla_put_u32(skb, USBPASS_A_INFO_DEVICES, devices) ||
	    nla_put_u32(skb, USBPASS_A_INFO_CLAIMED, claimed) ||
	    nla_put_u32(skb, USBPASS_A_INFO_LEASES, leases) ||
	    nla_put_u32(skb, USBPASS_A_INFO_GROUPS, config->nr_groups) ||
	    nla_put_u32(skb, USBPASS_A_INFO_RULES, config->rules.nr) ||
	    nla_put_u32(skb, USBPASS_A_INFO_ATTACHMENTS, config->nr_attaches) ||
	    nla_put_u64_64bit(skb, USBPASS_A_INFO_EVENT_SEQ, usbpass_event_last_seq(),
			      USBPASS_A_INFO_PAD) ||
	    nla_put_u64_64bit(skb, USBPASS_A_INFO_TRANSFER_BYTES, usbpass_memory_in_use(),
			      USBPASS_A_INFO_PAD) ||
	    nla_put_u32(skb, USBPASS_A_INFO_HOLD_MS, usbpass_hold_left_ms()) ||
	    nla_put_u32(skb, USBPASS_A_INFO_CONFIRM_MS, usbpass_confirm_left_ms()) ||
	    nla_put_u8(skb, USBPASS_A_INFO_MAINTENANCE, usbpass_maintenance_is_on()))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return nla_put_u64_64bit(skb, USBPASS_A_GENERATION, config->generation, USBPASS_A_PAD);
}

int usbpass_nl_info(struct sk_buff *skb, struct genl_info *info)
{
	struct usbpass_nl_message message;
	int err = usbpass_nl_reply_begin(info, &message);

	if (err)
		return err;
	usbpass_config_lock();
	err = fill(message.skb);
	usbpass_config_unlock();
	return usbpass_nl_reply_end(info, &message, err);
}
