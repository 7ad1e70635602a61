// SPDX-License-Identifier: GPL-2.0
#include <linux/glob.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "cond.h"
#include "facts.h"
#include "regex.h"

/* Fields: their kind, the largest number, and whether numbers are in an order. */
static const struct {
	enum usbpass_field_kind kind;
	u32 max;
	bool ordered;
} fields[__USBPASS_FIELD_MAX] = {
	[USBPASS_FIELD_ANY] = { USBPASS_KIND_NONE },
	[USBPASS_FIELD_NODE] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_VENDOR] = { USBPASS_KIND_NUMBER, U16_MAX, true },
	[USBPASS_FIELD_PRODUCT] = { USBPASS_KIND_NUMBER, U16_MAX, true },
	[USBPASS_FIELD_USB_VERSION] = { USBPASS_KIND_NUMBER, U16_MAX, true },
	[USBPASS_FIELD_BCD_DEVICE] = { USBPASS_KIND_NUMBER, U16_MAX, true },
	[USBPASS_FIELD_VENDOR_NAME] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_PRODUCT_NAME] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_SERIAL] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_SOCKET] = { USBPASS_KIND_STRING },
	[USBPASS_FIELD_BUS] = { USBPASS_KIND_NUMBER, U32_MAX, true },
	[USBPASS_FIELD_ADDRESS] = { USBPASS_KIND_NUMBER, U32_MAX, true },
	[USBPASS_FIELD_LEVEL] = { USBPASS_KIND_NUMBER, U32_MAX, true },
	[USBPASS_FIELD_SPEED] = { USBPASS_KIND_NUMBER, U32_MAX, true },
	[USBPASS_FIELD_DEVICE_CLASS] = { USBPASS_KIND_CLASS, 0xffffff },
	[USBPASS_FIELD_INTERFACE_CLASS] = { USBPASS_KIND_CLASS, 0xffffff },
	[USBPASS_FIELD_INTERFACES] = { USBPASS_KIND_NUMBER, U32_MAX, true },
	[USBPASS_FIELD_REMOVABLE] = { USBPASS_KIND_NUMBER, USBPASS_REMOVABLE_NO },
};

static bool number_eq(u32 have, u32 want)
{
	return have == want;
}

static bool number_ne(u32 have, u32 want)
{
	return have != want;
}

static bool number_lt(u32 have, u32 want)
{
	return have < want;
}

static bool number_le(u32 have, u32 want)
{
	return have <= want;
}

static bool number_gt(u32 have, u32 want)
{
	return have > want;
}

static bool number_ge(u32 have, u32 want)
{
	return have >= want;
}

static bool string_eq(const char *have, const char *want)
{
	return !strcmp(have, want);
}

/* strcmp() compares as unsigned bytes, which is the order of UTF-8's characters. */
static bool string_lt(const char *have, const char *want)
{
	return strcmp(have, want) < 0;
}

static bool string_le(const char *have, const char *want)
{
	return strcmp(have, want) <= 0;
}

static bool string_begins(const char *have, const char *want)
{
	return !strncmp(have, want, strlen(want));
}

static bool string_ends(const char *have, const char *want)
{
	size_t have_len = strlen(have), want_len = strlen(want);

	return have_len >= want_len && !strcmp(have + have_len - want_len, want);
}

static bool string_contains(const char *have, const char *want)
{
	return strstr(have, want);
}

/* Not tolower(): that takes bytes for Latin-1, and so halves of UTF-8's characters for capitals. */
static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool string_icontains(const char *have, const char *want)
{
	size_t i;

	do {
		for (i = 0; want[i] && fold(have[i]) == fold(want[i]); i++)
			;
		if (!want[i])
			return true;
	} while (*have++);
	return false;
}

static bool string_glob(const char *have, const char *want)
{
	return glob_match(want, have);
}

/* Operators: on numbers (and classes under their mask), and on strings, or the opposite of that. */
static const struct {
	bool (*number)(u32 have, u32 want);
	bool (*string)(const char *have, const char *want);
	bool not;
} ops[__USBPASS_OP_MAX] = {
	[USBPASS_OP_EQ] = { number_eq, string_eq },
	[USBPASS_OP_NE] = { number_ne, string_eq, true },
	[USBPASS_OP_LT] = { number_lt, string_lt },
	[USBPASS_OP_LE] = { number_le, string_le },
	[USBPASS_OP_GT] = { number_gt, string_le, true },
	[USBPASS_OP_GE] = { number_ge, string_lt, true },
	[USBPASS_OP_BEGINS] = { NULL, string_begins },
	[USBPASS_OP_ENDS] = { NULL, string_ends },
	[USBPASS_OP_CONTAINS] = { NULL, string_contains },
	[USBPASS_OP_ICONTAINS] = { NULL, string_icontains },
	[USBPASS_OP_GLOB] = { NULL, string_glob },
	[USBPASS_OP_REGEX] = { NULL, NULL },	/* has more than a string */
	[USBPASS_OP_NOT_BEGINS] = { NULL, string_begins, true },
	[USBPASS_OP_NOT_ENDS] = { NULL, string_ends, true },
	[USBPASS_OP_NOT_CONTAINS] = { NULL, string_contains, true },
	[USBPASS_OP_NOT_ICONTAINS] = { NULL, string_icontains, true },
	[USBPASS_OP_NOT_GLOB] = { NULL, string_glob, true },
	[USBPASS_OP_NOT_REGEX] = { NULL, NULL, true },
};

