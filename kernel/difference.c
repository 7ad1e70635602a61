// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/string.h>
#include "difference.h"
#include "facts.h"

#define SHOWN	32	/* bytes of a string, for people: it may hold anything */

/* Appends, and the separator where something is there. */
static __printf(3, 4) void add(char *text, size_t size, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	len += scnprintf(text + len, size - len, "%s", len ? ", " : "");
	va_start(args, format);
	vscnprintf(text + len, size - len, format, args);
	va_end(args);
}

static int shown(const char *string)
{
	return string ? min_t(size_t, strlen(string), SHOWN) : 0;
}

void usbpass_difference_tell(const struct usbpass_facts *a, const struct usbpass_facts *b,
			     char *text, size_t size)
{
	const struct usb_device_descriptor *x = &a->descriptor, *y = &b->descriptor;

	*text = '\0';
	if (x->idVendor != y->idVendor || x->idProduct != y->idProduct)
		add(text, size, "%04x:%04x was %04x:%04x", le16_to_cpu(y->idVendor),
		    le16_to_cpu(y->idProduct), le16_to_cpu(x->idVendor),
		    le16_to_cpu(x->idProduct));
	else if (memcmp(x, y, sizeof(*x)) != 0)
		add(text, size, "another device descriptor");
	if (!usbpass_facts_same_string(a->serial, b->serial))
		add(text, size, "serial \"%*pE\" was \"%*pE\"", shown(b->serial),
		    b->serial ?: "", shown(a->serial), a->serial ?: "");
	if (a->speed != b->speed)
		add(text, size, "%u kbit/s was %u", b->speed_kbps, a->speed_kbps);
	if (!usbpass_facts_same_configs(a, b))
		add(text, size, "other configurations");
}
