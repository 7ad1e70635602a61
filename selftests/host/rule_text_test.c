// SPDX-License-Identifier: GPL-2.0
/* The text form of a rule's conditions: what it reads, what it refuses and where, and that it reads what it prints. */
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a
#include "rule_text.h"
#include "tap.h"

static struct usbpass_rule rule;
static char err[512];

static int parse(const char *text)
{
	err[0] = '\0';
	return usbpass_rule_text_parse(text, &rule, err, sizeof(err));
}

static void expect_refused(int error, unsigned int column, const char *words, const char *text)
{
	unsigned int seen = 0;

	usbpass_rule_clear(&rule);
	EXPECT_EQ(error, parse(text));
	EXPECT_EQ(1, sscanf(err, "column %u:", &seen));
	TAP_CHECK(false, seen == column, "%s: column %u, should be %u: %s", text, seen, column, err);
	TAP_CHECK(false, strstr(err, words), "%s: '%s' lacks '%s'", text, err, words);
	EXPECT_EQ(0, rule.n_conds);
}

static void expect_prints(const char *printed, const char *text)
{
	char *out;

	usbpass_rule_clear(&rule);
	TAP_CHECK(true, parse(text) == 0, "%s: %s", text, err);
	out = usbpass_rule_text_print(&rule);
	ASSERT(out);
	EXPECT_STR(printed, out);
	free(out);
}

static struct usbpass_cond *one(const char *text)
{
	usbpass_rule_clear(&rule);
	TAP_CHECK(true, parse(text) == 0, "%s: %s", text, err);
	ASSERT_EQ(1, rule.n_conds);
	return &rule.conds[0];
}

TEST("reads vendor, product and serial joined by and")
{
	ASSERT_EQ(0, parse("vendor = 046d and product = c52b and serial = \"ABC\""));
	ASSERT_EQ(3, rule.n_conds);
	EXPECT(usbpass_has(&rule, USBPASS_A_RULE_COND));
	EXPECT_EQ(USBPASS_FIELD_VENDOR, rule.conds[0].field);
	EXPECT_EQ(USBPASS_OP_EQ, rule.conds[0].op);
	EXPECT_EQ(0x046d, rule.conds[0].number);
	EXPECT_EQ(0xc52b, rule.conds[1].number);
	EXPECT_EQ(USBPASS_FIELD_SERIAL, rule.conds[2].field);
	EXPECT_STR("ABC", rule.conds[2].string);
}

TEST("reads each kind of value")
{
	EXPECT_EQ(0xffff, one("vendor=FFFF")->number);
	EXPECT_EQ(0x046d, one("vendor = 0x046d")->number);
	EXPECT_EQ(0x0210, one("usb-version = 2.10")->number);
	EXPECT_EQ(0x0210, one("usb-version = 2.1")->number);
	EXPECT_EQ(0x0200, one("usb-version = 2.00")->number);
	EXPECT_EQ(0x1234, one("bcd-device = 12.34")->number);
	EXPECT_EQ(1500, one("speed = 1.5")->number);
	EXPECT_EQ(1500, one("speed = low")->number);
	EXPECT_EQ(12000, one("speed = full")->number);
	EXPECT_EQ(480000, one("speed = 480")->number);
	EXPECT_EQ(480000, one("speed = high")->number);
	EXPECT_EQ(5000000, one("speed = super")->number);
	EXPECT_EQ(4294967295U, one("bus = 4294967295")->number);
	EXPECT_EQ(USBPASS_REMOVABLE_NO, one("removable = no")->number);
	EXPECT_STR("0000:00:14.0/4.2", one("socket = 0000:00:14.0/4.2")->string);
	EXPECT_EQ(USBPASS_FIELD_ANY, one(" any ")->field);
}

