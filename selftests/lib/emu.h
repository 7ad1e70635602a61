/* SPDX-License-Identifier: GPL-2.0 */
/*
 * emu: an emulated USB device behind usbip's vhci_hcd, for tests.
 *
 *	struct emu *emu = emu_new();
 *	char *reply;
 *
 *	if (emu_command(emu, "serial=ABC", &reply) ||
 *	    emu_command(emu, "plug", &reply) ||
 *	    emu_wait(emu, "enumerated==1", 20000))
 *		return fail(reply);
 *	emu_command(emu, "mute=ep81", NULL);
 *	...
 *	printf("%ld\n", emu_stat(emu, "in_flight"));
 *	emu_free(emu);
 *
 * The vocabulary of emu_command() is that of the command line program and of
 * its control socket: `emudev help` prints it. All calls are thread safe.
 */
#ifndef EMU_H
#define EMU_H

struct emu;

/* An unplugged device of preset "loop"; NULL: no memory or no thread. */
struct emu *emu_new(void);

/* Unplugs as process exit would: by closing the socket, without waiting. */
void emu_free(struct emu *emu);

/*
 * Runs one line. Returns 0 or a negative errno. *reply, where asked for, is
 * the output or the error message, never NULL, and the caller frees it.
 */
int emu_command(struct emu *emu, const char *line, char **reply);

/* The number in one line of `stats`; LONG_MIN: there is no such number. */
long emu_stat(struct emu *emu, const char *key);

/*
 * Waits until a condition on `stats` holds, such as "in_flight>=64"
 * (== != >= <= > <). Returns 0, -ETIMEDOUT, or -EINVAL for a condition
 * that makes no sense.
 */
int emu_wait(struct emu *emu, const char *condition, int timeout_ms);

/*
 * The device's name in /sys/bus/usb/devices, such as "3-1", or "-" before the
 * kernel gave it an address. Points to storage of @emu, valid to the next call.
 */
const char *emu_busid(struct emu *emu);

#endif
