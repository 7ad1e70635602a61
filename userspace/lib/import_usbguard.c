// SPDX-License-Identifier: GPL-2.0
/*
 * USBGuard's rules. What it allows the host may use: that is ignored; what it blocks or rejects is
 * put in quarantine. So is what no rule matches, as its own default has it.
 *
 * A rule becomes several where its sets give a choice. What one of usbpass's rules cannot say makes
 * it match either too much or too little; which one is right depends on the target, see import.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "import_usbguard.h"

#define CHOICES_MAX	1024	/* rules that one of theirs may become */

/* How well conditions fit what the source says. */
enum fit {
	FIT_EXACT,
	FIT_WIDE,			/* more devices match */
	FIT_NARROW,			/* fewer do */
	FIT_NONE,			/* it cannot be said */
};

/* One of these, each of which is conditions that must all hold. None: no device. */
struct choices {
	struct import_conds *list;
	size_t n, room;
};

struct translation {
	struct importer *importer;
	const struct usbguard_rule *rule;
	bool wide;			/* rather match too much than too little */
	struct choices choices;		/* of the rule so far */
	bool failed;			/* that is told already */
	enum { WHOLE, INEXACT, DROPPED } carried[USBGUARD_ATTRIBUTES];
};

static bool no_memory(struct importer *importer)
{
	import_fail(importer, -ENOMEM, 0, "no memory");
	return false;
}

/* A copy of @conds, to be changed. NULL: no memory. */
static struct import_conds *add(struct importer *importer, struct choices *choices,
				const struct import_conds *conds)
{
	if (choices->n == choices->room) {
		size_t room = choices->room ? choices->room * 2 : 4;
		struct import_conds *list = reallocarray(choices->list, room, sizeof(*list));

		if (!list) {
			no_memory(importer);
			return NULL;
		}
		choices->list = list;
		choices->room = room;
	}
	choices->list[choices->n] = *conds;
	return &choices->list[choices->n++];
}

static struct import_conds *add_empty(struct translation *t, struct choices *choices)
{
	static const struct import_conds empty;

	return add(t->importer, choices, &empty);
}

static void drop(struct choices *choices)
{
	free(choices->list);
	*choices = (struct choices){};
}

static void join(struct import_conds *to, const struct import_conds *from)
{
	to->overflow = to->overflow || from->overflow;
	for (size_t i = 0; i < from->n && !to->overflow; i++) {
		to->overflow = to->n == USBPASS_CONDS_MAX;
		if (!to->overflow)
			to->conds[to->n++] = from->conds[i];
	}
}

/* Both must hold: each choice of one with each of the other. False: there are too many. */
static bool multiply(struct translation *t, struct choices *choices, const struct choices *by)
{
	struct choices out = {};

	if (choices->n * by->n > CHOICES_MAX)
		return false;
	for (size_t i = 0; i < choices->n; i++) {
		for (size_t k = 0; k < by->n; k++) {
			struct import_conds *conds = add(t->importer, &out, &choices->list[i]);

			if (conds)
				join(conds, &by->list[k]);
		}
	}
	drop(choices);
	*choices = out;
	return true;
}

/* ---- values of what a device has one of ---- */

static void number(struct translation *t, struct choices *out, bool negated, uint8_t field,
		   uint32_t value)
{
	struct import_conds *conds = add_empty(t, out);

	if (conds)
		import_number(conds, field, negated ? USBPASS_OP_NE : USBPASS_OP_EQ, value);
}

static enum fit string(struct translation *t, struct choices *out, bool negated, uint8_t field,
		       const char *value)
{
	struct import_conds *conds;

	/* No device has a longer one. */
	if (strlen(value) > USBPASS_STRING_MAX) {
		if (negated)
			add_empty(t, out);
		return FIT_EXACT;
	}
	conds = add_empty(t, out);
	if (conds)
		import_string(conds, field, negated ? USBPASS_OP_NE : USBPASS_OP_EQ, value);
	return FIT_EXACT;
}

static enum fit id(struct translation *t, struct choices *out, bool negated,
		   const struct usbguard_value *value)
{
	struct import_conds *conds;

	if (negated) {
		if (value->has_vendor)
			number(t, out, true, USBPASS_FIELD_VENDOR, value->vendor);
		if (value->has_product)
			number(t, out, true, USBPASS_FIELD_PRODUCT, value->product);
		return FIT_EXACT;
	}
	conds = add_empty(t, out);
	if (conds && value->has_vendor)
		import_number(conds, USBPASS_FIELD_VENDOR, USBPASS_OP_EQ, value->vendor);
	if (conds && value->has_product)
		import_number(conds, USBPASS_FIELD_PRODUCT, USBPASS_OP_EQ, value->product);
	return FIT_EXACT;
}

