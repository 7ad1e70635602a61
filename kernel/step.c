// SPDX-License-Identifier: GPL-2.0
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/usb.h>
#include <linux/workqueue.h>
#include "device.h"
#include "event.h"
#include "job.h"
#include "lease.h"
#include "power.h"
#include "radius.h"
#include "reset.h"
#include "settings.h"
#include "slot.h"
#include "step.h"
#include "trace.h"
#include "transfer.h"
#include "usbcore.h"

#define MARK_TRIES	8	/* surveys, while something is plugged in or leased */

static struct workqueue_struct *wq;

/* queued -> worked -> freed */
struct step {
	struct work_struct work;
	struct usbpass_device *dev;	/* reference, dropped by work_fn() */
	struct usbpass_lease *lease;	/* whose consumer asks; NULL: the administrator; the same */
	u8 kind;			/* enum usbpass_reset_kind */
	bool falls;			/* to what is available */
	bool force;
	u32 job;			/* the administrator's, or of a power cycle; 0: none yet */
	struct usbpass_event ev;	/* who asked */
	const char *why;		/* no more was done; NULL: it was what was asked for */
	char barred[80];		/* a device that was in the way, for people; empty: none */
};

static u32 attach_id_of(const struct step *step)
{
	return step->lease ? step->lease->attach_id : 0;
}

/* The leases on what is hit: their devices' disconnects are our doing, or are not. */
static void mark_own(const struct usbpass_radius *radius, bool own)
{
	u32 i;

	for (i = 0; i < radius->nr; i++) {
		struct usbpass_device *dev = radius->hits[i].dev;
		struct usbpass_lease *lease;

		spin_lock(&usbpass_registry_lock);
		lease = dev->lease ? usbpass_lease_get(dev->lease) : NULL;
		spin_unlock(&usbpass_registry_lock);
		if (lease) {
			usbpass_reset_mark_own(lease, own);
			usbpass_lease_put(lease);
		}
	}
}

static void count(const struct usbpass_radius *radius)
{
	u32 i;

	for (i = 0; i < radius->nr; i++)
		atomic_inc(&radius->hits[i].dev->resets);
}

static int bar(struct step *step, const struct usbpass_hit *hit)
{
	snprintf(step->barred, sizeof(step->barred), "%s, %s, is in the way",
		 hit->dev->facts->busid,
		 hit->in_the_way == USBPASS_IN_THE_WAY_HOST ? "of a driver of the host" :
							      "leased by another one");
	return -EBUSY;
}

/*
 * Looks and marks, until both agree. 0: radius is marked, the caller's to undo
 * with end(); else nothing is held.
 */
static int begin(struct step *step, u8 kind, struct usbpass_radius *radius)
{
	const struct usbpass_hit *barred;
	unsigned int tries = 0;
	int err;

	do {
		err = usbpass_radius_survey(radius, step->dev, kind, attach_id_of(step));
		if (err)
			return err;
		barred = usbpass_radius_barred(radius);
		err = barred && !step->force ? bar(step, barred) : usbpass_radius_mark(radius);
		if (!err)
			return 0;
		usbpass_radius_free(radius);
	} while (err == -EAGAIN && ++tries < MARK_TRIES);
	return -EBUSY;
}

static void end(struct usbpass_radius *radius)
{
	/* Of those that are there still: they were not hit. */
	mark_own(radius, false);
	usbpass_radius_unmark(radius);
	usbpass_radius_free(radius);
	usbpass_slot_refresh();
}

/*
 * The hub is locked before anything is looked at: what is plugged into it waits
 * in the hub's worker. Its children are disconnected by the hub driver's
 * pre_reset, one after the other.
 */
static int reset_hub(struct step *step)
{
	struct usbpass_radius radius, marked;
	int err = usbpass_radius_survey(&radius, step->dev, USBPASS_RESET_KIND_HUB,
					attach_id_of(step));

	if (err)
		return err;
	err = usb_lock_device_for_reset(radius.hub, NULL);
	if (err)
		goto free;
	err = begin(step, USBPASS_RESET_KIND_HUB, &marked);
	if (!err) {
		mark_own(&marked, true);
		count(&marked);
		err = usb_reset_device(radius.hub);
		end(&marked);
	}
	usb_unlock_device(radius.hub);
free:
	usbpass_radius_free(&radius);
	return err;
}

static int cycle_port(struct step *step)
{
	struct usbpass_radius radius;
	int err;

	if (!usbpass_power_available())
		return -EOPNOTSUPP;
	err = begin(step, USBPASS_RESET_KIND_PORT, &radius);
	if (err)
		return err;
	if (usbpass_usbcore_hub_power(radius.hub) != USBPASS_HUB_POWER_PORT) {
		err = -EOPNOTSUPP;
	} else {
		if (!step->job)
			step->job = usbpass_job_begin();
		mark_own(&radius, true);
		count(&radius);
		err = usbpass_power_cycle(step->dev, radius.hub, step->job);
	}
	end(&radius);
	return err;
}

