/* SPDX-License-Identifier: GPL-2.0 */
/* Between the import*.c only. */
#ifndef _LIBUSBPASS_IMPORT_PRIVATE_H
#define _LIBUSBPASS_IMPORT_PRIVATE_H

#include "import.h"

/* Where something stands in the source, and what: for remarks, names and descriptions. */
struct import_place {
	unsigned int line, column;
	unsigned int rule;		/* of the source, from 1, as import_count() gave it */
	const char *tag;		/* of what the source does not say: its name, once */
	const char *text;
	size_t len;
};

/* Conditions that must all hold; strings are the caller's. None: every device. */
struct import_conds {
	struct usbpass_cond conds[USBPASS_CONDS_MAX];
	size_t n;
	bool overflow;			/* there were more */
};

/* One import. The first error stays; after it nothing is added. */
struct importer {
	const struct usbpass_import_options *options;
	struct usbpass_import *out;
	char *err;
	size_t errsize;
	int error;
	bool by_rule;			/* lines say nothing, or hold many: names count rules */
	size_t groups, rules, attachments, remarks;	/* room in the arrays */
	unsigned int *made;		/* how many rules one of the source became */
	size_t n_made;
};

/*
 * import.c
 */
void import_begin(struct importer *importer, const struct usbpass_import_options *options,
		  struct usbpass_import *out, char *err, size_t errsize);
int import_end(struct importer *importer);	/* the error */

__attribute__((format(printf, 4, 5)))
void import_fail(struct importer *importer, int error, unsigned int line, const char *format, ...);

__attribute__((format(printf, 4, 5)))
void import_remark(struct importer *importer, enum usbpass_import_kind kind,
		   const struct import_place *place, const char *format, ...);

/* Bytes made printable, "..." behind what does not fit. -> @buf */
const char *import_quote(const char *text, size_t len, char *buf, size_t size);

/* The next line of the source, without its end and a carriage return. False: it is over. */
bool import_line(const char **text, size_t *size, struct import_place *line);

/* Numbers a rule of the source; false past the limit, which is an error. */
bool import_count(struct importer *importer, struct import_place *place);

void import_number(struct import_conds *conds, uint8_t field, uint8_t op, uint32_t number);
void import_string(struct import_conds *conds, uint8_t field, uint8_t op, const char *string);
void import_class(struct import_conds *conds, uint8_t field, uint8_t quantifier, uint32_t class,
		  uint32_t mask);

/*
 * Named after the prefix and @place's line, with a number where it becomes several.
 * @group: of a claim, else NULL.
 */
void import_rule(struct importer *importer, const struct import_place *place, uint8_t action,
		 const char *group, const struct import_conds *conds);
void import_group(struct importer *importer, const char *name);		/* once each */
struct usbpass_attachment *import_attachment(struct importer *importer);	/* NULL: error */

/* What may be passed on goes there. */
const char *import_group_name(const struct importer *importer);

/* The present device of bus id @busid, or with these numbers; NULL: none. */
const struct usbpass_device *import_device_at(const struct importer *importer, const char *busid);
const struct usbpass_device *import_device(const struct importer *importer, uint32_t bus,
					   uint32_t address);

/*
 * import_filter.c: an ordered list of rules of which each interface of a device takes the first
 * that matches, and the device is let through if all its interfaces are.
 */
#define IMPORT_FILTER_MAX	4096	/* rules of a filter: its work grows with their square */

enum { IMPORT_VENDOR, IMPORT_PRODUCT, IMPORT_RELEASE, IMPORT_IDS };

struct import_filter_rule {
	bool allow;
	bool has[IMPORT_IDS];
	uint16_t id[IMPORT_IDS];
	uint32_t class, mask;		/* @mask 0: every interface */
	struct import_place place;
	bool told;			/* that it is stricter */
};

struct import_filter {
	struct importer *importer;
	struct import_filter_rule *rules;
	size_t n;
	/* As usbredir has it: the device's own class counts as one of an interface, and 03:00:00
	 * for nothing where the device has other interfaces.
	 */
	bool usbredir;
};

/* False: no more room, or no memory, which is an error. */
bool import_filter_add(struct import_filter *filter, const struct import_filter_rule *rule);
void import_filter_run(struct import_filter *filter);	/* and frees its rules */

#endif /* _LIBUSBPASS_IMPORT_PRIVATE_H */
