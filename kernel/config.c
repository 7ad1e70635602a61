// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "catalog.h"
#include "config.h"
#include "config_priv.h"
#include "facts.h"
#include "param.h"
#include "rule.h"
#include "slot.h"

static DEFINE_MUTEX(config_mutex);
static struct usbpass_config __rcu *in_force;

void usbpass_config_lock(void)
{
	mutex_lock(&config_mutex);
}

void usbpass_config_unlock(void)
{
	mutex_unlock(&config_mutex);
}

void usbpass_config_assert_locked(void)
{
	lockdep_assert_held(&config_mutex);
}

struct usbpass_config *usbpass_config_current(void)
{
	return rcu_dereference_protected(in_force, lockdep_is_held(&config_mutex));
}

static void release_group(struct kref *kref)
{
	struct usbpass_group *group = container_of(kref, struct usbpass_group, kref);

	kfree(group->description);
	kfree(group);
}

void usbpass_group_put(struct usbpass_group *group)
{
	kref_put(&group->kref, release_group);
}

static void release_attach(struct kref *kref)
{
	struct usbpass_attach *attach = container_of(kref, struct usbpass_attach, kref);

	if (attach->slot)
		usbpass_slot_put(attach->slot);
	kfree(attach->pin.serial);
	kfree(attach->pin.socket);
	kfree(attach->vm);
	kfree(attach->description);
	kfree(attach);
}

struct usbpass_attach *usbpass_attach_get(struct usbpass_attach *attach)
{
	kref_get(&attach->kref);
	return attach;
}

void usbpass_attach_put(struct usbpass_attach *attach)
{
	kref_put(&attach->kref, release_attach);
}

/* NULL if @from is; *failed if there is no memory. */
static char *copy_text(const char *from, bool *failed)
{
	char *to = from ? kstrdup(from, GFP_KERNEL_ACCOUNT) : NULL;

	*failed |= from && !to;
	return to;
}

struct usbpass_attach *usbpass_attach_copy(const struct usbpass_attach *from)
{
	struct usbpass_attach *attach = kmemdup(from, sizeof(*from), GFP_KERNEL_ACCOUNT);
	bool failed = false;

	if (!attach)
		return NULL;
	kref_init(&attach->kref);
	attach->slot = NULL;
	attach->vm = copy_text(from->vm, &failed);
	attach->description = copy_text(from->description, &failed);
	attach->pin.serial = copy_text(from->pin.serial, &failed);
	attach->pin.socket = copy_text(from->pin.socket, &failed);
	if (failed) {
		usbpass_attach_put(attach);
		return NULL;
	}
	return attach;
}

bool usbpass_pin_matches(const struct usbpass_pin *pin, const struct usbpass_facts *facts)
{
	return (!pin->has_vendor || pin->vendor == le16_to_cpu(facts->descriptor.idVendor)) &&
	       (!pin->has_product ||
		pin->product == le16_to_cpu(facts->descriptor.idProduct)) &&
	       (!pin->serial || (facts->serial && !strcmp(pin->serial, facts->serial))) &&
	       (!pin->socket || !strcmp(pin->socket, facts->socket));
}

void usbpass_config_free(struct usbpass_config *config)
{
	u32 i;

	for (i = 0; i < config->nr_groups; i++)
		usbpass_group_put(config->groups[i]);
	for (i = 0; i < config->nr_attaches; i++)
		usbpass_attach_put(config->attaches[i]);
	usbpass_ruleset_free(&config->rules);
	kvfree(config->groups);
	kvfree(config->attaches);
	kfree(config);
}

static struct usbpass_config *alloc(u32 nr_groups, u32 nr_attaches)
{
	struct usbpass_config *config = kzalloc(sizeof(*config), GFP_KERNEL_ACCOUNT);

	if (!config)
		return NULL;
	config->groups = kvcalloc(nr_groups + 1, sizeof(void *), GFP_KERNEL_ACCOUNT);
	config->attaches = kvcalloc(nr_attaches + 1, sizeof(void *), GFP_KERNEL_ACCOUNT);
	if (!config->groups || !config->attaches) {
		usbpass_config_free(config);
		return NULL;
	}
	usbpass_param_node(config->node);
	return config;
}

struct usbpass_config *usbpass_config_build(const struct usbpass_catalog *catalog)
{
	u32 nr_groups = catalog->list[USBPASS_GROUPS].nr;
	u32 nr_attaches = catalog->list[USBPASS_ATTACHES].nr;
	u32 nr_rules = catalog->list[USBPASS_RULES].nr;
	struct usbpass_config *config = alloc(nr_groups, nr_attaches);
	u32 i;

