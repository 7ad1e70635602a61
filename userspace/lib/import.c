// SPDX-License-Identifier: GPL-2.0
/* What the importers share: a configuration that grows, and remarks. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "import_private.h"
#include "names.h"

#define EXCERPT		96	/* bytes of the source in a remark */
#define DESCRIPTION	200	/* and in a description */

void import_begin(struct importer *importer, const struct usbpass_import_options *options,
		  struct usbpass_import *out, char *err, size_t errsize)
{
	memset(out, 0, sizeof(*out));
	*importer = (struct importer){
		.options = options, .out = out, .err = err, .errsize = errsize,
	};
	if (errsize)
		err[0] = '\0';
}

int import_end(struct importer *importer)
{
	free(importer->made);
	return importer->error;
}

void import_fail(struct importer *importer, int error, unsigned int line, const char *format, ...)
{
	size_t used = 0;
	va_list args;

	if (importer->error)
		return;
	importer->error = error;
	if (line)
		used = (size_t)snprintf(importer->err, importer->errsize, "line %u: ", line);
	if (used >= importer->errsize)
		return;
	va_start(args, format);
	vsnprintf(importer->err + used, importer->errsize - used, format, args);
	va_end(args);
}

/* Room for one more, zeroed. NULL: no memory. */
static void *grow(struct importer *importer, void *list, size_t *n, size_t *room, size_t size)
{
	char **at = list, *more;

	if (importer->error)
		return NULL;
	if (*n == *room) {
		size_t wanted = *room ? *room * 2 : 16;

		more = reallocarray(*at, wanted, size);
		if (!more) {
			import_fail(importer, -ENOMEM, 0, "no memory");
			return NULL;
		}
		*at = more;
		*room = wanted;
	}
	return memset(*at + (*n)++ * size, 0, size);
}

const char *import_quote(const char *text, size_t len, char *buf, size_t size)
{
	static const char more[] = "...", nul[] = "\\x00";
	size_t used = 0;

	while (len) {
		char piece[256];
		size_t n = strnlen(text, len < sizeof(piece) ? len : sizeof(piece) - 1);

		/* A character that the end of the piece would cut stays for the next one. */
		while (n > 1 && n < len && n == sizeof(piece) - 1 && (text[n] & 0xc0) == 0x80)
			n--;
		if (!n) {
			if (used + sizeof(nul) + sizeof(more) > size)
				break;
			used += (size_t)sprintf(buf + used, "%s", nul);
			n = 1;
		} else {
			char quoted[4 * sizeof(piece)];

			memcpy(piece, text, n);
			piece[n] = '\0';
			usbpass_names_safe(piece, quoted, sizeof(quoted));
			if (used + strlen(quoted) + sizeof(more) > size) {
				usbpass_names_safe(piece, buf + used, size - used - sizeof(more));
				used += strlen(buf + used);
				break;
			}
			used += (size_t)sprintf(buf + used, "%s", quoted);
		}
		text += n;
		len -= n;
	}
	strcpy(buf + used, len ? more : "");
	return buf;
}

void import_remark(struct importer *importer, enum usbpass_import_kind kind,
		   const struct import_place *place, const char *format, ...)
{
	struct usbpass_import *out = importer->out;
	struct usbpass_import_remark *remark;
	char excerpt[EXCERPT + 8], why[1024];
	va_list args;

	remark = grow(importer, &out->remarks, &out->n_remarks, &importer->remarks,
		      sizeof(*remark));
	if (!remark)
		return;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	remark->kind = kind;
	remark->line = place->line;
	remark->column = place->column;
	out->counts[kind]++;
	import_quote(place->text, place->len, excerpt, EXCERPT);
	if (asprintf(&remark->text, "%s%s%s", excerpt, *excerpt ? ": " : "", why) < 0) {
		remark->text = NULL;
		import_fail(importer, -ENOMEM, 0, "no memory");
	}
}

