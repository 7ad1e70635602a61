// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a
// group: node
// timeout: 600
// The netlink family as linux/usbpass.h tells it: answers, errnos, the attribute at fault; without any device.
#define TAP_SECONDS 120
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "message.h"
#include "tap.h"

static struct usbpass *h;

static void empty(void)
{
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	ASSERT_EQ(0, usbpass_txn_commit(h, USBPASS_F_REVOKE, NULL));
}

static void load(void)
{
	const char *module = getenv("USBPASS_KO");
	char path[PATH_MAX] = "", command[2 * PATH_MAX];

	if (!access("/sys/module/usbpass", F_OK))
		return;
	ASSERT(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	if (module)
		snprintf(command, sizeof(command), "insmod '%s'", module);
	else
		snprintf(command, sizeof(command), "insmod '%s/../../usbpass.ko'", dirname(path));
	ASSERT_EQ(0, system(command));
}

TAP_SETUP
{
	load();
	ASSERT_EQ(0, usbpass_open(&h));
	empty();
}

/* The kernel's own sentence and the attribute, besides the errno. */
#define REFUSED(error, attribute, call)                                                                                        \
	do {                                                                                                                   \
		EXPECT_EQ(-(error), call);                                                                                     \
		EXPECT_STR(attribute, usbpass_error_attr(h));                                                                  \
		EXPECT(strlen(usbpass_error(h)) > 8);                                                                          \
	} while (0)

static int group_new(const char *name)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME)};

	snprintf(group.name, sizeof(group.name), "%s", name);
	return usbpass_group_new(h, &group);
}

/* A number is compared; a string if it is there. */
static int rule_new_as(const char *name, int priority, struct usbpass_cond cond, struct usbpass_rule *rule)
{
	*rule = (struct usbpass_rule){.action = USBPASS_ACTION_IGNORE, .priority = priority};
	rule->has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_PRIORITY);
	snprintf(rule->name, sizeof(rule->name), "%s", name);
	if (!cond.op)
		cond.op = USBPASS_OP_EQ;
	ASSERT_EQ(0, usbpass_rule_add_cond(rule, &cond));
	return usbpass_rule_new(h, rule);
}

static int rule_new(const char *name, int priority, struct usbpass_cond cond)
{
	struct usbpass_rule rule;
	int ret = rule_new_as(name, priority, cond, &rule);

	usbpass_rule_clear(&rule);
	return ret;
}

static const struct usbpass_cond any = {.field = USBPASS_FIELD_ANY};

static int attach_new_as(const char *name, const char *group, struct usbpass_attachment *attach)
{
	attach->has |= USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP);
	snprintf(attach->name, sizeof(attach->name), "%s", name);
	snprintf(attach->group, sizeof(attach->group), "%s", group);
	return usbpass_attachment_new(h, attach);
}

static int attach_new(const char *name, const char *group)
{
	struct usbpass_attachment attach = {};

	return attach_new_as(name, group, &attach);
}

static int call(struct nl_msg *msg)
{
	return usbpass_message_call(h, h->calls, msg, NULL, NULL);
}

/* A verb with one nest of one attribute. */
static int nested(uint8_t cmd, int nest_type, int type, const void *data, int len)
{
	struct nl_msg *msg = usbpass_message_new(h, cmd, 0);
	struct nlattr *nest = nla_nest_start(msg, nest_type | NLA_F_NESTED);

	ASSERT(nest && !nla_put(msg, type, len, data));
	nla_nest_end(msg, nest);
	return call(msg);
}

TEST("every verb needs CAP_SYS_ADMIN of the sender, lists too")
{
	struct usbpass_group *list;
	struct usbpass_info info;
	size_t n;

	ASSERT_EQ(0, seteuid(65534));
	EXPECT_EQ(-EPERM, usbpass_info_get(h, &info));
	EXPECT_STR("usbpass: the host's verbs need CAP_SYS_ADMIN", usbpass_error(h));
	EXPECT_EQ(-EPERM, group_new("g"));
	EXPECT_EQ(-EPERM, usbpass_group_list(h, &list, &n));
	EXPECT_STR("usbpass: the host's verbs need CAP_SYS_ADMIN", usbpass_error(h));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(0, usbpass_info_get(h, &info));
}

TEST("every verb needs CAP_SYS_ADMIN of who opened the socket, lists too")
{
	struct usbpass_group *list;
	struct usbpass_info info;
	struct usbpass *other;
	size_t n;

	ASSERT_EQ(0, seteuid(65534));
	ASSERT_EQ(0, usbpass_open(&other));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(-EPERM, usbpass_info_get(other, &info));
	EXPECT_EQ(-EPERM, usbpass_group_list(other, &list, &n));
}

TEST("INFO counts what is in force")
{
	struct usbpass_info info, after;

	ASSERT_EQ(0, usbpass_info_get(h, &info));
	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, rule_new("r", 0, any));
	ASSERT_EQ(0, attach_new("a", "g"));
	ASSERT_EQ(0, usbpass_info_get(h, &after));
	EXPECT_EQ(info.generation + 3, after.generation);
	EXPECT_EQ(1, after.groups);
	EXPECT_EQ(1, after.rules);
	EXPECT_EQ(1, after.attachments);
	EXPECT(after.features & USBPASS_FEATURE_RULES_EQ);
	EXPECT(after.features & USBPASS_FEATURE_RULES_TEXT);
	EXPECT(after.node[0] && after.version[0]);
}

TEST("a name that nobody gave is made up, and given back")
{
	struct usbpass_group group = {}, other = {};

	ASSERT_EQ(0, group_new("group1"));
	ASSERT_EQ(0, usbpass_group_new(h, &group));
	EXPECT_STR("group2", group.name);
	other.has = USBPASS_HAS(USBPASS_A_GROUP_NAME);
	ASSERT_EQ(0, usbpass_group_new(h, &other));
	EXPECT_STR("group3", other.name);
	EXPECT_EQ(group.id + 1, other.id);
}

TEST("names are printable UTF-8 without slash and outer space, 1 to 63 bytes")
{
	static const char *const bad[] = {" a", "a ", "a/b", "\x01", "a\x7f", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xc2\x85", "a\n",
					  "\xf4\x90\x80\x80", "\xe2\x82"};
	char longest[USBPASS_NAME_MAX + 2] = "";

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		REFUSED(EINVAL, "group.name", group_new(bad[i]));
	EXPECT_EQ(0, group_new("exapp license key"));
	EXPECT_EQ(0, group_new("Schl\xc3\xbcssel \xf0\x9f\x94\x91"));
	memset(longest, 'x', USBPASS_NAME_MAX);
	EXPECT_EQ(0, group_new(longest));
	longest[USBPASS_NAME_MAX] = 'x';
	REFUSED(EINVAL, "group.name",
		nested(USBPASS_CMD_GROUP_NEW, USBPASS_A_GROUP, USBPASS_A_GROUP_NAME, longest, sizeof(longest)));
	REFUSED(EINVAL, "group.name", nested(USBPASS_CMD_GROUP_NEW, USBPASS_A_GROUP, USBPASS_A_GROUP_NAME, "abc", 3));
}

