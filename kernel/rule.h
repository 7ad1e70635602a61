/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_RULE_H
#define _USBPASS_RULE_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/types.h>
#include <linux/usbpass.h>

struct usbpass_cond;
struct usbpass_facts;

/* Shared by all SETs of a rule: what counts while a stage is open is not lost. */
struct usbpass_hits {
	struct kref kref;
	atomic64_t count;
};

/* Immutable once in force. */
struct usbpass_rule {
	struct kref kref;
	u32 id;
	u32 owner;
	s32 priority;
	u8 action, origin;
	bool enabled;
	u32 group_id;			/* 0 unless CLAIM */
	char name[USBPASS_NAME_MAX + 1];
	char *description;		/* NULL: none */
	struct usbpass_hits *hits;	/* reference */
	u32 nr_conds;
	struct usbpass_cond *conds;	/* owned */
};

struct usbpass_rule *usbpass_rule_alloc(u32 nr_conds);	/* NULL: no memory */
/* Takes over @conds (from kcalloc) in the place of the rule's own. */
void usbpass_rule_set_conds(struct usbpass_rule *rule, struct usbpass_cond *conds, u32 nr_conds);
void usbpass_rule_free_conds(struct usbpass_cond *conds, u32 nr_conds);
/* Shares the hits. NULL: no memory. */
struct usbpass_rule *usbpass_rule_copy(const struct usbpass_rule *rule);
/* @rule stands for @before from now on, and goes on counting. */
void usbpass_rule_share_hits(struct usbpass_rule *rule, const struct usbpass_rule *before);
struct usbpass_rule *usbpass_rule_get(struct usbpass_rule *rule);
void usbpass_rule_put(struct usbpass_rule *rule);

/* The first condition that does not hold; nr_conds: all do. No sleep. @node: this host's name. */
u32 usbpass_rule_first_failed(const struct usbpass_rule *rule, const struct usbpass_facts *facts,
			      const char *node);
bool usbpass_rule_matches(const struct usbpass_rule *rule, const struct usbpass_facts *facts,
			  const char *node);
/* Does it ask for exactly one vendor:product? *key is then both. */
bool usbpass_rule_is_exact(const struct usbpass_rule *rule, u32 *key);

#endif /* _USBPASS_RULE_H */
