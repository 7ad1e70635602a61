// SPDX-License-Identifier: GPL-2.0
/*
 * Conditions mean what the manual says, whatever a device calls itself. Input: the device's numbers, its strings as lines,
 * then conditions.
 */
#include "cond.h"
#include "facts.h"
#include "fuzz.h"
#include "rule.h"

#define CONDS	6

static bool matches(const struct usbpass_cond *conds, u32 n, const struct usbpass_facts *facts, const char *node)
{
	struct usbpass_rule rule = { .nr_conds = n, .conds = (struct usbpass_cond *)conds };

	return usbpass_rule_matches(&rule, facts, node);
}

static void fill_facts(struct input *in, struct usbpass_facts *facts, char (*strings)[USBPASS_STRING_MAX + 1])
{
	u32 i;

	take(in, &facts->descriptor, sizeof(facts->descriptor));
	facts->bus = take_u8(in);
	facts->speed_kbps = take_u32(in);
	facts->removable = take_u8(in) % 3;
	facts->nr_classes = take_u8(in) % 4;
	for (i = 0; i < facts->nr_classes; i++)
		facts->classes[i] = take_u32(in) & 0xffffff;
	for (i = 0; i < 4; i++)
		take_line(in, strings[i], USBPASS_STRING_MAX + 1);
	strscpy(facts->socket, strings[0], sizeof(facts->socket));
	facts->vendor_name = strings[1][0] ? strings[1] : NULL;
	facts->product_name = strings[2][0] ? strings[2] : NULL;
	facts->serial = strings[3][0] ? strings[3] : NULL;
}

/* As nl_rule.c lets them in; kernel_regex_fuzz.c has the tables. */
static u32 fill_conds(struct input *in, struct usbpass_cond *conds, char (*strings)[64])
{
	u32 n = 0;

	while (n < CONDS && in->left) {
		struct usbpass_cond *cond = &conds[n];

		cond->field = 1 + take_u8(in) % (__USBPASS_FIELD_MAX - 1);
		cond->op = 1 + take_u8(in) % (__USBPASS_OP_MAX - 1);
		if (usbpass_cond_has_table(cond->op) || !usbpass_cond_takes(cond->field, cond->op))
			cond->op = USBPASS_OP_EQ;
		cond->mask = 0xffffff;
		switch (usbpass_cond_kind(cond->field)) {
		case USBPASS_KIND_STRING:
			take_line(in, strings[n], sizeof(strings[n]));
			cond->string = strings[n];
			break;
		case USBPASS_KIND_CLASS:
			cond->mask = 0xffffffu << 8 * (take_u8(in) % 3) & 0xffffff;
			if (cond->field == USBPASS_FIELD_INTERFACE_CLASS)
				cond->quantifier = take_u8(in) % __USBPASS_QUANTIFIER_MAX;
			/* fallthrough */
		case USBPASS_KIND_NUMBER:
			cond->number = take_u32(in);
			if (cond->number > usbpass_cond_number_max(cond->field))
				cond->number &= usbpass_cond_number_max(cond->field);
			break;
		case USBPASS_KIND_NONE:
			cond->op = USBPASS_OP_EQ;
		}
		n++;
	}
	return n;
}

static u8 opposite(u8 op)
{
	static const u8 pairs[][2] = {
		{ USBPASS_OP_EQ, USBPASS_OP_NE }, { USBPASS_OP_LT, USBPASS_OP_GE }, { USBPASS_OP_LE, USBPASS_OP_GT },
		{ USBPASS_OP_BEGINS, USBPASS_OP_NOT_BEGINS }, { USBPASS_OP_ENDS, USBPASS_OP_NOT_ENDS },
		{ USBPASS_OP_CONTAINS, USBPASS_OP_NOT_CONTAINS }, { USBPASS_OP_ICONTAINS, USBPASS_OP_NOT_ICONTAINS },
		{ USBPASS_OP_GLOB, USBPASS_OP_NOT_GLOB },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		if (pairs[i][0] == op || pairs[i][1] == op)
			return pairs[i][pairs[i][0] == op];
	CHECK(false, "operator %u has no opposite", op);
	return 0;
}

/* "Not equal" is what "equal" is not; of interfaces, "none" is what "any" is not. */
static void check_opposite(const struct usbpass_cond *cond, const struct usbpass_facts *facts)
{
	struct usbpass_cond other = *cond;
	bool holds = matches(cond, 1, facts, "here");

	if (cond->field == USBPASS_FIELD_ANY) {
		CHECK(holds, "`any` does not hold");
		return;
	}
	if (cond->field != USBPASS_FIELD_INTERFACE_CLASS) {
		other.op = opposite(cond->op);
		CHECK(holds != matches(&other, 1, facts, "here"), "field %u: operator %u and its opposite", cond->field, cond->op);
		return;
	}
	if (cond->quantifier == USBPASS_QUANTIFIER_ALL) {
		other.op = opposite(cond->op);
		other.quantifier = USBPASS_QUANTIFIER_NONE;
		CHECK(holds == (facts->nr_classes && matches(&other, 1, facts, "here")), "all, and none that is not");
		return;
	}
	other.quantifier = cond->quantifier == USBPASS_QUANTIFIER_ANY ? USBPASS_QUANTIFIER_NONE : USBPASS_QUANTIFIER_ANY;
	CHECK(holds != matches(&other, 1, facts, "here"), "any and none");
}

static void check_exact(const struct usbpass_rule *rule, const struct usbpass_facts *facts)
{
	u32 key;

	if (usbpass_rule_is_exact(rule, &key) && usbpass_rule_matches(rule, facts, "here"))
		CHECK(key >> 16 == le16_to_cpu(facts->descriptor.idVendor) &&
		      (key & 0xffff) == le16_to_cpu(facts->descriptor.idProduct),
		      "a rule is looked up under %08x and matches another", key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char strings[4][USBPASS_STRING_MAX + 1], values[CONDS][64];
	struct usbpass_cond conds[CONDS] = { 0 };
	struct usbpass_facts facts = { .hub = false };
	struct input in = { data, size };
	struct usbpass_rule *rule, *copy;
	bool all = true;
	u32 i, n;

	fill_facts(&in, &facts, strings);
	n = fill_conds(&in, conds, values);
	rule = usbpass_rule_alloc(n);
	CHECK(rule, "no memory");
	for (i = 0; i < n; i++) {
		check_opposite(&conds[i], &facts);
		all = all && matches(&conds[i], 1, &facts, "here");
		rule->conds[i] = conds[i];
		rule->conds[i].string = conds[i].string ? strdup(conds[i].string) : NULL;
	}
	CHECK(usbpass_rule_matches(rule, &facts, "here") == all, "a rule is not all of its conditions");
	check_exact(rule, &facts);
	copy = usbpass_rule_copy(rule);
	CHECK(copy, "no memory");
	usbpass_rule_put(rule);
	CHECK(usbpass_rule_matches(copy, &facts, "here") == all, "a copy matches otherwise");
	usbpass_rule_put(copy);
	return 0;
}
