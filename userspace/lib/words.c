// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "usbpass.h"

struct table {
	const char *const *words;
	size_t n;
};

/* In the enums' order; NULL: the number has no word. */
static const char *const group_type[] = { NULL, "usb" };
static const char *const group_class[] = {
	"generic", "hid", "media", "audio", "storage", "network", "printer", "serial",
	"smartcard", "unknown",
};
static const char *const reset[] = { "none", "device", "hub" };
static const char *const reset_kind[] = { "soft", "device", "port", "hub" };
static const char *const in_the_way[] = { "no", "host", "lease" };
static const char *const action[] = { NULL, "claim", "ignore", "quarantine" };
static const char *const origin[] = { "hand", "made" };
static const char *const follow[] = { "identity", "socket" };
static const char *const removable[] = { "unknown", "yes", "no" };
static const char *const device_state[] = {
	"host", "pending", "held", "idle", "online", "cleaning", "error",
};
static const char *const slot_state[] = {
	"offline", "missing", "pending", "idle", "cleaning", "online", "returning", "gone",
	"error",
};
static const char *const event_type[] = {
	NULL, "device-added", "device-removed", "device-state", "slot-state", "lease-opened",
	"lease-closed", "lease-refused", "reset", "identity-changed", "commit", "job", "filtered",
	"confirmed", "lease-revoked",
	"maintenance-on", "maintenance-off", "power-cycle", "learned",
};
static const char *const field[] = {
	NULL, "any", "node", "vendor", "product", "usb-version", "bcd-device", "vendor-name",
	"product-name", "serial", "socket", "bus", "address", "level", "speed", "device-class",
	"interface-class", "interfaces", "removable",
};
static const char *const quantifier[] = { "any", "all", "none" };

#define TABLE(kind, array) [USBPASS_WORDS_##kind] = { array, sizeof(array) / sizeof((array)[0]) }
static const struct table tables[] = {
	TABLE(GROUP_TYPE, group_type),
	TABLE(GROUP_CLASS, group_class),
	TABLE(RESET, reset),
	TABLE(RESET_KIND, reset_kind),
	TABLE(IN_THE_WAY, in_the_way),
	TABLE(ACTION, action),
	TABLE(ORIGIN, origin),
	TABLE(FOLLOW, follow),
	TABLE(REMOVABLE, removable),
	TABLE(DEVICE_STATE, device_state),
	TABLE(SLOT_STATE, slot_state),
	TABLE(EVENT_TYPE, event_type),
	TABLE(FIELD, field),
	TABLE(QUANTIFIER, quantifier),
};

_Static_assert(sizeof(group_class) / sizeof(char *) == __USBPASS_CLASS_MAX, "a class lacks a word");
_Static_assert(sizeof(field) / sizeof(char *) == __USBPASS_FIELD_MAX, "a field lacks a word");
_Static_assert(sizeof(event_type) / sizeof(char *) == __USBPASS_EVENT_MAX, "an event lacks a word");
_Static_assert(sizeof(reset_kind) / sizeof(char *) == __USBPASS_RESET_KIND_MAX,
	       "a reset lacks a word");
_Static_assert(sizeof(in_the_way) / sizeof(char *) == __USBPASS_IN_THE_WAY_MAX,
	       "what is in the way lacks a word");
_Static_assert(sizeof(quantifier) / sizeof(char *) == __USBPASS_QUANTIFIER_MAX,
	       "a quantifier lacks a word");

const char *usbpass_words_word(enum usbpass_words kind, unsigned int number)
{
	const struct table *table = &tables[kind];

	return number < table->n && table->words[number] ? table->words[number] : "unknown";
}

int usbpass_words_number(enum usbpass_words kind, const char *word)
{
	const struct table *table = &tables[kind];

	for (size_t i = 0; i < table->n; i++)
		if (table->words[i] && !strcmp(table->words[i], word))
			return i;
	return -1;
}

const char *usbpass_words_list(enum usbpass_words kind, char *buf, size_t size)
{
	const struct table *table = &tables[kind];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < table->n && used < size; i++)
		if (table->words[i])
			used += snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
					 table->words[i]);
	return buf;
}
