// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-hwdb.h>
#include "names.h"

struct usbpass_names {
	sd_hwdb *hwdb;
	char found[256];
};

struct usbpass_names *usbpass_names_open(void)
{
	struct usbpass_names *names = calloc(1, sizeof(*names));

	if (!names || sd_hwdb_new(&names->hwdb) < 0) {
		free(names);
		return NULL;
	}
	return names;
}

void usbpass_names_close(struct usbpass_names *names)
{
	if (!names)
		return;
	sd_hwdb_unref(names->hwdb);
	free(names);
}

static const char *look_up(struct usbpass_names *names, const char *alias, const char *key)
{
	const char *value;

	if (!names || sd_hwdb_get(names->hwdb, alias, key, &value) < 0)
		return "";
	snprintf(names->found, sizeof(names->found), "%s", value);
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
