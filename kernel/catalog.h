/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_CATALOG_H
#define _USBPASS_CATALOG_H

#include <linux/rhashtable-types.h>
#include <linux/types.h>

/* A changeable collection of groups, rules and attachments, by id and by name. */

enum usbpass_kind {
	USBPASS_GROUPS,
	USBPASS_RULES,
	USBPASS_ATTACHES,
	USBPASS_KINDS,
	USBPASS_SLUGS = USBPASS_KINDS,	/* names of their own, of attachments */
};

struct usbpass_catalog {
	struct {
		void **items;		/* references; in order of addition */
		u32 nr, room;
	} list[USBPASS_KINDS];
	struct rhashtable names;
};

/* @nr: how many names it will have, about. 0 or -ENOMEM. */
int usbpass_catalog_init(struct usbpass_catalog *catalog, u32 nr);
void usbpass_catalog_free(struct usbpass_catalog *catalog);	/* drops the references */

/* Takes over the caller's reference if 0 is returned. -EEXIST, -ENOMEM, -ENOSPC. */
int usbpass_catalog_add(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *object);
/* As add; @old leaves, and its reference is dropped. */
int usbpass_catalog_replace(struct usbpass_catalog *catalog, enum usbpass_kind kind, void *old,
			    void *object);
void usbpass_catalog_remove(struct usbpass_catalog *catalog, enum usbpass_kind kind,
			    void *object);

/* No reference; NULL: none. */
void *usbpass_catalog_by_name(struct usbpass_catalog *catalog, enum usbpass_kind kind,
			      const char *name);

u32 usbpass_catalog_id(enum usbpass_kind kind, const void *object);
void usbpass_catalog_set_id(enum usbpass_kind kind, void *object, u32 id);
char *usbpass_catalog_name(enum usbpass_kind kind, void *object);	/* USBPASS_NAME_MAX + 1 */

/* A free name "group1" in @name, of USBPASS_NAME_MAX + 1 bytes. */
void usbpass_catalog_make_name(struct usbpass_catalog *catalog, enum usbpass_kind kind,
			       char *name);

#endif /* _USBPASS_CATALOG_H */
