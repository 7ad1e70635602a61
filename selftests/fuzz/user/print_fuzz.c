// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever strings a device, a name or a process has, no verb of the helper lets a byte of them reach the terminal that would
 * do more than be shown; and JSON stays JSON. Input: a verb, then lines for the strings.
 */
// include: helper.h
#include "codec.h"
#include "fuzz.h"
#include "helper.h"

/* Every string of an object takes a line; its numbers, the least and largest among them, go by their lengths. */
static void fill(struct input *in, const struct codec *codec, void *object)
{
	static const uint64_t numbers[] = { 0, 1, 0x7f, 0xff, INT32_MAX, 0x80000000, UINT32_MAX, UINT64_MAX };
	size_t used = 0;

	memset(object, 0, codec->size);
	for (size_t i = 0; i < codec->n_fields; i++) {
		const struct codec_field *field = &codec->fields[i];
		char *at = (char *)object + field->offset;

		if (field->type == CODEC_STRING) {
			take_line(in, at, field->size);
			used += strlen(at);
		} else if (field->type == CODEC_ERRNO) {
			*(int32_t *)at = -(int32_t)(used % (CODEC_ERRNO_MAX + 1));
		} else if (field->type != CODEC_LIST && field->type != CODEC_TEXT) {
			memcpy(at, &numbers[(used + i) % 8], field->size);
		}
	}
	*(uint64_t *)object = ~UINT64_C(0);
}

static void fill_rule(struct input *in, struct usbpass_rule *rule)
{
	struct usbpass_cond cond = { .field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_EQ };
	char line[USBPASS_STRING_MAX + 1];

	usbpass_rule_clear(rule);
	fill(in, &usbpass_codec_rule, rule);
	take_line(in, line, sizeof(line));
	rule->description = strdup(line);
	take_line(in, line, sizeof(line));
	cond.string = line;
	usbpass_rule_add_cond(rule, &cond);
}

static void check_json(const char *text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *out = NULL;
	const char *at = text;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS | JSON_TOKENER_VALIDATE_UTF8);
	/* Errors stand before it, on stderr, and have no line that begins like this. */
	if (*at != '{')
		at = strstr(at, "\n{") + 1;
	out = json_tokener_parse_ex(tokener, at, -1);
	CHECK(out && json_tokener_get_error(tokener) == json_tokener_success, "not JSON: %s", text);
	json_object_put(out);
	json_tokener_free(tokener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t verb = take_u8(&in), state = take_u8(&in);
	bool json = verb & 0x80;
	char error[512], *text;
	const char *unsafe;

	verb = (verb & 0x7f) % HELPER_VERBS;
	take_line(&in, error, sizeof(error));
	fill(&in, &usbpass_codec_device, &helper.device);
	fill(&in, &usbpass_codec_group, &helper.group);
	fill_rule(&in, &helper.rule);
	fill(&in, &usbpass_codec_attachment, &helper.attachment);
	fill(&in, &usbpass_codec_event, &helper.event);
	fill(&in, &usbpass_codec_info, &helper.info);
	fill(&in, &usbpass_codec_learned, &helper.learned);
	helper.device.state = helper.attachment.state = helper.event.state = state & 0xf;
	helper.event.type = state >> 4;
	helper.attachment.pid = 1;
	text = helper_run(verb, json, error);
	if (json)
		check_json(text);
	unsafe = helper_unsafe(text);
	CHECK(!unsafe, "%s%s: a terminal would obey: %s", helper_verbs[verb].name, json ? " -j" : "", unsafe);
	free(text);
	return 0;
}
