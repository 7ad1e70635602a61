/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_RULESET_H
#define _USBPASS_RULESET_H

#include <linux/types.h>

struct usbpass_facts;
struct usbpass_rule;

/* Of a rule that asks for one vendor:product. */
struct usbpass_ruleset_link {
	u32 key;			/* both */
	u32 next;			/* of its bucket, index + 1; 0: none */
};

/*
 * Rules in match order, with an index: those that ask for one vendor:product
 * are found by hash, the others are tried in order. Immutable.
 */
struct usbpass_ruleset {
	u32 nr;
	struct usbpass_rule **rules;	/* references; by priority, then id */
	u32 bits;			/* of the hash */
	u32 *buckets;			/* first rule's index + 1; 0: none */
	struct usbpass_ruleset_link *links;	/* by rule */
	u32 nr_wild;
	u32 *wild;			/* indices, in order */
};

/* Into match order. */
void usbpass_ruleset_sort(struct usbpass_rule **rules, u32 nr);
/* Takes over a reference on each of @rules (on success). 0 or -ENOMEM. */
int usbpass_ruleset_build(struct usbpass_ruleset *set, struct usbpass_rule **rules, u32 nr);
/* Drops the references. Sleeps. */
void usbpass_ruleset_free(struct usbpass_ruleset *set);

/* The first rule that matches; NULL: none. No sleep. */
struct usbpass_rule *usbpass_ruleset_find(const struct usbpass_ruleset *set,
					  const struct usbpass_facts *facts, const char *node);

#endif /* _USBPASS_RULESET_H */
