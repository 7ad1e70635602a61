// SPDX-License-Identifier: GPL-2.0
/* Regular expressions compiled to tables: what they find is what regexec(3) finds, what is wrong is told where, and what is too much. */
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a
#include <linux/usbpass.h>
#include <regex.h>
#include "rule_regex.h"
#include "fuzz.h"
#include "tap.h"

static char err[200];
static size_t at, size;

static int compile(const char *expression, uint8_t **table)
{
	err[0] = '\0';
	*table = NULL;
	return usbpass_regex_compile(expression, table, &size, &at, err, sizeof(err));
}

static void expect(const char *expression, const char *string, bool found)
{
	uint8_t *table;

	TAP_CHECK(true, !compile(expression, &table), "%s: %s", expression, err);
	TAP_CHECK(false, usbpass_regex_run(table, string) == found, "'%s' should %sbe found in '%s'", expression, found ? "" : "not ", string);
	free(table);
}

static void expect_refused(int error, size_t where, const char *words, const char *expression)
{
	uint8_t *table;
	int ret = compile(expression, &table);

	TAP_CHECK(false, ret == error, "'%s': %d, should be %d", expression, ret, error);
	TAP_CHECK(false, at == where, "'%s': at byte %zu, should be %zu: %s", expression, at, where, err);
	TAP_CHECK(false, strstr(err, words), "'%s': '%s' lacks '%s'", expression, err, words);
	EXPECT(!table);
}

TEST("an expression is found anywhere, and where ^ and $ say")
{
	expect("b", "abc", true);
	expect("^b", "abc", false);
	expect("b$", "abc", false);
	expect("^abc$", "abc", true);
	expect("^$", "", true);
	expect("^$", "a", false);
	expect("", "", true);
	expect("", "a", true);
	expect("a|^b", "cb", false);
	expect("(^a|b)c", "xac", false);
	expect("(^a|b)c", "xbc", true);
	expect("(a|b$)", "ab", true);
	expect("a$|b", "ba", true);
	expect("x*", "", true);
	expect("a$b", "a$b", false);
}

TEST("brackets, intervals and escapes are those of POSIX")
{
	expect("^[]a-c-]+$", "a-]b", true);
	expect("^[^]a-c-]+$", "xyz", true);
	expect("^[^]a-c-]+$", "x]z", false);
	expect("^[[:upper:][:digit:]_]+$", "A_9", true);
	expect("^[[:alpha:]]$", "\303", false);
	expect("^[[.-.]x[=y=]]+$", "-xy", true);
	expect("^[\\]$", "\\", true);
	expect("^a{2,3}$", "aaaa", false);
	expect("^a{2,}$", "aaaa", true);
	expect("^(ab){2}$", "abab", true);
	expect("^a{0}b$", "b", true);
	expect("^\\.\\*\\[\\\\$", ".*[\\", true);
	expect("^.$", "\303", true);
	expect("^.$", "\303\244", false);
	expect("^a|}$", "}", true);
}

TEST("what is no expression is refused at the byte that is wrong")
{
	expect_refused(-EINVAL, 1, "the parenthesis is never closed", "a(b|c");
	expect_refused(-EINVAL, 1, "never opened", "a)b");
	expect_refused(-EINVAL, 2, "the bracket is never closed", "ab[c-");
	expect_refused(-EINVAL, 1, "the range ends before it begins", "[z-a]");
	expect_refused(-EINVAL, 1, "after [: one of alnum", "[[:word:]]");
	expect_refused(-EINVAL, 1, "after [: one of alnum", "[[:alpha]");
	expect_refused(-EINVAL, 2, "[. stands before one character", "[a[.ab.]]");
	expect_refused(-EINVAL, 0, "nothing to repeat", "*a");
	expect_refused(-EINVAL, 3, "nothing to repeat", "(a|+)");
	expect_refused(-EINVAL, 1, "'*' cannot repeat ^", "^*");
	expect_refused(-EINVAL, 1, "an interval is", "a{x}");
	expect_refused(-EINVAL, 1, "an interval is", "a{,3}");
	expect_refused(-EINVAL, 1, "ends before it begins", "a{3,2}");
	expect_refused(-EINVAL, 1, "more than 255 times", "a{256}");
	expect_refused(-EINVAL, 3, "back-references", "(a)\\1");
	expect_refused(-EINVAL, 1, "a backslash stands before", "a\\d");
	expect_refused(-EINVAL, 1, "a backslash stands before", "a\\");
}

TEST("what needs more than a table holds is refused as such, and soon")
{
	static const struct { const char *expression, *words; } rows[] = {
		{"(a|b)*a(a|b){10}c", "states"}, {"a{255}", "250 states"}, {"((a{255}){255}){255}", "more than 8192 steps"},
		{"^(a?){90}(b?){90}(c?){90}$", "states"}, {"(((.{20}){20}){20}){20}", "8192 steps"},
	};
	uint8_t *table;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_refused(-E2BIG, 0, rows[i].words, rows[i].expression);
	/* As large as it may be. */
	ASSERT_EQ(0, compile("^a{248}$", &table));
	EXPECT_EQ(250, table[0]);
	free(table);
	ASSERT_EQ(0, compile("^0-9?a?b?c?d?e?f?g?h?i?j?k?l?m?n?o?p?q?r?s?t?u?v?w?x?y?z?A?B?C?D?E?F?G?H?I?J?K?L?M?N?O?P?Q?R?S?T?U?V?W?X?Y?Z?_?/?,?;?:?#?%?@?$",
			     &table));
	EXPECT_EQ(64, table[1]);
	EXPECT_LE(size, USBPASS_TABLE_MAX);
	free(table);
}

