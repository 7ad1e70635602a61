// SPDX-License-Identifier: GPL-2.0
#include <linux/idr.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include "compat.h"
#include "device.h"
#include "event.h"
#include "lease.h"
#include "maintenance.h"
#include "node.h"
#include "pool.h"
#include "slot.h"

static struct class *class;
static dev_t first;			/* of USBPASS_SLOTS_MAX minors */
static DEFINE_IDA(minors);
static LIST_HEAD(slots);		/* published; registry_lock */

static atomic_t changes;
static DECLARE_WAIT_QUEUE_HEAD(change_wait);

#define to_slot(d) container_of(d, struct usbpass_slot, dev)

static void release(struct device *dev)
{
	struct usbpass_slot *slot = to_slot(dev);

	ida_free(&minors, slot->minor);
	kfree(slot);
}

/*
 * /dev/usbpass/OWNER/SLUG. Asked as the node is made and as it is removed, and by
 * anybody at any time who reads "uevent" in sysfs: the attachment may change
 * meanwhile. It is NULL only after the last removal. The driver core takes NULL
 * for "/dev/slotN" and goes on: the removal would leave the node to the next who
 * gets this minor.
 */
static char *devnode(USBPASS_DEVNODE_CONST struct device *dev, umode_t *mode, kuid_t *uid,
		     kgid_t *gid)
{
	struct usbpass_attach *attach;
	char *path;

	spin_lock(&usbpass_registry_lock);
	attach = usbpass_attach_get(to_slot(dev)->attach);
	spin_unlock(&usbpass_registry_lock);
	if (mode)
		*mode = attach->has_gid ? 0660 : 0600;
	if (uid)
		*uid = KUIDT_INIT(attach->uid);
	if (gid)
		*gid = KGIDT_INIT(attach->has_gid ? attach->gid : 0);
	path = kasprintf(GFP_KERNEL | __GFP_NOFAIL, "usbpass/host/%s", attach->slug);
	usbpass_attach_put(attach);
	return path;
}

static ssize_t attachment_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	char name[USBPASS_NAME_MAX + 1];

	usbpass_slot_name(to_slot(dev), name);
	return sysfs_emit(buf, "%s\n", name);
}
static DEVICE_ATTR_ADMIN_RO(attachment);

static const char * const state_names[] = {
	[USBPASS_SLOT_OFFLINE] = "offline",
	[USBPASS_SLOT_MISSING] = "missing",
	[USBPASS_SLOT_PENDING] = "pending",
	[USBPASS_SLOT_IDLE] = "idle",
	[USBPASS_SLOT_CLEANING] = "cleaning",
	[USBPASS_SLOT_ONLINE] = "online",
	[USBPASS_SLOT_RETURNING] = "returning",
	[USBPASS_SLOT_GONE] = "gone",
	[USBPASS_SLOT_ERROR] = "error",
};

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct usbpass_slot_status status;

	usbpass_slot_status(to_slot(dev), &status);
	return sysfs_emit(buf, "%s\n", state_names[status.state]);
}
static DEVICE_ATTR_ADMIN_RO(state);

static struct attribute *slot_attrs[] = {
	&dev_attr_attachment.attr,
	&dev_attr_state.attr,
	NULL
};
ATTRIBUTE_GROUPS(slot);

static const struct device_type slot_type = {
	.name = "usbpass_slot",
	.groups = slot_groups,
	.devnode = devnode,
	.release = release,
};

struct usbpass_slot *usbpass_slot_alloc(void)
{
	struct usbpass_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL);
	int minor;

	if (!slot)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&minors, USBPASS_SLOTS_MAX - 1, GFP_KERNEL);
	if (minor < 0) {
		kfree(slot);
		return ERR_PTR(minor);
	}
	slot->minor = minor;
	INIT_LIST_HEAD(&slot->link);
	device_initialize(&slot->dev);	/* from here on put_device() frees */
	slot->dev.type = &slot_type;
	slot->dev.class = class;
	slot->dev.devt = MKDEV(MAJOR(first), minor);
	cdev_init(&slot->cdev, &usbpass_node_fops);
	slot->cdev.owner = THIS_MODULE;
	return slot;
}

struct usbpass_slot *usbpass_slot_get(struct usbpass_slot *slot)
{
	get_device(&slot->dev);
	return slot;
}

void usbpass_slot_put(struct usbpass_slot *slot)
{
	put_device(&slot->dev);
}

