// SPDX-License-Identifier: GPL-2.0
/*
 * Any file is a configuration that is written and read back unchanged, or refused at a place in it; and what needs no whole
 * parser of YAML means the same to one.
 */
#include <errno.h>
#include "same_rule.h"
#include "state_yaml.h"

static int load(const char *text, size_t size, struct usbpass_state *state, char *err, size_t errsize)
{
	/* fmemopen(3) takes no empty buffer. */
	FILE *file = size ? fmemopen((void *)text, size, "r") : fopen("/dev/null", "r");
	int ret;

	CHECK(file, "no stream");
	ret = usbpass_state_yaml_read(file, "file", state, err, errsize);
	fclose(file);
	return ret;
}

static void check_error(int ret, size_t size, const char *err)
{
	size_t line, column;

	CHECK(ret == -EINVAL || ret == -EOPNOTSUPP || ret == -E2BIG, "refused with %d", ret);
	CHECK(!strncmp(err, "file:", 5), "an error that names no file: %s", err);
	if (sscanf(err, "file:%zu:%zu: ", &line, &column) == 2)
		CHECK(line >= 1 && line <= size + 1 && column >= 1 && column <= size + 1,
		      "a place outside of %zu bytes: %s", size, err);
}

static void check_same(const struct usbpass_state *a, const struct usbpass_state *b)
{
	CHECK(a->generation == b->generation, "another generation");
	CHECK(a->n_groups == b->n_groups && a->n_rules == b->n_rules && a->n_attachments == b->n_attachments &&
	      a->n_learned == b->n_learned, "more or fewer objects");
	CHECK(!a->n_groups || !memcmp(a->groups, b->groups, a->n_groups * sizeof(*a->groups)), "another group");
	CHECK(!a->n_attachments ||
	      !memcmp(a->attachments, b->attachments, a->n_attachments * sizeof(*a->attachments)),
	      "another attachment");
	CHECK(!a->n_learned || !memcmp(a->learned, b->learned, a->n_learned * sizeof(*a->learned)), "another learned device");
	for (size_t i = 0; i < a->n_rules; i++) {
		const struct usbpass_rule *x = &a->rules[i], *y = &b->rules[i];

		CHECK(x->has == y->has && !strcmp(x->name, y->name) && !strcmp(x->group, y->group) &&
		      x->priority == y->priority && x->action == y->action && x->origin == y->origin &&
		      x->enabled == y->enabled && same_text(x->description, y->description), "another rule");
		check_same_conds(x, y, x->name);
	}
}

/* A last line without an end is not of the plain form; a comment says nothing. */
static void check_plain(const char *text, size_t size)
{
	struct usbpass_state plain = {}, tree = {};
	char err[1024] = "", *commented;
	int ret;

	if (usbpass_state_yaml_plain(text, size, &plain)) {
		commented = malloc(size + 1);
		memcpy(commented, text, size);
		commented[size] = '#';
		ret = load(commented, size + 1, &tree, err, sizeof(err));
		CHECK(ret == 0, "refused only by the parser of all YAML: %s", err);
		check_same(&plain, &tree);
		free(commented);
		usbpass_state_free(&tree);
	} else {
		CHECK(!plain.groups && !plain.rules && !plain.attachments && !plain.learned && !plain.generation,
		      "declined, and something is left of it");
	}
	usbpass_state_free(&plain);
}

static char *save(const struct usbpass_state *state, size_t *size)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, size);
	int ret = usbpass_state_yaml_write(file, state);

	fclose(file);
	CHECK(ret == 0, "what was read cannot be written: %d", ret);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usbpass_state state = {}, back = {};
	char err[1024] = "", *text, *again;
	size_t n, n_again;
	int ret;

	check_plain((const char *)data, size);
	ret = load((const char *)data, size, &state, err, sizeof(err));
	if (ret) {
		check_error(ret, size, err);
		usbpass_state_free(&state);
		return 0;
	}
	text = save(&state, &n);
	ret = load(text, n, &back, err, sizeof(err));
	CHECK(ret == 0, "what was written is refused: %s\n%s", err, text);
	check_same(&state, &back);
	check_plain(text, n);
	again = save(&back, &n_again);
	CHECK(n == n_again && !memcmp(text, again, n), "written twice, two files:\n%s\n%s", text, again);
	free(text);
	free(again);
	usbpass_state_free(&state);
	usbpass_state_free(&back);
	return 0;
}
