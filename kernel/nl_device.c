// SPDX-License-Identifier: GPL-2.0
#include "config.h"
#include "config_priv.h"
#include "device.h"
#include "name.h"
#include "nl.h"
#include "reconcile.h"
#include "rule.h"

const struct nla_policy usbpass_nl_device_policy[USBPASS_A_DEVICE_MAX + 1] = {
	[USBPASS_A_DEVICE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[USBPASS_A_DEVICE_REASON] = { .type = NLA_NUL_STRING, .len = USBPASS_REASON_MAX },
};

static int put_string(struct sk_buff *skb, int type, const char *string)
{
	return string && *string ? nla_put_string(skb, type, string) : 0;
}

static int put_facts(struct sk_buff *skb, const struct usbpass_facts *facts)
{
	const struct usb_device_descriptor *desc = &facts->descriptor;
	u32 class = desc->bDeviceClass << 16 | desc->bDeviceSubClass << 8 |
		    desc->bDeviceProtocol;
	u32 i;

	if (nla_put_u32(skb, USBPASS_A_DEVICE_ID, facts->id) ||
	    nla_put_string(skb, USBPASS_A_DEVICE_SOCKET, facts->socket) ||
	    nla_put_string(skb, USBPASS_A_DEVICE_BUSID, facts->busid) ||
	    nla_put_u32(skb, USBPASS_A_DEVICE_BUS, facts->bus) ||
	    nla_put_u32(skb, USBPASS_A_DEVICE_ADDRESS, facts->address) ||
	    nla_put_u32(skb, USBPASS_A_DEVICE_LEVEL, facts->level) ||
	    nla_put_u16(skb, USBPASS_A_DEVICE_VENDOR, le16_to_cpu(desc->idVendor)) ||
	    nla_put_u16(skb, USBPASS_A_DEVICE_PRODUCT, le16_to_cpu(desc->idProduct)) ||
	    nla_put_u16(skb, USBPASS_A_DEVICE_BCD_USB, le16_to_cpu(desc->bcdUSB)) ||
	    nla_put_u16(skb, USBPASS_A_DEVICE_BCD_DEVICE, le16_to_cpu(desc->bcdDevice)) ||
	    nla_put_u32(skb, USBPASS_A_DEVICE_CLASS, class) ||
	    put_string(skb, USBPASS_A_DEVICE_VENDOR_NAME, facts->vendor_name) ||
	    put_string(skb, USBPASS_A_DEVICE_PRODUCT_NAME, facts->product_name) ||
	    put_string(skb, USBPASS_A_DEVICE_SERIAL, facts->serial) ||
	    nla_put_u32(skb, USBPASS_A_DEVICE_SPEED, facts->speed_kbps) ||
	    nla_put_u8(skb, USBPASS_A_DEVICE_REMOVABLE, facts->removable) ||
	    nla_put_u32(skb, USBPASS_A_DEVICE_INTERFACES, facts->interfaces) ||
	    nla_put_u64_64bit(skb, USBPASS_A_DEVICE_TIME, facts->time_ns, USBPASS_A_DEVICE_PAD))
		return -EMSGSIZE;
	for (i = 0; i < facts->nr_classes; i++)
		if (nla_put_u32(skb, USBPASS_A_DEVICE_INTERFACE_CLASS, facts->classes[i]))
			return -EMSGSIZE;
	return 0;
}

static const struct usbpass_rule *rule_by_id(u32 id)
{
	const struct usbpass_config *config = usbpass_config_current();
	u32 i;

	for (i = 0; i < config->rules.nr; i++)
		if (config->rules.rules[i]->id == id)
			return config->rules.rules[i];
	return NULL;
}

static int put_verdict(struct sk_buff *skb, const struct usbpass_verdict *verdict)
{
	const struct usbpass_rule *rule = verdict->rule_id ? rule_by_id(verdict->rule_id) : NULL;
	struct usbpass_group *group;
	int err = 0;

	if (rule && (nla_put_u32(skb, USBPASS_A_DEVICE_RULE, rule->id) ||
		     nla_put_string(skb, USBPASS_A_DEVICE_RULE_NAME, rule->name)))
		return -EMSGSIZE;
	group = verdict->group_id ? usbpass_config_group(verdict->group_id) : NULL;
	if (group) {
		err = nla_put_string(skb, USBPASS_A_DEVICE_GROUP, group->name);
		usbpass_group_put(group);
	}
	return err;
}

static int put_attach(struct sk_buff *skb, u32 attach_id)
{
	struct usbpass_attach *attach = attach_id ? usbpass_config_attach(attach_id) : NULL;
	int err;

	if (!attach)
		return 0;
	err = nla_put_string(skb, USBPASS_A_DEVICE_ATTACH, attach->name);
	usbpass_attach_put(attach);
	return err;
}

int usbpass_nl_device_fill(struct sk_buff *skb, struct usbpass_device *dev)
{
	struct nlattr *nest = nla_nest_start(skb, USBPASS_A_DEVICE);
	struct usbpass_device_status status;

	if (!nest)
		return -EMSGSIZE;
	usbpass_device_status(dev, &status);
	if (put_facts(skb, dev->facts) ||
	    nla_put_u8(skb, USBPASS_A_DEVICE_STATE, status.state) ||
	    put_string(skb, USBPASS_A_DEVICE_REASON, status.reason) ||
	    put_string(skb, USBPASS_A_DEVICE_REMEDY, status.remedy) ||
	    nla_put_u32(skb, USBPASS_A_DEVICE_FLAGS, status.flags) ||
	    put_verdict(skb, &status.verdict) || put_attach(skb, status.attach_id) ||
	    nla_put_string(skb, USBPASS_A_DEVICE_OWNER, "host") ||
	    nla_put_u32(skb, USBPASS_A_DEVICE_RESETS, status.resets))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int usbpass_nl_device_parse(struct genl_info *info, struct nlattr **tb, u32 *id)
{
	int err = usbpass_nl_nest(info, USBPASS_A_DEVICE, tb, USBPASS_A_DEVICE_MAX);

	if (err)
		return err;
	if (!tb[USBPASS_A_DEVICE_ID]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[USBPASS_A_DEVICE],
				    "usbpass: which device? its id is missing");
		return -EINVAL;
	}
	*id = nla_get_u32(tb[USBPASS_A_DEVICE_ID]);
	return 0;
}

int usbpass_nl_device_get(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[USBPASS_A_DEVICE_MAX + 1];
	struct usbpass_nl_message message;
	struct usbpass_device *dev;
	u32 id, flags;
	int err = usbpass_nl_device_parse(info, tb, &id) ?: usbpass_nl_flags(info, 0, &flags);

	if (err)
		return err;
	dev = usbpass_device_by_id(id);
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[USBPASS_A_DEVICE_ID],
				    "usbpass: no present device has this id");
		return -ENODEV;
	}
	err = usbpass_nl_reply_begin(info, &message);
	if (!err) {
		usbpass_config_lock();
		err = usbpass_nl_device_fill(message.skb, dev);
		usbpass_config_unlock();
		err = usbpass_nl_reply_end(info, &message, err);
	}
	usbpass_device_put(dev);
	return err;
}

