// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) "usbpass: " fmt

#include <linux/jiffies.h>
#include <linux/netlink.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "commit.h"
#include "config.h"
#include "config_priv.h"
#include "event.h"
#include "slot.h"

#define AGAIN	(HZ / 4)	/* until a node that could not be made is tried again */

static void nodes_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(nodes_work, nodes_work_fn);

static struct usbpass_attach *attach_by_id(const struct usbpass_config *config, u32 id)
{
	u32 i;

	for (i = 0; i < config->nr_attaches; i++)
		if (config->attaches[i]->id == id)
			return config->attaches[i];
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && !strcmp(a, b));
}

/* Does @new promise its consumer another device than @old did? */
static bool moved(const struct usbpass_attach *old, const struct usbpass_attach *new)
{
	return old->group_id != new->group_id || old->pin.has_vendor != new->pin.has_vendor ||
	       old->pin.has_product != new->pin.has_product ||
	       old->pin.vendor != new->pin.vendor || old->pin.product != new->pin.product ||
	       !same_text(old->pin.serial, new->pin.serial) ||
	       !same_text(old->pin.socket, new->pin.socket);
}

/* A slot of the configuration in force that the next one has not, or has for something else. */
static bool leaves(const struct usbpass_config *next, const struct usbpass_attach *old,
		   bool *retire)
{
	const struct usbpass_attach *new = attach_by_id(next, old->id);

	*retire = !new || new->slot != old->slot;
	return *retire || moved(old, new);
}

bool usbpass_commit_retires(const struct usbpass_config *next,
			    const struct usbpass_attach *attach)
{
	bool retire;

	leaves(next, attach, &retire);
	return retire;
}

int usbpass_commit_check(const struct usbpass_config *next, u32 flags,
			 struct netlink_ext_ack *extack)
{
	const struct usbpass_config *now = usbpass_config_current();
	bool retire;
	u32 i;

	for (i = 0; i < now->nr_attaches; i++) {
		if (!leaves(next, now->attaches[i], &retire) ||
		    !usbpass_slot_leased(now->attaches[i]->slot) || flags & USBPASS_F_REVOKE)
			continue;
		NL_SET_ERR_MSG(extack,
			       "usbpass: the attachment's lease is open; close it, or revoke (--revoke)");
		return -EBUSY;
	}
	return 0;
}

/* Slots for the attachments that have none, or none that can have a node. */
static int alloc_slots(struct usbpass_config *next, struct netlink_ext_ack *extack)
{
	u32 i;

	for (i = 0; i < next->nr_attaches; i++) {
		struct usbpass_attach *attach = next->attaches[i];
		struct usbpass_slot *slot;

		if (attach->slot && !attach->slot->failed)
			continue;
		slot = usbpass_slot_alloc();
		if (IS_ERR(slot)) {
			NL_SET_ERR_MSG(extack, "usbpass: no slot is left, or no memory");
			return PTR_ERR(slot);
		}
		if (attach->slot) {
			usbpass_slot_retire(attach->slot);
			usbpass_slot_put(attach->slot);
		}
		attach->slot = slot;
	}
	return 0;
}

/* After a failure: attachments that were not in force have no slot again. */
static void free_slots(const struct usbpass_config *now, struct usbpass_config *next)
{
	u32 i;

	for (i = 0; i < next->nr_attaches; i++) {
		struct usbpass_attach *attach = next->attaches[i];
		const struct usbpass_attach *old = attach_by_id(now, attach->id);

		if (!attach->slot || (old && old->slot == attach->slot))
			continue;
		if (!list_empty(&attach->slot->link))
			usbpass_slot_retire(attach->slot);
		usbpass_slot_put(attach->slot);
		attach->slot = NULL;
	}
}

static bool path_is_taken(const struct usbpass_config *now, const char *slug)
{
	u32 i;

	for (i = 0; i < now->nr_attaches; i++)
		if (!strcmp(now->attaches[i]->slug, slug))
			return true;
	return false;
}

/*
 * Nodes of new slots, before the swap, as they may fail. Two nodes cannot have
 * one path: those whose path is taken still come after it.
 */
static int publish_early(const struct usbpass_config *now, struct usbpass_config *next,
			 struct netlink_ext_ack *extack)
{
	u32 i;
	int err;

	for (i = 0; i < next->nr_attaches; i++) {
		struct usbpass_attach *attach = next->attaches[i];

		if (!list_empty(&attach->slot->link) || path_is_taken(now, attach->slug))
			continue;
		err = usbpass_slot_publish(attach->slot, attach);
		if (err) {
			NL_SET_ERR_MSG(extack, "usbpass: the slot's node could not be made");
			return err;
		}
	}
	return 0;
}

/* All that have none. False: one could not be made. */
static bool publish_rest(struct usbpass_config *now)
{
	bool done = true;
	u32 i;

	for (i = 0; i < now->nr_attaches; i++) {
		struct usbpass_attach *attach = now->attaches[i];
		int err;

		if (!list_empty(&attach->slot->link))
			continue;
		err = attach->slot->failed ? -EAGAIN : usbpass_slot_publish(attach->slot, attach);
		if (!err)
			continue;
		pr_err_ratelimited("no node for slot %u: error %d; it is tried again\n",
				   attach->slot->minor, err);
		done = false;
	}
	return done;
}

static void nodes_work_fn(struct work_struct *work)
{
	struct usbpass_config *now;
	int err;

	usbpass_config_lock();
	now = usbpass_config_current();
	err = alloc_slots(now, NULL);
	/* Also if some got no slot: each does for itself. */
	if (!publish_rest(now) || err)
		queue_delayed_work(system_long_wq, &nodes_work, AGAIN);
	usbpass_config_unlock();
	usbpass_slot_refresh();
}

int usbpass_commit_prepare(struct usbpass_config *next, struct netlink_ext_ack *extack)
{
	const struct usbpass_config *now = usbpass_config_current();
	int err = alloc_slots(next, extack) ?: publish_early(now, next, extack);

	if (err)
		free_slots(now, next);
	return err;
}

/* What the old slots and new specifications ask for, once the next configuration is in force. */
static void settle(const struct usbpass_config *old, struct usbpass_config *now)
{
	bool retire;
	u32 i;

	for (i = 0; i < old->nr_attaches; i++) {
		if (!leaves(now, old->attaches[i], &retire))
			continue;
		if (retire)
			usbpass_slot_retire(old->attaches[i]->slot);
		else
			usbpass_slot_revoke(old->attaches[i]->slot,
					    "its attachment is for another device now");
	}
	if (!publish_rest(now))
		queue_delayed_work(system_long_wq, &nodes_work, AGAIN);
	for (i = 0; i < now->nr_attaches; i++)
		usbpass_slot_update(now->attaches[i]->slot, now->attaches[i]);
}

struct usbpass_config *usbpass_commit_swap(struct usbpass_config *next)
{
	struct usbpass_config *old = usbpass_config_install(next);

	settle(old, next);
	return old;
}

void usbpass_commit_tell(const char *reason, bool asked)
{
	struct usbpass_event ev = {
		.type = USBPASS_EVENT_COMMIT,
		.owner = USBPASS_OWNER_HOST,
		.generation = usbpass_config_current()->generation,
	};

	if (asked)
		usbpass_event_by_current(&ev);
	strscpy(ev.reason, reason ?: "", sizeof(ev.reason));
	usbpass_event_emit(&ev);
}

void usbpass_commit_exit(void)
{
	cancel_delayed_work_sync(&nodes_work);
}
