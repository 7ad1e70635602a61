// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "facts.h"
#include "guard.h"
#include "param.h"

struct guard {
	struct list_head link;
	char socket[USBPASS_SOCKET_MAX + 1];
	unsigned int leases;		/* open */
	unsigned long until;		/* jiffies; while leases is 0 */
};

static DEFINE_SPINLOCK(lock);		/* protects guards; innermost */
static LIST_HEAD(guards);

static bool over(const struct guard *guard)
{
	return !guard->leases && time_after_eq(jiffies, guard->until);
}

static struct guard *find(const char *socket)
{
	struct guard *guard;

	lockdep_assert_held(&lock);
	list_for_each_entry(guard, &guards, link)
		if (!strcmp(guard->socket, socket))
			return guard;
	return NULL;
}

int usbpass_guard_open(const struct usbpass_facts *facts)
{
	struct guard *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	struct guard *guard, *next;

	if (!fresh)
		return -ENOMEM;
	strscpy(fresh->socket, facts->socket, sizeof(fresh->socket));

	spin_lock(&lock);
	list_for_each_entry_safe(guard, next, &guards, link) {
		if (over(guard)) {
			list_del(&guard->link);
			kfree(guard);
		}
	}
	guard = find(facts->socket);
	if (!guard) {
		guard = fresh;
		fresh = NULL;
		list_add(&guard->link, &guards);
	}
	guard->leases++;
	spin_unlock(&lock);
	kfree(fresh);
	return 0;
}

void usbpass_guard_close(const struct usbpass_facts *facts)
{
	struct guard *guard;

	spin_lock(&lock);
	guard = find(facts->socket);
	if (guard) {
		guard->leases--;
		guard->until = jiffies + usbpass_param_guard_secs() * HZ;
	}
	spin_unlock(&lock);
}

bool usbpass_guard_active(const struct usbpass_facts *facts)
{
	struct guard *guard;
	bool active;

	spin_lock(&lock);
	guard = find(facts->socket);
	active = guard && !over(guard);
	spin_unlock(&lock);
	return active;
}

void usbpass_guard_exit(void)
{
	struct guard *guard, *next;

	list_for_each_entry_safe(guard, next, &guards, link) {
		list_del(&guard->link);
		kfree(guard);
	}
}
