// SPDX-License-Identifier: GPL-2.0
/*
 * Other systems' rules as a configuration: what becomes of each, what is told of those that cannot be carried over, and that what
 * comes out never lets more devices through than the source, for random rules and devices.
 */
// libs: libnl-genl-3.0 yaml-0.1
// link: ../userspace/libusbpass.a
#include "import.h"
#include "rule_text.h"
#include "state_yaml.h"
#include "tap.h"

static struct usbpass_import_options options;
static struct usbpass_import import;
static char err[1024];

/* As hot-plug would tell of them: a stick in a slow port, and one of two dongles that are alike. */
static struct usbpass_device devices[] = {
	{ .id = 1, .busid = "1-2", .socket = "0000:00:14.0/2", .bus = 1, .address = 5, .vendor = 0x1050, .product = 0x0011,
	  .serial = "A7", .speed = 480000, .has = USBPASS_HAS(USBPASS_A_DEVICE_SERIAL) },
	{ .id = 2, .busid = "1-3", .socket = "0000:00:14.0/3", .bus = 1, .address = 6, .vendor = 0x0529, .product = 0x0001,
	  .speed = 12000 },
	{ .id = 3, .busid = "2-4", .socket = "0000:00:14.0/4", .bus = 2, .address = 2, .vendor = 0x0529, .product = 0x0001,
	  .speed = 5000000 },
};

static void run_bytes(usbpass_import_fn *fn, const char *text, size_t size, int result)
{
	int ret;

	usbpass_import_free(&import);
	ret = fn(text, size, &options, &import, err, sizeof(err));
	TAP_CHECK(true, ret == result, "gave %d, should give %d: %s", ret, result, err);
}

static void run(usbpass_import_fn *fn, const char *text)
{
	run_bytes(fn, text, strlen(text), 0);
}

static void expect_names(void)
{
	for (size_t i = 0; i < import.state.n_rules; i++)
		for (size_t k = 0; k < i; k++)
			TAP_CHECK(false, strcmp(import.state.rules[i].name, import.state.rules[k].name) != 0, "two rules are called %s",
				  import.state.rules[i].name);
}

/* What came out loads, and is what was saved. */
static void expect_loads(void)
{
	char path[] = "/tmp/usbpass-import.XXXXXX";
	struct usbpass_state back;
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	ASSERT(file);
	EXPECT_EQ(0, usbpass_state_yaml_write(file, &import.state));
	fclose(file);
	TAP_CHECK(false, usbpass_state_load(path, &back, err, sizeof(err)) == 0, "%s", err);
	unlink(path);
	EXPECT_EQ(import.state.n_groups, back.n_groups);
	EXPECT_EQ(import.state.n_rules, back.n_rules);
	EXPECT_EQ(import.state.n_attachments, back.n_attachments);
	for (size_t i = 0; i < back.n_rules; i++) {
		char *a = usbpass_rule_text_print(&import.state.rules[i]), *b = usbpass_rule_text_print(&back.rules[i]);

		EXPECT_STR(a, b);
		EXPECT_STR(import.state.rules[i].name, back.rules[i].name);
		free(a);
		free(b);
	}
	usbpass_state_free(&back);
	expect_names();
}

static const char *action_of(const struct usbpass_rule *rule)
{
	return usbpass_words_word(USBPASS_WORDS_ACTION, rule->action);
}

/* Each "ACTION MATCH", NULL behind the last. */
#define expect_rules(...) check_rules(__LINE__, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })
static void check_rules(int line, const char *const *expected)
{
	size_t n = 0;

	for (; expected[n]; n++) {
		char *text, *whole = NULL;

		TAP_CHECK(true, n < import.state.n_rules, "line %d: %zu rules, and '%s' is missing", line, n, expected[n]);
		text = usbpass_rule_text_print(&import.state.rules[n]);
		ASSERT(asprintf(&whole, "%s %s", action_of(&import.state.rules[n]), text) > 0);
		TAP_CHECK(false, !strcmp(whole, expected[n]), "line %d: rule %zu is '%s', should be '%s'", line, n, whole, expected[n]);
		free(whole);
		free(text);
	}
	TAP_CHECK(false, n == import.state.n_rules, "line %d: %zu rules instead of %zu", line, import.state.n_rules, n);
	expect_loads();
}

