// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/sock.h>
#include "commit.h"
#include "config.h"
#include "config_priv.h"
#include "confirm.h"
#include "event.h"
#include "name.h"
#include "netlink.h"
#include "nl.h"
#include "power.h"
#include "txn.h"

#define NO_AUTHORITY	"usbpass: the host's verbs need CAP_SYS_ADMIN"

/*
 * What a verb takes at the top level; anything else is refused. A verb that
 * takes flags checks which.
 */
#define TAKES(name, ...)							\
	static const struct nla_policy name##_policy[USBPASS_A_MAX + 1] = { __VA_ARGS__ }
#define NEST(attr, name)							\
	[USBPASS_A_##attr] = NLA_POLICY_NESTED(usbpass_nl_##name##_policy)
#define FLAGS									\
	[USBPASS_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, USBPASS_F_ALL)
#define GENERATION								\
	[USBPASS_A_GENERATION] = { .type = NLA_U64 }
#define JOB									\
	[USBPASS_A_JOB] = { .type = NLA_U32 }
#define CONFIRM_SECS								\
	[USBPASS_A_CONFIRM_SECS] = NLA_POLICY_RANGE(NLA_U32, 1, USBPASS_CONFIRM_SECS_MAX)
#define RESET									\
	[USBPASS_A_RESET] = NLA_POLICY_MAX(NLA_U8, USBPASS_RESET_KIND_HUB)
/* -MAX_ERRNO, which the policy's type does not reach by name. */
#define RESULT									\
	[USBPASS_A_RESULT] = NLA_POLICY_RANGE(NLA_S32, -4095, 0)
#define MAINTENANCE								\
	[USBPASS_A_MAINTENANCE] = NLA_POLICY_MAX(NLA_U8, 1)
#define SINCE									\
	[USBPASS_A_SINCE] = { .type = NLA_U64 }

TAKES(device, NEST(DEVICE, device), FLAGS);
TAKES(facts, NEST(DEVICE, facts), FLAGS);
TAKES(group, NEST(GROUP, group), FLAGS);
TAKES(rule, NEST(RULE, rule), FLAGS);
TAKES(attach, NEST(ATTACH, attach), FLAGS);
TAKES(begin, GENERATION, FLAGS);
TAKES(commit, CONFIRM_SECS, FLAGS);
TAKES(flags, FLAGS);
TAKES(since, SINCE, FLAGS);
TAKES(job, JOB, FLAGS);
TAKES(maintenance, MAINTENANCE, FLAGS);
TAKES(reset, NEST(DEVICE, device), RESET, FLAGS);
TAKES(power, JOB, RESULT, FLAGS);
TAKES(learned, NEST(LEARNED, learned), FLAGS);

/* Both who opened the socket and who sends; no authority comes from a namespace. */
static int pre_doit(USBPASS_GENL_PRE_DOIT_OPS *ops, struct sk_buff *skb, struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(info->extack, NO_AUTHORITY);
	return -EPERM;
}

/* Of a dump's args; the others are the dump's own. */
#define DUMP_REFUSED	5

/*
 * Before 6.6 .start has no extack: the first round of the dump speaks for it. @takes, @also: the
 * attributes that are let through.
 */
static int dump_start(struct netlink_callback *cb, int takes, int also)
{
	struct nlattr **attrs = usbpass_genl_dump_attrs(cb);
	int type;

	cb->min_dump_alloc = NLMSG_ALIGN(NLMSG_HDRLEN + GENL_HDRLEN + USBPASS_NL_BYTES_MAX);
	for (type = 1; type <= USBPASS_A_MAX; type++)
		if (attrs[type] && type != takes && type != also)
			cb->args[DUMP_REFUSED] = -EINVAL;
	if (!netlink_capable(cb->skb, CAP_SYS_ADMIN))
		cb->args[DUMP_REFUSED] = -EPERM;
	return 0;
}

/* Only the events' policy lets one through. */
int usbpass_nl_dump_start(struct netlink_callback *cb)
{
	return dump_start(cb, USBPASS_A_SINCE, USBPASS_A_SINCE);
}

int usbpass_nl_dump_start_device(struct netlink_callback *cb)
{
	return dump_start(cb, USBPASS_A_DEVICE, USBPASS_A_RESET);
}

int usbpass_nl_dump_refused(struct netlink_callback *cb)
{
	if (cb->args[DUMP_REFUSED] == -EPERM)
		NL_SET_ERR_MSG(cb->extack, NO_AUTHORITY);
	else if (cb->args[DUMP_REFUSED])
		NL_SET_ERR_MSG(cb->extack,
			       "usbpass: a list takes nothing but `since`, of events, and a device, of rule-test and device-reset");
	return cb->args[DUMP_REFUSED];
}

int usbpass_nl_nest(struct genl_info *info, int type, struct nlattr **tb, int max)
{
	if (GENL_REQ_ATTR_CHECK(info, type)) {
		NL_SET_ERR_MSG(info->extack, "usbpass: the nest that the verb is about is missing");
		return -EINVAL;
	}
	return nla_parse_nested(tb, max, info->attrs[type], NULL, info->extack);
}

int usbpass_nl_flags(struct genl_info *info, u32 allowed, u32 *flags)
{
	struct nlattr *attr = info->attrs[USBPASS_A_FLAGS];

	*flags = attr ? nla_get_u32(attr) : 0;
	if (!(*flags & ~allowed))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "usbpass: this verb does not take that flag");
	return -EINVAL;
}

