// SPDX-License-Identifier: GPL-2.0
/*
 * The index finds the rule that a walk through all rules finds, and looks at no rule that asks for another vendor:product.
 * Input: rules of three bytes each until one begins with a zero, then devices of a byte.
 */
// wrap: usbpass_rule_matches
#include "cond.h"
#include "facts.h"
#include "fuzz.h"
#include "rule.h"
#include "ruleset.h"

#define RULES	200
#define DEVICES	32

static u32 looks;

bool __wrap_usbpass_rule_matches(const struct usbpass_rule *rule, const struct usbpass_facts *facts, const char *node);
bool __real_usbpass_rule_matches(const struct usbpass_rule *rule, const struct usbpass_facts *facts, const char *node);

bool __wrap_usbpass_rule_matches(const struct usbpass_rule *rule, const struct usbpass_facts *facts, const char *node)
{
	looks++;
	return __real_usbpass_rule_matches(rule, facts, node);
}

static void add_cond(struct usbpass_rule *rule, u8 field, u32 number)
{
	struct usbpass_cond *cond = &rule->conds[rule->nr_conds++];

	cond->field = field;
	cond->op = USBPASS_OP_EQ;
	cond->number = number;
}

/* Few numbers, so that they meet. */
static u16 vendor(u8 byte)
{
	return 0x1000 + byte / 16 % 8;
}

static u16 product(u8 byte)
{
	return 0x100 * (byte % 16);
}

/* @kind: which conditions, whether enabled, and the priority */
static struct usbpass_rule *make_rule(u32 id, u8 kind, u8 number, u8 level)
{
	struct usbpass_rule *rule = usbpass_rule_alloc(3);

	CHECK(rule, "no memory");
	rule->id = id;
	rule->enabled = kind & 0x10;
	rule->priority = (s8)(kind & 0xc0) >> 6;
	rule->nr_conds = 0;
	if (kind & 1)
		add_cond(rule, USBPASS_FIELD_VENDOR, vendor(number));
	if (kind & 2)
		add_cond(rule, USBPASS_FIELD_PRODUCT, product(number));
	if (kind & 4 || !rule->nr_conds)
		add_cond(rule, USBPASS_FIELD_LEVEL, level % 4);
	return rule;
}

static struct usbpass_rule *walk(const struct usbpass_ruleset *set, const struct usbpass_facts *facts)
{
	struct usbpass_rule *best = NULL;
	u32 i;

	for (i = 0; i < set->nr; i++) {
		struct usbpass_rule *rule = set->rules[i];

		if (!rule->enabled || !__real_usbpass_rule_matches(rule, facts, "here"))
			continue;
		if (!best || rule->priority < best->priority ||
		    (rule->priority == best->priority && rule->id < best->id))
			best = rule;
	}
	return best;
}

/* Those that a look-up may have to look at. */
static u32 related(const struct usbpass_ruleset *set, const struct usbpass_facts *facts)
{
	u32 i, key, n = 0;

	for (i = 0; i < set->nr; i++)
		n += set->rules[i]->enabled &&
		     (!usbpass_rule_is_exact(set->rules[i], &key) ||
		      key == ((u32)le16_to_cpu(facts->descriptor.idVendor) << 16 |
			      le16_to_cpu(facts->descriptor.idProduct)));
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usbpass_facts facts = { .hub = false };
	struct usbpass_rule *rules[RULES], *found;
	struct usbpass_ruleset set;
	struct input in = { data, size };
	u32 n = 0, i;
	u8 byte;

	while (n < RULES && (byte = take_u8(&in))) {
		u8 number = take_u8(&in);

		/* Ids in no order. */
		rules[n] = make_rule(n * 7919 % 65521, byte, number, take_u8(&in));
		n++;
	}
	CHECK(!usbpass_ruleset_build(&set, rules, n), "no memory");
	for (i = 0; i < DEVICES && in.left; i++) {
		byte = take_u8(&in);
		facts.descriptor.idVendor = cpu_to_le16(vendor(byte));
		facts.descriptor.idProduct = cpu_to_le16(product(byte));
		facts.level = byte % 4;
		looks = 0;
		found = usbpass_ruleset_find(&set, &facts, "here");
		CHECK(looks <= related(&set, &facts), "looked at %u rules for %04x:%04x, of which %u are about it",
		      looks, vendor(byte), product(byte), related(&set, &facts));
		CHECK(found == walk(&set, &facts), "found rule %u for %04x:%04x, not %u", found ? found->id : 0,
		      vendor(byte), product(byte), walk(&set, &facts) ? walk(&set, &facts)->id : 0);
	}
	usbpass_ruleset_free(&set);
	return 0;
}
