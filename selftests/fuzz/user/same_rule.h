/* SPDX-License-Identifier: GPL-2.0 */
/* Do two rules mean the same? */
#ifndef FUZZ_RULE_H
#define FUZZ_RULE_H

#include "fuzz.h"
#include "rule_text.h"

static inline bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

static inline void check_same_conds(const struct usbpass_rule *a, const struct usbpass_rule *b,
				    const char *text)
{
	CHECK(a->n_conds == b->n_conds, "%zu conditions became %zu: %s", a->n_conds, b->n_conds, text);
	for (size_t i = 0; i < a->n_conds; i++) {
		const struct usbpass_cond *x = &a->conds[i], *y = &b->conds[i];
		/* What a class's mask leaves out counts for nothing. */
		uint32_t mask = usbpass_rule_text_kind(x->field) == USBPASS_KIND_CLASS ? x->mask : UINT32_MAX;

		CHECK(x->field == y->field && x->op == y->op && x->quantifier == y->quantifier &&
		      (x->number & mask) == (y->number & mask) && same_text(x->string, y->string),
		      "condition %zu reads back as another: %s", i, text);
		if (usbpass_rule_text_kind(x->field) == USBPASS_KIND_CLASS)
			CHECK(x->mask == y->mask, "condition %zu reads back with another mask: %s", i, text);
	}
}

/* What print gives, parse reads back, and a terminal shows. */
static inline void check_prints(const struct usbpass_rule *rule, bool (*printable)(const char *text))
{
	struct usbpass_rule back = {};
	char err[512] = "", *text = usbpass_rule_text_print(rule), *again;

	CHECK(text, "no text");
	CHECK(printable(text), "a terminal would obey: %s", text);
	CHECK(usbpass_rule_text_parse(text, &back, err, sizeof(err)) == 0, "'%s' is refused: %s", text, err);
	check_same_conds(rule, &back, text);
	again = usbpass_rule_text_print(&back);
	CHECK(again && !strcmp(text, again), "'%s' prints as '%s' again", text, again);
	free(again);
	free(text);
	usbpass_rule_clear(&back);
}

#endif /* FUZZ_RULE_H */
