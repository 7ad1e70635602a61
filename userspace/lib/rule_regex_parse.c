// SPDX-License-Identifier: GPL-2.0
/*
 * An expression to a nondeterministic automaton: a tree first, as an interval repeats what it stands
 * behind.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_regex_private.h"

#define REPEAT_MAX	255		/* RE_DUP_MAX of POSIX */
#define FOREVER		-1

struct tree {
	enum tree_type {
		TREE_EMPTY,
		TREE_SET,
		TREE_BEGIN,
		TREE_END,
		TREE_BOTH,		/* @left, then @right */
		TREE_EITHER,		/* @left or @right */
		TREE_REPEAT,		/* @left, @min to @max times */
	} type;
	struct regex_bytes bytes;
	struct tree *left, *right;
	int min, max;
	struct tree *next;		/* of all, for the end */
};

struct parser {
	const char *text, *at;
	struct regex_error *error;
	struct tree *trees;
	struct regex_nodes *nodes;
};

static int fail(struct parser *p, const char *at, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(struct parser *p, const char *at, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->error->text, p->error->size, format, args);
	va_end(args);
	p->error->at = at - p->text;
	return error;
}

static int no_memory(struct parser *p)
{
	return fail(p, p->at, -ENOMEM, "no memory");
}

static struct tree *tree(struct parser *p, enum tree_type type, struct tree *left,
			 struct tree *right)
{
	struct tree *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->type = type;
	made->left = left;
	made->right = right;
	made->next = p->trees;
	p->trees = made;
	return made;
}

/* ---- brackets ---- */

static const struct {
	const char *name;
	int (*is)(int c);
} classes[] = {
	{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl },
	{ "digit", isdigit }, { "graph", isgraph }, { "lower", islower }, { "print", isprint },
	{ "punct", ispunct }, { "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
};

/* "[:alpha:]": of ASCII, as the program runs in the C locale. */
static int parse_class(struct parser *p, struct regex_bytes *set)
{
	const char *name = p->at + 2, *end = strstr(name, ":]");

	for (size_t i = 0; end && i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strlen(classes[i].name) != (size_t)(end - name) ||
		    strncmp(classes[i].name, name, end - name))
			continue;
		for (int c = 1; c < 128; c++)
			if (classes[i].is(c))
				regex_bytes_add(set, c);
		p->at = end + 2;
		return 0;
	}
	return fail(p, p->at, -EINVAL,
		    "after [: one of alnum alpha blank cntrl digit graph lower print punct space upper xdigit, and then :]");
}

/* One byte of a bracket: itself, or "[.x.]", or "[=x=]", which in the C locale are no more. */
static int parse_bracket_byte(struct parser *p, unsigned char *byte)
{
	const char *at = p->at;

	if (at[0] == '[' && (at[1] == '.' || at[1] == '=')) {
		if (!at[2] || at[3] != at[1] || at[4] != ']')
			return fail(p, at, -EINVAL, "[%c stands before one character and %c]",
				    at[1], at[1]);
		*byte = at[2];
		p->at += 5;
		return 0;
	}
	if (!*at)
		return fail(p, at, -EINVAL, "the bracket is never closed");
	*byte = *p->at++;
	return 0;
}

static int parse_bracket_item(struct parser *p, struct regex_bytes *set)
{
	const char *began = p->at;
	unsigned char first, last;
	int ret;

	if (began[0] == '[' && began[1] == ':')
		return parse_class(p, set);
	ret = parse_bracket_byte(p, &first);
	if (ret)
		return ret;
	last = first;
	/* A hyphen before the closing bracket is itself. */
	if (p->at[0] == '-' && p->at[1] && p->at[1] != ']') {
		if (began[0] == '[' && began[1] == '=')
			return fail(p, began, -EINVAL, "a range begins with a character");
		p->at++;
		if (p->at[0] == '[' && (p->at[1] == ':' || p->at[1] == '='))
			return fail(p, p->at, -EINVAL, "a range ends with a character");
		ret = parse_bracket_byte(p, &last);
		if (ret)
			return ret;
		if (last < first)
			return fail(p, began, -EINVAL, "the range ends before it begins");
	}
	for (unsigned int c = first; c <= last; c++)
		regex_bytes_add(set, c);
	return 0;
}

