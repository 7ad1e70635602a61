// SPDX-License-Identifier: GPL-2.0
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/usbpass.h>
#include "catalog.h"
#include "config.h"
#include "rule.h"

/* One namespace a kind. Zeroed to its end: it is compared as bytes. */
struct name_key {
	u8 kind;
	char name[USBPASS_NAME_MAX + 1];
};

struct named {
	struct rhash_head head;
	struct rcu_head rcu;		/* lookups of the table run under RCU */
	struct name_key key;
	void *object;			/* the list holds the reference */
};

/* Of the name alone: it is short, and the room for it long. */
static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct name_key *key = data;

	return jhash(key->name, strnlen(key->name, sizeof(key->name)), seed + key->kind);
}

static const struct rhashtable_params params = {
	.hashfn = hash_key,
	.key_len = sizeof(struct name_key),
	.key_offset = offsetof(struct named, key),
	.head_offset = offsetof(struct named, head),
	.automatic_shrinking = true,
};

static void put_group(void *object)
{
	usbpass_group_put(object);
}

static void put_rule(void *object)
{
	usbpass_rule_put(object);
}

static void put_attach(void *object)
{
	usbpass_attach_put(object);
}

static const struct {
	const char *word;
	u32 max;
	size_t id, name;
	void (*put)(void *object);
} kinds[USBPASS_KINDS] = {
	[USBPASS_GROUPS] = {
		"group", USBPASS_GROUPS_MAX, offsetof(struct usbpass_group, id),
		offsetof(struct usbpass_group, name), put_group,
	},
	[USBPASS_RULES] = {
		"rule", USBPASS_RULES_MAX, offsetof(struct usbpass_rule, id),
		offsetof(struct usbpass_rule, name), put_rule,
	},
	[USBPASS_ATTACHES] = {
		"attach", USBPASS_SLOTS_MAX, offsetof(struct usbpass_attach, id),
		offsetof(struct usbpass_attach, name), put_attach,
	},
};

u32 usbpass_catalog_id(enum usbpass_kind kind, const void *object)
{
	return *(const u32 *)(object + kinds[kind].id);
}

void usbpass_catalog_set_id(enum usbpass_kind kind, void *object, u32 id)
{
	*(u32 *)(object + kinds[kind].id) = id;
}

char *usbpass_catalog_name(enum usbpass_kind kind, void *object)
{
	if (kind == USBPASS_SLUGS)
		return ((struct usbpass_attach *)object)->slug;
	return object + kinds[kind].name;
}

int usbpass_catalog_init(struct usbpass_catalog *catalog, u32 nr)
{
	struct rhashtable_params sized = params;

	memset(catalog, 0, sizeof(*catalog));
	sized.nelem_hint = nr;
	return rhashtable_init(&catalog->names, &sized);
}

static void free_named(void *named, void *data)
{
	kfree(named);
}

void usbpass_catalog_free(struct usbpass_catalog *catalog)
{
	unsigned int kind;
	u32 i;

	for (kind = 0; kind < USBPASS_KINDS; kind++) {
		for (i = 0; i < catalog->list[kind].nr; i++) {
			kinds[kind].put(catalog->list[kind].items[i]);
			cond_resched();
		}
		kvfree(catalog->list[kind].items);
	}
	rhashtable_free_and_destroy(&catalog->names, free_named, NULL);
}

static struct named *find(struct usbpass_catalog *catalog, enum usbpass_kind kind,
			  const char *name)
{
	struct name_key key = { .kind = kind };

	/* A longer name than any is none. */
	if (strscpy_pad(key.name, name, sizeof(key.name)) < 0)
		return NULL;
	return rhashtable_lookup_fast(&catalog->names, &key, params);
}

void *usbpass_catalog_by_name(struct usbpass_catalog *catalog, enum usbpass_kind kind,
			      const char *name)
{
	struct named *named = find(catalog, kind, name);

	return named ? named->object : NULL;
}

static int add_name(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *object)
{
	struct named *named = kzalloc(sizeof(*named), GFP_KERNEL_ACCOUNT);
	int err;

	if (!named)
		return -ENOMEM;
	named->key.kind = kind;
	strscpy_pad(named->key.name, usbpass_catalog_name(kind, object), sizeof(named->key.name));
	named->object = object;
	err = rhashtable_lookup_insert_fast(&catalog->names, &named->head, params);
	if (err) {
		kfree(named);
		/* The table grows by a work; -EBUSY and -E2BIG are no memory, in effect. */
		return err == -EEXIST ? err : -ENOMEM;
	}
	return 0;
}

