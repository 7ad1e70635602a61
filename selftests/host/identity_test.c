// SPDX-License-Identifier: GPL-2.0
/* Which device is meant, by which identity a made rule finds it again, and strings of devices on a terminal. */
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a
#include "ambiguous.h"
#include "made.h"
#include "names.h"
#include "rule_text.h"
#include "selector.h"
#include "tap.h"

static struct usbpass_device device(uint32_t id, const char *busid, const char *socket, uint16_t vendor, uint16_t product,
				    const char *serial)
{
	struct usbpass_device made = { .id = id, .vendor = vendor, .product = product };

	strcpy(made.busid, busid);
	strcpy(made.socket, socket);
	if (serial) {
		strcpy(made.serial, serial);
		made.has |= USBPASS_HAS(USBPASS_A_DEVICE_SERIAL);
	}
	return made;
}

static struct usbpass_device list[5];

TAP_SETUP
{
	list[0] = device(1, "1-1", "0000:00:14.0/1", 0x1234, 0x0001, "S1");
	list[1] = device(2, "1-2", "0000:00:14.0/2", 0x1234, 0x0001, "S1");
	list[2] = device(3, "1-4.2", "0000:00:14.0/4.2", 0x1234, 0x0002, "S1");
	list[3] = device(12, "2-1", "0000:00:1d.0/1", 0x5678, 0x0001, NULL);
	list[4] = device(13, "2-2", "0000:00:1d.0/2", 0x9999, 0x0001, "12");
}

static void expect_made_by(size_t i, enum usbpass_made_by by, const char *node, const char *text, const char *why)
{
	struct usbpass_rule rule = {};
	char seen[640], *printed;

	ASSERT_EQ(0, usbpass_made_identity(&list[i], list, 5, by, node, &rule, seen, sizeof(seen)));
	printed = usbpass_rule_text_print(&rule);
	EXPECT_STR(text, printed);
	EXPECT_STR(why, seen);
	free(printed);
	usbpass_rule_clear(&rule);
}

static void expect_made(size_t i, const char *text, const char *why)
{
	expect_made_by(i, USBPASS_MADE_BY_BEST, "here", text, why);
}

TEST("a serial that is unique among its model makes the identity")
{
	expect_made(2, "node = here and vendor = 1234 and product = 0002 and serial = \"S1\"", "serial S1, unique here");
}

TEST("a missing, empty, shared or unprintable serial gives way to the socket")
{
	expect_made(3, "node = here and vendor = 5678 and product = 0001 and socket = 0000:00:1d.0/1",
		    "no serial: socket 0000:00:1d.0/1");
	expect_made(0, "node = here and vendor = 1234 and product = 0001 and socket = 0000:00:14.0/1",
		    "a serial that another device here has too: socket 0000:00:14.0/1");
	strcpy(list[2].serial, "  ");
	expect_made(2, "node = here and vendor = 1234 and product = 0002 and socket = 0000:00:14.0/4.2",
		    "an empty serial: socket 0000:00:14.0/4.2");
	strcpy(list[2].serial, "A\033[31m");
	expect_made(2, "node = here and vendor = 1234 and product = 0002 and socket = 0000:00:14.0/4.2",
		    "a serial that cannot be printed: socket 0000:00:14.0/4.2");
}

TEST("an identity is made as it is asked for, for this node or every one")
{
	expect_made_by(2, USBPASS_MADE_BY_SERIAL, NULL, "vendor = 1234 and product = 0002 and serial = \"S1\"", "serial S1, unique here");
	expect_made_by(2, USBPASS_MADE_BY_SOCKET, "here",
		       "node = here and vendor = 1234 and product = 0002 and socket = 0000:00:14.0/4.2", "as asked: socket 0000:00:14.0/4.2");
	expect_made_by(0, USBPASS_MADE_BY_MODEL, NULL, "vendor = 1234 and product = 0001",
		       "model 1234:0001, of which 2 are here: each is meant");
}

