// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/string.h>
#include "cond.h"
#include "rule.h"

struct usbpass_rule *usbpass_rule_alloc(u32 nr_conds)
{
	struct usbpass_rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL_ACCOUNT);

	if (!rule)
		return NULL;
	kref_init(&rule->kref);
	rule->hits = kzalloc(sizeof(*rule->hits), GFP_KERNEL_ACCOUNT);
	if (!rule->hits)
		goto err_rule;
	kref_init(&rule->hits->kref);
	if (!nr_conds)
		return rule;
	rule->conds = kcalloc(nr_conds, sizeof(*rule->conds), GFP_KERNEL_ACCOUNT);
	if (!rule->conds)
		goto err_hits;
	rule->nr_conds = nr_conds;
	return rule;

err_hits:
	kfree(rule->hits);
err_rule:
	kfree(rule);
	return NULL;
}

void usbpass_rule_free_conds(struct usbpass_cond *conds, u32 nr_conds)
{
	u32 i;

	for (i = 0; i < nr_conds; i++)
		usbpass_cond_clear(&conds[i]);
	kfree(conds);
}

void usbpass_rule_set_conds(struct usbpass_rule *rule, struct usbpass_cond *conds, u32 nr_conds)
{
	usbpass_rule_free_conds(rule->conds, rule->nr_conds);
	rule->conds = conds;
	rule->nr_conds = nr_conds;
}

static void release_hits(struct kref *kref)
{
	kfree(container_of(kref, struct usbpass_hits, kref));
}

void usbpass_rule_share_hits(struct usbpass_rule *rule, const struct usbpass_rule *before)
{
	kref_get(&before->hits->kref);	/* put with @rule */
	kref_put(&rule->hits->kref, release_hits);
	rule->hits = before->hits;
}

static void release(struct kref *kref)
{
	struct usbpass_rule *rule = container_of(kref, struct usbpass_rule, kref);

	kref_put(&rule->hits->kref, release_hits);
	usbpass_rule_free_conds(rule->conds, rule->nr_conds);
	kfree(rule->description);
	kfree(rule);
}

struct usbpass_rule *usbpass_rule_get(struct usbpass_rule *rule)
{
	kref_get(&rule->kref);
	return rule;
}

void usbpass_rule_put(struct usbpass_rule *rule)
{
	kref_put(&rule->kref, release);
}

struct usbpass_rule *usbpass_rule_copy(const struct usbpass_rule *rule)
{
	struct usbpass_rule *copy = usbpass_rule_alloc(rule->nr_conds);
	u32 i;

	if (!copy)
		return NULL;
	copy->id = rule->id;
	copy->owner = rule->owner;
	copy->priority = rule->priority;
	copy->action = rule->action;
	copy->origin = rule->origin;
	copy->enabled = rule->enabled;
	copy->group_id = rule->group_id;
	memcpy(copy->name, rule->name, sizeof(copy->name));
	usbpass_rule_share_hits(copy, rule);
	if (rule->description) {
		copy->description = kstrdup(rule->description, GFP_KERNEL_ACCOUNT);
		if (!copy->description)
			goto err_put;
	}
	for (i = 0; i < rule->nr_conds; i++)
		if (usbpass_cond_copy(&copy->conds[i], &rule->conds[i]))
			goto err_put;
	return copy;

err_put:
	usbpass_rule_put(copy);
	return NULL;
}

u32 usbpass_rule_first_failed(const struct usbpass_rule *rule, const struct usbpass_facts *facts,
			      const char *node)
{
	u32 i = 0;

	while (i < rule->nr_conds && usbpass_cond_holds(&rule->conds[i], facts, node))
		i++;
	return i;
}

bool usbpass_rule_matches(const struct usbpass_rule *rule, const struct usbpass_facts *facts,
			  const char *node)
{
	return usbpass_rule_first_failed(rule, facts, node) == rule->nr_conds;
}

bool usbpass_rule_is_exact(const struct usbpass_rule *rule, u32 *key)
{
	bool vendor = false, product = false;
	u32 i;

	*key = 0;
	for (i = 0; i < rule->nr_conds; i++) {
		const struct usbpass_cond *cond = &rule->conds[i];

		if (cond->op != USBPASS_OP_EQ)
			continue;
		if (cond->field == USBPASS_FIELD_VENDOR && !vendor) {
			vendor = true;
			*key |= cond->number << 16;
		} else if (cond->field == USBPASS_FIELD_PRODUCT && !product) {
			product = true;
			*key |= cond->number;
		}
	}
	return vendor && product;
}
