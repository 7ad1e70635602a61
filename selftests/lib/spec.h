/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netlink family as uapi/usbpass.yaml tells it: commands, and attribute sets with the types of their members.
 *
 *	struct spec *spec = spec_load("../uapi/usbpass.yaml");		(NULL: it cannot be read, or is no such file)
 *	const struct spec_set *top = &spec->sets[0];			(sets[0] is that of the commands)
 *	const char *wrong = spec_wrong(spec, top, attributes, len);	(NULL: all as the file says)
 *
 * Values are by order, from 1, as in the header's enums.
 */
#ifndef SPEC_H
#define SPEC_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define SPEC_MEMBERS 64

enum spec_type { SPEC_PAD, SPEC_U8, SPEC_U16, SPEC_U32, SPEC_S32, SPEC_U64, SPEC_STRING, SPEC_BINARY, SPEC_NEST };

struct spec_member {
	char name[40];
	enum spec_type type;
	int set;		/* of a nest: where in sets */
	uint32_t enum_end;	/* of an enum: one past its last value; of flags: all of them; 0: any number */
};

struct spec_set {
	char name[40];
	struct spec_member members[SPEC_MEMBERS];	/* from 1 */
	int last;
};

struct spec_command {
	char name[40];
	bool does, dumps;
	int request[8], n_request;	/* members of sets[0] */
};

struct spec {
	struct spec_set sets[16];
	int n_sets;
	struct spec_command commands[SPEC_MEMBERS];	/* from 1 */
	int last_command;
};

static inline yaml_node_t *spec_get(yaml_document_t *doc, yaml_node_t *map, const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++)
		if (!strcmp((char *)yaml_document_get_node(doc, pair->key)->data.scalar.value, key))
			return yaml_document_get_node(doc, pair->value);
	return NULL;
}

static inline const char *spec_text(yaml_document_t *doc, yaml_node_t *map, const char *key)
{
	yaml_node_t *node = spec_get(doc, map, key);

	return node && node->type == YAML_SCALAR_NODE ? (char *)node->data.scalar.value : "";
}

/* The @i-th of a list, NULL: there are not so many. */
static inline yaml_node_t *spec_at(yaml_document_t *doc, yaml_node_t *list, int i)
{
	if (!list || list->type != YAML_SEQUENCE_NODE || list->data.sequence.items.start + i >= list->data.sequence.items.top)
		return NULL;
	return yaml_document_get_node(doc, list->data.sequence.items.start[i]);
}

static inline int spec_find_set(yaml_document_t *doc, yaml_node_t *sets, const char *name)
{
	yaml_node_t *set;

	for (int i = 0; (set = spec_at(doc, sets, i)); i++)
		if (!strcmp(spec_text(doc, set, "name"), name))
			return i;
	return -1;
}

static inline uint32_t spec_enum_end(yaml_document_t *doc, yaml_node_t *root, const char *name)
{
	yaml_node_t *list = spec_get(doc, root, "definitions"), *def;
	int n = 0;

	for (int i = 0; (def = spec_at(doc, list, i)); i++) {
		if (strcmp(spec_text(doc, def, "name"), name))
			continue;
		while (spec_at(doc, spec_get(doc, def, "entries"), n))
			n++;
		return !strcmp(spec_text(doc, def, "type"), "flags") ? (1U << n) - 1 : n + strtoul(spec_text(doc, def, "value-start"), NULL, 0);
	}
	return 0;
}

static inline bool spec_load_member(yaml_document_t *doc, yaml_node_t *root, yaml_node_t *node, struct spec_member *member)
{
	static const char *const types[] = {"pad", "u8", "u16", "u32", "s32", "u64", "string", "binary", "nest"};
	const char *type = spec_text(doc, node, "type");
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types) && strcmp(types[i], type); i++)
		;
	if (i == sizeof(types) / sizeof(*types))
		return false;
	member->type = i;
	snprintf(member->name, sizeof(member->name), "%s", spec_text(doc, node, "name"));
	member->enum_end = spec_enum_end(doc, root, spec_text(doc, node, "enum"));
	if (member->type != SPEC_NEST)
		return true;
	member->set = spec_find_set(doc, spec_get(doc, root, "attribute-sets"), spec_text(doc, node, "nested-attributes"));
	return member->set >= 0;
}

