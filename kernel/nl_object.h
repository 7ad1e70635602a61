/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_NL_OBJECT_H
#define _USBPASS_NL_OBJECT_H

#include "nl.h"

/*
 * Groups, rules and attachments have the same five verbs. What differs stands
 * in one of these a kind.
 */
struct usbpass_nl_object {
	enum usbpass_kind kind;
	int nest, max, id, name;	/* attributes */
	const char *none, *exists, *full;	/* literals: ENOENT, EEXIST, ENOSPC */
	u32 last_id;			/* under usbpass_config_lock() */

	/* A new one with its defaults, or a copy. NULL: no memory. put() drops it. */
	void *(*alloc)(const void *from, struct nlattr **tb);
	void (*put)(void *object);
	/*
	 * The attributes that are there, over what it has; @old is the object
	 * that it stands for (SET, or a REPLACE stage's NEW), or NULL.
	 */
	int (*read)(void *object, const void *old, struct nlattr **tb,
		    struct usbpass_stage *stage, struct genl_info *info);
	/* May it go? NULL: always. */
	int (*check_unused)(const void *object, const struct usbpass_stage *stage,
			    struct netlink_ext_ack *extack);
	int (*fill)(struct sk_buff *skb, struct net *net, u32 portid, void *object);
	/* More of NEW's answer, once it is committed. NULL: nothing. */
	int (*fill_made)(struct sk_buff *skb, const void *object);
};

int usbpass_nl_object_new(struct usbpass_nl_object *kind, struct genl_info *info);
int usbpass_nl_object_set(struct usbpass_nl_object *kind, struct genl_info *info, u32 allowed);
int usbpass_nl_object_del(struct usbpass_nl_object *kind, struct genl_info *info, u32 allowed);
int usbpass_nl_object_get(struct usbpass_nl_object *kind, struct genl_info *info);

#endif /* _USBPASS_NL_OBJECT_H */
