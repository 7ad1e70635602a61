// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "made.h"
#include "names.h"

/* Why the serial will not do; NULL: it will. */
static const char *serial_fault(const struct usbpass_device *device,
				const struct usbpass_device *list, size_t n)
{
	if (!usbpass_has(device, USBPASS_A_DEVICE_SERIAL))
		return "no serial";
	if (device->serial[strspn(device->serial, " ")] == '\0')
		return "an empty serial";
	if (!usbpass_names_printable(device->serial))
		return "a serial that cannot be printed";
	for (size_t i = 0; i < n; i++) {
		const struct usbpass_device *other = &list[i];

		if (other->id != device->id && other->vendor == device->vendor &&
		    other->product == device->product &&
		    usbpass_has(other, USBPASS_A_DEVICE_SERIAL) &&
		    !strcmp(other->serial, device->serial))
			return "a serial that another device here has too";
	}
	return NULL;
}

static int number(struct usbpass_rule *rule, uint8_t field, uint32_t value)
{
	const struct usbpass_cond cond = { .field = field, .op = USBPASS_OP_EQ, .number = value };

	return usbpass_rule_add_cond(rule, &cond);
}

static int string(struct usbpass_rule *rule, uint8_t field, const char *value)
{
	const struct usbpass_cond cond = {
		.field = field, .op = USBPASS_OP_EQ, .string = (char *)value,
	};

	return usbpass_rule_add_cond(rule, &cond);
}

static void drop_conds(struct usbpass_rule *rule)
{
	for (size_t i = 0; i < rule->n_conds; i++)
		free(rule->conds[i].string);
	free(rule->conds);
	rule->conds = NULL;
	rule->n_conds = 0;
	rule->has &= ~USBPASS_HAS(USBPASS_A_RULE_COND);
}

int usbpass_made_by_number(const char *word)
{
	static const char *const words[] = { NULL, "serial", "socket", "model" };

	for (size_t i = 1; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

static size_t of_model(const struct usbpass_device *device, const struct usbpass_device *list,
		       size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += list[i].vendor == device->vendor && list[i].product == device->product;
	return count;
}

/* What it is to be in the end, with the reason in @why; -EINVAL with the way out. */
static int decide(const struct usbpass_device *device, const struct usbpass_device *list, size_t n,
		  enum usbpass_made_by by, char *why, size_t size)
{
	const char *fault = serial_fault(device, list, n);

	if (by == USBPASS_MADE_BY_MODEL) {
		snprintf(why, size, "model %04x:%04x, of which %zu are here: each is meant",
			 device->vendor, device->product, of_model(device, list, n));
		return by;
	}
	if (by == USBPASS_MADE_BY_SERIAL && fault) {
		snprintf(why, size, "it has %s; its socket (--by socket) tells it from others", fault);
		return -EINVAL;
	}
	if (by != USBPASS_MADE_BY_SOCKET && !fault) {
		snprintf(why, size, "serial %s, unique here", device->serial);
		return USBPASS_MADE_BY_SERIAL;
	}
	if (!device->socket[0]) {
		snprintf(why, size, "it has %s and its socket is not known; --by model means all of its kind",
			 fault ? fault : "a serial");
		return -EINVAL;
	}
	if (by == USBPASS_MADE_BY_SOCKET)
		fault = "as asked";
	snprintf(why, size, "%s: socket %s", fault, device->socket);
	return USBPASS_MADE_BY_SOCKET;
}

int usbpass_made_identity(const struct usbpass_device *device, const struct usbpass_device *list,
			  size_t n, enum usbpass_made_by by, const char *node,
			  struct usbpass_rule *rule, char *why, size_t size)
{
	int decided = decide(device, list, n, by, why, size), ret = 0;

	drop_conds(rule);
	if (decided < 0)
		return decided;
	if (node)
		ret = string(rule, USBPASS_FIELD_NODE, node);
	if (!ret)
		ret = number(rule, USBPASS_FIELD_VENDOR, device->vendor);
	if (!ret)
		ret = number(rule, USBPASS_FIELD_PRODUCT, device->product);
	if (!ret && decided == USBPASS_MADE_BY_SOCKET)
		ret = string(rule, USBPASS_FIELD_SOCKET, device->socket);
	else if (!ret && decided == USBPASS_MADE_BY_SERIAL)
		ret = string(rule, USBPASS_FIELD_SERIAL, device->serial);
	if (ret) {
		drop_conds(rule);
		snprintf(why, size, "no memory");
	}
	return ret;
}
