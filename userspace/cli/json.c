// SPDX-License-Identifier: GPL-2.0
/* Any object of the library as JSON, from the table that also encodes it for the kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "names.h"
#include "rule_text.h"

/* Numbers that have a better form than a number. */
static const struct {
	const struct codec *codec;
	uint8_t attr;
	enum { WORD, HEX, BCD, CLASS, BOOL } form;
	enum usbpass_words words;
} forms[] = {
	{ &usbpass_codec_info, USBPASS_A_INFO_MAINTENANCE, BOOL, 0 },
	{ &usbpass_codec_device, USBPASS_A_DEVICE_STATE, WORD, USBPASS_WORDS_DEVICE_STATE },
	{ &usbpass_codec_device, USBPASS_A_DEVICE_VENDOR, HEX, 0 },
	{ &usbpass_codec_device, USBPASS_A_DEVICE_PRODUCT, HEX, 0 },
	{ &usbpass_codec_device, USBPASS_A_DEVICE_BCD_USB, BCD, 0 },
	{ &usbpass_codec_device, USBPASS_A_DEVICE_BCD_DEVICE, BCD, 0 },
	{ &usbpass_codec_device, USBPASS_A_DEVICE_CLASS, CLASS, 0 },
	{ &usbpass_codec_device, USBPASS_A_DEVICE_REMOVABLE, WORD, USBPASS_WORDS_REMOVABLE },
	{ &usbpass_codec_group, USBPASS_A_GROUP_TYPE, WORD, USBPASS_WORDS_GROUP_TYPE },
	{ &usbpass_codec_group, USBPASS_A_GROUP_CLASS, WORD, USBPASS_WORDS_GROUP_CLASS },
	{ &usbpass_codec_group, USBPASS_A_GROUP_RESET, WORD, USBPASS_WORDS_RESET },
	{ &usbpass_codec_group, USBPASS_A_GROUP_ENABLED, BOOL, 0 },
	{ &usbpass_codec_rule, USBPASS_A_RULE_ACTION, WORD, USBPASS_WORDS_ACTION },
	{ &usbpass_codec_rule, USBPASS_A_RULE_ORIGIN, WORD, USBPASS_WORDS_ORIGIN },
	{ &usbpass_codec_rule, USBPASS_A_RULE_ENABLED, BOOL, 0 },
	{ &usbpass_codec_attachment, USBPASS_A_ATTACH_RESET, WORD, USBPASS_WORDS_RESET },
	{ &usbpass_codec_attachment, USBPASS_A_ATTACH_OPTIONAL, BOOL, 0 },
	{ &usbpass_codec_attachment, USBPASS_A_ATTACH_FOLLOW, WORD, USBPASS_WORDS_FOLLOW },
	{ &usbpass_codec_attachment, USBPASS_A_ATTACH_ENABLED, BOOL, 0 },
	{ &usbpass_codec_attachment, USBPASS_A_ATTACH_STATE, WORD, USBPASS_WORDS_SLOT_STATE },
	{ &usbpass_codec_attachment, USBPASS_A_ATTACH_PIN_VENDOR, HEX, 0 },
	{ &usbpass_codec_attachment, USBPASS_A_ATTACH_PIN_PRODUCT, HEX, 0 },
	{ &usbpass_codec_event, USBPASS_A_EVENT_TYPE, WORD, USBPASS_WORDS_EVENT_TYPE },
	{ &usbpass_codec_event, USBPASS_A_EVENT_VENDOR, HEX, 0 },
	{ &usbpass_codec_event, USBPASS_A_EVENT_PRODUCT, HEX, 0 },
	{ &usbpass_codec_event, USBPASS_A_EVENT_RESET, WORD, USBPASS_WORDS_RESET_KIND },
	{ &usbpass_codec_learned, USBPASS_A_LEARNED_VENDOR, HEX, 0 },
	{ &usbpass_codec_learned, USBPASS_A_LEARNED_PRODUCT, HEX, 0 },
};