static void remove_name(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *object)
{
	struct named *named = find(catalog, kind, usbpass_catalog_name(kind, object));

	if (named && !rhashtable_remove_fast(&catalog->names, &named->head, params))
		kfree_rcu(named, rcu);
}

/* The name, and an attachment's slug. */
static int add_names(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *object)
{
	int err = add_name(catalog, kind, object);

	if (err || kind != USBPASS_ATTACHES)
		return err;
	err = add_name(catalog, USBPASS_SLUGS, object);
	if (err)
		remove_name(catalog, kind, object);
	return err;
}

static void remove_names(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *object)
{
	remove_name(catalog, kind, object);
	if (kind == USBPASS_ATTACHES)
		remove_name(catalog, USBPASS_SLUGS, object);
}

static int make_room(struct usbpass_catalog *catalog, enum usbpass_kind kind)
{
	u32 room = catalog->list[kind].room * 2 ?: 16;
	void **items;

	if (catalog->list[kind].nr == kinds[kind].max)
		return -ENOSPC;
	if (catalog->list[kind].nr < catalog->list[kind].room)
		return 0;
	items = kvcalloc(room, sizeof(*items), GFP_KERNEL_ACCOUNT);
	if (!items)
		return -ENOMEM;
	if (catalog->list[kind].nr)
		memcpy(items, catalog->list[kind].items,
		       catalog->list[kind].nr * sizeof(*items));
	kvfree(catalog->list[kind].items);
	catalog->list[kind].items = items;
	catalog->list[kind].room = room;
	return 0;
}

int usbpass_catalog_add(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *object)
{
	int err = make_room(catalog, kind);

	if (!err)
		err = add_names(catalog, kind, object);
	if (!err)
		catalog->list[kind].items[catalog->list[kind].nr++] = object;
	return err;
}

static u32 index_of(const struct usbpass_catalog *catalog, enum usbpass_kind kind,
		    const void *object)
{
	u32 i;

	for (i = 0; i < catalog->list[kind].nr; i++)
		if (catalog->list[kind].items[i] == object)
			break;
	return i;
}

static bool same_name(enum usbpass_kind kind, void *a, void *b)
{
	return !strcmp(usbpass_catalog_name(kind, a), usbpass_catalog_name(kind, b));
}

/* The last step of a replacement: @object's own name is there already if it is another. */
static void settle_name(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *old,
			void *object)
{
	if (same_name(kind, old, object))
		find(catalog, kind, usbpass_catalog_name(kind, object))->object = object;
	else
		remove_name(catalog, kind, old);
}

int usbpass_catalog_replace(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *old,
			    void *object)
{
	bool renamed = !same_name(kind, old, object);
	int err = renamed ? add_name(catalog, kind, object) : 0;

	if (err)
		return err;
	if (kind == USBPASS_ATTACHES && !same_name(USBPASS_SLUGS, old, object)) {
		err = add_name(catalog, USBPASS_SLUGS, object);
		if (err && renamed)
			remove_name(catalog, kind, object);
		if (err)
			return err;
	}
	settle_name(catalog, kind, old, object);
	if (kind == USBPASS_ATTACHES)
		settle_name(catalog, USBPASS_SLUGS, old, object);
	catalog->list[kind].items[index_of(catalog, kind, old)] = object;
	kinds[kind].put(old);
	return 0;
}

void usbpass_catalog_remove(struct usbpass_catalog *catalog, enum usbpass_kind kind,
			    void *object)
{
	u32 i = index_of(catalog, kind, object);

	remove_names(catalog, kind, object);
	catalog->list[kind].nr--;
	memmove(&catalog->list[kind].items[i], &catalog->list[kind].items[i + 1],
		(catalog->list[kind].nr - i) * sizeof(void *));
	kinds[kind].put(object);
}

void usbpass_catalog_make_name(struct usbpass_catalog *catalog, enum usbpass_kind kind,
			       char *name)
{
	u32 i = catalog->list[kind].nr;

	do {
		snprintf(name, USBPASS_NAME_MAX + 1, "%s%u", kinds[kind].word, ++i);
	} while (find(catalog, kind, name));
}
