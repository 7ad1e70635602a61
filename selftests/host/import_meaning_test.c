// SPDX-License-Identifier: GPL-2.0
/*
 * What imported rules mean: random rules of the other systems and random devices, decided here as those systems do, against what
 * the configuration that they become decides. It never lets a device through that they keep back; and where nothing was told, or
 * with exact, it decides the same.
 */
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a
#include "import.h"
#include "rule_text.h"
#include "tap.h"

#define INTERFACES 4
#define SOURCES 400
#define DEVICES 200

static unsigned int seed = 1;

static unsigned int draw(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

static const char *choose(const char *const *words, unsigned int n)
{
	return words[draw(n)];
}

/* Of one configuration, without alternate settings but what twice the same interface is. */
struct device {
	uint32_t vendor, product, release, class;
	char serial[2];
	uint32_t interfaces[INTERFACES];
	unsigned int n;
};

/* Few of each, so that rules and devices meet. */
static const uint32_t classes[] = { 0x030000, 0x030101, 0x030102, 0x030001, 0x080650, 0x0e0100, 0x090000, 0xef0401, 0x080000 };
static const uint32_t device_classes[] = { 0x000000, 0xef0201, 0x030000, 0x080000, 0x090000, 0x0e0000 };

static struct device draw_device(void)
{
	struct device device = {
		.vendor = 0x1000 + draw(2), .product = 0x2000 + draw(2), .release = 0x0100 + draw(2),
		.class = draw(3) ? 0 : device_classes[draw(6)], .serial = { "ab"[draw(2)], '\0' }, .n = 1 + draw(INTERFACES - 1),
	};

	for (unsigned int i = 0; i < device.n; i++)
		device.interfaces[i] = classes[draw(9)];
	return device;
}

/* ---- what the configuration decides ---- */

static bool compare(uint8_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case USBPASS_OP_EQ:
		return a == b;
	case USBPASS_OP_NE:
		return a != b;
	case USBPASS_OP_LT:
		return a < b;
	case USBPASS_OP_LE:
		return a <= b;
	}
	TAP_CHECK(true, false, "operator %u", op);
	return false;
}

static bool interfaces_hold(const struct usbpass_cond *cond, const struct device *device)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < device->n; i++)
		n += compare(cond->op, device->interfaces[i] & cond->mask, cond->number & cond->mask);
	return cond->quantifier == USBPASS_QUANTIFIER_ANY ? n > 0 : cond->quantifier == USBPASS_QUANTIFIER_ALL ? n && n == device->n : !n;
}

static bool cond_holds(const struct usbpass_cond *cond, const struct device *device)
{
	switch (cond->field) {
	case USBPASS_FIELD_ANY:
		return true;
	case USBPASS_FIELD_VENDOR:
		return compare(cond->op, device->vendor, cond->number);
	case USBPASS_FIELD_PRODUCT:
		return compare(cond->op, device->product, cond->number);
	case USBPASS_FIELD_BCD_DEVICE:
		return compare(cond->op, device->release, cond->number);
	case USBPASS_FIELD_SERIAL:
		return compare(cond->op, strcmp(device->serial, cond->string) != 0, 0);
	case USBPASS_FIELD_DEVICE_CLASS:
		return compare(cond->op, device->class & cond->mask, cond->number & cond->mask);
	case USBPASS_FIELD_INTERFACE_CLASS:
		return interfaces_hold(cond, device);
	case USBPASS_FIELD_INTERFACES:
		return compare(cond->op, device->n, cond->number);
	}
	TAP_CHECK(true, false, "field %u", cond->field);
	return false;
}

static int decide(const struct usbpass_state *state, const struct device *device)
{
	for (size_t i = 0; i < state->n_rules; i++) {
		const struct usbpass_rule *rule = &state->rules[i];
		bool holds = true;

		for (size_t k = 0; holds && k < rule->n_conds; k++)
			holds = cond_holds(&rule->conds[k], device);
		if (holds)
			return rule->action;
	}
	return 0;
}

/* ---- filters ---- */

struct filter_rule {
	int vendor, product, release;	/* -1: any */
	uint32_t class, mask;
	bool allow;
};