static bool is_root_hub(const char *port)
{
	size_t digits = strncmp(port, "usb", 3) ? 0 : strspn(port + 3, "0123456789");

	return digits && !port[3 + digits];
}

/*
 * A socket has two ports, for slow and for fast devices; theirs is one of them. No device but a hub
 * is in the port of a root hub, and hubs no rule is about.
 */
static enum fit port(struct translation *t, struct choices *out, bool negated, const char *value)
{
	const struct usbpass_device *device = import_device_at(t->importer, value);
	struct import_conds *conds;
	bool fast;

	if (is_root_hub(value)) {
		if (negated)
			add_empty(t, out);
		return FIT_EXACT;
	}
	if (!device || !device->socket[0])
		return FIT_NONE;
	fast = device->speed >= 5000000;
	conds = add_empty(t, out);
	if (conds)
		import_string(conds, USBPASS_FIELD_SOCKET, negated ? USBPASS_OP_NE : USBPASS_OP_EQ,
			      device->socket);
	if (conds && negated)
		conds = add_empty(t, out);
	if (conds)
		import_number(conds, USBPASS_FIELD_SPEED,
			      fast == negated ? USBPASS_OP_LT : USBPASS_OP_GE, 5000000);
	return FIT_EXACT;
}

/*
 * The kernel makes the one of the other where the firmware tells it; where not, it asks the hub,
 * and they know nothing: so more devices are removable, or not, than they would say.
 */
static enum fit connect_type(struct translation *t, struct choices *out, bool negated,
			     const char *value)
{
	uint32_t removable;

	if (!strcmp(value, "hotplug"))
		removable = USBPASS_REMOVABLE_YES;
	else if (!strcmp(value, "hardwired") || !strcmp(value, "not used"))
		removable = USBPASS_REMOVABLE_NO;
	else
		return FIT_NONE;
	number(t, out, negated, USBPASS_FIELD_REMOVABLE, removable);
	return negated ? FIT_NARROW : FIT_WIDE;
}

/* Only those that are the same at any time. */
static enum fit condition(struct translation *t, struct choices *out, bool negated,
			  const struct usbguard_value *value)
{
	bool is;

	if (strcmp(value->string, "true") && strcmp(value->string, "false"))
		return FIT_NONE;
	is = !strcmp(value->string, "true");
	if (is != (value->negated != negated))
		add_empty(t, out);
	return FIT_EXACT;
}

static enum fit value_choices(struct translation *t, enum usbguard_attribute attribute,
			      const struct usbguard_value *value, bool negated, struct choices *out)
{
	switch (attribute) {
	case USBGUARD_ID:
		return id(t, out, negated, value);
	case USBGUARD_NAME:
		return string(t, out, negated, USBPASS_FIELD_PRODUCT_NAME, value->string);
	case USBGUARD_SERIAL:
		return string(t, out, negated, USBPASS_FIELD_SERIAL, value->string);
	case USBGUARD_VIA_PORT:
		return port(t, out, negated, value->string);
	case USBGUARD_CONNECT_TYPE:
		return connect_type(t, out, negated, value->string);
	case USBGUARD_IF:
		return condition(t, out, negated, value);
	default:
		return FIT_NONE;
	}
}

static bool is_usable(const struct translation *t, enum fit fit)
{
	return fit == FIT_EXACT || fit == (t->wide ? FIT_WIDE : FIT_NARROW);
}

static enum fit worse(enum fit a, enum fit b)
{
	return a > b ? a : b;
}

/* Each of the values, or none of them. */
static enum fit each(struct translation *t, enum usbguard_attribute attribute,
		     const struct usbguard_set *set, bool negated, struct choices *out)
{
	enum fit whole = FIT_EXACT;

	add_empty(t, out);
	for (size_t i = 0; i < set->n && !t->importer->error; i++) {
		struct choices factor = {};
		enum fit fit = value_choices(t, attribute, &set->values[i], negated, &factor);
		bool fits = !is_usable(t, fit) || multiply(t, out, &factor);

		drop(&factor);
		if (!fits || (!is_usable(t, fit) && !t->wide))
			return FIT_NONE;
		whole = worse(whole, is_usable(t, fit) ? fit : FIT_WIDE);
	}
	return whole;
}

