// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/string.h>
#include "claim.h"
#include "device.h"
#include "difference.h"
#include "lease.h"
#include "lease_priv.h"
#include "param.h"
#include "reconcile.h"
#include "reset.h"
#include "settings.h"
#include "slot.h"
#include "trace.h"
#include "transfer.h"
#include "window.h"

#define RESTORE_TRIES	8	/* changes of the settings while they are restored */

static LIST_HEAD(returning);	/* leases that wait; registry_lock */

void usbpass_window_stop(struct usbpass_lease *lease)
{
	bool listed;

	spin_lock(&usbpass_registry_lock);
	listed = !list_empty(&lease->link);
	list_del_init(&lease->link);
	spin_unlock(&usbpass_registry_lock);
	if (listed)
		usbpass_lease_put(lease);
	if (cancel_delayed_work(&lease->window_work))
		usbpass_lease_put(lease);
}

void usbpass_window_work(struct work_struct *work)
{
	struct usbpass_lease *lease = container_of(to_delayed_work(work), struct usbpass_lease,
						   window_work);
	bool expired = false;
	unsigned long flags;

	down_write(&lease->gate);
	spin_lock_irqsave(&lease->lock, flags);
	/* A work that a return did not catch may meet the next window; ticks are coarse. */
	if (lease->state == USBPASS_LEASE_RETURNING &&
	    ktime_after(ktime_get(), ktime_sub_ms(lease->window_end, 20))) {
		lease->state = USBPASS_LEASE_GONE;
		expired = true;
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	up_write(&lease->gate);
	if (expired) {
		trace_usbpass_lease(lease->slot->minor, USBPASS_LEASE_GONE);
		usbpass_lease_finish(lease);
		usbpass_reset_note(lease, true);
		/* What lies in its socket was kept for it alone. */
		usbpass_reconcile_kick(false);
	}
	usbpass_lease_put(lease);	/* start_window()'s */
}

static void start_window(struct usbpass_lease *lease, unsigned int ms)
{
	usbpass_lease_get(lease);	/* usbpass_window_work() or usbpass_window_stop() puts it */
	if (!queue_delayed_work(usbpass_lease_wq, &lease->window_work, msecs_to_jiffies(ms)))
		usbpass_lease_put(lease);
	spin_lock(&usbpass_registry_lock);
	if (list_empty(&lease->link)) {
		usbpass_lease_get(lease);	/* usbpass_window_stop() puts it */
		list_add_tail(&lease->link, &returning);
	}
	spin_unlock(&usbpass_registry_lock);
}

void usbpass_window_lost(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	unsigned int ms = usbpass_param_replug_ms();
	bool was_online, ours;
	unsigned long flags;
	u8 state;

	spin_lock_irqsave(&lease->lock, flags);
	was_online = lease->state == USBPASS_LEASE_ONLINE;
	if (lease->ladder.own)
		ms = usbpass_param_return_ms();
	lease->ladder.own = false;
	state = !was_online ? lease->state : ms ? USBPASS_LEASE_RETURNING : USBPASS_LEASE_GONE;
	if (state == USBPASS_LEASE_RETURNING)
		lease->window_end = ktime_add_ms(ktime_get(), ms);
	spin_unlock_irqrestore(&lease->lock, flags);

	ours = usbpass_lease_take_device(lease, state, dev) == dev;
	spin_lock(&usbpass_registry_lock);
	if (dev->lease == lease)
		dev->lease = NULL;
	dev->last_owner = lease->owner;
	lease->ladder.budget = dev->budget;
	spin_unlock(&usbpass_registry_lock);
	if (!ours)
		return;		/* a close or revoke was first */
	if (state == USBPASS_LEASE_RETURNING) {
		start_window(lease, ms);
		if (usbpass_lease_state(lease) == USBPASS_LEASE_GONE)
			usbpass_window_stop(lease);	/* a close came before the window */
		usbpass_transfer_kill_all(lease);
		wake_up_all(&lease->wait);
		usbpass_slot_refresh();
	} else if (state == USBPASS_LEASE_GONE) {
		usbpass_lease_finish(lease);
		usbpass_reset_note(lease, true);
	}
	usbpass_device_put(dev);	/* the lease's */
}

bool usbpass_window_expects_locked(const struct usbpass_facts *facts)
{
	struct usbpass_lease *lease;

	lockdep_assert_held(&usbpass_registry_lock);
	list_for_each_entry(lease, &returning, link)
		if (usbpass_facts_same(lease->facts, facts))
			return true;
	return false;
}

bool usbpass_window_expects(const struct usbpass_facts *facts)
{
	bool expects;

	spin_lock(&usbpass_registry_lock);
	expects = usbpass_window_expects_locked(facts);
	spin_unlock(&usbpass_registry_lock);
	return expects;
}

/* The lease that waits for @dev, both tied; NULL: none. Its reference is the caller's. */
static struct usbpass_lease *claim_waiting(struct usbpass_device *dev)
{
	struct usbpass_lease *lease, *found = NULL;

	spin_lock(&usbpass_registry_lock);
	if (dev->claimed && !dev->lease && !dev->cleaning && !dev->error) {
		list_for_each_entry(lease, &returning, link) {
			if (usbpass_facts_same(lease->facts, dev->facts)) {
				found = usbpass_lease_get(lease);
				dev->lease = lease;
				dev->budget = lease->ladder.budget;
				break;
			}
		}
	}
	spin_unlock(&usbpass_registry_lock);
	return found;
}

/* True: the lease is ONLINE with @dev. False: settings changed since @seen, or it is too late. */
static bool go_online(struct usbpass_lease *lease, struct usbpass_device *dev, u32 seen,
		      bool *too_late)
{
	unsigned long flags;
	bool done = false;

	down_write(&lease->gate);
	spin_lock_irqsave(&lease->lock, flags);
	*too_late = lease->state != USBPASS_LEASE_RETURNING;
	if (!*too_late && lease->settings_changes == seen) {
		lease->device = usbpass_device_get(dev);	/* usbpass_lease_take_device() */
		lease->state = USBPASS_LEASE_ONLINE;
		lease->returns++;
		WRITE_ONCE(lease->ladder.tried, false);
		done = true;
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	up_write(&lease->gate);
	if (done)
		trace_usbpass_lease(lease->slot->minor, USBPASS_LEASE_ONLINE);
	return done;
}

/* 0: ONLINE. -ENODEV: the device left again, or the window is over. Else it does not take them. */
static int restore(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	bool claimed, too_late = false;
	unsigned int tries = 0;
	unsigned long flags;
	u32 seen;
	int err;

	device_lock_assert(&dev->udev->dev);
	spin_lock(&usbpass_registry_lock);
	claimed = dev->claimed;
	spin_unlock(&usbpass_registry_lock);
	while (claimed && !too_late) {
		/* A consumer that keeps changing them must not keep the device locked. */
		if (++tries > RESTORE_TRIES)
			return -ELOOP;
		spin_lock_irqsave(&lease->lock, flags);
		seen = lease->settings_changes;
		spin_unlock_irqrestore(&lease->lock, flags);
		err = usbpass_settings_restore(lease, dev);
		if (err)
			return err;
		if (go_online(lease, dev, seen, &too_late))
			return 0;
	}
	return -ENODEV;
}

/* The lease that waits in the socket of @facts for something else; a reference, or NULL. */
static struct usbpass_lease *find_stranded_locked(const struct usbpass_facts *facts)
{
	struct usbpass_lease *lease;

	lockdep_assert_held(&usbpass_registry_lock);
	list_for_each_entry(lease, &returning, link)
		if (!strcmp(lease->facts->socket, facts->socket) &&
		    !usbpass_facts_same(lease->facts, facts))
			return usbpass_lease_get(lease);
	return NULL;
}

bool usbpass_window_differs(const struct usbpass_facts *facts, char *text, size_t size)
{
	struct usbpass_lease *lease;

	spin_lock(&usbpass_registry_lock);
	lease = find_stranded_locked(facts);
	spin_unlock(&usbpass_registry_lock);
	if (!lease)
		return false;
	usbpass_difference_tell(lease->facts, facts, text, size);
	usbpass_lease_put(lease);
	return true;
}

/* A slot that follows its socket takes @dev as a new plug: its lease waits for nothing more. */
static void let_follow(struct usbpass_device *dev)
{
	struct usbpass_lease *lease = NULL;
	const struct usbpass_attach *attach;
	bool follows = false;

	spin_lock(&usbpass_registry_lock);
	if (dev->claimed && dev->verdict.action == USBPASS_ACTION_CLAIM)
		lease = find_stranded_locked(dev->facts);
	if (lease) {
		attach = lease->slot->attach;
		follows = attach && attach->follow == USBPASS_FOLLOW_SOCKET &&
			  attach->group_id == dev->verdict.group_id;
	}
	spin_unlock(&usbpass_registry_lock);
	if (follows)
		usbpass_lease_revoke(lease, "its device came back as another one of the group");
	if (lease)
		usbpass_lease_put(lease);
}

void usbpass_window_offer(struct usbpass_device *dev)
{
	struct usbpass_lease *lease = claim_waiting(dev);
	int err;

	if (!lease) {
		let_follow(dev);
		return;
	}
	usb_lock_device(dev->udev);
	err = restore(lease, dev);
	if (!err)	/* before the next disconnect can start a new window */
		usbpass_window_stop(lease);
	usb_unlock_device(dev->udev);
	if (!err) {
		usbpass_transfer_release_held(lease);
		wake_up_all(&lease->wait);
		usbpass_reset_note(lease, false);
	} else {
		if (err != -ENODEV)
			usbpass_lease_revoke(lease, "its device does not take its settings again");
		usbpass_device_get(dev);	/* usbpass_lease_give_back() puts it */
		usbpass_lease_give_back(lease, dev);
	}
	usbpass_slot_refresh();
	usbpass_lease_put(lease);
}

