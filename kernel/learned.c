// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "event.h"
#include "facts.h"
#include "learned.h"

#define HISTORY		3	/* resets looked at */
#define BAD		2	/* failures among them */
#define APART_NS	(60ULL * NSEC_PER_SEC)	/* failures nearer than this are one */
#define SHOWN		32	/* bytes of a serial or socket, for people */
#define SECS		(USBPASS_LEARNED_DAYS * 86400ULL)

struct learned {
	struct list_head link;
	struct usbpass_identity identity;
	u8 history;		/* bit n: the reset n before the last one failed */
	u64 failed_ns;		/* last counted failure, CLOCK_BOOTTIME */
	u64 until;		/* seconds of CLOCK_REALTIME; 0: not bad */
};

static LIST_HEAD(known);		/* at most USBPASS_LEARNED_MAX */
static unsigned int nr_known;
static DEFINE_SPINLOCK(lock);		/* protects both; innermost */

void usbpass_learned_identify(struct usbpass_identity *identity, const struct usbpass_facts *facts,
			      u32 owner)
{
	memset(identity, 0, sizeof(*identity));
	identity->owner = owner;
	identity->vendor = le16_to_cpu(facts->descriptor.idVendor);
	identity->product = le16_to_cpu(facts->descriptor.idProduct);
	identity->has_serial = facts->serial && *facts->serial;
	strscpy(identity->text, identity->has_serial ? facts->serial : facts->socket,
		sizeof(identity->text));
}

static bool is_same(const struct usbpass_identity *a, const struct usbpass_identity *b)
{
	return a->owner == b->owner && a->vendor == b->vendor && a->product == b->product &&
	       a->has_serial == b->has_serial && !strcmp(a->text, b->text);
}

static struct learned *find(const struct usbpass_identity *identity)
{
	struct learned *entry;

	lockdep_assert_held(&lock);
	list_for_each_entry(entry, &known, link)
		if (is_same(&entry->identity, identity))
			return entry;
	return NULL;
}

static bool is_bad(const struct learned *entry)
{
	return entry->until > ktime_get_real_seconds();
}

static void drop(struct learned *entry)
{
	lockdep_assert_held(&lock);
	list_del(&entry->link);
	nr_known--;
	kfree(entry);
}

/* Of as many as there may be: what is not bad, or ends first. */
static void make_room(void)
{
	struct learned *entry, *first = NULL;

	lockdep_assert_held(&lock);
	if (nr_known < USBPASS_LEARNED_MAX)
		return;
	list_for_each_entry(entry, &known, link)
		if (!first || entry->until < first->until)
			first = entry;
	drop(first);
}

/* The entry of @identity: @fresh, which is used up then, where there is none. */
static struct learned *find_or_add(const struct usbpass_identity *identity, struct learned **fresh)
{
	struct learned *entry = find(identity);

	if (entry)
		return entry;
	make_room();
	entry = *fresh;
	*fresh = NULL;
	entry->identity = *identity;
	list_add_tail(&entry->link, &known);
	nr_known++;
	return entry;
}

static void tell(const struct usbpass_identity *identity, const char *what)
{
	struct usbpass_event ev = { .type = USBPASS_EVENT_LEARNED, .owner = identity->owner };

	/* A serial may hold anything. */
	snprintf(ev.reason, sizeof(ev.reason), "%04x:%04x %s %*pE %s", identity->vendor,
		 identity->product, identity->has_serial ? "serial" : "in",
		 (int)min_t(size_t, strlen(identity->text), SHOWN), identity->text, what);
	usbpass_event_emit(&ev);
}

/* True: it is bad from now on. */
static bool count_failure(struct learned *entry)
{
	u64 now = ktime_get_boottime_ns();
	bool was_bad = is_bad(entry);

	lockdep_assert_held(&lock);
	if (entry->failed_ns && now - entry->failed_ns < APART_NS)
		return false;
	entry->failed_ns = now;
	entry->history = entry->history << 1 | 1;
	if (hweight8(entry->history & (BIT(HISTORY) - 1)) < BAD)
		return false;
	entry->until = ktime_get_real_seconds() + SECS;
	return !was_bad;
}

static void count_success(struct learned *entry)
{
	lockdep_assert_held(&lock);
	entry->history <<= 1;
	if (!(entry->history & (BIT(HISTORY) - 1)) && !is_bad(entry))
		drop(entry);
}

void usbpass_learned_note(const struct usbpass_identity *identity, bool failed)
{
	struct learned *fresh = failed ? kzalloc(sizeof(*fresh), GFP_KERNEL) : NULL;
	struct learned *entry;
	bool news = false;

	spin_lock(&lock);
	if (fresh) {
		news = count_failure(find_or_add(identity, &fresh));
	} else {	/* without memory a failure is forgotten */
		entry = find(identity);
		if (entry && !failed)
			count_success(entry);
	}
	spin_unlock(&lock);
	kfree(fresh);
	if (news)
		tell(identity, "takes resets badly: soft ones for its consumers from now on");
}

bool usbpass_learned_is_bad(const struct usbpass_identity *identity)
{
	struct learned *entry;
	bool bad;

	spin_lock(&lock);
	entry = find(identity);
	bad = entry && is_bad(entry);
	spin_unlock(&lock);
	return bad;
}

int usbpass_learned_set(const struct usbpass_identity *identity, u64 until)
{
	struct learned *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);

	if (!fresh)
		return -ENOMEM;
	spin_lock(&lock);
	find_or_add(identity, &fresh)->until = until;
	spin_unlock(&lock);
	kfree(fresh);
	tell(identity, "takes resets badly, as was known");
	return 0;
}

int usbpass_learned_forget(const struct usbpass_identity *identity)
{
	struct learned *entry;
	bool was_bad = false;

	spin_lock(&lock);
	entry = find(identity);
	if (entry) {
		was_bad = is_bad(entry);
		drop(entry);
	}
	spin_unlock(&lock);
	if (!was_bad)
		return -ENOENT;
	tell(identity, "is forgotten");
	return 0;
}

bool usbpass_learned_nth(unsigned int nth, struct usbpass_identity *identity, u64 *until)
{
	struct learned *entry;
	bool found = false;

	spin_lock(&lock);
	list_for_each_entry(entry, &known, link) {
		if (is_bad(entry) && !nth--) {
			*identity = entry->identity;
			*until = entry->until;
			found = true;
			break;
		}
	}
	spin_unlock(&lock);
	return found;
}

/* Nobody is left to note anything. */
void usbpass_learned_exit(void)
{
	struct learned *entry, *next;

	list_for_each_entry_safe(entry, next, &known, link)
		kfree(entry);
}
