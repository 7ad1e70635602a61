// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "claim.h"
#include "device.h"
#include "job.h"
#include "lease.h"
#include "maintenance.h"
#include "param.h"
#include "reconcile.h"
#include "revoke.h"
#include "slot.h"

static struct workqueue_struct *wq;	/* ordered: runs and jobs never overlap */
static atomic_t rescan_wanted;
static atomic64_t revoke_since = ATOMIC64_INIT(S64_MAX);	/* a generation; S64_MAX: nothing */

static void run(struct work_struct *work)
{
	s64 since = atomic64_xchg(&revoke_since, S64_MAX);
	bool rescan = atomic_xchg(&rescan_wanted, 0);
	struct usbpass_device *dev;
	u32 id = 0;

	while ((dev = usbpass_device_next(id))) {
		id = dev->facts->id;
		if (rescan) {
			spin_lock(&usbpass_registry_lock);
			dev->asked = true;	/* says nothing where no rule claims it */
			spin_unlock(&usbpass_registry_lock);
		}
		usbpass_claim_apply(dev);
		usbpass_device_notify(dev);
		usbpass_device_put(dev);
	}
	/* No open can lease by an older verdict now. */
	if (since != S64_MAX)
		usbpass_revoke_unruled(since);
	usbpass_slot_refresh();
}

static DECLARE_WORK(run_work, run);

void usbpass_reconcile_kick(bool rescan)
{
	if (rescan)
		atomic_set(&rescan_wanted, 1);
	queue_work(wq, &run_work);
}

void usbpass_reconcile_revoke(u64 since)
{
	s64 seen = atomic64_read(&revoke_since);

	while ((s64)since < seen && !atomic64_try_cmpxchg(&revoke_since, &seen, since))
		;
	usbpass_reconcile_kick(false);
}

/* A verb on one device: queued -> worked -> freed. */
struct job {
	struct work_struct work;
	struct usbpass_device *dev;	/* reference, dropped by do_job() */
	bool claim;
	u32 id;
};

static const char *reason_of(struct usbpass_device *dev, int err)
{
	const char *reason = "the device did not answer; replug it";

	if (!err)
		return NULL;
	if (err == -ENODEV)
		return "the device was unplugged meanwhile";
	if (err == -ENOENT)
		return "no rule claims it any more";
	if (err == -ENOMEM)
		return "no memory; ask again";
	spin_lock(&usbpass_registry_lock);
	if (dev->error)
		reason = dev->error;
	else if (err == -EBUSY)
		reason = "released meanwhile, or nothing new is taken; see `status`";
	spin_unlock(&usbpass_registry_lock);
	return reason;
}

/*
 * Said here and not where it was asked for: a run that found a moment before
 * that nobody wants the device would take the wish for spent.
 */
static void note_wish(struct usbpass_device *dev, bool claim)
{
	spin_lock(&usbpass_registry_lock);
	dev->asked = claim;
	dev->released = !claim;
	if (claim)
		dev->guarded = false;
	spin_unlock(&usbpass_registry_lock);
}

/* Of a claim that did not fail and has nothing: what has changed since it was asked for. */
static int refusal(struct usbpass_device *dev)
{
	bool ruled;

	if (usbpass_claim_wants(dev))
		return 0;
	spin_lock(&usbpass_registry_lock);
	ruled = dev->verdict.action == USBPASS_ACTION_CLAIM;
	spin_unlock(&usbpass_registry_lock);
	return ruled ? -EBUSY : -ENOENT;
}

static void do_job(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);
	struct usbpass_device *dev = job->dev;
	int err;

	note_wish(dev, job->claim);
	err = usbpass_claim_apply(dev);
	if (!err && job->claim)
		err = refusal(dev);
	usbpass_device_notify(dev);
	usbpass_slot_refresh();
	usbpass_job_end(job->id, err, reason_of(dev, err));
	usbpass_device_put(dev);
	kfree(job);
}

/* Takes over the reference on @dev. */
static void queue_job(struct job *job, struct usbpass_device *dev, bool claim, u32 *id)
{
	INIT_WORK(&job->work, do_job);
	job->dev = dev;
	job->claim = claim;
	job->id = usbpass_job_begin();
	*id = job->id;
	queue_work(wq, &job->work);
}

