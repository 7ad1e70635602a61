// SPDX-License-Identifier: GPL-2.0
#include "event.h"
#include "job.h"
#include "nl.h"

static int put_string(struct sk_buff *skb, int type, const char *string)
{
	return *string ? nla_put_string(skb, type, string) : 0;
}

static int put_u32(struct sk_buff *skb, int type, u32 number)
{
	return number ? nla_put_u32(skb, type, number) : 0;
}

static int fill(struct sk_buff *skb, const struct usbpass_event *ev, u64 lost)
{
	struct nlattr *nest = nla_nest_start(skb, USBPASS_A_EVENT);

	if (!nest ||
	    nla_put_u64_64bit(skb, USBPASS_A_EVENT_SEQ, ev->seq, USBPASS_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, USBPASS_A_EVENT_TIME, ev->time_ns, USBPASS_A_EVENT_PAD) ||
	    nla_put_u8(skb, USBPASS_A_EVENT_TYPE, ev->type) ||
	    (lost && nla_put_u64_64bit(skb, USBPASS_A_EVENT_LOST, lost, USBPASS_A_EVENT_PAD)) ||
	    put_u32(skb, USBPASS_A_EVENT_DEVICE, ev->device_id) ||
	    put_string(skb, USBPASS_A_EVENT_SOCKET, ev->socket) ||
	    (ev->device_id && (nla_put_u16(skb, USBPASS_A_EVENT_VENDOR, ev->vendor) ||
			       nla_put_u16(skb, USBPASS_A_EVENT_PRODUCT, ev->product))) ||
	    put_string(skb, USBPASS_A_EVENT_GROUP, ev->group) ||
	    put_u32(skb, USBPASS_A_EVENT_RULE, ev->rule_id) ||
	    put_string(skb, USBPASS_A_EVENT_ATTACH, ev->attach) ||
	    (ev->has_state && nla_put_u8(skb, USBPASS_A_EVENT_STATE, ev->state)) ||
	    put_u32(skb, USBPASS_A_EVENT_JOB, ev->job) ||
	    (ev->has_result && nla_put_s32(skb, USBPASS_A_EVENT_RESULT, ev->result)) ||
	    put_string(skb, ev->type == USBPASS_EVENT_POWER_CYCLE ? USBPASS_A_EVENT_PORT :
								     USBPASS_A_EVENT_REASON,
		       ev->reason) ||
	    (ev->has_reset && nla_put_u8(skb, USBPASS_A_EVENT_RESET, ev->reset)) ||
	    (ev->generation && nla_put_u64_64bit(skb, USBPASS_A_EVENT_GENERATION,
						 ev->generation, USBPASS_A_EVENT_PAD)) ||
	    (ev->has_who && (nla_put_u32(skb, USBPASS_A_EVENT_PID, ev->pid) ||
			     nla_put_u32(skb, USBPASS_A_EVENT_UID, ev->uid) ||
			     put_string(skb, USBPASS_A_EVENT_COMM, ev->comm))))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int usbpass_nl_send_event(struct net *net, u32 portid, const struct usbpass_event *ev, u64 lost)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *header;

	if (!skb)
		return -ENOMEM;
	header = genlmsg_put(skb, 0, 0, &usbpass_nl_family, 0, USBPASS_CMD_EVENT);
	if (!header || fill(skb, ev, lost)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return genlmsg_unicast(net, skb, portid);
}

int usbpass_nl_subscribe(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *since = info->attrs[USBPASS_A_SINCE];
	u32 flags;
	int err = usbpass_nl_flags(info, USBPASS_F_POWER, &flags);

	if (err)
		return err;
	err = usbpass_event_subscribe(NETLINK_CB(skb).sk, info->snd_portid,
				      since ? nla_get_u64(since) : usbpass_event_last_seq(),
				      flags & USBPASS_F_POWER);
	if (err == -EALREADY)
		NL_SET_ERR_MSG(info->extack, "usbpass: this socket has subscribed");
	else if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack,
			       "usbpass: another socket carries out the power cycles");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "usbpass: 16 sockets have subscribed, the limit");
	else if (err)
		NL_SET_ERR_MSG(info->extack, "usbpass: no memory");
	return err;
}

/* args[0]: the number sent last; args[1]: it is set. */
int usbpass_nl_event_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *since = usbpass_genl_dump_attrs(cb)[USBPASS_A_SINCE];
	struct usbpass_event ev;
	int err = usbpass_nl_dump_refused(cb);
	u64 lost;

	if (err)
		return err;
	if (!cb->args[1]) {
		cb->args[0] = since ? nla_get_u64(since) : 0;
		cb->args[1] = 1;
	}
	while (usbpass_event_next(cb->args[0], &ev, &lost)) {
		void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					   &usbpass_nl_family, NLM_F_MULTI,
					   USBPASS_CMD_EVENT_GET);

		if (!header)
			break;
		if (fill(skb, &ev, lost)) {
			genlmsg_cancel(skb, header);
			break;
		}
		genlmsg_end(skb, header);
		cb->args[0] = ev.seq;
	}
	return skb->len;
}

int usbpass_nl_job_get(struct sk_buff *skb, struct genl_info *info)
{
	struct usbpass_event ev = { .type = USBPASS_EVENT_JOB, .has_result = true };
	struct usbpass_nl_message message;
	u32 flags;
	int err = usbpass_nl_flags(info, 0, &flags);

	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, USBPASS_A_JOB)) {
		NL_SET_ERR_MSG(info->extack, "usbpass: which job? its id is missing");
		return -EINVAL;
	}
	ev.job = nla_get_u32(info->attrs[USBPASS_A_JOB]);
	err = usbpass_job_result(ev.job, &ev.result, ev.reason);
	if (err) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[USBPASS_A_JOB],
				    "usbpass: no such job, or it ended long ago");
		return err;
	}
	err = usbpass_nl_reply_begin(info, &message);
	if (err)
		return err;
	return usbpass_nl_reply_end(info, &message, fill(message.skb, &ev, 0));
}
