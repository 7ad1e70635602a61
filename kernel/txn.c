// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) "usbpass: " fmt

#include <linux/jiffies.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "config.h"
#include "config_priv.h"
#include "event.h"
#include "reconcile.h"
#include "rule.h"
#include "slot.h"
#include "txn.h"

#define IDLE	(USBPASS_STAGE_IDLE_SECS * HZ)

static LIST_HEAD(stages);	/* of sockets; config_mutex */

static void idle_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(idle_work, idle_work_fn);

static int copy_config(struct usbpass_catalog *catalog, const struct usbpass_config *config)
{
	int err = usbpass_catalog_init(catalog, config->nr_groups + config->rules.nr +
				       2 * config->nr_attaches);
	u32 i;

	if (err)
		return err;
	for (i = 0; !err && i < config->nr_groups; i++) {
		kref_get(&config->groups[i]->kref);
		err = usbpass_catalog_add(catalog, USBPASS_GROUPS, config->groups[i]);
		if (err)
			usbpass_group_put(config->groups[i]);
	}
	for (i = 0; !err && i < config->rules.nr; i++) {
		usbpass_rule_get(config->rules.rules[i]);
		err = usbpass_catalog_add(catalog, USBPASS_RULES, config->rules.rules[i]);
		cond_resched();
		if (err)
			usbpass_rule_put(config->rules.rules[i]);
	}
	for (i = 0; !err && i < config->nr_attaches; i++) {
		usbpass_attach_get(config->attaches[i]);
		err = usbpass_catalog_add(catalog, USBPASS_ATTACHES, config->attaches[i]);
		if (err)
			usbpass_attach_put(config->attaches[i]);
	}
	if (err)
		usbpass_catalog_free(catalog);
	return err;
}

struct usbpass_stage *usbpass_txn_open(bool replace)
{
	struct usbpass_config *config = usbpass_config_current();
	struct usbpass_stage *stage = kzalloc(sizeof(*stage), GFP_KERNEL_ACCOUNT);

	if (!stage)
		return NULL;
	stage->generation = config->generation;
	stage->replace = replace;
	stage->touched = jiffies;
	if (copy_config(replace ? &stage->base : &stage->now, config))
		goto err_free;
	if (replace && usbpass_catalog_init(&stage->now, config->rules.nr))
		goto err_free_base;
	return stage;

err_free_base:
	usbpass_catalog_free(&stage->base);
err_free:
	kfree(stage);
	return NULL;
}

void usbpass_txn_close(struct usbpass_stage *stage)
{
	usbpass_catalog_free(&stage->now);
	if (stage->replace)
		usbpass_catalog_free(&stage->base);
	kfree(stage);
}

static void unlink_and_close(struct usbpass_stage *stage)
{
	list_del(&stage->link);
	usbpass_txn_close(stage);
}

static struct usbpass_stage *find(struct net *net, u32 portid)
{
	struct usbpass_stage *stage;

	usbpass_config_assert_locked();
	list_for_each_entry(stage, &stages, link)
		if (stage->portid == portid && stage->net == net)
			return stage;
	return NULL;
}

static void idle_work_fn(struct work_struct *work)
{
	struct usbpass_stage *stage, *next;

	usbpass_config_lock();
	list_for_each_entry_safe(stage, next, &stages, link)
		if (time_after_eq(jiffies, stage->touched + IDLE))
			unlink_and_close(stage);
	/* The next may end at any time from now on; seconds do not matter. */
	if (!list_empty(&stages))
		queue_delayed_work(system_wq, &idle_work, HZ);
	usbpass_config_unlock();
}

struct usbpass_stage *usbpass_txn_find(struct net *net, u32 portid, u32 bytes)
{
	struct usbpass_stage *stage = find(net, portid);

	if (!stage)
		return NULL;
	if (stage->bytes + bytes > USBPASS_STAGE_BYTES_MAX)
		return ERR_PTR(-ENOBUFS);
	stage->bytes += bytes;
	stage->touched = jiffies;
	return stage;
}

int usbpass_txn_begin(struct net *net, u32 portid, const u64 *generation, bool replace,
		      struct netlink_ext_ack *extack)
{
	struct usbpass_stage *stage;

	if (find(net, portid)) {
		NL_SET_ERR_MSG(extack,
			       "usbpass: this socket has a transaction; commit or abort it");
		return -EALREADY;
	}
	if (generation && *generation != usbpass_config_current()->generation) {
		NL_SET_ERR_MSG(extack, "usbpass: the configuration has changed; read it again");
		return -ESTALE;
	}
	stage = usbpass_txn_open(replace);
	if (!stage) {
		NL_SET_ERR_MSG(extack, "usbpass: no memory");
		return -ENOMEM;
	}
	stage->net = net;
	stage->portid = portid;
	list_add(&stage->link, &stages);
	queue_delayed_work(system_wq, &idle_work, IDLE);
	return 0;
}

