// SPDX-License-Identifier: GPL-2.0
#include <linux/spinlock.h>
#include "config.h"
#include "device.h"
#include "event.h"
#include "maintenance.h"
#include "reconcile.h"
#include "slot.h"

static bool on;		/* usbpass_registry_lock */

bool usbpass_maintenance_is_on_locked(void)
{
	lockdep_assert_held(&usbpass_registry_lock);
	return on;
}

bool usbpass_maintenance_is_on(void)
{
	bool is_on;

	spin_lock(&usbpass_registry_lock);
	is_on = on;
	spin_unlock(&usbpass_registry_lock);
	return is_on;
}

void usbpass_maintenance_set(bool wanted)
{
	struct usbpass_event ev = {
		.type = wanted ? USBPASS_EVENT_MAINTENANCE_ON : USBPASS_EVENT_MAINTENANCE_OFF,
		.owner = USBPASS_OWNER_HOST,
	};
	bool news;

	usbpass_event_by_current(&ev);
	spin_lock(&usbpass_registry_lock);
	news = on != wanted;
	on = wanted;
	if (news)
		usbpass_event_emit(&ev);	/* locked: in the order of what happened */
	spin_unlock(&usbpass_registry_lock);
	if (!news)
		return;
	usbpass_slot_refresh();
	if (!wanted)
		usbpass_reconcile_kick(false);
}