/* Each "LINE:COLUMN KIND: WORDS" of which the text has the words; NULL behind the last. */
#define expect_remarks(...) check_remarks(__LINE__, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })
static void check_remarks(int at, const char *const *expected)
{
	size_t n = 0;

	for (; expected[n]; n++) {
		const struct usbpass_import_remark *remark = &import.remarks[n];
		const char *words = strstr(expected[n], ": ") + 2;
		char place[64];

		TAP_CHECK(true, n < import.n_remarks, "line %d: %zu remarks, and '%s' is missing", at, n, expected[n]);
		snprintf(place, sizeof(place), "%u:%u %s: ", remark->line, remark->column, usbpass_import_word(remark->kind));
		TAP_CHECK(false, !strncmp(expected[n], place, strlen(place)) && strstr(remark->text, words),
			  "line %d: remark %zu is '%s%s', should be '%s'", at, n, place, remark->text, expected[n]);
	}
	TAP_CHECK(false, n == import.n_remarks, "line %d: a remark too many: %s", at,
		  n < import.n_remarks ? import.remarks[n].text : "");
}

/* ---- usbguard ---- */

TEST("usbguard: what is allowed is the host's, what is blocked or rejected is in quarantine, as is the rest")
{
	run(usbpass_import_usbguard, "allow 1234:5678\nblock 1234:*\nreject *:* serial \"x\"\n");
	expect_rules("ignore vendor = 1234 and product = 5678", "quarantine vendor = 1234", "quarantine serial = \"x\"",
		     "quarantine any");
	expect_remarks("0:0 note: quarantine");
	EXPECT(usbpass_import_whole(&import));
	EXPECT_EQ(0, import.state.n_groups);
	EXPECT_STR("imported-1", import.state.rules[0].name);
	EXPECT_STR("imported-default", import.state.rules[3].name);
	EXPECT_STR("allow 1234:5678", import.state.rules[0].description);
	options.allow = true;
	run(usbpass_import_usbguard, "block 1234:*\n");
	expect_rules("quarantine vendor = 1234");
	expect_remarks();
}

TEST("usbguard: a rule for everything needs no default, and lines that are none do not count")
{
	run(usbpass_import_usbguard, "# comment\n\n  \t\n  block\t# all\r\n");
	expect_rules("quarantine any");
	expect_remarks();
	EXPECT_EQ(1, import.rules);
	EXPECT_STR("imported-4", import.state.rules[0].name);
}

TEST("usbguard: strings are read with their escapes")
{
	options.allow = true;
	run(usbpass_import_usbguard, "allow name \"a \\\"b\\\" \\\\ \\x1b\\n\" serial \"\xc3\xa9\"\n");
	expect_rules("ignore product-name = \"a \\\"b\\\" \\\\ \\x1b\\x0a\" and serial = \"\xc3\xa9\"");
	run(usbpass_import_usbguard, "allow serial \"\\x00\"\nallow serial \"\\q\"\nallow serial \"\\x1\"\n");
	expect_rules();
	expect_remarks("1:19 left out: not both 0", "2:16 left out: does not escape", "3:17 left out: two hex digits");
}

TEST("usbguard: sets of what a device has one of")
{
	options.allow = true;
	run(usbpass_import_usbguard, "allow id one-of { 1:2 }\n");
	expect_remarks("1:19 left out: four hex digits");
	run(usbpass_import_usbguard, "allow id one-of { 1111:2222 3333:* } serial one-of {\"a\" \"b\"}\n");
	expect_rules("ignore vendor = 1111 and product = 2222 and serial = \"a\"",
		     "ignore vendor = 1111 and product = 2222 and serial = \"b\"", "ignore vendor = 3333 and serial = \"a\"",
		     "ignore vendor = 3333 and serial = \"b\"");
	EXPECT_STR("imported-1.4", import.state.rules[3].name);
	run(usbpass_import_usbguard, "block id none-of { 1234:5678 abcd:* } name none-of { \"a\" \"b\" }\n");
	expect_rules("quarantine vendor != 1234 and vendor != abcd and product-name != \"a\" and product-name != \"b\"",
		     "quarantine product != 5678 and vendor != abcd and product-name != \"a\" and product-name != \"b\"");
	run(usbpass_import_usbguard, "allow name match-all { \"a\" \"b\" }\nallow name all-of { \"a\" }\nallow name { \"a\" \"b\" }\n");
	expect_rules("ignore product-name = \"a\"", "ignore product-name = \"b\"", "ignore product-name = \"a\"");
	expect_remarks("3:1 note: matches nothing");
	EXPECT(usbpass_import_whole(&import));
}