TEST("a taken name is EEXIST, also for a rename")
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_ID) | USBPASS_HAS(USBPASS_A_GROUP_NAME), .name = "a"};
	struct usbpass_group b;

	ASSERT_EQ(0, group_new("a"));
	ASSERT_EQ(0, group_new("b"));
	REFUSED(EEXIST, "group.name", group_new("a"));
	ASSERT_EQ(0, usbpass_group_get(h, 0, "b", &b));
	group.id = b.id;
	REFUSED(EEXIST, "group.name", usbpass_group_set(h, &group));
	strcpy(group.name, "c");
	EXPECT_EQ(0, usbpass_group_set(h, &group));
	EXPECT_EQ(0, usbpass_group_get(h, b.id, NULL, &b));
	EXPECT_STR("c", b.name);
	REFUSED(ENOENT, "group.name", usbpass_group_get(h, 0, "b", &b));
	ASSERT_EQ(0, rule_new("a", 0, any));
	REFUSED(EEXIST, "rule.name", rule_new("a", 0, any));
	ASSERT_EQ(0, attach_new("a", "a"));
	REFUSED(EEXIST, "attach.name", attach_new("a", "a"));
}

TEST("what does not exist is ENOENT by id and by name; neither of both is EINVAL")
{
	static const struct {
		uint8_t cmd;
		int nest, id, name, other;
		const char *id_attr, *name_attr, *nest_attr;
	} verbs[] = {
		{USBPASS_CMD_GROUP_GET, USBPASS_A_GROUP, USBPASS_A_GROUP_ID, USBPASS_A_GROUP_NAME, USBPASS_A_GROUP_ENABLED,
		 "group.id", "group.name", "group"},
		{USBPASS_CMD_GROUP_SET, USBPASS_A_GROUP, USBPASS_A_GROUP_ID, USBPASS_A_GROUP_NAME, USBPASS_A_GROUP_ENABLED,
		 "group.id", "group.name", "group"},
		{USBPASS_CMD_GROUP_DEL, USBPASS_A_GROUP, USBPASS_A_GROUP_ID, USBPASS_A_GROUP_NAME, USBPASS_A_GROUP_ENABLED,
		 "group.id", "group.name", "group"},
		{USBPASS_CMD_RULE_GET, USBPASS_A_RULE, USBPASS_A_RULE_ID, USBPASS_A_RULE_NAME, USBPASS_A_RULE_ENABLED,
		 "rule.id", "rule.name", "rule"},
		{USBPASS_CMD_RULE_SET, USBPASS_A_RULE, USBPASS_A_RULE_ID, USBPASS_A_RULE_NAME, USBPASS_A_RULE_ENABLED,
		 "rule.id", "rule.name", "rule"},
		{USBPASS_CMD_RULE_DEL, USBPASS_A_RULE, USBPASS_A_RULE_ID, USBPASS_A_RULE_NAME, USBPASS_A_RULE_ENABLED,
		 "rule.id", "rule.name", "rule"},
		{USBPASS_CMD_ATTACH_GET, USBPASS_A_ATTACH, USBPASS_A_ATTACH_ID, USBPASS_A_ATTACH_NAME, USBPASS_A_ATTACH_ENABLED,
		 "attach.id", "attach.name", "attach"},
		{USBPASS_CMD_ATTACH_SET, USBPASS_A_ATTACH, USBPASS_A_ATTACH_ID, USBPASS_A_ATTACH_NAME, USBPASS_A_ATTACH_ENABLED,
		 "attach.id", "attach.name", "attach"},
		{USBPASS_CMD_ATTACH_DEL, USBPASS_A_ATTACH, USBPASS_A_ATTACH_ID, USBPASS_A_ATTACH_NAME, USBPASS_A_ATTACH_ENABLED,
		 "attach.id", "attach.name", "attach"},
	};
	uint32_t id = 4000000000, zero = 0;
	uint8_t enabled = 1;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		REFUSED(ENOENT, verbs[i].id_attr, nested(verbs[i].cmd, verbs[i].nest, verbs[i].id, &id, sizeof(id)));
		REFUSED(ERANGE, verbs[i].id_attr, nested(verbs[i].cmd, verbs[i].nest, verbs[i].id, &zero, sizeof(zero)));
		REFUSED(ENOENT, verbs[i].name_attr, nested(verbs[i].cmd, verbs[i].nest, verbs[i].name, "none", 5));
		REFUSED(EINVAL, verbs[i].nest_attr, nested(verbs[i].cmd, verbs[i].nest, verbs[i].other, &enabled, 1));
	}
}

TEST("unknown attributes and flags, and those of other verbs, are refused")
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_TXN_ABORT, 0);
	uint32_t flags = 0x10;

	nla_put_u32(msg, USBPASS_A_MAX + 1, 1);
	REFUSED(EINVAL, "", call(msg));
	REFUSED(EINVAL, "group", nested(USBPASS_CMD_GROUP_NEW, USBPASS_A_GROUP, USBPASS_A_GROUP_MAX + 1, &flags, 4));
	/* Out only. */
	REFUSED(EINVAL, "group.owner", nested(USBPASS_CMD_GROUP_NEW, USBPASS_A_GROUP, USBPASS_A_GROUP_OWNER, "host", 5));
	REFUSED(EINVAL, "group", nested(USBPASS_CMD_INFO, USBPASS_A_GROUP, USBPASS_A_GROUP_NAME, "g", 2));
	REFUSED(EINVAL, "rule", nested(USBPASS_CMD_GROUP_NEW, USBPASS_A_RULE, USBPASS_A_RULE_NAME, "g", 2));
	for (flags = 0x10; flags; flags <<= 1) {
		msg = usbpass_message_new(h, USBPASS_CMD_TXN_ABORT, 0);
		nla_put_u32(msg, USBPASS_A_FLAGS, flags);
		REFUSED(EINVAL, "", call(msg));
	}
	REFUSED(EINVAL, "", usbpass_txn_begin(h, NULL, USBPASS_F_REVOKE));
	REFUSED(EINVAL, "", usbpass_txn_commit(h, USBPASS_F_REPLACE, NULL));
	REFUSED(EINVAL, "", usbpass_device_claim(h, 1, NULL, USBPASS_F_REVOKE, 0));
	msg = usbpass_message_new(h, USBPASS_CMD_GROUP_GET, NLM_F_DUMP);
	nla_put_u32(msg, USBPASS_A_FLAGS, 0);
	REFUSED(EINVAL, "", call(msg));
	msg = usbpass_message_new(h, USBPASS_CMD_GROUP_NEW, 0);
	REFUSED(EINVAL, "", call(msg));
	msg = usbpass_message_new(h, USBPASS_CMD_INFO, 0);
	((struct genlmsghdr *)nlmsg_data(nlmsg_hdr(msg)))->reserved = 1;
	REFUSED(EINVAL, "", call(msg));
}

