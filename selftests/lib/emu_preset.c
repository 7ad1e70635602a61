// SPDX-License-Identifier: GPL-2.0
/* Devices that the host's own class drivers probe. */
#include <errno.h>
#include <string.h>

#include "emu_private.h"

#define KEYBOARD_CLASS	0x030101	/* HID, boot, keyboard */
#define ACM_CLASS	0x020201	/* communications, abstract, AT commands */
#define ECM_CLASS	0x020600	/* communications, ethernet */
#define DATA_CLASS	0x0a0000
#define UAS_CLASS	0x080662

/* ECM keeps its MAC address in a string; 4 is the first that is free. */
#define MAC_STRING	4

static unsigned int class_or(const struct emu *emu, unsigned int class)
{
	return emu->settings.class ? emu->settings.class : class;
}

static int keyboard_build(struct emu *emu)
{
	/* HID 1.11 appendix B.1: modifiers, LEDs, six keys */
	static const uint8_t report[] = {
		0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0,
		0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08,
		0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x05,
		0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02,
		0x95, 0x01, 0x75, 0x03, 0x91, 0x01, 0x95, 0x06, 0x75, 0x08,
		0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65,
		0x81, 0x00, 0xc0,
	};
	static const uint8_t hid[] = {
		9, 0x21, 0x11, 0x01, 0, 1, 0x22, sizeof(report), 0,
	};

	emu_desc_begin(emu, 0);
	memcpy(emu->model.report.data, report, sizeof(report));
	emu->model.report.len = sizeof(report);
	emu_desc_config(emu);
	emu_desc_interface(emu, 0, 0, class_or(emu, KEYBOARD_CLASS));
	emu_desc_raw(emu, hid, sizeof(hid));
	emu_desc_endpoint(emu, 0x81, 'i', 8);
	emu_desc_end(emu);
	return 0;
}

static int acm_build(struct emu *emu)
{
	static const uint8_t functional[] = {
		5, 0x24, 0x00, 0x10, 0x01,	/* header, CDC 1.10 */
		5, 0x24, 0x01, 0x00, 1,		/* calls: data interface 1 */
		4, 0x24, 0x02, 0x02,		/* line coding and state */
		5, 0x24, 0x06, 0, 1,		/* union of 0 and 1 */
	};

	emu_desc_begin(emu, 0x020000);
	emu_desc_config(emu);
	emu_desc_interface(emu, 0, 0, class_or(emu, ACM_CLASS));
	emu_desc_raw(emu, functional, sizeof(functional));
	emu_desc_endpoint(emu, 0x83, 'i', 16);
	emu_desc_interface(emu, 1, 0, DATA_CLASS);
	emu_desc_endpoint(emu, 0x01, 'b', 0);
	emu_desc_endpoint(emu, 0x81, 'b', 0);
	emu_desc_end(emu);
	return 0;
}

static int ecm_build(struct emu *emu)
{
	static const uint8_t functional[] = {
		5, 0x24, 0x00, 0x10, 0x01,
		5, 0x24, 0x06, 0, 1,
		13, 0x24, 0x0f, MAC_STRING, 0, 0, 0, 0, 0xea, 0x05, 0, 0, 0,
	};

	emu_desc_begin(emu, 0x020000);
	strcpy(emu->model.string[MAC_STRING - 1], "020000000001");
	emu_desc_config(emu);
	emu_desc_interface(emu, 0, 0, class_or(emu, ECM_CLASS));
	emu_desc_raw(emu, functional, sizeof(functional));
	emu_desc_endpoint(emu, 0x83, 'i', 16);
	emu_desc_interface(emu, 1, 0, DATA_CLASS);
	emu_desc_interface(emu, 1, 1, DATA_CLASS);
	emu_desc_endpoint(emu, 0x01, 'b', 0);
	emu_desc_endpoint(emu, 0x81, 'b', 0);
	emu_desc_end(emu);
	return 0;
}

/*
 * Bulk-only in setting 0, UAS in setting 1, so that the host's uas driver
 * probes it. No SCSI target is behind it: the host's commands get no answer.
 */
static int uas_build(struct emu *emu)
{
	static const struct {
		uint8_t address, usage;
	} pipes[] = { { 0x01, 1 }, { 0x81, 2 }, { 0x82, 3 }, { 0x02, 4 } };
	unsigned int i;

	if (emu->model.speed == EMU_SUPER)
		return -EOPNOTSUPP;	/* needs streams, which vhci has not */
	emu_desc_begin(emu, 0);
	emu_desc_config(emu);
	emu_desc_interface(emu, 0, 0, 0x080650);
	emu_desc_endpoint(emu, 0x81, 'b', 0);
	emu_desc_endpoint(emu, 0x02, 'b', 0);
	emu_desc_interface(emu, 0, 1, class_or(emu, UAS_CLASS));
	for (i = 0; i < ARRAY_SIZE(pipes); i++) {
		const uint8_t usage[4] = { 4, 0x24, pipes[i].usage, 0 };

		emu_desc_endpoint(emu, pipes[i].address, 'b', 0);
		emu_desc_raw(emu, usage, sizeof(usage));
	}
	emu_desc_end(emu);
	return 0;
}

static int silent_transfer(struct emu *emu, struct emu_urb *urb,
			   const struct emu_endpoint *endpoint)
{
	return EMU_WAIT;
}

/* A cable with nobody at the other end: an echo would upset the host. */
static int ecm_transfer(struct emu *emu, struct emu_urb *urb,
			const struct emu_endpoint *endpoint)
{
	if (!(urb->ep & 0x80))
		return 0;
	return (endpoint->attributes & 3) == 3 ? emu_report_take(emu, urb) :
						 EMU_WAIT;
}

/* Class requests of these: writes are taken, reads give what was written. */
static int class_control(struct emu *emu, struct emu_urb *urb)
{
	size_t len = (size_t)(urb->setup[6] | urb->setup[7] << 8);

	if ((urb->setup[0] & 0x60) != 0x20)
		return emu_loop_control(emu, urb);
	if (len > urb->room)
		len = urb->room;
	if (urb->setup[0] & 0x80)
		return emu_urb_put(urb, emu->control_data, len);
	if (len)
		memcpy(emu->control_data, urb->data, len);
	return 0;
}

#define PRESET(preset, builder, transferrer)		\
	static const struct emu_function preset = {	\
		.name = #preset,			\
		.build = builder,			\
		.control = class_control,		\
		.transfer = transferrer,		\
		.reset = emu_loop_reset,		\
	}

PRESET(keyboard, keyboard_build, emu_loop_transfer);
PRESET(acm, acm_build, emu_loop_transfer);
PRESET(ecm, ecm_build, ecm_transfer);
PRESET(uas, uas_build, silent_transfer);

static const struct emu_function *const presets[] = {
	&emu_loop_function, &emu_storage_function, &keyboard, &acm, &ecm, &uas,
};

const struct emu_function *emu_preset_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(presets); i++)
		if (!strcmp(presets[i]->name, name))
			return presets[i];
	return NULL;
}

void emu_preset_names(FILE *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(presets); i++)
		fprintf(out, "%s%s", i ? "|" : "", presets[i]->name);
}