TEST("usbguard: sets of interfaces")
{
	options.allow = true;
	run(usbpass_import_usbguard, "allow with-interface one-of { 03:00:01 03:01:* }\nallow with-interface none-of { 09:*:* 03:01:01 }\n"
				     "allow with-interface all-of { 08:06:50 03:*:* }\nallow with-interface match-all { 03:00:00 03:*:* }\n");
	expect_rules("ignore interface-class any 03:00:01", "ignore interface-class any 03:01",
		     "ignore interface-class none 09 and interface-class none 03:01:01",
		     "ignore interface-class any 08:06:50 and interface-class any 03", "ignore interface-class all 03");
	expect_remarks();
	run(usbpass_import_usbguard, "allow with-interface match-all { 03:*:* 08:*:* }\nblock with-interface match-all { 03:*:* 08:*:* }\n");
	expect_rules("ignore interface-class all 03", "ignore interface-class all 08", "quarantine interface-class any 03",
		     "quarantine interface-class any 08");
	expect_remarks("1:7 stricter: matches fewer", "2:7 stricter: matches more");
}

TEST("usbguard: what equals what counts alternate settings, and is carried over where too much is right")
{
	options.allow = true;
	run(usbpass_import_usbguard, "allow with-interface 08:06:50\nblock with-interface equals { 08:*:* }\n"
				     "reject with-interface { 01:01:00 01:02:00 }\n");
	expect_rules("quarantine interface-class all 08 and interfaces = 1",
		     "quarantine interface-class any 01:01:00 and interface-class any 01:02:00 and interface-class all 01 and interfaces <= 2");
	expect_remarks("1:7 left out: alternate settings", "2:7 stricter: alternate settings", "3:8 stricter: alternate settings");
	EXPECT_EQ(0, import.refusals);
	options.loose = true;
	run(usbpass_import_usbguard, "allow with-interface 08:06:50\n");
	expect_rules("ignore interface-class all 08:06:50 and interfaces = 1");
	expect_remarks("1:7 wider: alternate settings");
	EXPECT(!usbpass_import_whole(&import));
}

TEST("usbguard: hashes and conditions are told, and left out of a rule only on request")
{
	const char *text = "allow 1050:0011 hash \"a\" parent-hash \"b\"\nallow if !random\nblock hash \"c\"\nblock 1:2\n"
			   "block 1050:* if localtime(08:00-12:00)\n";

	options.allow = true;
	run(usbpass_import_usbguard, text);
	expect_rules("quarantine vendor = 1050");
	expect_remarks("1:17 left out: hash \"a\": no rule knows USBGuard's hashes", "2:7 left out: if !random: ",
		       "3:1 left out: left to match", "4:7 left out: not a vendor:product", "5:14 stricter: matches more");
	EXPECT_EQ(2, import.refusals);
	options.loose = true;
	run(usbpass_import_usbguard, text);
	expect_rules("ignore vendor = 1050 and product = 0011", "quarantine vendor = 1050");
	EXPECT_EQ(2, import.counts[USBPASS_IMPORT_WIDER]);
}

TEST("usbguard: conditions that never change are carried over")
{
	options.allow = true;
	run(usbpass_import_usbguard, "allow 1111:* if true\nallow 2222:* if !true\nallow 3333:* if none-of { false !true }\n"
				     "allow 4444:* if { true !false }\n");
	expect_rules("ignore vendor = 1111", "ignore vendor = 3333", "ignore vendor = 4444");
	expect_remarks("2:1 note: nothing");
}

