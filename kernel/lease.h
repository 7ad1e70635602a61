/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_LEASE_H
#define _USBPASS_LEASE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/usb.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "budget.h"
#include "facts.h"
#include "frontend.h"

struct usbpass_device;
struct usbpass_slot;

#define USBPASS_INTERFACES_MAX	32	/* USB_MAXINTERFACES */

/*
 * What the consumer has set up, which a device that returns gets again.
 * Endpoint 0 needs none of it.
 */
struct usbpass_settings {
	u8 config;			/* bConfigurationValue; 0: unconfigured */
	u32 claimed;			/* bit n: bInterfaceNumber n claimed by the consumer */
	u8 alt[USBPASS_INTERFACES_MAX];	/* by bInterfaceNumber */
};

/* Why an ONLINE lease submits nothing for a moment, and what becomes of what is submitted. */
enum usbpass_pause {
	USBPASS_PAUSE_NONE,
	USBPASS_PAUSE_HOLD,	/* settings change: it waits */
	USBPASS_PAUSE_FAIL,	/* reset or suspend: as in RETURNING */
};

/* A lease's resets, reset.c and step.c. */
struct usbpass_lease_resets {
	bool own;		/* the next disconnect is our reset's doing */
	bool queued;		/* a step beyond the device is on its way */
	bool open;		/* how one on the wire ended: whether the device returns tells */
	u8 kind;		/* enum usbpass_reset_kind; how far they have got */
	u64 last_ns;		/* the last one on the wire, CLOCK_BOOTTIME; 0: none yet */
	bool tried;		/* since then, a transfer; written without the lock, as is */
	bool helped;		/* whether the last one got through */
	u32 told;		/* @returns + 1 when one was last recorded */
	struct usbpass_budget budget;	/* registry_lock; while the device is away */
};

/*
 * An open slot and the device that fills it.
 *
 *   OPENING -> ONLINE <-> RETURNING -> GONE -> last put
 *
 * OPENING is known to lease.c only. State changes hold @gate for writing and
 * @lock; a reader holds either. @device is set exactly in ONLINE (and in
 * OPENING).
 */
struct usbpass_lease {
	struct kref kref;	/* file; each transfer; @window_work; returning list */
	const struct usbpass_frontend *frontend;
	void *frontend_data;
	struct usbpass_slot *slot;	/* reference */
	struct usbpass_facts *facts;	/* reference; of the device first leased */
	u32 owner, attach_id;
	u64 generation;			/* in force when it was opened */
	unsigned int sg_tablesize;	/* of the controller; 0: takes no lists */
	u32 pid, uid;			/* of the opener, initial namespaces */
	char comm[TASK_COMM_LEN];

	struct rw_semaphore gate;
	spinlock_t lock;		/* irqsave: completions take it */
	wait_queue_head_t wait;		/* a completion, or a change of state */

	/* Protected by gate and lock (see above). */
	u8 state;			/* enum usbpass_lease_state; 0: OPENING */
	u8 paused;			/* ONLINE, and nothing is submitted now */
	struct usbpass_device *device;	/* reference */

	/* Protected by lock. */
	struct usbpass_settings settings;
	struct {			/* by endpoint: number, 16 more for IN; of @settings */
		s8 ifnum;		/* -1: no such endpoint */
		u8 type;		/* USB_ENDPOINT_XFER_* */
	} map[32];
	u32 settings_changes;		/* made while RETURNING */
	u64 bytes_in_flight;		/* charged, until freed */
	u32 transfers;			/* allocated and not freed */
	struct list_head held;		/* transfers that wait for the return */
	u32 nr_held;
	u16 held_at[32];		/* of them, by endpoint as in @map */
	struct list_head failing;	/* transfers that end with -EPROTO soon */
	u64 urbs, bytes;		/* completed */
	u32 resets, returns;

	struct usb_anchor anchor;	/* transfers at the host controller */
	struct delayed_work failing_work;	/* ends @failing; holds a reference */
	struct delayed_work window_work;	/* RETURNING ends; holds a reference */
	struct list_head link;		/* returning list; registry_lock */
	ktime_t window_end;		/* lock */
	struct usbpass_lease_resets ladder;	/* lock, but for what says otherwise */
};

/* Of @map and @held_at. */
static inline unsigned int usbpass_lease_endpoint_index(u8 endpoint)
{
	return (endpoint & USB_ENDPOINT_NUMBER_MASK) | (endpoint & USB_DIR_IN ? 16 : 0);
}

int usbpass_lease_init(void);
void usbpass_lease_exit(void);

/* The works of leases: windows, failing transfers, settings asked for on endpoint 0. */
extern struct workqueue_struct *usbpass_lease_wq;

/*
 * Leases a free device of the slot's attachment and configures it. Returns a
 * reference for the front end or an ERR_PTR: see "2." in linux/usbpass.h.
 */
struct usbpass_lease *usbpass_lease_open(struct usbpass_slot *slot,
					 const struct usbpass_frontend *frontend, void *data,
					 bool nonblock);
/*
 * The front end closes: cancels all transfers (each is completed), leaves the
 * device to the cleaner, ends the state machine. Does not drop the reference.
 */
void usbpass_lease_close(struct usbpass_lease *lease);
struct usbpass_lease *usbpass_lease_get(struct usbpass_lease *lease);
void usbpass_lease_put(struct usbpass_lease *lease);

/*
 * Locks the leased device (the usb device lock). NULL, nothing locked: the
 * lease is not ONLINE; ask usbpass_lease_state(). Unlock with
 * usbpass_lease_unlock_device(), which drops the reference too.
 */
struct usbpass_device *usbpass_lease_lock_device(struct usbpass_lease *lease);
void usbpass_lease_unlock_device(struct usbpass_device *dev);

u8 usbpass_lease_state(struct usbpass_lease *lease);
u32 usbpass_lease_window_ms(struct usbpass_lease *lease);	/* left; 0 unless RETURNING */
u32 usbpass_lease_device_id(struct usbpass_lease *lease);	/* 0: the device is away */
/* Waits, killable, while RETURNING. 0: online; -ENODEV: gone; -EINTR: killed. */
int usbpass_lease_wait_return(struct usbpass_lease *lease);

/* The device side; all with the device lock held. */
/*
 * Around what must not meet a submission. Returns when none is under way; what
 * is at the controller stays there. go_on() submits what waited.
 */
void usbpass_lease_pause(struct usbpass_lease *lease, enum usbpass_pause how);
void usbpass_lease_go_on(struct usbpass_lease *lease);
/* Ends the lease, with or without its device, and says why. */
void usbpass_lease_revoke(struct usbpass_lease *lease, const char *why);

#endif /* _USBPASS_LEASE_H */