bool import_line(const char **text, size_t *size, struct import_place *line)
{
	const char *end;

	if (!*size)
		return false;
	end = memchr(*text, '\n', *size);
	line->text = *text;
	line->len = end ? (size_t)(end - *text) : *size;
	line->line++;
	line->column = 1;
	*size -= line->len + (end ? 1 : 0);
	*text += line->len + (end ? 1 : 0);
	if (line->len && line->text[line->len - 1] == '\r')
		line->len--;
	return true;
}

static size_t max_rules(const struct importer *importer)
{
	return importer->options->max_rules ? importer->options->max_rules : USBPASS_RULES_MAX;
}

bool import_count(struct importer *importer, struct import_place *place)
{
	if (importer->out->rules < max_rules(importer)) {
		place->rule = (unsigned int)++importer->out->rules;
		return !importer->error;
	}
	import_fail(importer, -E2BIG, place->line,
		    "the source has more than %zu rules, which is the most that usbpass keeps",
		    max_rules(importer));
	return false;
}

/* ---- conditions ---- */

static void add(struct import_conds *conds, struct usbpass_cond cond)
{
	if (conds->n == USBPASS_CONDS_MAX)
		conds->overflow = true;
	else
		conds->conds[conds->n++] = cond;
}

void import_number(struct import_conds *conds, uint8_t field, uint8_t op, uint32_t number)
{
	add(conds, (struct usbpass_cond){ .field = field, .op = op, .number = number });
}

void import_string(struct import_conds *conds, uint8_t field, uint8_t op, const char *string)
{
	add(conds, (struct usbpass_cond){ .field = field, .op = op, .string = (char *)string });
}

void import_class(struct import_conds *conds, uint8_t field, uint8_t quantifier, uint32_t class,
		  uint32_t mask)
{
	add(conds, (struct usbpass_cond){
		.field = field, .op = USBPASS_OP_EQ, .quantifier = quantifier,
		.number = class & mask, .mask = mask,
	});
}

/* ---- objects ---- */

const char *import_group_name(const struct importer *importer)
{
	return importer->options->group ? importer->options->group : USBPASS_IMPORT_GROUP;
}

/* How many rules that of the source has become, with one more. 0: no memory. */
static unsigned int count_made(struct importer *importer, unsigned int rule)
{
	unsigned int *more;

	if (rule >= importer->n_made) {
		size_t wanted = rule < 64 ? 128 : (size_t)rule * 2;

		more = reallocarray(importer->made, wanted, sizeof(*more));
		if (!more) {
			import_fail(importer, -ENOMEM, 0, "no memory");
			return 0;
		}
		memset(more + importer->n_made, 0, (wanted - importer->n_made) * sizeof(*more));
		importer->made = more;
		importer->n_made = wanted;
	}
	return ++importer->made[rule];
}

/* What no rule of the source says has no line, and a tag unless it is the default. */
static void name_rule(struct importer *importer, struct usbpass_rule *rule,
		      const struct import_place *place)
{
	const char *prefix = importer->options->prefix ? importer->options->prefix :
			     USBPASS_IMPORT_GROUP;
	unsigned int n = place->tag ? 1 : count_made(importer, place->rule);
	char line[24] = "-default", end[48];

	if (place->line)
		snprintf(line, sizeof(line), "-%u", importer->by_rule ? place->rule : place->line);
	else if (place->tag)
		snprintf(line, sizeof(line), "-%s", place->tag);
	if (n > 1)
		snprintf(end, sizeof(end), "%s.%u", line, n);
	else
		snprintf(end, sizeof(end), "%s", line);
	snprintf(rule->name, sizeof(rule->name), "%.*s%s", (int)(USBPASS_NAME_MAX - strlen(end)),
		 prefix, end);
}

static void describe(struct importer *importer, struct usbpass_rule *rule,
		     const struct import_place *place)
{
	char text[DESCRIPTION];

	import_quote(place->text, place->len, text, sizeof(text));
	if (!*text)
		return;
	rule->description = strdup(text);
	rule->has |= USBPASS_HAS(USBPASS_A_RULE_DESCRIPTION);
	if (!rule->description)
		import_fail(importer, -ENOMEM, 0, "no memory");
}