static inline bool spec_load_sets(yaml_document_t *doc, yaml_node_t *root, struct spec *spec)
{
	yaml_node_t *sets = spec_get(doc, root, "attribute-sets"), *node, *member;

	for (; (node = spec_at(doc, sets, spec->n_sets)); spec->n_sets++) {
		struct spec_set *set;
		yaml_node_t *members = spec_get(doc, node, "attributes");

		if (spec->n_sets == 16)
			return false;
		set = &spec->sets[spec->n_sets];
		snprintf(set->name, sizeof(set->name), "%s", spec_text(doc, node, "name"));
		while ((member = spec_at(doc, members, set->last))) {
			if (set->last + 1 == SPEC_MEMBERS || !spec_load_member(doc, root, member, &set->members[set->last + 1]))
				return false;
			set->last++;
		}
	}
	return spec->n_sets > 0;
}

static inline bool spec_load_commands(yaml_document_t *doc, yaml_node_t *root, struct spec *spec)
{
	yaml_node_t *list = spec_get(doc, spec_get(doc, root, "operations"), "list"), *node, *names, *name;
	const struct spec_set *top = &spec->sets[0];

	for (int i = 0; (node = spec_at(doc, list, i)); i++) {
		struct spec_command *command;
		int member;

		if (i + 1 == SPEC_MEMBERS)
			return false;
		command = &spec->commands[i + 1];
		spec->last_command = i + 1;
		snprintf(command->name, sizeof(command->name), "%s", spec_text(doc, node, "name"));
		command->does = spec_get(doc, node, "do");
		command->dumps = spec_get(doc, node, "dump");
		names = spec_get(doc, spec_get(doc, spec_get(doc, node, command->does ? "do" : "dump"), "request"), "attributes");
		for (int j = 0; j < 8 && (name = spec_at(doc, names, j)); j++) {
			for (member = 1; member <= top->last && strcmp(top->members[member].name, (char *)name->data.scalar.value); member++)
				;
			if (member > top->last)
				return false;
			command->request[command->n_request++] = member;
		}
	}
	return spec->last_command > 0;
}

static inline struct spec *spec_load(const char *path)
{
	struct spec *spec = calloc(1, sizeof(*spec));
	FILE *file = fopen(path, "r");
	yaml_parser_t parser;
	yaml_document_t doc;
	bool good = false;

	if (spec && file && yaml_parser_initialize(&parser)) {
		yaml_parser_set_input_file(&parser, file);
		if (yaml_parser_load(&parser, &doc)) {
			yaml_node_t *root = yaml_document_get_root_node(&doc);

			good = spec_load_sets(&doc, root, spec) && spec_load_commands(&doc, root, spec);
			yaml_document_delete(&doc);
		}
		yaml_parser_delete(&parser);
	}
	if (file)
		fclose(file);
	if (!good) {
		free(spec);
		spec = NULL;
	}
	return spec;
}

/* What is not as the file says in the attributes of a message; NULL: nothing. */
static inline const char *spec_wrong(const struct spec *spec, const struct spec_set *set, const uint8_t *data, size_t len)
{
	static const uint8_t sizes[] = {[SPEC_PAD] = 0, [SPEC_U8] = 1, [SPEC_U16] = 2, [SPEC_U32] = 4, [SPEC_S32] = 4, [SPEC_U64] = 8};
	static _Thread_local char text[160];

	while (len) {
		struct nlattr attr;
		const struct spec_member *member;
		const uint8_t *value = data + NLA_HDRLEN;
		const char *why = NULL;
		size_t size, step;

		if (len < NLA_HDRLEN)
			return "bytes after the last attribute";
		memcpy(&attr, data, sizeof(attr));
		if (attr.nla_len < NLA_HDRLEN || (size_t)attr.nla_len > len)
			return "an attribute's length";
		size = attr.nla_len - NLA_HDRLEN;
		if (!(attr.nla_type & NLA_TYPE_MASK) || (attr.nla_type & NLA_TYPE_MASK) > set->last) {
			snprintf(text, sizeof(text), "%s: unknown attribute %u", set->name, attr.nla_type);
			return text;
		}
		member = &set->members[attr.nla_type & NLA_TYPE_MASK];
		if (member->type == SPEC_NEST) {
			why = attr.nla_type & NLA_F_NESTED ? spec_wrong(spec, &spec->sets[member->set], value, size) : "a nest without its flag";
			if (why)
				return why;
		} else if (member->type != SPEC_BINARY && (member->type == SPEC_STRING ? !size || value[size - 1] || memchr(value, 0, size - 1) : size != sizes[member->type])) {
			snprintf(text, sizeof(text), "%s.%s: %zu bytes, or not one string", set->name, member->name, size);
			return text;
		}
		step = NLA_ALIGN(attr.nla_len);
		step = step < len ? step : len;
		data += step;
		len -= step;
	}
	return NULL;
}

#endif
