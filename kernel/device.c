// SPDX-License-Identifier: GPL-2.0
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "claim.h"
#include "device.h"
#include "event.h"
#include "guard.h"
#include "learned.h"
#include "lease.h"
#include "window.h"

DEFINE_SPINLOCK(usbpass_registry_lock);

static LIST_HEAD(table);	/* in order of id */
static u32 last_id;		/* registry_lock */

static void release(struct kref *kref)
{
	struct usbpass_device *dev = container_of(kref, struct usbpass_device, kref);

	usb_put_dev(dev->udev);
	usbpass_facts_put(dev->facts);
	kfree_rcu(dev, rcu);
}

struct usbpass_device *usbpass_device_get(struct usbpass_device *dev)
{
	kref_get(&dev->kref);
	return dev;
}

void usbpass_device_put(struct usbpass_device *dev)
{
	kref_put(&dev->kref, release);
}

struct usbpass_device *usbpass_device_by_id(u32 id)
{
	struct usbpass_device *dev, *found = NULL;

	spin_lock(&usbpass_registry_lock);
	list_for_each_entry(dev, &table, link)
		if (dev->facts->id == id)
			found = usbpass_device_get(dev);
	spin_unlock(&usbpass_registry_lock);
	return found;
}

struct usbpass_device *usbpass_device_by_udev(struct usb_device *udev)
{
	struct usbpass_device *dev, *found = NULL;

	spin_lock(&usbpass_registry_lock);
	list_for_each_entry(dev, &table, link)
		if (dev->udev == udev)
			found = usbpass_device_get(dev);
	spin_unlock(&usbpass_registry_lock);
	return found;
}

struct usbpass_device *usbpass_device_next(u32 after)
{
	struct usbpass_device *dev, *found = NULL;

	spin_lock(&usbpass_registry_lock);
	list_for_each_entry(dev, &table, link) {
		if (dev->facts->id > after) {
			found = usbpass_device_get(dev);
			break;
		}
	}
	spin_unlock(&usbpass_registry_lock);
	return found;
}

void usbpass_device_each_locked(bool (*fn)(struct usbpass_device *dev, void *data), void *data)
{
	struct usbpass_device *dev;

	lockdep_assert_held(&usbpass_registry_lock);
	list_for_each_entry(dev, &table, link)
		if (!fn(dev, data))
			return;
}

static void tell(struct usbpass_device *dev, u8 type)
{
	struct usbpass_event ev = { .type = type };

	usbpass_device_describe(dev, &ev);
	usbpass_event_emit(&ev);
}

/* Something else than what a lease waits for, or in a guarded socket. */
static void tell_stranger(struct usbpass_device *dev)
{
	struct usbpass_event ev = { .type = USBPASS_EVENT_IDENTITY_CHANGED };

	if (!usbpass_window_differs(dev->facts, ev.reason, sizeof(ev.reason)) &&
	    (!dev->guarded || usbpass_window_expects(dev->facts)))
		return;
	usbpass_device_describe(dev, &ev);
	usbpass_event_emit(&ev);
}

/*
 * A dongle that turns into a hub is no way around its guard: what is below such
 * a hub is guarded as long as that is plugged.
 */
static bool guard_covers(const struct usbpass_device *dev)
{
	struct usbpass_device *hub = usbpass_device_by_udev(dev->udev->parent);
	bool covers = usbpass_guard_active(dev->facts);

	if (!hub)
		return covers;
	spin_lock(&usbpass_registry_lock);
	covers |= hub->guarded;
	spin_unlock(&usbpass_registry_lock);
	usbpass_device_put(hub);
	return covers;
}

int usbpass_device_add(struct usb_device *udev)
{
	struct usbpass_device *dev = usbpass_device_by_udev(udev);
	u32 id;

	if (dev) {		/* the walk at load met a device that the notifier saw */
		usbpass_device_put(dev);
		return 0;
	}
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	spin_lock(&usbpass_registry_lock);
	id = ++last_id;
	spin_unlock(&usbpass_registry_lock);
	dev->facts = usbpass_facts_new(udev, id);
	if (!dev->facts) {
		kfree(dev);
		return -ENOMEM;
	}
	kref_init(&dev->kref);	/* the table's, dropped by usbpass_device_remove() */
	dev->udev = usb_get_dev(udev);
	INIT_WORK(&dev->settle_work, usbpass_claim_settle_work);
	dev->present = !!udev->dev.driver;
	usbpass_config_decide(dev->facts, &dev->verdict, true);
	dev->guarded = !dev->present && guard_covers(dev) &&
		       (dev->facts->hub || dev->verdict.action != USBPASS_ACTION_CLAIM);

	spin_lock(&usbpass_registry_lock);
	list_add_tail_rcu(&dev->link, &table);
	spin_unlock(&usbpass_registry_lock);
	tell(dev, USBPASS_EVENT_DEVICE_ADDED);
	tell_stranger(dev);
	return 0;
}

