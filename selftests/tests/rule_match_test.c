// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a lib/libemu.a
// group: node
// timeout: 400 2000
// What a condition means: the kernel's verdict on random conditions and real devices, against that of a reference which shares
// no code with it: numbers by C's operators, text by the C library. Every operator on every field that takes it.
#include <fnmatch.h>
#include <regex.h>
#include <stdint.h>

#define TAP_SECONDS 200
#include "emu.h"
#include "fuzz.h"
#include "rule_text.h"
#include "tap.h"

#define PAIRS 20000
#define SEEN_LEAST 200		/* of each operator, true and false */
#define DEVICES 6

static struct usbpass *h;
static struct emu *emus[DEVICES];
static struct usbpass_device *devices;
static size_t n_devices;
static char node[256];

static const char *const settings[DEVICES][8] = {
	{"vid=1209", "pid=0001", "serial=A", "manufacturer=Acme", "product=Key One", "bcd=0100"},
	{"vid=1209", "pid=0002", "serial=", "manufacturer=", "product=", "speed=full"},
	{"vid=046d", "pid=c52b", "serial=abcABC", "manufacturer=Logi", "product=Logi [receiver]", "interfaces=4"},
	{"vid=ffff", "pid=ffff", "serial=\303\204\303\244\303\200", "manufacturer=Z\303\274rich*", "product=a?b*c", "device-class=ef:02:01"},
	{"vid=0001", "pid=8000", "serial=aaaaaaaaab", "manufacturer=aaab", "product=abababac", "class=08:06:50"},
	{"preset=storage", "vid=1209", "pid=0003", "serial=0123456789", "manufacturer=a", "product=A"},
};

/* ---- the reference ---- */

static const char *text_of(uint8_t field, const struct usbpass_device *device)
{
	switch (field) {
	case USBPASS_FIELD_NODE:
		return node;
	case USBPASS_FIELD_VENDOR_NAME:
		return device->vendor_name;
	case USBPASS_FIELD_PRODUCT_NAME:
		return device->product_name;
	case USBPASS_FIELD_SERIAL:
		return device->serial;
	default:
		return device->socket;
	}
}

static uint32_t number_of(uint8_t field, const struct usbpass_device *device)
{
	const uint32_t numbers[__USBPASS_FIELD_MAX] = {
		[USBPASS_FIELD_VENDOR] = device->vendor, [USBPASS_FIELD_PRODUCT] = device->product,
		[USBPASS_FIELD_USB_VERSION] = device->bcd_usb, [USBPASS_FIELD_BCD_DEVICE] = device->bcd_device,
		[USBPASS_FIELD_BUS] = device->bus, [USBPASS_FIELD_ADDRESS] = device->address, [USBPASS_FIELD_LEVEL] = device->level,
		[USBPASS_FIELD_SPEED] = device->speed, [USBPASS_FIELD_DEVICE_CLASS] = device->class,
		[USBPASS_FIELD_INTERFACES] = device->interfaces, [USBPASS_FIELD_REMOVABLE] = device->removable,
	};

	return numbers[field];
}

static bool expect_number(uint8_t op, uint32_t have, uint32_t want)
{
	switch (op) {
	case USBPASS_OP_EQ: return have == want;
	case USBPASS_OP_NE: return have != want;
	case USBPASS_OP_LT: return have < want;
	case USBPASS_OP_LE: return have <= want;
	case USBPASS_OP_GT: return have > want;
	default: return have >= want;
	}
}

static bool expect_regex(const char *have, const char *want)
{
	regex_t reference;
	bool found;

	TAP_CHECK(true, !regcomp(&reference, want, REG_EXTENDED | REG_NOSUB), "no expression for regcomp(3): %s", want);
	found = !regexec(&reference, have, 0, NULL, 0);
	regfree(&reference);
	return found;
}

