/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this host's sysfs, procfs and run directory tell about a USB device
 * beyond what the kernel module does. The roots can be moved, for tests.
 */
#ifndef _LIBUSBPASS_HOST_H
#define _LIBUSBPASS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usbpass_host {
	const char *sys, *proc, *dev, *run;
};

extern const struct usbpass_host usbpass_host_here;	/* /sys /proc /dev /run */

/* The first line of a file, without its end. False: no such file, or larger than @size. */
bool usbpass_host_line(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The last component of what a symbolic link points to. False: no such link. */
bool usbpass_host_link(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The drivers of the interfaces of device @busid, "usb-storage, usbhid", or of
 * the device where that is usbpass; "" for none. -> @buf
 */
const char *usbpass_host_drivers(const struct usbpass_host *host, const char *busid, char *buf,
				 size_t size);

/*
 * The daemon.
 */

/* The daemon runs: it holds a lock on run/usbpass/usbpassd.pid. @pid may be NULL. */
bool usbpass_host_daemon(const struct usbpass_host *host, int *pid);

/* The generation that it has saved (run/usbpass/saved). False: none yet. */
bool usbpass_host_saved(const struct usbpass_host *host, uint64_t *generation);

/*
 * Waits until @generation is saved, at most @timeout milliseconds. 0, -ESRCH
 * where no daemon runs, or -ETIMEDOUT.
 */
int usbpass_host_wait_saved(const struct usbpass_host *host, uint64_t generation, int timeout);

#endif /* _LIBUSBPASS_HOST_H */