TEST("numbers outside of their range are ERANGE")
{
	static const struct {
		uint8_t cmd;
		int nest, type;
		uint8_t value;
		const char *attr;
	} rows[] = {
		{USBPASS_CMD_GROUP_NEW, USBPASS_A_GROUP, USBPASS_A_GROUP_TYPE, 2, "group.type"},
		{USBPASS_CMD_GROUP_NEW, USBPASS_A_GROUP, USBPASS_A_GROUP_CLASS, USBPASS_CLASS_UNKNOWN + 1, "group.class"},
		{USBPASS_CMD_GROUP_NEW, USBPASS_A_GROUP, USBPASS_A_GROUP_RESET, USBPASS_RESET_HUB + 1, "group.reset"},
		{USBPASS_CMD_GROUP_NEW, USBPASS_A_GROUP, USBPASS_A_GROUP_ENABLED, 2, "group.enabled"},
		{USBPASS_CMD_RULE_NEW, USBPASS_A_RULE, USBPASS_A_RULE_ACTION, 0, "rule.action"},
		{USBPASS_CMD_RULE_NEW, USBPASS_A_RULE, USBPASS_A_RULE_ACTION, USBPASS_ACTION_QUARANTINE + 1, "rule.action"},
		{USBPASS_CMD_RULE_NEW, USBPASS_A_RULE, USBPASS_A_RULE_ORIGIN, 2, "rule.origin"},
		{USBPASS_CMD_RULE_NEW, USBPASS_A_RULE, USBPASS_A_RULE_ENABLED, 2, "rule.enabled"},
		{USBPASS_CMD_ATTACH_NEW, USBPASS_A_ATTACH, USBPASS_A_ATTACH_RESET, 3, "attach.reset"},
		{USBPASS_CMD_ATTACH_NEW, USBPASS_A_ATTACH, USBPASS_A_ATTACH_OPTIONAL, 2, "attach.optional"},
		{USBPASS_CMD_ATTACH_NEW, USBPASS_A_ATTACH, USBPASS_A_ATTACH_FOLLOW, 2, "attach.follow"},
		{USBPASS_CMD_ATTACH_NEW, USBPASS_A_ATTACH, USBPASS_A_ATTACH_ENABLED, 2, "attach.enabled"},
	};
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_UID), .uid = -1};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		REFUSED(ERANGE, rows[i].attr, nested(rows[i].cmd, rows[i].nest, rows[i].type, &rows[i].value, 1));
	ASSERT_EQ(0, group_new("g"));
	REFUSED(ERANGE, "attach.uid", attach_new_as("a", "g", &attach));
}

TEST("group and attachment take each reset policy, and an attachment may follow its socket")
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_RESET), .reset = USBPASS_RESET_HUB};
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_FOLLOW) | USBPASS_HAS(USBPASS_A_ATTACH_RESET),
		.follow = USBPASS_FOLLOW_SOCKET, .reset = USBPASS_RESET_HUB}, got;

	ASSERT_EQ(0, usbpass_group_new(h, &group));
	ASSERT_EQ(0, attach_new_as("a", group.name, &attach));
	ASSERT_EQ(0, usbpass_group_get(h, 0, group.name, &group));
	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "a", &got));
	EXPECT_EQ(USBPASS_RESET_HUB, group.reset);
	EXPECT_EQ(USBPASS_RESET_HUB, got.reset);
	EXPECT_EQ(USBPASS_FOLLOW_SOCKET, got.follow);
}

TEST("only claim takes a group, and it must")
{
	static const uint8_t others[] = {USBPASS_ACTION_IGNORE, USBPASS_ACTION_QUARANTINE};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_ACTION)}, got;

	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &any));
	for (size_t i = 0; i < sizeof(others); i++) {
		rule.action = others[i];
		strcpy(rule.group, "g");
		rule.has |= USBPASS_HAS(USBPASS_A_RULE_GROUP);
		REFUSED(EINVAL, "rule.group", usbpass_rule_new(h, &rule));
		rule.has &= ~USBPASS_HAS(USBPASS_A_RULE_GROUP);
		EXPECT_EQ(0, usbpass_rule_new(h, &rule));
		ASSERT_EQ(0, usbpass_rule_get(h, rule.id, NULL, &got));
		EXPECT_EQ(others[i], got.action);
		EXPECT_STR("", got.group);
		usbpass_rule_clear(&got);
		rule.has &= ~(USBPASS_HAS(USBPASS_A_RULE_ID) | USBPASS_HAS(USBPASS_A_RULE_NAME));
	}
	rule.action = USBPASS_ACTION_CLAIM;
	REFUSED(EINVAL, "", usbpass_rule_new(h, &rule));
	usbpass_rule_clear(&rule);
}

TEST("maintenance is on or off, needs to be said which, and tells who changed it")
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_MAINTENANCE_SET, 0);
	struct usbpass_event ev = {};
	struct usbpass_info info;

	REFUSED(EINVAL, "", call(msg));
	msg = usbpass_message_new(h, USBPASS_CMD_MAINTENANCE_SET, 0);
	nla_put_u8(msg, USBPASS_A_MAINTENANCE, 2);
	REFUSED(ERANGE, "", call(msg));
	msg = usbpass_message_new(h, USBPASS_CMD_MAINTENANCE_SET, 0);
	nla_put_u8(msg, USBPASS_A_MAINTENANCE, 1);
	nla_put_u32(msg, USBPASS_A_FLAGS, USBPASS_F_REVOKE);
	REFUSED(EINVAL, "", call(msg));
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_EQ(-EPERM, usbpass_maintenance_set(h, true));
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, usbpass_info_get(h, &info));
	EXPECT_EQ(0, info.maintenance);
	ASSERT_EQ(0, usbpass_event_subscribe(h, NULL, 0));
	/* Twice is once. */
	for (int on = 1; on >= 0; on--) {
		EXPECT_EQ(0, usbpass_maintenance_set(h, on));
		EXPECT_EQ(0, usbpass_maintenance_set(h, on));
		ASSERT_EQ(0, usbpass_info_get(h, &info));
		EXPECT_EQ(on, info.maintenance);
		ASSERT_EQ(0, usbpass_event_next(h, &ev, 5000));
		EXPECT_EQ(on ? USBPASS_EVENT_MAINTENANCE_ON : USBPASS_EVENT_MAINTENANCE_OFF, ev.type);
		EXPECT_EQ(getpid(), (int)ev.pid);
		EXPECT_EQ(0, ev.uid);
	}
	EXPECT_EQ(-EAGAIN, usbpass_event_next(h, &ev, 0));
}

TEST("an operator that a field does not take is EINVAL")
{
	struct usbpass_cond number = {.field = USBPASS_FIELD_VENDOR}, class = {.field = USBPASS_FIELD_INTERFACE_CLASS, .mask = 0xff0000};
	struct usbpass_cond removable = {.field = USBPASS_FIELD_REMOVABLE};
	char name[32];

	for (uint8_t op = USBPASS_OP_EQ; op < __USBPASS_OP_MAX; op++) {
		snprintf(name, sizeof(name), "r%u", op);
		number.op = class.op = removable.op = op;
		if (op <= USBPASS_OP_GE)
			EXPECT_EQ(0, rule_new(name, 0, number));
		else
			REFUSED(EINVAL, "rule.match", rule_new(name, 0, number));
		if (op <= USBPASS_OP_NE)
			continue;
		REFUSED(EINVAL, "rule.match", rule_new("class", 0, class));
		REFUSED(EINVAL, "rule.match", rule_new("removable", 0, removable));
	}
}