TEST("a serial that was asked for and will not do is refused with the way out")
{
	static const struct { size_t i; const char *why; } rows[] = {{0, "a serial that another device here has too"}, {3, "no serial"}};
	struct usbpass_rule rule = {};
	char why[640];

	for (size_t i = 0; i < 2; i++) {
		EXPECT_EQ(-EINVAL, usbpass_made_identity(&list[rows[i].i], list, 5, USBPASS_MADE_BY_SERIAL, "here", &rule, why, sizeof(why)));
		TAP_CHECK(false, strstr(why, rows[i].why) && strstr(why, "--by socket"), "%s", why);
	}
	EXPECT_EQ(0, rule.n_conds);
}

TEST("a device with neither serial nor socket is refused in words")
{
	struct usbpass_rule rule = {};
	char why[640];

	list[3].socket[0] = '\0';
	EXPECT_EQ(-EINVAL, usbpass_made_identity(&list[3], list, 5, USBPASS_MADE_BY_BEST, "here", &rule, why, sizeof(why)));
	EXPECT(strstr(why, "socket is not known"));
	EXPECT_EQ(0, rule.n_conds);
}

static void expect_found(uint32_t id, const char *text)
{
	const struct usbpass_device *found = NULL;
	char err[2048];

	EXPECT_EQ(0, usbpass_selector_find(text, list, 5, &found, err, sizeof(err)));
	TAP_CHECK(true, found, "%s: %s", text, err);
	EXPECT_EQ(id, found->id);
}

TEST("a device is found by id, bus id, socket, model and serial")
{
	expect_found(3, "#3");
	expect_found(3, "3");
	expect_found(3, "1-4.2");
	expect_found(3, "0000:00:14.0/4.2");
	expect_found(3, "1234:0002");
	strcpy(list[2].serial, "Abc");
	expect_found(3, "Abc");
	expect_found(12, "#12");
}

TEST("what means several devices lists them")
{
	const struct usbpass_device *found;
	char err[2048];

	EXPECT_EQ(-ENOTUNIQ, usbpass_selector_find("1234:0001", list, 5, &found, err, sizeof(err)));
	EXPECT(strstr(err, "\n  #1 or 1-1 or 0000:00:14.0/1 (1234:0001 serial S1)\n"));
	EXPECT(strstr(err, "\n  #2 or 1-2 or 0000:00:14.0/2 (1234:0001 serial S1)"));
	EXPECT(!strstr(err, "#3"));
	EXPECT_EQ(-ENOTUNIQ, usbpass_selector_find("S1", list, 5, &found, err, sizeof(err)));
	/* "12" is one device's id and another's serial: not for us to choose. */
	EXPECT_EQ(-ENOTUNIQ, usbpass_selector_find("12", list, 5, &found, err, sizeof(err)));
	EXPECT(!found);
	EXPECT(strstr(err, "\n  #13 or 2-2 or 0000:00:1d.0/2 (9999:0001 serial 12)"));
	/* A serial of its own is one more way to say which; one that cannot be typed is none. */
	strcpy(list[1].serial, "S2");
	EXPECT_EQ(-ENOTUNIQ, usbpass_selector_find("1234:0001", list, 5, &found, err, sizeof(err)));
	EXPECT(strstr(err, "\n  #2 or 1-2 or 0000:00:14.0/2 or S2 (1234:0001 serial S2)"));
	strcpy(list[1].serial, "\033[2J");
	EXPECT_EQ(-ENOTUNIQ, usbpass_selector_find("1234:0001", list, 5, &found, err, sizeof(err)));
	EXPECT(strstr(err, "\n  #2 or 1-2 or 0000:00:14.0/2 (1234:0001 serial \\x1b[2J)"));
}

