// SPDX-License-Identifier: GPL-2.0
/* Any text is a rule that prints and reads back, or an error whose column lies in it. */
#include <errno.h>
#include "names.h"
#include "same_rule.h"

static void check_error(int ret, const char *text, const char *err)
{
	size_t column = 0;

	CHECK(ret == -EINVAL || ret == -EOPNOTSUPP || ret == -E2BIG, "refused with %d", ret);
	CHECK(sscanf(err, "column %zu: ", &column) == 1, "an error without a column: %s", err);
	CHECK(column >= 1 && column <= strlen(text) + 1, "column %zu of %zu: %s", column, strlen(text), err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), err[512] = "", cut[12];
	struct usbpass_rule rule = {};
	int ret;

	memcpy(text, data, size);
	text[size] = '\0';
	ret = usbpass_rule_text_parse(text, &rule, err, sizeof(err));
	if (ret) {
		check_error(ret, text, err);
		CHECK(!rule.n_conds && !rule.conds && !rule.has, "a refused text leaves conditions");
		CHECK(usbpass_rule_text_parse(text, &rule, cut, sizeof(cut)) == ret, "another error for less room");
		CHECK(strlen(cut) < sizeof(cut), "an error longer than its room");
	} else {
		CHECK(rule.n_conds && rule.n_conds <= USBPASS_CONDS_MAX, "%zu conditions", rule.n_conds);
		check_prints(&rule, usbpass_names_printable);
	}
	usbpass_rule_clear(&rule);
	free(text);
	return 0;
}
