// SPDX-License-Identifier: GPL-2.0
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "config.h"
#include "device.h"
#include "lease.h"
#include "radius.h"
#include "usbcore.h"

/* Room for what is plugged in between counting and collecting. */
#define SPARE	8

/*
 * @dev is in the table: then its parent is there, as a hub's children leave the
 * bus before it does.
 */
static bool is_below(const struct usbpass_device *dev, const struct usb_device *hub)
{
	const struct usb_device *udev = dev->udev;

	while ((udev = udev->parent))
		if (udev == hub)
			return true;
	return false;
}

/* Both speed halves of a socket have one name. */
static bool is_at_or_below(const char *socket, const char *at)
{
	size_t len = strlen(at);

	return !strncmp(socket, at, len) && (!socket[len] || socket[len] == '.');
}

static bool hits(const struct usbpass_radius *radius, const struct usbpass_device *dev)
{
	if (dev == radius->dev)
		return true;
	switch (radius->kind) {
	case USBPASS_RESET_KIND_PORT:
		return is_at_or_below(dev->facts->socket, radius->dev->facts->socket);
	case USBPASS_RESET_KIND_HUB:
		return is_below(dev, radius->hub);
	default:
		return false;
	}
}

/* A walk of the table. */
struct walk {
	struct usbpass_radius *radius;
	u32 room, found;
	bool present;		/* the device that it is about */
};

static bool collect(struct usbpass_device *dev, void *data)
{
	struct walk *walk = data;
	struct usbpass_radius *radius = walk->radius;

	if (dev == radius->dev) {
		walk->present = true;
		return true;
	}
	if (!hits(radius, dev))
		return true;
	if (walk->found < walk->room)
		radius->hits[walk->found].dev = usbpass_device_get(dev);	/* free() */
	walk->found++;
	return true;
}

static bool find_hub(struct usbpass_device *dev, void *data)
{
	struct usbpass_radius *radius = data;

	if (dev == radius->dev)
		radius->hub = usb_get_dev(dev->udev->parent);	/* free() */
	return true;
}

/* Fills @hits, behind the device itself. -EAGAIN: more were found than there is room for. */
static int collect_all(struct usbpass_radius *radius, u32 room)
{
	struct walk walk = { .radius = radius, .room = room, .found = 1 };

	radius->hits[0].dev = usbpass_device_get(radius->dev);	/* free() */
	spin_lock(&usbpass_registry_lock);
	usbpass_device_each_locked(collect, &walk);
	spin_unlock(&usbpass_registry_lock);
	radius->nr = min(walk.found, room);
	if (!walk.present)
		return -ENODEV;
	return walk.found > room ? -EAGAIN : 0;
}

static void drop_hits(struct usbpass_radius *radius)
{
	u32 i;

	for (i = 0; i < radius->nr; i++)
		usbpass_device_put(radius->hits[i].dev);
	kvfree(radius->hits);
	radius->hits = NULL;
	radius->nr = 0;
}

static bool is_same_vm(u32 a, u32 b)
{
	struct usbpass_attach *x = usbpass_config_attach(a), *y = usbpass_config_attach(b);
	bool same = x && y && x->vm && *x->vm && y->vm && !strcmp(x->vm, y->vm);

	if (x)
		usbpass_attach_put(x);
	if (y)
		usbpass_attach_put(y);
	return same;
}

/* Who names a device knows what a reset does to it; more takes it away from its driver. */
static bool is_meant(const struct usbpass_radius *radius, const struct usbpass_hit *hit)
{
	return hit->dev == radius->dev &&
	       (hit->attach_id || radius->kind <= USBPASS_RESET_KIND_DEVICE);
}

/*
 * A host driver that binds between this and the reset loses its device as by an
 * unplug, and gets it again.
 */
static void judge(const struct usbpass_radius *radius, struct usbpass_hit *hit)
{
	struct usbpass_device *dev = hit->dev;
	bool claimed;

	spin_lock(&usbpass_registry_lock);
	claimed = dev->claimed;
	hit->attach_id = dev->lease ? dev->lease->attach_id : 0;
	spin_unlock(&usbpass_registry_lock);

	if (dev->facts->hub || is_meant(radius, hit))
		return;		/* what is below a hub counts, not the hub */
	if (!claimed && usbpass_usbcore_may_have_driver(dev->udev))
		hit->in_the_way = USBPASS_IN_THE_WAY_HOST;
	else if (hit->attach_id && hit->attach_id != radius->attach_id &&
		 !is_same_vm(hit->attach_id, radius->attach_id))
		hit->in_the_way = USBPASS_IN_THE_WAY_LEASE;
}

