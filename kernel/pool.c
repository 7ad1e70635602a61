// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include "config.h"
#include "device.h"
#include "lease.h"
#include "pool.h"
#include "slot.h"
#include "window.h"

struct survey {
	const struct usbpass_attach *attach;
	struct usbpass_pool *pool;
};

/* What a slot that follows its socket takes, whatever identity it is pinned to. */
static bool follows(const struct usbpass_attach *attach, const struct usbpass_facts *facts)
{
	return attach->follow == USBPASS_FOLLOW_SOCKET &&
	       !strcmp(attach->slot->home, facts->socket);
}

static bool look(struct usbpass_device *dev, void *data)
{
	struct survey *survey = data;
	struct usbpass_pool *pool = survey->pool;

	if (dev->verdict.action != USBPASS_ACTION_CLAIM ||
	    dev->verdict.group_id != survey->attach->group_id ||
	    (!usbpass_pin_matches(&survey->attach->pin, dev->facts) &&
	     !follows(survey->attach, dev->facts)))
		return true;

	if (dev->lease) {
		pool->leased++;
	} else if (dev->error) {
		pool->failed++;
		pool->error = dev->error;
		pool->remedy = dev->remedy;
	} else if (!dev->claimed) {
		pool->pending += !dev->released;
	} else if (dev->resetting) {
		pool->resetting++;
	} else if (dev->cleaning || usbpass_window_expects_locked(dev->facts)) {
		pool->cleaning++;	/* or promised to a lease that waits for it */
	} else if (dev->udev->authorized && !pool->free) {
		pool->free = dev;
	}
	return true;
}

void usbpass_pool_survey(const struct usbpass_attach *attach, struct usbpass_pool *pool)
{
	struct survey survey = { .attach = attach, .pool = pool };
	struct usbpass_group *group = usbpass_config_group(attach->group_id);

	lockdep_assert_held(&usbpass_registry_lock);
	memset(pool, 0, sizeof(*pool));
	pool->disabled = !attach->enabled || !group || !group->enabled;
	if (group)
		usbpass_group_put(group);
	usbpass_device_each_locked(look, &survey);
}