/* A rule of one condition, as somebody else's compiler may make it. */
static int table_new(uint8_t op, const uint8_t *table, int size)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_RULE_NEW, 0);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_RULE | NLA_F_NESTED), *cond;

	nla_put_u8(msg, USBPASS_A_RULE_ACTION, USBPASS_ACTION_IGNORE);
	cond = nla_nest_start(msg, USBPASS_A_RULE_COND | NLA_F_NESTED);
	nla_put_u8(msg, USBPASS_A_COND_FIELD, USBPASS_FIELD_SERIAL);
	nla_put_u8(msg, USBPASS_A_COND_OP, op);
	nla_put_string(msg, USBPASS_A_COND_STRING, "^A");
	if (table)
		nla_put(msg, USBPASS_A_COND_TABLE, size, table);
	nla_nest_end(msg, cond);
	nla_nest_end(msg, nest);
	return call(msg);
}

TEST("an expression comes with a table that leads nowhere outside of itself")
{
	struct usbpass_cond cond = {.field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_REGEX, .string = "^A(B|C)+$"};
	uint8_t table[USBPASS_TABLE_MAX + 1] = {USBPASS_TABLE_STATES, USBPASS_TABLE_CLASSES};

	EXPECT_EQ(0, rule_new("r", 0, cond));
	EXPECT_EQ(0, table_new(USBPASS_OP_NOT_REGEX, table, USBPASS_TABLE_MAX));
	REFUSED(EINVAL, "rule.match", table_new(USBPASS_OP_REGEX, NULL, 0));
	REFUSED(EINVAL, "rule.match", table_new(USBPASS_OP_GLOB, table, USBPASS_TABLE_MAX));
	EXPECT(table_new(USBPASS_OP_REGEX, table, USBPASS_TABLE_MAX + 1) < 0);
	for (int size = 0; size < USBPASS_TABLE_MAX; size += 1 + size / 7)
		REFUSED(EINVAL, "rule.match", table_new(USBPASS_OP_REGEX, table, size));
	/* Each part has its bound. */
	for (int at = 0; at < USBPASS_TABLE_MAX; at += at < 260 ? 1 : 251) {
		uint8_t was = table[at];

		table[at] = 255;
		REFUSED(EINVAL, "rule.match", table_new(USBPASS_OP_REGEX, table, USBPASS_TABLE_MAX));
		table[at] = was;
	}
	table[0] = 0;
	REFUSED(EINVAL, "rule.match", table_new(USBPASS_OP_REGEX, table, USBPASS_TABLE_MAX));
}

TEST("conditions have the value that their field takes")
{
	struct usbpass_cond number = {.field = USBPASS_FIELD_VENDOR, .number = 0x10000};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_ACTION), .action = USBPASS_ACTION_IGNORE};
	struct usbpass_cond class = {.field = USBPASS_FIELD_DEVICE_CLASS, .number = 0x080000, .mask = 0xff00ff};
	struct nlattr *nest, *cond;
	struct nl_msg *msg;

	REFUSED(ERANGE, "rule.match", rule_new("r", 0, number));
	REFUSED(EINVAL, "rule.match", rule_new("r", 0, class));
	REFUSED(EINVAL, "", usbpass_rule_new(h, &rule));	/* none at all */
	for (int field = USBPASS_FIELD_ANY; field < __USBPASS_FIELD_MAX; field++) {
		bool string = field == USBPASS_FIELD_NODE || (field >= USBPASS_FIELD_VENDOR_NAME && field <= USBPASS_FIELD_SOCKET);

		/* The wrong kind; `any` takes none. */
		msg = usbpass_message_new(h, USBPASS_CMD_RULE_NEW, 0);
		nest = nla_nest_start(msg, USBPASS_A_RULE | NLA_F_NESTED);
		nla_put_u8(msg, USBPASS_A_RULE_ACTION, USBPASS_ACTION_IGNORE);
		cond = nla_nest_start(msg, USBPASS_A_RULE_COND | NLA_F_NESTED);
		nla_put_u8(msg, USBPASS_A_COND_FIELD, field);
		if (string)
			nla_put_u32(msg, USBPASS_A_COND_NUMBER, 1);
		else
			nla_put_string(msg, USBPASS_A_COND_STRING, "1");
		nla_nest_end(msg, cond);
		nla_nest_end(msg, nest);
		REFUSED(EINVAL, "rule.match", call(msg));
	}
}

TEST("a rule has an action, a group with claim only, and 32 conditions at most")
{
	struct usbpass_rule rule = {};
	struct nlattr *nest, *cond;
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_RULE_NEW, 0);

	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &any));
	REFUSED(EINVAL, "", usbpass_rule_new(h, &rule));
	rule.has |= USBPASS_HAS(USBPASS_A_RULE_ACTION);
	rule.action = USBPASS_ACTION_CLAIM;
	REFUSED(EINVAL, "", usbpass_rule_new(h, &rule));
	rule.has |= USBPASS_HAS(USBPASS_A_RULE_GROUP);
	strcpy(rule.group, "nowhere");
	REFUSED(ENOENT, "rule.group", usbpass_rule_new(h, &rule));
	ASSERT_EQ(0, group_new("nowhere"));
	EXPECT_EQ(0, usbpass_rule_new(h, &rule));
	rule.action = USBPASS_ACTION_IGNORE;
	REFUSED(EINVAL, "rule.group", usbpass_rule_new(h, &rule));

	nest = nla_nest_start(msg, USBPASS_A_RULE | NLA_F_NESTED);
	nla_put_u8(msg, USBPASS_A_RULE_ACTION, USBPASS_ACTION_IGNORE);
	for (int i = 0; i <= USBPASS_CONDS_MAX; i++) {
		cond = nla_nest_start(msg, USBPASS_A_RULE_COND | NLA_F_NESTED);
		nla_put_u8(msg, USBPASS_A_COND_FIELD, USBPASS_FIELD_ANY);
		nla_nest_end(msg, cond);
	}
	nla_nest_end(msg, nest);
	REFUSED(ERANGE, "rule", call(msg));
}

TEST("SET leaves what is absent, and its conditions replace all")
{
	struct usbpass_rule set = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_DESCRIPTION), .name = "r"}, rule;
	struct usbpass_cond vendor = {.field = USBPASS_FIELD_VENDOR, .number = 0x1209, .op = USBPASS_OP_NE};

	ASSERT_EQ(0, rule_new("r", -7, any));
	set.description = strdup("line\nand line");
	ASSERT_EQ(0, usbpass_rule_set(h, &set));
	ASSERT_EQ(0, usbpass_rule_get(h, 0, "r", &rule));
	EXPECT_STR("line\nand line", rule.description);
	EXPECT_EQ(-7, rule.priority);
	EXPECT_EQ(1, rule.n_conds);
	EXPECT_EQ(USBPASS_FIELD_ANY, rule.conds[0].field);
	ASSERT_EQ(0, usbpass_rule_add_cond(&set, &vendor));
	ASSERT_EQ(0, usbpass_rule_set(h, &set));
	ASSERT_EQ(0, usbpass_rule_get(h, 0, "r", &rule));
	EXPECT_EQ(1, rule.n_conds);
	EXPECT_EQ(0x1209, rule.conds[0].number);
	EXPECT_EQ(USBPASS_OP_NE, rule.conds[0].op);
}

