// SPDX-License-Identifier: GPL-2.0
/*
 * Configurations as `usbpass save` writes them, and as most people do: block lists of block mappings, a key and a scalar a
 * line. What a line means here it means in all YAML; a line that might mean something else declines the whole file.
 */
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "state_yaml.h"

#define VALUE_BYTES	16384
#define KEY_BYTES	32

struct line {
	size_t indent;		/* of the key */
	bool item;		/* "- " stands before the key */
	char key[KEY_BYTES];
	char *value;		/* unquoted, in the scanner's room; NULL: nothing follows the key */
	size_t length;
	bool quoted, empty_list;
};

struct scanner {
	const char *at, *end;	/* the next line */
	struct line line;	/* the one that is looked at */
	bool over, strange;	/* no line is left; it is none of ours */
	char value[VALUE_BYTES];
};

/* Characters that are the same in and out of quotes, and no reader of YAML refuses. */
static size_t character(const char *at)
{
	if (at[0] >= ' ' && at[0] <= '~')
		return 1;
	/* Not U+FFF0 and up: libyaml knows fewer of them than the helper. */
	return at[0] == '\xef' && at[1] == '\xbf' ? 0 : usbpass_names_character(at);
}

static const char *put(struct scanner *scanner, const char *at, size_t n)
{
	struct line *line = &scanner->line;

	if (!n || line->length + n >= VALUE_BYTES)
		return NULL;
	while (n--)
		line->value[line->length++] = *at++;
	return at;
}

/* @at: behind the opening quote. The value's end, NULL: strange. */
static const char *single_quoted(struct scanner *scanner, const char *at)
{
	while (at) {
		if (*at == '\'' && *++at != '\'')
			return at;
		at = put(scanner, at, character(at));
	}
	return NULL;
}

/* @at: behind the backslash. */
static const char *escaped(struct scanner *scanner, const char *at)
{
	static const char from[] = "\"\\nt", to[] = "\"\\\n\t";
	const char *which = *at ? strchr(from, *at) : NULL;

	return which && put(scanner, to + (which - from), 1) ? at + 1 : NULL;
}

static const char *double_quoted(struct scanner *scanner, const char *at)
{
	while (at && *at != '"')
		at = *at == '\\' ? escaped(scanner, at + 1) : put(scanner, at, character(at));
	return at ? at + 1 : NULL;
}

/* Whatever else begins like this is no plain scalar, or ends elsewhere. */
static bool begins_plain(const char *at)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";

	return strchr(first, *at == '-' ? at[1] : *at) && *at && at[1];
}

static const char *plain(struct scanner *scanner, const char *at)
{
	if (!begins_plain(at))
		return NULL;
	while (at && *at != '\n') {
		if (*at == '#' || (*at == ':' && (at[1] == ' ' || at[1] == '\n')) ||
		    (*at == ' ' && at[1] == '\n'))
			return NULL;
		at = put(scanner, at, character(at));
	}
	return at;
}

/* What stands behind the colon, to the line's end. */
static const char *scan_value(struct scanner *scanner, const char *at)
{
	struct line *line = &scanner->line;

	if (*at == '\n')
		return at;
	if (*at++ != ' ')
		return NULL;
	if (at[0] == '[' && at[1] == ']') {
		line->empty_list = true;
		return at + 2;
	}
	line->value = scanner->value;
	line->quoted = *at == '\'' || *at == '"';
	if (*at == '\'')
		at = single_quoted(scanner, at + 1);
	else if (*at == '"')
		at = double_quoted(scanner, at + 1);
	else
		at = plain(scanner, at);
	line->value[line->length] = '\0';
	return at;
}

static const char *scan_key(struct line *line, const char *at)
{
	size_t n = 0;

	while (n < KEY_BYTES - 1 && ((*at >= 'a' && *at <= 'z') || (*at == '-' && n)))
		line->key[n++] = *at++;
	line->key[n] = '\0';
	return n && *at == ':' ? at + 1 : NULL;
}

static bool is_comment(const char *at)
{
	return *at == '#' || *at == '\n';
}

static const char *scan_comment(const char *at)
{
	while (at && *at != '\n') {
		size_t n = character(at);

		at = n ? at + n : NULL;
	}
	return at;
}

/* The text ends with a newline, and a zero byte is strange: nothing here runs past its end. */
static void next(struct scanner *scanner)
{
	struct line *line = &scanner->line;
	const char *at = scanner->at;

	while (at && at < scanner->end && is_comment(at)) {
		at = scan_comment(at);
		at = at ? at + 1 : NULL;
	}
	line->indent = line->length = 0;
	line->value = NULL;
	line->empty_list = false;
	scanner->over = at == scanner->end;
	if (scanner->over)
		return;
	if (at) {
		for (; *at == ' '; at++)
			line->indent++;
		line->item = at[0] == '-' && at[1] == ' ';
		if (line->item) {
			line->indent += 2;
			at += 2;
		}
		at = scan_key(line, at);
	}
	if (at)
		at = scan_value(scanner, at);
	scanner->strange = !at || *at != '\n';
	scanner->over = scanner->strange;
	scanner->at = scanner->strange ? scanner->end : at + 1;
}

