/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The YAML form of a configuration, as tables that both ways share: which key
 * of which object is which field of its struct. Between the state_yaml*.c only.
 */
#ifndef _LIBUSBPASS_STATE_YAML_H
#define _LIBUSBPASS_STATE_YAML_H

#include <stdio.h>
#include "state.h"

#define STATE_YAML_SCHEMA	1
#define STATE_YAML_BYTES_MAX	(256 << 20)	/* many times what USBPASS_STAGE_BYTES_MAX lets in force */

enum state_type {
	STATE_STRING,		/* char[size] */
	STATE_QUOTED,		/* the same; never a plain scalar, which other tools take for a number */
	STATE_TEXT,		/* char *, at most size - 1 bytes */
	STATE_HEX,		/* uint16_t, four hex digits in quotes */
	STATE_BOOL,		/* uint8_t */
	STATE_WORD,		/* uint8_t, one of enum usbpass_words */
	STATE_U32,
	STATE_S32,
	STATE_TIME,		/* uint64_t seconds of CLOCK_REALTIME, RFC 3339 in UTC */
	STATE_MATCH,		/* the rule's conditions, as rule_text.h */
	STATE_MAPPING,		/* more fields of the same object */
};

struct state_field {
	const char *key;	/* NULL ends a table */
	enum state_type type;
	uint8_t attr;		/* its bit in `has` */
	bool required;
	enum usbpass_words words;
	size_t offset, size;
	const struct state_field *fields;	/* of MAPPING */
};

/* Objects begin with their `has`. */
struct state_object {
	const char *key, *noun;	/* "groups", "group" */
	size_t size;
	size_t list, count;	/* offsets in struct usbpass_state */
	size_t max;
	const struct state_field *fields;
	uint64_t one_of;	/* bits of `has`, one of which must be there; 0: none need */
	const char *these;	/* what they are, for messages */
	bool state;		/* no configuration: not written where there is none */
};

#define STATE_OBJECTS	4

extern const struct state_object usbpass_state_yaml_objects[STATE_OBJECTS];

/* Top-level keys of later versions; they may be there, and empty. */
#define STATE_LATER	2

extern const char *const usbpass_state_yaml_later[STATE_LATER];

static inline uint64_t *state_has(void *object)
{
	return object;
}

static inline bool state_has_one(const struct state_object *kind, uint64_t seen)
{
	seen &= kind->one_of;
	return !kind->one_of || (seen && !(seen & (seen - 1)));
}

/* @name is for messages. As usbpass_state_load(). */
int usbpass_state_yaml_read(FILE *file, const char *name, struct usbpass_state *out, char *err,
			    size_t errsize);

/*
 * The same of text that has the form of usbpass_state_yaml_write()'s, or nearly so: many times as
 * fast as a parser of all YAML, to whom falls what this one declines, and with that all that is wrong.
 * Return: whether it was of that form; @out is else empty.
 */
bool usbpass_state_yaml_plain(const char *text, size_t size, struct usbpass_state *out);

/* One value of the field, into its object. Negative: it has not this value. */
int usbpass_state_yaml_value(const struct state_field *field, char *text, size_t length, bool quoted,
			     void *object);

/* Seconds as STATE_TIME is written. -ERANGE: of no year from 1970 to 9999. */
int usbpass_state_yaml_time(uint64_t seconds, char *buf, size_t size);

/* 0, -ENOMEM, or -EIO: the stream's error, or something that YAML cannot carry. */
int usbpass_state_yaml_write(FILE *file, const struct usbpass_state *state);

#endif /* _LIBUSBPASS_STATE_YAML_H */
