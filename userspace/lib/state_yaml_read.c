// SPDX-License-Identifier: GPL-2.0
/*
 * libyaml's document tree keeps the place of every node, so that each error
 * names line and column, also those of meaning. (libcyaml's schemas take "5x"
 * for 5, "maybe" for true, and give an unknown key the place of the one before.)
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yaml.h>
#include "rule_text.h"
#include "state_yaml.h"

struct reader {
	yaml_document_t document;
	const char *name;
	char *err;
	size_t errsize;
};

static int vfail(struct reader *reader, const yaml_mark_t *mark, int error, const char *format,
		 va_list args)
{
	size_t used = 0;
	int n;

	n = snprintf(reader->err, reader->errsize, "%s:%zu:%zu: ", reader->name, mark->line + 1,
		     mark->column + 1);
	if (n > 0)
		used = (size_t)n < reader->errsize ? (size_t)n : reader->errsize;
	vsnprintf(reader->err + used, reader->errsize - used, format, args);
	return error;
}

__attribute__((format(printf, 4, 5)))
static int fail_at(struct reader *reader, const yaml_mark_t *mark, int error, const char *format,
		   ...)
{
	va_list args;

	va_start(args, format);
	vfail(reader, mark, error, format, args);
	va_end(args);
	return error;
}

__attribute__((format(printf, 4, 5)))
static int fail(struct reader *reader, const yaml_node_t *node, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfail(reader, &node->start_mark, error, format, args);
	va_end(args);
	return error;
}

static yaml_node_t *node_of(struct reader *reader, int index)
{
	return yaml_document_get_node(&reader->document, index);
}

/* The node's text. It may hold NULs; callers who care compare the length. */
static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static bool is_plain(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_empty(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return node->data.sequence.items.start == node->data.sequence.items.top;
	case YAML_MAPPING_NODE:
		return node->data.mapping.pairs.start == node->data.mapping.pairs.top;
	case YAML_SCALAR_NODE:
		return is_plain(node) && (!*text_of(node) || !strcmp(text_of(node), "~") ||
					  !strcmp(text_of(node), "null"));
	default:
		return true;
	}
}

/* A scalar that says something, without a NUL. */
static int check_scalar(struct reader *reader, const char *key, const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE)
		return fail(reader, node, -EINVAL, "'%s' must be a single value", key);
	if (is_empty(node))
		return fail(reader, node, -EINVAL, "'%s' has no value; leave it out, or write \"\"",
			    key);
	if (strlen(text_of(node)) != node->data.scalar.length)
		return fail(reader, node, -EINVAL, "'%s' has a zero byte in it", key);
	return 0;
}

static int read_number(struct reader *reader, const char *key, const yaml_node_t *node,
		       int64_t min, int64_t max, int64_t *out)
{
	const char *text = text_of(node);
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	/* strtoll() also takes blanks and "+" in front. */
	if (errno || *end || end == text || !strchr("-0123456789", *text) || *out < min ||
	    *out > max)
		return fail(reader, node, -EINVAL,
			    "'%s' must be a number from %" PRId64 " to %" PRId64 ", not '%s'", key,
			    min, max, text);
	return 0;
}

static int read_string(struct reader *reader, const struct state_field *field,
		       const yaml_node_t *node, char *at)
{
	if (node->data.scalar.length >= field->size)
		return fail(reader, node, -EINVAL, "'%s' is longer than %zu bytes", field->key,
			    field->size - 1);
	strcpy(at, text_of(node));
	return 0;
}

static int read_text(struct reader *reader, const struct state_field *field,
		     const yaml_node_t *node, char **at)
{
	if (node->data.scalar.length >= field->size)
		return fail(reader, node, -EINVAL, "'%s' is longer than %zu bytes", field->key,
			    field->size - 1);
	*at = strdup(text_of(node));
	return *at ? 0 : fail(reader, node, -ENOMEM, "no memory");
}

static int read_hex(struct reader *reader, const struct state_field *field, const yaml_node_t *node,
		    uint16_t *at)
{
	const char *text = text_of(node);

	if (strlen(text) != 4 || strspn(text, "0123456789abcdefABCDEF") != 4)
		return fail(reader, node, -EINVAL, "'%s' must be four hex digits, not '%s'",
			    field->key, text);
	*at = (uint16_t)strtoul(text, NULL, 16);
	return 0;
}