enum usbpass_field_kind usbpass_cond_kind(u8 field)
{
	return field < ARRAY_SIZE(fields) ? fields[field].kind : USBPASS_KIND_NONE;
}

u32 usbpass_cond_number_max(u8 field)
{
	return fields[field].max;
}

bool usbpass_cond_takes(u8 field, u8 op)
{
	switch (usbpass_cond_kind(field)) {
	case USBPASS_KIND_STRING:
		return true;
	case USBPASS_KIND_NONE:
		return op == USBPASS_OP_EQ;
	default:
		return op <= (fields[field].ordered ? USBPASS_OP_GE : USBPASS_OP_NE);
	}
}

bool usbpass_cond_has_table(u8 op)
{
	return op == USBPASS_OP_REGEX || op == USBPASS_OP_NOT_REGEX;
}

int usbpass_cond_copy(struct usbpass_cond *to, const struct usbpass_cond *cond)
{
	*to = *cond;
	if (cond->regex)
		usbpass_regex_get(cond->regex);		/* put by usbpass_cond_clear() */
	if (!cond->string)
		return 0;
	to->string = kstrdup(cond->string, GFP_KERNEL_ACCOUNT);
	return to->string ? 0 : -ENOMEM;
}

void usbpass_cond_clear(struct usbpass_cond *cond)
{
	kfree(cond->string);
	usbpass_regex_put(cond->regex);
}

static u32 number_of(u8 field, const struct usbpass_facts *facts)
{
	const struct usb_device_descriptor *desc = &facts->descriptor;

	switch (field) {
	case USBPASS_FIELD_VENDOR:
		return le16_to_cpu(desc->idVendor);
	case USBPASS_FIELD_PRODUCT:
		return le16_to_cpu(desc->idProduct);
	case USBPASS_FIELD_USB_VERSION:
		return le16_to_cpu(desc->bcdUSB);
	case USBPASS_FIELD_BCD_DEVICE:
		return le16_to_cpu(desc->bcdDevice);
	case USBPASS_FIELD_BUS:
		return facts->bus;
	case USBPASS_FIELD_ADDRESS:
		return facts->address;
	case USBPASS_FIELD_LEVEL:
		return facts->level;
	case USBPASS_FIELD_SPEED:
		return facts->speed_kbps;
	case USBPASS_FIELD_DEVICE_CLASS:
		return desc->bDeviceClass << 16 | desc->bDeviceSubClass << 8 |
		       desc->bDeviceProtocol;
	case USBPASS_FIELD_INTERFACES:
		return facts->interfaces;
	default:
		return facts->removable;
	}
}

/* A string that the device has not got is an empty one. */
static const char *string_of(u8 field, const struct usbpass_facts *facts, const char *node)
{
	switch (field) {
	case USBPASS_FIELD_NODE:
		return node;
	case USBPASS_FIELD_VENDOR_NAME:
		return facts->vendor_name ?: "";
	case USBPASS_FIELD_PRODUCT_NAME:
		return facts->product_name ?: "";
	case USBPASS_FIELD_SERIAL:
		return facts->serial ?: "";
	default:
		return facts->socket;
	}
}

static bool string_holds(const struct usbpass_cond *cond, const char *have)
{
	bool holds;

	if (cond->regex)
		holds = usbpass_regex_fits(cond->regex, have);
	else
		holds = ops[cond->op].string(have, cond->string);
	return holds != ops[cond->op].not;
}

static bool interfaces_hold(const struct usbpass_cond *cond, const struct usbpass_facts *facts)
{
	u32 i, holds = 0;

	for (i = 0; i < facts->nr_classes; i++)
		holds += ops[cond->op].number(facts->classes[i] & cond->mask,
					      cond->number & cond->mask);
	switch (cond->quantifier) {
	case USBPASS_QUANTIFIER_ALL:
		return facts->nr_classes && holds == facts->nr_classes;
	case USBPASS_QUANTIFIER_NONE:
		return !holds;
	default:
		return holds;
	}
}

bool usbpass_cond_holds(const struct usbpass_cond *cond, const struct usbpass_facts *facts,
			const char *node)
{
	if (cond->field == USBPASS_FIELD_INTERFACE_CLASS)
		return interfaces_hold(cond, facts);
	switch (fields[cond->field].kind) {
	case USBPASS_KIND_NONE:
		return true;
	case USBPASS_KIND_STRING:
		return string_holds(cond, string_of(cond->field, facts, node));
	case USBPASS_KIND_CLASS:
		return ops[cond->op].number(number_of(cond->field, facts) & cond->mask,
					    cond->number & cond->mask);
	default:
		return ops[cond->op].number(number_of(cond->field, facts), cond->number);
	}
}
