// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) "usbpass: " fmt

#include <linux/module.h>
#include <linux/usb.h>
#include "claim.h"
#include "compat.h"
#include "config.h"
#include "confirm.h"
#include "device.h"
#include "guard.h"
#include "hold.h"
#include "intf.h"
#include "lease.h"
#include "maintenance.h"
#include "param.h"
#include "reconcile.h"
#include "settings.h"
#include "slot.h"
#include "trace.h"
#include "usbcore.h"
#include "window.h"

/*
 * How a device is taken before any host driver sees it:
 *
 *   ADD notifier     its facts go into the table; nothing has probed it
 *   .match           asks the ruleset; the generic driver yields to a yes
 *   BIND notifier    device and hub are locked: the port becomes ours, so that
 *                    no interface driver is ever probed
 *   generic probe    finds an owned port: configuration 0
 *   .probe           it is claimed and idle
 */

static struct workqueue_struct *settle_wq;
static bool started;	/* the table knows all devices, and wants some */

/* Whatever the rules say: it is in use, its lease waits for it, a guard or a window is open. */
static bool is_kept(const struct usbpass_device *dev)
{
	return dev->lease || dev->cleaning || dev->guarded || dev->deferred ||
	       usbpass_window_expects_locked(dev->facts);
}

/*
 * `claim` and maintenance are about what is not ours yet. Quarantine denies a
 * device to all, and so goes on in maintenance; it never asks for what was the
 * host's.
 */
static bool is_ruled(const struct usbpass_device *dev)
{
	switch (dev->verdict.action) {
	case USBPASS_ACTION_CLAIM:
		return dev->claimed || ((dev->asked || !dev->present) && usbpass_param_claim() &&
					!usbpass_maintenance_is_on_locked());
	case USBPASS_ACTION_QUARANTINE:
		return dev->claimed || (!dev->present && usbpass_param_claim());
	default:
		return !dev->present && usbpass_hold_applies(dev->facts);
	}
}

bool usbpass_claim_wants(struct usbpass_device *dev)
{
	struct usbpass_verdict verdict;
	bool wants, deferred;

	rcu_read_lock();
	usbpass_config_decide(dev->facts, &verdict, false);
	deferred = verdict.action != USBPASS_ACTION_CLAIM &&
		   verdict.action != USBPASS_ACTION_QUARANTINE &&
		   usbpass_confirm_defers(dev->facts);
	rcu_read_unlock();
	spin_lock(&usbpass_registry_lock);
	dev->verdict = verdict;
	dev->deferred = deferred && dev->claimed;
	wants = READ_ONCE(started) && !dev->released && !dev->facts->hub &&
		(is_kept(dev) || is_ruled(dev));
	spin_unlock(&usbpass_registry_lock);
	return wants;
}

static bool match(struct usb_device *udev)
{
	struct usbpass_device *dev;
	bool wanted;

	if (!READ_ONCE(started) || !udev->parent)
		return false;
	dev = usbpass_device_by_udev(udev);
	/*
	 * Its facts found no memory: nobody can say whose it is. Take it, and
	 * let .probe refuse: it stays without a driver. Hubs go on.
	 */
	if (!dev)
		return !usbpass_usbcore_is_hub(udev);
	wanted = usbpass_claim_wants(dev);
	usbpass_device_put(dev);
	return wanted;
}

/* Never -ENODEV: the core would hand the device to the generic driver for good. */
static int probe(struct usb_device *udev)
{
	struct usbpass_device *dev = usbpass_device_by_udev(udev);

	if (!dev) {
		dev_err_ratelimited(&udev->dev, "usbpass: no memory for its facts; replug it\n");
		return -EBUSY;
	}
	if (!dev->port_owned) {
		usbpass_device_fail(dev, "its port is owned through usbfs",
				    "end that program, then `device claim`");
		usbpass_device_put(dev);
		return -EBUSY;
	}
	spin_lock(&usbpass_registry_lock);
	dev->claimed = true;
	dev->passed = false;
	/* The core chose configuration 0, and some device has one of that value. */
	if (udev->actconfig)
		dev->cleaning = true;
	dev->error = NULL;
	dev->timeouts = 0;
	dev->pending_reason[0] = '\0';
	spin_unlock(&usbpass_registry_lock);
	trace_usbpass_claim(dev->facts->id, true);
	usbpass_claim_settle(dev);
	return 0;	/* the reference is the binding's; disconnect() drops it */
}

