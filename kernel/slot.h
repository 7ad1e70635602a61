/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_SLOT_H
#define _USBPASS_SLOT_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/types.h>
#include "config.h"

struct usbpass_lease;

/*
 * An attachment's place: its minor, its node, and the lease that is open.
 *
 *   alloc (minor) -> publish (node visible) -> [update]... -> retire (node
 *   gone, lease gone) -> last put (open files hold references)
 */
struct usbpass_slot {
	struct device dev;		/* carries the reference count */
	struct cdev cdev;
	u32 minor;
	struct list_head link;		/* all published slots; registry_lock */
	bool failed;			/* publish did, and is not tried twice; config_mutex */

	/* Protected by usbpass_registry_lock. */
	struct usbpass_attach *attach;	/* in force, NULL once retired; reference */
	struct usbpass_lease *lease;	/* open, or NULL; the file holds it */
	char name[USBPASS_NAME_MAX + 1];	/* the attachment's, last in force */
	char home[USBPASS_SOCKET_MAX + 1];	/* of the device leased last; empty: none yet */
	bool retired;
	u8 told_state;			/* enum usbpass_slot_state, last event's */
};

struct usbpass_slot_status {
	u8 state;			/* enum usbpass_slot_state */
	const char *reason, *remedy;	/* literals or NULL */
	u32 device_id;			/* 0: none */
	u32 pid, uid;
	char comm[16];			/* empty: not open */
	u64 urbs, bytes;
	u32 resets;
};

int usbpass_slot_init(void);
void usbpass_slot_exit(void);

/* For config commits, under config_mutex. A new slot is one reference, held by the attachment. */
struct usbpass_slot *usbpass_slot_alloc(void);	/* ERR_PTR: -ENOSPC, -ENOMEM */
int usbpass_slot_publish(struct usbpass_slot *slot, struct usbpass_attach *attach);	/* once */
void usbpass_slot_update(struct usbpass_slot *slot, struct usbpass_attach *attach);
void usbpass_slot_retire(struct usbpass_slot *slot);	/* revokes an open lease */
struct usbpass_slot *usbpass_slot_get(struct usbpass_slot *slot);
void usbpass_slot_put(struct usbpass_slot *slot);
bool usbpass_slot_leased(struct usbpass_slot *slot);
/* Ends the open lease: the consumer sees an unplug. Without one, nothing. @why: a literal. */
void usbpass_slot_revoke(struct usbpass_slot *slot, const char *why);
/*
 * The lease of the open slot with the lowest minor from *minor on, which becomes the next minor;
 * referenced. NULL: none.
 */
struct usbpass_lease *usbpass_slot_next_lease(u32 *minor);

void usbpass_slot_status(struct usbpass_slot *slot, struct usbpass_slot_status *status);

/* Copies its attachment's name to @name, of USBPASS_NAME_MAX + 1 bytes. */
void usbpass_slot_name(struct usbpass_slot *slot, char *name);

/*
 * Something changed: wakes waiting opens; a work tells the subscribers which
 * slots' states did. Any process context.
 */
void usbpass_slot_refresh(void);
/* For a waiting open: until a refresh after @seen. 0: one came, or the time is up; -EINTR. */
unsigned int usbpass_slot_changes(void);
int usbpass_slot_wait_change(unsigned int seen, long jiffies);

#endif /* _USBPASS_SLOT_H */