static int reply_begin(struct genl_info *info, struct usbpass_nl_message *message, size_t bytes)
{
	message->skb = genlmsg_new(bytes, GFP_KERNEL);
	if (!message->skb) {
		NL_SET_ERR_MSG(info->extack, "usbpass: no memory");
		return -ENOMEM;
	}
	message->header = genlmsg_put_reply(message->skb, info, &usbpass_nl_family, 0,
					    info->genlhdr->cmd);
	return 0;	/* there is room for a header */
}

int usbpass_nl_reply_begin(struct genl_info *info, struct usbpass_nl_message *message)
{
	return reply_begin(info, message, USBPASS_NL_BYTES_MAX);
}

int usbpass_nl_reply_begin_made(struct genl_info *info, struct usbpass_nl_message *message)
{
	return reply_begin(info, message, USBPASS_NL_MADE_MAX);
}

int usbpass_nl_reply_end(struct genl_info *info, struct usbpass_nl_message *message, int err)
{
	if (err) {
		nlmsg_free(message->skb);
		if (err == -EMSGSIZE)
			NL_SET_ERR_MSG(info->extack, "usbpass: the answer does not fit");
		return err;
	}
	genlmsg_end(message->skb, message->header);
	return genlmsg_reply(message->skb, info);
}

int usbpass_nl_reply_job(struct genl_info *info, struct usbpass_nl_message *message, u32 job,
			 int err)
{
	return usbpass_nl_reply_end(info, message,
				    err ?: nla_put_u32(message->skb, USBPASS_A_JOB, job));
}

int usbpass_nl_change_begin(struct genl_info *info, struct usbpass_nl_change *change)
{
	int err;

	usbpass_config_lock();
	change->own = false;
	change->stage = usbpass_txn_find(genl_info_net(info), info->snd_portid,
					 info->nlhdr->nlmsg_len);
	if (!change->stage) {
		change->own = true;
		change->stage = usbpass_txn_open(false);
	}
	if (!IS_ERR_OR_NULL(change->stage))
		return 0;
	err = change->stage ? PTR_ERR(change->stage) : -ENOMEM;
	if (err == -ENOBUFS)
		NL_SET_ERR_MSG(info->extack, "usbpass: the transaction is too large");
	else
		NL_SET_ERR_MSG(info->extack, "usbpass: no memory");
	usbpass_config_unlock();
	return err;
}

int usbpass_nl_change_commit(struct genl_info *info, struct usbpass_nl_change *change, u32 flags,
			     int err)
{
	if (err || !change->own)
		return err;
	return usbpass_txn_commit(change->stage, flags, 0, info->extack);
}

void usbpass_nl_change_end(struct usbpass_nl_change *change)
{
	usbpass_config_unlock();
	if (change->own)
		usbpass_txn_close(change->stage);
}

struct usbpass_nl_view usbpass_nl_view(struct net *net, u32 portid, enum usbpass_kind kind)
{
	struct usbpass_stage *stage = usbpass_txn_find(net, portid, 0);
	struct usbpass_config *config = usbpass_config_current();
	struct usbpass_nl_view view;

