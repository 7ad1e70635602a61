// SPDX-License-Identifier: GPL-2.0
/*
 * From a verdict on each interface to rules for devices.
 *
 * The filter is read in order, for one set of devices at a time: a cell, those with certain numbers
 * of vendor, product and release, at first all. What keeps an interface back becomes a rule that
 * ignores devices with any such interface, at once: nothing behind it can let them through. What
 * lets some interfaces through is remembered, as rules cannot say it of an interface: from then on
 * these classes keep no device of the cell back. What lets all through ends the cell with a claim.
 * Where a rule of the filter does so only for a part of the cell, this part becomes a cell of its
 * own, which is read to the end before the rest goes on; so cells are nested three deep at most.
 */
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include "import_private.h"

#define CLASS_HID	0x030000
#define BASE		0xff0000	/* masks: class, class:subclass, class:subclass:protocol */
#define FULL		0xffffff

struct cell {
	bool has[IMPORT_IDS];
	uint16_t id[IMPORT_IDS];
};

struct set {
	uint32_t class, mask;
};

struct walk {
	struct import_filter *filter;
	struct importer *importer;
	struct import_filter_rule rest;	/* what no rule matches */
	struct set *passed;		/* these interfaces keep no device of the cell back */
	size_t n_passed;
};

static const uint8_t fields[IMPORT_IDS] = {
	[IMPORT_VENDOR] = USBPASS_FIELD_VENDOR,
	[IMPORT_PRODUCT] = USBPASS_FIELD_PRODUCT,
	[IMPORT_RELEASE] = USBPASS_FIELD_BCD_DEVICE,
};

bool import_filter_add(struct import_filter *filter, const struct import_filter_rule *rule)
{
	struct importer *importer = filter->importer;

	if (importer->error)
		return false;
	if (filter->n == IMPORT_FILTER_MAX) {
		import_fail(importer, -E2BIG, rule->place.line, "a filter of more than %d rules",
			    IMPORT_FILTER_MAX);
		return false;
	}
	if (!filter->rules)
		filter->rules = calloc(IMPORT_FILTER_MAX, sizeof(*filter->rules));
	if (!filter->rules) {
		import_fail(importer, -ENOMEM, 0, "no memory");
		return false;
	}
	filter->rules[filter->n++] = *rule;
	return true;
}

/* ---- sets of interfaces: two of them are apart, or one holds the other ---- */

static bool holds(struct set outer, struct set inner)
{
	return (outer.mask & inner.mask) == outer.mask &&
	       !((outer.class ^ inner.class) & outer.mask);
}

static bool is_passed(const struct walk *walk, struct set set)
{
	for (size_t i = 0; i < walk->n_passed; i++)
		if (holds(walk->passed[i], set))
			return true;
	return false;
}

/* A part of it is passed. */
static bool is_pierced(const struct walk *walk, struct set set)
{
	for (size_t i = 0; i < walk->n_passed; i++)
		if (holds(set, walk->passed[i]))
			return true;
	return false;
}

/* Is one of those passed that no other one holds? */
static bool is_largest(const struct walk *walk, size_t i)
{
	for (size_t k = 0; k < walk->n_passed; k++)
		if (k != i && holds(walk->passed[k], walk->passed[i]) &&
		    (!holds(walk->passed[i], walk->passed[k]) || k < i))
			return false;
	return true;
}

/* ---- cells ---- */

/* The part of the cell that the rule is about. False: none. */
static bool narrow(const struct cell *cell, const struct import_filter_rule *rule, struct cell *out)
{
	*out = *cell;
	for (int i = 0; i < IMPORT_IDS; i++) {
		if (!rule->has[i])
			continue;
		if (cell->has[i] && cell->id[i] != rule->id[i])
			return false;
		out->has[i] = true;
		out->id[i] = rule->id[i];
	}
	return true;
}

static bool same(const struct cell *a, const struct cell *b)
{
	for (int i = 0; i < IMPORT_IDS; i++)
		if (a->has[i] != b->has[i])
			return false;
	return true;	/* one is a part of the other */
}

static struct import_conds of_cell(const struct cell *cell)
{
	struct import_conds conds = {};

	for (int i = 0; i < IMPORT_IDS; i++)
		if (cell->has[i])
			import_number(&conds, fields[i], USBPASS_OP_EQ, cell->id[i]);
	return conds;
}

/* ---- rules ---- */

static void ignore(struct walk *walk, const struct import_conds *conds,
		   const struct import_filter_rule *rule)
{
	import_rule(walk->importer, &rule->place, USBPASS_ACTION_IGNORE, NULL, conds);
}

