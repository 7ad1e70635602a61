/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LIBUSBPASS_RULE_REGEX_H
#define _LIBUSBPASS_RULE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * POSIX extended regular expressions (IEEE Std 1003.1, XBD chapter 9.4) to the table that the
 * kernel runs (linux/usbpass.h, USBPASS_A_COND_TABLE). Of bytes, as in the C locale; found
 * anywhere in the string unless ^ and $ say otherwise. What the standard leaves undefined is
 * refused, but an empty alternative, which is the empty string.
 */

/* Of all expressions of a rule: a netlink attribute, which a rule is, has 65,535 bytes. */
#define USBPASS_REGEX_RULE_BYTES 49152

/**
 * usbpass_regex_compile - make the table of an expression
 * @expression: up to USBPASS_STRING_MAX bytes
 * @table: the table, to be freed with free(); may be NULL
 * @size: its size, up to USBPASS_TABLE_MAX bytes
 * @at: on error the byte of @expression, from 0, that is at fault; may be its end
 * @err: on error what is wrong, for people; @errsize bytes at most
 *
 * Return: 0; -EINVAL: this is no expression; -E2BIG: it needs more than USBPASS_TABLE_STATES
 * states or USBPASS_TABLE_CLASSES kinds of bytes; -ENOMEM.
 */
int usbpass_regex_compile(const char *expression, uint8_t **table, size_t *size, size_t *at,
			  char *err, size_t errsize);

/* What the kernel does with a table that usbpass_regex_compile() made. */
bool usbpass_regex_run(const uint8_t *table, const char *string);

#endif /* _LIBUSBPASS_RULE_REGEX_H */
