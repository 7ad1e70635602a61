// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a
// group: node
// The table of conditions of which usbpass(7) is made: what stands there holds and does not hold as it says, and nothing is missing.
#include <stdint.h>

#include "rule_text.h"
#include "tap.h"

#define ROWS_MAX 400

enum { FIELD, OP, VALUE, HOLDS, FAILS, COLUMNS };

struct row {
	char *columns[COLUMNS];		/* "" where the line ends before */
	char text[128];			/* the condition */
};

static struct usbpass *h;
static char *file;
static struct row rows[ROWS_MAX];	/* also of fields and operators */
static size_t n_rows;
static struct usbpass_rule rule;
static char err[512];

static void split(char *line, struct row *row)
{
	for (int i = 0; i < COLUMNS; i++)
		row->columns[i] = line ? strsep(&line, "\t") : "";
	TAP_CHECK(true, !line, "a line of more than %d columns: %s", COLUMNS, line);
	snprintf(row->text, sizeof(row->text), "%s %s %s", row->columns[FIELD], row->columns[OP], row->columns[VALUE]);
}

static bool is_row(const struct row *row)
{
	return strcmp(row->columns[FIELD], "field") && strcmp(row->columns[FIELD], "operator");
}

static void end(void)
{
	usbpass_rule_clear(&rule);
	usbpass_close(h);
	free(file);
	if (system("rmmod usbpass"))
		_exit(TAP_FAIL);
}

static void read_table(void)
{
	FILE *in = fopen("../userspace/man/conditions.tsv", "r");
	char *rest, *line;
	size_t size = 0;

	ASSERT(in);
	ASSERT(getdelim(&file, &size, '\0', in) > 0);
	fclose(in);
	for (rest = file; (line = strsep(&rest, "\n")); ) {
		if (!*line || *line == '#')
			continue;
		ASSERT(n_rows < ROWS_MAX);
		split(line, &rows[n_rows++]);
	}
}

/* A rule that claims nothing, to hang conditions on. */
TAP_SETUP
{
	struct usbpass_rule probe = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION), .name = "probe",
				     .action = USBPASS_ACTION_IGNORE};
	struct usbpass_cond any = {.field = USBPASS_FIELD_ANY};

	/* The runner starts tests in selftests/. */
	read_table();
	ASSERT_EQ(0, system("[ ! -e /sys/module/usbpass ] || rmmod usbpass"));
	ASSERT_EQ(0, system("insmod ${USBPASS_KO:-../usbpass.ko}"));
	tap_defer(end);
	ASSERT_EQ(0, usbpass_open(&h));
	ASSERT_EQ(0, usbpass_rule_add_cond(&probe, &any));
	ASSERT_EQ(0, usbpass_rule_new(h, &probe));
	usbpass_rule_clear(&probe);
}

static void write_node(const char *name)
{
	FILE *out = fopen("/sys/module/usbpass/parameters/node", "w");

	ASSERT(out);
	ASSERT(fputs(name, out) >= 0);
	ASSERT_EQ(0, fclose(out));
}

/* "-": nothing; else what the device has in the field: of interface-class one for each word. */
static void describe(const char *field, const char *has, struct usbpass_device *device)
{
	bool interfaces = !strncmp(field, "interface-class", 15);
	char text[256] = "", words[128];

	snprintf(words, sizeof(words), "%s", has);
	if (!strcmp(has, "-") || !strcmp(field, "node"))
		strcpy(text, "vendor = 0000");	/* which is what any has that says nothing of it */
	else if (!interfaces)
		snprintf(text, sizeof(text), "%s = %s", field, has);
	for (char *word = strtok(words, " "); interfaces && *has != '-' && word; word = strtok(NULL, " "))
		sprintf(text + strlen(text), "%sinterface-class = %s", *text ? " and " : "", word);
	TAP_CHECK(true, !usbpass_rule_text_describe(text, device, err, sizeof(err)), "%s: %s", text, err);
}

/* What the kernel says of a device that has this. */
static bool holds(const struct row *row, const char *has)
{
	struct usbpass_verdict *list;
	struct usbpass_device device;
	bool result;
	size_t n;

	describe(row->columns[FIELD], has, &device);
	ASSERT_EQ(0, usbpass_rule_explain(h, &device, &list, &n));
	ASSERT_EQ(1, n);
	result = list->holds;
	usbpass_verdict_list_free(list, n);
	usbpass_device_clear(&device);
	return result;
}

static void parse(const char *text)
{
	usbpass_rule_clear(&rule);
	TAP_CHECK(true, !usbpass_rule_text_parse(text, &rule, err, sizeof(err)), "%s: %s", text, err);
	ASSERT_EQ(1, rule.n_conds);
	strcpy(rule.name, "probe");
	rule.has |= USBPASS_HAS(USBPASS_A_RULE_NAME);
}

