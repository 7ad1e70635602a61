/* SPDX-License-Identifier: GPL-2.0 */
/* Names for people: the hardware database, and a device's own strings made safe. */
#ifndef _LIBUSBPASS_NAMES_H
#define _LIBUSBPASS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usbpass_names;

/* Opens the hardware database of udev. NULL where there is none; that is no error. */
struct usbpass_names *usbpass_names_open(void);
void usbpass_names_close(struct usbpass_names *names);

/* "" where the database does not know; valid until the next call. @names may be NULL. */
const char *usbpass_names_vendor(struct usbpass_names *names, uint16_t vendor);
const char *usbpass_names_product(struct usbpass_names *names, uint16_t vendor, uint16_t product);

/*
 * printable.c
 */

/* Bytes of the printable character at @text; 0: what stands there is none. */
size_t usbpass_names_character(const char *text);

/* Valid UTF-8 without control, format and bidirectional characters. */
bool usbpass_names_printable(const char *text);

/*
 * @text with every byte that is not so, and the backslash, as \xHH. Whatever a
 * device says, a terminal shows it and does nothing else. -> @buf, cut to fit.
 */
const char *usbpass_names_quote(const char *text, char *buf, size_t size);

/* For sentences, which may have been quoted before: as it is where it is printable, else quoted. */
const char *usbpass_names_safe(const char *text, char *buf, size_t size);

#endif /* _LIBUSBPASS_NAMES_H */