int usbpass_nl_device_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct usbpass_device *dev;
	int err = usbpass_nl_dump_refused(cb);

	if (err)
		return err;
	usbpass_config_lock();
	while ((dev = usbpass_device_next(cb->args[0]))) {
		void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					   &usbpass_nl_family, NLM_F_MULTI,
					   USBPASS_CMD_DEVICE_GET);
		bool fits = header && !usbpass_nl_device_fill(skb, dev);

		if (fits) {
			genlmsg_end(skb, header);
			cb->args[0] = dev->facts->id;
		} else if (header) {
			genlmsg_cancel(skb, header);
		}
		usbpass_device_put(dev);
		if (!fits)
			break;
	}
	usbpass_config_unlock();
	return skb->len;
}

int usbpass_nl_device_claim(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[USBPASS_A_DEVICE_MAX + 1];
	struct usbpass_nl_message message;
	const char *reason = NULL;
	u32 id, flags, job = 0;
	int err = usbpass_nl_device_parse(info, tb, &id) ?:
		  usbpass_nl_flags(info, USBPASS_F_PENDING, &flags);

	if (err)
		return err;
	if (tb[USBPASS_A_DEVICE_REASON])
		reason = nla_data(tb[USBPASS_A_DEVICE_REASON]);
	if (reason && !usbpass_name_printable(reason, false)) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[USBPASS_A_DEVICE_REASON],
				    "usbpass: not printable UTF-8");
		return -EINVAL;
	}
	err = usbpass_nl_reply_begin(info, &message);
	if (err)
		return err;
	err = usbpass_reconcile_request_claim(id, flags, reason, &job, info->extack);
	if (err)
		NL_SET_BAD_ATTR(info->extack, tb[USBPASS_A_DEVICE_ID]);
	return usbpass_nl_reply_job(info, &message, job, err);
}

int usbpass_nl_device_release(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[USBPASS_A_DEVICE_MAX + 1];
	struct usbpass_nl_message message;
	u32 id, flags, job = 0;
	int err = usbpass_nl_device_parse(info, tb, &id) ?:
		  usbpass_nl_flags(info, USBPASS_F_REVOKE, &flags);

	if (err)
		return err;
	err = usbpass_nl_reply_begin(info, &message);
	if (err)
		return err;
	err = usbpass_reconcile_request_release(id, flags, &job, info->extack);
	if (err)
		NL_SET_BAD_ATTR(info->extack, tb[USBPASS_A_DEVICE_ID]);
	return usbpass_nl_reply_job(info, &message, job, err);
}
