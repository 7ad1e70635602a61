// SPDX-License-Identifier: GPL-2.0
/* Objects to netlink attributes and back, and what a malformed message does. */
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a
#include "codec.h"
#include "rule_text.h"
#include "tap.h"

static struct nl_msg *msg;

static struct nlattr *encode(const struct codec *codec, const void *object)
{
	struct nlattr *attr;

	nlmsg_free(msg);
	msg = nlmsg_alloc_size(32768);
	ASSERT(msg && nlmsg_put(msg, 0, 0, 0x20, 0, 0));
	ASSERT_EQ(0, usbpass_codec_encode(msg, codec, object));
	attr = nlmsg_find_attr(nlmsg_hdr(msg), 0, codec->nest);
	ASSERT(attr);
	return attr;
}

TEST("a rule survives the way to the kernel and back")
{
	struct usbpass_rule rule = { .priority = -5, .action = USBPASS_ACTION_CLAIM, .enabled = 0 }, back;
	char err[256], *text;

	strcpy(rule.name, "exapp license key");
	strcpy(rule.group, "keys");
	rule.description = strdup("d");
	rule.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_PRIORITY) | USBPASS_HAS(USBPASS_A_RULE_ACTION) |
		   USBPASS_HAS(USBPASS_A_RULE_GROUP) | USBPASS_HAS(USBPASS_A_RULE_ENABLED) | USBPASS_HAS(USBPASS_A_RULE_DESCRIPTION);
	ASSERT_EQ(0, usbpass_rule_text_parse("vendor = 046d and serial != \"A\" and interface-class none 08:06", &rule, err, sizeof(err)));
	ASSERT_EQ(0, usbpass_codec_decode(encode(&usbpass_codec_rule, &rule), &usbpass_codec_rule, &back));
	EXPECT(rule.has == back.has);
	EXPECT_STR("exapp license key", back.name);
	EXPECT_EQ(-5, back.priority);
	EXPECT_STR("d", back.description);
	EXPECT(usbpass_has(&back, USBPASS_A_RULE_ENABLED) && !back.enabled);
	text = usbpass_rule_text_print(&back);
	EXPECT_STR("vendor = 046d and serial != \"A\" and interface-class none 08:06", text);
}

TEST("the largest rule fits a message")
{
	struct usbpass_rule rule = {}, back;
	char string[USBPASS_STRING_MAX + 1];
	struct usbpass_cond cond = { .field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_EQ, .string = string };

	memset(string, 'x', USBPASS_STRING_MAX);
	string[USBPASS_STRING_MAX] = '\0';
	for (int i = 0; i < USBPASS_CONDS_MAX; i++)
		ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	EXPECT_EQ(-E2BIG, usbpass_rule_add_cond(&rule, &cond));
	ASSERT_EQ(0, usbpass_codec_decode(encode(&usbpass_codec_rule, &rule), &usbpass_codec_rule, &back));
	EXPECT_EQ(USBPASS_CONDS_MAX, back.n_conds);
	EXPECT_STR(string, back.conds[USBPASS_CONDS_MAX - 1].string);
}

TEST("absent, zero and empty differ")
{
	struct usbpass_attachment a = { .has = USBPASS_HAS(USBPASS_A_ATTACH_GID) | USBPASS_HAS(USBPASS_A_ATTACH_VM) }, back;

	ASSERT_EQ(0, usbpass_codec_decode(encode(&usbpass_codec_attachment, &a), &usbpass_codec_attachment, &back));
	EXPECT(usbpass_has(&back, USBPASS_A_ATTACH_GID) && !back.gid);
	EXPECT(usbpass_has(&back, USBPASS_A_ATTACH_VM) && !back.vm[0]);
	EXPECT(!usbpass_has(&back, USBPASS_A_ATTACH_UID));
	EXPECT(!usbpass_has(&back, USBPASS_A_ATTACH_RESET));
}

TEST("what only the kernel says is not sent")
{
	struct usbpass_attachment a = { .has = ~0ULL, .slot = 7, .pid = 8 };
	struct nlattr *nest = encode(&usbpass_codec_attachment, &a);

	EXPECT(!nla_find(nla_data(nest), nla_len(nest), USBPASS_A_ATTACH_SLOT));
	EXPECT(!nla_find(nla_data(nest), nla_len(nest), USBPASS_A_ATTACH_PID));
	EXPECT(nla_find(nla_data(nest), nla_len(nest), USBPASS_A_ATTACH_UID));
}

TEST("an object without fields is still named by its empty nest")
{
	struct usbpass_group group = {};

	EXPECT_EQ(0, nla_len(encode(&usbpass_codec_group, &group)));
}

