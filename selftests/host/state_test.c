// SPDX-License-Identifier: GPL-2.0
/* Configuration files: what is saved is read back, and what is wrong is refused at its line and column. */
// libs: libnl-genl-3.0 yaml-0.1
// link: ../userspace/libusbpass.a
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "rule_text.h"
#include "state_yaml.h"
#include "tap.h"

static char dir[] = "/tmp/usbpass-state.XXXXXX", path[64], err[1024];
static struct usbpass_state state, again;

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", dir);
}

TAP_SETUP
{
	if (!mkdtemp(dir))
		exit(TAP_FAIL);
	tap_defer(clean);
	snprintf(path, sizeof(path), "%s/state.yaml", dir);
}

static void put(const char *text)
{
	FILE *file = fopen(path, "w");

	ASSERT(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int load(const char *text)
{
	put(text);
	err[0] = '\0';
	return usbpass_state_load(path, &state, err, sizeof(err));
}

static void expect_loads(const char *text)
{
	int ret = load(text);

	TAP_CHECK(true, ret == 0, "should be read: %s (%d)", err, ret);
}

/* @line 0: no place is said. */
static void expect_refused(int error, unsigned int line, unsigned int column, const char *words, const char *text)
{
	char start[128];
	int ret = load(text);

	snprintf(start, sizeof(start), line ? "%s:%u:%u: " : "%s: ", path, line, column);
	TAP_CHECK(false, ret == error, "gave %d, should give %d: %s", ret, error, err);
	TAP_CHECK(false, !strncmp(err, start, strlen(start)), "should be at %u:%u: %s", line, column, err);
	TAP_CHECK(false, strstr(err, words), "'%s' lacks '%s'", err, words);
	EXPECT(!state.groups && !state.rules && !state.attachments && !state.learned);
}

static void add_cond(struct usbpass_rule *rule, const char *text)
{
	char why[256];

	TAP_CHECK(true, usbpass_rule_text_parse(text, rule, why, sizeof(why)) == 0, "%s", why);
}

/* Everything that a file can carry, with what YAML might take for something else. */
static void fill(void)
{
	struct usbpass_rule *rule;
	struct usbpass_attachment *attachment;

	state = (struct usbpass_state){
		.generation = 18446744073709551ULL, .n_groups = 2, .n_rules = 2, .n_attachments = 2, .n_learned = 2,
	};
	state.groups = calloc(2, sizeof(*state.groups));
	state.rules = calloc(2, sizeof(*state.rules));
	state.attachments = calloc(2, sizeof(*state.attachments));
	state.learned = calloc(2, sizeof(*state.learned));
	ASSERT(state.groups && state.rules && state.attachments && state.learned);
	strcpy(state.groups[0].name, "true");
	strcpy(state.groups[0].description, "Lizenz-Schl\303\274ssel: \"a\" # \\ \t'b' \360\237\224\214");
	state.groups[0].type = USBPASS_GROUP_USB;
	state.groups[0].class = USBPASS_CLASS_SMARTCARD;
	state.groups[0].reset = USBPASS_RESET_NONE;
	state.groups[0].has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_DESCRIPTION) |
			      USBPASS_HAS(USBPASS_A_GROUP_TYPE) | USBPASS_HAS(USBPASS_A_GROUP_CLASS) |
			      USBPASS_HAS(USBPASS_A_GROUP_RESET) | USBPASS_HAS(USBPASS_A_GROUP_ENABLED);
	strcpy(state.groups[1].name, "0123");
	state.groups[1].has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_DESCRIPTION);

	rule = &state.rules[0];
	strcpy(rule->name, "- dash: colon");
	strcpy(rule->group, "true");
	rule->priority = -2147483647 - 1;
	rule->action = USBPASS_ACTION_CLAIM;
	rule->origin = USBPASS_ORIGIN_MADE;
	rule->enabled = 1;
	rule->description = strdup("");
	add_cond(rule, "vendor = 046d and serial = \"it's \\x01 \\\"1e5\\\"\" and interface-class none 08:06");
	rule->has |= USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_GROUP) | USBPASS_HAS(USBPASS_A_RULE_PRIORITY) |
		     USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_ORIGIN) |
		     USBPASS_HAS(USBPASS_A_RULE_ENABLED) | USBPASS_HAS(USBPASS_A_RULE_DESCRIPTION);
	rule = &state.rules[1];
	strcpy(rule->name, "null");
	rule->action = USBPASS_ACTION_IGNORE;
	add_cond(rule, "any");
	rule->has |= USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION);

	attachment = &state.attachments[0];
	strcpy(attachment->name, "exapp license key");
	strcpy(attachment->slug, "exapp");
	strcpy(attachment->group, "true");
	strcpy(attachment->vm, "qmp:/run/a.sock");
	attachment->reset = USBPASS_RESET_DEVICE;
	attachment->optional = 1;
	attachment->uid = 4294967294U;
	attachment->pin_vendor = 0x00e0;
	attachment->pin_product = 0x1e10;
	strcpy(attachment->pin_serial, "007\001");
	strcpy(attachment->pin_socket, "0000:00:14.0/4.2");
	attachment->has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_SLUG) |
			  USBPASS_HAS(USBPASS_A_ATTACH_GROUP) | USBPASS_HAS(USBPASS_A_ATTACH_VM) |
			  USBPASS_HAS(USBPASS_A_ATTACH_RESET) | USBPASS_HAS(USBPASS_A_ATTACH_OPTIONAL) |
			  USBPASS_HAS(USBPASS_A_ATTACH_FOLLOW) | USBPASS_HAS(USBPASS_A_ATTACH_ENABLED) |
			  USBPASS_HAS(USBPASS_A_ATTACH_UID) | USBPASS_HAS(USBPASS_A_ATTACH_GID) |
			  USBPASS_HAS(USBPASS_A_ATTACH_PIN_VENDOR) | USBPASS_HAS(USBPASS_A_ATTACH_PIN_PRODUCT) |
			  USBPASS_HAS(USBPASS_A_ATTACH_PIN_SERIAL) | USBPASS_HAS(USBPASS_A_ATTACH_PIN_SOCKET);
	attachment = &state.attachments[1];
	strcpy(attachment->name, "b");
	strcpy(attachment->group, "0123");
	attachment->has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP);

	state.learned[0].vendor = 0x1e10;
	state.learned[0].product = 1;
	strcpy(state.learned[0].serial, "2026-12-24");
	state.learned[0].until = 253402300799;
	state.learned[0].has = USBPASS_HAS(USBPASS_A_LEARNED_VENDOR) | USBPASS_HAS(USBPASS_A_LEARNED_PRODUCT) |
			       USBPASS_HAS(USBPASS_A_LEARNED_SERIAL) | USBPASS_HAS(USBPASS_A_LEARNED_UNTIL);
	strcpy(state.learned[1].socket, "0000:00:14.0/4.2");
	state.learned[1].until = 951827696;
	state.learned[1].has = USBPASS_HAS(USBPASS_A_LEARNED_VENDOR) | USBPASS_HAS(USBPASS_A_LEARNED_PRODUCT) |
			       USBPASS_HAS(USBPASS_A_LEARNED_SOCKET) | USBPASS_HAS(USBPASS_A_LEARNED_UNTIL);
}

