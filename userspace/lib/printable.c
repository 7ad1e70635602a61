// SPDX-License-Identifier: GPL-2.0
/* What a terminal shows and what it would obey. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "names.h"

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

size_t usbpass_names_character(const char *text)
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
		size_t len = usbpass_names_character(text);

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
		size_t len = *text == '\\' ? 0 : usbpass_names_character(text);

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

const char *usbpass_names_safe(const char *text, char *buf, size_t size)
{
	if (!usbpass_names_printable(text) || strlen(text) >= size)
		return usbpass_names_quote(text, buf, size);
	return strcpy(buf, text);
}