TEST("reads a class with its mask and quantifier")
{
	struct usbpass_cond *cond = one("interface-class any 08:06");

	EXPECT_EQ(0x080600, cond->number);
	EXPECT_EQ(0xffff00, cond->mask);
	EXPECT_EQ(USBPASS_QUANTIFIER_ANY, cond->quantifier);
	cond = one("interface-class none 03");
	EXPECT_EQ(0x030000, cond->number);
	EXPECT_EQ(0xff0000, cond->mask);
	EXPECT_EQ(USBPASS_QUANTIFIER_NONE, cond->quantifier);
	cond = one("interface-class all != 08:06:50");
	EXPECT_EQ(0x080650, cond->number);
	EXPECT_EQ(0xffffff, cond->mask);
	EXPECT_EQ(USBPASS_QUANTIFIER_ALL, cond->quantifier);
	EXPECT_EQ(USBPASS_OP_NE, cond->op);
	EXPECT_EQ(USBPASS_QUANTIFIER_ANY, one("interface-class = e0")->quantifier);
	EXPECT_EQ(0xe00000, one("device-class eq e0")->number);
}

TEST("reads = and eq, != and ne, with and without spaces")
{
	EXPECT_EQ(USBPASS_OP_EQ, one("vendor eq 046d")->op);
	EXPECT_EQ(USBPASS_OP_NE, one("vendor ne 046d")->op);
	EXPECT_EQ(USBPASS_OP_NE, one("vendor!=046d")->op);
	EXPECT_EQ(USBPASS_OP_EQ, one("serial=\"a\"")->op);
}

TEST("reads quotes, escapes and words in strings")
{
	EXPECT_STR("a \"b\" \\ \n", one("serial = \"a \\\"b\\\" \\\\ \\x0a\"")->string);
	EXPECT_STR("and", one("serial = \"and\"")->string);
	EXPECT_STR("", one("serial = \"\"")->string);
	EXPECT_STR("ABC", one("serial = ABC")->string);
	EXPECT_STR("\xc3\xa9", one("vendor-name = \"\xc3\xa9\"")->string);
}

TEST("points at the column of what is wrong")
{
	expect_refused(-EINVAL, 1, "needs a condition", "");
	expect_refused(-EINVAL, 4, "needs a condition", "   ");
	expect_refused(-EINVAL, 1, "is no field", "vendr = 046d");
	expect_refused(-EINVAL, 8, "operator", "vendor 046d");
	expect_refused(-EINVAL, 10, "four hex digits", "vendor = 46d");
	expect_refused(-EINVAL, 10, "four hex digits", "vendor = 046d0");
	expect_refused(-EINVAL, 10, "four hex digits", "vendor = -46d");
	expect_refused(-EINVAL, 9, "value is missing", "vendor =");
	expect_refused(-EINVAL, 15, "'and'", "vendor = 046d product = c52b");
	expect_refused(-EINVAL, 18, "is no field", "vendor = 046d and");
	expect_refused(-EINVAL, 10, "never closed", "serial = \"abc");
	expect_refused(-EINVAL, 13, "backslash", "serial = \"ab\\n\"");
	expect_refused(-EINVAL, 11, "two hex digits", "serial = \"\\x4\"");
	expect_refused(-EINVAL, 11, "\\x00", "serial = \"\\x00\"");
	expect_refused(-EINVAL, 15, "space is missing", "serial = \"abc\"d");
	expect_refused(-EINVAL, 1, "stands alone", "any and vendor = 046d");
	expect_refused(-EINVAL, 19, "stands alone", "vendor = 046d and any");
	expect_refused(-EINVAL, 10, "not a socket", "socket = 1-4.2");
	expect_refused(-EINVAL, 15, "not a version", "usb-version = 2");
	expect_refused(-EINVAL, 15, "not a version", "usb-version = 2.100");
	expect_refused(-EINVAL, 9, "not a speed", "speed = fast");
	expect_refused(-EINVAL, 9, "not a speed", "speed = 480.");
	expect_refused(-EINVAL, 7, "not a number", "bus = 4294967296");
	expect_refused(-EINVAL, 7, "not a number", "bus = 99999999999999999999");
	expect_refused(-EINVAL, 16, "not a class", "device-class = 8");
	expect_refused(-EINVAL, 16, "not a class", "device-class = 08:06:50:00");
	expect_refused(-EINVAL, 16, "not a class", "device-class = 08:");
	expect_refused(-EINVAL, 17, "not a class", "interface-class some 08");
	expect_refused(-EINVAL, 13, "yes, no or unknown", "removable = maybe");
}