TEST("a table is of the size that linux/usbpass.h says, and leads nowhere outside of itself")
{
	uint8_t *table;

	ASSERT_EQ(0, compile("^(usb|pci)-[0-9]+(\\.[0-9]+)*$", &table));
	ASSERT_EQ(USBPASS_TABLE_SIZE(table[0], table[1]), size);
	for (size_t i = 0; i < 256; i++)
		EXPECT(table[2 + i] < table[1]);
	for (size_t i = 258 + table[0]; i < size; i++)
		EXPECT(table[i] < table[0]);
	free(table);
	EXPECT_EQ(16508, USBPASS_TABLE_SIZE(USBPASS_TABLE_STATES, USBPASS_TABLE_CLASSES));
	EXPECT_EQ(USBPASS_TABLE_MAX, USBPASS_TABLE_SIZE(USBPASS_TABLE_STATES, USBPASS_TABLE_CLASSES));
	/* The smallest one is found: all that begin with a are one state. */
	ASSERT_EQ(0, compile("^a|^ab|^abc|^aa*", &table));
	EXPECT_EQ(3, table[0]);
	EXPECT_EQ(2, table[1]);
	free(table);
}

/* ---- against the C library's ---- */

static void random_atom(struct fuzz *fuzz, char *out, int depth);

static void random_expression(struct fuzz *fuzz, char *out, int depth)
{
	unsigned int pieces = fuzz_below(fuzz, 4);

	for (*out = '\0'; pieces; pieces--) {
		static const char *const repeats[] = {"", "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}"};

		if (strlen(out) > 60)
			return;
		/* In a group that is repeated, regexec(3) forgets that $ is the end. */
		if (!depth && fuzz_once_in(fuzz, 12)) {
			strcat(out, fuzz_once_in(fuzz, 2) ? "^" : "$");
			continue;
		}
		random_atom(fuzz, out + strlen(out), depth);
		strcat(out, repeats[fuzz_below(fuzz, sizeof(repeats) / sizeof(*repeats))]);
		if (fuzz_once_in(fuzz, 6))
			strcat(out, "|");
	}
}

static void random_atom(struct fuzz *fuzz, char *out, int depth)
{
	static const char *const atoms[] = {
		"a", "b", "c", "a", "b", "c", ".", "[ab]", "[^a]", "[a-c]", "\\.", "[[:alpha:]]", "[^[:digit:]b]", "\303", "\244", "[\200-\377]", "1", "\\*",
	};

	if (depth > 2 || !fuzz_once_in(fuzz, 5)) {
		strcpy(out, atoms[fuzz_below(fuzz, sizeof(atoms) / sizeof(*atoms))]);
		return;
	}
	strcpy(out, "(");
	random_expression(fuzz, out + 1, depth + 1);
	strcat(out, ")");
}

static void random_string(struct fuzz *fuzz, char *out)
{
	static const char bytes[] = "aaabbbccc.*1\303\244";
	unsigned int len = fuzz_below(fuzz, 9);

	for (unsigned int i = 0; i < len; i++)
		out[i] = bytes[fuzz_below(fuzz, sizeof(bytes) - 1)];
	out[len] = '\0';
}

TEST("of 200,000 random strings each is found by an expression where regexec(3) finds it")
{
	struct fuzz fuzz = fuzz_new(fuzz_seed(), 0);
	unsigned int seen[2] = {}, refused = 0, expressions = 0;

	while (seen[0] + seen[1] < 200000) {
		char expression[1000], string[16];
		uint8_t *table;
		regex_t reference;

		random_expression(&fuzz, expression, 0);
		expressions++;
		ASSERT_EQ(0, regcomp(&reference, expression, REG_EXTENDED | REG_NOSUB));
		if (compile(expression, &table)) {
			TAP_CHECK(true, strstr(err, "states") || strstr(err, "cannot repeat") || strstr(err, "nothing to repeat"), "%s: %s", expression, err);
			refused++;
			regfree(&reference);
			continue;
		}
		for (int i = 0; i < 20; i++) {
			bool wanted, got;

			random_string(&fuzz, string);
			wanted = !regexec(&reference, string, 0, NULL, 0);
			got = usbpass_regex_run(table, string);
			TAP_CHECK(true, wanted == got, "'%s' in '%s': %s", expression, string, got ? "found" : "not found");
			seen[got]++;
		}
		free(table);
		regfree(&reference);
	}
	EXPECT_GE(seen[0], 20000);
	EXPECT_GE(seen[1], 20000);
	EXPECT_LE(refused, expressions / 10);
	TAP_SAY("%u expressions, %u refused; found %u times, not found %u times", expressions, refused, seen[1], seen[0]);
}

TAP_MAIN
