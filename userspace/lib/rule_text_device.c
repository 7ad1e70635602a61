// SPDX-License-Identifier: GPL-2.0
/* A device's facts in the words of conditions, and back. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_text.h"

/* Where a field is in struct usbpass_device. The node is the host's, the classes are a list. */
#define FIELD(name, kind_, ATTR, member) [USBPASS_FIELD_##name] = {		\
	.kind = FACT_##kind_, .attr = USBPASS_A_DEVICE_##ATTR,			\
	.offset = offsetof(struct usbpass_device, member),			\
	.size = sizeof(((struct usbpass_device *)0)->member) }

static const struct {
	enum { FACT_NONE, FACT_U8, FACT_U16, FACT_U32, FACT_STRING } kind;
	uint8_t attr;
	size_t offset, size;
} fields[__USBPASS_FIELD_MAX] = {
	FIELD(VENDOR, U16, VENDOR, vendor),
	FIELD(PRODUCT, U16, PRODUCT, product),
	FIELD(USB_VERSION, U16, BCD_USB, bcd_usb),
	FIELD(BCD_DEVICE, U16, BCD_DEVICE, bcd_device),
	FIELD(VENDOR_NAME, STRING, VENDOR_NAME, vendor_name),
	FIELD(PRODUCT_NAME, STRING, PRODUCT_NAME, product_name),
	FIELD(SERIAL, STRING, SERIAL, serial),
	FIELD(SOCKET, STRING, SOCKET, socket),
	FIELD(BUS, U32, BUS, bus),
	FIELD(ADDRESS, U32, ADDRESS, address),
	FIELD(LEVEL, U32, LEVEL, level),
	FIELD(SPEED, U32, SPEED, speed),
	FIELD(DEVICE_CLASS, U32, CLASS, class),
	FIELD(INTERFACES, U32, INTERFACES, interfaces),
	FIELD(REMOVABLE, U8, REMOVABLE, removable),
};

static int put_class(struct usbpass_device *device, uint32_t class)
{
	uint32_t *list = reallocarray(device->interface_classes, device->n_interface_classes + 1,
				      sizeof(*list));

	if (!list)
		return -ENOMEM;
	device->interface_classes = list;
	list[device->n_interface_classes++] = class;
	device->has |= USBPASS_HAS(USBPASS_A_DEVICE_INTERFACE_CLASS);
	return 0;
}

static int put(struct usbpass_device *device, const struct usbpass_cond *cond, char *err,
	       size_t errsize)
{
	void *to = (char *)device + fields[cond->field].offset;
	const char *word = usbpass_words_word(USBPASS_WORDS_FIELD, cond->field);

	if (cond->op != USBPASS_OP_EQ || cond->quantifier != USBPASS_QUANTIFIER_ANY) {
		snprintf(err, errsize, "%s: a device is described by = alone", word);
		return -EINVAL;
	}
	if (cond->field == USBPASS_FIELD_INTERFACE_CLASS)
		return put_class(device, cond->number & cond->mask);
	if (fields[cond->field].kind == FACT_NONE) {
		snprintf(err, errsize, "%s: is nothing that a device has", word);
		return -EINVAL;
	}
	if (usbpass_has(device, fields[cond->field].attr)) {
		snprintf(err, errsize, "%s: is there twice", word);
		return -EINVAL;
	}
	device->has |= USBPASS_HAS(fields[cond->field].attr);
	switch (fields[cond->field].kind) {
	case FACT_STRING:
		if (strlen(cond->string) < fields[cond->field].size) {
			strcpy(to, cond->string);
			return 0;
		}
		snprintf(err, errsize, "%s: is too long", word);
		return -EINVAL;
	case FACT_U8:
		*(uint8_t *)to = cond->number;
		return 0;
	case FACT_U16:
		*(uint16_t *)to = cond->number;
		return 0;
	default:
		*(uint32_t *)to = cond->number;
		return 0;
	}
}

int usbpass_rule_text_describe(const char *text, struct usbpass_device *out, char *err,
			       size_t errsize)
{
	struct usbpass_rule rule = {};
	int ret = usbpass_rule_text_parse(text, &rule, err, errsize);

	*out = (struct usbpass_device){};
	for (size_t i = 0; !ret && i < rule.n_conds; i++)
		ret = put(out, &rule.conds[i], err, errsize);
	usbpass_rule_clear(&rule);
	if (ret)
		usbpass_device_clear(out);
	return ret;
}

/* The value behind "field = ". */
static char *value_of(struct usbpass_cond *cond)
{
	struct usbpass_rule rule = { .conds = cond, .n_conds = 1 };
	char *text = usbpass_rule_text_print(&rule), *at = text ? strstr(text, " = ") : NULL;

	if (at)
		memmove(text, at + 3, strlen(at + 3) + 1);
	return text;
}

static char *classes_of(const struct usbpass_device *device)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (!device->n_interface_classes)
		fputs("none", out);
	for (size_t i = 0; i < device->n_interface_classes; i++) {
		uint32_t class = device->interface_classes[i];

		fprintf(out, "%s%02x:%02x:%02x", i ? " " : "", class >> 16 & 0xff,
			class >> 8 & 0xff, class & 0xff);
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

char *usbpass_rule_text_fact(uint8_t field, const struct usbpass_device *device, const char *node)
{
	const void *at = (const char *)device + fields[field].offset;
	struct usbpass_cond cond = { .field = field, .op = USBPASS_OP_EQ, .mask = 0xffffff };

	if (field == USBPASS_FIELD_INTERFACE_CLASS)
		return classes_of(device);
	switch (fields[field].kind) {
	case FACT_STRING:
		cond.string = (char *)at;
		break;
	case FACT_U8:
		cond.number = *(const uint8_t *)at;
		break;
	case FACT_U16:
		cond.number = *(const uint16_t *)at;
		break;
	case FACT_U32:
		cond.number = *(const uint32_t *)at;
		break;
	default:
		cond.string = (char *)node;
	}
	return value_of(&cond);
}