TEST("a string or number of the wrong length is refused")
{
	struct nlattr *nest;
	struct usbpass_group group;
	char text[USBPASS_NAME_MAX + 3];

	msg = nlmsg_alloc();
	nest = nla_nest_start(msg, USBPASS_A_GROUP);
	nla_put_u8(msg, USBPASS_A_GROUP_ID, 1);
	nla_nest_end(msg, nest);
	EXPECT_EQ(-EBADMSG, usbpass_codec_decode(nest, &usbpass_codec_group, &group));

	msg = nlmsg_alloc();
	memset(text, 'x', sizeof(text));
	nest = nla_nest_start(msg, USBPASS_A_GROUP);
	nla_put(msg, USBPASS_A_GROUP_NAME, sizeof(text), text);
	nla_nest_end(msg, nest);
	EXPECT_EQ(-EBADMSG, usbpass_codec_decode(nest, &usbpass_codec_group, &group));
	EXPECT_EQ(0, group.has);
}

/* A condition of @size bytes of value that are the message's last. */
static int decode_cond(uint8_t field, unsigned int attr, const void *value, size_t size)
{
	struct nlattr *nest, *cond, *alone;
	struct usbpass_rule rule;
	int ret;

	msg = nlmsg_alloc();
	nest = nla_nest_start(msg, USBPASS_A_RULE);
	cond = nla_nest_start(msg, USBPASS_A_RULE_COND);
	nla_put_u8(msg, USBPASS_A_COND_FIELD, field);
	nla_put(msg, attr, size, value);
	nla_nest_end(msg, cond);
	nla_nest_end(msg, nest);
	/* What follows the message in memory must not count: put something there. */
	alone = calloc(1, nest->nla_len + 64);
	ASSERT(alone);
	memset(alone, 'Z', nest->nla_len + 64);
	memcpy(alone, nest, nest->nla_len);
	ret = usbpass_codec_decode(alone, &usbpass_codec_rule, &rule);
	if (!ret && rule.conds[0].string)
		EXPECT_STR("ABCD", rule.conds[0].string);
	free(alone);
	return ret;
}

TEST("a condition is read within its attributes")
{
	EXPECT_EQ(0, decode_cond(USBPASS_FIELD_SERIAL, USBPASS_A_COND_STRING, "ABCD", 4));
	EXPECT_EQ(0, decode_cond(USBPASS_FIELD_SERIAL, USBPASS_A_COND_STRING, "ABCD", 5));
	EXPECT_EQ(0, decode_cond(USBPASS_FIELD_VENDOR, USBPASS_A_COND_NUMBER, "\1\2\0\0", 4));
	EXPECT_EQ(-EBADMSG, decode_cond(USBPASS_FIELD_VENDOR, USBPASS_A_COND_NUMBER, "\1\2", 2));
	EXPECT_EQ(-EBADMSG, decode_cond(USBPASS_FIELD_VENDOR, USBPASS_A_COND_NUMBER, "", 0));
	EXPECT_EQ(-EBADMSG, decode_cond(USBPASS_FIELD_DEVICE_CLASS, USBPASS_A_COND_MASK, "\1\2\3\4\5", 5));
	EXPECT_EQ(-EBADMSG, decode_cond(USBPASS_FIELD_VENDOR, USBPASS_A_COND_OP, "", 0));
}

TEST("a result that is no errno is refused")
{
	static const struct {
		int32_t result;
		int ret;
	} rows[] = { { 0, 0 }, { -1, 0 }, { -4095, 0 }, { -4096, -EBADMSG }, { 1, -EBADMSG }, { INT32_MIN, -EBADMSG } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct usbpass_event event;
		struct nlattr *nest;

		msg = nlmsg_alloc();
		nest = nla_nest_start(msg, USBPASS_A_EVENT);
		nla_put_s32(msg, USBPASS_A_EVENT_RESULT, rows[i].result);
		nla_nest_end(msg, nest);
		EXPECT_EQ(rows[i].ret, usbpass_codec_decode(nest, &usbpass_codec_event, &event));
	}
}

TEST("attributes of a newer module are passed over")
{
	struct nlattr *nest;
	struct usbpass_group group;

	msg = nlmsg_alloc();
	nest = nla_nest_start(msg, USBPASS_A_GROUP);
	nla_put_u32(msg, USBPASS_A_GROUP_MAX + 9, 1);
	nla_put_u32(msg, USBPASS_A_GROUP_ID, 3);
	nla_nest_end(msg, nest);
	EXPECT_EQ(0, usbpass_codec_decode(nest, &usbpass_codec_group, &group));
	EXPECT_EQ(3, group.id);
}

TEST("every word of every enum reads back")
{
	char words[512];

	for (int kind = USBPASS_WORDS_GROUP_TYPE; kind <= USBPASS_WORDS_QUANTIFIER; kind++) {
		int seen = 0;

		for (int i = 0; i < 32; i++) {
			const char *word = usbpass_words_word(kind, i);

			if (strcmp(word, "unknown")) {
				EXPECT_EQ(i, usbpass_words_number(kind, word));
				EXPECT(strstr(usbpass_words_list(kind, words, sizeof(words)), word));
				seen++;
			}
		}
		EXPECT_GE(seen, 1);
		EXPECT_EQ(-1, usbpass_words_number(kind, "no such word"));
	}
}

TAP_MAIN