TEST("usbguard: a port becomes the socket of the device that is in it, at its speed, and root hubs are nobody's")
{
	options.allow = true;
	options.devices = devices;
	options.n_devices = 3;
	run(usbpass_import_usbguard, "allow via-port \"1-2\"\nblock via-port none-of { \"2-4\" }\nallow via-port \"1-9\"\n"
				     "allow 1d6b:0002 hash \"x\" via-port \"usb1\"\nblock via-port \"usb2\"\n");
	expect_rules("ignore socket = 0000:00:14.0/2 and speed < 5000", "quarantine socket != 0000:00:14.0/4",
		     "quarantine speed < 5000");
	expect_remarks("3:7 left out: no device is in that port", "4:1 note: nothing", "5:1 left out: hubs");
}

TEST("usbguard: the connect type is not quite what removable says")
{
	options.allow = true;
	run(usbpass_import_usbguard, "allow 1111:* with-connect-type \"hotplug\"\nallow 1111:* with-connect-type none-of { \"hardwired\" }\n"
				     "block 1111:* with-connect-type \"not used\"\nblock 1111:* with-connect-type \"unknown\"\n");
	expect_rules("ignore vendor = 1111 and removable != no", "quarantine vendor = 1111 and removable = no", "quarantine vendor = 1111");
	expect_remarks("1:14 left out: firmware", "2:14 stricter: fewer", "3:14 stricter: more", "4:14 stricter: matches more");
}

TEST("usbguard: what is no rule is told at its column, and a terminal shows it")
{
	options.allow = true;
	run(usbpass_import_usbguard, "permit 1234:5678\nallow 1234:5678 name \"\x1b[31m\nallow id { 1234:5678\nallow id { }\n"
				     "allow name \"a\"serial \"b\"\nallow name \"a\" name \"b\"\nallow 12:*\nallow *:1234\nallow with-interface 03:*:01\n"
				     "allow if random(1\nallow name equals \"a\"\nallow with-interface one-of { 03:00:0001:01:01 }\nmatch 1234:5678\n");
	expect_rules();
	expect_remarks("1:1 left out: neither with allow", "2:22 left out: name \"\\x1b[31m: the quotes do not end", "3:21 left out: do not end",
		       "4:13 left out: empty", "5:15 left out: a blank", "6:16 left out: a second name", "7:7 left out: not a vendor:product",
		       "8:7 left out: a product of no vendor", "9:22 left out: class:subclass", "10:16 left out: parenthesis",
		       "11:19 left out: a brace", "12:39 left out: a blank", "13:1 left out: neither with allow");
}

/* ---- xenserver ---- */

#define HUBS	"ignore device-class = 09", "ignore interface-class any 09", "ignore interfaces = 0"

TEST("xenserver: what is allowed is claimed, unless an interface is denied before")
{
	run(usbpass_import_xenserver, "ALLOW:vid=0658 pid=0200 # stick\n# comment\nDENY: vid=17e9\nDENY: class=02\ndeny: CLASS = 03 subclass=01prot=01\n"
				      "DENY: vid=1111 rel=0210\nALLOW: # all else\nDENY: class=0a\n");
	expect_rules(HUBS, "claim vendor = 0658 and product = 0200", "ignore vendor = 17e9", "ignore interface-class any 02",
		     "ignore interface-class any 03:01:01", "ignore vendor = 1111 and bcd-device = 2.10", "claim any");
	expect_remarks();
	EXPECT_EQ(1, import.state.n_groups);
	EXPECT_STR("imported", import.state.groups[0].name);
	EXPECT_STR("imported", import.state.rules[3].group);
	EXPECT_STR("imported-1", import.state.rules[3].name);
}

TEST("xenserver: an interface that is allowed for a device is denied to it no more")
{
	run(usbpass_import_xenserver, "ALLOW:vid=056a pid=0315 class=03\nDENY: class=03 subclass=01\nDENY: class=0a\nALLOW:\n");
	expect_rules(HUBS, "ignore vendor = 056a and product = 0315 and interface-class any 0a", "claim vendor = 056a and product = 0315",
		     "ignore interface-class any 03:01", "ignore interface-class any 0a", "claim any");
	expect_remarks();
}

