/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EMU_PRIVATE_H
#define EMU_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "emu.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define EMU_QUEUES	32	/* endpoint number, plus 16 for IN; control is 0 */
#define EMU_WAIT	1	/* not a status: the device NAKs, try again later */
#define EMU_CONFIGS	4
#define EMU_INTERFACES	32
#define EMU_STRINGS	8
#define EMU_RAW_STRINGS	4	/* languages, manufacturer, product, serial */
#define EMU_REPORT_MAX	1024
#define EMU_LOG_LINES	512

/* usbip's wire flags, Documentation/usb/usbip_protocol.rst */
#define EMU_SHORT_NOT_OK	0x0001
#define EMU_ZERO_PACKET		0x0040

enum emu_speed {	/* enum usb_device_speed, as vhci's attach file wants it */
	EMU_LOW = 1,
	EMU_FULL = 2,
	EMU_HIGH = 3,
	EMU_SUPER = 5,
};

/* What the next plug (or `apply`) makes the device from; emu_settings.c */
struct emu_settings {
	char preset[16];
	char manufacturer[128], product[128], serial[128];
	char raw[EMU_RAW_STRINGS][511];	/* hex; by index */
	char descriptors[256];	/* file: device, then configuration descriptors */
	char disk[256];		/* file behind the storage preset */
	unsigned int vid, pid, bcd, usb;
	unsigned int class, device_class;	/* 0xCCSSPP */
	unsigned int speed;
	unsigned int configs, interfaces;
	unsigned int fifo, disk_kib;
	char port[16];
};

/* The descriptors the host reads; emu_desc.c */
struct emu_bytes {
	uint8_t data[65536];	/* wTotalLength can say 65535 */
	size_t len;
};

struct emu_model {
	enum emu_speed speed;
	struct emu_bytes device, bos, report;
	struct emu_bytes config[EMU_CONFIGS];
	unsigned int configs;
	char string[EMU_STRINGS][128];	/* from index 1; UTF-8 */
	struct {		/* in their place, whatever it is; by index */
		bool there;
		uint8_t data[255];
		size_t len;
	} raw[EMU_RAW_STRINGS];
	const struct emu_function *function;
};

struct emu_endpoint {
	uint8_t address, attributes;
	unsigned int maxpacket;
};

struct emu_urb {
	struct emu_urb *next;
	uint32_t seqnum, flags, length, packets;
	uint32_t room;		/* length, less where a `short` rule says so */
	uint32_t actual;
	uint8_t ep;		/* with 0x80 for IN, also for control */
	uint8_t setup[8];
	uint8_t *data;		/* OUT: payload; IN: from emu_urb_put() on */
	uint8_t *iso;		/* packets * 16 bytes, big endian */
	bool judged, muted;
	int status;		/* what the rules say; 0: ask the device */
	uint64_t due;		/* monotonic ms */
	bool varies;		/* IN: vary_by is added to the byte vary_at */
	size_t vary_at;
	uint8_t vary_by;
};

struct emu_queue {
	struct emu_urb *head, **tail;
	unsigned int count;
	uint64_t urbs, bytes;	/* completed with success */
};

enum emu_action { EMU_MUTE, EMU_STALL, EMU_ERROR, EMU_DELAY, EMU_SHORT, EMU_VARY };

struct emu_rule {
	struct emu_rule *next;
	enum emu_action action;
	char text[64];		/* target as typed, what `unmute` compares */
	int (*match)(const struct emu_rule *rule, const struct emu_urb *urb,
		     const struct emu_endpoint *endpoint);
	unsigned int number;	/* of match */
	long argument;
	unsigned long skip, count;	/* count 0: no end */
	uint8_t turn;		/* of vary: how often */
	bool counted, spent;
};

struct emu_stats {
	unsigned long plugs, unplugs, submits, unlinks, unlinks_late;
	unsigned long control, stalls, errors, bad_endpoint, isochronous;
	unsigned long get_descriptor, get_descriptor_device;
	unsigned long get_descriptor_config, get_descriptor_string;
	unsigned long enumerations, resets, set_address, set_configuration;
	unsigned long set_interface, clear_halt, set_feature, get_status;
	unsigned long class_requests, vendor_requests;
	unsigned long reports_sent, reports_received, pattern_errors;
	long last_configuration, last_interface, last_alternate;
	long last_clear_halt;
};