TEST("reads every operator, by sign and by word, with not before it or in it")
{
	static const struct { const char *text; uint8_t op; } rows[] = {
		{"serial == A", USBPASS_OP_EQ}, {"serial < A", USBPASS_OP_LT}, {"serial lt A", USBPASS_OP_LT},
		{"serial <= A", USBPASS_OP_LE}, {"serial le A", USBPASS_OP_LE}, {"serial > A", USBPASS_OP_GT},
		{"serial gt A", USBPASS_OP_GT}, {"serial >= A", USBPASS_OP_GE}, {"serial ge A", USBPASS_OP_GE},
		{"vendor>=046d", USBPASS_OP_GE}, {"usb-version < 3.00", USBPASS_OP_LT}, {"speed > high", USBPASS_OP_GT},
		{"serial begins A", USBPASS_OP_BEGINS}, {"serial not begins A", USBPASS_OP_NOT_BEGINS},
		{"serial not-begins A", USBPASS_OP_NOT_BEGINS}, {"serial ends A", USBPASS_OP_ENDS},
		{"serial not ends A", USBPASS_OP_NOT_ENDS}, {"serial contains A", USBPASS_OP_CONTAINS},
		{"serial not contains A", USBPASS_OP_NOT_CONTAINS}, {"serial icontains A", USBPASS_OP_ICONTAINS},
		{"serial not icontains A", USBPASS_OP_NOT_ICONTAINS}, {"serial glob A*", USBPASS_OP_GLOB},
		{"serial not glob A*", USBPASS_OP_NOT_GLOB}, {"socket begins 0000:00:14.0", USBPASS_OP_BEGINS},
		{"serial begins not", USBPASS_OP_BEGINS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		TAP_CHECK(false, one(rows[i].text)->op == rows[i].op, "%s", rows[i].text);
}

TEST("refuses an operator that the field does not take, and names those that it takes")
{
	expect_refused(-EINVAL, 8, "vendor takes = != < <= > >=, not 'begins'", "vendor begins 04");
	expect_refused(-EINVAL, 8, "not '~'", "vendor ~ 046d");
	expect_refused(-EINVAL, 21, "interface-class takes = !=, not 'glob'", "interface-class any glob 08");
	expect_refused(-EINVAL, 11, "removable takes", "removable < yes");
	expect_refused(-EINVAL, 8, "'not' stands before", "serial not = A");
	expect_refused(-EINVAL, 8, "'not' stands before", "serial not");
	expect_refused(-EINVAL, 8, "not 'not-begins'", "vendor not begins 04");
}

TEST("reads an expression with its own backslashes, and prints what it reads")
{
	EXPECT_STR("^Logi\\.[a-c]+$", one("product-name ~ \"^Logi\\.[a-c]+$\"")->string);
	EXPECT_EQ(USBPASS_OP_REGEX, one("product-name regex ^Logi")->op);
	EXPECT_EQ(USBPASS_OP_NOT_REGEX, one("product-name not regex ^Logi")->op);
	EXPECT_STR("\\\\x", one("serial ~ \"\\\\x\"")->string);
	EXPECT_STR("\"", one("serial ~ \"\\\"\"")->string);
	EXPECT_STR("\303", one("serial ~ \"\\xc3\"")->string);
	expect_prints("serial ~ \"^A\\.\"", "serial regex \"^A\\.\"");
	expect_prints("serial !~ \"^A\\\\\"", "serial not-regex \"^A\\\\\"");
	expect_prints("serial ~ \"\\x80\\\"\"", "serial ~ \"\\x80\\\"\"");
	/* In brackets a backslash stands for itself, be it before a quote. */
	expect_prints("serial ~ \"[\\x5c\\\"]\"", "serial ~ \"[\\x5c\\\"]\"");
}

TEST("points into an expression that is wrong or too large")
{
	expect_refused(-EINVAL, 17, "in the expression: the parenthesis is never closed", "product-name ~ \"(\"");
	expect_refused(-EINVAL, 15, "the bracket is never closed", "serial ~ \"\\\"ab[c\"");
	expect_refused(-EINVAL, 13, "nothing to repeat", "serial ~ \"a|*\"");
	expect_refused(-EINVAL, 10, "nothing to repeat", "serial ~ *a");
	expect_refused(-EINVAL, 12, "back-references", "serial !~ (\\1)");
	expect_refused(-E2BIG, 11, "needs more than 250 states", "serial ~ \"a{255}\"");
}

TEST("bounds the tables of a rule's expressions together")
{
	static const char cond[] = "serial ~ \"^a?b?c?d?e?f?g?h?i?j?k?l?m?n?o?p?q?r?s?t?u?v?w?x?y?z?_{220}$\"";
	char text[16 * sizeof(cond)] = "";
	int n, ret = 0;

	for (n = 0; n < 12 && !ret; n++) {
		sprintf(text + strlen(text), "%s%s", n ? " and " : "", cond);
		ret = parse(text);
	}
	EXPECT_EQ(-E2BIG, ret);
	TAP_CHECK(false, strstr(err, "tables have") && strstr(err, "may have 49152"), "%s", err);
	/* Each has nearly 250 states and 28 kinds of bytes. */
	EXPECT_EQ(7, n);
}

TEST("bounds strings and the number of conditions")
{
	char text[16 + USBPASS_STRING_MAX + 2], many[40 * 16] = "";
	char *end;

	end = text + sprintf(text, "serial = \"");
	memset(end, 'x', USBPASS_STRING_MAX);
	strcpy(end + USBPASS_STRING_MAX, "\"");
	EXPECT_EQ(USBPASS_STRING_MAX, strlen(one(text)->string));
	strcpy(end + USBPASS_STRING_MAX, "x\"");
	expect_refused(-EINVAL, 10, "longer than", text);

	for (int i = 0; i < USBPASS_CONDS_MAX; i++)
		sprintf(many + strlen(many), "%sbus = %02d", i ? " and " : "", i);
	usbpass_rule_clear(&rule);
	EXPECT_EQ(0, parse(many));
	EXPECT_EQ(USBPASS_CONDS_MAX, rule.n_conds);
	strcat(many, " and bus = 1");
	EXPECT_EQ(-E2BIG, parse(many));
	EXPECT(strstr(err, "more than 32"));
}

TEST("leaves the rule alone when the text is wrong")
{
	ASSERT_EQ(0, parse("vendor = 046d"));
	rule.priority = 7;
	EXPECT_EQ(-EINVAL, parse("vendor = 046d and serial = "));
	EXPECT_EQ(1, rule.n_conds);
	EXPECT_EQ(0x046d, rule.conds[0].number);
	ASSERT_EQ(0, parse("any"));
	EXPECT_EQ(1, rule.n_conds);
	EXPECT_EQ(USBPASS_FIELD_ANY, rule.conds[0].field);
	EXPECT_EQ(7, rule.priority);
}

TEST("prints what it reads back")
{
	static const char *const texts[] = {
		"any",
		"node = host1 and vendor = 046d and product = c52b and serial = \"AB C\\\"\\\\\\x0a\"",
		"socket = 0000:00:14.0/4.2",
		"usb-version = 2.10 and bcd-device != 1.00",
		"speed = 1.5 and bus = 3 and address != 4 and level = 1",
		"interface-class any 08:06 and interface-class none 03 and device-class = e0:01:01",
		"interface-class all != ff",
		"interfaces = 2 and removable = unknown",
		"vendor-name != \"and\" and product-name = \"\xc3\xa9\"",
		"vendor >= 0400 and vendor < 0500 and speed > 12 and usb-version <= 2.10",
		"serial begins \"A\" and serial not-ends \"Z\" and product-name icontains \"cam\" and socket glob \"*/1.*\"",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_prints(texts[i], texts[i]);
	expect_prints("speed = 480", "speed eq high");
	expect_prints("interface-class any 08", "interface-class = 08");
}

/* Its values come from the kernel, which compares bytes; YAML and terminals cannot carry all of them. */
TEST("prints as escapes what neither a terminal nor a file could carry")
{
	expect_prints("serial = \"\\x1b[2J\"", "serial = \"\033[2J\"");
	expect_prints("serial = \"A\\xff\"", "serial = \"A\377\"");
	expect_prints("serial = \"\\xc2\\x9b\"", "serial = \"\302\233\"");
	expect_prints("serial = \"\\xe2\\x80\\xae\"", "serial = \"\342\200\256\"");
	expect_prints("serial = \"\303\274\"", "serial = \"\\xc3\\xbc\"");
}

TEST("reads back every speed that the kernel can hold")
{
	EXPECT_EQ(4294967295, one("speed = 4294967.295")->number);
	expect_prints("speed = 4294967.295", "speed = 4294967.295");
	expect_refused(-EINVAL, 9, "not a speed", "speed = 4294967.296");
	expect_refused(-EINVAL, 9, "not a speed", "speed = 9999999");
}

TEST("takes a socket that is none in quotes only")
{
	expect_refused(-EINVAL, 10, "not a socket", "socket = A7");
	expect_prints("socket = \"A7\"", "socket = \"A7\"");
	expect_prints("socket = 0000:00:14.0/4.2", "socket = \"0000:00:14.0/4.2\"");
}

/* The kernel holds it; a saved file must be read again. */
TEST("prints any beside other conditions as what it means")
{
	const struct usbpass_cond any = { .field = USBPASS_FIELD_ANY, .op = USBPASS_OP_EQ };
	char *out;

	ASSERT_EQ(0, parse("any"));
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &any));
	out = usbpass_rule_text_print(&rule);
	EXPECT_STR("any", out);
	ASSERT_EQ(0, parse("vendor = 046d"));
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &any));
	out = usbpass_rule_text_print(&rule);
	EXPECT_STR("vendor = 046d", out);
}