	usbpass_config_assert_locked();
	if (!config)
		return NULL;
	config->generation = usbpass_config_current()->generation + 1;
	if (usbpass_ruleset_build(&config->rules,
				  (struct usbpass_rule **)catalog->list[USBPASS_RULES].items,
				  nr_rules)) {
		usbpass_config_free(config);
		return NULL;
	}
	for (i = 0; i < nr_rules; i++)
		usbpass_rule_get(config->rules.rules[i]);
	for (i = 0; i < nr_groups; i++) {
		config->groups[i] = catalog->list[USBPASS_GROUPS].items[i];
		kref_get(&config->groups[i]->kref);	/* usbpass_config_free() */
	}
	for (i = 0; i < nr_attaches; i++)
		config->attaches[i] =
			usbpass_attach_get(catalog->list[USBPASS_ATTACHES].items[i]);
	config->nr_groups = nr_groups;
	config->nr_attaches = nr_attaches;
	return config;
}

struct usbpass_config *usbpass_config_install(struct usbpass_config *config)
{
	struct usbpass_config *old = usbpass_config_current();

	rcu_assign_pointer(in_force, config);
	synchronize_rcu();
	return old;
}

int usbpass_config_init(void)
{
	struct usbpass_config *config = alloc(0, 0);

	if (!config)
		return -ENOMEM;
	RCU_INIT_POINTER(in_force, config);
	return 0;
}

/* Netlink is gone: nobody else is here. */
void usbpass_config_exit(void)
{
	struct usbpass_config *config;
	u32 i;

	usbpass_config_lock();
	config = usbpass_config_current();
	for (i = 0; i < config->nr_attaches; i++)
		usbpass_slot_retire(config->attaches[i]->slot);
	RCU_INIT_POINTER(in_force, NULL);
	usbpass_config_unlock();
	synchronize_rcu();
	usbpass_config_free(config);
}

u64 usbpass_config_generation(void)
{
	u64 generation;

	rcu_read_lock();
	generation = rcu_dereference(in_force)->generation;
	rcu_read_unlock();
	return generation;
}

void usbpass_config_decide(const struct usbpass_facts *facts, struct usbpass_verdict *verdict,
			   bool count)
{
	const struct usbpass_config *config;
	struct usbpass_rule *rule;

	memset(verdict, 0, sizeof(*verdict));
	rcu_read_lock();
	config = rcu_dereference(in_force);
	rule = usbpass_ruleset_find(&config->rules, facts, config->node);
	if (rule) {
		verdict->action = rule->action;
		verdict->rule_id = rule->id;
		verdict->group_id = rule->group_id;
		strscpy(verdict->rule_name, rule->name, sizeof(verdict->rule_name));
		if (count)
			atomic64_inc(&rule->hits->count);
	}
	rcu_read_unlock();
}

struct usbpass_group *usbpass_config_group(u32 id)
{
	const struct usbpass_config *config;
	struct usbpass_group *found = NULL;
	u32 i;

	rcu_read_lock();
	config = rcu_dereference(in_force);
	for (i = 0; i < config->nr_groups && !found; i++) {
		if (config->groups[i]->id == id) {
			found = config->groups[i];
			kref_get(&found->kref);	/* the caller's usbpass_group_put() */
		}
	}
	rcu_read_unlock();
	return found;
}

struct usbpass_attach *usbpass_config_attach(u32 id)
{
	const struct usbpass_config *config;
	struct usbpass_attach *found = NULL;
	u32 i;

	rcu_read_lock();
	config = rcu_dereference(in_force);
	for (i = 0; i < config->nr_attaches && !found; i++)
		if (config->attaches[i]->id == id)
			found = usbpass_attach_get(config->attaches[i]);
	rcu_read_unlock();
	return found;
}

u8 usbpass_config_reset_policy(u32 attach_id)
{
	struct usbpass_attach *attach = usbpass_config_attach(attach_id);
	struct usbpass_group *group = attach ? usbpass_config_group(attach->group_id) : NULL;
	u8 policy = group ? group->reset : USBPASS_RESET_NONE;

	if (attach && attach->has_reset)
		policy = min(policy, attach->reset);
	if (group)
		usbpass_group_put(group);
	if (attach)
		usbpass_attach_put(attach);
	return policy;
}
