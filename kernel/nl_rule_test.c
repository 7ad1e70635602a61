// SPDX-License-Identifier: GPL-2.0
/* What the rules say of a device, present or described: the winner, or each one's verdict. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "config.h"
#include "config_priv.h"
#include "device.h"
#include "facts.h"
#include "nl.h"
#include "rule.h"
#include "txn.h"

/* Class, subclass, protocol. */
static struct netlink_range_validation triple = { .max = 0xffffff };

const struct nla_policy usbpass_nl_facts_policy[USBPASS_A_DEVICE_MAX + 1] = {
	[USBPASS_A_DEVICE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[USBPASS_A_DEVICE_SOCKET] = { .type = NLA_NUL_STRING, .len = USBPASS_SOCKET_MAX },
	[USBPASS_A_DEVICE_BUS] = { .type = NLA_U32 },
	[USBPASS_A_DEVICE_ADDRESS] = { .type = NLA_U32 },
	[USBPASS_A_DEVICE_LEVEL] = { .type = NLA_U32 },
	[USBPASS_A_DEVICE_VENDOR] = { .type = NLA_U16 },
	[USBPASS_A_DEVICE_PRODUCT] = { .type = NLA_U16 },
	[USBPASS_A_DEVICE_BCD_USB] = { .type = NLA_U16 },
	[USBPASS_A_DEVICE_BCD_DEVICE] = { .type = NLA_U16 },
	[USBPASS_A_DEVICE_CLASS] = NLA_POLICY_FULL_RANGE(NLA_U32, &triple),
	[USBPASS_A_DEVICE_VENDOR_NAME] = { .type = NLA_NUL_STRING, .len = USBPASS_STRING_MAX },
	[USBPASS_A_DEVICE_PRODUCT_NAME] = { .type = NLA_NUL_STRING, .len = USBPASS_STRING_MAX },
	[USBPASS_A_DEVICE_SERIAL] = { .type = NLA_NUL_STRING, .len = USBPASS_STRING_MAX },
	[USBPASS_A_DEVICE_SPEED] = { .type = NLA_U32 },
	[USBPASS_A_DEVICE_REMOVABLE] = NLA_POLICY_MAX(NLA_U8, USBPASS_REMOVABLE_NO),
	[USBPASS_A_DEVICE_INTERFACES] = { .type = NLA_U32 },
	[USBPASS_A_DEVICE_INTERFACE_CLASS] = NLA_POLICY_FULL_RANGE(NLA_U32, &triple),
};

static u16 u16_of(struct nlattr *attr)
{
	return attr ? nla_get_u16(attr) : 0;
}

static u32 u32_of(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static int read_string(char **to, struct nlattr *attr)
{
	if (!attr)
		return 0;
	*to = kstrdup(nla_data(attr), GFP_KERNEL_ACCOUNT);
	return *to ? 0 : -ENOMEM;
}

/* What the notifier reads of a device, of attributes. NULL: no memory. */
static struct usbpass_facts *describe(struct nlattr *nest, struct nlattr **tb)
{
	struct usbpass_facts *facts = usbpass_facts_blank();
	struct usb_device_descriptor *desc;
	struct nlattr *attr;
	u32 class;
	int rem;

	if (!facts)
		return NULL;
	desc = &facts->descriptor;
	desc->idVendor = cpu_to_le16(u16_of(tb[USBPASS_A_DEVICE_VENDOR]));
	desc->idProduct = cpu_to_le16(u16_of(tb[USBPASS_A_DEVICE_PRODUCT]));
	desc->bcdUSB = cpu_to_le16(u16_of(tb[USBPASS_A_DEVICE_BCD_USB]));
	desc->bcdDevice = cpu_to_le16(u16_of(tb[USBPASS_A_DEVICE_BCD_DEVICE]));
	class = u32_of(tb[USBPASS_A_DEVICE_CLASS]);
	desc->bDeviceClass = class >> 16;
	desc->bDeviceSubClass = class >> 8;
	desc->bDeviceProtocol = class;
	facts->bus = u32_of(tb[USBPASS_A_DEVICE_BUS]);
	facts->address = u32_of(tb[USBPASS_A_DEVICE_ADDRESS]);
	facts->level = u32_of(tb[USBPASS_A_DEVICE_LEVEL]);
	facts->speed_kbps = u32_of(tb[USBPASS_A_DEVICE_SPEED]);
	facts->interfaces = u32_of(tb[USBPASS_A_DEVICE_INTERFACES]);
	if (tb[USBPASS_A_DEVICE_REMOVABLE])
		facts->removable = nla_get_u8(tb[USBPASS_A_DEVICE_REMOVABLE]);
	if (tb[USBPASS_A_DEVICE_SOCKET])
		nla_strscpy(facts->socket, tb[USBPASS_A_DEVICE_SOCKET], sizeof(facts->socket));
	nla_for_each_nested(attr, nest, rem)
		if (nla_type(attr) == USBPASS_A_DEVICE_INTERFACE_CLASS &&
		    facts->nr_classes < ARRAY_SIZE(facts->classes))
			facts->classes[facts->nr_classes++] = nla_get_u32(attr);
	if (!read_string(&facts->vendor_name, tb[USBPASS_A_DEVICE_VENDOR_NAME]) &&
	    !read_string(&facts->product_name, tb[USBPASS_A_DEVICE_PRODUCT_NAME]) &&
	    !read_string(&facts->serial, tb[USBPASS_A_DEVICE_SERIAL]))
		return facts;
	usbpass_facts_put(facts);
	return NULL;
}

static struct usbpass_facts *facts_of_present(struct nlattr *id, struct netlink_ext_ack *extack)
{
	struct usbpass_device *dev = usbpass_device_by_id(nla_get_u32(id));
	struct usbpass_facts *facts;

	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, id, "usbpass: no present device has this id");
		return ERR_PTR(-ENODEV);
	}
	facts = usbpass_facts_get(dev->facts);
	usbpass_device_put(dev);
	return facts;
}