static bool expect_text(uint8_t op, const char *have, const char *want)
{
	size_t have_len = strlen(have), want_len = strlen(want);
	/* The shorter one comes first where it is the other's beginning: the NUL is less than any byte. */
	int order = memcmp(have, want, (have_len < want_len ? have_len : want_len) + 1);

	switch (op) {
	case USBPASS_OP_EQ: return !order;
	case USBPASS_OP_NE: return order;
	case USBPASS_OP_LT: return order < 0;
	case USBPASS_OP_LE: return order <= 0;
	case USBPASS_OP_GT: return order > 0;
	case USBPASS_OP_GE: return order >= 0;
	case USBPASS_OP_BEGINS: return memmem(have, have_len, want, want_len) == have;
	case USBPASS_OP_ENDS: return have_len >= want_len && !memcmp(have + have_len - want_len, want, want_len);
	case USBPASS_OP_CONTAINS: return memmem(have, have_len, want, want_len);
	case USBPASS_OP_ICONTAINS: return strcasestr(have, want);	/* of the C locale: ASCII */
	case USBPASS_OP_GLOB: return !fnmatch(want, have, 0);
	case USBPASS_OP_REGEX: return expect_regex(have, want);
	default: return !expect_text(op - USBPASS_OP_NOT_BEGINS + USBPASS_OP_BEGINS, have, want);
	}
}

static bool expect_interfaces(const struct usbpass_cond *cond, const struct usbpass_device *device)
{
	bool any = false, all = device->n_interface_classes;

	for (size_t i = 0; i < device->n_interface_classes; i++) {
		bool one = expect_number(cond->op, device->interface_classes[i] & cond->mask, cond->number & cond->mask);

		any |= one;
		all &= one;
	}
	return cond->quantifier == USBPASS_QUANTIFIER_ALL ? all : any == (cond->quantifier == USBPASS_QUANTIFIER_ANY);
}

static bool expect(const struct usbpass_cond *cond, const struct usbpass_device *device)
{
	switch (usbpass_rule_text_kind(cond->field)) {
	case USBPASS_KIND_NONE:
		return true;
	case USBPASS_KIND_STRING:
		return expect_text(cond->op, text_of(cond->field, device), cond->string);
	case USBPASS_KIND_CLASS:
		if (cond->field == USBPASS_FIELD_INTERFACE_CLASS)
			return expect_interfaces(cond, device);
		return expect_number(cond->op, device->class & cond->mask, cond->number & cond->mask);
	default:
		return expect_number(cond->op, number_of(cond->field, device), cond->number);
	}
}

/* ---- random conditions, mostly near to what the device has ---- */

static void mutate(struct fuzz *fuzz, char *text)
{
	static const char bytes[] = "aAbBcC019*?[]!-zZ\303\244 ";
	size_t len = strlen(text), at = len ? fuzz_below(fuzz, len) : 0;

	switch (fuzz_below(fuzz, 6)) {
	case 0:		/* its end */
		memmove(text, text + at, len - at + 1);
		break;
	case 1:		/* its beginning */
		text[at] = '\0';
		break;
	case 2:		/* the other case */
		for (size_t i = 0; i < len; i++)
			if ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z')
				text[i] ^= 0x20;
		break;
	case 3:		/* another byte, or one more */
		if (at == len)
			text[len + 1] = '\0';
		text[at] = bytes[fuzz_below(fuzz, sizeof(bytes) - 1)];
		break;
	case 4:		/* a pattern of its end */
		memmove(text + 1, text + at, len - at + 1);
		text[0] = '*';
		break;
	default:	/* and of its beginning */
		text[at] = '*';
		text[at + 1] = '\0';
	}
}

static void random_text(struct fuzz *fuzz, const struct usbpass_cond *cond, const struct usbpass_device *device, char *text)
{
	uint8_t field = cond->field;

	/* Some other of the device's, which mostly does not fit. */
	if (fuzz_once_in(fuzz, 4))
		field = USBPASS_FIELD_VENDOR_NAME + fuzz_below(fuzz, 4);
	strcpy(text, text_of(field, device));
	for (unsigned int times = fuzz_below(fuzz, 4); times; times--)
		mutate(fuzz, text);
	/* A bracket in brackets may begin a class of POSIX's, which fnmatch(3) knows and the kernel does not. */
	for (char *at = text; (at = strstr(at, "[[")); )
		*at = '?';
}