static int mark_pending(struct usbpass_device *dev, const char *reason, u32 *job)
{
	spin_lock(&usbpass_registry_lock);
	dev->asked = false;
	strscpy(dev->pending_reason, reason ?: "", sizeof(dev->pending_reason));
	dev->told_state = USBPASS_DEVICE_HOST;	/* the reason is news */
	spin_unlock(&usbpass_registry_lock);
	usbpass_device_notify(dev);
	usbpass_slot_refresh();
	*job = usbpass_job_begin();
	usbpass_job_end(*job, 0, reason);
	return 0;
}

int usbpass_reconcile_request_claim(u32 id, u32 flags, const char *reason, u32 *job,
				    struct netlink_ext_ack *extack)
{
	struct usbpass_device *dev = usbpass_device_by_id(id);
	struct usbpass_verdict verdict;
	struct job *fresh;
	int err;

	if (!dev) {
		NL_SET_ERR_MSG(extack, "usbpass: no present device has this id");
		return -ENODEV;
	}
	usbpass_config_decide(dev->facts, &verdict, false);
	if (dev->facts->hub) {
		NL_SET_ERR_MSG(extack, "usbpass: hubs are never claimed");
		err = -EOPNOTSUPP;
		goto put;
	}
	if (verdict.action != USBPASS_ACTION_CLAIM) {
		NL_SET_ERR_MSG(extack, "usbpass: no rule claims this device; add one first");
		err = -ENOENT;
		goto put;
	}
	if (flags & USBPASS_F_PENDING) {
		err = mark_pending(dev, reason, job);
		goto put;
	}
	if (!usbpass_param_claim()) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: parameter `claim` is 0: nothing new is taken");
		err = -EBUSY;
		goto put;
	}
	if (usbpass_maintenance_is_on()) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: maintenance: nothing new is taken; `usbpass maintenance off` ends it");
		err = -EBUSY;
		goto put;
	}
	if (READ_ONCE(dev->resetting)) {
		NL_SET_ERR_MSG(extack, "usbpass: the device is being reset; ask again");
		err = -EBUSY;
		goto put;
	}
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh) {
		NL_SET_ERR_MSG(extack, "usbpass: no memory");
		err = -ENOMEM;
		goto put;
	}
	queue_job(fresh, dev, true, job);
	return 0;
put:
	usbpass_device_put(dev);
	return err;
}

int usbpass_reconcile_request_release(u32 id, u32 flags, u32 *job,
				      struct netlink_ext_ack *extack)
{
	struct usbpass_device *dev = usbpass_device_by_id(id);
	struct usbpass_lease *lease = NULL;
	struct job *fresh;
	int err = 0;

	if (!dev) {
		NL_SET_ERR_MSG(extack, "usbpass: no present device has this id");
		return -ENODEV;
	}
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	spin_lock(&usbpass_registry_lock);
	if (!fresh) {
		NL_SET_ERR_MSG(extack, "usbpass: no memory");
		err = -ENOMEM;
	} else if (!dev->claimed && READ_ONCE(dev->udev->dev.driver) &&
		   (dev->released || dev->verdict.action != USBPASS_ACTION_CLAIM)) {
		/* Without a driver an earlier release has failed halfway: it goes on. */
		NL_SET_ERR_MSG(extack, "usbpass: the host's drivers have this device");
		err = -EALREADY;
	} else if (dev->resetting) {
		NL_SET_ERR_MSG(extack, "usbpass: the device is being reset; ask again");
		err = -EBUSY;
	} else if (dev->lease && !(flags & USBPASS_F_REVOKE)) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: its lease is open; close it, or revoke (--revoke)");
		err = -EBUSY;
	} else {
		dev->released = true;
		dev->asked = false;
		dev->pending_reason[0] = '\0';
		lease = dev->lease ? usbpass_lease_get(dev->lease) : NULL;
	}
	spin_unlock(&usbpass_registry_lock);
	if (err) {
		kfree(fresh);
		usbpass_device_put(dev);
		return err;
	}
	if (lease) {
		usbpass_lease_revoke(lease, "its device is released by hand");
		usbpass_lease_put(lease);
	}
	queue_job(fresh, dev, false, job);
	return 0;
}

int usbpass_reconcile_init(void)
{
	wq = alloc_ordered_workqueue("usbpass_reconcile", 0);
	return wq ? 0 : -ENOMEM;
}

void usbpass_reconcile_exit(void)
{
	destroy_workqueue(wq);
}