TEST("rules are listed in match order, in a stage too")
{
	static const char *const order[] = {"first", "second", "third", "last"};
	struct usbpass_rule *list;
	size_t n;

	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, rule_new("last", 5, any));
	ASSERT_EQ(0, rule_new("second", 0, any));
	ASSERT_EQ(0, rule_new("first", INT_MIN, any));
	ASSERT_EQ(0, rule_new("third", 0, any));
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(0, usbpass_rule_list(h, &list, &n));
		ASSERT_EQ(4, n);
		for (int i = 0; i < 4; i++)
			EXPECT_STR(order[i], list[i].name);
		if (!round)
			ASSERT_EQ(0, usbpass_txn_commit(h, 0, NULL));
	}
}

TEST("the largest rules are listed whole")
{
	char string[USBPASS_STRING_MAX + 1] = "";
	struct usbpass_cond cond = {.field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_EQ, .string = string};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_DESCRIPTION),
				    .action = USBPASS_ACTION_IGNORE}, *list;
	size_t n;

	memset(string, 'x', USBPASS_STRING_MAX);
	rule.description = calloc(1, USBPASS_DESCRIPTION_MAX + 1);
	memset(rule.description, 'd', USBPASS_DESCRIPTION_MAX);
	for (int i = 0; i < USBPASS_CONDS_MAX; i++)
		ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	for (int i = 0; i < 5; i++) {
		rule.has &= ~USBPASS_HAS(USBPASS_A_RULE_NAME);
		ASSERT_EQ(0, usbpass_rule_new(h, &rule));
	}
	ASSERT_EQ(0, usbpass_rule_list(h, &list, &n));
	ASSERT_EQ(5, n);
	for (size_t i = 0; i < n; i++)
		EXPECT_EQ(USBPASS_CONDS_MAX, list[i].n_conds);
	EXPECT_EQ(0, usbpass_rule_get(h, list[4].id, NULL, &rule));
	EXPECT_STR(string, rule.conds[31].string);
}

TEST("a group that a rule or an attachment names is EBUSY")
{
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_GROUP),
				    .action = USBPASS_ACTION_CLAIM, .group = "g"};

	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &any));
	rule.conds[0] = (struct usbpass_cond){.field = USBPASS_FIELD_VENDOR, .op = USBPASS_OP_EQ, .number = 1};
	ASSERT_EQ(0, usbpass_rule_new(h, &rule));
	REFUSED(EBUSY, "", usbpass_group_del(h, 0, "g"));
	ASSERT_EQ(0, usbpass_rule_del(h, rule.id, NULL));
	ASSERT_EQ(0, attach_new("a", "g"));
	REFUSED(EBUSY, "", usbpass_group_del(h, 0, "g"));
	ASSERT_EQ(0, usbpass_attachment_del(h, 0, "a", 0));
	EXPECT_EQ(0, usbpass_group_del(h, 0, "g"));
}

static bool node_is(const char *slug, mode_t mode, uid_t uid, gid_t gid)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/usbpass/host/%s", slug);
	return !stat(path, &st) && S_ISCHR(st.st_mode) && (st.st_mode & 07777) == mode && st.st_uid == uid && st.st_gid == gid;
}

TEST("an attachment has a node of its own, with the owner that was asked for")
{
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_UID) | USBPASS_HAS(USBPASS_A_ATTACH_GID),
					    .uid = 1234, .gid = 4321}, set = {};

	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, attach_new("My Key", "g"));
	EXPECT(node_is("my-key", 0600, 0, 0));
	ASSERT_EQ(0, attach_new_as("Other", "g", &attach));
	EXPECT_STR("other", attach.slug);
	EXPECT(node_is("other", 0660, 1234, 4321));
	/* Another slug is another node; another description is not. */
	set.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_SLUG);
	strcpy(set.name, "Other");
	strcpy(set.slug, "moved");
	ASSERT_EQ(0, usbpass_attachment_set(h, &set, 0));
	EXPECT(node_is("moved", 0660, 1234, 4321));
	EXPECT(access("/dev/usbpass/host/other", F_OK));
	set.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_UID);
	set.uid = 99;
	ASSERT_EQ(0, usbpass_attachment_set(h, &set, 0));
	EXPECT(node_is("moved", 0660, 99, 4321));
	ASSERT_EQ(0, usbpass_attachment_del(h, 0, "Other", 0));
	EXPECT(access("/dev/usbpass/host/moved", F_OK));
}

static void read_for_ever(const char *path, const char *expected)
{
	char text[512];
	ssize_t n;
	int fd;

	if (setuid(65534))
		_exit(2);
	for (;;) {
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		if (!strstr(text, expected))
			_exit(1);
	}
}

TEST("anybody may read a node's uevent while its attachment changes")
{
	struct usbpass_attachment set = {
		.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_OPTIONAL), .name = "key"}, seen;
	char path[64];
	pid_t child;
	int status;

	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, attach_new("key", "g"));
	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "key", &seen));
	snprintf(path, sizeof(path), "/sys/class/usbpass/slot%u/uevent", seen.slot);
	child = fork();
	if (!child)
		read_for_ever(path, "DEVNAME=usbpass/host/key\n");
	for (int i = 0; i < 300; i++) {
		set.optional = i & 1;
		EXPECT_EQ(0, usbpass_attachment_set(h, &set, 0));
	}
	EXPECT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT(WIFSIGNALED(status));
}

TEST("two attachments exchange their nodes in one transaction")
{
	struct usbpass_attachment set = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_SLUG)}, seen;
	static const char *const steps[][2] = {{"a", "x"}, {"b", "a"}, {"a", "b"}};

	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, attach_new("a", "g"));
	ASSERT_EQ(0, attach_new("b", "g"));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	for (int i = 0; i < 3; i++) {
		strcpy(set.name, steps[i][0]);
		strcpy(set.slug, steps[i][1]);
		ASSERT_EQ(0, usbpass_attachment_set(h, &set, 0));
	}
	ASSERT_EQ(0, usbpass_txn_commit(h, 0, NULL));
	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "a", &seen));
	EXPECT_STR("b", seen.slug);
	EXPECT(node_is("a", 0600, 0, 0));
	EXPECT(node_is("b", 0600, 0, 0));
	EXPECT(access("/dev/usbpass/host/x", F_OK));
}

TEST("slugs are checked, and a clash is EEXIST")
{
	static const char *const bad[] = {"", ".", "..", "A", "a b", "a/b", "\xc3\xbc"};
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_SLUG)};

	ASSERT_EQ(0, group_new("g"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		strcpy(attach.slug, bad[i]);
		REFUSED(EINVAL, "attach.slug", attach_new_as("a", "g", &attach));
	}
	ASSERT_EQ(0, attach_new("A key", "g"));
	strcpy(attach.slug, "a-key");
	REFUSED(EEXIST, "attach.slug", attach_new_as("b", "g", &attach));
	REFUSED(EEXIST, "attach.name", attach_new("a key", "g"));
	REFUSED(ENOENT, "attach.group", attach_new("c", "nowhere"));
}

