// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "ambiguous.h"
#include "names.h"

struct identity {
	uint16_t vendor, product;
	const char *serial;
};

static bool fits(const struct identity *identity, const struct usbpass_device *device)
{
	return device->vendor == identity->vendor && device->product == identity->product &&
	       usbpass_has(device, USBPASS_A_DEVICE_SERIAL) &&
	       !strcmp(device->serial, identity->serial);
}

/* With more than one device @out tells which. */
static bool count(const struct identity *identity, const struct usbpass_device *list, size_t n,
		  struct usbpass_ambiguous *out)
{
	const char *before = ": ";
	char serial[256];
	size_t used;

	*out = (struct usbpass_ambiguous){};
	for (size_t i = 0; i < n; i++)
		out->n += fits(identity, &list[i]);
	if (out->n < 2) {
		out->n = 0;
		return false;
	}
	used = snprintf(out->what, sizeof(out->what), "%zu devices here have serial %s", out->n,
			usbpass_names_quote(identity->serial, serial, sizeof(serial)));
	for (size_t i = 0; i < n && used < sizeof(out->what); i++) {
		if (!fits(identity, &list[i]))
			continue;
		used += snprintf(out->what + used, sizeof(out->what) - used, "%s#%u (%s)", before,
				 list[i].id, list[i].busid);
		before = ", ";
	}
	return true;
}

/* False: the conditions are not those of a made rule by serial for this node. */
static bool identity_of(const struct usbpass_rule *rule, const char *node, struct identity *out)
{
	uint32_t seen = 0;

	*out = (struct identity){};
	for (size_t i = 0; i < rule->n_conds; i++) {
		const struct usbpass_cond *cond = &rule->conds[i];

		if (cond->op != USBPASS_OP_EQ || seen & 1u << cond->field)
			return false;
		seen |= 1u << cond->field;
		switch (cond->field) {
		case USBPASS_FIELD_NODE:
			if (!cond->string || strcmp(cond->string, node))
				return false;
			break;
		case USBPASS_FIELD_VENDOR:
			out->vendor = cond->number;
			break;
		case USBPASS_FIELD_PRODUCT:
			out->product = cond->number;
			break;
		case USBPASS_FIELD_SERIAL:
			out->serial = cond->string;
			break;
		default:
			return false;
		}
	}
	return seen & 1u << USBPASS_FIELD_VENDOR && seen & 1u << USBPASS_FIELD_PRODUCT &&
	       out->serial;
}

bool usbpass_ambiguous_rule(const struct usbpass_rule *rule, const struct usbpass_device *list,
			    size_t n, const char *node, struct usbpass_ambiguous *out)
{
	struct identity identity;

	*out = (struct usbpass_ambiguous){};
	if (rule->origin != USBPASS_ORIGIN_MADE || rule->action != USBPASS_ACTION_CLAIM ||
	    !rule->enabled || !identity_of(rule, node, &identity) ||
	    !count(&identity, list, n, out))
		return false;
	snprintf(out->remedy, sizeof(out->remedy),
		 "unplug what is not meant, or tell them apart by socket: usbpass rule del '%s', then usbpass group make '%s' DEVICE",
		 rule->name, rule->group);
	return true;
}

bool usbpass_ambiguous_pin(const struct usbpass_attachment *attachment,
			   const struct usbpass_device *list, size_t n,
			   struct usbpass_ambiguous *out)
{
	const struct identity identity = {
		.vendor = attachment->pin_vendor, .product = attachment->pin_product,
		.serial = attachment->pin_serial,
	};

	*out = (struct usbpass_ambiguous){};
	if (!usbpass_has(attachment, USBPASS_A_ATTACH_PIN_SERIAL) ||
	    usbpass_has(attachment, USBPASS_A_ATTACH_PIN_SOCKET) || !attachment->enabled ||
	    !count(&identity, list, n, out))
		return false;
	snprintf(out->remedy, sizeof(out->remedy),
		 "unplug what is not meant, or name the one that is: usbpass attach set '%s' --device DEVICE",
		 attachment->name);
	return true;
}
