// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever stands in other systems' rules becomes a configuration that is written and read back, with remarks at places within the
 * source; or an error. Input: a byte for format and options, then the source.
 */
#include <errno.h>
#include "import.h"
#include "names.h"
#include "same_rule.h"
#include "state_yaml.h"

#define MAX_RULES 600

static const struct usbpass_device devices[] = {
	{ .id = 1, .busid = "1-2", .socket = "0000:00:14.0/2", .bus = 1, .address = 5, .vendor = 0x1050, .product = 0x0011,
	  .serial = "A7", .speed = 480000, .has = USBPASS_HAS(USBPASS_A_DEVICE_SERIAL) },
	{ .id = 2, .busid = "2-4", .socket = "0000:00:14.0/4", .bus = 2, .address = 2, .vendor = 0x0529, .product = 0x0001,
	  .serial = "\x1b[31m", .speed = 5000000, .has = USBPASS_HAS(USBPASS_A_DEVICE_SERIAL) },
};

static void check_remarks(const struct usbpass_import *import, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < import->n_remarks; i++) {
		const struct usbpass_import_remark *remark = &import->remarks[i];

		CHECK(remark->text && *remark->text && usbpass_names_printable(remark->text), "a terminal would obey: %s", remark->text);
		CHECK(remark->line <= size + 1 && remark->column <= size + 1, "a place outside of %zu bytes: %u:%u", size, remark->line,
		      remark->column);
	}
	for (size_t i = 0; i < __USBPASS_IMPORT_KINDS; i++)
		n += import->counts[i];
	CHECK(n == import->n_remarks, "%zu remarks, counted as %zu", import->n_remarks, n);
}

static bool has_group(const struct usbpass_state *state, const char *name)
{
	for (size_t i = 0; i < state->n_groups; i++)
		if (!strcmp(state->groups[i].name, name))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct usbpass_rule *)a)->name, ((const struct usbpass_rule *)b)->name);
}

/* What the kernel would refuse. */
static void check_objects(const struct usbpass_state *state)
{
	struct usbpass_rule *sorted = alone(state->rules, state->n_rules * sizeof(*sorted));

	qsort(sorted, state->n_rules, sizeof(*sorted), by_name);
	for (size_t i = 0; i < state->n_rules; i++) {
		const struct usbpass_rule *rule = &state->rules[i];

		CHECK(!i || strcmp(sorted[i - 1].name, sorted[i].name), "two rules are called %s", sorted[i].name);
		CHECK(rule->n_conds && rule->n_conds <= USBPASS_CONDS_MAX, "%zu conditions", rule->n_conds);
		CHECK((rule->action == USBPASS_ACTION_CLAIM) == (rule->group[0] != '\0'), "a group without a claim, or a claim without one");
		CHECK(!rule->group[0] || has_group(state, rule->group), "no group %s", rule->group);
		CHECK(!rule->description || usbpass_names_printable(rule->description), "a terminal would obey: %s", rule->description);
	}
	for (size_t i = 0; i < state->n_attachments; i++) {
		const struct usbpass_attachment *attachment = &state->attachments[i];

		CHECK(has_group(state, attachment->group), "no group %s", attachment->group);
		CHECK(attachment->name[0] && !strchr(attachment->name, '/') && usbpass_names_printable(attachment->name) &&
		      usbpass_names_printable(attachment->vm), "a terminal would obey: %s", attachment->name);
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(attachment->name, state->attachments[k].name), "two attachments are called %s", attachment->name);
	}
	free(sorted);
}

static void check_reads_back(const struct usbpass_state *state)
{
	struct usbpass_state back = {};
	char *text = NULL, err[1024] = "";
	size_t size;
	FILE *file = open_memstream(&text, &size);

	CHECK(usbpass_state_yaml_write(file, state) == 0, "it cannot be written");
	fclose(file);
	file = fmemopen(text, size, "r");
	CHECK(usbpass_state_yaml_read(file, "file", &back, err, sizeof(err)) == 0, "%s:\n%s", err, text);
	fclose(file);
	CHECK(state->n_rules == back.n_rules && state->n_groups == back.n_groups && state->n_attachments == back.n_attachments,
	      "more or fewer objects");
	for (size_t i = 0; i < back.n_rules; i++)
		check_same_conds(&state->rules[i], &back.rules[i], back.rules[i].name);
	usbpass_state_free(&back);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static usbpass_import_fn *const formats[] = {
		usbpass_import_usbguard, usbpass_import_usbredir, usbpass_import_xenserver, usbpass_import_libvirt,
	};
	struct input in = { data, size };
	uint8_t what = take_u8(&in);
	struct usbpass_import_options options = {
		.loose = what & 4, .exact = what & 8, .allow = what & 16, .group = what & 128 ? "vms" : NULL,
		.devices = devices, .n_devices = what & 32 ? 2 : 0, .max_rules = MAX_RULES,
	};
	char *text = alone(in.at, in.left), err[512] = "";
	struct usbpass_import import;
	int ret = formats[what & 3](text, in.left, &options, &import, err, sizeof(err));

	CHECK(ret == 0 || ((ret == -EINVAL || ret == -E2BIG) && *err), "%d: %s", ret, err);
	CHECK(usbpass_names_printable(err), "a terminal would obey: %s", err);
	CHECK(import.state.n_rules <= MAX_RULES, "%zu rules", import.state.n_rules);
	check_remarks(&import, in.left);
	CHECK(options.loose || !import.counts[USBPASS_IMPORT_WIDER], "wider without being asked");
	if (!ret) {
		check_objects(&import.state);
		check_reads_back(&import.state);
	}
	usbpass_import_free(&import);
	free(text);
	return 0;
}
