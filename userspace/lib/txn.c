// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include "message.h"

int usbpass_txn_begin(struct usbpass *h, const uint64_t *generation, uint32_t flags)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_TXN_BEGIN, 0);

	if (!msg)
		return -ENOMEM;
	if (generation)
		nla_put_u64(msg, USBPASS_A_GENERATION, *generation);
	if (flags)
		nla_put_u32(msg, USBPASS_A_FLAGS, flags);
	return usbpass_message_call(h, h->calls, msg, NULL, NULL);
}

static int take_generation(struct nlattr **tb, void *arg)
{
	if (tb[USBPASS_A_GENERATION] && nla_len(tb[USBPASS_A_GENERATION]) == sizeof(uint64_t))
		*(uint64_t *)arg = nla_get_u64(tb[USBPASS_A_GENERATION]);
	return 0;
}

/* Eats @msg. */
static int call(struct usbpass *h, struct nl_msg *msg, uint64_t *generation)
{
	uint64_t now = 0;
	int ret = usbpass_message_call(h, h->calls, msg, take_generation, &now);

	if (!ret && generation)
		*generation = now;
	return ret;
}

int usbpass_txn_trial(struct usbpass *h, uint32_t flags, uint32_t secs, uint64_t *generation)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_TXN_COMMIT, 0);

	if (!msg)
		return -ENOMEM;
	if (flags)
		nla_put_u32(msg, USBPASS_A_FLAGS, flags);
	if (secs)
		nla_put_u32(msg, USBPASS_A_CONFIRM_SECS, secs);
	return call(h, msg, generation);
}

int usbpass_txn_commit(struct usbpass *h, uint32_t flags, uint64_t *generation)
{
	return usbpass_txn_trial(h, flags, 0, generation);
}

int usbpass_txn_confirm(struct usbpass *h, uint64_t *generation)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_TXN_CONFIRM, 0);

	return msg ? call(h, msg, generation) : -ENOMEM;
}

int usbpass_txn_revert(struct usbpass *h, uint64_t *generation)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_TXN_REVERT, 0);

	return msg ? call(h, msg, generation) : -ENOMEM;
}

int usbpass_txn_abort(struct usbpass *h)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_TXN_ABORT, 0);

	return msg ? usbpass_message_call(h, h->calls, msg, NULL, NULL) : -ENOMEM;
}
