// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel takes for a name can be made a path of, and what the helper would print as it is the kernel would take.
 */
// and: printable.c
#include <linux/usbpass.h>
#include "../../../kernel/name.h"
#include "fuzz.h"

/* From userspace/lib/names.h, which this file's include path does not reach. */
bool usbpass_names_printable(const char *text);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1), slug[USBPASS_SLUG_MAX + 1], again[USBPASS_SLUG_MAX + 1];
	bool valid;

	memcpy(name, data, size);
	name[size] = '\0';
	name = realloc(name, strlen(name) + 1);	/* no byte behind its end */
	valid = usbpass_name_valid(name);
	if (valid) {
		CHECK(name[0] && strlen(name) <= USBPASS_NAME_MAX && !strchr(name, '/'), "a name that is none");
		CHECK(usbpass_name_printable(name, false), "a name with control characters");
	}
	CHECK(!usbpass_name_printable(name, false) || usbpass_name_printable(name, true), "text that is less than a name");
	CHECK(!usbpass_names_printable(name) || usbpass_name_printable(name, false), "printable, and refused");
	usbpass_name_to_slug(name, slug);
	CHECK(!name[0] || usbpass_name_slug_valid(slug), "'%s' is no slug", slug);
	usbpass_name_to_slug(slug, again);
	CHECK(!strcmp(slug, again), "the slug of '%s' is '%s'", slug, again);
	if (usbpass_name_slug_valid(name))
		CHECK(!strcmp(name, slug), "a slug becomes another");
	free(name);
	return 0;
}