/* Exactly as it is written: what no clock shows is no time. */
static int read_time(struct reader *reader, const struct state_field *field,
		     const yaml_node_t *node, uint64_t *at)
{
	struct tm tm = {};
	char again[32];
	time_t seconds;

	/* The year's range keeps the text's form. */
	if (sscanf(text_of(node), "%4d-%2d-%2dT%2d:%2d:%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec) == 6 && tm.tm_year >= 1970) {
		tm.tm_year -= 1900;
		tm.tm_mon--;
		seconds = timegm(&tm);
		if (!usbpass_state_yaml_time((uint64_t)seconds, again, sizeof(again)) &&
		    !strcmp(again, text_of(node))) {
			*at = (uint64_t)seconds;
			return 0;
		}
	}
	return fail(reader, node, -EINVAL,
		    "'%s' must be a time in UTC, as 2027-01-31T12:00:00Z, not '%s'", field->key,
		    text_of(node));
}

static int read_bool(struct reader *reader, const struct state_field *field,
		     const yaml_node_t *node, uint8_t *at)
{
	*at = !strcmp(text_of(node), "true");
	if (!*at && strcmp(text_of(node), "false"))
		return fail(reader, node, -EINVAL, "'%s' must be true or false, not '%s'",
			    field->key, text_of(node));
	return 0;
}

static int read_word(struct reader *reader, const struct state_field *field,
		     const yaml_node_t *node, uint8_t *at)
{
	int number = usbpass_words_number(field->words, text_of(node));
	char words[256];

	if (number < 0)
		return fail(reader, node, -EINVAL, "'%s' must be one of %s, not '%s'", field->key,
			    usbpass_words_list(field->words, words, sizeof(words)), text_of(node));
	*at = (uint8_t)number;
	return 0;
}

/* Of UTF-8, as marks count them. */
static size_t characters(const char *text, size_t bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n += (text[i] & 0xc0) != 0x80;
	return n;
}

/* Stands the text in the file as it is, on one line? Every escape is longer than what it means. */
static bool is_verbatim(const yaml_node_t *node)
{
	size_t length = characters(text_of(node), strlen(text_of(node))) + (is_plain(node) ? 0 : 2);

	return node->data.scalar.style != YAML_LITERAL_SCALAR_STYLE &&
	       node->data.scalar.style != YAML_FOLDED_SCALAR_STYLE &&
	       node->start_mark.line == node->end_mark.line &&
	       node->end_mark.column - node->start_mark.column == length;
}

/* The place in the file where that can be told, else in the text that YAML makes of it. */
static int read_match(struct reader *reader, const yaml_node_t *node, struct usbpass_rule *rule)
{
	char err[512] = "";
	int ret = usbpass_rule_text_parse(text_of(node), rule, err, sizeof(err)), prefix = 0;
	yaml_mark_t mark = node->start_mark;
	size_t column;

	if (!ret)
		return 0;
	if (!is_verbatim(node) || sscanf(err, "column %zu: %n", &column, &prefix) != 1 || !prefix)
		return fail(reader, node, ret, "in the text of 'match', %s", err);
	mark.column += characters(text_of(node), column - 1) + (is_plain(node) ? 0 : 1);
	return fail_at(reader, &mark, ret, "in 'match', %s", err + prefix);
}

static int read_scalar(struct reader *reader, const struct state_field *field,
		       const yaml_node_t *node, void *object)
{
	void *at = (char *)object + field->offset;
	int64_t number;
	int ret;

	ret = check_scalar(reader, field->key, node);
	if (ret)
		return ret;
	switch (field->type) {
	case STATE_QUOTED:
	case STATE_HEX:
		if (is_plain(node))
			return fail(reader, node, -EINVAL, "'%s' must stand in quotes: \"%s\"",
				    field->key, text_of(node));
		if (field->type == STATE_HEX)
			return read_hex(reader, field, node, at);
		return read_string(reader, field, node, at);
	case STATE_STRING:
		return read_string(reader, field, node, at);
	case STATE_TEXT:
		return read_text(reader, field, node, at);
	case STATE_BOOL:
		return read_bool(reader, field, node, at);
	case STATE_WORD:
		return read_word(reader, field, node, at);
	case STATE_U32:
		ret = read_number(reader, field->key, node, 0, UINT32_MAX, &number);
		if (!ret)
			*(uint32_t *)at = (uint32_t)number;
		return ret;
	case STATE_S32:
		ret = read_number(reader, field->key, node, INT32_MIN, INT32_MAX, &number);
		if (!ret)
			*(int32_t *)at = (int32_t)number;
		return ret;
	case STATE_TIME:
		return read_time(reader, field, node, at);
	case STATE_MATCH:
		return read_match(reader, node, object);
	case STATE_MAPPING:
		break;
	}
	return -EINVAL;
}

int usbpass_state_yaml_value(const struct state_field *field, char *text, size_t length, bool quoted,
			     void *object)
{
	struct reader reader = { .name = "", .err = (char[1]){}, .errsize = 1 };
	yaml_node_t node = {
		.type = YAML_SCALAR_NODE,
		.data.scalar = {
			.value = (yaml_char_t *)text,
			.length = length,
			.style = quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE,
		},
	};

	return read_scalar(&reader, field, &node, object);
}

/* The key as text, once in its mapping. */
static int read_key(struct reader *reader, const yaml_node_t *mapping, const yaml_node_pair_t *pair,
		    const yaml_node_t **out)
{
	const yaml_node_t *key = node_of(reader, pair->key);

	if (key->type != YAML_SCALAR_NODE)
		return fail(reader, key, -EINVAL, "a key must be a word");
	for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start; other < pair;
	     other++)
		if (!strcmp(text_of(node_of(reader, other->key)), text_of(key)))
			return fail(reader, key, -EINVAL, "'%s' stands here twice", text_of(key));
	*out = key;
	return 0;
}

