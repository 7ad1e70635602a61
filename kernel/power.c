// SPDX-License-Identifier: GPL-2.0
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include "device.h"
#include "event.h"
#include "power.h"
#include "usbcore.h"

/* On the stack of who waits for it. */
struct cycle {
	struct list_head link;
	u32 job;
	int result;
	struct completion done;
};

static LIST_HEAD(cycles);
static bool closing;		/* the module goes */
static DEFINE_SPINLOCK(lock);	/* protects all of it, and the results */

bool usbpass_power_available(void)
{
	return usbpass_event_has_power();
}

int usbpass_power_cycle(struct usbpass_device *dev, struct usb_device *hub, u32 job)
{
	struct usbpass_event ev = {
		.type = USBPASS_EVENT_POWER_CYCLE,
		.owner = USBPASS_OWNER_HOST,
		.job = job,
	};
	struct cycle cycle = { .job = job, .result = -ETIMEDOUT };
	int err;

	if (!usbpass_power_available())
		return -EOPNOTSUPP;
	err = usbpass_usbcore_port_path(dev->udev, hub, ev.port, sizeof(ev.port));
	if (err)
		return err;
	init_completion(&cycle.done);
	spin_lock(&lock);
	if (closing)
		complete(&cycle.done);
	list_add(&cycle.link, &cycles);
	spin_unlock(&lock);
	usbpass_device_describe(dev, &ev);
	usbpass_event_emit(&ev);
	wait_for_completion_timeout(&cycle.done, USBPASS_POWER_SECS * HZ);
	spin_lock(&lock);
	list_del(&cycle.link);
	spin_unlock(&lock);
	return cycle.result;
}

static void end_all(void)
{
	struct cycle *cycle;

	lockdep_assert_held(&lock);
	list_for_each_entry(cycle, &cycles, link)
		complete(&cycle->done);
}

void usbpass_power_forsaken(void)
{
	bool any;

	spin_lock(&lock);
	any = !list_empty(&cycles);
	spin_unlock(&lock);
	/* Of all the machine's sockets that close few come this far. */
	if (!any || usbpass_power_available())
		return;
	spin_lock(&lock);
	end_all();
	spin_unlock(&lock);
}

void usbpass_power_exit(void)
{
	spin_lock(&lock);
	closing = true;
	end_all();
	spin_unlock(&lock);
}

int usbpass_power_done(struct net *net, u32 portid, u32 job, int result)
{
	struct cycle *cycle;
	int err = -ENOENT;

	if (!usbpass_event_is_power(net, portid))
		return -EPERM;
	spin_lock(&lock);
	list_for_each_entry(cycle, &cycles, link) {
		if (cycle->job == job) {
			cycle->result = result;
			complete(&cycle->done);
			err = 0;
		}
	}
	spin_unlock(&lock);
	return err;
}
