// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yaml.h>
#include "rule_text.h"
#include "state_yaml.h"

/* The first failure stays; after it nothing more is written. */
struct writer {
	yaml_emitter_t emitter;
	int error;
};

static void emit(struct writer *writer, yaml_event_t *event, int made)
{
	if (writer->error) {
		if (made)
			yaml_event_delete(event);
	} else if (!made) {
		writer->error = -ENOMEM;
	} else if (!yaml_emitter_emit(&writer->emitter, event)) {
		writer->error = writer->emitter.error == YAML_MEMORY_ERROR ? -ENOMEM : -EIO;
	}
}

static void scalar(struct writer *writer, const char *value, yaml_scalar_style_t style)
{
	yaml_event_t event;

	emit(writer, &event, yaml_scalar_event_initialize(&event, NULL, NULL,
							  (const yaml_char_t *)value,
							  (int)strlen(value), 1, 1, style));
}

static void plain(struct writer *writer, const char *value)
{
	scalar(writer, value, YAML_PLAIN_SCALAR_STYLE);
}

static void quoted(struct writer *writer, const char *value)
{
	scalar(writer, value, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void begin_mapping(struct writer *writer)
{
	yaml_event_t event;

	emit(writer, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
								 YAML_BLOCK_MAPPING_STYLE));
}

static void end_mapping(struct writer *writer)
{
	yaml_event_t event;

	emit(writer, &event, yaml_mapping_end_event_initialize(&event));
}

static void match(struct writer *writer, const struct usbpass_rule *rule)
{
	char *text = usbpass_rule_text_print(rule);

	if (!text) {
		writer->error = -ENOMEM;
		return;
	}
	/* Single quotes: the text has double ones of its own. */
	scalar(writer, text, YAML_SINGLE_QUOTED_SCALAR_STYLE);
	free(text);
}

int usbpass_state_yaml_time(uint64_t seconds, char *buf, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (seconds > INT64_MAX || !gmtime_r(&when, &tm) || tm.tm_year > 9999 - 1900 ||
	    !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return -ERANGE;
	return 0;
}

static void value(struct writer *writer, const struct state_field *field, const void *object)
{
	const char *at = (const char *)object + field->offset;
	char buf[32] = "";

	switch (field->type) {
	case STATE_STRING:
	case STATE_QUOTED:
		quoted(writer, at);
		return;
	case STATE_TEXT:
		quoted(writer, *(const char *const *)at);
		return;
	case STATE_HEX:
		snprintf(buf, sizeof(buf), "%04x", *(const uint16_t *)at);
		quoted(writer, buf);
		return;
	case STATE_BOOL:
		plain(writer, *(const uint8_t *)at ? "true" : "false");
		return;
	case STATE_WORD:
		plain(writer, usbpass_words_word(field->words, *(const uint8_t *)at));
		return;
	case STATE_U32:
		snprintf(buf, sizeof(buf), "%" PRIu32, *(const uint32_t *)at);
		plain(writer, buf);
		return;
	case STATE_S32:
		snprintf(buf, sizeof(buf), "%" PRId32, *(const int32_t *)at);
		plain(writer, buf);
		return;
	case STATE_TIME:
		if (usbpass_state_yaml_time(*(const uint64_t *)at, buf, sizeof(buf)))
			writer->error = -EIO;
		plain(writer, buf);
		return;
	case STATE_MATCH:
		match(writer, object);
		return;
	case STATE_MAPPING:
		break;
	}
}

static bool present(const struct state_field *field, const void *object)
{
	if (field->type != STATE_MAPPING)
		return *(const uint64_t *)object & USBPASS_HAS(field->attr);
	for (field = field->fields; field->key; field++)
		if (present(field, object))
			return true;
	return false;
}

static void fields(struct writer *writer, const struct state_field *field, const void *object)
{
	begin_mapping(writer);
	for (; field->key; field++) {
		if (!present(field, object))
			continue;
		plain(writer, field->key);
		if (field->type == STATE_MAPPING)
			fields(writer, field->fields, object);
		else
			value(writer, field, object);
	}
	end_mapping(writer);
}

static void list(struct writer *writer, const struct state_object *kind,
		 const struct usbpass_state *state)
{
	const char *first = *(char *const *)((const char *)state + kind->list);
	size_t n = *(const size_t *)((const char *)state + kind->count);
	yaml_event_t event;

	if (!n && kind->state)
		return;
	plain(writer, kind->key);
	emit(writer, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
								  n ? YAML_BLOCK_SEQUENCE_STYLE :
								      YAML_FLOW_SEQUENCE_STYLE));
	for (size_t i = 0; i < n && !writer->error; i++)
		fields(writer, kind->fields, first + i * kind->size);
	emit(writer, &event, yaml_sequence_end_event_initialize(&event));
}

static void document(struct writer *writer, const struct usbpass_state *state)
{
	yaml_event_t event;
	char number[32];

	emit(writer, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(writer, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	begin_mapping(writer);
	plain(writer, "usbpass");
	snprintf(number, sizeof(number), "%d", STATE_YAML_SCHEMA);
	plain(writer, number);
	if (state->generation) {
		plain(writer, "generation");
		snprintf(number, sizeof(number), "%" PRIu64, state->generation);
		plain(writer, number);
	}
	for (size_t i = 0; i < STATE_OBJECTS; i++)
		list(writer, &usbpass_state_yaml_objects[i], state);
	end_mapping(writer);
	emit(writer, &event, yaml_document_end_event_initialize(&event, 1));
	emit(writer, &event, yaml_stream_end_event_initialize(&event));
}

int usbpass_state_yaml_write(FILE *file, const struct usbpass_state *state)
{
	struct writer writer = {};

	if (!yaml_emitter_initialize(&writer.emitter))
		return -ENOMEM;
	yaml_emitter_set_output_file(&writer.emitter, file);
	yaml_emitter_set_unicode(&writer.emitter, 1);
	yaml_emitter_set_width(&writer.emitter, -1);
	document(&writer, state);
	yaml_emitter_delete(&writer.emitter);
	if (!writer.error && (fflush(file) || ferror(file)))
		writer.error = -EIO;
	return writer.error;
}