TEST("ids are not used again")
{
	struct usbpass_group first = {}, second = {};

	ASSERT_EQ(0, usbpass_group_new(h, &first));
	ASSERT_EQ(0, usbpass_group_del(h, first.id, NULL));
	ASSERT_EQ(0, usbpass_group_new(h, &second));
	EXPECT(second.id > first.id);
}

TEST("a stage is its socket's alone, until it is committed")
{
	struct usbpass_group group;
	struct usbpass *other;

	ASSERT_EQ(0, usbpass_open(&other));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, group_new("g"));
	EXPECT_EQ(0, usbpass_group_get(h, 0, "g", &group));
	EXPECT_EQ(-ENOENT, usbpass_group_get(other, 0, "g", &group));
	REFUSED(EALREADY, "", usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, usbpass_txn_abort(h));
	EXPECT_EQ(-ENOENT, usbpass_group_get(h, 0, "g", &group));
	REFUSED(ENOENT, "", usbpass_txn_abort(h));
	REFUSED(ENOENT, "", usbpass_txn_commit(h, 0, NULL));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, usbpass_txn_commit(h, 0, NULL));
	EXPECT_EQ(0, usbpass_group_get(other, 0, "g", &group));
}

TEST("of two stages of one generation the second to commit is ESTALE, and changes nothing")
{
	struct usbpass_info info;
	struct usbpass_group group;
	struct usbpass *other;
	uint64_t old;

	ASSERT_EQ(0, usbpass_open(&other));
	ASSERT_EQ(0, usbpass_info_get(h, &info));
	old = info.generation;
	ASSERT_EQ(0, usbpass_txn_begin(h, &old, 0));
	ASSERT_EQ(0, group_new("mine"));
	ASSERT_EQ(0, usbpass_txn_begin(other, NULL, 0));
	ASSERT_EQ(0, usbpass_txn_commit(other, 0, NULL));
	REFUSED(ESTALE, "", usbpass_txn_commit(h, 0, NULL));
	EXPECT_EQ(-ENOENT, usbpass_group_get(other, 0, "mine", &group));
	ASSERT_EQ(0, usbpass_txn_abort(h));
	REFUSED(ESTALE, "", usbpass_txn_begin(h, &old, 0));
}

TEST("REPLACE keeps id and slot of what has the same name, and drops the rest")
{
	struct usbpass_attachment before, after;
	struct usbpass_rule rule_before, rule_after;
	struct usbpass_group group_before, group_after;

	ASSERT_EQ(0, group_new("other"));
	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, rule_new("r", 0, any));
	ASSERT_EQ(0, attach_new("b", "g"));
	ASSERT_EQ(0, attach_new("a", "g"));
	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "a", &before));
	ASSERT_EQ(0, usbpass_rule_get(h, 0, "r", &rule_before));
	ASSERT_EQ(0, usbpass_group_get(h, 0, "g", &group_before));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	EXPECT_EQ(-ENOENT, usbpass_group_get(h, 0, "g", &group_after));
	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, rule_new("r", 9, any));
	ASSERT_EQ(0, attach_new("a", "g"));
	ASSERT_EQ(0, usbpass_txn_commit(h, 0, NULL));
	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "a", &after));
	ASSERT_EQ(0, usbpass_rule_get(h, 0, "r", &rule_after));
	ASSERT_EQ(0, usbpass_group_get(h, 0, "g", &group_after));
	EXPECT_EQ(before.id, after.id);
	EXPECT_EQ(before.slot, after.slot);
	EXPECT_EQ(rule_before.id, rule_after.id);
	EXPECT_EQ(9, rule_after.priority);
	EXPECT_EQ(group_before.id, group_after.id);
	EXPECT_EQ(-ENOENT, usbpass_attachment_get(h, 0, "b", &after));
	EXPECT_EQ(-ENOENT, usbpass_group_get(h, 0, "other", &group_after));
	EXPECT(access("/dev/usbpass/host/b", F_OK));
}

TEST("a stage holds 64 MiB of messages, then ENOBUFS")
{
	char string[USBPASS_STRING_MAX + 1] = "";
	struct usbpass_cond cond = {.field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_EQ, .string = string};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_ACTION), .action = USBPASS_ACTION_IGNORE};
	int ret, n = 0;

	memset(string, 'x', USBPASS_STRING_MAX);
	for (int i = 0; i < USBPASS_CONDS_MAX; i++)
		ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	do {
		rule.has &= ~USBPASS_HAS(USBPASS_A_RULE_NAME);
		ret = usbpass_rule_new(h, &rule);
	} while (!ret && ++n < 10000);
	REFUSED(ENOBUFS, "", ret);
	EXPECT_GE(n, USBPASS_STAGE_BYTES_MAX / 16384);
	EXPECT_LE(n, USBPASS_STAGE_BYTES_MAX / 12000);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

struct asker {
	struct usbpass *h;
	atomic_bool asked, over;
	double longest;		/* seconds until an answer */
};

static void *ask(void *data)
{
	struct asker *asker = data;
	struct usbpass_info info;

	while (!atomic_load(&asker->over)) {
		double start = seconds(), took;

		ASSERT_EQ(0, usbpass_info_get(asker->h, &info));
		took = seconds() - start;
		if (took > asker->longest)
			asker->longest = took;
		atomic_store(&asker->asked, true);
	}
	return NULL;
}

TEST("while a large stage is thrown away, others get their answers")
{
	struct usbpass_cond cond = {.field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_EQ, .string = (char *)"x"};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_ACTION), .action = USBPASS_ACTION_IGNORE};
	struct asker asker = {};
	pthread_t thread;
	double took;

	for (int i = 0; i < USBPASS_CONDS_MAX; i++)
		ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	ASSERT_EQ(0, usbpass_open(&asker.h));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	for (int i = 0; i < (tap_slower() > 1 ? 1000 : 8000); i++) {
		rule.has &= ~USBPASS_HAS(USBPASS_A_RULE_NAME);
		ASSERT_EQ(0, usbpass_rule_new(h, &rule));
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, ask, &asker));
	while (!atomic_load(&asker.asked))
		sched_yield();
	took = seconds();
	ASSERT_EQ(0, usbpass_txn_abort(h));
	took = seconds() - took;
	atomic_store(&asker.over, true);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	TAP_SAY("thrown away in %.0f ms; the longest that another waited: %.0f ms", took * 1e3, asker.longest * 1e3);
	/* Two share a processor, and the machine with others. In microseconds: the comparison is of whole numbers. */
	EXPECT_LE(asker.longest * 1e6, took * 1e6 * 3 / 4);
}

