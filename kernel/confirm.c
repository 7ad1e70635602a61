// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "commit.h"
#include "config.h"
#include "config_priv.h"
#include "confirm.h"
#include "event.h"
#include "reconcile.h"
#include "rule.h"
#include "slot.h"

/* Goes back to it; NULL: no window is open. Of its members RCU readers look at rules and node. */
static struct usbpass_config __rcu *kept;
static unsigned long until;		/* jiffies; config_mutex */

static void window_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(window_work, window_work_fn);

static struct usbpass_config *kept_locked(void)
{
	usbpass_config_assert_locked();
	return rcu_dereference_protected(kept, true);
}

int usbpass_confirm_waits(struct netlink_ext_ack *extack)
{
	if (!kept_locked())
		return 0;
	NL_SET_ERR_MSG(extack,
		       "usbpass: a configuration waits to be confirmed; `usbpass confirm` or `usbpass revert` it first");
	return -EBUSY;
}

u32 usbpass_confirm_left_ms(void)
{
	unsigned long now = jiffies;

	if (!kept_locked())
		return 0;
	return time_before(now, until) ? max(jiffies_to_msecs(until - now), 1U) : 1;
}

bool usbpass_confirm_defers(const struct usbpass_facts *facts)
{
	const struct usbpass_config *config;
	const struct usbpass_rule *rule;
	bool holds = false;

	smp_rmb();	/* pairs with the install in usbpass_confirm_swap(): @kept was set before */
	rcu_read_lock();
	config = rcu_dereference(kept);
	if (config) {
		rule = usbpass_ruleset_find(&config->rules, facts, config->node);
		holds = rule && rule->action != USBPASS_ACTION_IGNORE;
	}
	rcu_read_unlock();
	return holds;
}

static void free_spares(struct usbpass_attach **spares, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (spares[i])
			usbpass_attach_put(spares[i]);
	kvfree(spares);
}

static struct usbpass_attach *spare(const struct usbpass_attach *attach)
{
	struct usbpass_attach *copy = usbpass_attach_copy(attach);
	struct usbpass_slot *slot;

	if (!copy)
		return ERR_PTR(-ENOMEM);
	slot = usbpass_slot_alloc();
	if (IS_ERR(slot)) {
		usbpass_attach_put(copy);
		return ERR_CAST(slot);
	}
	copy->slot = slot;
	return copy;
}

void usbpass_confirm_discard(struct usbpass_attach **spares)
{
	free_spares(spares, usbpass_config_current()->nr_attaches);
}

struct usbpass_attach **usbpass_confirm_spare(const struct usbpass_config *next,
					      struct netlink_ext_ack *extack)
{
	struct usbpass_config *now = usbpass_config_current();
	struct usbpass_attach **spares = kvcalloc(now->nr_attaches + 1, sizeof(*spares),
						  GFP_KERNEL_ACCOUNT);
	int err = spares ? 0 : -ENOMEM;
	u32 i;

	for (i = 0; !err && i < now->nr_attaches; i++) {
		if (!usbpass_commit_retires(next, now->attaches[i]))
			continue;
		spares[i] = spare(now->attaches[i]);
		err = PTR_ERR_OR_ZERO(spares[i]);
		if (err)
			spares[i] = NULL;
	}
	if (!err)
		return spares;
	if (spares)
		usbpass_confirm_discard(spares);
	NL_SET_ERR_MSG(extack, "usbpass: no slot is left for going back, or no memory");
	return ERR_PTR(err);
}

void usbpass_confirm_swap(struct usbpass_config *next, struct usbpass_attach **spares, u32 secs)
{
	struct usbpass_config *now = usbpass_config_current();
	u32 i;

	rcu_assign_pointer(kept, now);
	usbpass_commit_swap(next);
	/* Nobody reads its attachments any more. Those without a place go, slots and all. */
	for (i = 0; i < now->nr_attaches; i++)
		if (spares[i])
			swap(now->attaches[i], spares[i]);
	free_spares(spares, now->nr_attaches);
	until = jiffies + secs * HZ;
	mod_delayed_work(system_long_wq, &window_work, secs * HZ);
}

static void tell_back(const char *why, u64 generation, bool asked)
{
	char reason[USBPASS_REASON_MAX + 1];

	snprintf(reason, sizeof(reason), "%s: back to generation %llu's configuration", why,
		 generation);
	usbpass_commit_tell(reason, asked);
}

static void go_back(const char *why, bool asked)
{
	struct usbpass_config *back = kept_locked();
	u64 unconfirmed = usbpass_config_current()->generation;
	u64 generation = back->generation;

	back->generation = unconfirmed + 1;
	usbpass_config_free(usbpass_commit_swap(back));
	/* Who still looks at it there reads what is in force: the next swap waits for him. */
	RCU_INIT_POINTER(kept, NULL);
	cancel_delayed_work(&window_work);
	tell_back(why, generation, asked);
	usbpass_reconcile_revoke(unconfirmed);
}

static void window_work_fn(struct work_struct *work)
{
	unsigned long now;

	usbpass_config_lock();
	now = jiffies;
	if (kept_locked() && time_after_eq(now, until))
		go_back("not confirmed", false);
	else if (kept_locked())		/* of an earlier window, come late */
		mod_delayed_work(system_long_wq, &window_work, until - now);
	usbpass_config_unlock();
}

/* The window closes, and nothing goes back. */
static void forget(void)
{
	struct usbpass_config *old = kept_locked();

	RCU_INIT_POINTER(kept, NULL);
	synchronize_rcu();
	usbpass_config_free(old);
}

static int none_waits(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "usbpass: no configuration waits to be confirmed");
	return -ENOENT;
}

int usbpass_confirm_keep(struct netlink_ext_ack *extack)
{
	struct usbpass_event ev = {
		.type = USBPASS_EVENT_CONFIRMED,
		.owner = USBPASS_OWNER_HOST,
		.generation = usbpass_config_current()->generation,
	};

	if (!kept_locked())
		return none_waits(extack);
	cancel_delayed_work(&window_work);
	forget();
	usbpass_event_by_current(&ev);
	usbpass_event_emit(&ev);
	usbpass_reconcile_kick(false);	/* releases what was held back */
	return 0;
}

int usbpass_confirm_revert(struct netlink_ext_ack *extack)
{
	if (!kept_locked())
		return none_waits(extack);
	go_back("reverted", true);
	return 0;
}

void usbpass_confirm_exit(void)
{
	cancel_delayed_work_sync(&window_work);
	usbpass_config_lock();
	if (kept_locked())
		forget();
	usbpass_config_unlock();
}
