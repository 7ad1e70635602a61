// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors, USB 2.0 chapter 9 and USB 3.2 chapter 9. Presets append; the
 * lengths and counts that depend on what follows are set by emu_desc_end().
 */
#include <errno.h>
#include <string.h>

#include "emu_private.h"

#define DT_CONFIG	2
#define DT_INTERFACE	4
#define DT_ENDPOINT	5

static void append(struct emu_bytes *bytes, const void *data, size_t len)
{
	if (bytes->len + len > sizeof(bytes->data))
		return;
	memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

static struct emu_bytes *config(struct emu *emu)
{
	return &emu->model.config[emu->model.configs - 1];
}

/* Device and BOS descriptors out of the settings. */
void emu_desc_begin(struct emu *emu, unsigned int device_class)
{
	const struct emu_settings *set = &emu->settings;
	struct emu_model *model = &emu->model;
	bool super = model->speed == EMU_SUPER;
	unsigned int usb = set->usb ? set->usb : super ? 0x300 : 0x200;
	unsigned int class = set->device_class ? set->device_class : device_class;
	const uint8_t device[18] = {
		18, 1, usb & 0xff, (uint8_t)(usb >> 8), (uint8_t)(class >> 16),
		(class >> 8) & 0xff, class & 0xff,
		super ? 9 : model->speed == EMU_LOW ? 8 : 64,
		set->vid & 0xff, (uint8_t)(set->vid >> 8),
		set->pid & 0xff, (uint8_t)(set->pid >> 8),
		set->bcd & 0xff, (uint8_t)(set->bcd >> 8),
		set->manufacturer[0] || set->raw[1][0] ? 1 : 0,
		set->product[0] || set->raw[2][0] ? 2 : 0,
		set->serial[0] || set->raw[3][0] ? 3 : 0, 0,
	};
	static const uint8_t bos[] = {
		5, 15, 22, 0, 2,
		7, 16, 2, 0, 0, 0, 0,			/* USB 2.0 extension */
		10, 16, 3, 0, 0x0e, 0, 1, 0, 0, 0,	/* SuperSpeed: full to super */
	};

	append(&model->device, device, sizeof(device));
	if (super)
		append(&model->bos, bos, sizeof(bos));
}

void emu_desc_config(struct emu *emu)
{
	uint8_t value = (uint8_t)(emu->model.configs + 1);
	const uint8_t desc[9] = { 9, DT_CONFIG, 0, 0, 0, value, 0, 0x80, 50 };

	emu->model.configs++;
	append(config(emu), desc, sizeof(desc));
}

void emu_desc_interface(struct emu *emu, unsigned int number,
			unsigned int alternate, unsigned int class)
{
	const uint8_t desc[9] = {
		9, DT_INTERFACE, (uint8_t)number, (uint8_t)alternate, 0,
		(uint8_t)(class >> 16), (class >> 8) & 0xff, class & 0xff, 0,
	};

	append(config(emu), desc, sizeof(desc));
}

/* type: 'b'ulk or 'i'nterrupt. maxpacket 0: the speed's largest (interrupt: 64). */
void emu_desc_endpoint(struct emu *emu, uint8_t address, char type,
		       unsigned int maxpacket)
{
	enum emu_speed speed = emu->model.speed;
	static const uint8_t companion[6] = { 6, 0x30, 0, 0, 0, 0 };
	/* 8 ms: in frames up to full speed, in 2^(n-1) microframes above */
	uint8_t interval = type == 'b' ? 0 : speed >= EMU_HIGH ? 7 : 8;
	unsigned int bulk = speed == EMU_SUPER ? 1024 :
			    speed == EMU_HIGH ? 512 : 64;
	uint8_t desc[7] = { 7, DT_ENDPOINT, address, type == 'b' ? 2 : 3, 0, 0,
			    interval };

	if (type == 'b')
		maxpacket = bulk;	/* no choice but at full speed */
	else if (!maxpacket || (speed == EMU_LOW && maxpacket > 8))
		maxpacket = speed == EMU_LOW ? 8 : 64;
	desc[4] = maxpacket & 0xff;
	desc[5] = (uint8_t)(maxpacket >> 8);
	append(config(emu), desc, sizeof(desc));
	if (speed == EMU_SUPER) {
		uint8_t ss[6];

		memcpy(ss, companion, sizeof(ss));
		if (type != 'b') {
			ss[4] = maxpacket & 0xff;	/* wBytesPerInterval */
			ss[5] = (uint8_t)(maxpacket >> 8);
		}
		append(config(emu), ss, sizeof(ss));
	}
}

void emu_desc_raw(struct emu *emu, const void *data, size_t len)
{
	append(config(emu), data, len);
}

static void finish(struct emu_bytes *bytes)
{
	uint8_t *data = bytes->data, *interface = NULL;
	uint32_t seen = 0;
	size_t at;

	for (at = 0; at + 2 <= bytes->len && data[at]; at += data[at]) {
		if (data[at + 1] == DT_INTERFACE) {
			interface = data + at;
			seen |= 1u << (interface[2] % 32);
		} else if (data[at + 1] == DT_ENDPOINT && interface) {
			interface[4]++;
		}
	}
	data[2] = bytes->len & 0xff;
	data[3] = (uint8_t)(bytes->len >> 8);
	data[4] = (uint8_t)__builtin_popcount(seen);
}

void emu_desc_end(struct emu *emu)
{
	unsigned int i;

	for (i = 0; i < emu->model.configs; i++)
		finish(&emu->model.config[i]);
	emu->model.device.data[17] = (uint8_t)emu->model.configs;
}

/*
 * A file as /sys/bus/usb/devices/.../descriptors: 18 bytes, then the
 * configurations. They may be as wrong as a test likes: only where they begin
 * is read here, by wTotalLength, and the rest of the file is the last one's.
 */
int emu_desc_load(struct emu *emu, const char *path)
{
	struct emu_model *model = &emu->model;
	uint8_t data[18 + EMU_CONFIGS * sizeof(model->config[0].data)];
	FILE *file = fopen(path, "re");
	size_t len, at, total;

	if (!file)
		return -errno;
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	if (len < 18)
		return -EINVAL;
	memcpy(model->device.data, data, 18);
	model->device.len = 18;
	model->configs = 0;
	for (at = 18; at < len && model->configs < EMU_CONFIGS; at += total) {
		total = len - at;
		if (total >= 4 && model->configs + 1 < data[17] &&
		    (size_t)(data[at + 2] | data[at + 3] << 8) < total)
			total = (size_t)(data[at + 2] | data[at + 3] << 8);
		if (!total || total > sizeof(model->config[0].data))
			return -EINVAL;
		memcpy(model->config[model->configs].data, data + at, total);
		model->config[model->configs++].len = total;
	}
	return 0;
}

/* The configuration with this value, NULL: none. */
const struct emu_bytes *emu_desc_current(const struct emu *emu,
					 unsigned int value)
{
	unsigned int i;

	for (i = 0; value && i < emu->model.configs; i++)
		if (emu->model.config[i].len >= 9 &&
		    emu->model.config[i].data[5] == value)
			return &emu->model.config[i];
	return NULL;
}

/* An endpoint of the alternate settings that are in force. */
bool emu_desc_find(const struct emu *emu, uint8_t address,
		   struct emu_endpoint *endpoint)
{
	const struct emu_bytes *bytes = emu_desc_current(emu, emu->configuration);
	const uint8_t *data;
	bool current = false;
	size_t at;

	if (!bytes)
		return false;
	data = bytes->data;
	for (at = 0; at + 7 <= bytes->len && data[at] >= 2; at += data[at]) {
		if (data[at + 1] == DT_INTERFACE)
			current = emu->alternate[data[at + 2] % EMU_INTERFACES] ==
				  data[at + 3];
		if (data[at + 1] != DT_ENDPOINT || !current ||
		    data[at + 2] != address)
			continue;
		endpoint->address = address;
		endpoint->attributes = data[at + 3];
		endpoint->maxpacket = (data[at + 4] | data[at + 5] << 8) & 0x7ff;
		return endpoint->maxpacket > 0;
	}
	return false;
}

bool emu_desc_has_alternate(const struct emu *emu, unsigned int interface,
			    unsigned int alternate)
{
	const struct emu_bytes *bytes = emu_desc_current(emu, emu->configuration);
	size_t at;

	if (!bytes || interface >= EMU_INTERFACES)
		return false;
	for (at = 0; at + 4 <= bytes->len && bytes->data[at] >= 2;
	     at += bytes->data[at])
		if (bytes->data[at + 1] == DT_INTERFACE &&
		    bytes->data[at + 2] == interface &&
		    bytes->data[at + 3] == alternate)
			return true;
	return false;
}
