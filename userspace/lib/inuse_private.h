/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of inuse only. */
#ifndef _LIBUSBPASS_INUSE_PRIVATE_H
#define _LIBUSBPASS_INUSE_PRIVATE_H

#include "inuse.h"

/* Something below the device that has a class: a disk, an interface, a node. */
struct inuse_node {
	char name[64];			/* "sdb1" */
	char devname[128];		/* below /dev: "snd/pcmC1D0p"; "" without a node */
	char subsystem[32];
	char path[4096];		/* of its directory in sysfs */
	unsigned int major, minor;	/* 0:0 without a node */
};

struct inuse_nodes {
	struct inuse_node *list;
	size_t n;
};

/* Each returns 1 and fills @out, 0, or a negative errno. */
int usbpass_inuse_block(const struct usbpass_host *host, const struct inuse_nodes *nodes,
			struct usbpass_inuse *out);
int usbpass_inuse_open(const struct usbpass_host *host, const struct inuse_nodes *nodes,
		       struct usbpass_inuse *out);
int usbpass_inuse_keyboard(const struct usbpass_host *host, const struct inuse_nodes *nodes,
			   struct usbpass_inuse *out);

/* Fills @out and returns 1. @action: how to free it, "unmount it". */
int usbpass_inuse_say(struct usbpass_inuse *out, enum usbpass_inuse_kind kind, const char *node,
		      const char *action, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif /* _LIBUSBPASS_INUSE_PRIVATE_H */
