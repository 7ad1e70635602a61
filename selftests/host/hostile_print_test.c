// SPDX-License-Identifier: GPL-2.0
/*
 * What the helper prints of hostile strings: escapes, control and bidirectional characters, bytes that are no UTF-8, in every
 * string of every object. The fuzzing of the same (fuzz/user/print_fuzz.c) makes up its own.
 */
// libs: libnl-genl-3.0 json-c libudev yaml-0.1
// link: -I../userspace/cli ../userspace/cli/[!m]*.o ../userspace/cli/monitor.o ../userspace/libusbpass.a
// link: -Wl,--wrap=usbpass_device_list,--wrap=usbpass_group_list,--wrap=usbpass_group_get,--wrap=usbpass_rule_list
// link: -Wl,--wrap=usbpass_rule_get,--wrap=usbpass_rule_explain,--wrap=usbpass_attachment_list,--wrap=usbpass_attachment_get
// link: -Wl,--wrap=usbpass_info_get,--wrap=usbpass_event_subscribe,--wrap=usbpass_event_next
// link: -Wl,--wrap=usbpass_learned_list,--wrap=usbpass_device_radius,--wrap=usbpass_device_reset
#include "codec.h"
#include "../fuzz/user/helper.h"
#include "tap.h"

static const struct {
	const char *text, *shown;
} hostile[] = {
	{ "\033[2J", "\\x1b[2J" },			/* clears the screen */
	{ "\033]0;x\a", "\\x1b]0;x\\x07" },		/* sets the window's title */
	{ "\302\233""31m", "\\xc2\\x9b31m" },		/* the same escape as one C1 character */
	{ "a\nb\rc\bd", "a\\x0ab\\x0dc\\x08d" },	/* makes up lines, overwrites them */
	{ "\342\200\256gpj.exe", "\\xe2\\x80\\xaegpj.exe" },	/* reads backwards */
	{ "\342\201\246x\342\201\251", "\\xe2\\x81\\xa6x\\xe2\\x81\\xa9" },	/* isolates */
	{ "\357\273\277x", "\\xef\\xbb\\xbfx" },	/* has no width */
	{ "\377\376", "\\xff\\xfe" },			/* no UTF-8 */
	{ "\300\257", "\\xc0\\xaf" },			/* '/' in too many bytes */
	{ "\355\240\200", "\\xed\\xa0\\x80" },		/* half of a pair */
	{ "cut \303", "cut \\xc3" },
};

#define HOSTILE	(sizeof(hostile) / sizeof(hostile[0]))

static void fill(const struct codec *codec, void *object, const char *text)
{
	memset(object, 0, codec->size);
	for (size_t i = 0; i < codec->n_fields; i++) {
		const struct codec_field *field = &codec->fields[i];

		if (field->type == CODEC_STRING)
			snprintf((char *)object + field->offset, field->size, "%s", text);
	}
	*(uint64_t *)object = ~UINT64_C(0);
}

static void fill_all(const char *text)
{
	struct usbpass_cond cond = { .field = USBPASS_FIELD_SERIAL, .op = USBPASS_OP_EQ, .string = (char *)text };

	usbpass_rule_clear(&helper.rule);
	fill(&usbpass_codec_device, &helper.device, text);
	fill(&usbpass_codec_group, &helper.group, text);
	fill(&usbpass_codec_rule, &helper.rule, text);
	helper.rule.description = strdup(text);
	ASSERT_EQ(0, usbpass_rule_add_cond(&helper.rule, &cond));
	fill(&usbpass_codec_attachment, &helper.attachment, text);
	fill(&usbpass_codec_event, &helper.event, text);
	fill(&usbpass_codec_info, &helper.info, text);
	fill(&usbpass_codec_learned, &helper.learned, text);
	helper.device.state = USBPASS_DEVICE_ERROR;
	helper.attachment.state = USBPASS_SLOT_ERROR;
	helper.attachment.pid = 1;
}

/* @shown must be there, so that nothing is safe only by being left out. */
static void check(size_t verb, bool json, size_t i)
{
	char *text = helper_run(verb, json, hostile[i].text), shown[128] = "";
	const char *unsafe, *in = hostile[i].shown;
	size_t used = 0;

	/* JSON doubles the backslash. */
	for (; *in && used < sizeof(shown) - 2; in++) {
		if (json && *in == '\\')
			shown[used++] = '\\';
		shown[used++] = *in;
	}
	TAP_CHECK(false, strstr(text, shown), "%s%s does not show %s: %s", helper_verbs[verb].name, json ? " -j" : "", shown, text);
	unsafe = helper_unsafe(text);
	if (unsafe) {
		char safe[1024];

		usbpass_names_quote(unsafe, safe, sizeof(safe));
		TAP_CHECK(false, false, "%s%s prints raw: %s", helper_verbs[verb].name, json ? " -j" : "", safe);
	}
	free(text);
}

static void check_all(bool json)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		fill_all(hostile[i].text);
		for (size_t verb = 0; verb < HELPER_VERBS; verb++)
			check(verb, json, i);
	}
}

TEST("no verb lets a terminal obey a string, and each shows it")
{
	check_all(false);
}

TEST("nor in JSON")
{
	check_all(true);
}

TEST("JSON of hostile strings is JSON, with the same escapes in it")
{
	fill_all("\033[2J\342\200\256\377");
	for (size_t verb = 0; verb < HELPER_VERBS; verb++) {
		char *text = helper_run(verb, true, "an error"), *at = strchr(text, '{');
		struct json_object *out = at ? json_tokener_parse(at) : NULL;

		/* A monitor's end is a second object; the first is the event. */
		TAP_CHECK(false, out, "%s -j: no JSON: %s", helper_verbs[verb].name, text);
		json_object_put(out);
		free(text);
	}
}

TEST("letters of other languages and symbols stay as they are")
{
	char *text;

	fill_all("Lizenz-Schl\303\274ssel \346\227\245\346\234\254 \360\237\224\214");
	text = helper_run(1, false, "");
	EXPECT(strstr(text, "Lizenz-Schl\303\274ssel \346\227\245\346\234\254 \360\237\224\214"));
	EXPECT(!strstr(text, "\\x"));
	free(text);
}

TAP_MAIN