TEST("xenserver: what no rule allows is denied")
{
	options.group = "vms";
	options.prefix = "xen";
	run(usbpass_import_xenserver, "ALLOW: class=08\n");
	expect_rules(HUBS, "claim interface-class all 08", "ignore any");
	EXPECT_STR("vms", import.state.groups[0].name);
	EXPECT_STR("xen-default", import.state.rules[3].name);
	run(usbpass_import_xenserver, "");
	expect_rules(HUBS, "ignore any");
}

TEST("xenserver: what a rule cannot say of each interface is stricter, or exact in many rules")
{
	run(usbpass_import_xenserver, "ALLOW: class=08\nALLOW: class=0e\n");
	expect_rules(HUBS, "claim interface-class all 08", "claim interface-class all 0e", "ignore any");
	expect_remarks("0:0 stricter: several of the classes");
	run(usbpass_import_xenserver, "ALLOW: class=03 subclass=00\nDENY: class=03\nALLOW:\n");
	expect_rules(HUBS, "claim interface-class all 03:00", "ignore interface-class any 03", "claim any");
	expect_remarks("2:1 stricter: DENY: class=03: ");
	options.exact = true;
	run(usbpass_import_xenserver, "ALLOW: class=03 subclass=00\nDENY: class=03\nALLOW:\n");
	expect_remarks();
	EXPECT_EQ(3 + 255 + 1, import.state.n_rules);
	expect_loads();
}

TEST("xenserver: what is no rule, or says a subclass of no class, is told at its column")
{
	static const char text[] = "DENY: vid=12 # x\nALLOW vid=1234\nDENY: vid=1234 vid=1234\nDENY:subclass=01\nDENY: foo=01\nPASS:\n"
				   "\x1b[31m\nDENY: vid=1\x00" "23\nDENY: class=03 prot=01\nDENY: vid 1234\n";

	run_bytes(usbpass_import_xenserver, text, sizeof(text) - 1, 0);
	expect_rules(HUBS, "ignore any");
	expect_remarks("1:11 left out: vid takes 4 hex digits", "2:7 left out: a colon", "3:16 left out: twice", "4:1 left out: only with its class",
		       "5:7 left out: neither vid", "6:1 left out: begins", "7:1 left out: \\x1b[31m",
		       "8:1 left out: DENY: vid=1\\x0023: it has a zero byte", "9:1 left out: only with its class",
		       "10:11 left out: equals sign");
	EXPECT_EQ(9, import.refusals);
}

/* ---- usbredir ---- */

TEST("usbredir: the device's class counts as one of an interface")
{
	run(usbpass_import_usbredir, "0x08:-1:-1:-1:0|-1:0x1234:22136:0x0210:1|-1,-1,-1,-1,0\n");
	expect_rules("ignore device-class = 08", "ignore interface-class any 08",
		     "claim vendor = 1234 and product = 5678 and bcd-device = 2.10", "ignore any");
	expect_remarks();
	EXPECT_STR("imported-1.2", import.state.rules[1].name);
	EXPECT_STR("imported-2", import.state.rules[2].name);
	run(usbpass_import_usbredir, "0x03:-1:-1:-1:1");
	expect_rules("claim interface-class all 03 and device-class = 03", "claim interface-class all 03 and device-class = 00",
		     "claim interface-class all 03 and device-class = ef", "ignore any");
	expect_remarks();
}

TEST("usbredir: what it overlooks of HID is stricter, or exact in many rules")
{
	run(usbpass_import_usbredir, "0x03:-1:-1:-1:0|-1:-1:-1:-1:1");
	expect_rules("ignore device-class = 03", "ignore interface-class any 03", "claim any");
	expect_remarks("1:1 stricter: headsets");
	options.exact = true;
	run(usbpass_import_usbredir, "0x03:-1:-1:-1:0|-1:-1:-1:-1:1");
	expect_remarks();
	EXPECT_EQ(3 + 255 + 255 + 1, import.state.n_rules);
}