/* Attachment and slot refer to each other; retire() ends the circle. */
static void set_attach(struct usbpass_slot *slot, struct usbpass_attach *attach)
{
	struct usbpass_attach *old;

	if (attach)
		usbpass_attach_get(attach);
	spin_lock(&usbpass_registry_lock);
	old = slot->attach;
	slot->attach = attach;
	if (attach)
		strscpy(slot->name, attach->name, sizeof(slot->name));
	spin_unlock(&usbpass_registry_lock);
	if (old)
		usbpass_attach_put(old);
}

int usbpass_slot_publish(struct usbpass_slot *slot, struct usbpass_attach *attach)
{
	int err = dev_set_name(&slot->dev, "slot%u", slot->minor);

	if (err)
		return err;
	set_attach(slot, attach);
	err = cdev_device_add(&slot->cdev, &slot->dev);
	if (err) {
		set_attach(slot, NULL);
		slot->failed = true;	/* the driver core takes nothing a second time */
		return err;
	}
	spin_lock(&usbpass_registry_lock);
	list_add_tail(&slot->link, &slots);
	spin_unlock(&usbpass_registry_lock);
	return 0;
}

void usbpass_slot_update(struct usbpass_slot *slot, struct usbpass_attach *attach)
{
	set_attach(slot, attach);
}

/* The open lease, referenced; NULL: none. */
static struct usbpass_lease *lease_of(struct usbpass_slot *slot)
{
	struct usbpass_lease *lease;

	spin_lock(&usbpass_registry_lock);
	lease = slot->lease ? usbpass_lease_get(slot->lease) : NULL;
	spin_unlock(&usbpass_registry_lock);
	return lease;
}

void usbpass_slot_revoke(struct usbpass_slot *slot, const char *why)
{
	struct usbpass_lease *lease = lease_of(slot);

	if (!lease)
		return;
	usbpass_lease_revoke(lease, why);
	usbpass_lease_put(lease);
}

void usbpass_slot_retire(struct usbpass_slot *slot)
{
	bool published;

	spin_lock(&usbpass_registry_lock);
	published = !list_empty(&slot->link);
	slot->retired = true;
	list_del_init(&slot->link);
	spin_unlock(&usbpass_registry_lock);
	usbpass_slot_revoke(slot, "its attachment is gone");
	if (published)
		cdev_device_del(&slot->cdev, &slot->dev);
	set_attach(slot, NULL);
}

struct usbpass_lease *usbpass_slot_next_lease(u32 *minor)
{
	struct usbpass_slot *slot, *found = NULL;
	struct usbpass_lease *lease = NULL;

	spin_lock(&usbpass_registry_lock);
	list_for_each_entry(slot, &slots, link)
		if (slot->lease && slot->minor >= *minor &&
		    (!found || slot->minor < found->minor))
			found = slot;
	if (found) {
		*minor = found->minor + 1;
		lease = usbpass_lease_get(found->lease);
	}
	spin_unlock(&usbpass_registry_lock);
	return lease;
}

bool usbpass_slot_leased(struct usbpass_slot *slot)
{
	bool leased;

	spin_lock(&usbpass_registry_lock);
	leased = slot->lease;
	spin_unlock(&usbpass_registry_lock);
	return leased;
}

void usbpass_slot_name(struct usbpass_slot *slot, char *name)
{
	spin_lock(&usbpass_registry_lock);
	strscpy(name, slot->name, USBPASS_NAME_MAX + 1);
	spin_unlock(&usbpass_registry_lock);
}

static void leased_status(struct usbpass_lease *lease, struct usbpass_slot_status *status)
{
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	switch (lease->state) {
	case USBPASS_LEASE_RETURNING:
		status->state = USBPASS_SLOT_RETURNING;
		status->reason = "the device is away, for a moment";
		break;
	case USBPASS_LEASE_GONE:
		status->state = USBPASS_SLOT_GONE;
		status->reason = "the leased device is gone";
		status->remedy = "detach it from the VM and attach it again";
		break;
	default:
		status->state = USBPASS_SLOT_ONLINE;
	}
	status->device_id = lease->device ? lease->device->facts->id : 0;
	status->pid = lease->pid;
	status->uid = lease->uid;
	strscpy(status->comm, lease->comm, sizeof(status->comm));
	status->urbs = lease->urbs;
	status->bytes = lease->bytes;
	status->resets = lease->resets;
	spin_unlock_irqrestore(&lease->lock, flags);
}

