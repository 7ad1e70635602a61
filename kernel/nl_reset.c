// SPDX-License-Identifier: GPL-2.0
#include "config_priv.h"
#include "device.h"
#include "nl.h"
#include "power.h"
#include "radius.h"
#include "step.h"

static u8 kind_of(struct nlattr *attr)
{
	return attr ? nla_get_u8(attr) : USBPASS_RESET_KIND_DEVICE;
}

int usbpass_nl_device_reset(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[USBPASS_A_DEVICE_MAX + 1];
	struct usbpass_nl_message message;
	u32 id, flags, job = 0;
	int err = usbpass_nl_device_parse(info, tb, &id) ?:
		  usbpass_nl_flags(info, USBPASS_F_FORCE, &flags) ?:
		  usbpass_nl_reply_begin(info, &message);

	if (err)
		return err;
	err = usbpass_step_request(id, kind_of(info->attrs[USBPASS_A_RESET]), flags, &job,
				   info->extack);
	if (err)
		NL_SET_BAD_ATTR(info->extack, tb[USBPASS_A_DEVICE_ID]);
	return usbpass_nl_reply_job(info, &message, job, err);
}

/* The device that a dump is about, or an error that is told. Its reference is the caller's. */
static struct usbpass_device *device_of(struct netlink_callback *cb)
{
	struct nlattr *nest = usbpass_genl_dump_attrs(cb)[USBPASS_A_DEVICE];
	struct nlattr *tb[USBPASS_A_DEVICE_MAX + 1];
	struct usbpass_device *dev;
	int err;

	if (!nest) {
		NL_SET_ERR_MSG(cb->extack, "usbpass: the nest that the verb is about is missing");
		return ERR_PTR(-EINVAL);
	}
	err = nla_parse_nested(tb, USBPASS_A_DEVICE_MAX, nest, usbpass_nl_device_policy,
			       cb->extack);
	if (err)
		return ERR_PTR(err);
	if (!tb[USBPASS_A_DEVICE_ID]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, nest,
				    "usbpass: which device? its id is missing");
		return ERR_PTR(-EINVAL);
	}
	dev = usbpass_device_by_id(nla_get_u32(tb[USBPASS_A_DEVICE_ID]));
	if (dev)
		return dev;
	NL_SET_ERR_MSG_ATTR(cb->extack, tb[USBPASS_A_DEVICE_ID],
			    "usbpass: no present device has this id");
	return ERR_PTR(-ENODEV);
}

static bool put_hit(struct sk_buff *skb, struct netlink_callback *cb, const struct usbpass_hit *hit)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &usbpass_nl_family, NLM_F_MULTI, USBPASS_CMD_DEVICE_RESET);

	if (!header)
		return false;
	if (usbpass_nl_device_fill(skb, hit->dev) ||
	    nla_put_u8(skb, USBPASS_A_IN_THE_WAY, hit->in_the_way)) {
		genlmsg_cancel(skb, header);
		return false;
	}
	genlmsg_end(skb, header);
	return true;
}

static int put_radius(struct sk_buff *skb, struct netlink_callback *cb,
		      struct usbpass_device *dev)
{
	u8 kind = kind_of(usbpass_genl_dump_attrs(cb)[USBPASS_A_RESET]);
	struct usbpass_radius radius;
	int err = usbpass_radius_survey_told(&radius, dev, kind, cb->extack);

	if (err)
		return err;
	usbpass_config_lock();
	while (cb->args[0] < radius.nr && put_hit(skb, cb, &radius.hits[cb->args[0]]))
		cb->args[0]++;
	usbpass_config_unlock();
	usbpass_radius_free(&radius);
	return skb->len;
}

/* Surveyed anew for each buffer: what changes in between may be told twice, or not. */
int usbpass_nl_device_reset_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err = usbpass_nl_dump_refused(cb);
	struct usbpass_device *dev;

	if (err)
		return err;
	dev = device_of(cb);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	err = put_radius(skb, cb, dev);
	usbpass_device_put(dev);
	return err;
}

int usbpass_nl_power_done(struct sk_buff *skb, struct genl_info *info)
{
	u32 flags;
	int err = usbpass_nl_flags(info, 0, &flags);

	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, USBPASS_A_JOB) ||
	    GENL_REQ_ATTR_CHECK(info, USBPASS_A_RESULT)) {
		NL_SET_ERR_MSG(info->extack, "usbpass: which job, and how did it end?");
		return -EINVAL;
	}
	err = usbpass_power_done(genl_info_net(info), info->snd_portid,
				 nla_get_u32(info->attrs[USBPASS_A_JOB]),
				 nla_get_s32(info->attrs[USBPASS_A_RESULT]));
	if (err == -EPERM)
		NL_SET_ERR_MSG(info->extack,
			       "usbpass: this socket has not subscribed for power cycles");
	else if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[USBPASS_A_JOB],
				    "usbpass: no power cycle with this number is under way");
	return err;
}