struct emu_chunk {	/* one OUT transfer on its way back to the host */
	struct emu_chunk *next;
	uint8_t *data;
	size_t len, off;
};

struct emu_fifo {
	struct emu_chunk *head, **tail;
	size_t bytes;
};

struct emu_reportq {
	struct emu_report *head, **tail;
	unsigned int count;
	unsigned int interval;	/* ms; 0: none by itself */
	uint64_t next_at, counter;
};

struct emu_storage {
	enum { EMU_BOT_COMMAND, EMU_BOT_OUT, EMU_BOT_IN, EMU_BOT_STATUS } phase;
	uint8_t tag[4], sense, asc, csw_status;
	uint32_t expected;	/* dCBWDataTransferLength left */
	uint8_t *disk;
	size_t size, at;	/* at: of the write under way */
	uint32_t left;		/* bytes of the data phase left */
	uint8_t reply[256];
	const uint8_t *from;
	bool mapped;
};

/*
 * A personality. build() fills emu->model from emu->settings; control() gets
 * what is not a standard request; transfer() the other endpoints. The last
 * two return a URB status (0, -EPIPE: stall) or EMU_WAIT.
 */
struct emu_function {
	const char *name;
	int (*build)(struct emu *emu);
	int (*control)(struct emu *emu, struct emu_urb *urb);
	int (*transfer)(struct emu *emu, struct emu_urb *urb,
			const struct emu_endpoint *endpoint);
	void (*reset)(struct emu *emu);
};

struct emu {
	pthread_mutex_t lock;
	pthread_cond_t changed;	/* plugged, plug_error */
	pthread_t thread;
	int wake;		/* eventfd: the thread looks at everything again */
	bool quit;

	/* protected by lock */
	struct emu_settings settings;
	struct emu_model model;
	struct emu_stats stats;
	struct emu_rule *rules;
	struct emu_line *at_reset;
	struct emu_queue queue[EMU_QUEUES];
	uint64_t next_due;	/* earliest delayed URB, 0: none */

	int sock;		/* -1: nothing attached */
	bool leaving;		/* detach written, its end of file not seen */
	unsigned int vhci_port;	/* kept over a replug */
	bool vhci_port_set;
	char busid[32];
	uint64_t plug_at, plug_until, unplug_at;	/* 0: not wanted */
	uint64_t dying_until;	/* answers nothing, and leaves then at the latest; 0: it lives */
	char plug_error[256];

	/* the device's own state */
	uint8_t configuration, alternate[EMU_INTERFACES];
	uint32_t halted;	/* bit: queue index */
	bool lost;		/* took a SET_ADDRESS: deaf at the old one */
	bool known;		/* since its plug or reset the host read more of it */
	uint8_t control_data[65536];
	size_t control_len;
	struct emu_fifo fifo[16];	/* by endpoint number */
	uint64_t source_at, sink_at;
	struct emu_reportq reports;
	struct emu_storage storage;

	char log[EMU_LOG_LINES][112];
	unsigned int log_next;
	uint64_t log_epoch;
};

/* emu.c */
uint64_t emu_now(void);
void emu_kick(struct emu *emu);
__attribute__((format(printf, 2, 3)))
void emu_log(struct emu *emu, const char *format, ...);
int emu_apply(struct emu *emu, char *error, size_t size);
void emu_reset_state(struct emu *emu);

/* emu_vhci.c: sysfs of the host controller */
int emu_vhci_attach(struct emu *emu, char *error, size_t size);
void emu_vhci_detach(struct emu *emu);
bool emu_vhci_port_free(unsigned int port);
bool emu_vhci_enumerated(struct emu *emu);
void emu_vhci_socket(const struct emu *emu, char *name, size_t size);

/* emu_wire.c: usbip PDUs */
int emu_wire_receive(struct emu *emu);
void emu_wire_return(struct emu *emu, const struct emu_urb *urb, int status);
void emu_wire_return_unlink(struct emu *emu, uint32_t seqnum, int status);

