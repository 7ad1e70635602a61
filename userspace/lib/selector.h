/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How people name a present device: id ("#12", "12"), bus id ("1-4.2"), socket
 * ("0000:00:14.0/4.2"), "vvvv:pppp" or serial.
 */
#ifndef _LIBUSBPASS_SELECTOR_H
#define _LIBUSBPASS_SELECTOR_H

#include "usbpass.h"

/**
 * usbpass_selector_find - the one device of @list that @text means
 * @err: on error a sentence; for an ambiguous text it lists the candidates
 *
 * Return: 0, -ENOENT none, -ENOTUNIQ more than one.
 */
int usbpass_selector_find(const char *text, const struct usbpass_device *list, size_t n,
			  const struct usbpass_device **out, char *err, size_t errsize);

#endif /* _LIBUSBPASS_SELECTOR_H */