TEST("usbredir: what is no rule is told at its column; empty ones are none")
{
	options.allow = true;
	run(usbpass_import_usbredir, "||0x08::-1:-1:-1:0|| 1:2 |-1:-1:-1:-1:x|-1:-1:-1:65536:0|256:-1:-1:-1:1|-2:1:1:1:1|1:2:3:4:5:6|99999999999999999999:1:1:1:1|");
	expect_rules("ignore device-class = 08", "ignore interface-class any 08", "claim any");
	expect_remarks("1:22 left out: five fields", "1:39 left out: not a number", "1:50 left out: out of range", "1:58 left out: out of range",
		       "1:73 left out: out of range", "1:94 left out: more than five", "1:96 left out: not a number");
	EXPECT_EQ(7, import.refusals);
}

/* ---- libvirt ---- */

#define DOMAIN(hostdevs)	"<domain type='kvm'>\n<name>win10</name>\n<devices>\n" hostdevs "</devices>\n</domain>\n"
#define HOSTDEV(attributes, source) "<hostdev mode='subsystem' type='usb'><source" attributes ">" source "</source></hostdev>\n"
#define MODEL(vendor, product)	"<vendor id='" vendor "'/><product id='" product "'/>"

static void expect_attachment(size_t i, const char *name, const char *group, const char *vm, int optional, int reset)
{
	const struct usbpass_attachment *attachment = &import.state.attachments[i];

	ASSERT(i < import.state.n_attachments);
	EXPECT_STR(name, attachment->name);
	EXPECT_STR(group, attachment->group);
	EXPECT_STR(vm, attachment->vm);
	EXPECT_EQ(optional, attachment->optional);
	EXPECT_EQ(reset, usbpass_has(attachment, USBPASS_A_ATTACH_RESET) ? attachment->reset : -1);
}

TEST("libvirt: each USB device of a domain is a group, a rule and an attachment")
{
	run(usbpass_import_libvirt, DOMAIN(HOSTDEV(" startupPolicy='optional' guestReset='off'", MODEL("0x046d", "0xc52b"))
					   HOSTDEV(" startupPolicy='requisite' guestReset='on'", MODEL("1133", "01"))
					   "<hostdev mode='subsystem' type='pci'/>\n" HOSTDEV("", MODEL("0x046d", "0xc52b"))));
	expect_rules("claim vendor = 046d and product = c52b", "claim vendor = 046d and product = 0001");
	expect_remarks("6:0 note: no USB device");
	EXPECT_EQ(2, import.state.n_groups);
	ASSERT_EQ(3, import.state.n_attachments);
	expect_attachment(0, "win10 046d:c52b", "win10 046d:c52b", "libvirt:win10", 1, USBPASS_RESET_NONE);
	expect_attachment(1, "win10 046d:0001", "win10 046d:0001", "libvirt:win10", 0, USBPASS_RESET_DEVICE);
	expect_attachment(2, "win10 046d:c52b 2", "win10 046d:c52b", "libvirt:win10", 0, -1);
}

TEST("libvirt: in one group the attachments are for their devices alone")
{
	options.group = "all";
	run(usbpass_import_libvirt, DOMAIN(HOSTDEV("", MODEL("0x1111", "0x2222")) HOSTDEV("", MODEL("0x3333", "0x4444"))));
	ASSERT_EQ(2, import.state.n_attachments);
	EXPECT_EQ(1, import.state.n_groups);
	EXPECT_EQ(0x3333, import.state.attachments[1].pin_vendor);
	EXPECT_EQ(0x4444, import.state.attachments[1].pin_product);
	EXPECT(usbpass_has(&import.state.attachments[1], USBPASS_A_ATTACH_PIN_PRODUCT));
	expect_loads();
}

