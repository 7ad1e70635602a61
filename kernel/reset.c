// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include <linux/ktime.h>
#include <linux/usb.h>
#include "config.h"
#include "device.h"
#include "event.h"
#include "lease.h"
#include "param.h"
#include "reset.h"
#include "settings.h"
#include "slot.h"
#include "trace.h"
#include "transfer.h"

#define BUDGET_WINDOW_NS	(60ULL * NSEC_PER_SEC)

/* What is done for a request, and why if it is less than the wire would do. */
struct plan {
	bool wire;
	bool refused;		/* the policy or the budget says less than asked */
	bool silent;		/* its event would be one too many */
	const char *reason;
};

int usbpass_reset_port(struct usbpass_device *dev)
{
	device_lock_assert(&dev->udev->dev);
	atomic_inc(&dev->resets);
	return usb_reset_device(dev->udev);
}

/*
 * True: one more reset is within the minute's budget; it is counted. *silent:
 * it is not, and neither is it the first: a guest must not flood the events.
 */
static bool spend(struct usbpass_device *dev, bool *silent)
{
	unsigned int budget = usbpass_param_reset_budget();
	u64 now = ktime_get_boottime_ns();
	bool fits;

	spin_lock(&usbpass_registry_lock);
	if (now - dev->reset_window_ns > BUDGET_WINDOW_NS) {
		dev->reset_window_ns = now;
		dev->reset_count = 0;
	}
	fits = dev->reset_count < budget;
	*silent = dev->reset_count > budget;
	if (!*silent)
		dev->reset_count++;
	spin_unlock(&usbpass_registry_lock);
	return fits;
}

static struct plan decide(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	struct plan plan = { .reason = "device" };
	bool fits = spend(dev, &plan.silent);

	if (usbpass_config_reset_policy(lease->attach_id) == USBPASS_RESET_NONE)
		plan.reason = "soft: the policy is none";
	else if (!fits)
		plan.reason = "soft: past the budget";
	else
		plan.wire = true;
	plan.refused = !plan.wire;
	return plan;
}

static void tell(struct usbpass_lease *lease, struct usbpass_device *dev,
		 const struct plan *plan, int result)
{
	struct usbpass_event ev = {
		.type = USBPASS_EVENT_RESET,
		.owner = lease->owner,
		.has_result = true,
		.result = result,
	};

	trace_usbpass_reset(lease->slot->minor, plan->wire, result);
	if (plan->silent)
		return;
	usbpass_event_by_current(&ev);
	usbpass_slot_name(lease->slot, ev.attach);
	if (dev)
		usbpass_device_describe(dev, &ev);
	strscpy(ev.reason, plan->reason, sizeof(ev.reason));
	usbpass_event_emit(&ev);
}

static void mark_own(struct usbpass_lease *lease, bool own)
{
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	lease->own_reset = own;
	spin_unlock_irqrestore(&lease->lock, flags);
}

/*
 * A failed reset means that the device re-enumerates: the lease waits for it
 * (return_ms). The consumer hears 0, as a hypervisor drops what fails here.
 */
static int on_wire(struct usbpass_lease *lease, struct usbpass_device *dev)
{
	int err;

	/* A kill under submissions may never end, and we have the device lock. */
	usbpass_lease_pause(lease, USBPASS_PAUSE_FAIL);
	usbpass_transfer_kill_all(lease);
	mark_own(lease, true);	/* the disconnect of a failed one clears it */
	err = usbpass_reset_port(dev);
	if (!err)
		mark_own(lease, false);
	usbpass_lease_go_on(lease);
	return err;
}

/*
 * What returns was just enumerated: that is a reset, and its settings are
 * chosen anyway. *told: not the first in this absence. False: it is not away.
 */
static bool recorded(struct usbpass_lease *lease, bool *told)
{
	unsigned long flags;
	bool away;

	spin_lock_irqsave(&lease->lock, flags);
	away = lease->state == USBPASS_LEASE_RETURNING;
	if (away) {
		*told = lease->reset_told == lease->returns + 1;
		lease->reset_told = lease->returns + 1;
		lease->resets++;
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	return away;
}

int usbpass_reset_guest(struct usbpass_lease *lease)
{
	struct usbpass_device *dev;
	unsigned long flags;
	struct plan plan;
	int err;

	while (!(dev = usbpass_lease_lock_device(lease))) {
		plan = (struct plan){ .reason = "soft: recorded, the device is away" };
		if (recorded(lease, &plan.silent)) {
			tell(lease, NULL, &plan, 0);
			return 0;
		}
		if (usbpass_lease_state(lease) == USBPASS_LEASE_GONE)
			return -ENODEV;
	}
	plan = decide(lease, dev);
	if (plan.wire)
		err = on_wire(lease, dev);
	else
		err = usbpass_settings_soft_reset(lease, dev);
	spin_lock_irqsave(&lease->lock, flags);
	lease->resets++;
	spin_unlock_irqrestore(&lease->lock, flags);
	tell(lease, dev, &plan, err);
	usbpass_lease_unlock_device(dev);

	if (usbpass_lease_state(lease) == USBPASS_LEASE_GONE)
		return -ENODEV;
	return plan.refused && usbpass_param_reset_refusal_is_error() ? -EPERM : 0;
}