TEST("knows which fields do not last")
{
	EXPECT(usbpass_rule_text_volatile(USBPASS_FIELD_BUS));
	EXPECT(usbpass_rule_text_volatile(USBPASS_FIELD_ADDRESS));
	EXPECT(usbpass_rule_text_volatile(USBPASS_FIELD_LEVEL));
	EXPECT(!usbpass_rule_text_volatile(USBPASS_FIELD_SOCKET));
	EXPECT(!usbpass_rule_text_volatile(USBPASS_FIELD_SERIAL));
}

/* One random change: a byte replaced, taken out or put in. */
static void change(char *text, size_t room)
{
	size_t n = strlen(text), at = n ? rand() % n : 0;

	switch (rand() % 3) {
	case 0:
		text[at] = n ? 1 + rand() % 255 : '\0';
		break;
	case 1:
		memmove(text + at, text + at + 1, n - at);
		break;
	default:
		if (n + 2 > room)
			break;
		memmove(text + at + 1, text + at, n - at + 1);
		text[at] = "\" =!:.x\\af09"[rand() % 12];
	}
}

TEST("whatever it takes of damaged texts it prints and reads back the same")
{
	static const char *const seeds[] = {
		"vendor = 046d and product = c52b and serial = \"ABC\"", "interface-class none 03:01", "speed = 1.5 and bus = 3",
		"usb-version = 2.10", "any", "serial = \"\\x41\\\"\"", "removable = yes", "socket = 0000:00:14.0/4.2",
	};
	int rounds = tap_long() ? 2000000 : 200000, taken = 0;

	srand(1);
	for (int i = 0; i < rounds; i++) {
		char text[256] = "", *first, *second;

		strcpy(text, seeds[rand() % 8]);
		for (int k = rand() % 4; k >= 0; k--)
			change(text, sizeof(text));
		if (parse(text))
			continue;
		taken++;
		first = usbpass_rule_text_print(&rule);
		TAP_CHECK(true, parse(first) == 0, "'%s' is printed as '%s': %s", text, first, err);
		second = usbpass_rule_text_print(&rule);
		ASSERT_STR(first, second);
		free(first);
		free(second);
	}
	EXPECT_GE(taken, 1000);
}

TAP_MAIN
