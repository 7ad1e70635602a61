// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/string.h>
#include "config.h"
#include "name.h"
#include "nl_object.h"
#include "slot.h"
#include "txn.h"

const struct nla_policy usbpass_nl_attach_policy[USBPASS_A_ATTACH_MAX + 1] = {
	[USBPASS_A_ATTACH_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[USBPASS_A_ATTACH_NAME] = { .type = NLA_NUL_STRING, .len = USBPASS_NAME_MAX },
	[USBPASS_A_ATTACH_SLUG] = { .type = NLA_NUL_STRING, .len = USBPASS_SLUG_MAX },
	[USBPASS_A_ATTACH_GROUP] = { .type = NLA_NUL_STRING, .len = USBPASS_NAME_MAX },
	[USBPASS_A_ATTACH_VM] = { .type = NLA_NUL_STRING, .len = USBPASS_VM_MAX },
	[USBPASS_A_ATTACH_DESCRIPTION] = {
		.type = NLA_NUL_STRING, .len = USBPASS_DESCRIPTION_MAX,
	},
	[USBPASS_A_ATTACH_RESET] = NLA_POLICY_MAX(NLA_U8, USBPASS_RESET_HUB),
	[USBPASS_A_ATTACH_OPTIONAL] = NLA_POLICY_MAX(NLA_U8, 1),
	[USBPASS_A_ATTACH_FOLLOW] = NLA_POLICY_MAX(NLA_U8, USBPASS_FOLLOW_SOCKET),
	[USBPASS_A_ATTACH_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[USBPASS_A_ATTACH_UID] = { .type = NLA_U32 },
	[USBPASS_A_ATTACH_GID] = { .type = NLA_U32 },
	[USBPASS_A_ATTACH_PIN_VENDOR] = { .type = NLA_U16 },
	[USBPASS_A_ATTACH_PIN_PRODUCT] = { .type = NLA_U16 },
	[USBPASS_A_ATTACH_PIN_SERIAL] = { .type = NLA_NUL_STRING, .len = USBPASS_STRING_MAX },
	[USBPASS_A_ATTACH_PIN_SOCKET] = { .type = NLA_NUL_STRING, .len = USBPASS_SOCKET_MAX },
};

static void *alloc(const void *from, struct nlattr **tb)
{
	struct usbpass_attach *attach;

	if (from)
		return usbpass_attach_copy(from);	/* its slot: read() decides */
	attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	if (!attach)
		return NULL;
	kref_init(&attach->kref);
	attach->owner = USBPASS_OWNER_HOST;
	attach->enabled = true;
	return attach;
}

static void put(void *attach)
{
	usbpass_attach_put(attach);
}

static int read_slug(struct usbpass_attach *attach, const struct usbpass_attach *old,
		     struct nlattr **tb, struct usbpass_stage *stage,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *slug = tb[USBPASS_A_ATTACH_SLUG];
	struct usbpass_attach *other;

	if (slug)
		strscpy(attach->slug, nla_data(slug), sizeof(attach->slug));
	else if (!attach->slug[0])
		usbpass_name_to_slug(attach->name, attach->slug);
	if (!usbpass_name_slug_valid(attach->slug)) {
		NL_SET_ERR_MSG_ATTR(extack, slug,
				    "usbpass: a slug is 1 to 63 of a-z 0-9 . _ -, not . or ..");
		return -EINVAL;
	}
	other = usbpass_catalog_by_name(&stage->now, USBPASS_SLUGS, attach->slug);
	if (other && (!old || other->id != old->id)) {
		NL_SET_ERR_MSG_ATTR(extack, slug ?: tb[USBPASS_A_ATTACH_NAME],
				    "usbpass: another attachment's node has this slug; give one of its own (--slug)");
		return -EEXIST;
	}
	return 0;
}

static int read_group(struct usbpass_attach *attach, struct nlattr *name,
		      struct usbpass_stage *stage, struct netlink_ext_ack *extack)
{
	struct usbpass_group *group;

	if (!name && attach->group_id)
		return 0;
	if (!name) {
		NL_SET_ERR_MSG(extack, "usbpass: an attachment is of a group; which?");
		return -EINVAL;
	}
	group = usbpass_catalog_by_name(&stage->now, USBPASS_GROUPS, nla_data(name));
	if (!group) {
		NL_SET_ERR_MSG_ATTR(extack, name, "usbpass: no such group; make it first");
		return -ENOENT;
	}
	attach->group_id = group->id;
	return 0;
}

static int read_choices(struct usbpass_attach *attach, struct nlattr **tb,
			struct netlink_ext_ack *extack)
{
	if (tb[USBPASS_A_ATTACH_RESET]) {
		attach->has_reset = true;
		attach->reset = nla_get_u8(tb[USBPASS_A_ATTACH_RESET]);
	}
	if (tb[USBPASS_A_ATTACH_FOLLOW])
		attach->follow = nla_get_u8(tb[USBPASS_A_ATTACH_FOLLOW]);
	if (tb[USBPASS_A_ATTACH_OPTIONAL])
		attach->optional = nla_get_u8(tb[USBPASS_A_ATTACH_OPTIONAL]);
	if (tb[USBPASS_A_ATTACH_ENABLED])
		attach->enabled = nla_get_u8(tb[USBPASS_A_ATTACH_ENABLED]);
	return 0;
}

static int read_id(u32 *id, struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	*id = nla_get_u32(attr);
	if (*id != (u32)-1)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "usbpass: 4294967295 is no uid and no gid");
	return -ERANGE;
}

/* The node's owner. */
static int read_owner(struct usbpass_attach *attach, struct nlattr **tb,
		      struct netlink_ext_ack *extack)
{
	attach->has_gid |= !!tb[USBPASS_A_ATTACH_GID];
	return read_id(&attach->uid, tb[USBPASS_A_ATTACH_UID], extack) ?:
	       read_id(&attach->gid, tb[USBPASS_A_ATTACH_GID], extack);
}

static int read_pin(struct usbpass_pin *pin, struct nlattr **tb, struct netlink_ext_ack *extack)
{
	int err = 0;

	if (tb[USBPASS_A_ATTACH_PIN_VENDOR]) {
		pin->has_vendor = true;
		pin->vendor = nla_get_u16(tb[USBPASS_A_ATTACH_PIN_VENDOR]);
	}
	if (tb[USBPASS_A_ATTACH_PIN_PRODUCT]) {
		pin->has_product = true;
		pin->product = nla_get_u16(tb[USBPASS_A_ATTACH_PIN_PRODUCT]);
	}
	if (tb[USBPASS_A_ATTACH_PIN_SERIAL])
		err = usbpass_nl_copy_text(tb[USBPASS_A_ATTACH_PIN_SERIAL], &pin->serial, false,
					   extack);
	if (!err && tb[USBPASS_A_ATTACH_PIN_SOCKET])
		err = usbpass_nl_copy_text(tb[USBPASS_A_ATTACH_PIN_SOCKET], &pin->socket, false,
					   extack);
	return err;
}

/* The node's path and owner stay: so does the slot, and who has it open. */
static bool same_node(const struct usbpass_attach *a, const struct usbpass_attach *b)
{
	return !strcmp(a->slug, b->slug) && a->uid == b->uid && a->has_gid == b->has_gid &&
	       a->gid == b->gid;
}

static int read(void *object, const void *old, struct nlattr **tb, struct usbpass_stage *stage,
		struct genl_info *info)
{
	struct netlink_ext_ack *extack = info->extack;
	const struct usbpass_attach *before = old;
	struct usbpass_attach *attach = object;
	int err = read_group(attach, tb[USBPASS_A_ATTACH_GROUP], stage, extack) ?:
		  read_slug(attach, before, tb, stage, extack) ?:
		  read_choices(attach, tb, extack) ?: read_owner(attach, tb, extack) ?:
		  read_pin(&attach->pin, tb, extack);

	if (!err && tb[USBPASS_A_ATTACH_VM])
		err = usbpass_nl_copy_text(tb[USBPASS_A_ATTACH_VM], &attach->vm, false, extack);
	if (!err && tb[USBPASS_A_ATTACH_DESCRIPTION])
		err = usbpass_nl_copy_text(tb[USBPASS_A_ATTACH_DESCRIPTION],
					   &attach->description, true, extack);
	if (!err && before && before->slot && same_node(before, attach))
		attach->slot = usbpass_slot_get(before->slot);	/* put with the attachment */
	return err;
}

static int fill_pin(struct sk_buff *skb, const struct usbpass_pin *pin)
{
	return (pin->has_vendor &&
		nla_put_u16(skb, USBPASS_A_ATTACH_PIN_VENDOR, pin->vendor)) ||
	       (pin->has_product &&
		nla_put_u16(skb, USBPASS_A_ATTACH_PIN_PRODUCT, pin->product)) ||
	       (pin->serial &&
		nla_put_string(skb, USBPASS_A_ATTACH_PIN_SERIAL, pin->serial)) ||
	       (pin->socket &&
		nla_put_string(skb, USBPASS_A_ATTACH_PIN_SOCKET, pin->socket)) ? -EMSGSIZE : 0;
}

static int fill_slot(struct sk_buff *skb, struct usbpass_slot *slot)
{
	struct usbpass_slot_status status;

	if (!slot)
		return 0;	/* staged, not yet in force */
	usbpass_slot_status(slot, &status);
	if (nla_put_u32(skb, USBPASS_A_ATTACH_SLOT, slot->minor) ||
	    nla_put_u8(skb, USBPASS_A_ATTACH_STATE, status.state) ||
	    (status.reason && nla_put_string(skb, USBPASS_A_ATTACH_REASON, status.reason)) ||
	    (status.remedy && nla_put_string(skb, USBPASS_A_ATTACH_REMEDY, status.remedy)) ||
	    (status.device_id &&
	     nla_put_u32(skb, USBPASS_A_ATTACH_DEVICE, status.device_id)))
		return -EMSGSIZE;
	if (!status.comm[0])
		return 0;
	return nla_put_u32(skb, USBPASS_A_ATTACH_PID, status.pid) ||
	       nla_put_string(skb, USBPASS_A_ATTACH_COMM, status.comm) ||
	       nla_put_u32(skb, USBPASS_A_ATTACH_OPENER_UID, status.uid) ||
	       nla_put_u64_64bit(skb, USBPASS_A_ATTACH_URBS, status.urbs,
				 USBPASS_A_ATTACH_PAD) ||
	       nla_put_u64_64bit(skb, USBPASS_A_ATTACH_BYTES, status.bytes,
				 USBPASS_A_ATTACH_PAD) ||
	       nla_put_u32(skb, USBPASS_A_ATTACH_RESETS, status.resets) ? -EMSGSIZE : 0;
}

static int fill(struct sk_buff *skb, struct net *net, u32 portid, void *object)
{
	const struct usbpass_attach *attach = object;
	const char *group = usbpass_nl_group_name(net, portid, attach->group_id);
	struct nlattr *nest = nla_nest_start(skb, USBPASS_A_ATTACH);

	if (!nest || nla_put_u32(skb, USBPASS_A_ATTACH_ID, attach->id) ||
	    nla_put_string(skb, USBPASS_A_ATTACH_NAME, attach->name) ||
	    nla_put_string(skb, USBPASS_A_ATTACH_SLUG, attach->slug) ||
	    nla_put_string(skb, USBPASS_A_ATTACH_OWNER, "host") ||
	    (group && nla_put_string(skb, USBPASS_A_ATTACH_GROUP, group)) ||
	    (attach->vm && nla_put_string(skb, USBPASS_A_ATTACH_VM, attach->vm)) ||
	    (attach->description &&
	     nla_put_string(skb, USBPASS_A_ATTACH_DESCRIPTION, attach->description)) ||
	    (attach->has_reset && nla_put_u8(skb, USBPASS_A_ATTACH_RESET, attach->reset)) ||
	    nla_put_u8(skb, USBPASS_A_ATTACH_OPTIONAL, attach->optional) ||
	    nla_put_u8(skb, USBPASS_A_ATTACH_FOLLOW, attach->follow) ||
	    nla_put_u8(skb, USBPASS_A_ATTACH_ENABLED, attach->enabled) ||
	    nla_put_u32(skb, USBPASS_A_ATTACH_UID, attach->uid) ||
	    (attach->has_gid && nla_put_u32(skb, USBPASS_A_ATTACH_GID, attach->gid)) ||
	    fill_pin(skb, &attach->pin) || fill_slot(skb, attach->slot))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int fill_made(struct sk_buff *skb, const void *object)
{
	const struct usbpass_attach *attach = object;

	if (nla_put_string(skb, USBPASS_A_ATTACH_SLUG, attach->slug) ||
	    (attach->slot && nla_put_u32(skb, USBPASS_A_ATTACH_SLOT, attach->slot->minor)))
		return -EMSGSIZE;
	return 0;
}

static struct usbpass_nl_object attaches = {
	.kind = USBPASS_ATTACHES,
	.nest = USBPASS_A_ATTACH,
	.max = USBPASS_A_ATTACH_MAX,
	.id = USBPASS_A_ATTACH_ID,
	.name = USBPASS_A_ATTACH_NAME,
	.none = "usbpass: no such attachment",
	.exists = "usbpass: an attachment has this name",
	.full = "usbpass: there are 4096 attachments, which is the limit",
	.alloc = alloc,
	.put = put,
	.read = read,
	.fill = fill,
	.fill_made = fill_made,
};

int usbpass_nl_attach_new(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_new(&attaches, info);
}

int usbpass_nl_attach_set(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_set(&attaches, info, USBPASS_F_REVOKE);
}

int usbpass_nl_attach_del(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_del(&attaches, info, USBPASS_F_REVOKE);
}

int usbpass_nl_attach_get(struct sk_buff *skb, struct genl_info *info)
{
	return usbpass_nl_object_get(&attaches, info);
}

int usbpass_nl_attach_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return usbpass_nl_dump_view(skb, cb, USBPASS_ATTACHES, USBPASS_CMD_ATTACH_GET, fill,
				    NULL, NULL);
}
