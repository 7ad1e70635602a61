// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"

static struct usbpass_rule key(uint32_t id, const char *name)
{
	struct usbpass_rule rule = { .id = id };

	rule.has = USBPASS_HAS(id ? USBPASS_A_RULE_ID : USBPASS_A_RULE_NAME);
	if (!id)
		snprintf(rule.name, sizeof(rule.name), "%s", name);
	return rule;
}

int usbpass_rule_get(struct usbpass *h, uint32_t id, const char *name, struct usbpass_rule *out)
{
	struct usbpass_rule in = key(id, name);

	memset(out, 0, sizeof(*out));
	return usbpass_message_object(h, USBPASS_CMD_RULE_GET, &usbpass_codec_rule, &in, 0, out);
}

int usbpass_rule_list(struct usbpass *h, struct usbpass_rule **out, size_t *n)
{
	return usbpass_message_list(h, USBPASS_CMD_RULE_GET, &usbpass_codec_rule, NULL,
				    (void **)out, n);
}

int usbpass_rule_new(struct usbpass *h, struct usbpass_rule *rule)
{
	struct usbpass_rule made = {};
	int ret = usbpass_message_object(h, USBPASS_CMD_RULE_NEW, &usbpass_codec_rule, rule, 0,
					 &made);

	if (ret < 0)
		return ret;
	rule->id = made.id;
	snprintf(rule->name, sizeof(rule->name), "%s", made.name);
	rule->has |= USBPASS_HAS(USBPASS_A_RULE_ID) | USBPASS_HAS(USBPASS_A_RULE_NAME);
	usbpass_rule_clear(&made);
	return 0;
}

int usbpass_rule_set(struct usbpass *h, const struct usbpass_rule *rule)
{
	return usbpass_message_object(h, USBPASS_CMD_RULE_SET, &usbpass_codec_rule, rule, 0, NULL);
}

int usbpass_rule_del(struct usbpass *h, uint32_t id, const char *name)
{
	struct usbpass_rule in = key(id, name);

	return usbpass_message_object(h, USBPASS_CMD_RULE_DEL, &usbpass_codec_rule, &in, 0, NULL);
}

struct test {
	struct usbpass_rule *out;
};

/* The answer is empty, or lacks the nest, where no rule matches. */
static int take_test(struct nlattr **tb, void *arg)
{
	struct test *test = arg;

	if (!tb[USBPASS_A_RULE] || test->out->has)
		return 0;
	return usbpass_codec_decode(tb[USBPASS_A_RULE], &usbpass_codec_rule, test->out);
}

int usbpass_rule_test(struct usbpass *h, uint32_t id, struct usbpass_rule *out)
{
	struct usbpass_device device = { .has = USBPASS_HAS(USBPASS_A_DEVICE_ID), .id = id };
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_RULE_TEST, 0);
	struct test test = { .out = out };
	int ret;

	memset(out, 0, sizeof(*out));
	if (!msg)
		return -ENOMEM;
	usbpass_codec_encode(msg, &usbpass_codec_device, &device);
	ret = usbpass_message_call(h, h->calls, msg, take_test, &test);
	if (ret < 0)
		usbpass_rule_clear(out);
	return ret;
}

void usbpass_rule_clear(struct usbpass_rule *rule)
{
	for (size_t i = 0; i < rule->n_conds; i++) {
		free(rule->conds[i].string);
		free(rule->conds[i].table);
	}
	free(rule->conds);
	free(rule->description);
	memset(rule, 0, sizeof(*rule));
}

void usbpass_rule_list_free(struct usbpass_rule *list, size_t n)
{
	usbpass_message_list_free(&usbpass_codec_rule, list, n);
}

int usbpass_rule_add_cond(struct usbpass_rule *rule, const struct usbpass_cond *cond)
{
	struct usbpass_cond copy = *cond, *conds;

	if (rule->n_conds >= USBPASS_CONDS_MAX)
		return -E2BIG;
	copy.table = NULL;
	if (cond->string) {
		copy.string = strdup(cond->string);
		if (!copy.string)
			return -ENOMEM;
	}
	conds = reallocarray(rule->conds, rule->n_conds + 1, sizeof(*conds));
	if (!conds) {
		free(copy.string);
		return -ENOMEM;
	}
	rule->conds = conds;
	conds[rule->n_conds++] = copy;
	rule->has |= USBPASS_HAS(USBPASS_A_RULE_COND);
	return 0;
}