/* With its lease if it has one that is ONLINE; whoever asks. */
static int reset_device(struct step *step)
{
	struct usbpass_device *dev = step->dev;
	struct usbpass_lease *lease;
	int err = usb_lock_device_for_reset(dev->udev, NULL);

	if (err)
		return err;
	spin_lock(&usbpass_registry_lock);
	lease = dev->lease ? usbpass_lease_get(dev->lease) : NULL;
	spin_unlock(&usbpass_registry_lock);
	if (lease && usbpass_lease_device_id(lease) == dev->facts->id)
		err = usbpass_reset_on_wire(lease, dev);
	else
		err = usbpass_reset_port(dev);
	if (lease)
		usbpass_lease_put(lease);
	usb_unlock_device(dev->udev);
	return err;
}

static int reset_softly(struct step *step)
{
	struct usbpass_device *dev = step->dev;
	struct usbpass_lease *lease;
	int err = -EOPNOTSUPP;

	usb_lock_device(dev->udev);
	spin_lock(&usbpass_registry_lock);
	lease = dev->lease ? usbpass_lease_get(dev->lease) : NULL;
	spin_unlock(&usbpass_registry_lock);
	if (lease && usbpass_lease_device_id(lease) == dev->facts->id)
		err = usbpass_settings_soft_reset(lease, dev);
	if (lease)
		usbpass_lease_put(lease);
	usb_unlock_device(dev->udev);
	return err;
}

static int carry_out(struct step *step)
{
	switch (step->kind) {
	case USBPASS_RESET_KIND_HUB:
		return reset_hub(step);
	case USBPASS_RESET_KIND_PORT:
		return cycle_port(step);
	case USBPASS_RESET_KIND_DEVICE:
		return reset_device(step);
	default:
		return reset_softly(step);
	}
}

/* PORT that is not to be had goes on to HUB; all else that fails goes down. */
static int carry_out_or_fall(struct step *step)
{
	u8 asked = step->kind;
	int err;

	if (asked == USBPASS_RESET_KIND_PORT) {
		err = cycle_port(step);
		if (!err || err == -ENODEV)
			return err;
		step->why = err == -EOPNOTSUPP ? "power cycles are not available here" :
			    step->barred[0] ? step->barred : "the power cycle failed";
	}
	step->kind = USBPASS_RESET_KIND_HUB;
	err = reset_hub(step);
	if (!err || err == -ENODEV)
		return err;
	step->why = err == -EOPNOTSUPP ? "behind a root hub there is no more" :
		    step->barred[0] ? step->barred : "the reset of its hub failed";
	if (asked == USBPASS_RESET_KIND_HUB) {
		step->kind = USBPASS_RESET_KIND_PORT;
		err = cycle_port(step);
		if (!err || err == -ENODEV)
			return err;
	}
	step->kind = USBPASS_RESET_KIND_DEVICE;
	return reset_device(step);
}

/* What was paused for the step goes on; where the device is away that is over by itself. */
static void resume(struct usbpass_lease *lease)
{
	struct usbpass_device *dev;
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	lease->ladder.queued = false;
	spin_unlock_irqrestore(&lease->lock, flags);
	dev = usbpass_lease_lock_device(lease);
	if (!dev)
		return;
	usbpass_lease_go_on(lease);
	usbpass_lease_unlock_device(dev);
}

static const char *reason_of(const struct step *step, int err)
{
	switch (err) {
	case 0:
		return NULL;
	case -EBUSY:
		return step->barred[0] ? step->barred : "a reset is under way there; ask again";
	case -ENODEV:
		return "the device is not there any more, or came back from the reset as another";
	case -EOPNOTSUPP:
		return "not available here: see usbpass(7), RESETS";
	case -ETIMEDOUT:
		return "nobody answered; is usbpassd running?";
	default:
		return "the device or its hub does not take the reset; replug it";
	}
}

/* Where the step ends in its disconnect, the return of the device tells whether it went well. */
static void open_outcome(struct usbpass_lease *lease, bool open)
{
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	lease->ladder.open = open;
	spin_unlock_irqrestore(&lease->lock, flags);
}

static int carry_out_for_lease(struct step *step)
{
	int err;

	/* Its consumer may have closed it: nobody wants the reset any more. */
	if (usbpass_lease_device_id(step->lease) != step->dev->facts->id)
		return -ENODEV;
	open_outcome(step->lease, true);
	err = step->falls ? carry_out_or_fall(step) : carry_out(step);
	if (step->kind == USBPASS_RESET_KIND_DEVICE)
		return err;	/* it has said so itself */
	if (err)
		open_outcome(step->lease, false);
	return err;
}