static void disconnect(struct usb_device *udev)
{
	struct usbpass_device *dev = usbpass_device_by_udev(udev);
	struct usbpass_lease *lease;

	spin_lock(&usbpass_registry_lock);
	dev->claimed = false;
	dev->error = NULL;
	lease = dev->lease ? usbpass_lease_get(dev->lease) : NULL;
	spin_unlock(&usbpass_registry_lock);

	trace_usbpass_claim(dev->facts->id, false);
	if (lease) {
		usbpass_window_lost(lease, dev);
		usbpass_lease_put(lease);
	}
	usbpass_device_notify(dev);
	usbpass_slot_refresh();
	usbpass_device_put(dev);	/* by_udev()'s */
	usbpass_device_put(dev);	/* the binding's */
}

static struct usb_device_driver device_driver = {
	.name = "usbpass",
	.match = match,
	.probe = probe,
	.disconnect = disconnect,
	.generic_subclass = 1,	/* suspend, resume and usbfs's pollers: the generic driver's */
	.supports_autosuspend = 0,
};

static void own_port(struct usb_device *udev)
{
	struct usbpass_device *dev = usbpass_device_by_udev(udev);

	if (!dev)
		return;
	if (!dev->port_owned &&
	    !usbpass_usbcore_own_port(udev->parent, udev->portnum, dev)) {
		dev->port_owned = true;
		dev->hub = usb_get_dev(udev->parent);	/* disown_port() puts it */
	}
	usbpass_device_put(dev);
}

static void disown_port(struct usb_device *udev)
{
	struct usbpass_device *dev = usbpass_device_by_udev(udev);

	if (!dev)
		return;
	if (dev->port_owned) {
		usbpass_usbcore_disown_port(dev->hub, udev->portnum, dev);
		dev->port_owned = false;
		usb_put_dev(dev->hub);
		dev->hub = NULL;
	}
	usbpass_device_put(dev);
}

static void note_host_has(struct usb_device *udev)
{
	struct usbpass_device *dev = usbpass_device_by_udev(udev);

	if (!dev)
		return;
	spin_lock(&usbpass_registry_lock);
	if (!dev->present)
		dev->passed = dev->verdict.action == USBPASS_ACTION_CLAIM && !dev->released;
	dev->present = true;
	spin_unlock(&usbpass_registry_lock);
	usbpass_device_notify(dev);
	usbpass_device_put(dev);
}

/* Registered under the device lock, which its configuration is set with. */
static void bar_interface(struct usb_interface *intf)
{
	struct usb_device *udev = interface_to_usbdev(intf);
	struct usbpass_device *dev;

	if (udev->dev.driver != usbpass_core_driver(&device_driver))
		return;
	dev = usbpass_device_by_udev(udev);
	if (!dev)
		return;	/* probe() has refused it: no configuration is set */
	usbpass_intf_bar(dev, intf);
	usbpass_device_put(dev);
}

static int notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;
	struct usb_device *udev = usbpass_usbcore_device(dev);
	struct usb_interface *intf = usbpass_usbcore_interface(dev);
	bool ours = dev->driver == usbpass_core_driver(&device_driver);

	if (intf && action == BUS_NOTIFY_ADD_DEVICE)
		bar_interface(intf);
	if (!udev)
		return NOTIFY_DONE;
	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		usbpass_device_add(udev);	/* no memory: match() knows */
		break;
	case BUS_NOTIFY_REMOVED_DEVICE:
		usbpass_device_remove(udev);
		break;
	case BUS_NOTIFY_BIND_DRIVER:
		if (ours)
			own_port(udev);
		break;
	case BUS_NOTIFY_BOUND_DRIVER:
		if (!ours)
			note_host_has(udev);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
		disown_port(udev);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = notify };

/* A device that leaves meanwhile is either seen by the notifier too, or skipped. */
static int add_present(struct usb_device *udev, void *data)
{
	int err = 0;

	usb_lock_device(udev);
	if (udev->parent && udev->state != USB_STATE_NOTATTACHED)
		err = usbpass_device_add(udev);
	usb_unlock_device(udev);
	return err;
}

