// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "commit.h"
#include "config.h"
#include "config_priv.h"
#include "confirm.h"
#include "reconcile.h"
#include "rule.h"
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
	if (!stage)
		return;
	usbpass_catalog_free(&stage->now);
	if (stage->replace)
		usbpass_catalog_free(&stage->base);
	kfree(stage);
}

static void close_all(struct list_head *ended)
{
	struct usbpass_stage *stage, *next;

	list_for_each_entry_safe(stage, next, ended, link)
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
	LIST_HEAD(ended);

	usbpass_config_lock();
	list_for_each_entry_safe(stage, next, &stages, link)
		if (time_after_eq(jiffies, stage->touched + IDLE))
			list_move(&stage->link, &ended);
	/* The next may end at any time from now on; seconds do not matter. */
	if (!list_empty(&stages))
		queue_delayed_work(system_long_wq, &idle_work, HZ);
	usbpass_config_unlock();
	close_all(&ended);
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
	queue_delayed_work(system_long_wq, &idle_work, IDLE);
	return 0;
}

struct usbpass_stage *usbpass_txn_take(struct net *net, u32 portid)
{
	struct usbpass_stage *stage = find(net, portid);

	if (stage)
		list_del(&stage->link);
	return stage;
}

bool usbpass_txn_any(void)
{
	return !list_empty_careful(&stages);
}

void usbpass_txn_exit(void)
{
	LIST_HEAD(ended);

	cancel_delayed_work_sync(&idle_work);
	usbpass_config_lock();
	list_splice_init(&stages, &ended);
	usbpass_config_unlock();
	close_all(&ended);
}

/* The swap, with the way back. */
static int put_on_trial(struct usbpass_config *next, u32 secs, struct netlink_ext_ack *extack)
{
	struct usbpass_attach **spares = usbpass_confirm_spare(next, extack);
	char reason[48];
	int err;

	if (IS_ERR(spares))
		return PTR_ERR(spares);
	err = usbpass_commit_prepare(next, extack);
	if (err) {
		usbpass_confirm_discard(spares);
		return err;
	}
	usbpass_confirm_swap(next, spares, secs);
	snprintf(reason, sizeof(reason), "goes back in %u s unless confirmed", secs);
	usbpass_commit_tell(reason, true);
	return 0;
}

static int put_in_force(struct usbpass_config *next, struct netlink_ext_ack *extack)
{
	int err = usbpass_commit_prepare(next, extack);

	if (err)
		return err;
	usbpass_config_free(usbpass_commit_swap(next));
	usbpass_commit_tell(NULL, true);
	return 0;
}

int usbpass_txn_commit(struct usbpass_stage *stage, u32 flags, u32 confirm_secs,
		       struct netlink_ext_ack *extack)
{
	struct usbpass_config *next;
	int err = usbpass_confirm_waits(extack);

	if (err)
		return err;
	if (stage->generation != usbpass_config_current()->generation) {
		NL_SET_ERR_MSG(extack, "usbpass: another commit came first; begin again");
		return -ESTALE;
	}
	next = usbpass_config_build(&stage->now);
	if (!next) {
		NL_SET_ERR_MSG(extack, "usbpass: no memory");
		return -ENOMEM;
	}
	err = usbpass_commit_check(next, flags, extack);
	if (!err)
		err = confirm_secs ? put_on_trial(next, confirm_secs, extack) :
				     put_in_force(next, extack);
	if (err) {
		usbpass_config_free(next);
		return err;
	}
	usbpass_reconcile_kick(flags & USBPASS_F_RESCAN);
	return 0;
}