static struct filter_rule filter[8];
static unsigned int n_filter;

static void draw_filter(bool subclasses)
{
	n_filter = 1 + draw(7);
	for (unsigned int i = 0; i < n_filter; i++) {
		static const uint32_t masks[] = { 0, 0xff0000, 0xff0000, 0xffff00, 0xffffff };
		uint32_t mask = masks[draw(subclasses ? 5 : 3)];

		filter[i] = (struct filter_rule){
			.vendor = draw(3) ? -1 : 0x1000 + (int)draw(2), .product = draw(4) ? -1 : 0x2000 + (int)draw(2),
			.release = draw(5) ? -1 : 0x0100 + (int)draw(2), .mask = mask, .class = classes[draw(9)] & mask, .allow = draw(2),
		};
	}
	/* Most end so. */
	if (draw(3))
		filter[n_filter - 1] = (struct filter_rule){ .vendor = -1, .product = -1, .release = -1, .allow = draw(3) };
}

static bool allows(const struct device *device, uint32_t class)
{
	for (unsigned int i = 0; i < n_filter; i++) {
		const struct filter_rule *rule = &filter[i];

		if ((rule->vendor < 0 || rule->vendor == (int)device->vendor) && (rule->product < 0 || rule->product == (int)device->product) &&
		    (rule->release < 0 || rule->release == (int)device->release) && (class & rule->mask) == rule->class)
			return rule->allow;
	}
	return false;
}

static bool usbredir_allows(const struct device *device)
{
	unsigned int overlooked = 0;

	if (device->class >> 16 != 0x00 && device->class >> 16 != 0xef && !allows(device, device->class))
		return false;
	for (unsigned int i = 0; device->n > 1 && i < device->n; i++)
		overlooked += device->interfaces[i] == 0x030000;
	for (unsigned int i = 0; i < device->n; i++)
		if ((device->interfaces[i] != 0x030000 || device->n == 1 || overlooked == device->n) && !allows(device, device->interfaces[i]))
			return false;
	return true;
}

static bool xenserver_allows(const struct device *device)
{
	if (device->class >> 16 == 0x09)
		return false;
	for (unsigned int i = 0; i < device->n; i++)
		if (device->interfaces[i] >> 16 == 0x09 || !allows(device, device->interfaces[i]))
			return false;
	return device->n > 0;
}

static void print_usbredir(char *text)
{
	for (unsigned int i = 0; i < n_filter; i++) {
		const struct filter_rule *rule = &filter[i];

		text += sprintf(text, "%s%d:%d:%d:%d:%d", i ? "|" : "", rule->mask ? (int)(rule->class >> 16) : -1, rule->vendor, rule->product,
				rule->release, rule->allow);
	}
}

static void print_xenserver(char *text)
{
	for (unsigned int i = 0; i < n_filter; i++) {
		const struct filter_rule *rule = &filter[i];

		text += sprintf(text, "%s:", rule->allow ? "ALLOW" : "DENY");
		if (rule->vendor >= 0)
			text += sprintf(text, " vid=%04x", (unsigned int)rule->vendor);
		if (rule->product >= 0)
			text += sprintf(text, " pid=%04x", (unsigned int)rule->product);
		if (rule->release >= 0)
			text += sprintf(text, " rel=%04x", (unsigned int)rule->release);
		if (rule->mask)
			text += sprintf(text, " class=%02x", rule->class >> 16);
		if (rule->mask & 0xff00)
			text += sprintf(text, " subclass=%02x", rule->class >> 8 & 0xff);
		if (rule->mask & 0xff)
			text += sprintf(text, " prot=%02x", rule->class & 0xff);
		text += sprintf(text, "\n");
	}
}

/* ---- usbguard ---- */

static const char *const guard_operators[] = { "all-of", "one-of", "none-of", "equals", "match-all" };

struct guard_rule {
	bool allow, id, serial, interface;
	unsigned int id_operator, serial_operator, interface_operator, n_ids, n_serials, n_interfaces;
	struct {
		int vendor, product;	/* -1: any */
	} ids[2];
	char serials[2];
	struct {
		uint32_t class, mask;
	} interfaces[3];
};

