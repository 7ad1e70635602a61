// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/string.h>
#include "config.h"
#include "device.h"
#include "nl_object.h"
#include "rule.h"
#include "txn.h"

const struct nla_policy usbpass_nl_group_policy[USBPASS_A_GROUP_MAX + 1] = {
	[USBPASS_A_GROUP_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[USBPASS_A_GROUP_NAME] = { .type = NLA_NUL_STRING, .len = USBPASS_NAME_MAX },
	[USBPASS_A_GROUP_TYPE] = NLA_POLICY_RANGE(NLA_U8, USBPASS_GROUP_USB, USBPASS_GROUP_USB),
	[USBPASS_A_GROUP_CLASS] = NLA_POLICY_MAX(NLA_U8, __USBPASS_CLASS_MAX - 1),
	[USBPASS_A_GROUP_RESET] = NLA_POLICY_MAX(NLA_U8, USBPASS_RESET_HUB),
	[USBPASS_A_GROUP_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[USBPASS_A_GROUP_DESCRIPTION] = {
		.type = NLA_NUL_STRING, .len = USBPASS_DESCRIPTION_MAX,
	},
};

static void *alloc(const void *from, struct nlattr **tb)
{
	const struct usbpass_group *old = from;
	struct usbpass_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);

	if (!group)
		return NULL;
	group->owner = USBPASS_OWNER_HOST;
	group->type = USBPASS_GROUP_USB;
	group->class = USBPASS_CLASS_GENERIC;
	group->reset = USBPASS_RESET_DEVICE;
	group->enabled = true;
	if (old) {
		*group = *old;
		group->description = NULL;
		if (old->description)
			group->description = kstrdup(old->description, GFP_KERNEL_ACCOUNT);
	}
	kref_init(&group->kref);
	if (old && old->description && !group->description) {
		usbpass_group_put(group);
		return NULL;
	}
	return group;
}

static void put(void *group)
{
	usbpass_group_put(group);
}

static int read(void *object, const void *old, struct nlattr **tb, struct usbpass_stage *stage,
		struct genl_info *info)
{
	struct netlink_ext_ack *extack = info->extack;
	struct usbpass_group *group = object;

	if (tb[USBPASS_A_GROUP_CLASS])
		group->class = nla_get_u8(tb[USBPASS_A_GROUP_CLASS]);
	if (tb[USBPASS_A_GROUP_ENABLED])
		group->enabled = nla_get_u8(tb[USBPASS_A_GROUP_ENABLED]);
	if (tb[USBPASS_A_GROUP_RESET])
		group->reset = nla_get_u8(tb[USBPASS_A_GROUP_RESET]);
	if (!tb[USBPASS_A_GROUP_DESCRIPTION])
		return 0;
	return usbpass_nl_copy_text(tb[USBPASS_A_GROUP_DESCRIPTION], &group->description, true,
				    extack);
}

static int check_unused(const void *object, const struct usbpass_stage *stage,
			struct netlink_ext_ack *extack)
{
	const struct usbpass_group *group = object;
	u32 i;

	for (i = 0; i < stage->now.list[USBPASS_RULES].nr; i++) {
		const struct usbpass_rule *rule = stage->now.list[USBPASS_RULES].items[i];

		if (rule->group_id == group->id) {
			NL_SET_ERR_MSG(extack,
				       "usbpass: a rule claims into this group; delete the rule first");
			return -EBUSY;
		}
	}
	for (i = 0; i < stage->now.list[USBPASS_ATTACHES].nr; i++) {
		const struct usbpass_attach *attach = stage->now.list[USBPASS_ATTACHES].items[i];

		if (attach->group_id == group->id) {
			NL_SET_ERR_MSG(extack,
				       "usbpass: an attachment is of this group; delete it first");
			return -EBUSY;
		}
	}
	return 0;
}

static int fill(struct sk_buff *skb, struct net *net, u32 portid, void *object)
{
	const struct usbpass_group *group = object;
	struct nlattr *nest = nla_nest_start(skb, USBPASS_A_GROUP);
	u32 claimed, free;

	if (!nest)
		return -EMSGSIZE;
	usbpass_device_count_group(group->id, &claimed, &free);
	if (nla_put_u32(skb, USBPASS_A_GROUP_ID, group->id) ||
	    nla_put_string(skb, USBPASS_A_GROUP_NAME, group->name) ||
	    nla_put_string(skb, USBPASS_A_GROUP_OWNER, "host") ||
	    nla_put_u8(skb, USBPASS_A_GROUP_TYPE, group->type) ||
	    nla_put_u8(skb, USBPASS_A_GROUP_CLASS, group->class) ||
	    nla_put_u8(skb, USBPASS_A_GROUP_RESET, group->reset) ||
	    nla_put_u8(skb, USBPASS_A_GROUP_ENABLED, group->enabled) ||
	    (group->description &&
	     nla_put_string(skb, USBPASS_A_GROUP_DESCRIPTION, group->description)) ||
	    nla_put_u32(skb, USBPASS_A_GROUP_DEVICES, claimed) ||
	    nla_put_u32(skb, USBPASS_A_GROUP_FREE, free))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static struct usbpass_nl_object groups = {
	.kind = USBPASS_GROUPS,
	.nest = USBPASS_A_GROUP,
	.max = USBPASS_A_GROUP_MAX,
	.id = USBPASS_A_GROUP_ID,
	.name = USBPASS_A_GROUP_NAME,
	.none = "usbpass: no such group",
	.exists = "usbpass: a group has this name",
	.full = "usbpass: there are 4096 groups, which is the limit",
	.alloc = alloc,
	.put = put,
	.read = read,
	.check_unused = check_unused,
	.fill = fill,
};

int usbpass_nl_group_new(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_new(&groups, info);
}

int usbpass_nl_group_set(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_set(&groups, info, 0);
}

int usbpass_nl_group_del(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_del(&groups, info, 0);
}

int usbpass_nl_group_get(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_get(&groups, info);
}

int usbpass_nl_group_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return usbpass_nl_dump_view(skb, cb, USBPASS_GROUPS, USBPASS_CMD_GROUP_GET, fill,
				    NULL, NULL);
}
