// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/string.h>
#include "cond.h"
#include "config.h"
#include "config_priv.h"
#include "name.h"
#include "nl_object.h"
#include "regex.h"
#include "rule.h"
#include "txn.h"

static const struct nla_policy cond_policy[USBPASS_A_COND_MAX + 1] = {
	[USBPASS_A_COND_FIELD] = NLA_POLICY_RANGE(NLA_U8, 1, __USBPASS_FIELD_MAX - 1),
	[USBPASS_A_COND_OP] = NLA_POLICY_RANGE(NLA_U8, 1, __USBPASS_OP_MAX - 1),
	[USBPASS_A_COND_QUANTIFIER] = NLA_POLICY_MAX(NLA_U8, __USBPASS_QUANTIFIER_MAX - 1),
	[USBPASS_A_COND_NUMBER] = { .type = NLA_U32 },
	[USBPASS_A_COND_MASK] = { .type = NLA_U32 },
	[USBPASS_A_COND_STRING] = { .type = NLA_NUL_STRING, .len = USBPASS_STRING_MAX },
	[USBPASS_A_COND_TABLE] = { .type = NLA_BINARY, .len = USBPASS_TABLE_MAX },
};

const struct nla_policy usbpass_nl_rule_policy[USBPASS_A_RULE_MAX + 1] = {
	[USBPASS_A_RULE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[USBPASS_A_RULE_NAME] = { .type = NLA_NUL_STRING, .len = USBPASS_NAME_MAX },
	[USBPASS_A_RULE_PRIORITY] = { .type = NLA_S32 },
	[USBPASS_A_RULE_ACTION] = NLA_POLICY_RANGE(NLA_U8, USBPASS_ACTION_CLAIM,
						   USBPASS_ACTION_QUARANTINE),
	[USBPASS_A_RULE_GROUP] = { .type = NLA_NUL_STRING, .len = USBPASS_NAME_MAX },
	[USBPASS_A_RULE_ORIGIN] = NLA_POLICY_MAX(NLA_U8, USBPASS_ORIGIN_MADE),
	[USBPASS_A_RULE_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[USBPASS_A_RULE_DESCRIPTION] = {
		.type = NLA_NUL_STRING, .len = USBPASS_DESCRIPTION_MAX,
	},
	[USBPASS_A_RULE_COND] = NLA_POLICY_NESTED(cond_policy),
};

static void *alloc(const void *from, struct nlattr **tb)
{
	struct usbpass_rule *rule;

	if (from)
		return usbpass_rule_copy(from);
	rule = usbpass_rule_alloc(0);
	if (rule) {
		rule->owner = USBPASS_OWNER_HOST;
		rule->enabled = true;
	}
	return rule;
}

static void put(void *rule)
{
	usbpass_rule_put(rule);
}

static int read_number(struct usbpass_cond *cond, struct nlattr **tb, struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	if (!tb[USBPASS_A_COND_NUMBER] || tb[USBPASS_A_COND_STRING]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "usbpass: this field takes a number");
		return -EINVAL;
	}
	cond->number = nla_get_u32(tb[USBPASS_A_COND_NUMBER]);
	if (cond->number > usbpass_cond_number_max(cond->field)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[USBPASS_A_COND_NUMBER],
				    "usbpass: the number is past what the field can hold");
		return -ERANGE;
	}
	cond->mask = tb[USBPASS_A_COND_MASK] ? nla_get_u32(tb[USBPASS_A_COND_MASK]) : 0xffffff;
	if (cond->mask != 0xff0000 && cond->mask != 0xffff00 && cond->mask != 0xffffff) {
		NL_SET_ERR_MSG_ATTR(extack, tb[USBPASS_A_COND_MASK],
				    "usbpass: a class mask is ff0000, ffff00 or ffffff");
		return -EINVAL;
	}
	return 0;
}

static int read_string(struct usbpass_cond *cond, struct nlattr **tb, struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *string = tb[USBPASS_A_COND_STRING];

	if (!string || tb[USBPASS_A_COND_NUMBER]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "usbpass: this field takes a string");
		return -EINVAL;
	}
	/* Compared as bytes: a device's string may be anything. */
	cond->string = kstrdup(nla_data(string), GFP_KERNEL_ACCOUNT);
	if (cond->string)
		return 0;
	NL_SET_ERR_MSG(extack, "usbpass: no memory");
	return -ENOMEM;
}

static int read_table(struct usbpass_cond *cond, struct nlattr **tb, struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *table = tb[USBPASS_A_COND_TABLE];
	struct usbpass_regex *regex;

	if (!table) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "usbpass: an expression comes with its table; the helper makes it");
		return -EINVAL;
	}
	regex = usbpass_regex_read(nla_data(table), nla_len(table));
	if (!IS_ERR(regex)) {
		cond->regex = regex;
		return 0;
	}
	if (regex == ERR_PTR(-ENOMEM))
		NL_SET_ERR_MSG(extack, "usbpass: no memory");
	else
		NL_SET_ERR_MSG_ATTR(extack, table, "usbpass: this is no table of an expression");
	return PTR_ERR(regex);
}