static void claim(struct walk *walk, const struct import_conds *conds,
		  const struct import_filter_rule *rule)
{
	import_rule(walk->importer, &rule->place, USBPASS_ACTION_CLAIM,
		    import_group_name(walk->importer), conds);
}

static void ignore_any(struct walk *walk, const struct cell *cell, struct set set,
		       const struct import_filter_rule *rule)
{
	struct import_conds conds = of_cell(cell);

	import_class(&conds, USBPASS_FIELD_INTERFACE_CLASS, USBPASS_QUANTIFIER_ANY, set.class,
		     set.mask);
	ignore(walk, &conds, rule);
}

/* usbredir looks at it unless it says "see interfaces" or "miscellaneous". */
static bool is_looked_at(uint32_t device_class)
{
	return device_class != 0x000000 && device_class != 0xef0000;
}

static void ignore_device_class(struct walk *walk, const struct cell *cell, struct set set,
				const struct import_filter_rule *rule)
{
	struct import_conds conds = of_cell(cell);

	if (!walk->filter->usbredir || set.mask != BASE || !is_looked_at(set.class))
		return;
	import_class(&conds, USBPASS_FIELD_DEVICE_CLASS, 0, set.class, BASE);
	ignore(walk, &conds, rule);
}

static void told_stricter(struct walk *walk, struct import_filter_rule *rule, const char *devices)
{
	if (rule->told)
		return;
	rule->told = true;
	import_remark(walk->importer, USBPASS_IMPORT_STRICTER, &rule->place,
		      "%s are not claimed either, which no single rule can tell apart; --exact writes a rule for each class that is refused",
		      devices);
}

static bool is_usbredir_hid(const struct walk *walk, struct set set)
{
	return walk->filter->usbredir && set.mask == BASE && set.class == CLASS_HID;
}

static void ignore_rest(struct walk *walk, const struct cell *cell, struct set set,
			const struct import_filter_rule *rule);

static void ignore_parts(struct walk *walk, const struct cell *cell, struct set set,
			 const struct import_filter_rule *rule)
{
	uint32_t mask = set.mask >> 8 | BASE, step = mask & ~set.mask & (0 - (mask & ~set.mask));

	for (uint32_t i = 0; i < 256 && !walk->importer->error; i++)
		ignore_rest(walk, cell, (struct set){ set.class + i * step, mask }, rule);
}

/*
 * usbredir overlooks 03:00:00 beside other interfaces. Alone, whatever alternate settings it has, or
 * with nothing but its like, it is looked at.
 */
static void ignore_hid(struct walk *walk, const struct cell *cell, struct set set,
		       const struct import_filter_rule *rule)
{
	struct import_conds lone = of_cell(cell), only = lone;

	import_number(&lone, USBPASS_FIELD_INTERFACES, USBPASS_OP_LT, 2);
	import_class(&lone, USBPASS_FIELD_INTERFACE_CLASS, USBPASS_QUANTIFIER_ANY, set.class,
		     set.mask);
	ignore(walk, &lone, rule);
	import_class(&only, USBPASS_FIELD_INTERFACE_CLASS, USBPASS_QUANTIFIER_ALL, CLASS_HID, FULL);
	ignore(walk, &only, rule);
	walk->passed[walk->n_passed++] = (struct set){ CLASS_HID, FULL };
	ignore_parts(walk, cell, set, rule);
	walk->n_passed--;
}

/* Devices with any interface of the set that is not passed. Nested as deep as a class has bytes. */
// NOLINTNEXTLINE(misc-no-recursion)
static void ignore_rest(struct walk *walk, const struct cell *cell, struct set set,
			const struct import_filter_rule *rule)
{
	if (is_passed(walk, set))
		return;
	ignore_device_class(walk, cell, set, rule);
	if (is_usbredir_hid(walk, set))
		ignore_hid(walk, cell, set, rule);
	else if (is_pierced(walk, set))
		ignore_parts(walk, cell, set, rule);
	else
		ignore_any(walk, cell, set, rule);
}

/* Devices all of whose interfaces are of a set that is passed. */
static void claim_all_of(struct walk *walk, const struct cell *cell, struct set set,
			 const struct import_filter_rule *rule)
{
	const uint32_t device_classes[] = { set.class, 0x000000, 0xef0000 };
	struct import_conds conds = of_cell(cell), each;

	import_class(&conds, USBPASS_FIELD_INTERFACE_CLASS, USBPASS_QUANTIFIER_ALL, set.class,
		     set.mask);
	if (!walk->filter->usbredir) {
		claim(walk, &conds, rule);
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		if (!i && !is_looked_at(device_classes[i]))
			continue;
		each = conds;
		import_class(&each, USBPASS_FIELD_DEVICE_CLASS, 0, device_classes[i], BASE);
		claim(walk, &each, rule);
	}
}

