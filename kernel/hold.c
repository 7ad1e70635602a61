// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/workqueue.h>
#include "config.h"
#include "facts.h"
#include "hold.h"
#include "param.h"
#include "reconcile.h"

static unsigned long until;	/* jiffies; set once at load */

static void end_work_fn(struct work_struct *work)
{
	usbpass_reconcile_kick(false);
}

static DECLARE_DELAYED_WORK(end_work, end_work_fn);

void usbpass_hold_init(void)
{
	unsigned long ticks = usbpass_param_hold_secs() * HZ;

	until = jiffies + ticks;
	if (ticks)
		schedule_delayed_work(&end_work, ticks);
}

void usbpass_hold_exit(void)
{
	cancel_delayed_work_sync(&end_work);
}

u32 usbpass_hold_left_ms(void)
{
	unsigned long now = jiffies;

	if (usbpass_config_generation() || time_after_eq(now, until))
		return 0;
	return jiffies_to_msecs(until - now);
}

bool usbpass_hold_applies(const struct usbpass_facts *facts)
{
	return !facts->hub && !facts->boot_keyboard && !facts->storage && usbpass_hold_left_ms();
}