static enum fit either(struct translation *t, enum usbguard_attribute attribute,
		       const struct usbguard_set *set, struct choices *out)
{
	enum fit whole = FIT_EXACT;
	size_t used = 0;

	for (size_t i = 0; i < set->n && !t->importer->error; i++) {
		size_t n = out->n;
		enum fit fit = value_choices(t, attribute, &set->values[i], false, out);

		if (is_usable(t, fit)) {
			whole = worse(whole, fit);
			used++;
			continue;
		}
		out->n = n;
		if (t->wide)
			return FIT_NONE;
		whole = FIT_NARROW;
	}
	return used ? whole : FIT_NONE;
}

static enum fit single(struct translation *t, enum usbguard_attribute attribute,
		       const struct usbguard_set *set, struct choices *out)
{
	switch (set->operator) {
	case USBGUARD_EQUALS:
	case USBGUARD_EQUALS_ORDERED:
		/* A device has one: it is not the same as several. Of conditions all must hold. */
		if (set->n > 1 && attribute != USBGUARD_IF)
			return FIT_EXACT;
		return each(t, attribute, set, false, out);
	case USBGUARD_ALL_OF:
		return each(t, attribute, set, false, out);
	case USBGUARD_NONE_OF:
		return each(t, attribute, set, true, out);
	case USBGUARD_ONE_OF:
	case USBGUARD_MATCH_ALL:
		return either(t, attribute, set, out);
	}
	return FIT_NONE;
}

/* ---- interfaces ---- */

static void interface(struct translation *t, struct choices *out, uint8_t quantifier,
		      uint32_t class, uint32_t mask)
{
	struct import_conds *conds = add_empty(t, out);

	if (conds)
		import_class(conds, USBPASS_FIELD_INTERFACE_CLASS, quantifier, class, mask);
}

static bool in_value(const struct usbguard_value *outer, const struct usbguard_value *inner)
{
	return (outer->mask & inner->mask) == outer->mask &&
	       !((outer->class ^ inner->class) & outer->mask);
}

/* The smallest class that holds all values; mask 0: none does. */
static struct usbguard_value common(const struct usbguard_set *set)
{
	struct usbguard_value out = set->values[0];

	for (size_t i = 1; i < set->n; i++)
		while (out.mask && !in_value(&out, &set->values[i]))
			out.mask = out.mask << 8 & 0xffffff;
	return out;
}

static bool said_before(const struct usbguard_set *set, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (in_value(&set->values[k], &set->values[i]) &&
		    in_value(&set->values[i], &set->values[k]))
			return true;
	return false;
}

static enum fit interfaces_each(struct translation *t, const struct usbguard_set *set,
				uint8_t quantifier, struct choices *out)
{
	struct import_conds *conds = add_empty(t, out);

	for (size_t i = 0; conds && i < set->n; i++)
		if (!said_before(set, i))
			import_class(conds, USBPASS_FIELD_INTERFACE_CLASS, quantifier,
				     set->values[i].class, set->values[i].mask);
	return FIT_EXACT;
}

/* Every interface of the device is one of these. */
static enum fit interfaces_within(struct translation *t, const struct usbguard_set *set,
				  struct choices *out)
{
	struct usbguard_value all = common(set);
	bool exact = false;

	for (size_t i = 0; i < set->n; i++)
		exact = exact || (in_value(&set->values[i], &all) && all.mask);
	if (all.mask && (exact || t->wide)) {
		interface(t, out, USBPASS_QUANTIFIER_ALL, all.class, all.mask);
		return exact ? FIT_EXACT : FIT_WIDE;
	}
	for (size_t i = 0; i < set->n; i++)
		if (!said_before(set, i))
			interface(t, out, t->wide ? USBPASS_QUANTIFIER_ANY : USBPASS_QUANTIFIER_ALL,
				  set->values[i].class, set->values[i].mask);
	return t->wide ? FIT_WIDE : FIT_NARROW;
}

/*
 * These and no others, and as many. Theirs counts each alternate setting of each configuration, a
 * rule's condition cannot: it says that each is there, that there is nothing beside the class of
 * all of them, and that there are no more interfaces.
 */
static enum fit interfaces_equal(struct translation *t, const struct usbguard_set *set,
				 struct choices *out)
{
	struct usbguard_value all = common(set);
	struct import_conds *conds;

