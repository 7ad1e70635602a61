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

/* Bytes of the UTF-8 character at @text, its number in *@point; 0: not one. */
static size_t decode(const unsigned char *text, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 :
		     text[0] >= 0xc0 ? 2 : 0;

	if (!len || text[0] > 0xf4)
		return 0;
	*point = len == 1 ? text[0] : text[0] & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (text[i] & 0x3f);
	}
	if (*point < least[len] || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return len;
}

/* Bytes of the printable character at @text; 0: what stands there is none. */
static size_t printable(const char *text)
{
	uint32_t c;
	size_t len = decode((const unsigned char *)text, &c);

	if (!len || c < 0x20 || (c >= 0x7f && c < 0xa0))
		return 0;
	/* What reorders or hides its neighbours, and the line separators. */
	if (c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	    (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff))
		return 0;
	return len;
}

bool usbpass_names_printable(const char *text)
{
	while (*text) {
		size_t len = printable(text);

		if (!len)
			return false;
		text += len;
	}
	return true;
}

const char *usbpass_names_quote(const char *text, char *buf, size_t size)
{
	size_t used = 0;

	while (*text) {
		size_t len = *text == '\\' ? 0 : printable(text);

		if (used + (len ? len : 4) >= size)
			break;
		if (len) {
			memcpy(buf + used, text, len);
			used += len;
			text += len;
		} else {
			used += sprintf(buf + used, "\\x%02x", (unsigned char)*text++);
		}
	}
	buf[used] = '\0';
	return buf;
}