int usbpass_claim_init(void)
{
	int err;

	settle_wq = alloc_workqueue("usbpass_settle", WQ_UNBOUND, 0);
	if (!settle_wq)
		return -ENOMEM;
	err = usbpass_usbcore_register_notifier(&notifier);
	if (err)
		goto err_destroy_wq;
	/* match() says no until started: what is present stays the host's. */
	err = usb_register_device_driver(&device_driver, THIS_MODULE);
	if (err)
		goto err_unregister_notifier;
	err = usb_for_each_dev(NULL, add_present);
	if (err)
		goto err_deregister;
	WRITE_ONCE(started, true);
	return 0;

err_deregister:
	usb_deregister_device_driver(&device_driver);
err_unregister_notifier:
	usbpass_usbcore_unregister_notifier(&notifier);
err_destroy_wq:
	destroy_workqueue(settle_wq);
	usbpass_device_exit();
	return err;
}

void usbpass_claim_exit(void)
{
	struct usbpass_device *dev;
	u32 id = 0;

	WRITE_ONCE(started, false);
	usb_deregister_device_driver(&device_driver);
	/* Nothing binds the generic driver by itself where ours was. */
	while ((dev = usbpass_device_next(id))) {
		id = dev->facts->id;
		if (!dev->udev->dev.driver)
			usbpass_usbcore_reprobe(dev->udev);
		usbpass_device_put(dev);
	}
	usbpass_usbcore_unregister_notifier(&notifier);
	destroy_workqueue(settle_wq);	/* drains: a work holds a reference */
	usbpass_device_exit();
}

/* A refused claim leaves it without a driver; one whose probe is under way has ours already. */
static bool is_hosts(const struct usbpass_device *dev)
{
	const struct device_driver *driver = READ_ONCE(dev->udev->dev.driver);

	return driver && driver != usbpass_core_driver(&device_driver);
}

int usbpass_claim_apply(struct usbpass_device *dev)
{
	bool want = usbpass_claim_wants(dev);
	bool claimed;
	int err;

	spin_lock(&usbpass_registry_lock);
	claimed = dev->claimed;
	/* A hub's guard is for what is below it. */
	if (!want && !dev->facts->hub) {
		dev->asked = false;
		dev->guarded = false;
	}
	spin_unlock(&usbpass_registry_lock);
	if (want == claimed && (want || is_hosts(dev)))
		return 0;

	err = usbpass_usbcore_reprobe(dev->udev);
	if (err < 0)
		return err;
	spin_lock(&usbpass_registry_lock);
	if (dev->udev->state == USB_STATE_NOTATTACHED)
		err = -ENODEV;	/* also where nothing was left to do */
	else
		err = dev->claimed == want ? 0 : dev->error ? -EBUSY : -EIO;
	spin_unlock(&usbpass_registry_lock);
	return err;
}

static void clean(struct usbpass_device *dev)
{
	bool claimed;
	int err = 0;

	usb_lock_device(dev->udev);
	spin_lock(&usbpass_registry_lock);
	claimed = dev->claimed;
	spin_unlock(&usbpass_registry_lock);
	if (claimed)
		err = usbpass_settings_configure_device(dev, 0);
	usb_unlock_device(dev->udev);

	if (err && err != -ENODEV)
		usbpass_device_fail(dev, "does not take configuration 0",
				    "replug it, or `device release` it");
	spin_lock(&usbpass_registry_lock);
	dev->cleaning = false;
	spin_unlock(&usbpass_registry_lock);
	if (!usbpass_claim_wants(dev))
		usbpass_reconcile_kick(false);
}

/* An interface of a lease that root took through usbfs. */
static void regain(struct usbpass_device *dev)
{
	bool leased;

	usb_lock_device(dev->udev);
	spin_lock(&usbpass_registry_lock);
	leased = dev->claimed && dev->lease;
	spin_unlock(&usbpass_registry_lock);
	/* If it is held still, the next transfer asks again. */
	if (leased)
		usbpass_intf_claim_all(dev);
	usb_unlock_device(dev->udev);
}

void usbpass_claim_settle_work(struct work_struct *work)
{
	struct usbpass_device *dev = container_of(work, struct usbpass_device, settle_work);
	bool cleaning;

	spin_lock(&usbpass_registry_lock);
	cleaning = dev->cleaning;
	spin_unlock(&usbpass_registry_lock);
	if (cleaning)
		clean(dev);
	usbpass_window_offer(dev);
	regain(dev);
	usbpass_device_notify(dev);
	usbpass_slot_refresh();
	usbpass_device_put(dev);	/* usbpass_claim_settle()'s */
}

void usbpass_claim_settle(struct usbpass_device *dev)
{
	usbpass_device_get(dev);	/* usbpass_claim_settle_work() puts it */
	if (!queue_work(settle_wq, &dev->settle_work))
		usbpass_device_put(dev);
}