	if (!t->wide)
		return FIT_NONE;
	if (set->n == 1)
		add_empty(t, out);
	else
		interfaces_each(t, set, USBPASS_QUANTIFIER_ANY, out);
	if (!out->n)
		return FIT_NONE;
	conds = &out->list[0];
	if (all.mask)
		import_class(conds, USBPASS_FIELD_INTERFACE_CLASS, USBPASS_QUANTIFIER_ALL,
			     all.class, all.mask);
	import_number(conds, USBPASS_FIELD_INTERFACES,
		      set->n == 1 ? USBPASS_OP_EQ : USBPASS_OP_LE, (uint32_t)set->n);
	return FIT_WIDE;
}

static enum fit interfaces(struct translation *t, const struct usbguard_set *set,
			   struct choices *out)
{
	switch (set->operator) {
	case USBGUARD_EQUALS:
	case USBGUARD_EQUALS_ORDERED:
		return interfaces_equal(t, set, out);
	case USBGUARD_ALL_OF:
		return interfaces_each(t, set, USBPASS_QUANTIFIER_ANY, out);
	case USBGUARD_NONE_OF:
		return interfaces_each(t, set, USBPASS_QUANTIFIER_NONE, out);
	case USBGUARD_ONE_OF:
		for (size_t i = 0; i < set->n; i++)
			if (!said_before(set, i))
				interface(t, out, USBPASS_QUANTIFIER_ANY, set->values[i].class,
					  set->values[i].mask);
		return FIT_EXACT;
	case USBGUARD_MATCH_ALL:
		return interfaces_within(t, set, out);
	}
	return FIT_NONE;
}

/* ---- a rule ---- */

static const char *reason(enum usbguard_attribute attribute)
{
	switch (attribute) {
	case USBGUARD_HASH:
	case USBGUARD_PARENT_HASH:
		return "no rule knows USBGuard's hashes";
	case USBGUARD_VIA_PORT:
		return "port numbers change from boot to boot; a rule has sockets, and no device is in that port now to tell its socket";
	case USBGUARD_INTERFACE:
		return "no rule counts alternate settings, or says of each interface that it is one of several classes";
	case USBGUARD_CONNECT_TYPE:
		return "no rule knows what the firmware says of a port; removable is what firmware and hub say together";
	case USBGUARD_IF:
		return "a rule is about the device alone, and nothing else that may change";
	default:
		return "it becomes too many rules";
	}
}

static bool refuses(const struct usbguard_rule *rule)
{
	return rule->target != USBGUARD_ALLOW;
}

static void leave_out(struct translation *t, const struct import_place *place, const char *why)
{
	t->failed = true;
	t->importer->out->refusals += refuses(t->rule);
	import_remark(t->importer, USBPASS_IMPORT_LEFT_OUT, place, "%s", why);
}

static void apply(struct translation *t, enum usbguard_attribute attribute)
{
	const struct usbguard_set *set = &t->rule->sets[attribute];
	struct choices choices = {};
	enum fit fit = attribute == USBGUARD_INTERFACE ? interfaces(t, set, &choices) :
		       single(t, attribute, set, &choices);

	if (fit == FIT_NONE && !t->wide)
		leave_out(t, &set->place, reason(attribute));
	else if (fit == FIT_NONE)
		t->carried[attribute] = DROPPED;
	else if (!multiply(t, &t->choices, &choices))
		leave_out(t, &t->rule->place, "it becomes too many rules");
	else if (fit != FIT_EXACT)
		t->carried[attribute] = INEXACT;
	drop(&choices);
}

static void tell(struct translation *t)
{
	enum usbpass_import_kind kind = t->wide && !refuses(t->rule) ? USBPASS_IMPORT_WIDER :
					USBPASS_IMPORT_STRICTER;

	for (int i = 0; i < USBGUARD_LABEL; i++)
		if (t->carried[i] != WHOLE)
			import_remark(t->importer, kind, &t->rule->sets[i].place, "%s: %s",
				      t->carried[i] == DROPPED ?
				      "the rule is carried over without this" :
				      t->wide ? "the rule matches more devices" :
				      "the rule matches fewer devices", reason(i));
}

static bool is_whole(const struct translation *t)
{
	for (int i = 0; i < USBGUARD_LABEL; i++)
		if (t->carried[i] != WHOLE)
			return false;
	return true;
}