TEST("4,096 groups and attachments, then ENOSPC")
{
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_GROUP), .group = "group1"};
	struct usbpass_group group = {};

	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	for (int i = 0; i < USBPASS_GROUPS_MAX; i++) {
		group.has = 0;
		ASSERT_EQ(0, usbpass_group_new(h, &group));
	}
	group.has = 0;
	REFUSED(ENOSPC, "", usbpass_group_new(h, &group));
	for (int i = 0; i < USBPASS_SLOTS_MAX; i++) {
		attach.has = USBPASS_HAS(USBPASS_A_ATTACH_GROUP);
		ASSERT_EQ(0, usbpass_attachment_new(h, &attach));
	}
	attach.has = USBPASS_HAS(USBPASS_A_ATTACH_GROUP);
	REFUSED(ENOSPC, "", usbpass_attachment_new(h, &attach));
}

/* Emulated, a message takes a millisecond and more: all of them are for long runs. */
TEST("many rules are staged, committed, listed and removed in a time that grows with their number only")
{
	const int many = tap_long() ? USBPASS_RULES_MAX : tap_slower() > 1 ? 2048 : 16384;
	struct usbpass_cond cond = {.field = USBPASS_FIELD_VENDOR};
	double start = seconds(), staged, committed, listed;
	struct usbpass_rule *list;
	char name[32];
	size_t n;

	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	for (int i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		cond.number = i & 0xffff;
		ASSERT_EQ(0, rule_new(name, i & 7, cond));
	}
	if (many == USBPASS_RULES_MAX)
		REFUSED(ENOSPC, "", rule_new("more", 0, cond));
	staged = seconds();
	ASSERT_EQ(0, usbpass_txn_commit(h, 0, NULL));
	committed = seconds();
	ASSERT_EQ(0, usbpass_rule_list(h, &list, &n));
	EXPECT_EQ(many, n);
	listed = seconds();
	empty();
	TAP_SAY("staged in %.1f s, committed in %.1f s, listed in %.1f s, removed in %.1f s", staged - start, committed - staged,
		listed - committed, seconds() - listed);
	EXPECT_LE(committed - staged, 10);
}

TEST("the last of many rules is refused: nothing has changed, and the transaction is dropped")
{
	const int many = tap_long() ? 100000 : 2048;
	struct usbpass_cond cond = {.field = USBPASS_FIELD_VENDOR};
	struct usbpass_info before, after;
	char name[32];

	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, rule_new("r", 0, any));
	ASSERT_EQ(0, usbpass_info_get(h, &before));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	for (int i = 1; i < many; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		cond.number = i & 0xffff;
		ASSERT_EQ(0, rule_new(name, 0, cond));
	}
	cond.number = 0x10000;
	REFUSED(ERANGE, "rule.match", rule_new("last", 0, cond));
	ASSERT_EQ(0, usbpass_txn_abort(h));
	ASSERT_EQ(0, usbpass_info_get(h, &after));
	EXPECT_EQ(before.generation, after.generation);
	EXPECT_EQ(1, after.rules);
	EXPECT_EQ(1, after.groups);
}

TEST("a commit is told to subscribers, with its generation, who did it, and a number without gaps")
{
	struct usbpass_event event;
	struct usbpass_info info;
	uint64_t last = 0;

	ASSERT_EQ(0, usbpass_event_subscribe(h, NULL, 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, usbpass_group_new(h, &(struct usbpass_group){}));
		ASSERT_EQ(0, usbpass_info_get(h, &info));
		ASSERT_EQ(0, usbpass_event_next(h, &event, 10000));
		EXPECT_EQ(USBPASS_EVENT_COMMIT, event.type);
		EXPECT_EQ(info.generation, event.generation);
		EXPECT_EQ(getpid(), event.pid);
		EXPECT(!last || event.seq == last + 1);
		EXPECT_EQ(0, event.lost);
		last = event.seq;
	}
	EXPECT_EQ(info.event_seq, last);
}

static int subscribe(struct usbpass *who)
{
	return usbpass_message_call(who, who->calls, usbpass_message_new(who, USBPASS_CMD_SUBSCRIBE, 0), NULL, NULL);
}

TEST("a socket subscribes once, 16 do, and a closed one makes room")
{
	struct usbpass *more[USBPASS_SUBSCRIBERS_MAX + 1];

	for (int i = 0; i <= USBPASS_SUBSCRIBERS_MAX; i++)
		ASSERT_EQ(0, usbpass_open(&more[i]));
	for (int i = 0; i < USBPASS_SUBSCRIBERS_MAX; i++)
		ASSERT_EQ(0, subscribe(more[i]));
	EXPECT_EQ(-EALREADY, subscribe(more[0]));
	EXPECT_EQ(-ENOSPC, subscribe(more[USBPASS_SUBSCRIBERS_MAX]));
	usbpass_close(more[3]);
	EXPECT_EQ(0, subscribe(more[USBPASS_SUBSCRIBERS_MAX]));
}

TEST("the events kept are listed, and a subscriber is told of those lost")
{
	struct usbpass_event *list, event;
	struct usbpass_info info;
	uint64_t since = 0;
	size_t n;

	/* Each group is a commit, which is an event. */
	do {
		ASSERT_EQ(0, usbpass_group_new(h, &(struct usbpass_group){}));
		ASSERT_EQ(0, usbpass_info_get(h, &info));
	} while (info.event_seq < USBPASS_EVENTS_KEPT + 10);
	ASSERT_EQ(0, usbpass_event_list(h, &since, &list, &n));
	ASSERT_EQ(USBPASS_EVENTS_KEPT, n);
	EXPECT_EQ(info.event_seq - USBPASS_EVENTS_KEPT, list[0].lost);
	for (size_t i = 0; i < n; i++)
		ASSERT_EQ(info.event_seq - USBPASS_EVENTS_KEPT + 1 + i, list[i].seq);
	ASSERT_EQ(0, usbpass_event_subscribe(h, &since, 0));
	ASSERT_EQ(0, usbpass_event_next(h, &event, 10000));
	EXPECT_EQ(list[0].seq, event.seq);
	EXPECT_EQ(list[0].lost, event.lost);
}

/* What waits in the socket, in bytes of the kernel's memory. */
static uint32_t waiting(struct nl_sock *sk)
{
	uint32_t info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	ASSERT_EQ(0, getsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_MEMINFO, info, &len));
	return info[SK_MEMINFO_RMEM_ALLOC];
}

TEST("a socket full of events still gets the answers to what it asks")
{
	uint64_t since = 0;
	unsigned int same = 0;
	struct usbpass_info info;
	struct nl_msg *msg;

	do {
		ASSERT_EQ(0, usbpass_group_new(h, &(struct usbpass_group){}));
		ASSERT_EQ(0, usbpass_info_get(h, &info));
	} while (info.event_seq < USBPASS_EVENTS_KEPT);
	/* SUBSCRIBE's own comes behind the first of them. */
	ASSERT_EQ(0, usbpass_event_subscribe(h, &since, 0));
	/* Until no more come: a full socket is looked at again each 100 ms. */
	for (uint32_t last = 0; same < 5; last = waiting(h->events)) {
		usleep(100000);
		same = last && last == waiting(h->events) ? same + 1 : 0;
	}
	msg = usbpass_message_new(h, USBPASS_CMD_INFO, 0);
	EXPECT_EQ(0, usbpass_message_call(h, h->events, msg, NULL, NULL));
}

