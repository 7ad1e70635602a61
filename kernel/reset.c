// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/string.h>
#include <linux/usb.h>
#include <linux/usb/quirks.h>
#include "budget.h"
#include "config.h"
#include "device.h"
#include "event.h"
#include "learned.h"
#include "lease.h"
#include "param.h"
#include "radius.h"
#include "reset.h"
#include "settings.h"
#include "slot.h"
#include "step.h"
#include "trace.h"
#include "transfer.h"

/* The next one so soon may ask for more: a guest's disk driver waits half of that for an answer. */
#define AGAIN_NS	(60ULL * NSEC_PER_SEC)

static const char *const kinds[] = {
	[USBPASS_RESET_KIND_SOFT] = "soft",
	[USBPASS_RESET_KIND_DEVICE] = "device",
	[USBPASS_RESET_KIND_PORT] = "port",
	[USBPASS_RESET_KIND_HUB] = "hub",
};

/* What is done for a request, and why if it is less than the wire would do. */
struct plan {
	u8 kind;		/* enum usbpass_reset_kind */
	bool refused;		/* policy, budget or what was learned says less than asked */
	bool silent;		/* its event would be one too many */
	const char *why;	/* literal or NULL */
};

int usbpass_reset_port(struct usbpass_device *dev)
{
	device_lock_assert(&dev->udev->dev);
	atomic_inc(&dev->resets);
	return usb_reset_device(dev->udev);
}

static bool spend(struct usbpass_device *dev, bool *silent)
{
	bool fits;

	spin_lock(&usbpass_registry_lock);
	fits = usbpass_budget_spend(&dev->budget, silent);
	spin_unlock(&usbpass_registry_lock);
	return fits;
}

/* Why this device is reset by no consumer, or NULL. */
static const char *spared(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	struct usbpass_identity identity;

	if (dev->udev->quirks & USB_QUIRK_RESET)
		return "the kernel's quirks say that it takes none";
	usbpass_learned_identify(&identity, dev->facts, lease->owner);
	if (usbpass_learned_is_bad(&identity))
		return "it takes resets badly (`device reset --forget` forgets that)";
	return NULL;
}

/*
 * One step further than the last one if that was not long ago and did not help,
 * or the device is mute. A guest that boots, or recovers, resets a device some
 * three or four times within a second or two, and its BIOS twice: such resets
 * have nothing between them but control transfers that succeed, and are the
 * device's, wherever the ladder stands.
 */
static u8 next_step(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	u64 now = ktime_get_boottime_ns();
	unsigned long flags;
	bool mute, tried, anew;
	u8 kind;

	spin_lock(&usbpass_registry_lock);
	mute = dev->timeouts;
	spin_unlock(&usbpass_registry_lock);
	spin_lock_irqsave(&lease->lock, flags);
	tried = READ_ONCE(lease->ladder.tried);
	anew = !lease->ladder.last_ns || now - lease->ladder.last_ns > AGAIN_NS ||
	       (tried && READ_ONCE(lease->ladder.helped));
	if (anew)
		lease->ladder.kind = USBPASS_RESET_KIND_DEVICE;
	else if (tried && lease->ladder.kind < USBPASS_RESET_KIND_HUB)
		lease->ladder.kind++;
	if (mute && lease->ladder.kind < USBPASS_RESET_KIND_PORT)
		lease->ladder.kind = USBPASS_RESET_KIND_PORT;
	kind = tried || mute ? lease->ladder.kind : USBPASS_RESET_KIND_DEVICE;
	lease->ladder.last_ns = now;
	spin_unlock_irqrestore(&lease->lock, flags);
	return kind;
}

static struct plan decide(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	u8 policy = usbpass_config_reset_policy(lease->attach_id);
	struct plan plan = { .kind = USBPASS_RESET_KIND_SOFT, .why = spared(lease, dev) };
	bool fits = spend(dev, &plan.silent);

	if (policy == USBPASS_RESET_NONE)
		plan.why = "the policy is none";
	else if (!fits)
		plan.why = "past the budget";
	else if (!plan.why)
		plan.kind = policy == USBPASS_RESET_HUB ? next_step(lease, dev) :
							  USBPASS_RESET_KIND_DEVICE;
	plan.refused = plan.kind == USBPASS_RESET_KIND_SOFT;
	return plan;
}

void usbpass_reset_tell(struct usbpass_event *ev, struct usbpass_lease *lease,
			struct usbpass_device *dev, u8 kind, const char *why, int result)
{
	ev->type = USBPASS_EVENT_RESET;
	ev->owner = lease ? lease->owner : USBPASS_OWNER_HOST;
	ev->has_reset = true;
	ev->reset = kind;
	ev->has_result = true;
	ev->result = result;
	if (lease)
		usbpass_slot_name(lease->slot, ev->attach);
	if (dev)
		usbpass_device_describe(dev, ev);
	snprintf(ev->reason, sizeof(ev->reason), "%s%s%s", kinds[kind], why ? ": " : "",
		 why ? why : "");
	usbpass_event_emit(ev);
}

static void tell(struct usbpass_lease *lease, struct usbpass_device *dev,
		 const struct plan *plan, int result)
{
	struct usbpass_event ev = {};

	trace_usbpass_reset(lease->slot->minor, plan->kind, result);
	if (plan->silent)
		return;
	usbpass_event_by_current(&ev);
	usbpass_reset_tell(&ev, lease, dev, plan->kind, plan->why, result);
}