void usbpass_device_remove(struct usb_device *udev)
{
	struct usbpass_device *dev = usbpass_device_by_udev(udev);

	if (!dev)
		return;
	spin_lock(&usbpass_registry_lock);
	list_del_rcu(&dev->link);
	spin_unlock(&usbpass_registry_lock);
	tell(dev, USBPASS_EVENT_DEVICE_REMOVED);
	usbpass_device_put(dev);	/* the table's */
	usbpass_device_put(dev);	/* by_udev()'s */
}

/* After the notifier is gone and nothing is claimed. */
void usbpass_device_exit(void)
{
	struct usbpass_device *dev, *next;

	list_for_each_entry_safe(dev, next, &table, link) {
		list_del_rcu(&dev->link);
		usbpass_device_put(dev);
	}
	rcu_barrier();		/* facts are freed by a callback of ours */
}

/* What keeps host drivers off where no rule claims it. @reason: USBPASS_REASON_MAX + 1 bytes. */
static void why_held(const struct usbpass_device *dev, char *reason, const char **remedy)
{
	if (dev->verdict.action == USBPASS_ACTION_QUARANTINE) {
		snprintf(reason, USBPASS_REASON_MAX + 1, "quarantined by rule '%s'",
			 dev->verdict.rule_name);
		*remedy = "add a rule that claims or ignores it, or `device release`";
	} else if (dev->deferred) {
		strscpy(reason, "released when the configuration is confirmed",
			USBPASS_REASON_MAX + 1);
		*remedy = "`usbpass confirm` releases it, `usbpass revert` keeps it";
	} else if (dev->guarded) {
		strscpy(reason, "appeared in the socket of a lease and is not what was leased",
			USBPASS_REASON_MAX + 1);
		*remedy = "make a rule for it, release it, or replug it later";
	} else {
		strscpy(reason, "waits for the first commit (hold_secs)", USBPASS_REASON_MAX + 1);
		*remedy = "commit a configuration, or wait";
	}
}

static u8 claimed_state(const struct usbpass_device *dev, char *reason, const char **remedy)
{
	if (dev->lease)
		return USBPASS_DEVICE_ONLINE;
	if (dev->error) {
		strscpy(reason, dev->error, USBPASS_REASON_MAX + 1);
		*remedy = dev->remedy;
		return USBPASS_DEVICE_ERROR;
	}
	if (!dev->udev->authorized) {
		strscpy(reason, "deauthorized in sysfs", USBPASS_REASON_MAX + 1);
		*remedy = "write 1 to its `authorized` attribute";
		return USBPASS_DEVICE_ERROR;
	}
	if (dev->cleaning)
		return USBPASS_DEVICE_CLEANING;
	if (dev->verdict.action == USBPASS_ACTION_CLAIM)
		return USBPASS_DEVICE_IDLE;
	why_held(dev, reason, remedy);
	return USBPASS_DEVICE_HELD;
}

static u8 unclaimed_state(const struct usbpass_device *dev, char *reason, const char **remedy)
{
	bool quarantined = dev->verdict.action == USBPASS_ACTION_QUARANTINE;

	if (dev->facts->hub || dev->released ||
	    (dev->verdict.action != USBPASS_ACTION_CLAIM && !quarantined))
		return USBPASS_DEVICE_HOST;
	if (dev->error) {
		strscpy(reason, dev->error, USBPASS_REASON_MAX + 1);
		*remedy = dev->remedy;
		return USBPASS_DEVICE_ERROR;
	}
	if (quarantined)
		return USBPASS_DEVICE_HOST;	/* it was the host's before its rule */
	strscpy(reason, dev->pending_reason[0] ? dev->pending_reason :
		dev->passed ? "was plugged in while nothing new was taken" :
		"was the host's before its rule", USBPASS_REASON_MAX + 1);
	*remedy = "`device claim`, or replug it";
	return USBPASS_DEVICE_PENDING;
}