/* emu_urb.c: queues and completion */
void emu_urb_submit(struct emu *emu, struct emu_urb *urb);
void emu_urb_unlink(struct emu *emu, uint32_t seqnum, uint32_t victim);
void emu_urb_run(struct emu *emu);
void emu_urb_rejudge(struct emu *emu);
void emu_urb_fail(struct emu *emu, bool control_only);
void emu_urb_drop_all(struct emu *emu);
void emu_urb_free(struct emu_urb *urb);
int emu_urb_put(struct emu_urb *urb, const void *data, size_t len);
unsigned int emu_urb_in_flight(const struct emu *emu);
static inline unsigned int emu_urb_index(uint8_t ep)
{
	return (ep & 0x0f) ? (ep & 0x0f) | (ep & 0x80) >> 3 : 0;
}

/* emu_rule.c: chosen misbehaviour */
int emu_rule_add(struct emu *emu, enum emu_action action, const char *text,
		 char *error, size_t size);
bool emu_rule_remove(struct emu *emu, int action, const char *text);
void emu_rule_judge(struct emu *emu, struct emu_urb *urb,
		    const struct emu_endpoint *endpoint);
void emu_rule_print(const struct emu *emu, FILE *out);

/* emu_reset.c: what it does at a reset of its port */
int emu_reset_add(struct emu *emu, const char *line, FILE *out);
void emu_reset_forget(struct emu *emu);
void emu_reset_print(const struct emu *emu, FILE *out);
void emu_reset_see(struct emu *emu);

/* emu_desc.c: building and reading descriptors */
void emu_desc_begin(struct emu *emu, unsigned int ep0_class);
void emu_desc_config(struct emu *emu);
void emu_desc_interface(struct emu *emu, unsigned int number,
			unsigned int alternate, unsigned int class);
void emu_desc_endpoint(struct emu *emu, uint8_t address, char type,
		       unsigned int maxpacket);
void emu_desc_raw(struct emu *emu, const void *data, size_t len);
void emu_desc_end(struct emu *emu);
int emu_desc_load(struct emu *emu, const char *path);
bool emu_desc_find(const struct emu *emu, uint8_t address,
		   struct emu_endpoint *endpoint);
bool emu_desc_has_alternate(const struct emu *emu, unsigned int interface,
			    unsigned int alternate);
const struct emu_bytes *emu_desc_current(const struct emu *emu,
					 unsigned int value);

/* emu_device.c: endpoint 0 */
void emu_device_see(struct emu *emu, const uint8_t *setup);
int emu_device_control(struct emu *emu, struct emu_urb *urb);

/* emu_preset.c, emu_loop.c, emu_storage.c: personalities */
const struct emu_function *emu_preset_find(const char *name);
void emu_preset_names(FILE *out);
extern const struct emu_function emu_loop_function, emu_storage_function;
int emu_loop_control(struct emu *emu, struct emu_urb *urb);
int emu_loop_transfer(struct emu *emu, struct emu_urb *urb,
		      const struct emu_endpoint *endpoint);
void emu_loop_reset(struct emu *emu);
void emu_storage_free(struct emu *emu);

/* emu_report.c: data and interrupt queues that personalities share */
void emu_fifo_clear(struct emu_fifo *fifo);
int emu_fifo_put(struct emu *emu, struct emu_fifo *fifo, struct emu_urb *urb,
		 unsigned int maxpacket);
int emu_fifo_take(struct emu_fifo *fifo, struct emu_urb *urb,
		  unsigned int maxpacket);
int emu_report_add(struct emu *emu, const uint8_t *data, size_t len);
int emu_report_take(struct emu *emu, struct emu_urb *urb);
void emu_report_tick(struct emu *emu, uint64_t now);
void emu_report_clear(struct emu *emu);

/* emu_settings.c */
void emu_settings_default(struct emu_settings *settings);
int emu_settings_set(struct emu_settings *settings, const char *key,
		     const char *value, char *error, size_t size);
void emu_settings_print(const struct emu_settings *settings, FILE *out);
void emu_settings_help(FILE *out);
const char *emu_settings_speed_name(unsigned int speed);

/* emu_command.c */
int emu_command_locked(struct emu *emu, const char *line, FILE *out);
void emu_command_help(FILE *out);

/* emu_stats.c */
void emu_stats_print(struct emu *emu, FILE *out);
int emu_stats_find(struct emu *emu, const char *key, FILE *out);

#endif