void usbpass_reset_mark_own(struct usbpass_lease *lease, bool own)
{
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	lease->ladder.own = own;
	spin_unlock_irqrestore(&lease->lock, flags);
}

void usbpass_reset_note(struct usbpass_lease *lease, bool failed)
{
	struct usbpass_identity identity;
	unsigned long flags;
	bool open;

	spin_lock_irqsave(&lease->lock, flags);
	open = lease->ladder.open;
	lease->ladder.open = false;
	spin_unlock_irqrestore(&lease->lock, flags);
	if (!open)
		return;
	usbpass_learned_identify(&identity, lease->facts, lease->owner);
	usbpass_learned_note(&identity, failed);
}

int usbpass_reset_on_wire(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	struct usbpass_identity identity;
	unsigned long flags;
	int err;

	/* A kill under submissions may never end, and we have the device lock. */
	usbpass_lease_pause(lease, USBPASS_PAUSE_FAIL);
	usbpass_transfer_kill_all(lease);
	usbpass_reset_mark_own(lease, true);	/* the disconnect of a failed one clears it */
	err = usbpass_reset_port(dev);
	spin_lock_irqsave(&lease->lock, flags);
	lease->ladder.open = err;
	WRITE_ONCE(lease->ladder.tried, false);
	if (!err)
		lease->ladder.own = false;
	spin_unlock_irqrestore(&lease->lock, flags);
	usbpass_lease_go_on(lease);
	if (!err) {
		usbpass_learned_identify(&identity, dev->facts, lease->owner);
		usbpass_learned_note(&identity, false);
	}
	return err;
}

/*
 * What returns was just enumerated: that is a reset, and its settings are
 * chosen anyway. So is what a step beyond the device is on its way to. *told:
 * not the first in this absence. False: it is there.
 */
static bool recorded(struct usbpass_lease *lease, bool *told)
{
	unsigned long flags;
	bool away;

	spin_lock_irqsave(&lease->lock, flags);
	away = lease->state == USBPASS_LEASE_RETURNING || lease->ladder.queued;
	if (away) {
		*told = lease->ladder.told == lease->returns + 1;
		lease->ladder.told = lease->returns + 1;
		lease->resets++;
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	return away;
}

static bool is_away(struct usbpass_lease *lease)
{
	struct plan plan = { .why = "recorded, the device is away" };

	if (!recorded(lease, &plan.silent))
		return false;
	tell(lease, NULL, &plan, 0);
	return true;
}

static void count(struct usbpass_lease *lease)
{
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	lease->resets++;
	spin_unlock_irqrestore(&lease->lock, flags);
}

/* The consumer hears 0 of a failed one, as a hypervisor drops what fails here. */
int usbpass_reset_guest(struct usbpass_lease *lease)
{
	struct usbpass_device *dev = NULL;
	struct plan plan;
	int err = 0;

	do {
		if (is_away(lease))
			return 0;
		if (usbpass_lease_state(lease) == USBPASS_LEASE_GONE)
			return -ENODEV;
		dev = usbpass_lease_lock_device(lease);
	} while (!dev);
	plan = decide(lease, dev);
	count(lease);
	if (plan.kind > USBPASS_RESET_KIND_DEVICE && usbpass_step_queue(lease, dev, plan.kind)) {
		plan.kind = USBPASS_RESET_KIND_DEVICE;
		plan.why = "no memory for more";
	}
	if (plan.kind == USBPASS_RESET_KIND_DEVICE)
		err = usbpass_reset_on_wire(lease, dev);
	else if (plan.kind == USBPASS_RESET_KIND_SOFT)
		err = usbpass_settings_soft_reset(lease, dev);
	if (plan.kind <= USBPASS_RESET_KIND_DEVICE)
		tell(lease, dev, &plan, err);	/* else the step does */
	usbpass_lease_unlock_device(dev);

	if (usbpass_lease_state(lease) == USBPASS_LEASE_GONE)
		return -ENODEV;
	return plan.refused && usbpass_param_reset_refusal_is_error() ? -EPERM : 0;
}

/* What bars a hub's reset before anything is locked; the step looks again. */
static int look_around(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	struct usbpass_radius radius;
	int err = usbpass_radius_survey(&radius, dev, USBPASS_RESET_KIND_HUB, lease->attach_id);

	if (err)
		return err == -ENODEV ? -EAGAIN : err;
	if (usbpass_radius_barred(&radius))
		err = -EBUSY;
	usbpass_radius_free(&radius);
	return err;
}

static int start_hub_reset(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	bool silent;

	if (usbpass_config_reset_policy(lease->attach_id) != USBPASS_RESET_HUB ||
	    spared(lease, dev))
		return -EPERM;
	return look_around(lease, dev) ?: !spend(dev, &silent) ? -EPERM :
	       usbpass_step_queue_only(lease, dev, USBPASS_RESET_KIND_HUB);
}

int usbpass_reset_guest_hub(struct usbpass_lease *lease)
{
	struct usbpass_device *dev = usbpass_lease_lock_device(lease);
	int err;

	if (!dev)
		return usbpass_lease_state(lease) == USBPASS_LEASE_GONE ? -ENODEV : -EAGAIN;
	err = start_hub_reset(lease, dev);
	if (!err)
		count(lease);
	usbpass_lease_unlock_device(dev);
	return err;
}
