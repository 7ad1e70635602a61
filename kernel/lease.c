// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>
#include "claim.h"
#include "config.h"
#include "device.h"
#include "event.h"
#include "guard.h"
#include "lease.h"
#include "lease_priv.h"
#include "maintenance.h"
#include "pool.h"
#include "reset.h"
#include "settings.h"
#include "slot.h"
#include "trace.h"
#include "transfer.h"
#include "window.h"

#define OPENING			0
#define OPEN_TRIES		8	/* devices that leave while an open configures them */
#define CLEAN_WAIT_SECS		10	/* an open waits so long for the cleaner */

struct workqueue_struct *usbpass_lease_wq;

int usbpass_lease_init(void)
{
	usbpass_lease_wq = alloc_workqueue("usbpass_lease", WQ_UNBOUND, 0);
	return usbpass_lease_wq ? 0 : -ENOMEM;
}

void usbpass_lease_exit(void)
{
	destroy_workqueue(usbpass_lease_wq);
}

static void release(struct kref *kref)
{
	struct usbpass_lease *lease = container_of(kref, struct usbpass_lease, kref);

	if (lease->facts)
		usbpass_facts_put(lease->facts);
	usbpass_slot_put(lease->slot);
	kfree(lease);
}

struct usbpass_lease *usbpass_lease_get(struct usbpass_lease *lease)
{
	kref_get(&lease->kref);
	return lease;
}

void usbpass_lease_put(struct usbpass_lease *lease)
{
	kref_put(&lease->kref, release);
}

u8 usbpass_lease_state(struct usbpass_lease *lease)
{
	unsigned long flags;
	u8 state;

	spin_lock_irqsave(&lease->lock, flags);
	state = lease->state;
	spin_unlock_irqrestore(&lease->lock, flags);
	return state;
}

u32 usbpass_lease_window_ms(struct usbpass_lease *lease)
{
	unsigned long flags;
	s64 left = 0;

	spin_lock_irqsave(&lease->lock, flags);
	if (lease->state == USBPASS_LEASE_RETURNING)
		left = ktime_ms_delta(lease->window_end, ktime_get());
	spin_unlock_irqrestore(&lease->lock, flags);
	return left > 0 ? left : 0;
}

u32 usbpass_lease_device_id(struct usbpass_lease *lease)
{
	unsigned long flags;
	u32 id;

	spin_lock_irqsave(&lease->lock, flags);
	id = lease->device ? lease->device->facts->id : 0;
	spin_unlock_irqrestore(&lease->lock, flags);
	return id;
}

int usbpass_lease_wait_return(struct usbpass_lease *lease)
{
	if (wait_event_killable(lease->wait,
				usbpass_lease_state(lease) != USBPASS_LEASE_RETURNING))
		return -EINTR;
	return usbpass_lease_state(lease) == USBPASS_LEASE_ONLINE ? 0 : -ENODEV;
}

static void tell(struct usbpass_lease *lease, struct usbpass_device *dev, u8 type,
		 const char *reason)
{
	struct usbpass_event ev = { .type = type, .owner = lease->owner };

	ev.has_who = true;
	ev.pid = lease->pid;
	ev.uid = lease->uid;
	strscpy(ev.comm, lease->comm, sizeof(ev.comm));
	strscpy(ev.reason, reason, sizeof(ev.reason));
	usbpass_slot_name(lease->slot, ev.attach);
	if (dev)
		usbpass_device_describe(dev, &ev);
	usbpass_event_emit(&ev);
}

