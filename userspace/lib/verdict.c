// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"

struct verdicts {
	struct usbpass_verdict *list;
	size_t n, room;
};

static int take(struct nlattr **tb, void *arg)
{
	struct verdicts *all = arg;
	struct usbpass_verdict *one;
	int ret;

	if (!tb[USBPASS_A_RULE] ||
	    (tb[USBPASS_A_FAILED] && nla_len(tb[USBPASS_A_FAILED]) != sizeof(uint32_t)))
		return -EBADMSG;
	if (all->n == all->room) {
		size_t room = all->room ? 2 * all->room : 64;

		one = reallocarray(all->list, room, sizeof(*one));
		if (!one)
			return -ENOMEM;
		all->list = one;
		all->room = room;
	}
	one = &all->list[all->n];
	memset(one, 0, sizeof(*one));
	ret = usbpass_codec_decode(tb[USBPASS_A_RULE], &usbpass_codec_rule, &one->rule);
	if (ret < 0)
		return ret;
	all->n++;
	one->holds = !tb[USBPASS_A_FAILED];
	if (one->holds)
		return 0;
	one->failed = nla_get_u32(tb[USBPASS_A_FAILED]);
	return one->failed < one->rule.n_conds ? 0 : -EBADMSG;
}

int usbpass_rule_explain(struct usbpass *h, const struct usbpass_device *device,
			 struct usbpass_verdict **out, size_t *n)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_RULE_TEST, NLM_F_DUMP);
	struct verdicts all = {};
	int ret;

	*out = NULL;
	*n = 0;
	if (!msg)
		return -ENOMEM;
	usbpass_codec_encode(msg, &usbpass_codec_device, device);
	ret = usbpass_message_call(h, h->calls, msg, take, &all);
	if (ret < 0) {
		usbpass_verdict_list_free(all.list, all.n);
		return ret;
	}
	*out = all.list;
	*n = all.n;
	return 0;
}

void usbpass_verdict_list_free(struct usbpass_verdict *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		usbpass_rule_clear(&list[i].rule);
	free(list);
}

const struct usbpass_verdict *usbpass_verdict_winner(const struct usbpass_verdict *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].holds && list[i].rule.enabled)
			return &list[i];
	return NULL;
}
