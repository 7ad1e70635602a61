// SPDX-License-Identifier: GPL-2.0
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"

struct usbpass_names {
	struct udev_hwdb *hwdb;
	char found[256];
};

struct usbpass_names *usbpass_names_open(void)
{
	struct usbpass_names *names = calloc(1, sizeof(*names));

	/* It takes no context: udev_hwdb_new() ignores it. */
	if (names)
		names->hwdb = udev_hwdb_new(NULL);
	if (!names || !names->hwdb) {
		free(names);
		return NULL;
	}
	return names;
}

void usbpass_names_close(struct usbpass_names *names)
{
	if (!names)
		return;
	udev_hwdb_unref(names->hwdb);
	free(names);
}

static const char *look_up(struct usbpass_names *names, const char *alias, const char *key)
{
	struct udev_list_entry *entry;

	if (!names)
		return "";
	entry = udev_hwdb_get_properties_list_entry(names->hwdb, alias, 0);
	entry = udev_list_entry_get_by_name(entry, key);
	if (!entry)
		return "";
	snprintf(names->found, sizeof(names->found), "%s", udev_list_entry_get_value(entry));
	return names->found;
}

const char *usbpass_names_vendor(struct usbpass_names *names, uint16_t vendor)
{
	char alias[32];

	snprintf(alias, sizeof(alias), "usb:v%04X*", vendor);
	return look_up(names, alias, "ID_VENDOR_FROM_DATABASE");
}

const char *usbpass_names_product(struct usbpass_names *names, uint16_t vendor, uint16_t product)
{
	char alias[32];

	snprintf(alias, sizeof(alias), "usb:v%04Xp%04X*", vendor, product);
	return look_up(names, alias, "ID_MODEL_FROM_DATABASE");
}
