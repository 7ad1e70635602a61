// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include "event.h"
#include "nl.h"

#define RETRY_MS	100	/* until a full socket may have room */

static struct usbpass_event *ring;	/* USBPASS_EVENTS_KEPT, by seq modulo */
static u64 last_seq;
static DEFINE_SPINLOCK(lock);		/* irqsave; protects both */

struct subscriber {
	struct list_head link;
	struct sock *sk;		/* reference, put by free_subscriber() */
	u32 portid;
	u64 after;			/* sequence number sent last */
	bool power;			/* carries out power cycles */
};

static LIST_HEAD(subscribers);
static u32 nr_subscribers;
static DEFINE_MUTEX(subscribers_mutex);	/* protects both */

static void send_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(send_work, send_work_fn);

u64 usbpass_event_last_seq(void)
{
	unsigned long flags;
	u64 seq;

	spin_lock_irqsave(&lock, flags);
	seq = last_seq;
	spin_unlock_irqrestore(&lock, flags);
	return seq;
}

bool usbpass_event_next(u64 after, struct usbpass_event *ev, u64 *lost)
{
	unsigned long flags;
	u64 seq = after + 1;
	bool found;

	spin_lock_irqsave(&lock, flags);
	found = after < last_seq;
	if (found) {
		if (last_seq > USBPASS_EVENTS_KEPT)
			seq = max(seq, last_seq - USBPASS_EVENTS_KEPT + 1);
		*ev = ring[seq % USBPASS_EVENTS_KEPT];
		*lost = seq - after - 1;
	}
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

void usbpass_event_by_current(struct usbpass_event *ev)
{
	ev->has_who = true;
	ev->pid = task_tgid_nr(current);
	ev->uid = from_kuid(&init_user_ns, current_uid());
	get_task_comm(ev->comm, current);
}

void usbpass_event_emit(struct usbpass_event *ev)
{
	unsigned long flags;

	ev->time_ns = ktime_get_boottime_ns();
	spin_lock_irqsave(&lock, flags);
	ev->seq = ++last_seq;
	ring[ev->seq % USBPASS_EVENTS_KEPT] = *ev;
	spin_unlock_irqrestore(&lock, flags);
	mod_delayed_work(system_wq, &send_work, 0);
}

/*
 * Half of the socket's room: the other is for the answers to what its owner asks, which netlink
 * drops without a word where there is none. That of SUBSCRIBE itself comes behind the first events.
 */
static bool has_room(const struct subscriber *sub)
{
	return atomic_read(&sub->sk->sk_rmem_alloc) <= READ_ONCE(sub->sk->sk_rcvbuf) / 2;
}

/* False: its socket has no room; it goes on later. */
static bool send_to(struct subscriber *sub)
{
	struct usbpass_event ev;
	u64 lost;

	lockdep_assert_held(&subscribers_mutex);
	while (usbpass_event_next(sub->after, &ev, &lost)) {
		int err = -EAGAIN;

		if (has_room(sub))
			err = usbpass_nl_send_event(sock_net(sub->sk), sub->portid, &ev, lost);
		if (err == -EAGAIN || err == -ENOMEM)
			return false;
		if (err)
			break;		/* the socket is closing: unsubscribe() follows */
		sub->after = ev.seq;
	}
	return true;
}

static void send_work_fn(struct work_struct *work)
{
	struct subscriber *sub;
	bool again = false;

	mutex_lock(&subscribers_mutex);
	list_for_each_entry(sub, &subscribers, link)
		again |= !send_to(sub);
	mutex_unlock(&subscribers_mutex);
	if (again)
		queue_delayed_work(system_wq, &send_work, msecs_to_jiffies(RETRY_MS));
}

static void free_subscriber(struct subscriber *sub)
{
	sock_put(sub->sk);
	kfree(sub);
}

int usbpass_event_subscribe(struct sock *sk, u32 portid, u64 since, bool power)
{
	struct subscriber *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	struct subscriber *sub;
	int err = 0;

	if (!fresh)
		return -ENOMEM;
	sock_hold(sk);
	fresh->sk = sk;
	fresh->portid = portid;
	fresh->power = power;
	/* Numbers begin again with the module: one from before must not wait for its like. */
	fresh->after = min(since, usbpass_event_last_seq());
	mutex_lock(&subscribers_mutex);
	list_for_each_entry(sub, &subscribers, link) {
		if (sub->sk == sk)
			err = -EALREADY;
		else if (power && sub->power && !err)
			err = -EBUSY;
	}
	if (!err && nr_subscribers == USBPASS_SUBSCRIBERS_MAX)
		err = -ENOSPC;
	if (!err) {
		list_add_tail(&fresh->link, &subscribers);
		nr_subscribers++;
	}
	mutex_unlock(&subscribers_mutex);
	if (err)
		free_subscriber(fresh);
	else
		mod_delayed_work(system_wq, &send_work, 0);
	return err;
}

bool usbpass_event_has_power(void)
{
	struct subscriber *sub;
	bool has = false;

	mutex_lock(&subscribers_mutex);
	list_for_each_entry(sub, &subscribers, link)
		has |= sub->power;
	mutex_unlock(&subscribers_mutex);
	return has;
}

bool usbpass_event_is_power(struct net *net, u32 portid)
{
	struct subscriber *sub;
	bool is = false;

	mutex_lock(&subscribers_mutex);
	list_for_each_entry(sub, &subscribers, link)
		is |= sub->power && sub->portid == portid && sock_net(sub->sk) == net;
	mutex_unlock(&subscribers_mutex);
	return is;
}

void usbpass_event_unsubscribe(struct net *net, u32 portid)
{
	struct subscriber *sub, *next;

	mutex_lock(&subscribers_mutex);
	list_for_each_entry_safe(sub, next, &subscribers, link) {
		if (sub->portid == portid && sock_net(sub->sk) == net) {
			list_del(&sub->link);
			nr_subscribers--;
			free_subscriber(sub);
		}
	}
	mutex_unlock(&subscribers_mutex);
}

int usbpass_event_init(void)
{
	ring = vzalloc(array_size(USBPASS_EVENTS_KEPT, sizeof(*ring)));
	return ring ? 0 : -ENOMEM;
}

/* Nobody emits any more, and no socket can reach the family. */
void usbpass_event_exit(void)
{
	struct subscriber *sub, *next;

	cancel_delayed_work_sync(&send_work);
	list_for_each_entry_safe(sub, next, &subscribers, link) {
		list_del(&sub->link);
		free_subscriber(sub);
	}
	vfree(ring);
}
