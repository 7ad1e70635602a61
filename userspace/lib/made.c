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

int usbpass_made_identity(const struct usbpass_device *device, const struct usbpass_device *list,
			  size_t n, const char *node, struct usbpass_rule *rule, char *why,
			  size_t size)
{
	const char *fault = serial_fault(device, list, n);
	int ret;

	drop_conds(rule);
	if (fault && !device->socket[0]) {
		snprintf(why, size, "it has %s and its socket is not known", fault);
		return -EINVAL;
	}
	ret = string(rule, USBPASS_FIELD_NODE, node);
	if (!ret)
		ret = number(rule, USBPASS_FIELD_VENDOR, device->vendor);
	if (!ret)
		ret = number(rule, USBPASS_FIELD_PRODUCT, device->product);
	if (!ret && fault)
		ret = string(rule, USBPASS_FIELD_SOCKET, device->socket);
	else if (!ret)
		ret = string(rule, USBPASS_FIELD_SERIAL, device->serial);
	if (ret) {
		drop_conds(rule);
		snprintf(why, size, "no memory");
	} else if (fault) {
		snprintf(why, size, "%s: socket %s", fault, device->socket);
	} else {
		snprintf(why, size, "serial %s, unique here", device->serial);
	}
	return ret;
}