	if (!IS_ERR_OR_NULL(stage)) {
		view.items = stage->now.list[kind].items;
		view.nr = stage->now.list[kind].nr;
		return view;
	}
	switch (kind) {
	case USBPASS_GROUPS:
		view.items = (void **)config->groups;
		view.nr = config->nr_groups;
		break;
	case USBPASS_RULES:
		view.items = (void **)config->rules.rules;
		view.nr = config->rules.nr;
		break;
	default:
		view.items = (void **)config->attaches;
		view.nr = config->nr_attaches;
	}
	return view;
}

const char *usbpass_nl_group_name(struct net *net, u32 portid, u32 group_id)
{
	struct usbpass_nl_view view = usbpass_nl_view(net, portid, USBPASS_GROUPS);
	u32 i;

	for (i = 0; i < view.nr; i++) {
		const struct usbpass_group *group = view.items[i];

		if (group->id == group_id)
			return group->name;
	}
	return NULL;
}

/* Rules in match order: a stage's are in order of addition, those in force are sorted. */
struct usbpass_nl_view usbpass_nl_view_of_rules(struct net *net, u32 portid)
{
	struct usbpass_nl_view view = usbpass_nl_view(net, portid, USBPASS_RULES);

	usbpass_ruleset_sort((struct usbpass_rule **)view.items, view.nr);
	return view;
}

int usbpass_nl_dump_view(struct sk_buff *skb, struct netlink_callback *cb,
			 enum usbpass_kind kind, u8 cmd,
			 int (*fill)(struct sk_buff *skb, struct net *net, u32 portid,
				     void *object),
			 int (*also)(struct sk_buff *skb, const void *object, const void *data),
			 const void *data)
{
	struct net *net = sock_net(cb->skb->sk);
	u32 portid = NETLINK_CB(cb->skb).portid;
	struct usbpass_nl_view view;
	u64 generation;
	int err = usbpass_nl_dump_refused(cb);

	if (err)
		return err;
	usbpass_config_lock();
	if (kind == USBPASS_RULES && !cb->args[0])
		view = usbpass_nl_view_of_rules(net, portid);
	else
		view = usbpass_nl_view(net, portid, kind);
	generation = usbpass_config_current()->generation;
	cb->seq = (u32)(generation + 1) ?: 1;	/* 0: not told */
	while (cb->args[0] < view.nr) {
		void *header = genlmsg_put(skb, portid, cb->nlh->nlmsg_seq, &usbpass_nl_family,
					   NLM_F_MULTI, cmd);

		if (!header)
			break;
		genl_dump_check_consistent(cb, header);
		if (nla_put_u64_64bit(skb, USBPASS_A_GENERATION, generation, USBPASS_A_PAD) ||
		    fill(skb, net, portid, view.items[cb->args[0]]) ||
		    (also && also(skb, view.items[cb->args[0]], data))) {
			genlmsg_cancel(skb, header);
			break;
		}
		genlmsg_end(skb, header);
		cb->args[0]++;
	}
	usbpass_config_unlock();
	return skb->len;
}

int usbpass_nl_copy_name(struct nlattr *attr, char *name, struct netlink_ext_ack *extack)
{
	strscpy_pad(name, nla_data(attr), USBPASS_NAME_MAX + 1);
	if (usbpass_name_valid(name))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "usbpass: a name is 1 to 63 bytes of printable UTF-8 without / and without space at either end");
	return -EINVAL;
}

int usbpass_nl_copy_text(struct nlattr *attr, char **text, bool multiline,
			 struct netlink_ext_ack *extack)
{
	const char *from = nla_data(attr);

	if (!usbpass_name_printable(from, multiline)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "usbpass: not printable UTF-8");
		return -EINVAL;
	}
	kfree(*text);
	*text = NULL;
	if (!*from)
		return 0;	/* empty: none */
	*text = kstrdup(from, GFP_KERNEL_ACCOUNT);
	if (*text)
		return 0;
	NL_SET_ERR_MSG(extack, "usbpass: no memory");
	return -ENOMEM;
}