int usbpass_radius_survey(struct usbpass_radius *radius, struct usbpass_device *dev, u8 kind,
			  u32 attach_id)
{
	u32 present, claimed, leased, room, i;
	int err;

	memset(radius, 0, sizeof(*radius));
	radius->dev = dev;
	radius->kind = kind;
	radius->attach_id = attach_id;
	spin_lock(&usbpass_registry_lock);
	usbpass_device_each_locked(find_hub, radius);
	spin_unlock(&usbpass_registry_lock);
	if (!radius->hub)
		return -ENODEV;
	if (kind == USBPASS_RESET_KIND_HUB && !radius->hub->parent) {
		usbpass_radius_free(radius);
		return -EOPNOTSUPP;
	}
	do {
		drop_hits(radius);
		usbpass_device_count(&present, &claimed, &leased);
		room = present + SPARE;
		radius->hits = kvcalloc(room, sizeof(*radius->hits), GFP_KERNEL);
		err = radius->hits ? collect_all(radius, room) : -ENOMEM;
	} while (err == -EAGAIN);
	if (err) {
		usbpass_radius_free(radius);
		return err;
	}
	/* The device itself comes first: the administrator stands for who leases it. */
	for (i = 0; i < radius->nr; i++) {
		judge(radius, &radius->hits[i]);
		if (!i && !radius->attach_id)
			radius->attach_id = radius->hits[0].attach_id;
	}
	return 0;
}

int usbpass_radius_survey_told(struct usbpass_radius *radius, struct usbpass_device *dev, u8 kind,
			       struct netlink_ext_ack *extack)
{
	int err;

	if (dev->facts->hub) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: this is a hub; name a device that is plugged into it");
		return -EOPNOTSUPP;
	}
	err = usbpass_radius_survey(radius, dev, kind, 0);
	if (err == -EOPNOTSUPP)
		NL_SET_ERR_MSG(extack,
			       "usbpass: the device is plugged into a root hub, which has no reset");
	else if (err == -ENODEV)
		NL_SET_ERR_MSG(extack, "usbpass: the device was unplugged meanwhile");
	else if (err)
		NL_SET_ERR_MSG(extack, "usbpass: no memory");
	return err;
}

void usbpass_radius_free(struct usbpass_radius *radius)
{
	drop_hits(radius);
	usb_put_dev(radius->hub);
	radius->hub = NULL;
}

const struct usbpass_hit *usbpass_radius_barred(const struct usbpass_radius *radius)
{
	u32 i;

	for (i = 0; i < radius->nr; i++)
		if (radius->hits[i].in_the_way)
			return &radius->hits[i];
	return NULL;
}

static bool is_listed(const struct usbpass_radius *radius, const struct usbpass_device *dev)
{
	u32 i;

	for (i = 0; i < radius->nr; i++)
		if (radius->hits[i].dev == dev)
			return true;
	return false;
}

static bool find_new(struct usbpass_device *dev, void *data)
{
	struct walk *walk = data;

	walk->found += hits(walk->radius, dev) && !is_listed(walk->radius, dev);
	return true;
}

static int check_marks(struct usbpass_radius *radius)
{
	struct walk walk = { .radius = radius };
	u32 i;

	lockdep_assert_held(&usbpass_registry_lock);
	usbpass_device_each_locked(find_new, &walk);
	if (walk.found)
		return -EAGAIN;
	for (i = 0; i < radius->nr; i++) {
		struct usbpass_device *dev = radius->hits[i].dev;
		u32 attach_id = dev->lease ? dev->lease->attach_id : 0;

		if (dev->resetting)
			return -EBUSY;
		if (attach_id && attach_id != radius->hits[i].attach_id)
			return -EAGAIN;
	}
	return 0;
}

int usbpass_radius_mark(struct usbpass_radius *radius)
{
	int err;
	u32 i;

	spin_lock(&usbpass_registry_lock);
	err = check_marks(radius);
	for (i = 0; !err && i < radius->nr; i++)
		radius->hits[i].dev->resetting = true;
	spin_unlock(&usbpass_registry_lock);
	return err;
}

void usbpass_radius_unmark(struct usbpass_radius *radius)
{
	u32 i;

	spin_lock(&usbpass_registry_lock);
	for (i = 0; i < radius->nr; i++)
		radius->hits[i].dev->resetting = false;
	spin_unlock(&usbpass_registry_lock);
}