static int unknown_key(struct reader *reader, const yaml_node_t *key,
		       const struct state_field *field)
{
	char known[256] = "";
	size_t used = 0;

	for (; field->key; field++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 used ? ", " : "", field->key);
	return fail(reader, key, -EINVAL, "unknown key '%s'; known here: %s", text_of(key), known);
}

/* Recursion ends with the tables: a mapping's fields are scalars. */
// NOLINTNEXTLINE(misc-no-recursion)
static int read_fields(struct reader *reader, const struct state_field *fields, const char *noun,
		       const yaml_node_t *node, void *object, uint64_t *seen)
{
	int ret;

	if (node->type != YAML_MAPPING_NODE)
		return fail(reader, node, -EINVAL, "%s must be keys with values", noun);
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		const struct state_field *field = fields;
		const yaml_node_t *key, *value = node_of(reader, pair->value);

		ret = read_key(reader, node, pair, &key);
		if (ret)
			return ret;
		while (field->key && strcmp(field->key, text_of(key)))
			field++;
		if (!field->key)
			return unknown_key(reader, key, fields);
		if (field->type == STATE_MAPPING) {
			ret = read_fields(reader, field->fields, field->key, value, object, seen);
		} else {
			ret = read_scalar(reader, field, value, object);
			*seen |= USBPASS_HAS(field->attr);
		}
		if (ret)
			return ret;
	}
	for (const struct state_field *field = fields; field->key; field++)
		if (field->required && !(*seen & USBPASS_HAS(field->attr)))
			return fail(reader, node, -EINVAL, "%s lacks '%s'", noun, field->key);
	return 0;
}

static int read_list(struct reader *reader, const struct state_object *kind,
		     const yaml_node_t *node, struct usbpass_state *state)
{
	size_t *count = (size_t *)((char *)state + kind->count), n;
	char **list = (char **)((char *)state + kind->list), noun[32];
	int ret;

	if (is_empty(node))
		return 0;
	if (node->type != YAML_SEQUENCE_NODE)
		return fail(reader, node, -EINVAL, "'%s' must be a list", kind->key);
	n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (n > kind->max)
		return fail(reader, node, -EINVAL, "'%s' has %zu entries, more than %zu", kind->key,
			    n, kind->max);
	*list = calloc(n, kind->size);
	if (!*list)
		return fail(reader, node, -ENOMEM, "no memory");
	snprintf(noun, sizeof(noun), "a %s", kind->noun);
	for (size_t i = 0; i < n; i++) {
		void *object = *list + i * kind->size;
		uint64_t seen = 0;

		(*count)++;	/* it may own something already, also when it fails */
		ret = read_fields(reader, kind->fields, *kind->noun == 'a' ? "an attachment" : noun,
				  node_of(reader, node->data.sequence.items.start[i]), object,
				  &seen);
		if (ret)
			return ret;
		if (!state_has_one(kind, seen))
			return fail(reader, node_of(reader, node->data.sequence.items.start[i]), -EINVAL,
				    "%s needs one of %s", noun, kind->these);
		*state_has(object) |= seen;
	}
	return 0;
}

static const yaml_node_t *find(struct reader *reader, const yaml_node_t *mapping, const char *name)
{
	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_of(reader, pair->key);

		if (key->type == YAML_SCALAR_NODE && !strcmp(text_of(key), name))
			return node_of(reader, pair->value);
	}
	return NULL;
}

/* Before anything else: what a newer file holds is not ours to call wrong. */
static int check_schema(struct reader *reader, const yaml_node_t *root)
{
	const yaml_node_t *node;
	int64_t schema;
	int ret;

	if (root->type != YAML_MAPPING_NODE)
		return fail(reader, root, -EINVAL, "not a configuration of usbpass");
	node = find(reader, root, "usbpass");
	if (!node)
		return fail(reader, root, -EINVAL,
			    "not a configuration of usbpass: it lacks the line 'usbpass: %d'",
			    STATE_YAML_SCHEMA);
	ret = check_scalar(reader, "usbpass", node);
	if (!ret)
		ret = read_number(reader, "usbpass", node, 1, INT32_MAX, &schema);
	if (!ret && schema > STATE_YAML_SCHEMA)
		ret = fail(reader, node, -EOPNOTSUPP,
			   "written for usbpass: %" PRId64 ", this one reads up to usbpass: %d; it needs a newer usbpass",
			   schema, STATE_YAML_SCHEMA);
	return ret;
}

