// SPDX-License-Identifier: GPL-2.0
/*
 * Strings of devices made safe lose nothing and never reach a terminal raw; a text means one device, none, or is refused as
 * ambiguous; and the identity that a rule is made of reads back. Input: lines; the first is what the operator typed.
 */
#include <errno.h>
#include "made.h"
#include "names.h"
#include "same_rule.h"
#include "selector.h"

#define DEVICES	4

static void check_quote(const char *text)
{
	static char quoted[4 * 4096 + 1], back[4096];
	char cut[24];
	size_t n = 0;

	CHECK(usbpass_names_quote(text, quoted, sizeof(quoted)) == quoted, "another buffer");
	CHECK(usbpass_names_printable(quoted), "quoted, and a terminal would obey: %s", quoted);
	for (const char *at = quoted; *at; n++) {
		unsigned int byte;

		if (*at != '\\') {
			back[n] = *at++;
			continue;
		}
		CHECK(sscanf(at, "\\x%2x", &byte) == 1, "a backslash of its own: %s", at);
		back[n] = (char)byte;
		at += 4;
	}
	back[n] = '\0';
	CHECK(!strcmp(text, back), "quoting loses something");
	/* Cut to fit, also between the bytes of a character. */
	for (size_t size = 1; size <= sizeof(cut); size++) {
		usbpass_names_quote(text, cut, size);
		CHECK(strlen(cut) < size && !strncmp(cut, quoted, strlen(cut)), "cut to something else");
		CHECK(usbpass_names_printable(cut), "cut within a character");
	}
}

static void fill(struct input *in, struct usbpass_device *device, uint32_t id)
{
	char line[8] = "";

	memset(device, 0, sizeof(*device));
	device->id = id;
	take_line(in, device->busid, sizeof(device->busid));
	take_line(in, device->socket, sizeof(device->socket));
	if (take_line(in, device->serial, sizeof(device->serial)))
		device->has |= USBPASS_HAS(USBPASS_A_DEVICE_SERIAL);
	take_line(in, line, sizeof(line));
	device->vendor = strtoul(line, NULL, 16);
	device->product = 1;
}

static void check_selector(const char *text, const struct usbpass_device *list, size_t n)
{
	const struct usbpass_device *found, *one;
	char err[256];
	size_t means = 0;
	int ret = usbpass_selector_find(text, list, n, &found, err, sizeof(err));

	for (size_t i = 0; i < n; i++)
		means += usbpass_selector_find(text, &list[i], 1, &one, err, sizeof(err)) == 0;
	CHECK(ret == (means == 1 ? 0 : means ? -ENOTUNIQ : -ENOENT), "%d where %zu are meant", ret, means);
	CHECK(!ret == !!found, "a device with an error, or none without");
	CHECK(strlen(err) < sizeof(err), "an error longer than its room");
}

static void check_made(const struct usbpass_device *device, const struct usbpass_device *list, size_t n)
{
	struct usbpass_rule rule = {};
	char why[640];

	for (int by = USBPASS_MADE_BY_BEST; by <= USBPASS_MADE_BY_MODEL; by++) {
		int ret = usbpass_made_identity(device, list, n, by, by & 1 ? "here" : NULL, &rule, why, sizeof(why));

		CHECK(ret == 0 || (ret == -EINVAL && (by == USBPASS_MADE_BY_SERIAL || !device->socket[0])), "no identity: %s", why);
		CHECK(ret == 0 || by != USBPASS_MADE_BY_MODEL, "no model: %s", why);
		if (!ret)
			check_prints(&rule, usbpass_names_printable);
	}
	usbpass_rule_clear(&rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct usbpass_device list[DEVICES];
	char text[4096];
	size_t n = 0;

	take_line(&in, text, sizeof(text));
	check_quote(text);
	while (n < DEVICES && in.left) {
		fill(&in, &list[n], (uint32_t)n + 1);
		n++;
	}
	check_selector(text, list, n);
	for (size_t i = 0; i < n; i++) {
		check_quote(list[i].serial);
		check_made(&list[i], list, n);
	}
	return 0;
}
