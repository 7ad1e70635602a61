// SPDX-License-Identifier: GPL-2.0
#include "config_priv.h"
#include "confirm.h"
#include "nl.h"
#include "reconcile.h"
#include "txn.h"

int usbpass_nl_txn_begin(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[USBPASS_A_GENERATION];
	u64 generation = attr ? nla_get_u64(attr) : 0;
	u32 flags;
	int err = usbpass_nl_flags(info, USBPASS_F_REPLACE, &flags);

	if (err)
		return err;
	usbpass_config_lock();
	err = usbpass_txn_begin(genl_info_net(info), info->snd_portid,
				attr ? &generation : NULL, flags & USBPASS_F_REPLACE,
				info->extack);
	usbpass_config_unlock();
	return err;
}

static struct usbpass_stage *find(struct genl_info *info, int *err)
{
	struct usbpass_stage *stage = usbpass_txn_find(genl_info_net(info), info->snd_portid, 0);

	if (!IS_ERR_OR_NULL(stage))
		return stage;
	NL_SET_ERR_MSG(info->extack,
		       "usbpass: this socket has no transaction; it ends after 60 s without a command");
	*err = -ENOENT;
	return NULL;
}

static int fill_generation(struct sk_buff *skb)
{
	return nla_put_u64_64bit(skb, USBPASS_A_GENERATION,
				 usbpass_config_current()->generation, USBPASS_A_PAD);
}

int usbpass_nl_txn_commit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *confirm = info->attrs[USBPASS_A_CONFIRM_SECS];
	struct usbpass_nl_message message;
	struct usbpass_stage *stage;
	u32 flags;
	int err = usbpass_nl_flags(info, USBPASS_F_REVOKE | USBPASS_F_RESCAN, &flags) ?:
		  usbpass_nl_reply_begin(info, &message);

	if (err)
		return err;
	usbpass_config_lock();
	stage = find(info, &err);
	if (stage)
		err = usbpass_txn_commit(stage, flags, confirm ? nla_get_u32(confirm) : 0,
					 info->extack);
	if (err) {
		stage = NULL;	/* stays the socket's */
	} else {
		stage = usbpass_txn_take(genl_info_net(info), info->snd_portid);
		/* Not for a verb's REVOKE, which is about its own attachment. */
		if (flags & USBPASS_F_REVOKE)
			usbpass_reconcile_revoke(0);
		err = fill_generation(message.skb);
	}
	usbpass_config_unlock();
	usbpass_txn_close(stage);
	return usbpass_nl_reply_end(info, &message, err);
}

int usbpass_nl_txn_abort(struct sk_buff *skb, struct genl_info *info)
{
	struct usbpass_stage *stage = NULL;
	u32 flags;
	int err = usbpass_nl_flags(info, 0, &flags);

	if (err)
		return err;
	usbpass_config_lock();
	if (find(info, &err))
		stage = usbpass_txn_take(genl_info_net(info), info->snd_portid);
	usbpass_config_unlock();
	usbpass_txn_close(stage);
	return err;
}

/* Of any socket: who had the configuration staged may be gone. */
static int end_trial(struct genl_info *info, int (*end)(struct netlink_ext_ack *extack))
{
	struct usbpass_nl_message message;
	u32 flags;
	int err = usbpass_nl_flags(info, 0, &flags) ?: usbpass_nl_reply_begin(info, &message);

	if (err)
		return err;
	usbpass_config_lock();
	err = end(info->extack) ?: fill_generation(message.skb);
	usbpass_config_unlock();
	return usbpass_nl_reply_end(info, &message, err);
}

int usbpass_nl_txn_confirm(struct sk_buff *skb, struct genl_info *info)
{
	return end_trial(info, usbpass_confirm_keep);
}

int usbpass_nl_txn_revert(struct sk_buff *skb, struct genl_info *info)
{
	return end_trial(info, usbpass_confirm_revert);
}