/* A string of the device's, some bytes of which give way to what fits them, or others. */
static void random_regex(struct fuzz *fuzz, const struct usbpass_cond *cond, const struct usbpass_device *device, char *out)
{
	static const char *const pieces[] = {".", ".*", "[a-z]", "[^A-Z]", "[[:alnum:]]+", "a", "1?", "(a|b|Ab)", "[0-9]{2}", "x*", ""};
	char text[2 * USBPASS_STRING_MAX];
	size_t from, to;

	strcpy(text, text_of(cond->field, device));
	from = fuzz_below(fuzz, strlen(text) + 1);
	to = from + fuzz_below(fuzz, strlen(text) - from + 1);
	strcpy(out, fuzz_once_in(fuzz, 3) ? "^" : "");
	for (size_t i = from; i < to && strlen(out) < 60; i++) {
		if (fuzz_once_in(fuzz, 3))
			strcat(out, pieces[fuzz_below(fuzz, sizeof(pieces) / sizeof(*pieces))]);
		else
			sprintf(out + strlen(out), strchr("^.[$()|*+?{\\", text[i]) ? "\\%c" : "%c", text[i]);
	}
	if (fuzz_once_in(fuzz, 3))
		strcat(out, "$");
}

static uint32_t random_number(struct fuzz *fuzz, const struct usbpass_cond *cond, const struct usbpass_device *device)
{
	uint32_t near = number_of(cond->field, device), most = 0xffffffff;

	switch (usbpass_rule_text_kind(cond->field)) {
	case USBPASS_KIND_HEX:
	case USBPASS_KIND_BCD:
		most = 0xffff;
		break;
	case USBPASS_KIND_CLASS:
		most = 0xffffff;
		if (cond->field == USBPASS_FIELD_INTERFACE_CLASS && device->n_interface_classes)
			near = device->interface_classes[fuzz_below(fuzz, device->n_interface_classes)];
		break;
	case USBPASS_KIND_REMOVABLE:
		return fuzz_below(fuzz, USBPASS_REMOVABLE_NO + 1);
	default:
		break;
	}
	switch (fuzz_below(fuzz, 4)) {
	case 0: return near;
	case 1: return near < most ? near + 1 : near;
	case 2: return near ? near - 1 : near;
	default: return fuzz_below(fuzz, most) & (most >> fuzz_below(fuzz, 24));
	}
}

static void random_cond(struct fuzz *fuzz, struct usbpass_cond *cond, const struct usbpass_device *device, char *text)
{
	static const uint32_t masks[] = {0xff0000, 0xffff00, 0xffffff};

	*cond = (struct usbpass_cond){.mask = 0};
	cond->op = 1 + fuzz_below(fuzz, __USBPASS_OP_MAX - 1);
	do {
		cond->field = 1 + fuzz_below(fuzz, __USBPASS_FIELD_MAX - 1);
	} while (!usbpass_rule_text_takes(cond->field, cond->op));
	if (usbpass_rule_text_kind(cond->field) == USBPASS_KIND_STRING) {
		if (usbpass_rule_text_is_regex(cond->op))
			random_regex(fuzz, cond, device, text);
		else
			random_text(fuzz, cond, device, text);
		cond->string = text;
		return;
	}
	if (usbpass_rule_text_kind(cond->field) == USBPASS_KIND_CLASS)
		cond->mask = masks[fuzz_below(fuzz, 3)];
	if (cond->field == USBPASS_FIELD_INTERFACE_CLASS)
		cond->quantifier = fuzz_below(fuzz, __USBPASS_QUANTIFIER_MAX);
	cond->number = random_number(fuzz, cond, device);
}

