// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/string.h>
#include "facts.h"
#include "rule.h"

/* Fields: their kind, and the largest number. */
static const struct {
	enum usbpass_field_kind kind;
	u32 max;
} fields[__USBPASS_FIELD_MAX] = {
	[USBPASS_FIELD_ANY] = { USBPASS_KIND_NONE },
	[USBPASS_FIELD_NODE] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_VENDOR] = { USBPASS_KIND_NUMBER, U16_MAX },
	[USBPASS_FIELD_PRODUCT] = { USBPASS_KIND_NUMBER, U16_MAX },
	[USBPASS_FIELD_USB_VERSION] = { USBPASS_KIND_NUMBER, U16_MAX },
	[USBPASS_FIELD_BCD_DEVICE] = { USBPASS_KIND_NUMBER, U16_MAX },
	[USBPASS_FIELD_VENDOR_NAME] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_PRODUCT_NAME] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_SERIAL] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_SOCKET] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_BUS] = { USBPASS_KIND_NUMBER, U32_MAX },
	[USBPASS_FIELD_ADDRESS] = { USBPASS_KIND_NUMBER, U32_MAX },
	[USBPASS_FIELD_LEVEL] = { USBPASS_KIND_NUMBER, U32_MAX },
	[USBPASS_FIELD_SPEED] = { USBPASS_KIND_NUMBER, U32_MAX },
	[USBPASS_FIELD_DEVICE_CLASS] = { USBPASS_KIND_CLASS, 0xffffff },
	[USBPASS_FIELD_INTERFACE_CLASS] = { USBPASS_KIND_CLASS, 0xffffff },
	[USBPASS_FIELD_INTERFACES] = { USBPASS_KIND_NUMBER, U32_MAX },
	[USBPASS_FIELD_REMOVABLE] = { USBPASS_KIND_NUMBER, USBPASS_REMOVABLE_NO },
};

/* Operators: on numbers (and classes under their mask), and on strings. */
static bool number_eq(u32 have, u32 want)
{
	return have == want;
}

static bool number_ne(u32 have, u32 want)
{
	return have != want;
}

static bool string_eq(const char *have, const char *want)
{
	return have && !strcmp(have, want);
}

static bool string_ne(const char *have, const char *want)
{
	return !string_eq(have, want);
}

static const struct {
	bool (*number)(u32 have, u32 want);
	bool (*string)(const char *have, const char *want);	/* @have may be NULL */
} ops[__USBPASS_OP_MAX] = {
	[USBPASS_OP_EQ] = { number_eq, string_eq },
	[USBPASS_OP_NE] = { number_ne, string_ne },
};

enum usbpass_field_kind usbpass_rule_kind(u8 field)
{
	return field < ARRAY_SIZE(fields) ? fields[field].kind : USBPASS_KIND_NONE;
}

u32 usbpass_rule_number_max(u8 field)
{
	return fields[field].max;
}

bool usbpass_rule_carries(u8 op)
{
	return op < ARRAY_SIZE(ops) && ops[op].number;
}

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
		kfree(conds[i].string);
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
	for (i = 0; i < rule->nr_conds; i++) {
		copy->conds[i] = rule->conds[i];
		copy->conds[i].string = NULL;
		if (!rule->conds[i].string)
			continue;
		copy->conds[i].string = kstrdup(rule->conds[i].string, GFP_KERNEL_ACCOUNT);
		if (!copy->conds[i].string)
			goto err_put;
	}
	return copy;

err_put:
	usbpass_rule_put(copy);
	return NULL;
}

static u32 number_of(u8 field, const struct usbpass_facts *facts)
{
	const struct usb_device_descriptor *desc = &facts->descriptor;

	switch (field) {
	case USBPASS_FIELD_VENDOR:
		return le16_to_cpu(desc->idVendor);
	case USBPASS_FIELD_PRODUCT:
		return le16_to_cpu(desc->idProduct);
	case USBPASS_FIELD_USB_VERSION:
		return le16_to_cpu(desc->bcdUSB);
	case USBPASS_FIELD_BCD_DEVICE:
		return le16_to_cpu(desc->bcdDevice);
	case USBPASS_FIELD_BUS:
		return facts->bus;
	case USBPASS_FIELD_ADDRESS:
		return facts->address;
	case USBPASS_FIELD_LEVEL:
		return facts->level;
	case USBPASS_FIELD_SPEED:
		return facts->speed_kbps;
	case USBPASS_FIELD_DEVICE_CLASS:
		return desc->bDeviceClass << 16 | desc->bDeviceSubClass << 8 |
		       desc->bDeviceProtocol;
	case USBPASS_FIELD_INTERFACES:
		return facts->interfaces;
	default:
		return facts->removable;
	}
}

static const char *string_of(u8 field, const struct usbpass_facts *facts, const char *node)
{
	switch (field) {
	case USBPASS_FIELD_NODE:
		return node;
	case USBPASS_FIELD_VENDOR_NAME:
		return facts->vendor_name;
	case USBPASS_FIELD_PRODUCT_NAME:
		return facts->product_name;
	case USBPASS_FIELD_SERIAL:
		return facts->serial;
	default:
		return facts->socket;
	}
}

static bool interfaces_hold(const struct usbpass_cond *cond, const struct usbpass_facts *facts)
{
	u32 i, holds = 0;

	for (i = 0; i < facts->nr_classes; i++)
		holds += ops[cond->op].number(facts->classes[i] & cond->mask,
					      cond->number & cond->mask);
	switch (cond->quantifier) {
	case USBPASS_QUANTIFIER_ALL:
		return facts->nr_classes && holds == facts->nr_classes;
	case USBPASS_QUANTIFIER_NONE:
		return !holds;
	default:
		return holds;
	}
}

static bool holds(const struct usbpass_cond *cond, const struct usbpass_facts *facts,
		  const char *node)
{
	if (cond->field == USBPASS_FIELD_INTERFACE_CLASS)
		return interfaces_hold(cond, facts);
	switch (fields[cond->field].kind) {
	case USBPASS_KIND_NONE:
		return true;
	case USBPASS_KIND_STRING:
		return ops[cond->op].string(string_of(cond->field, facts, node), cond->string);
	case USBPASS_KIND_CLASS:
		return ops[cond->op].number(number_of(cond->field, facts) & cond->mask,
					    cond->number & cond->mask);
	default:
		return ops[cond->op].number(number_of(cond->field, facts), cond->number);
	}
}

bool usbpass_rule_matches(const struct usbpass_rule *rule, const struct usbpass_facts *facts,
			  const char *node)
{
	u32 i;

	for (i = 0; i < rule->nr_conds; i++)
		if (!holds(&rule->conds[i], facts, node))
			return false;
	return true;
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
