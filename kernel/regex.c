// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/usbpass.h>
#include "regex.h"

/* The parts of a table: linux/usbpass.h has them. */
struct parts {
	unsigned int states, classes;
	const u8 *class, *accepts, *next;
};

static struct parts parts_of(const u8 *table)
{
	struct parts parts = { .states = table[0], .classes = table[1] };

	parts.class = table + 2;
	parts.accepts = parts.class + 256;
	parts.next = parts.accepts + parts.states;
	return parts;
}

static bool all_below(const u8 *bytes, size_t n, unsigned int limit)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes[i] >= limit)
			return false;
	return true;
}

static bool is_table(const u8 *table, size_t size)
{
	struct parts parts;

	if (size < USBPASS_TABLE_SIZE(1, 1) || size > USBPASS_TABLE_MAX)
		return false;
	parts = parts_of(table);
	if (!parts.states || parts.states > USBPASS_TABLE_STATES ||
	    !parts.classes || parts.classes > USBPASS_TABLE_CLASSES ||
	    size != USBPASS_TABLE_SIZE(parts.states, parts.classes))
		return false;
	return all_below(parts.class, 256, parts.classes) &&
	       all_below(parts.accepts, parts.states, 2) &&
	       all_below(parts.next, (size_t)parts.states * parts.classes, parts.states);
}

struct usbpass_regex *usbpass_regex_read(const u8 *table, size_t size)
{
	struct usbpass_regex *regex;

	if (!is_table(table, size))
		return ERR_PTR(-EINVAL);
	regex = kvmalloc(struct_size(regex, table, size), GFP_KERNEL_ACCOUNT);
	if (!regex)
		return ERR_PTR(-ENOMEM);
	kref_init(&regex->kref);
	memcpy(regex->table, table, size);
	return regex;
}

struct usbpass_regex *usbpass_regex_get(struct usbpass_regex *regex)
{
	kref_get(&regex->kref);
	return regex;
}

static void release(struct kref *kref)
{
	kvfree(container_of(kref, struct usbpass_regex, kref));
}

void usbpass_regex_put(struct usbpass_regex *regex)
{
	if (regex)
		kref_put(&regex->kref, release);
}

bool usbpass_regex_fits(const struct usbpass_regex *regex, const char *string)
{
	struct parts parts = parts_of(regex->table);
	unsigned int state = 0;

	for (; *string; string++)
		state = parts.next[state * parts.classes + parts.class[(u8)*string]];
	return parts.accepts[state];
}