static struct guard_rule guard[6];
static unsigned int n_guard;

static void draw_guard(void)
{
	n_guard = 1 + draw(5);
	for (unsigned int i = 0; i < n_guard; i++) {
		struct guard_rule *rule = &guard[i];

		*rule = (struct guard_rule){
			.allow = draw(2), .id = draw(2), .serial = !draw(3), .interface = draw(2), .id_operator = draw(5), .serial_operator = draw(5),
			.interface_operator = draw(5), .n_ids = 1 + draw(2), .n_serials = 1 + draw(2), .n_interfaces = 1 + draw(3),
		};
		for (unsigned int k = 0; k < 2; k++) {
			rule->ids[k].vendor = draw(5) ? 0x1000 + (int)draw(2) : -1;
			rule->ids[k].product = rule->ids[k].vendor < 0 || draw(2) ? -1 : 0x2000 + (int)draw(2);
			rule->serials[k] = "ab"[draw(2)];
		}
		for (unsigned int k = 0; k < 3; k++) {
			static const uint32_t masks[] = { 0xff0000, 0xffff00, 0xffffff };

			rule->interfaces[k].mask = masks[draw(3)];
			rule->interfaces[k].class = classes[draw(9)] & rule->interfaces[k].mask;
		}
	}
}

/* @matches: [value][of the device]. */
static bool set_applies(unsigned int operator, unsigned int n, unsigned int of, bool matches[3][INTERFACES])
{
	unsigned int values = 0, covered = 0;

	for (unsigned int i = 0; i < n; i++) {
		bool any = false;

		for (unsigned int k = 0; k < of; k++)
			any = any || matches[i][k];
		values += any;
	}
	for (unsigned int k = 0; k < of; k++) {
		bool any = false;

		for (unsigned int i = 0; i < n; i++)
			any = any || matches[i][k];
		covered += any;
	}
	switch (operator) {
	case 0:
		return values == n;
	case 1:
		return values > 0;
	case 2:
		return values == 0;
	case 3:
		/* Both ways, as its manual has it. */
		return n == of && values == n && covered == of;
	default:
		return covered == of;
	}
}

static bool guard_applies(const struct guard_rule *rule, const struct device *device)
{
	bool matches[3][INTERFACES] = {};

	for (unsigned int i = 0; i < rule->n_ids; i++)
		matches[i][0] = rule->ids[i].vendor < 0 || (rule->ids[i].vendor == (int)device->vendor &&
							    (rule->ids[i].product < 0 || rule->ids[i].product == (int)device->product));
	if (rule->id && !set_applies(rule->id_operator, rule->n_ids, 1, matches))
		return false;
	for (unsigned int i = 0; i < rule->n_serials; i++)
		matches[i][0] = rule->serials[i] == device->serial[0];
	if (rule->serial && !set_applies(rule->serial_operator, rule->n_serials, 1, matches))
		return false;
	for (unsigned int i = 0; i < rule->n_interfaces; i++)
		for (unsigned int k = 0; k < device->n; k++)
			matches[i][k] = (device->interfaces[k] & rule->interfaces[i].mask) == rule->interfaces[i].class;
	return !rule->interface || set_applies(rule->interface_operator, rule->n_interfaces, device->n, matches);
}

static bool guard_allows(const struct device *device)
{
	for (unsigned int i = 0; i < n_guard; i++)
		if (guard_applies(&guard[i], device))
			return guard[i].allow;
	return false;
}

static char *print_hex(char *text, int value)
{
	return text + (value < 0 ? sprintf(text, "*") : sprintf(text, "%04x", (unsigned int)value));
}

