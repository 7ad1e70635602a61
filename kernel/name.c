// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/string.h>
#include <linux/usbpass.h>
#include "name.h"

/*
 * The next code point of @s (RFC 3629: shortest form, no surrogates), whose
 * length in bytes goes to *len; -1: none. NUL is one, and ends nothing here.
 */
static s32 decode(const u8 *s, unsigned int *len)
{
	static const u32 smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int i, n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 :
			    s[0] >> 3 == 30 ? 4 : 0;
	u32 code;

	if (!n)
		return -1;
	code = n == 1 ? s[0] : s[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)	/* NUL too: never past the end */
			return -1;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return -1;
	*len = n;
	return code;
}

bool usbpass_name_printable(const char *string, bool text)
{
	unsigned int len;

	for (; *string; string += len) {
		s32 code = decode((const u8 *)string, &len);

		if (text && (code == '\n' || code == '\t'))
			continue;
		/* C0, DEL and C1 */
		if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			return false;
	}
	return true;
}

bool usbpass_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len && len <= USBPASS_NAME_MAX && name[0] != ' ' && name[len - 1] != ' ' &&
	       !strchr(name, '/') && usbpass_name_printable(name, false);
}

static bool slug_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("._-", c);
}

bool usbpass_name_slug_valid(const char *slug)
{
	const char *c;

	if (!*slug || strlen(slug) > USBPASS_SLUG_MAX || !strcmp(slug, ".") ||
	    !strcmp(slug, ".."))
		return false;
	for (c = slug; *c; c++)
		if (!slug_char(*c))
			return false;
	return true;
}

void usbpass_name_to_slug(const char *name, char *slug)
{
	char *to = slug;

	for (; *name && to - slug < USBPASS_SLUG_MAX; name++) {
		char c = *name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name;

		*to++ = slug_char(c) ? c : '-';
	}
	*to = '\0';
	if (!strcmp(slug, ".") || !strcmp(slug, ".."))
		slug[0] = '-';
}