struct json_object *cli_json_string(const char *text)
{
	char safe[4 * USBPASS_DESCRIPTION_MAX + 1];

	if (usbpass_names_printable(text))
		return json_object_new_string(text);
	return json_object_new_string(usbpass_names_quote(text, safe, sizeof(safe)));
}

static struct json_object *class_string(uint32_t class)
{
	char text[16];

	snprintf(text, sizeof(text), "%02x:%02x:%02x", class >> 16 & 0xff, class >> 8 & 0xff,
		 class & 0xff);
	return json_object_new_string(text);
}

static uint64_t number_of(const struct codec_field *field, const void *at)
{
	switch (field->type) {
	case CODEC_U8:
		return *(const uint8_t *)at;
	case CODEC_U16:
		return *(const uint16_t *)at;
	case CODEC_U32:
		return *(const uint32_t *)at;
	default:
		return *(const uint64_t *)at;
	}
}

static struct json_object *formed(size_t form, uint64_t number)
{
	char text[16];

	switch (forms[form].form) {
	case WORD:
		return json_object_new_string(usbpass_words_word(forms[form].words, number));
	case HEX:
		snprintf(text, sizeof(text), "%04x", (unsigned int)number & 0xffff);
		return json_object_new_string(text);
	case BCD:
		snprintf(text, sizeof(text), "%x.%02x", (unsigned int)number >> 8 & 0xff,
			 (unsigned int)number & 0xff);
		return json_object_new_string(text);
	case CLASS:
		return class_string(number);
	default:
		return json_object_new_boolean(number);
	}
}

/* An event's STATE is a device's or a slot's, by its TYPE. */
static struct json_object *event_state(const struct usbpass_event *event)
{
	enum usbpass_words words = event->type == USBPASS_EVENT_SLOT_STATE ?
				   USBPASS_WORDS_SLOT_STATE : USBPASS_WORDS_DEVICE_STATE;

	return json_object_new_string(usbpass_words_word(words, event->state));
}

static struct json_object *list_of(const struct codec *codec, const void *object)
{
	const struct usbpass_device *device = object;
	struct json_object *out;
	char *text;

	if (codec == &usbpass_codec_rule) {
		text = usbpass_rule_text_print(object);
		out = cli_json_string(text ? text : "");
		free(text);
		return out;
	}
	out = json_object_new_array();
	for (size_t i = 0; i < device->n_interface_classes; i++)
		json_object_array_add(out, class_string(device->interface_classes[i]));
	return out;
}

static struct json_object *value_of(const struct codec *codec, const struct codec_field *field,
				    const void *object)
{
	const void *at = (const char *)object + field->offset;

	switch (field->type) {
	case CODEC_STRING:
		return cli_json_string(at);
	case CODEC_TEXT:
		return cli_json_string(*(char *const *)at ? *(char *const *)at : "");
	case CODEC_LIST:
		return list_of(codec, object);
	case CODEC_S32:
	case CODEC_ERRNO:
		return json_object_new_int(*(const int32_t *)at);
	default:
		break;
	}
	if (codec == &usbpass_codec_event && field->attr == USBPASS_A_EVENT_STATE)
		return event_state(object);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].codec == codec && forms[i].attr == field->attr)
			return formed(i, number_of(field, at));
	return json_object_new_uint64(number_of(field, at));
}

struct json_object *cli_json(const struct codec *codec, const void *object)
{
	struct json_object *out = json_object_new_object();
	uint64_t has = *(const uint64_t *)object;
	char key[32];

	for (size_t i = 0; i < codec->n_fields; i++) {
		const struct codec_field *field = &codec->fields[i];

		if (!(has & USBPASS_HAS(field->attr)))
			continue;
		snprintf(key, sizeof(key), "%s", field->name);
		for (char *c = key; *c; c++)
			if (*c == '-')
				*c = '_';
		json_object_object_add(out, key, value_of(codec, field, object));
	}
	return out;
}