void usbpass_txn_drop(struct net *net, u32 portid)
{
	struct usbpass_stage *stage = find(net, portid);

	if (stage)
		unlink_and_close(stage);
}

bool usbpass_txn_any(void)
{
	return !list_empty_careful(&stages);
}

void usbpass_txn_exit(void)
{
	struct usbpass_stage *stage, *next;

	cancel_delayed_work_sync(&idle_work);
	usbpass_config_lock();
	list_for_each_entry_safe(stage, next, &stages, link)
		unlink_and_close(stage);
	usbpass_config_unlock();
}

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

static int check_leases(const struct usbpass_config *now, const struct usbpass_config *next,
			u32 flags, struct netlink_ext_ack *extack)
{
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

/* Slots for the attachments that have none. */
static int alloc_slots(struct usbpass_config *next, struct netlink_ext_ack *extack)
{
	u32 i;

	for (i = 0; i < next->nr_attaches; i++) {
		struct usbpass_slot *slot;

		if (next->attaches[i]->slot)
			continue;
		slot = usbpass_slot_alloc();
		if (IS_ERR(slot)) {
			NL_SET_ERR_MSG(extack, "usbpass: no slot is left, or no memory");
			return PTR_ERR(slot);
		}
		next->attaches[i]->slot = slot;
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
 * Nodes of new slots. Those whose path is still taken come after the swap, as
 * two nodes cannot have one path; all others before it, as they may fail.
 */
static int publish(const struct usbpass_config *now, struct usbpass_config *next,
		   struct netlink_ext_ack *extack)
{
	u32 i;
	int err;

	for (i = 0; i < next->nr_attaches; i++) {
		struct usbpass_attach *attach = next->attaches[i];

		if (!list_empty(&attach->slot->link) ||
		    (now && path_is_taken(now, attach->slug)))
			continue;
		err = usbpass_slot_publish(attach->slot, attach);
		if (err && now) {
			NL_SET_ERR_MSG(extack, "usbpass: the slot's node could not be made");
			return err;
		}
		if (err)
			pr_err("no node for slot %u: error %d; set its slug again\n",
			       attach->slot->minor, err);
	}
	return 0;
}

/* What the old slots and new specifications ask for, once the next configuration is in force. */
static void settle_slots(struct usbpass_config *next, struct usbpass_attach **old, u32 nr_old)
{
	bool retire;
	u32 i;

	for (i = 0; i < nr_old; i++) {
		if (!leaves(next, old[i], &retire))
			continue;
		if (retire)
			usbpass_slot_retire(old[i]->slot);
		else
			usbpass_slot_revoke(old[i]->slot);
	}
	publish(NULL, next, NULL);
	for (i = 0; i < next->nr_attaches; i++)
		usbpass_slot_update(next->attaches[i]->slot, next->attaches[i]);
}

static void tell(u64 generation)
{
	struct usbpass_event ev = {
		.type = USBPASS_EVENT_COMMIT,
		.owner = USBPASS_OWNER_HOST,
		.generation = generation,
	};

	usbpass_event_by_current(&ev);
	usbpass_event_emit(&ev);
}

int usbpass_txn_commit(struct usbpass_stage *stage, u32 flags, struct netlink_ext_ack *extack)
{
	struct usbpass_config *now = usbpass_config_current();
	struct usbpass_attach **old;
	struct usbpass_config *next;
	u32 i, nr_old = now->nr_attaches;
	int err;

	usbpass_config_assert_locked();
	if (stage->generation != now->generation) {
		NL_SET_ERR_MSG(extack, "usbpass: another commit came first; begin again");
		return -ESTALE;
	}
	old = kvcalloc(nr_old + 1, sizeof(*old), GFP_KERNEL);
	next = old ? usbpass_config_build(&stage->now) : NULL;
	if (!next) {
		kvfree(old);
		NL_SET_ERR_MSG(extack, "usbpass: no memory");
		return -ENOMEM;
	}
	err = check_leases(now, next, flags, extack);
	if (!err)
		err = alloc_slots(next, extack);
	if (!err)
		err = publish(now, next, extack);
	if (err) {
		free_slots(now, next);
		usbpass_config_free(next);
		kvfree(old);
		return err;
	}

	for (i = 0; i < nr_old; i++)
		old[i] = usbpass_attach_get(now->attaches[i]);
	usbpass_config_install(next);
	settle_slots(next, old, nr_old);
	for (i = 0; i < nr_old; i++)
		usbpass_attach_put(old[i]);
	kvfree(old);
	tell(next->generation);
	usbpass_reconcile_kick(flags & USBPASS_F_RESCAN);
	return 0;
}