/* Does it match every device? */
static bool is_every(const struct translation *t)
{
	for (size_t i = 0; i < t->choices.n; i++)
		if (!t->choices.list[i].n)
			return true;
	return false;
}

/* A rule for one device must not become one for all. */
static bool is_fit(struct translation *t)
{
	for (size_t i = 0; i < t->choices.n; i++) {
		if (t->choices.list[i].overflow) {
			leave_out(t, &t->rule->place, "it takes more than 32 conditions");
			return false;
		}
	}
	if (is_whole(t) || !is_every(t))
		return true;
	leave_out(t, &t->rule->place,
		  "nothing of it that a rule could say is left to match a device by");
	return false;
}

static void emit(struct translation *t)
{
	uint8_t action = refuses(t->rule) ? USBPASS_ACTION_QUARANTINE : USBPASS_ACTION_IGNORE;

	for (size_t i = 0; i < t->choices.n; i++)
		import_rule(t->importer, &t->rule->place, action, NULL, &t->choices.list[i]);
}

/* No device can match it, or nothing but a hub. */
static void explain_nothing(struct translation *t)
{
	if (refuses(t->rule) && t->rule->sets[USBGUARD_VIA_PORT].n)
		leave_out(t, &t->rule->place, "hubs are never kept from the host");
	else
		import_remark(t->importer, USBPASS_IMPORT_NOTE, &t->rule->place,
			      "no rule stands for it, as it matches nothing that one could decide");
}

/* What may rule out every device stands first: of such a rule the rest does not matter. */
static const enum usbguard_attribute order[] = {
	USBGUARD_VIA_PORT, USBGUARD_IF, USBGUARD_ID, USBGUARD_NAME, USBGUARD_SERIAL,
	USBGUARD_CONNECT_TYPE, USBGUARD_INTERFACE, USBGUARD_HASH, USBGUARD_PARENT_HASH,
};

static bool goes_on(const struct translation *t)
{
	return t->choices.n && !t->failed && !t->importer->error;
}

/* True: it has become a rule that matches every device. */
static bool translate(struct importer *importer, const struct usbguard_rule *rule)
{
	struct translation t = {
		.importer = importer, .rule = rule,
		.wide = refuses(rule) || importer->options->loose,
	};
	bool every = false;

	add_empty(&t, &t.choices);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && goes_on(&t); i++)
		if (rule->sets[order[i]].n)
			apply(&t, order[i]);
	if (goes_on(&t) && is_fit(&t)) {
		tell(&t);
		emit(&t);
		every = is_every(&t);
	} else if (!t.choices.n && !t.failed) {
		explain_nothing(&t);
	}
	drop(&t.choices);
	return every;
}

static bool read_line(struct importer *importer, struct import_place *line)
{
	struct usbguard_rule rule;
	unsigned int column = 1;
	bool every = false;
	char why[256];
	int ret = usbguard_parse(line, &rule, &column, why, sizeof(why));

	if (ret == -ENOMEM)
		no_memory(importer);
	if (ret && ret != -ENOMEM && import_count(importer, line)) {
		rule.place = *line;
		if (ret > 0) {
			every = translate(importer, &rule);
		} else {
			rule.place.column = column;
			importer->out->refusals += refuses(&rule);
			import_remark(importer, USBPASS_IMPORT_LEFT_OUT, &rule.place, "%s", why);
		}
	}
	usbguard_clear(&rule);
	return every;
}

static void add_default(struct importer *importer)
{
	static const char text[] = "what no rule matches";
	const struct import_place place = { .text = text, .len = sizeof(text) - 1 };
	const struct import_conds every = {};

	import_rule(importer, &place, USBPASS_ACTION_QUARANTINE, NULL, &every);
	import_remark(importer, USBPASS_IMPORT_NOTE, &place,
		      "it is put in quarantine, as USBGuard blocks it; --default allow if ImplicitPolicyTarget says so");
}

int usbpass_import_usbguard(const char *text, size_t size,
			    const struct usbpass_import_options *options,
			    struct usbpass_import *out, char *err, size_t errsize)
{
	struct import_place line = {};
	struct importer importer;
	bool every = false;

	import_begin(&importer, options, out, err, errsize);
	while (!importer.error && import_line(&text, &size, &line))
		every = read_line(&importer, &line) || every;
	if (!every && !options->allow && !importer.error)
		add_default(&importer);
	return import_end(&importer);
}
