/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_GUARD_H
#define _USBPASS_GUARD_H

#include <linux/types.h>

struct usbpass_facts;

/*
 * Sockets of leases: what appears there while one is open, or within guard_secs
 * after, gets no host driver unless a rule claims it. A guest must not turn its
 * dongle into a keyboard of the host.
 */
int usbpass_guard_open(const struct usbpass_facts *facts);	/* -ENOMEM */
void usbpass_guard_close(const struct usbpass_facts *facts);
bool usbpass_guard_active(const struct usbpass_facts *facts);	/* no sleep */
void usbpass_guard_exit(void);

#endif /* _USBPASS_GUARD_H */