static void work_fn(struct work_struct *work)
{
	struct step *step = container_of(work, struct step, work);
	int err = step->lease ? carry_out_for_lease(step) : carry_out(step);

	if (step->lease) {
		trace_usbpass_reset(step->lease->slot->minor, step->kind, err);
		resume(step->lease);
	}
	usbpass_reset_tell(&step->ev, step->lease, step->dev, step->kind,
			   step->why ?: err == -EBUSY && step->barred[0] ? step->barred : NULL,
			   err);
	if (step->job)
		usbpass_job_end(step->job, err, reason_of(step, err));
	if (step->lease)
		usbpass_lease_put(step->lease);
	usbpass_device_put(step->dev);
	kfree(step);
}

static struct step *alloc(struct usbpass_device *dev, u8 kind)
{
	struct step *step = kzalloc(sizeof(*step), GFP_KERNEL);

	if (!step)
		return NULL;
	INIT_WORK(&step->work, work_fn);
	step->dev = usbpass_device_get(dev);
	step->kind = kind;
	usbpass_event_by_current(&step->ev);
	return step;
}

static int queue(struct usbpass_lease *lease, struct usbpass_device *dev, u8 kind, bool falls)
{
	struct step *step = alloc(dev, kind);
	unsigned long flags;
	bool queued;

	device_lock_assert(&dev->udev->dev);
	if (!step)
		return -ENOMEM;
	spin_lock_irqsave(&lease->lock, flags);
	queued = lease->ladder.queued;
	lease->ladder.queued = true;
	spin_unlock_irqrestore(&lease->lock, flags);
	if (queued) {
		usbpass_device_put(dev);
		kfree(step);
		return -EBUSY;
	}
	step->falls = falls;
	step->lease = usbpass_lease_get(lease);
	usbpass_lease_pause(lease, USBPASS_PAUSE_FAIL);
	usbpass_transfer_kill_all(lease);
	queue_work(wq, &step->work);
	return 0;
}

int usbpass_step_queue(struct usbpass_lease *lease, struct usbpass_device *dev, u8 kind)
{
	return queue(lease, dev, kind, true);
}

int usbpass_step_queue_only(struct usbpass_lease *lease, struct usbpass_device *dev, u8 kind)
{
	return queue(lease, dev, kind, false);
}

/* Of what could be looked at: why not, told; or 0. */
static int refusal_of(const struct usbpass_radius *radius, bool force,
		      struct netlink_ext_ack *extack)
{
	bool leased;

	spin_lock(&usbpass_registry_lock);
	leased = radius->dev->lease;
	spin_unlock(&usbpass_registry_lock);
	if (radius->kind == USBPASS_RESET_KIND_SOFT && !leased) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: a soft reset is of a leased device, and this one is not");
		return -EOPNOTSUPP;
	}
	if (radius->kind == USBPASS_RESET_KIND_PORT && !usbpass_power_available()) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: power cycles need usbpassd, which does not run");
		return -EOPNOTSUPP;
	}
	if (usbpass_radius_barred(radius) && !force) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: devices are in the way (--dry-run names them); --force resets them too");
		return -EBUSY;
	}
	return 0;
}

/* What can be said before anything is locked. */
static int refusal(struct usbpass_device *dev, u8 kind, bool force, struct netlink_ext_ack *extack)
{
	struct usbpass_radius radius;
	int err = usbpass_radius_survey_told(&radius, dev, kind, extack);

	if (err)
		return err;
	err = refusal_of(&radius, force, extack);
	usbpass_radius_free(&radius);
	return err;
}

int usbpass_step_request(u32 device_id, u8 kind, u32 flags, u32 *job,
			 struct netlink_ext_ack *extack)
{
	struct usbpass_device *dev = usbpass_device_by_id(device_id);
	struct step *step;
	int err;

	if (!dev) {
		NL_SET_ERR_MSG(extack, "usbpass: no present device has this id");
		return -ENODEV;
	}
	err = refusal(dev, kind, flags & USBPASS_F_FORCE, extack);
	if (err)
		goto put;
	step = alloc(dev, kind);
	if (!step) {
		NL_SET_ERR_MSG(extack, "usbpass: no memory");
		err = -ENOMEM;
		goto put;
	}
	step->force = flags & USBPASS_F_FORCE;
	step->job = usbpass_job_begin();
	*job = step->job;
	queue_work(wq, &step->work);
put:
	usbpass_device_put(dev);
	return err;
}

int usbpass_step_init(void)
{
	wq = alloc_workqueue("usbpass_step", WQ_UNBOUND, 0);
	return wq ? 0 : -ENOMEM;
}

void usbpass_step_exit(void)
{
	usbpass_power_exit();	/* what waits for it is drained here */
	destroy_workqueue(wq);
}
