// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include "budget.h"
#include "device.h"
#include "param.h"

#define WINDOW_NS	(60ULL * NSEC_PER_SEC)

bool usbpass_budget_spend(struct usbpass_budget *budget, bool *silent)
{
	unsigned int limit = usbpass_param_reset_budget();
	u64 now = ktime_get_boottime_ns();
	bool fits;

	lockdep_assert_held(&usbpass_registry_lock);
	if (now - budget->window_ns > WINDOW_NS) {
		budget->window_ns = now;
		budget->count = 0;
	}
	fits = budget->count < limit;
	*silent = budget->count > limit;
	if (!*silent)
		budget->count++;
	return fits;
}
