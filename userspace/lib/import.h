/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other systems' rules as a configuration.
 *
 * Each format has a file of its own (import_usbguard.c, import_usbredir.c, import_xenserver.c,
 * import_libvirt.c, which loads libxml2 where it is called); import.c is what they share, and
 * import_filter.c what usbredir and XenServer share: a verdict on each interface.
 *
 * What comes out never gives more away than the source does, unless that was asked for (@loose): a
 * rule that lets a device through is narrowed or left out where it cannot be said, one that keeps
 * a device back is widened. All of these are told, with the place in the source. One that keeps
 * devices back and cannot be said at all is left out too, and counted (@refusals).
 */
#ifndef _LIBUSBPASS_IMPORT_H
#define _LIBUSBPASS_IMPORT_H

#include "state.h"

#define USBPASS_IMPORT_BYTES_MAX	(16 << 20)	/* of a source */
#define USBPASS_IMPORT_GROUP		"imported"

enum usbpass_import_kind {
	USBPASS_IMPORT_LEFT_OUT,	/* nothing stands for it */
	USBPASS_IMPORT_STRICTER,	/* fewer devices get through than in the source */
	USBPASS_IMPORT_WIDER,		/* more do; only with @loose */
	USBPASS_IMPORT_NOTE,		/* good to know; nothing is lost */

	__USBPASS_IMPORT_KINDS,
};

struct usbpass_import_remark {
	enum usbpass_import_kind kind;
	unsigned int line, column;	/* from 1; columns count bytes, 0: the line as a whole */
	char *text;			/* printable */
};

struct usbpass_import_options {
	const char *group;		/* for what may be passed on. NULL: "imported"; of libvirt
					 * one for each device
					 */
	const char *prefix;		/* of the rules' names. NULL: "imported" */
	bool loose;			/* leave out what a rule cannot say, though more match then */
	bool exact;			/* write hundreds of rules where few would be stricter */
	bool allow;			/* what no rule matches is let through (not of XenServer) */
	const struct usbpass_device *devices;	/* present here; for momentary addresses */
	size_t n_devices;
	size_t max_rules;		/* 0: USBPASS_RULES_MAX */
};

struct usbpass_import {
	struct usbpass_state state;
	struct usbpass_import_remark *remarks;	/* in the order of the source */
	size_t n_remarks;
	size_t counts[__USBPASS_IMPORT_KINDS];	/* of the remarks */
	size_t rules;			/* that the source has */
	size_t refusals;		/* of those left out, the ones that keep devices back */
};

/**
 * usbpass_import_fn - one format
 * @text, @size: the source, with whatever bytes in it
 * @out: free with usbpass_import_free(), also on error
 * @err: on error a sentence, "line N: ..." where there is a line
 *
 * Return: 0, also where something was left out; -EINVAL, not of this format at all; -E2BIG, more
 * rules than there may be; -ENOPKG, libxml2 is not here; -ENOMEM.
 */
typedef int usbpass_import_fn(const char *text, size_t size,
			      const struct usbpass_import_options *options,
			      struct usbpass_import *out, char *err, size_t errsize);

usbpass_import_fn usbpass_import_usbguard;	/* rules.conf */
usbpass_import_fn usbpass_import_usbredir;	/* class:vendor:product:version:allow|... */
usbpass_import_fn usbpass_import_xenserver;	/* usb-policy.conf */
usbpass_import_fn usbpass_import_libvirt;	/* <domain> or <hostdev> */

void usbpass_import_free(struct usbpass_import *import);

/* "left out", "stricter", "wider", "note" */
const char *usbpass_import_word(enum usbpass_import_kind kind);

/* All was carried over, and means the same. */
bool usbpass_import_whole(const struct usbpass_import *import);

#endif /* _LIBUSBPASS_IMPORT_H */