static struct usbpass_lease *alloc(struct usbpass_slot *slot,
				   const struct usbpass_frontend *frontend, void *data)
{
	struct usbpass_lease *lease = kzalloc(sizeof(*lease), GFP_KERNEL_ACCOUNT);

	if (!lease)
		return NULL;
	kref_init(&lease->kref);	/* the front end's */
	lease->frontend = frontend;
	lease->frontend_data = data;
	lease->slot = usbpass_slot_get(slot);
	lease->owner = USBPASS_OWNER_HOST;
	lease->pid = task_tgid_nr(current);
	lease->uid = from_kuid(&init_user_ns, current_uid());
	get_task_comm(lease->comm, current);
	init_rwsem(&lease->gate);
	spin_lock_init(&lease->lock);
	init_waitqueue_head(&lease->wait);
	INIT_LIST_HEAD(&lease->held);
	INIT_LIST_HEAD(&lease->failing);
	INIT_LIST_HEAD(&lease->link);
	init_usb_anchor(&lease->anchor);
	INIT_DELAYED_WORK(&lease->failing_work, usbpass_transfer_failing_work);
	INIT_DELAYED_WORK(&lease->window_work, usbpass_window_work);
	return lease;
}

/*
 * Binds slot, lease and a free device together, or says why not. -EAGAIN: one
 * is being cleaned. *@why: set where the errno alone does not tell.
 */
static int reserve(struct usbpass_lease *lease, struct usbpass_slot *slot, const char **why)
{
	struct usbpass_device *dev;
	struct usbpass_pool pool;

	lockdep_assert_held(&usbpass_registry_lock);
	if (slot->retired)
		return -ENXIO;
	if (slot->lease)
		return -EBUSY;
	usbpass_pool_survey(slot->attach, &pool);
	if (pool.disabled)
		return -EACCES;
	if (usbpass_maintenance_is_on_locked()) {
		*why = "maintenance";
		return -EBUSY;
	}
	dev = pool.free;
	if (!dev && pool.resetting) {
		*why = "its device is being reset";
		return -EBUSY;
	}
	if (!dev)
		return pool.cleaning ? -EAGAIN : -ENODEV;

	dev->lease = lease;
	lease->device = usbpass_device_get(dev);	/* usbpass_lease_take_device() puts it */
	lease->attach_id = slot->attach->id;
	lease->generation = usbpass_config_generation();
	if (lease->facts)
		usbpass_facts_put(lease->facts);
	lease->facts = usbpass_facts_get(dev->facts);
	lease->sg_tablesize = dev->udev->bus->sg_tablesize;
	slot->lease = lease;
	strscpy(slot->home, dev->facts->socket, sizeof(slot->home));
	return 0;
}

static int reserve_or_wait(struct usbpass_lease *lease, struct usbpass_slot *slot, bool nonblock,
			   const char **why)
{
	unsigned long end = jiffies + CLEAN_WAIT_SECS * HZ;

	for (;;) {
		unsigned int seen = usbpass_slot_changes();
		long left = end - jiffies;
		int err;

		spin_lock(&usbpass_registry_lock);
		err = reserve(lease, slot, why);
		spin_unlock(&usbpass_registry_lock);
		if (err != -EAGAIN || nonblock || left <= 0)
			return err;
		err = usbpass_slot_wait_change(seen, left);
		if (err)
			return err;
	}
}

struct usbpass_device *usbpass_lease_take_device(struct usbpass_lease *lease, u8 state,
						 struct usbpass_device *only)
{
	struct usbpass_device *dev;
	unsigned long flags;