static void expect_same_rule(const struct usbpass_rule *a, const struct usbpass_rule *b)
{
	EXPECT_STR(a->name, b->name);
	EXPECT_STR(a->group, b->group);
	EXPECT_EQ(a->has, b->has);
	EXPECT_EQ(a->priority, b->priority);
	EXPECT_EQ(a->action, b->action);
	EXPECT_EQ(a->origin, b->origin);
	EXPECT_EQ(a->enabled, b->enabled);
	EXPECT_STR(a->description ? a->description : "none", b->description ? b->description : "none");
	ASSERT_EQ(a->n_conds, b->n_conds);
	for (size_t i = 0; i < a->n_conds; i++) {
		EXPECT_EQ(a->conds[i].field, b->conds[i].field);
		EXPECT_EQ(a->conds[i].op, b->conds[i].op);
		EXPECT_EQ(a->conds[i].quantifier, b->conds[i].quantifier);
		EXPECT_EQ(a->conds[i].number, b->conds[i].number);
		EXPECT_EQ(a->conds[i].mask, b->conds[i].mask);
		EXPECT_STR(a->conds[i].string ? a->conds[i].string : "none",
			   b->conds[i].string ? b->conds[i].string : "none");
	}
}

static char *contents(void)
{
	static char text[65536];
	FILE *file = fopen(path, "r");
	size_t n;

	ASSERT(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

TEST("reads back all that it saves")
{
	fill();
	TAP_CHECK(true, usbpass_state_save(path, &state, err, sizeof(err)) == 0, "%s", err);
	TAP_CHECK(true, usbpass_state_load(path, &again, err, sizeof(err)) == 0, "%s\n%s", err, contents());
	EXPECT_EQ(state.generation, again.generation);
	ASSERT_EQ(state.n_groups, again.n_groups);
	ASSERT_EQ(state.n_rules, again.n_rules);
	ASSERT_EQ(state.n_attachments, again.n_attachments);
	/* Both are zeroed before they are filled, and own nothing. */
	EXPECT(!memcmp(state.groups, again.groups, 2 * sizeof(*state.groups)));
	EXPECT(!memcmp(state.attachments, again.attachments, 2 * sizeof(*state.attachments)));
	ASSERT_EQ(2, again.n_learned);
	EXPECT(!memcmp(state.learned, again.learned, 2 * sizeof(*state.learned)));
	expect_same_rule(&state.rules[0], &again.rules[0]);
	expect_same_rule(&state.rules[1], &again.rules[1]);
}

TEST("writes hex and names in quotes, for other readers of YAML")
{
	fill();
	ASSERT_EQ(0, usbpass_state_save(path, &state, err, sizeof(err)));
	EXPECT(strstr(contents(), "vendor: \"00e0\"\n"));
	EXPECT(strstr(contents(), "product: \"1e10\"\n"));
	EXPECT(strstr(contents(), "name: \"true\"\n"));
	EXPECT(strstr(contents(), "name: \"null\"\n"));
	EXPECT(strstr(contents(), "\nusbpass: 1\n"));
	EXPECT(strstr(contents(), "\nlearned:\n- vendor: \"1e10\"\n  product: \"0001\"\n  serial: \"2026-12-24\"\n"
				  "  until: 9999-12-31T23:59:59Z\n"));
	EXPECT(strstr(contents(), "  socket: \"0000:00:14.0/4.2\"\n  until: 2000-02-29T12:34:56Z\n"));
}

TEST("says nothing of learned devices where there are none, and writes no time that no reader takes")
{
	ASSERT_EQ(0, usbpass_state_save(path, &state, err, sizeof(err)));
	EXPECT(!strstr(contents(), "learned"));
	fill();
	state.learned[0].until = 253402300800;
	EXPECT(usbpass_state_save(path, &state, err, sizeof(err)) < 0);
	state.learned[0].until = UINT64_MAX;
	EXPECT(usbpass_state_save(path, &state, err, sizeof(err)) < 0);
}

TEST("saves and reads an empty configuration")
{
	ASSERT_EQ(0, usbpass_state_save(path, &state, err, sizeof(err)));
	ASSERT_EQ(0, usbpass_state_load(path, &again, err, sizeof(err)));
	EXPECT_EQ(0, again.n_groups + again.n_rules + again.n_attachments + again.n_learned + again.generation);
	expect_loads("usbpass: 1\ngroups:\nrules: []\n");
}

TEST("keeps the old file where the new one cannot be written")
{
	struct stat before, after;

	put("old\n");
	fill();
	strcpy(state.groups[1].description, "\377\376 is not UTF-8");
	ASSERT_EQ(0, stat(path, &before));
	EXPECT(usbpass_state_save(path, &state, err, sizeof(err)) < 0);
	EXPECT(strstr(err, path));
	ASSERT_EQ(0, stat(path, &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_STR("old\n", contents());
}

TEST("leaves nothing beside the file")
{
	struct dirent *entry;
	unsigned int files = 0;
	DIR *handle;

	fill();
	ASSERT_EQ(0, usbpass_state_save(path, &state, err, sizeof(err)));
	strcpy(state.groups[1].description, "\377");
	EXPECT(usbpass_state_save(path, &state, err, sizeof(err)) < 0);
	handle = opendir(dir);
	ASSERT(handle);
	while ((entry = readdir(handle)))
		files += entry->d_name[0] != '.';
	closedir(handle);
	EXPECT_EQ(1, files);
}

TEST("refuses unknown keys, with line and column")
{
	expect_refused(-EINVAL, 2, 1, "unknown key 'goups'", "usbpass: 1\ngoups: []\n");
	expect_refused(-EINVAL, 4, 3, "unknown key 'colour'", "usbpass: 1\ngroups:\n- name: a\n  colour: red\n");
	expect_refused(-EINVAL, 5, 12, "unknown key 'bus'",
		       "usbpass: 1\nattachments:\n- name: a\n  group: g\n  pin: {   bus: \"1\"}\n");
}

TEST("refuses keys that stand there twice, and those that are missing")
{
	expect_refused(-EINVAL, 4, 3, "'name' stands here twice", "usbpass: 1\ngroups:\n- name: a\n  name: b\n");
	expect_refused(-EINVAL, 3, 1, "'groups' stands here twice", "usbpass: 1\ngroups: []\ngroups: []\n");
	expect_refused(-EINVAL, 3, 3, "a group lacks 'name'", "usbpass: 1\ngroups:\n- class: hid\n");
	expect_refused(-EINVAL, 3, 3, "a rule lacks 'match'", "usbpass: 1\nrules:\n- {name: a, action: ignore}\n");
	expect_refused(-EINVAL, 2, 15, "an attachment lacks 'group'", "usbpass: 1\nattachments: [name: a]\n");
}

TEST("refuses what a newer usbpass wrote, by name")
{
	expect_refused(-EOPNOTSUPP, 1, 10, "needs a newer usbpass", "usbpass: 2\nflowers: [rose]\n");
	expect_refused(-EOPNOTSUPP, 2, 1, "'tenants' needs a newer usbpass", "usbpass: 1\ntenants:\n- name: a\n");
	expect_refused(-EOPNOTSUPP, 2, 1, "'assignments' needs a newer usbpass", "usbpass: 1\nassignments: {a: b}\n");
	expect_loads("usbpass: 1\ntenants: []\nassignments:\nlearned: {}\n");
}

TEST("refuses what is no configuration")
{
	expect_refused(-EINVAL, 0, 0, "empty", "");
	expect_refused(-EINVAL, 1, 1, "lacks the line 'usbpass: 1'", "groups: []\n");
	expect_refused(-EINVAL, 1, 1, "not a configuration", "- usbpass\n");
	expect_refused(-EINVAL, 1, 10, "a number from 1", "usbpass: one\n");
	expect_refused(-EINVAL, 3, 1, "not YAML", "usbpass: 1\ngroups:\n\t- name: a\n");
	expect_refused(-EINVAL, 0, 0, "byte", "usbpass: 1\n# \377\n");
}

TEST("refuses values that do not fit, where they stand")
{
	expect_refused(-EINVAL, 4, 10, "one of generic, hid", "usbpass: 1\ngroups:\n- name: a\n  class: usb\n");
	expect_refused(-EINVAL, 4, 12, "true or false, not 'maybe'", "usbpass: 1\ngroups:\n- name: a\n  enabled: maybe\n");
	expect_refused(-EINVAL, 3, 29, "a number from 0 to 4294967295, not '5x'",
		       "usbpass: 1\nattachments:\n- {name: a, group: g, uid:  5x}\n");
	expect_refused(-EINVAL, 3, 28, "a number", "usbpass: 1\nattachments:\n- {name: a, group: g, uid: -1}\n");
	expect_refused(-EINVAL, 3, 38, "must stand in quotes",
		       "usbpass: 1\nattachments:\n- {name: a, group: g, pin: {vendor:  1234}}\n");
	expect_refused(-EINVAL, 3, 37, "four hex digits",
		       "usbpass: 1\nattachments:\n- {name: a, group: g, pin: {vendor: '0x46'}}\n");
	expect_refused(-EINVAL, 3, 8, "has no value", "usbpass: 1\ngroups:\n- name: \n");
	expect_refused(-EINVAL, 3, 9, "a single value", "usbpass: 1\ngroups:\n- name: [a]\n");
	expect_refused(-EINVAL, 3, 9, "zero byte", "usbpass: 1\ngroups:\n- name: \"a\\0b\"\n");
	expect_refused(-EINVAL, 3, 9, "longer than 63 bytes",
		       "usbpass: 1\ngroups:\n- name: 0123456789012345678901234567890123456789012345678901234567890123\n");
}

TEST("refuses a learned device that is wrong, where it stands")
{
#define LEARNED "usbpass: 1\nlearned:\n- vendor: \"046d\"\n  product: \"c31c\"\n"
	expect_refused(-EINVAL, 2, 10, "'learned' must be a list", "usbpass: 1\nlearned: {a: b}\n");
	expect_refused(-EINVAL, 3, 3, "a learned device lacks 'until'", LEARNED "  serial: \"A\"\n");
	expect_refused(-EINVAL, 3, 3, "a learned device needs one of 'serial' and 'socket'",
		       LEARNED "  until: 2027-01-31T12:00:00Z\n");
	expect_refused(-EINVAL, 3, 3, "a learned device needs one of 'serial' and 'socket'",
		       LEARNED "  serial: \"A\"\n  socket: 0000:00:14.0/4.2\n  until: 2027-01-31T12:00:00Z\n");
	expect_refused(-EINVAL, 5, 3, "unknown key 'owner'; known here: vendor, product, serial, socket, until",
		       LEARNED "  owner: host\n");
	expect_refused(-EINVAL, 5, 11, "must stand in quotes", LEARNED "  serial: 007\n");
	expect_refused(-EINVAL, 3, 12, "must stand in quotes", "usbpass: 1\nlearned:\n- {vendor: 046d}\n");
	expect_loads(LEARNED "  serial: \"A\"\n  until: '2027-01-31T12:00:00Z'\n");
	EXPECT_EQ(1801396800, state.learned[0].until);
	usbpass_state_free(&state);
	static const char *const times[] = {
		"2027-01-31", "2027-01-31T12:00:00", "2027-01-31T12:00:00+01:00", "2027-01-31 12:00:00Z", "2027-02-29T12:00:00Z",
		"2027-01-31T24:00:00Z", "2027-01-31T12:00:60Z", "2027-1-31T12:00:00Z", "1969-12-31T23:59:59Z", "1970-00-00T00:00:00Z",
		"2027-01-31T12:00:00Zulu", "1801396800", "never", "+999-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), LEARNED "  serial: \"A\"\n  until: %s\n", times[i]);
		expect_refused(-EINVAL, 6, 10, "must be a time in UTC", text);
	}
#undef LEARNED
}

TEST("refuses a wrong match with the place in the file and in the text")
{
#define RULE "usbpass: 1\nrules:\n- name: a\n  action: ignore\n  match: "
	expect_refused(-EINVAL, 5, 11, "in 'match', 'vendr' is no field", RULE "'vendr = 046d'\n");
	expect_refused(-EINVAL, 5, 19, "in 'match', '46d' is not four", RULE "vendor = 46d\n");
	expect_refused(-EINVAL, 5, 19, "in 'match', '46d' is not four", RULE "vendor = 46d and any   # why\n");
	expect_refused(-EINVAL, 5, 18, "a value is missing here", RULE "vendor =\n");
	expect_refused(-EINVAL, 5, 36, "'46d'", RULE "\"node = here and vendor = 46d\"\n");
	/* Columns of the file are characters. */
	expect_refused(-EINVAL, 5, 33, "'vendr' is no field", RULE "'vendor-name = \"\303\274\" and vendr = 046d'\n");
	expect_refused(-EINVAL, 5, 22, "the parenthesis is never closed", RULE "'serial ~ \"^(A\"'\n");
	/* Not as it stands there: the place is one of the text that YAML makes of it. */
	expect_refused(-EINVAL, 5, 10, "in the text of 'match', column 18: 'vendr'", RULE "\"serial = \\\"A\\\" and vendr = 046d\"\n");
	expect_refused(-EINVAL, 5, 10, "in the text of 'match', column 18: 'vendr'", RULE "'serial = \"''\" and vendr = 046d'\n");
	expect_refused(-EINVAL, 5, 10, "in the text of 'match', column 29: '5'", RULE ">\n    vendor = 046d and\n    product = 5\n");
	expect_refused(-EINVAL, 5, 10, "in the text of 'match', column 29: '5'", RULE "|\n    vendor = 046d and\n    product = 5\n");
	expect_refused(-EINVAL, 5, 10, "in the text of 'match', column 29: '5'", RULE "vendor = 046d and\n    product = 5\n");
	expect_refused(-EINVAL, 5, 10, "in the text of 'match', column 10: '5'", RULE "&anchor 'vendor = 5'\n");
#undef RULE
}

TEST("reads standard input")
{
	put("usbpass: 1\ngroups:\n- name: a\n- nome: b\n");
	ASSERT(freopen(path, "r", stdin));
	EXPECT_EQ(-EINVAL, usbpass_state_load("-", &state, err, sizeof(err)));
	EXPECT(!strncmp(err, "standard input:4:3: ", 20));
	put("usbpass: 1\ngroups:\n- name: a\n");
	ASSERT(freopen(path, "r", stdin));
	EXPECT_EQ(0, usbpass_state_load("-", &state, err, sizeof(err)));
	EXPECT_EQ(1, state.n_groups);
}

TEST("tells a file that is not there from one that is wrong")
{
	EXPECT_EQ(-ENOENT, usbpass_state_load("/nonexistent/usbpass.yaml", &state, err, sizeof(err)));
	EXPECT(strstr(err, "/nonexistent/usbpass.yaml: No such file"));
}

/* The same, for the parser of all YAML, to which an end without a newline is nothing. */
static void expect_plain(const char *text)
{
	char with_comment[1024];
	struct usbpass_state plain = {};

	TAP_CHECK(false, usbpass_state_yaml_plain(text, strlen(text), &plain), "should need no parser: %s", text);
	snprintf(with_comment, sizeof(with_comment), "%s#", text);
	expect_loads(with_comment);
	EXPECT_EQ(state.generation, plain.generation);
	ASSERT_EQ(state.n_groups, plain.n_groups);
	ASSERT_EQ(state.n_rules, plain.n_rules);
	ASSERT_EQ(state.n_attachments, plain.n_attachments);
	EXPECT(!plain.n_groups || !memcmp(state.groups, plain.groups, plain.n_groups * sizeof(*plain.groups)));
	EXPECT(!plain.n_attachments ||
	       !memcmp(state.attachments, plain.attachments, plain.n_attachments * sizeof(*plain.attachments)));
	ASSERT_EQ(state.n_learned, plain.n_learned);
	EXPECT(!plain.n_learned || !memcmp(state.learned, plain.learned, plain.n_learned * sizeof(*plain.learned)));
	for (size_t i = 0; i < plain.n_rules; i++)
		expect_same_rule(&state.rules[i], &plain.rules[i]);
	usbpass_state_free(&state);
	usbpass_state_free(&plain);
}

/* Right or wrong, what it says is for the parser of all YAML to find out. */
static void expect_not_plain(const char *text)
{
	struct usbpass_state plain = {};

	TAP_CHECK(false, !usbpass_state_yaml_plain(text, strlen(text), &plain), "should need a parser: %s", text);
	EXPECT(!plain.groups && !plain.rules && !plain.attachments && !plain.n_groups && !plain.generation);
}

TEST("what needs no parser of all YAML means to that one the same")
{
	expect_plain("usbpass: 1\n");
	expect_plain("# a comment\n\nusbpass: 1\ngeneration: 7\ngroups: []\nrules: []\nattachments: []\n");
	expect_plain("usbpass: 1\ngroups:\n- name: a\n  class: hid\n\n# another\n- name: 'b''s \"own\"'\n  enabled: false\n");
	expect_plain("usbpass: 1\ngroups:\n  - name: \"\\\\ \\\" \303\274\"\n    description: \" two\\tlines \"\n");
	expect_plain("usbpass: 1\nrules:\n- name: a b  c\n  priority: -10\n  action: ignore\n"
		     "  match: serial = \"x\" and socket = 0000:00:14.0/4.2\n"
		     "- name: b\n  action: claim\n  group: g\n  description: \"a\\nb\"\n  match: 'product-name regex \"^a\\.b$\"'\n");
	expect_plain("usbpass: 1\nattachments:\n- name: a\n  pin:\n    vendor: \"046d\"\n    serial: '1'\n  group: g\n"
		     "- name: b\n  group: g\n  pin:\n      socket: 0000:00:14.0/4\n");
	expect_plain("usbpass: 1\nlearned:\n- vendor: \"046d\"\n  product: \"c31c\"\n  serial: \"A\"\n  until: 2027-01-31T12:00:00Z\n"
		     "- vendor: \"046d\"\n  product: \"c31c\"\n  socket: 0000:00:14.0/4.2\n  until: \"2027-01-31T12:00:00Z\"\n");
}

TEST("what might mean something else is left to a parser of all YAML")
{
	expect_not_plain("");
	expect_not_plain("usbpass: 1");
	expect_not_plain("usbpass: 2\n");
	expect_not_plain("---\nusbpass: 1\n");
	expect_not_plain("usbpass: 1\ngroups:\n");
	expect_not_plain("usbpass: 1\ntenants: []\n");
	expect_not_plain("usbpass: 1\ngroups: []\ngroups: []\n");
	expect_not_plain("usbpass: 1\ngeneration: 1\ngeneration: 1\n");
	expect_not_plain("usbpass: 1\ngroups:\n- {name: a}\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a\n  b\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a\n    b\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a # b\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a \n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a\r\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a: b\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: *a\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: !!str a\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: |\n    a\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: 'a\n    b'\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: \"\\x41\"\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a\n  name: a\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a\n - name: b\n");
	expect_not_plain("usbpass: 1\ngroups:\n- name: a\n   class: hid\n");
	expect_not_plain("usbpass: 1\ngroups:\n- class: hid\n");
	expect_not_plain("usbpass: 1\nattachments:\n- name: a\n  group: g\n  pin:\n- name: b\n  group: g\n");
	expect_not_plain("usbpass: 1\nattachments:\n- name: a\n  group: g\n  pin:\n    serial: 1\n");
	expect_not_plain("usbpass: 1\nrules:\n- name: a\n  action: ignore\n  match: any\n  match: any\n");
	expect_not_plain("usbpass: 1\nlearned:\n- vendor: \"046d\"\n  product: \"c31c\"\n  until: 2027-01-31T12:00:00Z\n");
}

/* Whatever a damaged file says, it is read or refused with words, and nothing is left behind or touched twice. */
TEST("outlives damaged files")
{
	unsigned int rounds = tap_long() ? 20000 : 1000, seed = 1, refused = 0;
	char *good, *text;
	size_t size;

	fill();
	ASSERT_EQ(0, usbpass_state_save(path, &state, err, sizeof(err)));
	good = strdup(contents());
	ASSERT(good);
	size = strlen(good);
	for (unsigned int i = 0; i < rounds; i++) {
		text = strdup(good);
		ASSERT(text);
		for (int n = rand_r(&seed) % 4; n >= 0; n--)
			text[(size_t)rand_r(&seed) % size] = "\n -:\"'[]{}#&*!|>%@`\\0a\t"[rand_r(&seed) % 23];
		usbpass_state_free(&state);
		if (load(text) < 0) {
			refused++;
			EXPECT(err[0]);
		}
		free(text);
	}
	EXPECT(refused > 0);
	free(good);
}

TAP_MAIN
