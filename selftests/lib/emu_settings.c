// SPDX-License-Identifier: GPL-2.0
/* What the device is made from at the next plug. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu_private.h"

enum kind { TEXT, HEX, TRIPLE, NUMBER, SPEED, PRESET, BYTES };

#define FIELD(member) offsetof(struct emu_settings, member), \
	sizeof(((struct emu_settings *)NULL)->member)

#define RAW "its whole descriptor, up to 255 bytes in hex; empty: as it should be"

static const struct key {
	const char *name;
	enum kind kind;
	size_t offset, size;
	unsigned long min, max;
	const char *help;
} keys[] = {
	{ "preset", PRESET, FIELD(preset), 0, 0, "what it is" },
	{ "vid", HEX, FIELD(vid), 0, 0xffff, "vendor, four hex digits" },
	{ "pid", HEX, FIELD(pid), 0, 0xffff, "product, four hex digits" },
	{ "bcd", HEX, FIELD(bcd), 0, 0xffff, "bcdDevice, hex" },
	{ "usb", HEX, FIELD(usb), 0, 0xffff, "bcdUSB, hex; 0: by speed" },
	{ "manufacturer", TEXT, FIELD(manufacturer), 0, 0, "string; empty: none" },
	{ "product", TEXT, FIELD(product), 0, 0, "string; empty: none" },
	{ "serial", TEXT, FIELD(serial), 0, 0, "string; empty: none" },
	{ "manufacturer-raw", BYTES, FIELD(raw[1]), 0, 0, RAW },
	{ "product-raw", BYTES, FIELD(raw[2]), 0, 0, RAW },
	{ "serial-raw", BYTES, FIELD(raw[3]), 0, 0, RAW },
	{ "languages-raw", BYTES, FIELD(raw[0]), 0, 0, RAW },
	{ "class", TRIPLE, FIELD(class), 0, 0xffffff,
	  "interface class CC:SS:PP, hex; 00:00:00: the preset's" },
	{ "device-class", TRIPLE, FIELD(device_class), 0, 0xffffff,
	  "device class CC:SS:PP, hex; 00:00:00: the preset's" },
	{ "speed", SPEED, FIELD(speed), 0, 0, "low|full|high|super" },
	{ "port", TEXT, FIELD(port), 0, 0,
	  "auto, or N or CONTROLLER.N from 0; both speeds share the numbers" },
	{ "configs", NUMBER, FIELD(configs), 1, EMU_CONFIGS, "configurations of loop" },
	{ "interfaces", NUMBER, FIELD(interfaces), 1, 8,
	  "interfaces of loop's first configuration" },
	{ "fifo", NUMBER, FIELD(fifo), 0, 1u << 30,
	  "bytes that a loop holds before it NAKs; one transfer always fits" },
	{ "disk", TEXT, FIELD(disk), 0, 0, "file behind storage; empty: memory" },
	{ "disk-kib", NUMBER, FIELD(disk_kib), 8, 1u << 22, "size of the disk in memory" },
	{ "descriptors", TEXT, FIELD(descriptors), 0, 0,
	  "file: device and configuration descriptors instead of the preset's" },
};

static const struct {
	const char *name;
	enum emu_speed speed;
} speeds[] = {
	{ "low", EMU_LOW }, { "full", EMU_FULL }, { "high", EMU_HIGH },
	{ "super", EMU_SUPER },
};

void emu_settings_default(struct emu_settings *settings)
{
	*settings = (struct emu_settings){
		.preset = "loop", .port = "auto", .manufacturer = "usbpass",
		.product = "emulated device", .vid = 0x1d6b, .pid = 0x0104,
		.bcd = 0x0100, .speed = EMU_HIGH, .configs = 1, .interfaces = 2,
		.fifo = 32 << 20, .disk_kib = 16384,
	};
}

const char *emu_settings_speed_name(unsigned int speed)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(speeds); i++)
		if (speeds[i].speed == speed)
			return speeds[i].name;
	return "-";
}

static bool parse_triple(const char *text, unsigned int *value)
{
	unsigned int class, sub, protocol;
	char rest;

	if (sscanf(text, "%2x:%2x:%2x%c", &class, &sub, &protocol, &rest) != 3)
		return false;
	*value = class << 16 | sub << 8 | protocol;
	return true;
}

static bool parse_number(const char *text, int base, const struct key *key,
			 unsigned int *value)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, base);
	if (!isxdigit((unsigned char)text[0]) || *end || errno ||
	    number < key->min || number > key->max)
		return false;
	*value = (unsigned int)number;
	return true;
}

static bool parse_speed(const char *text, unsigned int *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(speeds); i++) {
		if (!strcmp(speeds[i].name, text)) {
			*value = speeds[i].speed;
			return true;
		}
	}
	return false;
}

static bool parse(const struct key *key, void *field, const char *value)
{
	switch (key->kind) {
	case PRESET:
		if (!emu_preset_find(value))
			return false;
		strcpy(field, value);
		return true;
	case TEXT:
		if (strlen(value) >= key->size)
			return false;
		strcpy(field, value);
		return true;
	case BYTES:
		if (strlen(value) >= key->size || strlen(value) % 2 ||
		    value[strspn(value, "0123456789abcdefABCDEF")])
			return false;
		strcpy(field, value);
		return true;
	case HEX:
		return parse_number(value, 16, key, field);
	case NUMBER:
		return parse_number(value, 10, key, field);
	case TRIPLE:
		return parse_triple(value, field);
	case SPEED:
		return parse_speed(value, field);
	}
	return false;
}

/* Returns -ENOENT for a key that is no setting. */
int emu_settings_set(struct emu_settings *settings, const char *key,
		     const char *value, char *error, size_t size)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].name, key))
			continue;
		if (parse(&keys[i], (char *)settings + keys[i].offset, value))
			return 0;
		snprintf(error, size, "%s=%s: want %s", key, value, keys[i].help);
		if (keys[i].kind == NUMBER)
			snprintf(error, size, "%s=%s: want %lu to %lu, %s", key,
				 value, keys[i].min, keys[i].max, keys[i].help);
		return -EINVAL;
	}
	return -ENOENT;
}

void emu_settings_print(const struct emu_settings *settings, FILE *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		const void *field = (const char *)settings + keys[i].offset;
		const unsigned int *number = field;

		fprintf(out, "%s=", keys[i].name);
		switch (keys[i].kind) {
		case PRESET:
		case TEXT:
		case BYTES:
			fprintf(out, "%s\n", (const char *)field);
			break;
		case HEX:
			fprintf(out, "%04x\n", *number);
			break;
		case NUMBER:
			fprintf(out, "%u\n", *number);
			break;
		case TRIPLE:
			fprintf(out, "%02x:%02x:%02x\n", *number >> 16,
				*number >> 8 & 0xff, *number & 0xff);
			break;
		case SPEED:
			fprintf(out, "%s\n", emu_settings_speed_name(*number));
			break;
		}
	}
}

void emu_settings_help(FILE *out)
{
	size_t i;

	fprintf(out, "Settings, for the next plug (or at once by apply):\n");
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		fprintf(out, "  %s=  %s", keys[i].name, keys[i].help);
		if (keys[i].kind == PRESET) {
			fprintf(out, ": ");
			emu_preset_names(out);
		}
		fputc('\n', out);
	}
}
