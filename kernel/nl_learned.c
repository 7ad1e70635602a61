// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include <linux/ktime.h>
#include "config.h"
#include "learned.h"
#include "name.h"
#include "nl.h"

#define SECS_MAX	(USBPASS_LEARNED_DAYS * 86400ULL)

const struct nla_policy usbpass_nl_learned_policy[USBPASS_A_LEARNED_MAX + 1] = {
	[USBPASS_A_LEARNED_VENDOR] = { .type = NLA_U16 },
	[USBPASS_A_LEARNED_PRODUCT] = { .type = NLA_U16 },
	[USBPASS_A_LEARNED_SERIAL] = { .type = NLA_NUL_STRING, .len = USBPASS_STRING_MAX },
	[USBPASS_A_LEARNED_SOCKET] = { .type = NLA_NUL_STRING, .len = USBPASS_SOCKET_MAX },
	[USBPASS_A_LEARNED_UNTIL] = { .type = NLA_U64 },
};

static int parse(struct genl_info *info, struct nlattr **tb, struct usbpass_identity *identity)
{
	struct nlattr *text;
	u32 flags;
	int err = usbpass_nl_flags(info, 0, &flags) ?:
		  usbpass_nl_nest(info, USBPASS_A_LEARNED, tb, USBPASS_A_LEARNED_MAX);

	if (err)
		return err;
	text = tb[USBPASS_A_LEARNED_SERIAL] ?: tb[USBPASS_A_LEARNED_SOCKET];
	if (!tb[USBPASS_A_LEARNED_VENDOR] || !tb[USBPASS_A_LEARNED_PRODUCT] ||
	    !tb[USBPASS_A_LEARNED_SERIAL] == !tb[USBPASS_A_LEARNED_SOCKET] ||
	    !*(const char *)nla_data(text)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[USBPASS_A_LEARNED],
				    "usbpass: which device? vendor, product, and either serial or socket");
		return -EINVAL;
	}
	/* A serial is what the device says, whatever that is. */
	if (tb[USBPASS_A_LEARNED_SOCKET] && !usbpass_name_printable(nla_data(text), false)) {
		NL_SET_ERR_MSG_ATTR(info->extack, text, "usbpass: not printable UTF-8");
		return -EINVAL;
	}
	memset(identity, 0, sizeof(*identity));
	identity->owner = USBPASS_OWNER_HOST;
	identity->vendor = nla_get_u16(tb[USBPASS_A_LEARNED_VENDOR]);
	identity->product = nla_get_u16(tb[USBPASS_A_LEARNED_PRODUCT]);
	identity->has_serial = tb[USBPASS_A_LEARNED_SERIAL];
	strscpy(identity->text, nla_data(text), sizeof(identity->text));
	return 0;
}

int usbpass_nl_learned_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[USBPASS_A_LEARNED_MAX + 1];
	struct usbpass_identity identity;
	struct nlattr *until;
	u64 now = ktime_get_real_seconds();
	int err = parse(info, tb, &identity);

	if (err)
		return err;
	until = tb[USBPASS_A_LEARNED_UNTIL];
	if (!until || nla_get_u64(until) <= now) {
		NL_SET_ERR_MSG_ATTR(info->extack, until ?: info->attrs[USBPASS_A_LEARNED],
				    "usbpass: until when? that time is missing, or has passed");
		return -EINVAL;
	}
	if (nla_get_u64(until) - now > SECS_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, until, "usbpass: for 30 days at most");
		return -ERANGE;
	}
	err = usbpass_learned_set(&identity, nla_get_u64(until));
	if (err)
		NL_SET_ERR_MSG(info->extack, "usbpass: no memory");
	return err;
}

int usbpass_nl_learned_del(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[USBPASS_A_LEARNED_MAX + 1];
	struct usbpass_identity identity;
	int err = parse(info, tb, &identity);

	if (err)
		return err;
	err = usbpass_learned_forget(&identity);
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[USBPASS_A_LEARNED],
				    "usbpass: nothing is known of such a device");
	return err;
}

static int fill(struct sk_buff *skb, const struct usbpass_identity *identity, u64 until)
{
	struct nlattr *nest = nla_nest_start(skb, USBPASS_A_LEARNED);

	if (!nest || nla_put_u16(skb, USBPASS_A_LEARNED_VENDOR, identity->vendor) ||
	    nla_put_u16(skb, USBPASS_A_LEARNED_PRODUCT, identity->product) ||
	    nla_put_string(skb, identity->has_serial ? USBPASS_A_LEARNED_SERIAL :
						       USBPASS_A_LEARNED_SOCKET, identity->text) ||
	    nla_put_string(skb, USBPASS_A_LEARNED_OWNER, "host") ||
	    nla_put_u64_64bit(skb, USBPASS_A_LEARNED_UNTIL, until, USBPASS_A_LEARNED_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int usbpass_nl_learned_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct usbpass_identity identity;
	int err = usbpass_nl_dump_refused(cb);
	u64 until;

	if (err)
		return err;
	while (usbpass_learned_nth(cb->args[0], &identity, &until)) {
		void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					   &usbpass_nl_family, NLM_F_MULTI,
					   USBPASS_CMD_LEARNED_GET);

		if (!header)
			break;
		if (fill(skb, &identity, until)) {
			genlmsg_cancel(skb, header);
			break;
		}
		genlmsg_end(skb, header);
		cb->args[0]++;
	}
	return skb->len;
}