static void fill_conds(struct importer *importer, struct usbpass_rule *rule,
		       const struct import_conds *conds)
{
	static const struct import_conds every = {
		.n = 1, .conds = { { .field = USBPASS_FIELD_ANY, .op = USBPASS_OP_EQ } },
	};

	if (!conds->n)
		conds = &every;
	for (size_t i = 0; i < conds->n; i++)
		if (usbpass_rule_add_cond(rule, &conds->conds[i]) < 0)
			import_fail(importer, -ENOMEM, 0, "no memory");
}

void import_rule(struct importer *importer, const struct import_place *place, uint8_t action,
		 const char *group, const struct import_conds *conds)
{
	struct usbpass_state *state = &importer->out->state;
	struct usbpass_rule *rule;

	if (state->n_rules >= max_rules(importer)) {
		import_fail(importer, -E2BIG, place->line,
			    "with this line they become more than %zu rules, which is the most that usbpass keeps",
			    max_rules(importer));
		return;
	}
	if (group)
		import_group(importer, group);
	rule = grow(importer, &state->rules, &state->n_rules, &importer->rules, sizeof(*rule));
	if (!rule)
		return;
	rule->action = action;
	rule->has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION);
	if (group) {
		snprintf(rule->group, sizeof(rule->group), "%s", group);
		rule->has |= USBPASS_HAS(USBPASS_A_RULE_GROUP);
	}
	name_rule(importer, rule, place);
	describe(importer, rule, place);
	fill_conds(importer, rule, conds);
}

void import_group(struct importer *importer, const char *name)
{
	struct usbpass_state *state = &importer->out->state;
	struct usbpass_group *group;

	/* Of all but libvirt there is one, and there the last is the likeliest. */
	for (size_t i = state->n_groups; i > 0; i--)
		if (!strcmp(state->groups[i - 1].name, name))
			return;
	if (state->n_groups >= USBPASS_GROUPS_MAX) {
		import_fail(importer, -E2BIG, 0, "more than %d groups", USBPASS_GROUPS_MAX);
		return;
	}
	group = grow(importer, &state->groups, &state->n_groups, &importer->groups,
		     sizeof(*group));
	if (!group)
		return;
	snprintf(group->name, sizeof(group->name), "%s", name);
	group->has = USBPASS_HAS(USBPASS_A_GROUP_NAME);
}

struct usbpass_attachment *import_attachment(struct importer *importer)
{
	struct usbpass_state *state = &importer->out->state;

	if (state->n_attachments >= USBPASS_SLOTS_MAX) {
		import_fail(importer, -E2BIG, 0, "more than %d attachments", USBPASS_SLOTS_MAX);
		return NULL;
	}
	return grow(importer, &state->attachments, &state->n_attachments, &importer->attachments,
		    sizeof(*state->attachments));
}

const struct usbpass_device *import_device_at(const struct importer *importer, const char *busid)
{
	for (size_t i = 0; i < importer->options->n_devices; i++)
		if (!strcmp(importer->options->devices[i].busid, busid))
			return &importer->options->devices[i];
	return NULL;
}

const struct usbpass_device *import_device(const struct importer *importer, uint32_t bus,
					   uint32_t address)
{
	for (size_t i = 0; i < importer->options->n_devices; i++)
		if (importer->options->devices[i].bus == bus &&
		    importer->options->devices[i].address == address)
			return &importer->options->devices[i];
	return NULL;
}

/* ---- the result ---- */

void usbpass_import_free(struct usbpass_import *import)
{
	usbpass_state_free(&import->state);
	for (size_t i = 0; i < import->n_remarks; i++)
		free(import->remarks[i].text);
	free(import->remarks);
	memset(import, 0, sizeof(*import));
}

const char *usbpass_import_word(enum usbpass_import_kind kind)
{
	static const char *const words[__USBPASS_IMPORT_KINDS] = {
		"left out", "stricter", "wider", "note",
	};

	return words[kind];
}

bool usbpass_import_whole(const struct usbpass_import *import)
{
	return import->n_remarks == import->counts[USBPASS_IMPORT_NOTE];
}