/* @reason, of USBPASS_REASON_MAX + 1 bytes, and @remedy: of the states that have them. */
static u8 state_locked(const struct usbpass_device *dev, char *reason, const char **remedy)
{
	lockdep_assert_held(&usbpass_registry_lock);
	return dev->claimed ? claimed_state(dev, reason, remedy) :
			      unclaimed_state(dev, reason, remedy);
}

static bool is_bad_resetter(const struct usbpass_device *dev)
{
	struct usbpass_identity identity;

	usbpass_learned_identify(&identity, dev->facts, USBPASS_OWNER_HOST);
	return usbpass_learned_is_bad(&identity);
}

void usbpass_device_status(struct usbpass_device *dev, struct usbpass_device_status *status)
{
	memset(status, 0, sizeof(*status));
	spin_lock(&usbpass_registry_lock);
	status->state = state_locked(dev, status->reason, &status->remedy);
	status->flags = (dev->facts->hub ? USBPASS_DEVICE_F_HUB : 0) |
			(dev->present ? USBPASS_DEVICE_F_PRESENT : 0) |
			(dev->released ? USBPASS_DEVICE_F_RELEASED : 0);
	status->verdict = dev->verdict;
	status->attach_id = dev->lease ? dev->lease->attach_id : 0;
	spin_unlock(&usbpass_registry_lock);
	status->flags |= is_bad_resetter(dev) ? USBPASS_DEVICE_F_BAD_RESETTER : 0;
	status->resets = atomic_read(&dev->resets);
}

void usbpass_device_count(u32 *present, u32 *claimed, u32 *leased)
{
	struct usbpass_device *dev;

	*present = 0;
	*claimed = 0;
	*leased = 0;
	spin_lock(&usbpass_registry_lock);
	list_for_each_entry(dev, &table, link) {
		*present += 1;
		*claimed += dev->claimed;
		*leased += !!dev->lease;
	}
	spin_unlock(&usbpass_registry_lock);
}

void usbpass_device_count_group(u32 group_id, u32 *claimed, u32 *free)
{
	char reason[USBPASS_REASON_MAX + 1];
	struct usbpass_device *dev;
	const char *remedy;

	*claimed = 0;
	*free = 0;
	spin_lock(&usbpass_registry_lock);
	list_for_each_entry(dev, &table, link) {
		if (!dev->claimed || dev->verdict.group_id != group_id)
			continue;
		*claimed += 1;
		*free += state_locked(dev, reason, &remedy) == USBPASS_DEVICE_IDLE;
	}
	spin_unlock(&usbpass_registry_lock);
}

void usbpass_device_fail(struct usbpass_device *dev, const char *error, const char *remedy)
{
	spin_lock(&usbpass_registry_lock);
	/* The first one: what fails after it only follows from it. */
	if (!dev->error) {
		dev->error = error;
		dev->remedy = remedy;
	}
	spin_unlock(&usbpass_registry_lock);
	usbpass_device_notify(dev);
}

void usbpass_device_describe(const struct usbpass_device *dev, struct usbpass_event *ev)
{
	const struct usbpass_facts *facts = dev->facts;

	ev->device_id = facts->id;
	ev->vendor = le16_to_cpu(facts->descriptor.idVendor);
	ev->product = le16_to_cpu(facts->descriptor.idProduct);
	strscpy(ev->socket, facts->socket, sizeof(ev->socket));
}

void usbpass_device_notify(struct usbpass_device *dev)
{
	struct usbpass_event ev = { .type = USBPASS_EVENT_DEVICE_STATE, .has_state = true };
	struct usbpass_group *group;
	u32 group_id, rule_id;
	const char *remedy;
	bool news;

	spin_lock(&usbpass_registry_lock);
	ev.state = state_locked(dev, ev.reason, &remedy);
	group_id = dev->verdict.group_id;
	rule_id = dev->verdict.rule_id;
	/* Held by another rule than before is news as well. */
	news = ev.state != dev->told_state ||
	       (ev.state == USBPASS_DEVICE_HELD && rule_id != dev->told_rule);
	dev->told_state = ev.state;
	dev->told_rule = rule_id;
	spin_unlock(&usbpass_registry_lock);
	if (!news)
		return;

	usbpass_device_describe(dev, &ev);
	ev.rule_id = rule_id;
	group = group_id ? usbpass_config_group(group_id) : NULL;
	if (group) {
		strscpy(ev.group, group->name, sizeof(ev.group));
		usbpass_group_put(group);
	}
	usbpass_event_emit(&ev);
}