TEST("libvirt: an address means the device that is there, by its serial or socket")
{
	options.devices = devices;
	options.n_devices = 3;
	run(usbpass_import_libvirt, DOMAIN(HOSTDEV("", "<address bus='1' device='5'/>") HOSTDEV("", MODEL("0x529", "1") "<address bus='0x1' device='6'/>")
					   HOSTDEV("", "<address bus='2' port='4'/>") HOSTDEV("", "<address bus='3' device='3'/>")
					   HOSTDEV("", MODEL("0x1111", "0x2222") "<address bus='1' device='6'/>")));
	expect_rules("claim vendor = 1050 and product = 0011 and serial = \"A7\"", "claim vendor = 0529 and product = 0001 and socket = 0000:00:14.0/3",
		     "claim vendor = 0529 and product = 0001 and socket = 0000:00:14.0/4");
	expect_remarks("4:0 note: is there now", "5:0 note: is there now", "6:0 note: is there now", "7:0 left out: changes from plug to plug",
		       "8:0 left out: changes from plug to plug");
	options.loose = true;
	run(usbpass_import_libvirt, HOSTDEV("", MODEL("0x1111", "0x2222") "<address bus='1' device='6'/>"));
	expect_rules("claim vendor = 1111 and product = 2222");
	expect_remarks("1:0 wider: every device of this vendor");
}

TEST("libvirt: a hostdev alone is of no domain")
{
	run(usbpass_import_libvirt, HOSTDEV(" guestReset='uninitialized'", MODEL("0x1111", "0x2222")));
	expect_remarks("1:0 stricter: uninitialized");
	expect_attachment(0, "1111:2222", "1111:2222", "", 0, USBPASS_RESET_NONE);
}

TEST("libvirt: whatever the domain is called, names are names and a terminal shows them")
{
	run(usbpass_import_libvirt, "<domain><name> a/b&#x9;&#x202e;0123456789012345678901234567890123456789012345678901234567890123456789</name><devices>"
				    HOSTDEV("", MODEL("1", "2")) "</devices></domain>");
	ASSERT_EQ(1, import.state.n_groups);
	EXPECT(!strchr(import.state.groups[0].name, '/'));
	EXPECT(strlen(import.state.groups[0].name) <= USBPASS_NAME_MAX);
	EXPECT(strstr(import.state.groups[0].name, "0001:0002"));
	expect_remarks("1:0 left out: names no VM");
	expect_loads();
}

TEST("libvirt: what is wrong in a device is told")
{
	run(usbpass_import_libvirt, DOMAIN("<hostdev type='usb'/>\n" HOSTDEV("", "") HOSTDEV("", "<vendor id='1'/>") HOSTDEV("", MODEL("x", "1"))
					   HOSTDEV("", MODEL("65536", "-1")) HOSTDEV("", "<vendor/><product id='1'/>") HOSTDEV("", "<address bus='1'/>")
					   HOSTDEV(" startupPolicy='&#x202e;'", MODEL("1", "1")) HOSTDEV(" guestReset='yes'", MODEL("1", "1"))));
	expect_rules();
	expect_remarks("4:0 left out: no <source>", "5:0 left out: neither <vendor>", "6:0 left out: only together", "7:0 left out: id='x' of <vendor>",
		       "8:0 left out: id='65536' of <vendor> is no number up to 65535", "9:0 left out: <vendor> lacks id",
		       "10:0 left out: <address> lacks device", "11:0 left out: startupPolicy='\\xe2\\x80\\xae' is none of",
		       "12:0 left out: guestReset='yes' is none of");
}

TEST("libvirt: documents that are not XML, or not libvirt's, are refused")
{
	run_bytes(usbpass_import_libvirt, "<domain>", 8, -EINVAL);
	EXPECT(strstr(err, "line 1: not XML"));
	run_bytes(usbpass_import_libvirt, "", 0, -EINVAL);
	run_bytes(usbpass_import_libvirt, "<a\x1b/>", 5, -EINVAL);
	run_bytes(usbpass_import_libvirt, "<network/>", 10, -EINVAL);
	EXPECT(strstr(err, "<network>"));
	run_bytes(usbpass_import_libvirt, "<domain/>", 9, -EINVAL);
	EXPECT(strstr(err, "no name"));
}