/* ---- the kernel's ---- */

static void put_rule(const struct usbpass_cond *cond)
{
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME), .name = "probe"};

	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, cond));
	TAP_CHECK(true, !usbpass_rule_set(h, &rule), "refused: %s: %s", usbpass_rule_text_print(&rule), usbpass_error(h));
	usbpass_rule_clear(&rule);
}

static bool verdict(const struct usbpass_device *device)
{
	struct usbpass_rule won;
	bool any;

	ASSERT_EQ(0, usbpass_rule_test(h, device->id, &won));
	any = won.has;
	usbpass_rule_clear(&won);
	return any;
}

static char *say(const struct usbpass_cond *cond)
{
	struct usbpass_rule rule = {};

	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, cond));
	return usbpass_rule_text_print(&rule);
}

/* ---- the world ---- */

static void end(void)
{
	for (int i = 0; i < DEVICES; i++)
		if (emus[i])
			emu_free(emus[i]);
	usbpass_device_list_free(devices, n_devices);
	usbpass_close(h);
	if (system("rmmod usbpass"))
		_exit(TAP_FAIL);
}

static void plug(int i)
{
	emus[i] = emu_new();
	ASSERT(emus[i]);
	for (int k = 0; settings[i][k]; k++)
		ASSERT_EQ(0, emu_command(emus[i], settings[i][k], NULL));
	ASSERT_EQ(0, emu_command(emus[i], "plug", NULL));
	ASSERT_EQ(0, emu_wait(emus[i], "configuration==1", 20000 * tap_slower()));
}

TAP_SETUP
{
	struct usbpass_cond any = {.field = USBPASS_FIELD_ANY};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION), .name = "probe",
				    .action = USBPASS_ACTION_IGNORE};
	struct usbpass_info info;

	/* The runner starts tests in selftests/. */
	ASSERT_EQ(0, system("modprobe vhci_hcd; [ ! -e /sys/module/usbpass ] || rmmod usbpass"));
	ASSERT_EQ(0, system("insmod ${USBPASS_KO:-../usbpass.ko}"));
	tap_defer(end);
	ASSERT_EQ(0, usbpass_open(&h));
	for (int i = 0; i < DEVICES; i++)
		plug(i);
	ASSERT_EQ(0, usbpass_info_get(h, &info));
	strcpy(node, info.node);
	/* Root hubs and what the machine has besides are devices too. */
	ASSERT_EQ(0, usbpass_device_list(h, &devices, &n_devices));
	ASSERT_GE(n_devices, DEVICES);
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &any));
	ASSERT_EQ(0, usbpass_rule_new(h, &rule));
	usbpass_rule_clear(&rule);
}

/* Every operator true and false so often, and on every field that takes it. */
static bool all_seen(unsigned int seen[][2], const uint64_t *fields, unsigned int least)
{
	for (uint8_t op = 1; op < __USBPASS_OP_MAX; op++) {
		if (seen[op][0] < least || seen[op][1] < least)
			return false;
		for (uint8_t field = 1; field < __USBPASS_FIELD_MAX; field++)
			if (usbpass_rule_text_takes(field, op) && !(fields[op] & 1ULL << field))
				return false;
	}
	return true;
}