static void free_status(const struct usbpass_attach *attach, struct usbpass_slot_status *status)
{
	struct usbpass_pool pool;

	usbpass_pool_survey(attach, &pool);
	if (pool.disabled) {
		status->state = USBPASS_SLOT_OFFLINE;
		status->reason = "the attachment or its group is disabled";
		status->remedy = "enable it";
	} else if (usbpass_maintenance_is_on_locked()) {
		status->state = USBPASS_SLOT_OFFLINE;
		status->reason = "maintenance: nothing new is leased";
		status->remedy = "`usbpass maintenance off`";
	} else if (pool.free) {
		status->state = USBPASS_SLOT_IDLE;
	} else if (pool.cleaning) {
		status->state = USBPASS_SLOT_CLEANING;
	} else if (pool.pending) {
		status->state = USBPASS_SLOT_PENDING;
		status->reason = "the host uses the device";
		status->remedy = "see `usbpass status`";
	} else if (pool.failed) {
		status->state = USBPASS_SLOT_ERROR;
		status->reason = pool.error;
		status->remedy = pool.remedy;
	} else {
		status->state = USBPASS_SLOT_MISSING;
		status->reason = pool.leased ? "all devices of the group are leased" :
				 "no device of the group is plugged in";
		status->remedy = pool.leased ? "add one, or close another attachment" :
				 "plug it in, or see `usbpass rule list`";
	}
}

static void status_locked(struct usbpass_slot *slot, struct usbpass_slot_status *status)
{
	memset(status, 0, sizeof(*status));
	if (slot->lease)
		leased_status(slot->lease, status);
	else if (slot->attach)
		free_status(slot->attach, status);
}

void usbpass_slot_status(struct usbpass_slot *slot, struct usbpass_slot_status *status)
{
	spin_lock(&usbpass_registry_lock);
	status_locked(slot, status);
	spin_unlock(&usbpass_registry_lock);
}

/* The state of @slot, if it is not what was told last. */
static bool news(struct usbpass_slot *slot, struct usbpass_event *ev)
{
	struct usbpass_slot_status status;

	lockdep_assert_held(&usbpass_registry_lock);
	status_locked(slot, &status);
	if (status.state == slot->told_state)
		return false;
	slot->told_state = status.state;
	memset(ev, 0, sizeof(*ev));
	ev->type = USBPASS_EVENT_SLOT_STATE;
	ev->owner = USBPASS_OWNER_HOST;
	ev->has_state = true;
	ev->state = status.state;
	ev->device_id = status.device_id;
	strscpy(ev->attach, slot->attach->name, sizeof(ev->attach));
	strscpy(ev->reason, status.reason ?: "", sizeof(ev->reason));
	return true;
}

static void tell_work_fn(struct work_struct *work)
{
	struct usbpass_slot *slot;
	struct usbpass_event ev;

	spin_lock(&usbpass_registry_lock);
	list_for_each_entry(slot, &slots, link)
		if (news(slot, &ev))
			usbpass_event_emit(&ev);
	spin_unlock(&usbpass_registry_lock);
}

static DECLARE_WORK(tell_work, tell_work_fn);

void usbpass_slot_refresh(void)
{
	atomic_inc(&changes);
	wake_up_interruptible_all(&change_wait);
	schedule_work(&tell_work);
}

unsigned int usbpass_slot_changes(void)
{
	return atomic_read(&changes);
}

int usbpass_slot_wait_change(unsigned int seen, long jiffies)
{
	long left = wait_event_interruptible_timeout(change_wait,
						     usbpass_slot_changes() != seen, jiffies);

	return left < 0 ? -EINTR : 0;
}

int usbpass_slot_init(void)
{
	int err = alloc_chrdev_region(&first, 0, USBPASS_SLOTS_MAX, "usbpass");

	if (err)
		return err;
	class = usbpass_class_create("usbpass");
	if (IS_ERR(class)) {
		unregister_chrdev_region(first, USBPASS_SLOTS_MAX);
		return PTR_ERR(class);
	}
	return 0;
}

void usbpass_slot_exit(void)
{
	cancel_work_sync(&tell_work);
	class_destroy(class);
	unregister_chrdev_region(first, USBPASS_SLOTS_MAX);
	ida_destroy(&minors);
}