#define DO(command, takes, fn)							\
	{ .cmd = USBPASS_CMD_##command, .policy = takes##_policy, .doit = usbpass_nl_##fn }
#define DUMP(command, takes, fn)						\
	{ .cmd = USBPASS_CMD_##command, .policy = takes##_policy,		\
	  .start = usbpass_nl_dump_start, .dumpit = usbpass_nl_##fn##_dump }
#define GET(command, name)							\
	{ .cmd = USBPASS_CMD_##command, .policy = name##_policy,		\
	  .doit = usbpass_nl_##name##_get,					\
	  .start = usbpass_nl_dump_start, .dumpit = usbpass_nl_##name##_dump }

static const struct genl_ops ops[] = {
	{ .cmd = USBPASS_CMD_INFO, .doit = usbpass_nl_info },	/* no policy: takes nothing */
	GET(DEVICE_GET, device),
	DO(DEVICE_CLAIM, device, device_claim),
	DO(DEVICE_RELEASE, device, device_release),
	DO(GROUP_NEW, group, group_new),
	DO(GROUP_SET, group, group_set),
	DO(GROUP_DEL, group, group_del),
	GET(GROUP_GET, group),
	DO(RULE_NEW, rule, rule_new),
	DO(RULE_SET, rule, rule_set),
	DO(RULE_DEL, rule, rule_del),
	GET(RULE_GET, rule),
	{ .cmd = USBPASS_CMD_RULE_TEST, .policy = facts_policy, .doit = usbpass_nl_rule_test,
	  .start = usbpass_nl_dump_start_device, .dumpit = usbpass_nl_rule_test_dump },
	DO(ATTACH_NEW, attach, attach_new),
	DO(ATTACH_SET, attach, attach_set),
	DO(ATTACH_DEL, attach, attach_del),
	GET(ATTACH_GET, attach),
	DO(TXN_BEGIN, begin, txn_begin),
	DO(TXN_COMMIT, commit, txn_commit),
	DO(TXN_ABORT, flags, txn_abort),
	DO(TXN_CONFIRM, flags, txn_confirm),
	DO(TXN_REVERT, flags, txn_revert),
	DO(SUBSCRIBE, since, subscribe),
	DUMP(EVENT_GET, since, event),
	DO(JOB_GET, job, job_get),
	DO(MAINTENANCE_SET, maintenance, maintenance_set),
	{ .cmd = USBPASS_CMD_DEVICE_RESET, .policy = reset_policy, .doit = usbpass_nl_device_reset,
	  .start = usbpass_nl_dump_start_device, .dumpit = usbpass_nl_device_reset_dump },
	DO(POWER_DONE, power, power_done),
	DO(LEARNED_NEW, learned, learned_new),
	DO(LEARNED_DEL, learned, learned_del),
	DUMP(LEARNED_GET, learned, learned),
};

struct genl_family usbpass_nl_family = {
	.name = USBPASS_GENL_NAME,
	.version = USBPASS_GENL_VERSION,
	.maxattr = USBPASS_A_MAX,	/* the verbs have policies of their own */
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.pre_doit = pre_doit,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
};

/* A socket closed: what it had open here goes. */
static int on_release(struct notifier_block *nb, unsigned long action, void *data)
{
	struct netlink_notify *notify = data;
	struct usbpass_stage *stage;

	if (action != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	usbpass_event_unsubscribe(notify->net, notify->portid);
	usbpass_power_forsaken();
	/* Few of all the machine's sockets have one; the others need not wait for a commit. */
	if (!usbpass_txn_any())
		return NOTIFY_DONE;
	usbpass_config_lock();
	stage = usbpass_txn_take(notify->net, notify->portid);
	usbpass_config_unlock();
	usbpass_txn_close(stage);
	return NOTIFY_DONE;
}

static struct notifier_block release_notifier = { .notifier_call = on_release };

int usbpass_netlink_init(void)
{
	int err = netlink_register_notifier(&release_notifier);

	if (err)
		return err;
	err = genl_register_family(&usbpass_nl_family);
	if (err)
		netlink_unregister_notifier(&release_notifier);
	return err;
}

void usbpass_netlink_exit(void)
{
	genl_unregister_family(&usbpass_nl_family);
	netlink_unregister_notifier(&release_notifier);
	usbpass_txn_exit();
	usbpass_confirm_exit();
	usbpass_commit_exit();
}