/* A reference for the caller, or an error that is told. */
static struct usbpass_facts *facts_of(struct nlattr *nest, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[USBPASS_A_DEVICE_MAX + 1];
	struct usbpass_facts *facts;
	u32 i, nr = 0;
	int err;

	if (!nest) {
		NL_SET_ERR_MSG(extack, "usbpass: the nest that the verb is about is missing");
		return ERR_PTR(-EINVAL);
	}
	err = nla_parse_nested(tb, USBPASS_A_DEVICE_MAX, nest, usbpass_nl_facts_policy, extack);
	if (err)
		return ERR_PTR(err);
	for (i = 1; i <= USBPASS_A_DEVICE_MAX; i++)
		nr += !!tb[i];
	if (!nr || (tb[USBPASS_A_DEVICE_ID] && nr > 1)) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "usbpass: either a device's id, or what it would be");
		return ERR_PTR(-EINVAL);
	}
	if (tb[USBPASS_A_DEVICE_ID])
		return facts_of_present(tb[USBPASS_A_DEVICE_ID], extack);
	facts = describe(nest, tb);
	if (facts)
		return facts;
	NL_SET_ERR_MSG(extack, "usbpass: no memory");
	return ERR_PTR(-ENOMEM);
}

/* In the socket's stage the rules have no index. */
static struct usbpass_rule *find(struct net *net, u32 portid, const struct usbpass_facts *facts)
{
	struct usbpass_config *config = usbpass_config_current();
	struct usbpass_nl_view view;
	u32 i;

	if (IS_ERR_OR_NULL(usbpass_txn_find(net, portid, 0)))
		return usbpass_ruleset_find(&config->rules, facts, config->node);
	view = usbpass_nl_view_of_rules(net, portid);
	for (i = 0; i < view.nr; i++) {
		struct usbpass_rule *rule = view.items[i];

		if (rule->enabled && usbpass_rule_matches(rule, facts, config->node))
			return rule;
	}
	return NULL;
}

int usbpass_nl_rule_test(struct sk_buff *skb, struct genl_info *info)
{
	struct usbpass_nl_message message;
	struct usbpass_facts *facts;
	struct usbpass_rule *rule;
	u32 flags;
	int err = usbpass_nl_flags(info, 0, &flags);

	if (err)
		return err;
	facts = facts_of(info->attrs[USBPASS_A_DEVICE], info->extack);
	if (IS_ERR(facts))
		return PTR_ERR(facts);
	err = usbpass_nl_reply_begin(info, &message);
	if (!err) {
		usbpass_config_lock();
		rule = find(genl_info_net(info), info->snd_portid, facts);
		if (rule)
			err = usbpass_nl_rule_fill(message.skb, genl_info_net(info),
						   info->snd_portid, rule);
		usbpass_config_unlock();
		err = usbpass_nl_reply_end(info, &message, err);
	}
	usbpass_facts_put(facts);
	return err;
}

static int fill_failed(struct sk_buff *skb, const void *object, const void *data)
{
	const struct usbpass_rule *rule = object;
	u32 failed = usbpass_rule_first_failed(rule, data, usbpass_config_current()->node);

	return failed < rule->nr_conds ? nla_put_u32(skb, USBPASS_A_FAILED, failed) : 0;
}

/* The facts are made anew for each buffer: what the request says stays as long as the dump. */
int usbpass_nl_rule_test_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err = usbpass_nl_dump_refused(cb);
	struct usbpass_facts *facts;

	if (err)
		return err;
	facts = facts_of(usbpass_genl_dump_attrs(cb)[USBPASS_A_DEVICE], cb->extack);
	if (IS_ERR(facts))
		return PTR_ERR(facts);
	err = usbpass_nl_dump_view(skb, cb, USBPASS_RULES, USBPASS_CMD_RULE_TEST,
				   usbpass_nl_rule_fill, fill_failed, facts);
	usbpass_facts_put(facts);
	return err;
}
