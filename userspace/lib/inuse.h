/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does this host use a device that usbpass is asked to take? The kernel takes
 * without asking; whoever claims looks here first.
 */
#ifndef _LIBUSBPASS_INUSE_H
#define _LIBUSBPASS_INUSE_H

#include <sys/types.h>
#include "host.h"

enum usbpass_inuse_kind {
	USBPASS_INUSE_NO,
	USBPASS_INUSE_MOUNTED,
	USBPASS_INUSE_SWAP,
	USBPASS_INUSE_HELD,		/* device-mapper, MD, multi-device file system */
	USBPASS_INUSE_EXCLUSIVE,	/* of another mount namespace, or opened with O_EXCL */
	USBPASS_INUSE_NETWORK,
	USBPASS_INUSE_OPEN,
	USBPASS_INUSE_KEYBOARD,		/* the seat's only one */
};

struct usbpass_inuse {
	enum usbpass_inuse_kind kind;
	char node[64];			/* "sdb1", "eth1", "hidraw0" */
	char holder[256];		/* mount point, "dm-0 (crypt)"; or "" */
	pid_t pid;			/* of OPEN, else 0 */
	char comm[32];
	char what[256];			/* "sdb1 is mounted on /mnt" */
	char remedy[128];		/* "unmount it, replug, or ..." */
};

/**
 * usbpass_inuse_find - the first thing that keeps the host from giving a device away
 * @busid: of the device in sysfs, "1-4.2"
 * @out: filled where it is in use, else kind NO
 *
 * udev's and logind's own opens do not count. Opens of other users are seen by
 * root only.
 *
 * Return: 0 free, 1 in use, -ENODEV no such device, or another negative errno.
 */
int usbpass_inuse_find(const struct usbpass_host *host, const char *busid,
		       struct usbpass_inuse *out);

#endif /* _LIBUSBPASS_INUSE_H */