TEST("every operator means on every field what the reference says, on 20,000 random conditions and devices")
{
	unsigned int pairs = tap_slower() > 1 && !tap_long() ? PAIRS / 10 : PAIRS, n = 0;
	unsigned int seen[__USBPASS_OP_MAX][2] = {};
	uint64_t fields[__USBPASS_OP_MAX] = {};
	struct fuzz fuzz = fuzz_new(fuzz_seed(), 0);

	/* A commit waits for those who read the rules before: each is asked about every device. Luck may want some more. */
	while (n < pairs || (n < 5 * pairs && !all_seen(seen, fields, SEEN_LEAST * pairs / PAIRS))) {
		char text[2 * USBPASS_STRING_MAX];
		struct usbpass_cond cond;

		random_cond(&fuzz, &cond, &devices[fuzz_below(&fuzz, n_devices)], text);
		put_rule(&cond);
		for (size_t i = 0; i < n_devices; i++, n++) {
			const struct usbpass_device *device = &devices[i];
			bool wanted = expect(&cond, device), got = verdict(device);

			TAP_CHECK(true, wanted == got, "%s: %s for %04x:%04x '%s' '%s' '%s' in '%s'", say(&cond),
				  got ? "holds" : "does not hold", device->vendor, device->product, device->vendor_name,
				  device->product_name, device->serial, device->socket);
			seen[cond.op][got]++;
		}
		fields[cond.op] |= 1ULL << cond.field;
	}
	for (uint8_t op = 1; op < __USBPASS_OP_MAX; op++) {
		for (uint8_t field = 1; field < __USBPASS_FIELD_MAX; field++)
			TAP_CHECK(false, !usbpass_rule_text_takes(field, op) || fields[op] & 1ULL << field, "%s was not tried on %s",
				  usbpass_rule_text_op_text(op), usbpass_words_word(USBPASS_WORDS_FIELD, field));
		TAP_CHECK(false, seen[op][0] >= SEEN_LEAST * pairs / PAIRS && seen[op][1] >= SEEN_LEAST * pairs / PAIRS,
			  "%s was false %u times and true %u times", usbpass_rule_text_op_text(op), seen[op][0], seen[op][1]);
	}
	TAP_SAY("figure: verdicts equal to the reference's: %u", n);
}

/* The same device, by what it is. */
static struct usbpass_device described(const struct usbpass_device *device)
{
	struct usbpass_device copy = *device;

	for (uint8_t attr = 1; attr <= USBPASS_A_DEVICE_MAX; attr++)
		if (attr < USBPASS_A_DEVICE_SOCKET || attr > USBPASS_A_DEVICE_INTERFACE_CLASS || attr == USBPASS_A_DEVICE_BUSID)
			copy.has &= ~USBPASS_HAS(attr);
	return copy;
}

/* The number of conditions that hold before the first that does not, by the kernel. */
static unsigned int explained(const struct usbpass_device *device)
{
	struct usbpass_verdict *list;
	unsigned int first;
	size_t n;

	ASSERT_EQ(0, usbpass_rule_explain(h, device, &list, &n));
	ASSERT_EQ(1, n);
	EXPECT((usbpass_verdict_winner(list, n) == list) == list->holds);
	first = list->holds ? list->rule.n_conds : list->failed;
	usbpass_verdict_list_free(list, n);
	return first;
}

TEST("what a rule stumbles over is what the reference says, for present devices and for described ones")
{
	unsigned int rounds = tap_slower() > 1 && !tap_long() ? 60 : 600, seen[4] = {};
	struct fuzz fuzz = fuzz_new(fuzz_seed(), 1);

	while (rounds--) {
		char text[3][2 * USBPASS_STRING_MAX];
		struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME), .name = "probe"};
		const struct usbpass_device *near = &devices[fuzz_below(&fuzz, n_devices)];

		for (unsigned int i = 0; i < 3; i++) {
			struct usbpass_cond cond;

			random_cond(&fuzz, &cond, near, text[i]);
			ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
		}
		ASSERT_EQ(0, usbpass_rule_set(h, &rule));
		for (size_t i = 0; i < n_devices; i++) {
			struct usbpass_device key = {.has = USBPASS_HAS(USBPASS_A_DEVICE_ID), .id = devices[i].id};
			struct usbpass_device copy = described(&devices[i]);
			unsigned int first = 0;

			while (first < rule.n_conds && expect(&rule.conds[first], &devices[i]))
				first++;
			TAP_CHECK(true, explained(&key) == first, "%s: should stumble at %u", usbpass_rule_text_print(&rule), first);
			TAP_CHECK(true, explained(&copy) == first, "%s: should stumble at %u, described", usbpass_rule_text_print(&rule),
				  first);
			EXPECT_EQ(first == rule.n_conds, verdict(&devices[i]));
			seen[first]++;
		}
		usbpass_rule_clear(&rule);
	}
	for (unsigned int i = 0; i < 4; i++)
		EXPECT_GE(seen[i], 20);
}

