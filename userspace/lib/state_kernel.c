// SPDX-License-Identifier: GPL-2.0
/* A configuration from and to the kernel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "handle.h"
#include "state.h"

#define READ_TRIES	64

/* What the kernel reports beyond what an operator can set. */
#define GROUP_OUT	(USBPASS_HAS(USBPASS_A_GROUP_ID) | USBPASS_HAS(USBPASS_A_GROUP_OWNER) | \
			 USBPASS_HAS(USBPASS_A_GROUP_DEVICES) | USBPASS_HAS(USBPASS_A_GROUP_FREE))
#define RULE_OUT	(USBPASS_HAS(USBPASS_A_RULE_ID) | USBPASS_HAS(USBPASS_A_RULE_HITS))
#define ATTACH_IN	(USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_SLUG) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_GROUP) | USBPASS_HAS(USBPASS_A_ATTACH_VM) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_DESCRIPTION) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_RESET) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_OPTIONAL) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_FOLLOW) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_ENABLED) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_UID) | USBPASS_HAS(USBPASS_A_ATTACH_GID) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_PIN_VENDOR) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_PIN_PRODUCT) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_PIN_SERIAL) | \
			 USBPASS_HAS(USBPASS_A_ATTACH_PIN_SOCKET))

void usbpass_state_free(struct usbpass_state *state)
{
	usbpass_group_list_free(state->groups, state->n_groups);
	usbpass_rule_list_free(state->rules, state->n_rules);
	usbpass_attachment_list_free(state->attachments, state->n_attachments);
	memset(state, 0, sizeof(*state));
}

static void keep_settable(struct usbpass_state *state)
{
	for (size_t i = 0; i < state->n_groups; i++) {
		struct usbpass_group *group = &state->groups[i];

		group->has &= ~GROUP_OUT;
		group->id = group->devices = group->free = 0;
		group->owner[0] = '\0';
	}
	for (size_t i = 0; i < state->n_rules; i++) {
		state->rules[i].has &= ~RULE_OUT;
		state->rules[i].id = 0;
		state->rules[i].hits = 0;
	}
	for (size_t i = 0; i < state->n_attachments; i++) {
		struct usbpass_attachment *from = &state->attachments[i];

		from->has &= ATTACH_IN;
		from->id = from->slot = 0;
	}
}

static int read_once(struct usbpass *h, struct usbpass_state *out)
{
	struct usbpass_info before, after;
	int ret;

	ret = usbpass_info_get(h, &before);
	if (!ret)
		ret = usbpass_group_list(h, &out->groups, &out->n_groups);
	if (!ret)
		ret = usbpass_rule_list(h, &out->rules, &out->n_rules);
	if (!ret)
		ret = usbpass_attachment_list(h, &out->attachments, &out->n_attachments);
	if (!ret)
		ret = usbpass_info_get(h, &after);
	if (!ret && before.generation != after.generation)
		ret = -EINTR;
	if (!ret)
		out->generation = after.generation;
	return ret;
}

int usbpass_state_read(struct usbpass *h, struct usbpass_state *out)
{
	int ret;

	for (int i = 0; i < READ_TRIES; i++) {
		memset(out, 0, sizeof(*out));
		ret = read_once(h, out);
		if (!ret) {
			keep_settable(out);
			return 0;
		}
		usbpass_state_free(out);
		if (ret != -EINTR)
			return ret;
	}
	return usbpass_handle_fail(h, -EAGAIN,
				   "the configuration changes faster than it can be read; try again");
}

/* Names the object, and the group that it names; the caller aborts the stage. */
static int blame(struct usbpass *h, int error, const char *kind, const char *name,
		 const char *group, char *err, size_t errsize)
{
	const char *attr = usbpass_error_attr(h), *text = usbpass_error(h), *dot;
	const char *prefix = "usbpass: ";

	/* Callers have a prefix of their own. */
	if (!strncmp(text, prefix, strlen(prefix)))
		text += strlen(prefix);
	dot = strchr(attr, '.');
	if (dot && !strcmp(dot, ".group") && group)
		snprintf(err, errsize, "%s '%s', group '%s': %s", kind, name, group, text);
	else
		snprintf(err, errsize, "%s '%s': %s%s%s%s", kind, name, text, *attr ? " (" : "",
			 attr, *attr ? ")" : "");
	return error;
}

static int stage(struct usbpass *h, const struct usbpass_state *state, char *err, size_t errsize)
{
	int ret;

	/* Copies: a NEW's answer fills in the id, and @state is the caller's. */
	for (size_t i = 0; i < state->n_groups; i++) {
		struct usbpass_group group = state->groups[i];

		ret = usbpass_group_new(h, &group);
		if (ret < 0)
			return blame(h, ret, "group", group.name, NULL, err, errsize);
	}
	for (size_t i = 0; i < state->n_rules; i++) {
		struct usbpass_rule rule = state->rules[i];

		ret = usbpass_rule_new(h, &rule);
		if (ret < 0)
			return blame(h, ret, "rule", rule.name, rule.group, err, errsize);
	}
	for (size_t i = 0; i < state->n_attachments; i++) {
		struct usbpass_attachment attachment = state->attachments[i];

		ret = usbpass_attachment_new(h, &attachment);
		if (ret < 0)
			return blame(h, ret, "attachment", attachment.name, attachment.group,
				     err, errsize);
	}
	return 0;
}

int usbpass_state_commit(struct usbpass *h, const struct usbpass_state *state, uint32_t flags,
			 uint64_t *generation, char *err, size_t errsize)
{
	int ret = usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE);

	if (ret < 0) {
		snprintf(err, errsize, "%s", usbpass_error(h));
		return ret;
	}
	ret = stage(h, state, err, errsize);
	if (ret < 0) {
		usbpass_txn_abort(h);
		return ret;
	}
	ret = usbpass_txn_commit(h, flags, generation);
	if (ret < 0) {
		snprintf(err, errsize, "%s", usbpass_error(h));
		usbpass_txn_abort(h);
	}
	return ret;
}
