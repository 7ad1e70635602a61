/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_NL_H
#define _USBPASS_NL_H

#include <net/genetlink.h>
#include <linux/usbpass.h>
#include "catalog.h"
#include "compat.h"

struct usbpass_device;
struct usbpass_event;
struct usbpass_stage;

/* The netlink family's own: what its nl_*.c files share. */

extern struct genl_family usbpass_nl_family;

/* Policies of the nests, nl_*.c */
extern const struct nla_policy usbpass_nl_device_policy[USBPASS_A_DEVICE_MAX + 1];
extern const struct nla_policy usbpass_nl_group_policy[USBPASS_A_GROUP_MAX + 1];
extern const struct nla_policy usbpass_nl_rule_policy[USBPASS_A_RULE_MAX + 1];
extern const struct nla_policy usbpass_nl_attach_policy[USBPASS_A_ATTACH_MAX + 1];
extern const struct nla_policy usbpass_nl_learned_policy[USBPASS_A_LEARNED_MAX + 1];

/* netlink.c */

/* Parses the nest @type, which must be there; the verb's policy has checked what is in it. */
int usbpass_nl_nest(struct genl_info *info, int type, struct nlattr **tb, int max);
/* FLAGS, of which only @allowed may be set. */
int usbpass_nl_flags(struct genl_info *info, u32 allowed, u32 *flags);
/*
 * Dumps: .start (of one that is about a device: the second), and what each .dumpit asks first: 0,
 * or why not, and said so.
 */
int usbpass_nl_dump_start(struct netlink_callback *cb);
int usbpass_nl_dump_start_device(struct netlink_callback *cb);
int usbpass_nl_dump_refused(struct netlink_callback *cb);

/*
 * Room for the largest answer, a rule of USBPASS_CONDS_MAX conditions of
 * USBPASS_STRING_MAX bytes. A dump's buffer that one object does not fit would
 * end the dump in silence.
 */
#define USBPASS_NL_BYTES_MAX	16384
/* Of what NEW answers: a nest of id, name, slug and slot. */
#define USBPASS_NL_MADE_MAX \
	nla_total_size(2 * nla_total_size(sizeof(u32)) + \
		       nla_total_size(USBPASS_NAME_MAX + 1) + nla_total_size(USBPASS_SLUG_MAX + 1))

/* One message: open, fill, then send. NULL: no memory. */
struct usbpass_nl_message {
	struct sk_buff *skb;
	void *header;
};

int usbpass_nl_reply_begin(struct genl_info *info, struct usbpass_nl_message *message);
/* Of USBPASS_NL_MADE_MAX: there may be very many. */
int usbpass_nl_reply_begin_made(struct genl_info *info, struct usbpass_nl_message *message);
int usbpass_nl_reply_end(struct genl_info *info, struct usbpass_nl_message *message, int err);
int usbpass_nl_reply_job(struct genl_info *info, struct usbpass_nl_message *message, u32 job,
			 int err);

/*
 * A verb that changes the configuration: the socket's stage, or one of its own
 * that commit() puts in force. From begin() to end() the configuration is
 * locked. @err: of the verb; commit() gives it back, or its own.
 */
struct usbpass_nl_change {
	struct usbpass_stage *stage;
	bool own;
};

int usbpass_nl_change_begin(struct genl_info *info, struct usbpass_nl_change *change);
int usbpass_nl_change_commit(struct genl_info *info, struct usbpass_nl_change *change, u32 flags,
			     int err);
void usbpass_nl_change_end(struct usbpass_nl_change *change);

/*
 * What a socket sees of a kind: its stage, or what is in force. The
 * configuration is locked.
 */
struct usbpass_nl_view {
	void **items;
	u32 nr;
};

struct usbpass_nl_view usbpass_nl_view(struct net *net, u32 portid, enum usbpass_kind kind);
const char *usbpass_nl_group_name(struct net *net, u32 portid, u32 group_id);

struct usbpass_nl_view usbpass_nl_view_of_rules(struct net *net, u32 portid);	/* in match order */

/*
 * Dumps a view by position, one object a message, all of one generation; behind each what @also
 * (NULL: nothing) says of it.
 */
int usbpass_nl_dump_view(struct sk_buff *skb, struct netlink_callback *cb,
			 enum usbpass_kind kind, u8 cmd,
			 int (*fill)(struct sk_buff *skb, struct net *net, u32 portid,
				     void *object),
			 int (*also)(struct sk_buff *skb, const void *object, const void *data),
			 const void *data);

/* Strings: a name, a description, or other text of a request. -EINVAL with its message. */
int usbpass_nl_copy_name(struct nlattr *attr, char *name, struct netlink_ext_ack *extack);
int usbpass_nl_copy_text(struct nlattr *attr, char **text, bool multiline,
			 struct netlink_ext_ack *extack);

/* nl_event.c */
int usbpass_nl_send_event(struct net *net, u32 portid, const struct usbpass_event *ev, u64 lost);
int usbpass_nl_subscribe(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_event_dump(struct sk_buff *skb, struct netlink_callback *cb);
int usbpass_nl_job_get(struct sk_buff *skb, struct genl_info *info);

/* nl_info.c */
int usbpass_nl_info(struct sk_buff *skb, struct genl_info *info);

/* nl_device.c */
int usbpass_nl_device_get(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_device_dump(struct sk_buff *skb, struct netlink_callback *cb);
int usbpass_nl_device_claim(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_device_release(struct sk_buff *skb, struct genl_info *info);
/* The nest of a device. The configuration is locked. */
int usbpass_nl_device_fill(struct sk_buff *skb, struct usbpass_device *dev);
/* The id in the request's nest. */
int usbpass_nl_device_parse(struct genl_info *info, struct nlattr **tb, u32 *id);

/* nl_group.c */
int usbpass_nl_group_new(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_group_set(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_group_del(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_group_get(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_group_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* nl_learned.c */
int usbpass_nl_learned_new(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_learned_del(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_learned_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* nl_maintenance.c */
int usbpass_nl_maintenance_set(struct sk_buff *skb, struct genl_info *info);

/* nl_reset.c */
int usbpass_nl_device_reset(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_device_reset_dump(struct sk_buff *skb, struct netlink_callback *cb);
int usbpass_nl_power_done(struct sk_buff *skb, struct genl_info *info);

/* nl_rule.c */
int usbpass_nl_rule_new(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_rule_set(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_rule_del(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_rule_get(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_rule_dump(struct sk_buff *skb, struct netlink_callback *cb);
int usbpass_nl_rule_fill(struct sk_buff *skb, struct net *net, u32 portid, void *object);

/* nl_rule_test.c */
extern const struct nla_policy usbpass_nl_facts_policy[USBPASS_A_DEVICE_MAX + 1];
int usbpass_nl_rule_test(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_rule_test_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* nl_attach.c */
int usbpass_nl_attach_new(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_attach_set(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_attach_del(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_attach_get(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_attach_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* nl_txn.c */
int usbpass_nl_txn_begin(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_txn_commit(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_txn_abort(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_txn_confirm(struct sk_buff *skb, struct genl_info *info);
int usbpass_nl_txn_revert(struct sk_buff *skb, struct genl_info *info);

#endif /* _USBPASS_NL_H */