/* ---- the filter ---- */

static void refuse(struct walk *walk, const struct cell *cell, struct import_filter_rule *rule)
{
	struct set set = { rule->class, rule->mask };
	bool pierced = is_pierced(walk, set);

	if (is_passed(walk, set))
		return;
	if (walk->importer->options->exact || (!pierced && !is_usbredir_hid(walk, set))) {
		ignore_rest(walk, cell, set, rule);
		return;
	}
	for (size_t i = 0; i < walk->n_passed; i++)
		if (holds(set, walk->passed[i]) && is_largest(walk, i))
			claim_all_of(walk, cell, walk->passed[i], rule);
	ignore_device_class(walk, cell, set, rule);
	ignore_any(walk, cell, set, rule);
	told_stricter(walk, rule, pierced ?
		      "devices that have other interfaces beside those of this class that are let through" :
		      "devices with an interface 03:00:00 beside others, such as headsets with buttons, which usbredir overlooks,");
}

/* Nothing but what is passed gets through, says @rule. */
static void finish(struct walk *walk, const struct cell *cell, struct import_filter_rule *rule)
{
	struct import_conds conds = of_cell(cell);
	struct set hid = { CLASS_HID, BASE };
	size_t largest = 0;

	for (size_t i = 0; i < walk->n_passed; i++)
		largest += is_largest(walk, i);
	if (walk->importer->options->exact &&
	    (largest > 1 || (largest && walk->filter->usbredir && !is_passed(walk, hid)))) {
		ignore_parts(walk, cell, (struct set){ 0, 0 }, rule);
		claim(walk, &conds, rule);
		return;
	}
	for (size_t i = 0; i < walk->n_passed; i++)
		if (is_largest(walk, i))
			claim_all_of(walk, cell, walk->passed[i], rule);
	ignore(walk, &conds, rule);
	if (largest > 1)
		told_stricter(walk, rule,
			      "devices with interfaces of several of the classes that are let through");
	else if (largest && walk->filter->usbredir && !is_passed(walk, hid))
		told_stricter(walk, rule,
			      "devices with an interface 03:00:00 beside others, which usbredir overlooks,");
}

static void pass(struct walk *walk, const struct import_filter_rule *rule)
{
	struct set set = { rule->class, rule->mask };

	if (!is_passed(walk, set))
		walk->passed[walk->n_passed++] = set;
}

/* Each level fixes one more of the three numbers. */
// NOLINTNEXTLINE(misc-no-recursion)
static void read_from(struct walk *walk, size_t from, const struct cell *cell)
{
	struct import_filter *filter = walk->filter;

	for (size_t i = from; i < filter->n && !walk->importer->error; i++) {
		struct import_filter_rule *rule = &filter->rules[i];
		size_t n_passed = walk->n_passed;
		struct import_conds conds;
		struct cell part;
		bool whole;

		if (!narrow(cell, rule, &part))
			continue;
		whole = same(cell, &part);
		conds = of_cell(&part);
		if (!rule->mask && rule->allow) {
			claim(walk, &conds, rule);
		} else if (!rule->mask) {
			finish(walk, &part, rule);
		} else if (!rule->allow) {
			refuse(walk, &part, rule);
			continue;
		} else {
			pass(walk, rule);
			if (whole)
				continue;
			read_from(walk, i + 1, &part);
			walk->n_passed = n_passed;
		}
		if (whole)
			return;
	}
	if (filter->usbredir && walk->importer->options->allow) {
		struct import_conds conds = of_cell(cell);

		claim(walk, &conds, &walk->rest);
		return;
	}
	finish(walk, cell, &walk->rest);
}

void import_filter_run(struct import_filter *filter)
{
	static const char rest[] = "what no rule matches";
	struct walk walk = {
		.filter = filter, .importer = filter->importer,
		.rest.place = { .text = rest, .len = sizeof(rest) - 1 },
	};
	const struct cell every = {};

	/* One more, for what usbredir overlooks. */
	walk.passed = calloc(filter->n + 1, sizeof(*walk.passed));
	if (!walk.passed)
		import_fail(filter->importer, -ENOMEM, 0, "no memory");
	else
		read_from(&walk, 0, &every);
	free(walk.passed);
	free(filter->rules);
	filter->rules = NULL;
	filter->n = 0;
}
