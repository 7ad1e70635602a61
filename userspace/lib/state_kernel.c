// SPDX-License-Identifier: GPL-2.0
/* A configuration from and to the kernel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "batch.h"
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
	free(state->learned);
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
	if (!ret) {
		out->generation = after.generation;
		out->on_trial = after.confirm_ms;
	}
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

static int add_all(struct batch *batch, const struct usbpass_state *state)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < state->n_groups; i++)
		ret = usbpass_batch_add(batch, USBPASS_CMD_GROUP_NEW, &usbpass_codec_group,
					&state->groups[i]);
	for (size_t i = 0; !ret && i < state->n_rules; i++)
		ret = usbpass_batch_add(batch, USBPASS_CMD_RULE_NEW, &usbpass_codec_rule,
					&state->rules[i]);
	for (size_t i = 0; !ret && i < state->n_attachments; i++)
		ret = usbpass_batch_add(batch, USBPASS_CMD_ATTACH_NEW, &usbpass_codec_attachment,
					&state->attachments[i]);
	return ret ?: usbpass_batch_send(batch);
}

/* Object number @i of all, in the order of add_all(). */
static int blame_one(struct usbpass *h, int error, const struct usbpass_state *state, size_t i,
		     char *err, size_t errsize)
{
	const struct usbpass_attachment *attachment;

	if (i < state->n_groups)
		return blame(h, error, "group", state->groups[i].name, NULL, err, errsize);
	i -= state->n_groups;
	if (i < state->n_rules)
		return blame(h, error, "rule", state->rules[i].name, state->rules[i].group, err,
			     errsize);
	attachment = &state->attachments[i - state->n_rules];
	return blame(h, error, "attachment", attachment->name, attachment->group, err, errsize);
}

static int stage(struct usbpass *h, const struct usbpass_state *state, char *err, size_t errsize)
{
	struct batch batch;
	int ret = usbpass_batch_begin(&batch, h);

	if (ret < 0) {
		snprintf(err, errsize, "%s", usbpass_error(h));
		return ret;
	}
	ret = add_all(&batch, state);
	if (ret < 0)
		blame_one(h, ret, state, batch.done, err, errsize);
	usbpass_batch_end(&batch);
	return ret;
}

int usbpass_state_stage(struct usbpass *h, const struct usbpass_state *state, char *err,
			size_t errsize)
{
	int ret = usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE);

	if (ret < 0) {
		snprintf(err, errsize, "%s", usbpass_error(h));
		return ret;
	}
	ret = stage(h, state, err, errsize);
	if (ret < 0)
		usbpass_txn_abort(h);
	return ret;
}

int usbpass_state_trial(struct usbpass *h, const struct usbpass_state *state, uint32_t flags,
			uint32_t secs, uint64_t *generation, char *err, size_t errsize)
{
	int ret = usbpass_state_stage(h, state, err, errsize);

	if (ret < 0)
		return ret;
	ret = usbpass_txn_trial(h, flags, secs, generation);
	if (ret < 0) {
		snprintf(err, errsize, "%s", usbpass_error(h));
		usbpass_txn_abort(h);
	}
	return ret;
}

int usbpass_state_commit(struct usbpass *h, const struct usbpass_state *state, uint32_t flags,
			 uint64_t *generation, char *err, size_t errsize)
{
	return usbpass_state_trial(h, state, flags, 0, generation, err, errsize);
}