/* The node's name is read at each commit. */
static void check(const struct row *row, const char *has, bool wanted)
{
	if (!strcmp(row->columns[FIELD], "node"))
		write_node(has);
	TAP_CHECK(true, !usbpass_rule_set(h, &rule), "refused: %s: %s", row->text, usbpass_error(h));
	TAP_CHECK(false, holds(row, has) == wanted, "%s: should %shold where it is %s", row->text, wanted ? "" : "not ", has);
}

TEST("every operator holds on every field for what the manual's table says, and not for the other")
{
	for (size_t i = 0; i < n_rows; i++) {
		if (!is_row(&rows[i]))
			continue;
		parse(rows[i].text);
		check(&rows[i], rows[i].columns[HOLDS], true);
		if (*rows[i].columns[FAILS])
			check(&rows[i], rows[i].columns[FAILS], false);
		else
			EXPECT_EQ(USBPASS_FIELD_ANY, rule.conds[0].field);
	}
}

/* A value of the field's kind, with the operator, be it one that does not fit. */
static struct usbpass_cond probe_of(uint8_t field, uint8_t op)
{
	struct usbpass_cond cond = {.field = field, .op = op, .number = 1, .mask = 0xff0000};

	if (usbpass_rule_text_kind(field) == USBPASS_KIND_STRING)
		cond.string = (char *)"a";
	return cond;
}

static int ask_kernel(const struct usbpass_cond *cond)
{
	struct usbpass_rule asked = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME), .name = "probe"};
	int ret;

	ASSERT_EQ(0, usbpass_rule_add_cond(&asked, cond));
	ret = usbpass_rule_set(h, &asked);
	usbpass_rule_clear(&asked);
	return ret;
}

TEST("table, helper and kernel take the same operators on the same fields, and with interface-class every quantifier")
{
	bool in_table[__USBPASS_FIELD_MAX][__USBPASS_OP_MAX][__USBPASS_QUANTIFIER_MAX] = {};

	for (size_t i = 0; i < n_rows; i++) {
		if (!is_row(&rows[i]))
			continue;
		parse(rows[i].text);
		in_table[rule.conds[0].field][rule.conds[0].op][rule.conds[0].quantifier] = true;
	}
	EXPECT(in_table[USBPASS_FIELD_ANY][USBPASS_OP_EQ][USBPASS_QUANTIFIER_ANY]);
	for (uint8_t field = USBPASS_FIELD_ANY + 1; field < __USBPASS_FIELD_MAX; field++) {
		uint8_t quantifiers = field == USBPASS_FIELD_INTERFACE_CLASS ? __USBPASS_QUANTIFIER_MAX : 1;

		for (uint8_t op = 1; op < __USBPASS_OP_MAX; op++) {
			struct usbpass_cond cond = probe_of(field, op);
			bool taken = usbpass_rule_text_takes(field, op);
			int ret = ask_kernel(&cond);

			TAP_CHECK(false, ret == (taken ? 0 : -EINVAL), "%s %s: the helper takes it: %d; the kernel: %d %s",
				  usbpass_words_word(USBPASS_WORDS_FIELD, field), usbpass_rule_text_op_text(op), taken, ret,
				  usbpass_error(h));
			for (uint8_t quantifier = 0; quantifier < quantifiers; quantifier++)
				TAP_CHECK(false, in_table[field][op][quantifier] == taken, "%s %s %s: in the table: %d; the helper takes it: %d",
					  usbpass_words_word(USBPASS_WORDS_FIELD, field),
					  usbpass_words_word(USBPASS_WORDS_QUANTIFIER, quantifier), usbpass_rule_text_op_text(op),
					  in_table[field][op][quantifier], taken);
		}
	}
}

TEST("the helper knows the fields and operators of the table by every name that it gives them, and no more")
{
	unsigned int n_fields = 0, ops = 0;

	for (size_t i = 0; i < n_rows; i++) {
		char *const *columns = rows[i].columns;

		if (!strcmp(columns[FIELD], "field")) {
			n_fields++;
			TAP_CHECK(false, usbpass_words_number(USBPASS_WORDS_FIELD, columns[1]) > 0, "%s", columns[1]);
		} else if (!strcmp(columns[FIELD], "operator")) {
			uint8_t op = usbpass_rule_text_op(columns[1]);

			ops |= 1u << op;
			EXPECT_STR(columns[1], usbpass_rule_text_op_text(op));
			TAP_CHECK(false, !*columns[2] || usbpass_rule_text_op(columns[2]) == op, "%s is not %s", columns[2], columns[1]);
		}
	}
	EXPECT_EQ(USBPASS_FIELD_REMOVABLE, n_fields);
	/* All but the opposites, of which the text below the table tells. */
	EXPECT_EQ((1u << (USBPASS_OP_REGEX + 1)) - 2, ops);
	EXPECT_EQ(USBPASS_OP_NOT_REGEX, __USBPASS_OP_MAX - 1);
}

TAP_MAIN