static void print_guard(char *text)
{
	for (unsigned int i = 0; i < n_guard; i++) {
		const struct guard_rule *rule = &guard[i];
		static const char *const refusals[] = { "block", "reject" };

		text += sprintf(text, "%s", rule->allow ? "allow" : choose(refusals, 2));
		if (rule->id) {
			text += sprintf(text, " id %s {", guard_operators[rule->id_operator]);
			for (unsigned int k = 0; k < rule->n_ids; k++) {
				text = print_hex(text + sprintf(text, " "), rule->ids[k].vendor);
				text = print_hex(text + sprintf(text, ":"), rule->ids[k].product);
			}
			text += sprintf(text, " }");
		}
		if (rule->serial) {
			text += sprintf(text, " serial %s {", guard_operators[rule->serial_operator]);
			for (unsigned int k = 0; k < rule->n_serials; k++)
				text += sprintf(text, " \"%c\"", rule->serials[k]);
			text += sprintf(text, " }");
		}
		if (rule->interface) {
			text += sprintf(text, " with-interface %s {", guard_operators[rule->interface_operator]);
			for (unsigned int k = 0; k < rule->n_interfaces; k++) {
				uint32_t class = rule->interfaces[k].class, mask = rule->interfaces[k].mask;

				text += sprintf(text, " %02x", class >> 16);
				text += mask & 0xff00 ? sprintf(text, ":%02x", class >> 8 & 0xff) : sprintf(text, ":*");
				text += mask & 0xff ? sprintf(text, ":%02x", class & 0xff) : sprintf(text, ":*");
			}
			text += sprintf(text, " }");
		}
		text += sprintf(text, "\n");
	}
}

/* ---- both together ---- */

/* @through: the action of what is let through. */
static void compare_meanings(usbpass_import_fn *fn, const char *text, bool exact, int through, bool (*reference)(const struct device *),
			     unsigned int *same)
{
	struct usbpass_import_options options = { .exact = exact };
	struct usbpass_import import;
	char err[256];
	int ret = fn(text, strlen(text), &options, &import, err, sizeof(err));

	TAP_CHECK(true, ret == 0, "%d: %s\n%s", ret, err, text);
	TAP_CHECK(true, !exact || usbpass_import_whole(&import), "not whole: %s", text);
	*same += usbpass_import_whole(&import);
	for (unsigned int i = 0; i < DEVICES; i++) {
		struct device device = draw_device();
		bool is = decide(&import.state, &device) == through, should = reference(&device);

		TAP_CHECK(true, is == should || (should && !usbpass_import_whole(&import)),
			  "%s, and should %s: %04x:%04x release %x class %06x, interfaces %u: %06x %06x %06x:\n%s",
			  is ? "gets through" : "does not get through", should ? "get through" : "not", device.vendor, device.product,
			  device.release, device.class, device.n, device.interfaces[0], device.interfaces[1], device.interfaces[2], text);
	}
	usbpass_import_free(&import);
}

static void compare_filters(usbpass_import_fn *fn, void (*print)(char *text), bool subclasses, bool (*reference)(const struct device *))
{
	unsigned int rounds = tap_long() ? SOURCES * 20 : SOURCES, same = 0, exactly = 0;
	char text[2048];

	for (unsigned int i = 0; i < rounds; i++) {
		draw_filter(subclasses);
		print(text);
		compare_meanings(fn, text, false, USBPASS_ACTION_CLAIM, reference, &same);
		if (i % 8 == 0)
			compare_meanings(fn, text, true, USBPASS_ACTION_CLAIM, reference, &exactly);
	}
	TAP_SAY("%u of %u filters are carried over whole", same, rounds);
	EXPECT(same > rounds / 10);
}

TEST("usbredir: what is claimed is what the filter allows")
{
	compare_filters(usbpass_import_usbredir, print_usbredir, false, usbredir_allows);
}

TEST("xenserver: what is claimed is what the policy allows")
{
	compare_filters(usbpass_import_xenserver, print_xenserver, true, xenserver_allows);
}

TEST("usbguard: what the host may use is what the rules allow")
{
	unsigned int rounds = tap_long() ? SOURCES * 50 : SOURCES * 5, same = 0;
	char text[4096];

	for (unsigned int i = 0; i < rounds; i++) {
		draw_guard();
		print_guard(text);
		compare_meanings(usbpass_import_usbguard, text, false, USBPASS_ACTION_IGNORE, guard_allows, &same);
	}
	TAP_SAY("%u of %u lists are carried over whole", same, rounds);
	EXPECT(same > rounds / 10);
}

TAP_MAIN
