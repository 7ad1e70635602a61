// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "selector.h"

static bool is_id(const char *text, uint32_t id)
{
	size_t len = strlen(text);

	return len > 0 && len <= 10 && strspn(text, "0123456789") == len &&
	       strtoull(text, NULL, 10) == id;
}

static bool is_model(const char *text, const struct usbpass_device *device)
{
	const char *digits = "0123456789abcdefABCDEF";

	return strlen(text) == 9 && text[4] == ':' && strspn(text, digits) == 4 &&
	       strspn(text + 5, digits) == 4 && strtoul(text, NULL, 16) == device->vendor &&
	       strtoul(text + 5, NULL, 16) == device->product;
}

static bool means(const char *text, const struct usbpass_device *device)
{
	if (text[0] == '#')
		return is_id(text + 1, device->id);
	return is_id(text, device->id) || !strcmp(text, device->busid) ||
	       !strcmp(text, device->socket) || is_model(text, device) ||
	       (device->serial[0] && !strcmp(text, device->serial));
}

/* Would it say which one? */
static bool means_one(const char *text, const struct usbpass_device *list, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += means(text, &list[i]);
	return found == 1;
}

/* What can be said instead: of id, bus id, socket and serial those that mean this one alone. */
static size_t list_forms(const struct usbpass_device *device, const struct usbpass_device *list,
			 size_t n, char *out, size_t size)
{
	const char *const forms[] = { device->busid, device->socket, device->serial };
	size_t used = snprintf(out, size, "\n  #%u", device->id);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && used < size; i++)
		if (forms[i][0] && usbpass_names_printable(forms[i]) && means_one(forms[i], list, n))
			used += snprintf(out + used, size - used, " or %s", forms[i]);
	return used;
}

static void list_candidates(const char *text, const struct usbpass_device *list, size_t n,
			    char *err, size_t errsize)
{
	char serial[128];
	size_t used;

	used = snprintf(err, errsize, "'%s' means more than one device; say which:", text);
	for (size_t i = 0; i < n && used < errsize; i++) {
		if (!means(text, &list[i]))
			continue;
		used += list_forms(&list[i], list, n, err + used, errsize - used);
		if (used >= errsize)
			break;
		usbpass_names_quote(list[i].serial, serial, sizeof(serial));
		used += snprintf(err + used, errsize - used, " (%04x:%04x%s%s)", list[i].vendor,
				 list[i].product, serial[0] ? " serial " : "", serial);
	}
}

int usbpass_selector_find(const char *text, const struct usbpass_device *list, size_t n,
			  const struct usbpass_device **out, char *err, size_t errsize)
{
	size_t found = 0;

	*out = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!means(text, &list[i]))
			continue;
		*out = &list[i];
		found++;
	}
	if (found == 1)
		return 0;
	*out = NULL;
	if (found) {
		list_candidates(text, list, n, err, errsize);
		return -ENOTUNIQ;
	}
	snprintf(err, errsize,
		 "no present device is '%s'; say an id, a bus id, a socket, vendor:product or a serial (see: usbpass device list)",
		 text);
	return -ENOENT;
}