static int parse_bracket(struct parser *p, struct regex_bytes *set)
{
	const char *began = p->at++;
	bool opposite = *p->at == '^';
	int ret;

	p->at += opposite;
	/* A closing bracket is itself where it comes first. */
	do {
		if (!*p->at)
			return fail(p, began, -EINVAL, "the bracket is never closed");
		ret = parse_bracket_item(p, set);
		if (ret)
			return ret;
	} while (*p->at != ']');
	p->at++;
	for (int i = 0; opposite && i < 4; i++)
		set->words[i] = ~set->words[i];
	return 0;
}

/* ---- the tree ---- */

static int parse_either(struct parser *p, struct tree **out, int depth);

static int parse_escape(struct parser *p, struct regex_bytes *set)
{
	char byte = p->at[1];

	if (byte >= '1' && byte <= '9')
		return fail(p, p->at, -EINVAL, "back-references are not carried");
	if (!byte || !strchr("^.[]$()|*+?{}\\/-", byte))
		return fail(p, p->at, -EINVAL,
			    "a backslash stands before one of ^ . [ ] $ ( ) | * + ? { } \\ / -");
	regex_bytes_add(set, (unsigned char)byte);
	p->at += 2;
	return 0;
}

static int parse_group(struct parser *p, struct tree **out, int depth)
{
	const char *began = p->at++;
	int ret = parse_either(p, out, depth + 1);

	if (ret)
		return ret;
	if (*p->at != ')')
		return fail(p, began, -EINVAL, "the parenthesis is never closed");
	p->at++;
	return 0;
}

static int parse_set(struct parser *p, struct regex_bytes *set)
{
	switch (*p->at) {
	case '.':
		for (unsigned int c = 1; c < 256; c++)
			regex_bytes_add(set, c);
		p->at++;
		return 0;
	case '[':
		return parse_bracket(p, set);
	case '\\':
		return parse_escape(p, set);
	default:
		regex_bytes_add(set, (unsigned char)*p->at++);
		return 0;
	}
}

/* Something that a repetition may follow, if @repeats. */
static int parse_atom(struct parser *p, struct tree **out, bool *repeats, int depth)
{
	enum tree_type type = TREE_SET;

	*repeats = true;
	switch (*p->at) {
	case '(':
		return parse_group(p, out, depth);
	case '*':
	case '+':
	case '?':
	case '{':
		return fail(p, p->at, -EINVAL,
			    "before '%c' there is nothing to repeat; for itself, write \\%c",
			    *p->at, *p->at);
	case '^':
	case '$':
		type = *p->at++ == '^' ? TREE_BEGIN : TREE_END;
		*repeats = false;
		break;
	}
	*out = tree(p, type, NULL, NULL);
	if (!*out)
		return no_memory(p);
	return type == TREE_SET ? parse_set(p, &(*out)->bytes) : 0;
}

/* A number of an interval; -1 if there is none. */
static int parse_count(struct parser *p)
{
	int number = -1;

	while (isdigit((unsigned char)*p->at)) {
		number = (number < 0 ? 0 : number) * 10 + *p->at - '0';
		if (number > REPEAT_MAX)
			number = REPEAT_MAX + 1;
		p->at++;
	}
	return number;
}

static int parse_interval(struct parser *p, int *min, int *max)
{
	const char *began = p->at++;

	*min = parse_count(p);
	*max = *min;
	if (*p->at == ',') {
		p->at++;
		*max = parse_count(p);		/* none: FOREVER */
	}
	if (*min < 0 || *p->at != '}')
		return fail(p, began, -EINVAL,
			    "an interval is {2}, {2,} or {2,5}; for a brace, write \\{");
	p->at++;
	if (*min > REPEAT_MAX || *max > REPEAT_MAX)
		return fail(p, began, -EINVAL, "repeated more than %d times", REPEAT_MAX);
	if (*max != FOREVER && *max < *min)
		return fail(p, began, -EINVAL, "the interval ends before it begins");
	return 0;
}

static int parse_repeats(struct parser *p, struct tree **out, bool repeats)
{
	while (*p->at && strchr("*+?{", *p->at)) {
		int min = *p->at == '+', max = *p->at == '?' ? 1 : FOREVER, ret = 0;

		if (!repeats)
			return fail(p, p->at, -EINVAL,
				    "'%c' cannot repeat %c; for itself, write \\%c", *p->at,
				    (*out)->type == TREE_BEGIN ? '^' : '$', *p->at);
		if (*p->at == '{')
			ret = parse_interval(p, &min, &max);
		else
			p->at++;
		if (ret)
			return ret;
		*out = tree(p, TREE_REPEAT, *out, NULL);
		if (!*out)
			return no_memory(p);
		(*out)->min = min;
		(*out)->max = max;
	}
	return 0;
}