TEST("libvirt: no document makes it work, read or reach for more than is in it")
{
	static const char bomb[] = "<?xml version='1.0'?>\n<!DOCTYPE d [\n<!ENTITY a 'aaaaaaaaaa'>\n<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>\n"
				   "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>\n]><domain><name>&c;</name></domain>";
	static const char file[] = "<!DOCTYPE d [<!ENTITY f SYSTEM 'file:///etc/hostname'>]><domain><name>&f;</name></domain>";
	char *deep = malloc(7 * 100000 + 1);

	run_bytes(usbpass_import_libvirt, bomb, strlen(bomb), -EINVAL);
	EXPECT(strstr(err, "line 2: it has a document type"));
	run_bytes(usbpass_import_libvirt, file, strlen(file), -EINVAL);
	EXPECT(strstr(err, "document type"));
	ASSERT(deep);
	for (size_t i = 0; i < 100000; i++)
		memcpy(deep + 7 * i, "<domai>", 7);
	run_bytes(usbpass_import_libvirt, deep, 7 * 100000, -EINVAL);
	EXPECT(strstr(err, "not XML"));
	free(deep);
}

/* ---- bounds ---- */

static const struct {
	const char *name;
	usbpass_import_fn *fn;
} formats[] = {
	{ "usbguard", usbpass_import_usbguard }, { "usbredir", usbpass_import_usbredir }, { "xenserver", usbpass_import_xenserver },
	{ "libvirt", usbpass_import_libvirt },
};

TEST("a line of a megabyte, of whatever, is an answer")
{
	static const char *const fillers[] = { "allow id one-of { 1234:5678 ", "1:", "|", "\\", "\"", "{ ", "ALLOW: vid=", "(", "\x1b", "\xff", "#" };
	size_t size = 1 << 20;
	char *text = malloc(size);

	ASSERT(text);
	for (size_t f = 0; f < sizeof(fillers) / sizeof(fillers[0]); f++) {
		for (size_t i = 0; i < size; i++)
			text[i] = fillers[f][i % strlen(fillers[f])];
		for (size_t i = 0; i < 3; i++) {
			int ret;

			usbpass_import_free(&import);
			ret = formats[i].fn(text, size, &options, &import, err, sizeof(err));
			TAP_CHECK(false, ret == 0 || (ret == -E2BIG && err[0]), "%s of %s gave %d: %s", formats[i].name, fillers[f], ret, err);
		}
	}
	free(text);
}

TEST("more rules than usbpass keeps are an error that says so, from source or expansion")
{
	options.max_rules = 3;
	run_bytes(usbpass_import_usbguard, "allow\nallow\nallow\nallow\n", 24, -E2BIG);
	EXPECT(strstr(err, "line 4: the source has more than 3 rules"));
	run_bytes(usbpass_import_usbguard, "allow id one-of { 1111:* 2222:* 3333:* 4444:* }", 47, -E2BIG);
	EXPECT(strstr(err, "line 1: with this line they become more than 3 rules"));
	options.max_rules = 300;
	options.exact = true;
	run_bytes(usbpass_import_usbredir, "3:-1:-1:-1:0|-1:-1:-1:-1:1", 26, -E2BIG);
}

TEST("a rule of more conditions than usbpass takes is left out, with the number")
{
	char text[1024] = "block serial none-of {";

	for (int i = 0; i < USBPASS_CONDS_MAX + 1; i++)
		sprintf(text + strlen(text), " \"%d\"", i);
	strcat(text, " }");
	options.allow = true;
	run(usbpass_import_usbguard, text);
	expect_rules();
	expect_remarks("1:1 left out: more than 32 conditions");
}

TEST("rules that are entangled take bounded time")
{
	size_t size = 0;
	char *text = malloc(1 << 20);

	ASSERT(text);
	for (unsigned int i = 0; i < 1200; i++)
		size += (size_t)sprintf(text + size, i % 3 == 0 ? "ALLOW: vid=%04x class=%02x\n" : i % 3 == 1 ? "ALLOW: pid=%04x class=%02x\n" :
					"ALLOW: rel=%04x class=%02x\n", i / 3, i % 256);
	run_bytes(usbpass_import_xenserver, text, size, -E2BIG);
	EXPECT(strstr(err, "more than 131072 rules"));
	free(text);
}

TAP_MAIN
