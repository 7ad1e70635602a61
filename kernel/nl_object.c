// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include "config_priv.h"
#include "nl_object.h"
#include "txn.h"

/* NL_SET_ERR_MSG_ATTR() for a literal that stands in a table. */
static void say(struct netlink_ext_ack *extack, const struct nlattr *attr, const char *literal)
{
	if (!extack)
		return;
	extack->_msg = literal;
	NL_SET_BAD_ATTR(extack, attr);
}

static int parse(struct usbpass_nl_object *kind, struct genl_info *info, struct nlattr **tb)
{
	return usbpass_nl_nest(info, kind->nest, tb, kind->max);
}

static int no_flags(struct genl_info *info)
{
	u32 flags;

	return usbpass_nl_flags(info, 0, &flags);
}

/* parse(), of a verb about one that is there. */
static int parse_choice(struct usbpass_nl_object *kind, struct genl_info *info,
			struct nlattr **tb)
{
	int err = parse(kind, info, tb);

	if (err || tb[kind->id] || tb[kind->name])
		return err;
	say(info->extack, info->attrs[kind->nest], "usbpass: which one? id and name are missing");
	return -EINVAL;
}

/* By id, else by name. NULL: none, and said so. */
static void *find(struct usbpass_nl_object *kind, struct genl_info *info, struct nlattr **tb,
		  struct usbpass_nl_view view)
{
	struct nlattr *id = tb[kind->id], *name = tb[kind->name];
	u32 i;

	for (i = 0; i < view.nr; i++)
		if (id ? usbpass_catalog_id(kind->kind, view.items[i]) == nla_get_u32(id) :
			 !strcmp(usbpass_catalog_name(kind->kind, view.items[i]),
				 nla_data(name)))
			return view.items[i];
	say(info->extack, id ?: name, kind->none);
	return NULL;
}

static void *find_staged(struct usbpass_nl_object *kind, struct genl_info *info,
			 struct nlattr **tb, struct usbpass_stage *stage)
{
	struct usbpass_nl_view view = {
		.items = stage->now.list[kind->kind].items,
		.nr = stage->now.list[kind->kind].nr,
	};
	void *object = NULL;

	/* By name it takes no look at all the others, of which there may be many. */
	if (!tb[kind->id])
		object = usbpass_catalog_by_name(&stage->now, kind->kind,
						 nla_data(tb[kind->name]));
	return object ?: find(kind, info, tb, view);
}

/* Why the catalog refused. A reader has pointed at a clashing slug already. */
static int explain(struct usbpass_nl_object *kind, struct genl_info *info, struct nlattr **tb,
		   int err)
{
	switch (err) {
	case -EEXIST:
		if (info->extack && !info->extack->_msg)
			say(info->extack, tb[kind->name], kind->exists);
		break;
	case -ENOSPC:
		say(info->extack, NULL, kind->full);
		break;
	case -ENOMEM:
		say(info->extack, NULL, "usbpass: no memory");
		break;
	}
	return err;
}

static int read_name(struct usbpass_nl_object *kind, struct nlattr **tb, void *object,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *attr = tb[kind->name];

	if (!attr || !*(const char *)nla_data(attr))
		return 0;
	return usbpass_nl_copy_name(attr, usbpass_catalog_name(kind->kind, object), extack);
}

/* The stage owns what is returned; ERR_PTR otherwise. */
static void *add(struct usbpass_nl_object *kind, struct genl_info *info, struct nlattr **tb,
		 struct usbpass_stage *stage)
{
	void *object = kind->alloc(NULL, tb);
	const void *old = NULL;
	char *name;
	int err;

	if (!object)
		return ERR_PTR(explain(kind, info, tb, -ENOMEM));
	name = usbpass_catalog_name(kind->kind, object);
	err = read_name(kind, tb, object, info->extack);
	if (!err && !*name)
		usbpass_catalog_make_name(&stage->now, kind->kind, name);
	if (!err && stage->replace)
		old = usbpass_catalog_by_name(&stage->base, kind->kind, name);
	if (!err)
		err = kind->read(object, old, tb, stage, info);
	if (!err) {
		usbpass_catalog_set_id(kind->kind, object,
				       old ? usbpass_catalog_id(kind->kind, old) :
					     ++kind->last_id);
		err = explain(kind, info, tb,
			      usbpass_catalog_add(&stage->now, kind->kind, object));
	}
	if (!err)
		return object;
	kind->put(object);
	return ERR_PTR(err);
}