static int read_top(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value,
		    struct usbpass_state *state)
{
	const char *name = text_of(key);
	int64_t generation = 0;
	int ret;

	if (!strcmp(name, "usbpass"))
		return 0;
	if (!strcmp(name, "generation")) {
		ret = check_scalar(reader, name, value);
		if (!ret)
			ret = read_number(reader, name, value, 0, INT64_MAX, &generation);
		state->generation = (uint64_t)generation;
		return ret;
	}
	for (size_t i = 0; i < STATE_OBJECTS; i++)
		if (!strcmp(name, usbpass_state_yaml_objects[i].key))
			return read_list(reader, &usbpass_state_yaml_objects[i], value, state);
	for (size_t i = 0; i < STATE_LATER; i++) {
		if (strcmp(name, usbpass_state_yaml_later[i]))
			continue;
		if (is_empty(value))
			return 0;
		return fail(reader, key, -EOPNOTSUPP, "'%s' needs a newer usbpass", name);
	}
	return fail(reader, key, -EINVAL,
		    "unknown key '%s'; known here: usbpass, generation, groups, rules, tenants, assignments, attachments, learned",
		    name);
}

static int read_document(struct reader *reader, struct usbpass_state *state)
{
	const yaml_node_t *root = yaml_document_get_root_node(&reader->document);
	int ret;

	if (!root) {
		snprintf(reader->err, reader->errsize, "%s: empty; a configuration begins with 'usbpass: %d'",
			 reader->name, STATE_YAML_SCHEMA);
		return -EINVAL;
	}
	ret = check_schema(reader, root);
	for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     !ret && pair < root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key;

		ret = read_key(reader, root, pair, &key);
		if (!ret)
			ret = read_top(reader, key, node_of(reader, pair->value), state);
	}
	return ret;
}

static int syntax_error(const struct reader *reader, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR) {
		snprintf(reader->err, reader->errsize, "%s: no memory", reader->name);
		return -ENOMEM;
	}
	/* The reader of bytes knows only an offset. */
	if (parser->error == YAML_READER_ERROR)
		snprintf(reader->err, reader->errsize, "%s: byte %zu: %s", reader->name,
			 parser->problem_offset, parser->problem);
	else
		snprintf(reader->err, reader->errsize, "%s:%zu:%zu: not YAML: %s%s%s", reader->name,
			 parser->problem_mark.line + 1, parser->problem_mark.column + 1,
			 parser->context ? parser->context : "", parser->context ? ", " : "",
			 parser->problem ? parser->problem : "");
	return -EINVAL;
}

static int read_tree(const char *text, size_t size, struct reader *reader, struct usbpass_state *out)
{
	yaml_parser_t parser;
	int ret;

	if (!yaml_parser_initialize(&parser)) {
		snprintf(reader->err, reader->errsize, "%s: no memory", reader->name);
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (yaml_parser_load(&parser, &reader->document)) {
		ret = read_document(reader, out);
		yaml_document_delete(&reader->document);
	} else {
		ret = syntax_error(reader, &parser);
	}
	yaml_parser_delete(&parser);
	return ret;
}

/* All of the file, of which libyaml would keep several times as much. */
static int read_text_of(FILE *file, struct reader *reader, char **text, size_t *size)
{
	size_t room = 0;

	*text = NULL;
	*size = 0;
	do {
		char *larger;

		if (room == STATE_YAML_BYTES_MAX) {
			snprintf(reader->err, reader->errsize, "%s: %d MiB or more are no configuration",
				 reader->name, STATE_YAML_BYTES_MAX >> 20);
			return -E2BIG;
		}
		room = room ? 2 * room : 65536;
		larger = realloc(*text, room);
		if (!larger) {
			snprintf(reader->err, reader->errsize, "%s: no memory", reader->name);
			return -ENOMEM;
		}
		*text = larger;
		*size += fread(*text + *size, 1, room - *size, file);
	} while (*size == room);
	if (!ferror(file))
		return 0;
	snprintf(reader->err, reader->errsize, "%s: %s", reader->name, strerror(errno));
	return -EINVAL;
}

int usbpass_state_yaml_read(FILE *file, const char *name, struct usbpass_state *out, char *err,
			    size_t errsize)
{
	struct reader reader = { .name = name, .err = err, .errsize = errsize };
	size_t size;
	char *text;
	int ret = read_text_of(file, &reader, &text, &size);

	if (!ret && !usbpass_state_yaml_plain(text, size, out))
		ret = read_tree(text, size, &reader, out);
	free(text);
	return ret;
}