static int parse_sequence(struct parser *p, struct tree **out, int depth)
{
	*out = tree(p, TREE_EMPTY, NULL, NULL);
	if (!*out)
		return no_memory(p);
	while (*p->at && *p->at != '|' && (*p->at != ')' || !depth)) {
		struct tree *atom;
		bool repeats;
		int ret;

		if (*p->at == ')')
			return fail(p, p->at, -EINVAL,
				    "this parenthesis was never opened; for itself, write \\)");
		ret = parse_atom(p, &atom, &repeats, depth);
		if (!ret)
			ret = parse_repeats(p, &atom, repeats);
		if (ret)
			return ret;
		*out = tree(p, TREE_BOTH, *out, atom);
		if (!*out)
			return no_memory(p);
	}
	return 0;
}

static int parse_either(struct parser *p, struct tree **out, int depth)
{
	int ret = parse_sequence(p, out, depth);

	while (!ret && *p->at == '|') {
		struct tree *right;

		p->at++;
		ret = parse_sequence(p, &right, depth);
		if (ret)
			break;
		*out = tree(p, TREE_EITHER, *out, right);
		if (!*out)
			return no_memory(p);
	}
	return ret;
}

/* ---- the automaton ---- */

/* The node that does what is said and then goes to @next; a negative errno. */
static int node(struct parser *p, enum regex_node_type type, int next, int other)
{
	struct regex_nodes *nodes = p->nodes;

	if (nodes->n == REGEX_NODES_MAX)
		return fail(p, p->text, -E2BIG, "its repetitions come to more than %d steps",
			    REGEX_NODES_MAX);
	nodes->nodes[nodes->n] = (struct regex_node){ .type = type, .next = next, .other = other };
	return nodes->n++;
}

static int emit(struct parser *p, const struct tree *tree, int next);

/* From the end to the beginning: each piece goes to what is already there. */
static int emit_repeat(struct parser *p, const struct tree *tree, int next)
{
	int at = next;

	if (tree->max == FOREVER) {
		int loop = node(p, REGEX_SPLIT, -1, next), body;

		if (loop < 0)
			return loop;
		body = emit(p, tree->left, loop);
		if (body < 0)
			return body;
		p->nodes->nodes[loop].next = body;
		at = loop;
	}
	for (int i = tree->min; at >= 0 && i < tree->max; i++) {
		int body = emit(p, tree->left, at);

		at = body < 0 ? body : node(p, REGEX_SPLIT, body, next);
	}
	for (int i = 0; at >= 0 && i < tree->min; i++)
		at = emit(p, tree->left, at);
	return at;
}

static int emit(struct parser *p, const struct tree *tree, int next)
{
	int left, right;

	switch (tree->type) {
	case TREE_EMPTY:
		return next;
	case TREE_SET:
		left = node(p, REGEX_SET, next, -1);
		if (left >= 0)
			p->nodes->nodes[left].bytes = tree->bytes;
		return left;
	case TREE_BEGIN:
		return node(p, REGEX_BEGIN, next, -1);
	case TREE_END:
		return node(p, REGEX_END, next, -1);
	case TREE_BOTH:
		right = emit(p, tree->right, next);
		return right < 0 ? right : emit(p, tree->left, right);
	case TREE_EITHER:
		left = emit(p, tree->left, next);
		right = left < 0 ? left : emit(p, tree->right, next);
		return right < 0 ? right : node(p, REGEX_SPLIT, left, right);
	case TREE_REPEAT:
		return emit_repeat(p, tree, next);
	}
	return -EINVAL;
}

int regex_parse(const char *expression, struct regex_nodes *nodes, struct regex_error *error)
{
	struct parser p = { .text = expression, .at = expression, .error = error, .nodes = nodes };
	struct tree *root, *next;
	int ret;

	*nodes = (struct regex_nodes){ .nodes = malloc(REGEX_NODES_MAX * sizeof(*nodes->nodes)) };
	if (!nodes->nodes)
		return no_memory(&p);
	ret = parse_either(&p, &root, 0);
	if (!ret) {
		ret = node(&p, REGEX_FOUND, -1, -1);
		ret = ret < 0 ? ret : emit(&p, root, ret);
	}
	if (ret >= 0)
		nodes->first = ret;
	for (; p.trees; p.trees = next) {
		next = p.trees->next;
		free(p.trees);
	}
	return ret < 0 ? ret : 0;
}
