// SPDX-License-Identifier: GPL-2.0
#include "config.h"
#include "device.h"
#include "facts.h"
#include "lease.h"
#include "revoke.h"
#include "slot.h"

#define UNRULED	"no rule claims its device into the group any more"

static bool is_ruled(struct usbpass_lease *lease)
{
	struct usbpass_attach *attach = usbpass_config_attach(lease->attach_id);
	struct usbpass_verdict verdict;
	struct usbpass_facts *facts;
	bool ruled;

	/* Its attachment went: that has revoked it, or will. */
	if (!attach)
		return true;
	spin_lock(&usbpass_registry_lock);
	facts = usbpass_facts_get(lease->facts);
	spin_unlock(&usbpass_registry_lock);
	usbpass_config_decide(facts, &verdict, false);
	ruled = verdict.action == USBPASS_ACTION_CLAIM && verdict.group_id == attach->group_id;
	usbpass_facts_put(facts);
	usbpass_attach_put(attach);
	return ruled;
}

void usbpass_revoke_unruled(u64 since)
{
	struct usbpass_lease *lease;
	u32 minor = 0;

	while ((lease = usbpass_slot_next_lease(&minor))) {
		if (lease->generation >= since && !is_ruled(lease))
			usbpass_lease_revoke(lease, UNRULED);
		usbpass_lease_put(lease);
	}
}