static int fill_made(struct usbpass_nl_object *kind, struct sk_buff *skb, void *object)
{
	struct nlattr *nest = nla_nest_start(skb, kind->nest);
	int err;

	if (!nest ||
	    nla_put_u32(skb, kind->id, usbpass_catalog_id(kind->kind, object)) ||
	    nla_put_string(skb, kind->name, usbpass_catalog_name(kind->kind, object)))
		return -EMSGSIZE;
	err = kind->fill_made ? kind->fill_made(skb, object) : 0;
	nla_nest_end(skb, nest);
	return err;
}

int usbpass_nl_object_new(struct usbpass_nl_object *kind, struct genl_info *info)
{
	struct nlattr *tb[USBPASS_A_ATTACH_MAX + 1];
	struct usbpass_nl_message message;
	struct usbpass_nl_change change;
	void *object;
	int err = parse(kind, info, tb) ?: no_flags(info) ?:
		  usbpass_nl_reply_begin_made(info, &message);

	if (err)
		return err;
	err = usbpass_nl_change_begin(info, &change);
	if (!err) {
		object = add(kind, info, tb, change.stage);
		err = usbpass_nl_change_commit(info, &change, 0, PTR_ERR_OR_ZERO(object));
		if (!err)
			err = fill_made(kind, message.skb, object);
		usbpass_nl_change_end(&change);
	}
	return usbpass_nl_reply_end(info, &message, err);
}

/* @verb on the object that the request names, in the socket's stage or one of its own. */
static int change_one(struct usbpass_nl_object *kind, struct genl_info *info, u32 allowed,
		      int (*verb)(struct usbpass_nl_object *kind, struct genl_info *info,
				  struct nlattr **tb, struct usbpass_stage *stage))
{
	struct nlattr *tb[USBPASS_A_ATTACH_MAX + 1];
	struct usbpass_nl_change change;
	u32 flags;
	int err = parse_choice(kind, info, tb) ?: usbpass_nl_flags(info, allowed, &flags) ?:
		  usbpass_nl_change_begin(info, &change);

	if (err)
		return err;
	err = usbpass_nl_change_commit(info, &change, flags, verb(kind, info, tb, change.stage));
	usbpass_nl_change_end(&change);
	return err;
}

static int set(struct usbpass_nl_object *kind, struct genl_info *info, struct nlattr **tb,
	       struct usbpass_stage *stage)
{
	void *old = find_staged(kind, info, tb, stage);
	void *object;
	int err;

	if (!old)
		return -ENOENT;
	object = kind->alloc(old, tb);
	if (!object)
		return explain(kind, info, tb, -ENOMEM);
	err = read_name(kind, tb, object, info->extack) ?:
	      kind->read(object, old, tb, stage, info) ?:
	      explain(kind, info, tb,
		      usbpass_catalog_replace(&stage->now, kind->kind, old, object));
	if (err)
		kind->put(object);
	return err;
}

int usbpass_nl_object_set(struct usbpass_nl_object *kind, struct genl_info *info, u32 allowed)
{
	return change_one(kind, info, allowed, set);
}

static int del(struct usbpass_nl_object *kind, struct genl_info *info, struct nlattr **tb,
	       struct usbpass_stage *stage)
{
	void *object = find_staged(kind, info, tb, stage);
	int err;

	if (!object)
		return -ENOENT;
	err = kind->check_unused ? kind->check_unused(object, stage, info->extack) : 0;
	if (!err)
		usbpass_catalog_remove(&stage->now, kind->kind, object);
	return err;
}

int usbpass_nl_object_del(struct usbpass_nl_object *kind, struct genl_info *info, u32 allowed)
{
	return change_one(kind, info, allowed, del);
}

int usbpass_nl_object_get(struct usbpass_nl_object *kind, struct genl_info *info)
{
	struct nlattr *tb[USBPASS_A_ATTACH_MAX + 1];
	struct net *net = genl_info_net(info);
	struct usbpass_nl_message message;
	void *object;
	int err = parse_choice(kind, info, tb) ?: no_flags(info) ?:
		  usbpass_nl_reply_begin(info, &message);

	if (err)
		return err;
	usbpass_config_lock();
	object = find(kind, info, tb, usbpass_nl_view(net, info->snd_portid, kind->kind));
	err = object ? kind->fill(message.skb, net, info->snd_portid, object) : -ENOENT;
	usbpass_config_unlock();
	return usbpass_nl_reply_end(info, &message, err);
}