	down_write(&lease->gate);
	spin_lock_irqsave(&lease->lock, flags);
	dev = lease->device;
	if (only && dev != only) {
		dev = NULL;
	} else {
		lease->device = NULL;
		lease->paused = USBPASS_PAUSE_NONE;
		lease->state = state;
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	up_write(&lease->gate);
	if (!only || dev)
		trace_usbpass_lease(lease->slot->minor, state);
	return dev;
}

void usbpass_lease_give_back(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	spin_lock(&usbpass_registry_lock);
	dev->lease = NULL;
	dev->last_owner = lease->owner;
	dev->cleaning = dev->claimed;
	spin_unlock(&usbpass_registry_lock);
	usbpass_device_notify(dev);
	usbpass_claim_settle(dev);
	usbpass_device_put(dev);
}

static int configure(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	int err;

	if (dev->last_owner && dev->last_owner != lease->owner) {
		err = usbpass_reset_port(dev);
		if (err) {
			usbpass_device_fail(dev, "cannot be cleaned: its reset failed",
					    "replug it");
			return err;
		}
	}
	/* Root may have set one through usbfs meanwhile, and bound its interfaces. */
	if (dev->udev->actconfig) {
		err = usbpass_settings_configure_device(dev, 0);
		if (err)
			return err;
	}
	usbpass_settings_choose(lease, dev);
	return usbpass_settings_restore(lease, dev);
}

/* -ENODEV: it left meanwhile, look for another. */
static int bring_online(struct usbpass_lease *lease)
{
	struct usbpass_device *dev;
	unsigned long flags;
	bool there;
	int err;

	spin_lock_irqsave(&lease->lock, flags);
	dev = lease->device ? usbpass_device_get(lease->device) : NULL;
	spin_unlock_irqrestore(&lease->lock, flags);
	if (!dev)
		return -ENODEV;
	usb_lock_device(dev->udev);
	spin_lock(&usbpass_registry_lock);
	there = dev->claimed && dev->lease == lease;
	spin_unlock(&usbpass_registry_lock);
	err = there ? configure(lease, dev) : -ENODEV;
	if (!err) {
		down_write(&lease->gate);
		spin_lock_irqsave(&lease->lock, flags);
		/* A revoke needs no device lock: it may have been here. */
		if (lease->device == dev)
			lease->state = USBPASS_LEASE_ONLINE;
		else
			err = -ENXIO;
		spin_unlock_irqrestore(&lease->lock, flags);
		up_write(&lease->gate);
	}
	usb_unlock_device(dev->udev);
	usbpass_device_put(dev);
	return err;
}

/* @why: NULL, and the errno tells. */
static void refuse(struct usbpass_lease *lease, int err, const char *why)
{
	struct usbpass_event ev = {
		.type = USBPASS_EVENT_LEASE_REFUSED,
		.owner = lease->owner,
		.has_result = true,
		.result = err,
	};

	usbpass_event_by_current(&ev);
	usbpass_slot_name(lease->slot, ev.attach);
	strscpy(ev.reason,
		why ? why :
		err == -EBUSY ? "the slot is open already" :
		err == -ENODEV ? "no device of the group is free" :
		err == -EAGAIN ? "the device is still being cleaned" :
		err == -EACCES ? "the attachment or its group is disabled" :
		err == -ENXIO ? "the attachment was deleted" :
		err == -EINTR ? "interrupted" : "the device did not take a configuration",
		sizeof(ev.reason));
	usbpass_event_emit(&ev);
}

static void untie_slot(struct usbpass_lease *lease)
{
	spin_lock(&usbpass_registry_lock);
	if (lease->slot->lease == lease)
		lease->slot->lease = NULL;
	spin_unlock(&usbpass_registry_lock);
}

struct usbpass_lease *usbpass_lease_open(struct usbpass_slot *slot,
					 const struct usbpass_frontend *frontend, void *data,
					 bool nonblock)
{
	struct usbpass_lease *lease = alloc(slot, frontend, data);
	unsigned int tries = 0;
	struct usbpass_device *dev;
	const char *why = NULL;
	unsigned long flags;
	int err;

	if (!lease)
		return ERR_PTR(-ENOMEM);
	for (;;) {
		err = reserve_or_wait(lease, slot, nonblock, &why);
		if (err)
			goto err_refuse;
		err = usbpass_guard_open(lease->facts);
		if (err)
			goto err_give_back;
		err = bring_online(lease);
		if (!err)
			break;
		usbpass_guard_close(lease->facts);
		if (err != -ENODEV || ++tries == OPEN_TRIES)
			goto err_give_back;
		dev = usbpass_lease_take_device(lease, OPENING, NULL);
		untie_slot(lease);
		if (dev)
			usbpass_lease_give_back(lease, dev);
	}
	spin_lock_irqsave(&lease->lock, flags);
	dev = lease->device ? usbpass_device_get(lease->device) : NULL;
	spin_unlock_irqrestore(&lease->lock, flags);
	trace_usbpass_lease(lease->slot->minor, USBPASS_LEASE_ONLINE);
	tell(lease, dev, USBPASS_EVENT_LEASE_OPENED, "");
	if (dev) {
		usbpass_device_notify(dev);
		usbpass_device_put(dev);
	}
	usbpass_slot_refresh();
	return lease;

err_give_back:
	dev = usbpass_lease_take_device(lease, USBPASS_LEASE_GONE, NULL);
	untie_slot(lease);
	if (dev)
		usbpass_lease_give_back(lease, dev);
	if (err != -ENOMEM && err != -ENXIO)
		err = -EIO;
err_refuse:
	refuse(lease, err, why);
	usbpass_slot_refresh();
	usbpass_lease_put(lease);
	return ERR_PTR(err);
}

void usbpass_lease_finish(struct usbpass_lease *lease)
{
	usbpass_window_stop(lease);
	usbpass_transfer_kill_all(lease);
	usbpass_transfer_release_held(lease);
	wake_up_all(&lease->wait);
	if (lease->frontend->gone)
		lease->frontend->gone(lease);
	usbpass_slot_refresh();
}

void usbpass_lease_close(struct usbpass_lease *lease)
{
	struct usbpass_device *dev = usbpass_lease_take_device(lease, USBPASS_LEASE_GONE, NULL);

	usbpass_lease_finish(lease);
	/* Its timer must not outlive the file, which keeps the module. */
	flush_delayed_work(&lease->failing_work);
	tell(lease, dev, USBPASS_EVENT_LEASE_CLOSED, "");
	usbpass_guard_close(lease->facts);
	if (dev)
		usbpass_lease_give_back(lease, dev);
	untie_slot(lease);
	usbpass_slot_refresh();
}

void usbpass_lease_revoke(struct usbpass_lease *lease, const char *why)
{
	bool was_gone = usbpass_lease_state(lease) == USBPASS_LEASE_GONE;
	struct usbpass_device *dev = usbpass_lease_take_device(lease, USBPASS_LEASE_GONE, NULL);

	if (!was_gone)
		tell(lease, dev, USBPASS_EVENT_LEASE_REVOKED, why);
	usbpass_lease_finish(lease);
	if (dev)
		usbpass_lease_give_back(lease, dev);
}

static void set_paused(struct usbpass_lease *lease, enum usbpass_pause how)
{
	unsigned long flags;

	down_write(&lease->gate);
	spin_lock_irqsave(&lease->lock, flags);
	lease->paused = lease->state == USBPASS_LEASE_ONLINE ? how : USBPASS_PAUSE_NONE;
	spin_unlock_irqrestore(&lease->lock, flags);
	up_write(&lease->gate);
}

void usbpass_lease_pause(struct usbpass_lease *lease, enum usbpass_pause how)
{
	set_paused(lease, how);
}

void usbpass_lease_go_on(struct usbpass_lease *lease)
{
	set_paused(lease, USBPASS_PAUSE_NONE);
	usbpass_transfer_release_held(lease);
}

struct usbpass_device *usbpass_lease_lock_device(struct usbpass_lease *lease)
{
	for (;;) {
		struct usbpass_device *dev = NULL;
		unsigned long flags;
		bool same;

		spin_lock_irqsave(&lease->lock, flags);
		if (lease->state == USBPASS_LEASE_ONLINE)
			dev = usbpass_device_get(lease->device);
		spin_unlock_irqrestore(&lease->lock, flags);
		if (!dev)
			return NULL;
		usb_lock_device(dev->udev);
		spin_lock_irqsave(&lease->lock, flags);
		same = lease->state == USBPASS_LEASE_ONLINE && lease->device == dev;
		spin_unlock_irqrestore(&lease->lock, flags);
		if (same)
			return dev;
		usbpass_lease_unlock_device(dev);
	}
}

void usbpass_lease_unlock_device(struct usbpass_device *dev)
{
	usb_unlock_device(dev->udev);
	usbpass_device_put(dev);
}
