/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_LEARNED_H
#define _USBPASS_LEARNED_H

#include <linux/types.h>
#include <linux/usbpass.h>

struct usbpass_facts;

/* Which device, for an owner: by its serial, or by its socket where it has none. */
struct usbpass_identity {
	u32 owner;
	u16 vendor, product;
	bool has_serial;
	char text[USBPASS_STRING_MAX + 1];	/* serial or socket */
};

/*
 * Devices that take resets badly: two of the last three failed, a minute apart or
 * more. Known for USBPASS_LEARNED_DAYS. Of a device that has failed once less is
 * kept, until three in a row went well.
 */
void usbpass_learned_exit(void);

void usbpass_learned_identify(struct usbpass_identity *identity, const struct usbpass_facts *facts,
			      u32 owner);
/* How a reset on the wire ended. Sleeps. */
void usbpass_learned_note(const struct usbpass_identity *identity, bool failed);
/* Process context; sleeps not. */
bool usbpass_learned_is_bad(const struct usbpass_identity *identity);

/* @until: seconds of CLOCK_REALTIME. 0 or -ENOMEM. */
int usbpass_learned_set(const struct usbpass_identity *identity, u64 until);
int usbpass_learned_forget(const struct usbpass_identity *identity);	/* 0 or -ENOENT */
/* The @nth that is bad, for a dump. False: there are not so many. */
bool usbpass_learned_nth(unsigned int nth, struct usbpass_identity *identity, u64 *until);

#endif /* _USBPASS_LEARNED_H */