/* Made when S1 was unique; then a second one came. */
TEST("a made rule by serial that means several devices is ambiguous, and so is a pin; no other rule is")
{
	struct usbpass_rule rule = { .origin = USBPASS_ORIGIN_MADE, .action = USBPASS_ACTION_CLAIM, .enabled = 1, .name = "r", .group = "g" };
	struct usbpass_attachment pinned = { .has = USBPASS_HAS(USBPASS_A_ATTACH_PIN_SERIAL), .enabled = 1, .name = "a",
					     .pin_vendor = 0x1234, .pin_product = 1, .pin_serial = "S1" };
	struct usbpass_ambiguous ambiguous;
	char err[512];

	ASSERT_EQ(0, usbpass_rule_text_parse("node = here and vendor = 1234 and product = 0001 and serial = S1", &rule, err, sizeof(err)));
	EXPECT(usbpass_ambiguous_rule(&rule, list, 5, "here", &ambiguous));
	EXPECT_EQ(2, ambiguous.n);
	EXPECT_STR("2 devices here have serial S1: #1 (1-1), #2 (1-2)", ambiguous.what);
	EXPECT(strstr(ambiguous.remedy, "usbpass rule del 'r', then usbpass group make 'g'"));
	EXPECT(usbpass_ambiguous_pin(&pinned, list, 5, &ambiguous));
	EXPECT(strstr(ambiguous.remedy, "usbpass attach set 'a' --device"));
	EXPECT(!usbpass_ambiguous_rule(&rule, list + 1, 4, "here", &ambiguous));
	EXPECT_EQ(0, ambiguous.n);
	EXPECT(!usbpass_ambiguous_pin(&pinned, list + 1, 4, &ambiguous));
	EXPECT(!usbpass_ambiguous_rule(&rule, list, 5, "elsewhere", &ambiguous));
	rule.origin = USBPASS_ORIGIN_HAND;
	EXPECT(!usbpass_ambiguous_rule(&rule, list, 5, "here", &ambiguous));
	rule.origin = USBPASS_ORIGIN_MADE;
	rule.enabled = 0;
	EXPECT(!usbpass_ambiguous_rule(&rule, list, 5, "here", &ambiguous));
	rule.enabled = 1;
	ASSERT_EQ(0, usbpass_rule_text_parse("vendor = 1234 and product = 0001", &rule, err, sizeof(err)));
	EXPECT(!usbpass_ambiguous_rule(&rule, list, 5, "here", &ambiguous));
	usbpass_rule_clear(&rule);
}

TEST("what means none says how to name one")
{
	const struct usbpass_device *found;
	char err[2048];

	EXPECT_EQ(-ENOENT, usbpass_selector_find("#99", list, 5, &found, err, sizeof(err)));
	EXPECT(strstr(err, "#99") && strstr(err, "device list"));
	EXPECT_EQ(-ENOENT, usbpass_selector_find("", list, 5, &found, err, sizeof(err)));
	EXPECT_EQ(-ENOENT, usbpass_selector_find("1-4", list, 5, &found, err, sizeof(err)));
	EXPECT_EQ(-ENOENT, usbpass_selector_find("abc", list, 5, &found, err, sizeof(err)));
}

TEST("a device's string does nothing to a terminal")
{
	char out[64];

	EXPECT_STR("a\\x1b[31mb", usbpass_names_quote("a\033[31mb", out, sizeof(out)));
	EXPECT_STR("\\x0d\\x0a\\x07\\x7f", usbpass_names_quote("\r\n\a\177", out, sizeof(out)));
	EXPECT_STR("a\\x5cb", usbpass_names_quote("a\\b", out, sizeof(out)));
	EXPECT_STR("\xc3\xa9", usbpass_names_quote("\xc3\xa9", out, sizeof(out)));
	/* Not UTF-8; overlong; a C1 control; a direction override; a surrogate. */
	EXPECT_STR("\\xff\\xfe", usbpass_names_quote("\xff\xfe", out, sizeof(out)));
	EXPECT_STR("\\xc0\\xaf", usbpass_names_quote("\xc0\xaf", out, sizeof(out)));
	EXPECT_STR("\\xc2\\x9b", usbpass_names_quote("\xc2\x9b", out, sizeof(out)));
	EXPECT_STR("\\xe2\\x80\\xae", usbpass_names_quote("\xe2\x80\xae", out, sizeof(out)));
	EXPECT_STR("\\xed\\xa0\\x80", usbpass_names_quote("\xed\xa0\x80", out, sizeof(out)));
	EXPECT_STR("\\xe2\\x82", usbpass_names_quote("\xe2\x82", out, sizeof(out)));
}

TEST("a quoted string is cut between characters")
{
	char out[6];

	EXPECT_STR("abcde", usbpass_names_quote("abcdef", out, sizeof(out)));
	EXPECT_STR("abcd", usbpass_names_quote("abcd\xc3\xa9", out, sizeof(out)));
	EXPECT_STR("ab", usbpass_names_quote("ab\n", out, sizeof(out)));
}

TAP_MAIN