/* What may stand only beside some kinds of field. */
static int check_extras(const struct usbpass_cond *cond, struct nlattr **tb,
			struct netlink_ext_ack *extack)
{
	if (tb[USBPASS_A_COND_QUANTIFIER] && cond->field != USBPASS_FIELD_INTERFACE_CLASS) {
		NL_SET_ERR_MSG_ATTR(extack, tb[USBPASS_A_COND_QUANTIFIER],
				    "usbpass: only interface-class takes any, all or none");
		return -EINVAL;
	}
	if (tb[USBPASS_A_COND_MASK] && usbpass_cond_kind(cond->field) != USBPASS_KIND_CLASS) {
		NL_SET_ERR_MSG_ATTR(extack, tb[USBPASS_A_COND_MASK],
				    "usbpass: only classes take a mask");
		return -EINVAL;
	}
	if (tb[USBPASS_A_COND_TABLE] && !usbpass_cond_has_table(cond->op)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[USBPASS_A_COND_TABLE],
				    "usbpass: only regex and not-regex take a table");
		return -EINVAL;
	}
	if (!usbpass_cond_takes(cond->field, cond->op)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[USBPASS_A_COND_OP],
				    "usbpass: numbers take eq ne lt le gt ge; classes and removable eq and ne");
		return -EINVAL;
	}
	return 0;
}

static int read_cond(struct usbpass_cond *cond, struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[USBPASS_A_COND_MAX + 1];
	int err = nla_parse_nested(tb, USBPASS_A_COND_MAX, attr, NULL, extack);

	if (err)
		return err;
	if (!tb[USBPASS_A_COND_FIELD]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "usbpass: a condition without a field");
		return -EINVAL;
	}
	cond->field = nla_get_u8(tb[USBPASS_A_COND_FIELD]);
	cond->op = tb[USBPASS_A_COND_OP] ? nla_get_u8(tb[USBPASS_A_COND_OP]) : USBPASS_OP_EQ;
	if (tb[USBPASS_A_COND_QUANTIFIER])
		cond->quantifier = nla_get_u8(tb[USBPASS_A_COND_QUANTIFIER]);
	err = check_extras(cond, tb, extack);
	if (err)
		return err;
	switch (usbpass_cond_kind(cond->field)) {
	case USBPASS_KIND_STRING:
		err = read_string(cond, tb, attr, extack);
		if (!err && usbpass_cond_has_table(cond->op))
			err = read_table(cond, tb, attr, extack);
		return err;
	case USBPASS_KIND_NONE:
		if (!tb[USBPASS_A_COND_NUMBER] && !tb[USBPASS_A_COND_STRING])
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, attr, "usbpass: `any` takes no value");
		return -EINVAL;
	default:
		return read_number(cond, tb, attr, extack);
	}
}

static int read_conds(struct usbpass_rule *rule, struct genl_info *info)
{
	struct nlattr *nest = info->attrs[USBPASS_A_RULE], *attr;
	struct usbpass_cond *conds;
	u32 nr = 0, i = 0;
	int rem, err;

	nla_for_each_nested(attr, nest, rem)
		nr += nla_type(attr) == USBPASS_A_RULE_COND;
	if (nr > USBPASS_CONDS_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "usbpass: a rule has 32 conditions at most");
		return -ERANGE;
	}
	if (!nr)
		return 0;
	conds = kcalloc(nr, sizeof(*conds), GFP_KERNEL_ACCOUNT);
	if (!conds) {
		NL_SET_ERR_MSG(info->extack, "usbpass: no memory");
		return -ENOMEM;
	}
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != USBPASS_A_RULE_COND)
			continue;
		err = read_cond(&conds[i++], attr, info->extack);
		if (err) {
			usbpass_rule_free_conds(conds, nr);
			return err;
		}
	}
	usbpass_rule_set_conds(rule, conds, nr);
	return 0;
}

static int read_action(struct usbpass_rule *rule, struct nlattr **tb,
		       struct usbpass_stage *stage, struct netlink_ext_ack *extack)
{
	struct nlattr *name = tb[USBPASS_A_RULE_GROUP];
	struct usbpass_group *group;

	if (tb[USBPASS_A_RULE_ACTION])
		rule->action = nla_get_u8(tb[USBPASS_A_RULE_ACTION]);
	if (!rule->action) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: a rule needs an action: claim, ignore or quarantine");
		return -EINVAL;
	}
	if (rule->action != USBPASS_ACTION_CLAIM) {
		rule->group_id = 0;
		if (!name)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, name, "usbpass: only claim takes a group");
		return -EINVAL;
	}
	if (name) {
		group = usbpass_catalog_by_name(&stage->now, USBPASS_GROUPS, nla_data(name));
		if (!group) {
			NL_SET_ERR_MSG_ATTR(extack, name,
					    "usbpass: no such group; make it first");
			return -ENOENT;
		}
		rule->group_id = group->id;
	}
	if (!rule->group_id) {
		NL_SET_ERR_MSG(extack, "usbpass: claim into which group? it is missing");
		return -EINVAL;
	}
	return 0;
}

