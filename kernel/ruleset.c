// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "facts.h"
#include "rule.h"
#include "ruleset.h"

static int order(const void *a, const void *b)
{
	const struct usbpass_rule *x = *(const struct usbpass_rule * const *)a;
	const struct usbpass_rule *y = *(const struct usbpass_rule * const *)b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* From the last to the first, so that each bucket is in match order. */
static void index_rules(struct usbpass_ruleset *set)
{
	u32 i, key, wild = 0;

	for (i = set->nr; i-- > 0;) {
		u32 *bucket;

		if (!set->rules[i]->enabled || !usbpass_rule_is_exact(set->rules[i], &key))
			continue;
		bucket = &set->buckets[hash_32(key, set->bits)];
		set->links[i].key = key;
		set->links[i].next = *bucket;
		*bucket = i + 1;
	}
	for (i = 0; i < set->nr; i++)
		if (set->rules[i]->enabled && !usbpass_rule_is_exact(set->rules[i], &key))
			set->wild[wild++] = i;
	set->nr_wild = wild;
}

static void free_index(struct usbpass_ruleset *set)
{
	kvfree(set->rules);
	kvfree(set->buckets);
	kvfree(set->links);
	kvfree(set->wild);
}

void usbpass_ruleset_sort(struct usbpass_rule **rules, u32 nr)
{
	u32 i;

	for (i = 1; i < nr; i++) {
		if (order(&rules[i - 1], &rules[i]) > 0) {
			sort(rules, nr, sizeof(*rules), order, NULL);
			return;
		}
	}
}

int usbpass_ruleset_build(struct usbpass_ruleset *set, struct usbpass_rule **rules, u32 nr)
{
	memset(set, 0, sizeof(*set));
	set->nr = nr;
	set->bits = clamp_t(u32, order_base_2(nr + 1), 1, 20);
	set->rules = kvcalloc(nr + 1, sizeof(*set->rules), GFP_KERNEL_ACCOUNT);
	set->buckets = kvcalloc(1U << set->bits, sizeof(*set->buckets), GFP_KERNEL_ACCOUNT);
	set->links = kvcalloc(nr + 1, sizeof(*set->links), GFP_KERNEL_ACCOUNT);
	set->wild = kvcalloc(nr + 1, sizeof(*set->wild), GFP_KERNEL_ACCOUNT);
	if (!set->rules || !set->buckets || !set->links || !set->wild) {
		free_index(set);
		memset(set, 0, sizeof(*set));
		return -ENOMEM;
	}
	memcpy(set->rules, rules, nr * sizeof(*rules));
	usbpass_ruleset_sort(set->rules, nr);
	index_rules(set);
	return 0;
}

void usbpass_ruleset_free(struct usbpass_ruleset *set)
{
	u32 i;

	for (i = 0; i < set->nr; i++) {
		usbpass_rule_put(set->rules[i]);
		cond_resched();
	}
	free_index(set);
}

struct usbpass_rule *usbpass_ruleset_find(const struct usbpass_ruleset *set,
					  const struct usbpass_facts *facts, const char *node)
{
	u32 key = le16_to_cpu(facts->descriptor.idVendor) << 16 |
		  le16_to_cpu(facts->descriptor.idProduct);
	u32 best = set->nr;
	u32 i;

	if (!set->nr)
		return NULL;
	for (i = set->buckets[hash_32(key, set->bits)]; i; i = set->links[i - 1].next) {
		if (set->links[i - 1].key == key &&
		    usbpass_rule_matches(set->rules[i - 1], facts, node)) {
			best = i - 1;
			break;
		}
	}
	for (i = 0; i < set->nr_wild && set->wild[i] < best; i++)
		if (usbpass_rule_matches(set->rules[set->wild[i]], facts, node))
			best = set->wild[i];	/* the loop ends: they are in order */
	return best < set->nr ? set->rules[best] : NULL;
}
