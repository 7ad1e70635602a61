/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_DEVICE_H
#define _USBPASS_DEVICE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/usb.h>
#include "budget.h"
#include "config.h"
#include "facts.h"

struct usbpass_lease;

/*
 * Locks of the whole module, outermost first:
 *
 *   config_mutex (config.c)   the ruleset's writers; never held over a USB call
 *   usb device lock           binding, configuration and interfaces of a device;
 *                             a hub's before those of what is plugged into it
 *   lease->gate (rwsem)       read: a submission; write: a change of lease state
 *   usbpass_registry_lock     which device, slot and lease belong together
 *   lease->lock (spinlock)    a lease's settings and transfer lists
 *
 * Nothing but USB calls sleeps under a device lock, and no transfer of a
 * consumer is ever waited for under one.
 */
extern spinlock_t usbpass_registry_lock;

/*
 * An entry of the device table: one for each present usb_device except root
 * hubs. Its life:
 *
 *   ADD notifier or walk -> table -> [claimed -> idle <-> leased -> cleaning
 *   -> idle ...] -> REMOVED notifier -> unlinked -> last put
 */
struct usbpass_device {
	struct kref kref;	/* table; binding; lease; whoever looked it up */
	struct rcu_head rcu;
	struct list_head link;	/* table; RCU for readers, registry_lock for writers */
	struct usb_device *udev;	/* reference; its memory, not its presence */
	struct usbpass_facts *facts;	/* reference */

	/* Protected by the usb device lock; single bits are read without it. */
	bool port_owned;
	struct usb_device *hub;		/* of the owned port; reference */
	unsigned long held_interfaces;	/* bit n: bound to our interface driver */
	unsigned long barred_interfaces;	/* bit n: until we bind it; intf.c */

	/* Protected by usbpass_registry_lock. */
	bool present;		/* was the host's before its rule */
	bool asked;		/* claim asked for by hand; beats @present */
	bool released;		/* given to the host by hand */
	bool passed;		/* @present, with its rule: nothing new was taken then */
	bool guarded;		/* in a guarded socket: no host driver, nor below a hub */
	bool claimed;		/* bound to our device driver */
	bool deferred;		/* claimed, to be released once its rules' end is confirmed */
	bool cleaning;
	bool resetting;		/* a reset is about to hit it: not for lease, nor to claim */
	const char *error;	/* claimed, not for use: why; a literal or NULL */
	const char *remedy;	/* a literal, set with @error */
	char pending_reason[USBPASS_REASON_MAX + 1];
	struct usbpass_lease *lease;	/* the lease holds a reference on us */
	struct usbpass_verdict verdict;	/* by the ruleset in force */
	u32 last_owner;			/* id; of the last lease; 0: none */
	u8 told_state;			/* enum usbpass_device_state, last event's */
	u32 told_rule;			/* id; of the last event */
	u32 timeouts;			/* of configuration calls in a row */
	struct usbpass_budget budget;	/* of its consumers' resets */

	atomic_t resets;		/* on the wire */
	struct work_struct settle_work;	/* claim.c; holds a reference while queued */
};

struct usbpass_device_status {
	u8 state;		/* enum usbpass_device_state */
	u32 flags;		/* USBPASS_DEVICE_F_* */
	char reason[USBPASS_REASON_MAX + 1];	/* empty: none */
	const char *remedy;	/* a literal or NULL */
	struct usbpass_verdict verdict;
	u32 attach_id;		/* that leases it, 0: none */
	u32 resets;
};

void usbpass_device_exit(void);

/* For claim.c's notifier and walk. */
int usbpass_device_add(struct usb_device *udev);
void usbpass_device_remove(struct usb_device *udev);

/* The table. Lookups return a reference that usbpass_device_put() drops. */
struct usbpass_device *usbpass_device_by_id(u32 id);
struct usbpass_device *usbpass_device_by_udev(struct usb_device *udev);
/* The one with the lowest id above @after: a dump's cursor. */
struct usbpass_device *usbpass_device_next(u32 after);
/* Calls @fn for each, under usbpass_registry_lock, until it gives false. */
void usbpass_device_each_locked(bool (*fn)(struct usbpass_device *dev, void *data), void *data);
struct usbpass_device *usbpass_device_get(struct usbpass_device *dev);
void usbpass_device_put(struct usbpass_device *dev);

void usbpass_device_status(struct usbpass_device *dev, struct usbpass_device_status *status);
void usbpass_device_count(u32 *present, u32 *claimed, u32 *leased);
/* How many devices are claimed into a group, and how many of them are free. */
void usbpass_device_count_group(u32 group_id, u32 *claimed, u32 *free);

/*
 * Puts a claimed device out of use; literals. A lease on it is the caller's to
 * revoke. Cleared when the device is released or replugged.
 */
void usbpass_device_fail(struct usbpass_device *dev, const char *error, const char *remedy);

/* Tells the subscribers the device's state if it is not what they were told last. */
void usbpass_device_notify(struct usbpass_device *dev);
/* Fills the device's part of an event. */
struct usbpass_event;
void usbpass_device_describe(const struct usbpass_device *dev, struct usbpass_event *ev);

#endif /* _USBPASS_DEVICE_H */