TEST("the first enabled rule that holds wins, and in a transaction the rules are those of the transaction")
{
	static const struct { const char *name; int priority; uint16_t vendor; uint8_t enabled; } rows[] = {
		{"late", 5, 0x1209, 1}, {"off", -9, 0x1209, 0}, {"other", -5, 0x046d, 1}, {"early", -1, 0x1209, 1},
	};
	struct usbpass_device device = {.has = USBPASS_HAS(USBPASS_A_DEVICE_VENDOR), .vendor = 0x1209};
	struct usbpass_verdict *list;
	struct usbpass_rule won;
	size_t n;

	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct usbpass_cond cond = {.field = USBPASS_FIELD_VENDOR, .op = USBPASS_OP_EQ, .number = rows[i].vendor};
		struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION) |
			USBPASS_HAS(USBPASS_A_RULE_PRIORITY) | USBPASS_HAS(USBPASS_A_RULE_ENABLED), .priority = rows[i].priority,
			.action = USBPASS_ACTION_IGNORE, .enabled = rows[i].enabled};

		strcpy(rule.name, rows[i].name);
		ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
		ASSERT_EQ(0, usbpass_rule_new(h, &rule));
		usbpass_rule_clear(&rule);
	}
	for (int committed = 0; committed < 2; committed++) {
		ASSERT_EQ(0, usbpass_rule_explain(h, &device, &list, &n));
		ASSERT_EQ(4, n);
		EXPECT_STR("off", list[0].rule.name);
		EXPECT_STR("other", list[1].rule.name);
		EXPECT_STR("early", list[2].rule.name);
		EXPECT_STR("late", list[3].rule.name);
		EXPECT(list[0].holds && !list[1].holds && list[2].holds && list[3].holds);
		EXPECT_STR("early", usbpass_verdict_winner(list, n)->rule.name);
		usbpass_verdict_list_free(list, n);
		for (size_t i = 0; i < n_devices; i++) {
			if (devices[i].vendor != 0x1209)
				continue;
			ASSERT_EQ(0, usbpass_rule_test(h, devices[i].id, &won));
			EXPECT_STR("early", won.name);
			usbpass_rule_clear(&won);
		}
		if (!committed)
			ASSERT_EQ(0, usbpass_txn_commit(h, 0, NULL));
	}
}

TEST("a string that a device has not got is empty")
{
	static const struct { uint8_t op; const char *string; bool holds; } rows[] = {
		{USBPASS_OP_EQ, "", true}, {USBPASS_OP_NE, "", false}, {USBPASS_OP_EQ, "A", false}, {USBPASS_OP_NE, "A", true},
		{USBPASS_OP_LT, "A", true}, {USBPASS_OP_GT, "", false}, {USBPASS_OP_BEGINS, "", true}, {USBPASS_OP_GLOB, "*", true},
		{USBPASS_OP_GLOB, "?*", false}, {USBPASS_OP_NOT_CONTAINS, "A", true},
	};
	const struct usbpass_device *device = NULL;

	for (size_t i = 0; i < n_devices; i++)
		if (devices[i].vendor == 0x1209 && devices[i].product == 2)
			device = &devices[i];
	ASSERT(device && !usbpass_has(device, USBPASS_A_DEVICE_SERIAL));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct usbpass_cond cond = {.field = USBPASS_FIELD_SERIAL, .op = rows[i].op, .string = (char *)rows[i].string};

		put_rule(&cond);
		TAP_CHECK(false, verdict(device) == rows[i].holds, "%s", say(&cond));
	}
}

TAP_MAIN