TEST("a subscriber that names a number to come is served from now on")
{
	uint64_t since = UINT64_MAX;
	struct usbpass_event event;

	ASSERT_EQ(0, usbpass_event_subscribe(h, &since, 0));
	ASSERT_EQ(0, usbpass_group_new(h, &(struct usbpass_group){}));
	ASSERT_EQ(0, usbpass_event_next(h, &event, 10000));
	EXPECT_EQ(USBPASS_EVENT_COMMIT, event.type);
}

TEST("devices and jobs that are not there are ENODEV and ENOENT")
{
	struct usbpass_device device;
	struct usbpass_event event;
	struct usbpass_rule rule;
	uint32_t id = 4000000000;

	REFUSED(ENODEV, "device.id", usbpass_device_get(h, id, &device));
	REFUSED(ENODEV, "device.id", usbpass_device_claim(h, id, NULL, 0, 0));
	REFUSED(ENODEV, "device.id", usbpass_device_release(h, id, 0, 0));
	REFUSED(ENODEV, "device.id", usbpass_rule_test(h, id, &rule));
	REFUSED(ENOENT, "", usbpass_job_get(h, id, &event));
}

static struct usbpass_learned learned(uint16_t product, const char *serial, int64_t secs)
{
	struct usbpass_learned entry = {.has = USBPASS_HAS(USBPASS_A_LEARNED_VENDOR) | USBPASS_HAS(USBPASS_A_LEARNED_PRODUCT) |
		USBPASS_HAS(USBPASS_A_LEARNED_UNTIL) | USBPASS_HAS(serial ? USBPASS_A_LEARNED_SERIAL : USBPASS_A_LEARNED_SOCKET),
		.vendor = 0x1209, .product = product, .until = time(NULL) + secs};

	snprintf(entry.serial, sizeof(entry.serial), "%s", serial ? serial : "");
	snprintf(entry.socket, sizeof(entry.socket), "%s", serial ? "" : "0000:00:14.0/4");
	return entry;
}

TEST("devices that take resets badly are kept by serial or socket, listed, and forgotten")
{
	struct usbpass_learned by_serial = learned(1, "S\x01", 1000), by_socket = learned(1, NULL, 2000), *list;
	size_t n;

	ASSERT_EQ(0, usbpass_learned_new(h, &by_serial));
	ASSERT_EQ(0, usbpass_learned_new(h, &by_socket));
	by_serial.until += 5;
	ASSERT_EQ(0, usbpass_learned_new(h, &by_serial));
	ASSERT_EQ(0, usbpass_learned_list(h, &list, &n));
	ASSERT_EQ(2, n);
	EXPECT_STR("S\x01", list[0].serial);
	EXPECT_EQ(by_serial.until, list[0].until);
	EXPECT_STR("0000:00:14.0/4", list[1].socket);
	EXPECT_STR("host", list[1].owner);
	ASSERT_EQ(0, usbpass_learned_del(h, &by_serial));
	REFUSED(ENOENT, "learned", usbpass_learned_del(h, &by_serial));
	ASSERT_EQ(0, usbpass_learned_del(h, &by_socket));
	ASSERT_EQ(0, usbpass_learned_list(h, &list, &n));
	EXPECT_EQ(0, n);
}

TEST("what is learned has a device and an end within 30 days, and the one that ends first makes room")
{
	struct usbpass_learned entry = learned(1, "S", -1), *list;
	size_t n;

	REFUSED(EINVAL, "learned.until", usbpass_learned_new(h, &entry));
	entry = learned(1, "S", USBPASS_LEARNED_DAYS * 86400 + 60);
	REFUSED(ERANGE, "learned.until", usbpass_learned_new(h, &entry));
	entry = learned(1, "S", 60);
	entry.has |= USBPASS_HAS(USBPASS_A_LEARNED_SOCKET);
	strcpy(entry.socket, "0000:00:14.0/4");
	REFUSED(EINVAL, "learned", usbpass_learned_new(h, &entry));
	entry = learned(1, "", 60);
	REFUSED(EINVAL, "learned", usbpass_learned_new(h, &entry));
	entry = learned(1, NULL, 60);
	strcpy(entry.socket, "\n");
	REFUSED(EINVAL, "learned.socket", usbpass_learned_new(h, &entry));
	for (int i = 0; i <= USBPASS_LEARNED_MAX; i++) {
		entry = learned(i, "S", i == 5 ? 100 : 1000 + i);
		ASSERT_EQ(0, usbpass_learned_new(h, &entry));
	}
	ASSERT_EQ(0, usbpass_learned_list(h, &list, &n));
	EXPECT_EQ(USBPASS_LEARNED_MAX, n);
	for (size_t i = 0; i < n; i++) {
		EXPECT(list[i].product != 5);
		ASSERT_EQ(0, usbpass_learned_del(h, &list[i]));
	}
}

static int power_done(uint32_t job, int32_t result)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_POWER_DONE, 0);

	ASSERT(!nla_put_u32(msg, USBPASS_A_JOB, job) && !nla_put_s32(msg, USBPASS_A_RESULT, result));
	return call(msg);
}

TEST("power cycles are one socket's, and only it says how they ended")
{
	struct usbpass *other;

	ASSERT_EQ(0, usbpass_open(&other));
	REFUSED(EPERM, "", power_done(1, 0));
	ASSERT_EQ(0, usbpass_event_subscribe(other, NULL, USBPASS_F_POWER));
	REFUSED(EBUSY, "", usbpass_event_subscribe(h, NULL, USBPASS_F_POWER));
	REFUSED(EPERM, "", power_done(1, 0));
	EXPECT_EQ(-ENOENT, usbpass_power_done(other, 1, 0));
	EXPECT_EQ(-ERANGE, usbpass_power_done(other, 1, 1));
	EXPECT_EQ(-ERANGE, power_done(1, -5000));
	usbpass_close(other);
	ASSERT_EQ(0, usbpass_event_subscribe(h, NULL, USBPASS_F_POWER));
}

TEST("a reset of what is not there is ENODEV")
{
	struct usbpass_hit *hits;
	uint32_t job;
	size_t n;

	REFUSED(ENODEV, "device.id", usbpass_device_reset(h, 0xfffffff0, USBPASS_RESET_KIND_DEVICE, 0, &job));
	EXPECT_EQ(-ENODEV, usbpass_device_radius(h, 0xfffffff0, USBPASS_RESET_KIND_DEVICE, &hits, &n));
	EXPECT_EQ(-EINVAL, usbpass_device_reset(h, 1, USBPASS_RESET_KIND_DEVICE, USBPASS_F_REVOKE, &job));
	EXPECT_EQ(-ERANGE, usbpass_device_reset(h, 1, __USBPASS_RESET_KIND_MAX, 0, &job));
}

TEST("the module goes and comes again, with a stage and a subscriber open")
{
	struct usbpass *fresh;

	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, group_new("g"));
	ASSERT_EQ(0, usbpass_event_subscribe(h, NULL, 0));
	ASSERT_EQ(0, system("rmmod usbpass"));
	load();
	ASSERT_EQ(0, usbpass_open(&fresh));
	usbpass_close(h);
	h = fresh;
	EXPECT_EQ(0, group_new("g"));
}

TAP_MAIN