static int read(void *object, const void *old, struct nlattr **tb, struct usbpass_stage *stage,
		struct genl_info *info)
{
	const struct usbpass_rule *before = old;
	struct usbpass_rule *rule = object;
	int err = read_action(rule, tb, stage, info->extack) ?: read_conds(rule, info);

	if (err)
		return err;
	if (!rule->nr_conds) {
		NL_SET_ERR_MSG(info->extack,
			       "usbpass: a rule needs a condition; one for everything says `any`");
		return -EINVAL;
	}
	if (before)
		usbpass_rule_share_hits(rule, before);
	if (tb[USBPASS_A_RULE_PRIORITY])
		rule->priority = nla_get_s32(tb[USBPASS_A_RULE_PRIORITY]);
	if (tb[USBPASS_A_RULE_ORIGIN])
		rule->origin = nla_get_u8(tb[USBPASS_A_RULE_ORIGIN]);
	if (tb[USBPASS_A_RULE_ENABLED])
		rule->enabled = nla_get_u8(tb[USBPASS_A_RULE_ENABLED]);
	if (!tb[USBPASS_A_RULE_DESCRIPTION])
		return 0;
	return usbpass_nl_copy_text(tb[USBPASS_A_RULE_DESCRIPTION], &rule->description, true,
				    info->extack);
}

static int fill_cond(struct sk_buff *skb, const struct usbpass_cond *cond)
{
	enum usbpass_field_kind kind = usbpass_cond_kind(cond->field);
	struct nlattr *nest = nla_nest_start(skb, USBPASS_A_RULE_COND);

	if (!nest || nla_put_u8(skb, USBPASS_A_COND_FIELD, cond->field) ||
	    nla_put_u8(skb, USBPASS_A_COND_OP, cond->op))
		return -EMSGSIZE;
	if (cond->field == USBPASS_FIELD_INTERFACE_CLASS &&
	    nla_put_u8(skb, USBPASS_A_COND_QUANTIFIER, cond->quantifier))
		return -EMSGSIZE;
	if (kind == USBPASS_KIND_STRING &&
	    nla_put_string(skb, USBPASS_A_COND_STRING, cond->string))
		return -EMSGSIZE;
	if ((kind == USBPASS_KIND_NUMBER || kind == USBPASS_KIND_CLASS) &&
	    nla_put_u32(skb, USBPASS_A_COND_NUMBER, cond->number))
		return -EMSGSIZE;
	if (kind == USBPASS_KIND_CLASS && nla_put_u32(skb, USBPASS_A_COND_MASK, cond->mask))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int usbpass_nl_rule_fill(struct sk_buff *skb, struct net *net, u32 portid, void *object)
{
	const struct usbpass_rule *rule = object;
	struct nlattr *nest = nla_nest_start(skb, USBPASS_A_RULE);
	const char *group;
	u32 i;

	if (!nest || nla_put_u32(skb, USBPASS_A_RULE_ID, rule->id) ||
	    nla_put_string(skb, USBPASS_A_RULE_NAME, rule->name) ||
	    nla_put_s32(skb, USBPASS_A_RULE_PRIORITY, rule->priority) ||
	    nla_put_u8(skb, USBPASS_A_RULE_ACTION, rule->action) ||
	    nla_put_u8(skb, USBPASS_A_RULE_ORIGIN, rule->origin) ||
	    nla_put_u8(skb, USBPASS_A_RULE_ENABLED, rule->enabled) ||
	    nla_put_u64_64bit(skb, USBPASS_A_RULE_HITS, atomic64_read(&rule->hits->count),
			      USBPASS_A_RULE_PAD))
		return -EMSGSIZE;
	if (rule->description &&
	    nla_put_string(skb, USBPASS_A_RULE_DESCRIPTION, rule->description))
		return -EMSGSIZE;
	group = rule->group_id ? usbpass_nl_group_name(net, portid, rule->group_id) : NULL;
	if (group && nla_put_string(skb, USBPASS_A_RULE_GROUP, group))
		return -EMSGSIZE;
	for (i = 0; i < rule->nr_conds; i++)
		if (fill_cond(skb, &rule->conds[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static struct usbpass_nl_object rules = {
	.kind = USBPASS_RULES,
	.nest = USBPASS_A_RULE,
	.max = USBPASS_A_RULE_MAX,
	.id = USBPASS_A_RULE_ID,
	.name = USBPASS_A_RULE_NAME,
	.none = "usbpass: no such rule",
	.exists = "usbpass: a rule has this name",
	.full = "usbpass: there are 131072 rules, which is the limit",
	.alloc = alloc,
	.put = put,
	.read = read,
	.fill = usbpass_nl_rule_fill,
};

int usbpass_nl_rule_new(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_new(&rules, info);
}

int usbpass_nl_rule_set(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_set(&rules, info, 0);
}

int usbpass_nl_rule_del(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_del(&rules, info, 0);
}

int usbpass_nl_rule_get(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_get(&rules, info);
}

int usbpass_nl_rule_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return usbpass_nl_dump_view(skb, cb, USBPASS_RULES, USBPASS_CMD_RULE_GET,
				    usbpass_nl_rule_fill, NULL, NULL);
}