static const struct state_field *field_of(const struct state_field *field, const char *key)
{
	while (field->key && (*field->key != *key || strcmp(field->key, key)))
		field++;
	return field->key ? field : NULL;
}

static bool is_complete(const struct state_field *field, uint64_t seen)
{
	for (; field->key; field++)
		if (field->required && !(seen & USBPASS_HAS(field->attr)))
			return false;
	return true;
}

static bool read_value(struct scanner *scanner, const struct state_field *field, void *object,
		       uint64_t *seen)
{
	struct line *line = &scanner->line;

	if (field->type == STATE_MAPPING || !line->value || (*seen & USBPASS_HAS(field->attr)) ||
	    usbpass_state_yaml_value(field, line->value, line->length, line->quoted, object))
		return false;
	*seen |= USBPASS_HAS(field->attr);
	next(scanner);
	return true;
}

/* The mapping of the field, in the lines that are indented more than its key. */
static bool read_mapping(struct scanner *scanner, const struct state_field *field, void *object,
			 uint64_t *seen)
{
	size_t outside = scanner->line.indent, indent;

	if (scanner->line.value || scanner->line.empty_list)
		return false;
	next(scanner);
	indent = scanner->line.indent;
	if (indent <= outside)
		return false;
	while (!scanner->over && scanner->line.indent == indent && !scanner->line.item) {
		const struct state_field *inner = field_of(field->fields, scanner->line.key);

		if (!inner || !read_value(scanner, inner, object, seen))
			return false;
	}
	return scanner->over || scanner->line.indent <= outside;
}

static bool read_object(struct scanner *scanner, const struct state_object *kind, void *object)
{
	const struct state_field *fields = kind->fields;
	size_t indent = scanner->line.indent;
	const struct state_field *mapping = NULL;
	uint64_t seen = 0;

	do {
		const struct state_field *field = field_of(fields, scanner->line.key);

		if (!field || field == mapping)
			return false;
		if (field->type == STATE_MAPPING) {
			mapping = field;
			if (!read_mapping(scanner, field, object, &seen))
				return false;
		} else if (!read_value(scanner, field, object, &seen)) {
			return false;
		}
	} while (!scanner->over && scanner->line.indent == indent && !scanner->line.item);
	*state_has(object) |= seen;
	return is_complete(fields, seen) && state_has_one(kind, seen);
}

static bool make_room(const struct state_object *kind, char **list, size_t n, size_t *room)
{
	size_t more = *room ? 2 * *room : 16;
	char *larger;

	if (n == kind->max)
		return false;
	if (n < *room)
		return true;
	larger = reallocarray(*list, more, kind->size);
	if (!larger)
		return false;
	*list = larger;
	*room = more;
	return true;
}

static bool read_list(struct scanner *scanner, const struct state_object *kind,
		      struct usbpass_state *state)
{
	size_t *count = (size_t *)((char *)state + kind->count), room = 0, indent;
	char **list = (char **)((char *)state + kind->list);
	bool empty = scanner->line.empty_list;

	if (*list || scanner->line.value)
		return false;
	next(scanner);
	if (empty)
		return true;
	if (scanner->over || !scanner->line.item)
		return false;
	indent = scanner->line.indent;
	while (!scanner->over && scanner->line.item) {
		char *object;

		if (scanner->line.indent != indent || !make_room(kind, list, *count, &room))
			return false;
		object = *list + (*count)++ * kind->size;
		memset(object, 0, kind->size);
		if (!read_object(scanner, kind, object))
			return false;
	}
	return true;
}

static bool read_generation(struct scanner *scanner, struct usbpass_state *state)
{
	static const struct state_field field = { .key = "generation", .type = STATE_U32 };
	uint32_t generation;
	uint64_t seen = 0;

	if (!read_value(scanner, &field, &generation, &seen))
		return false;
	state->generation = generation;
	return true;
}

static bool read_top(struct scanner *scanner, struct usbpass_state *state, unsigned int *seen)
{
	const char *key = scanner->line.key;
	unsigned int i = 0;

	if (scanner->line.indent || scanner->line.item)
		return false;
	while (i < STATE_OBJECTS && strcmp(key, usbpass_state_yaml_objects[i].key))
		i++;
	if (*seen & 1u << i)
		return false;
	*seen |= 1u << i;
	if (i < STATE_OBJECTS)
		return read_list(scanner, &usbpass_state_yaml_objects[i], state);
	return !strcmp(key, "generation") && read_generation(scanner, state);
}

bool usbpass_state_yaml_plain(const char *text, size_t size, struct usbpass_state *out)
{
	struct scanner scanner = { .at = text, .end = text + size };
	unsigned int seen = 0;
	bool fits;

	if (!size || text[size - 1] != '\n')
		return false;
	next(&scanner);
	fits = !scanner.over && !strcmp(scanner.line.key, "usbpass") && !scanner.line.indent &&
	       !scanner.line.item && scanner.line.value && !strcmp(scanner.line.value, "1");
	if (fits)
		next(&scanner);
	while (fits && !scanner.over)
		fits = read_top(&scanner, out, &seen);
	if (fits && !scanner.strange)
		return true;
	usbpass_state_free(out);
	return false;
}
