/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_CONFIG_H
#define _USBPASS_CONFIG_H

#include <linux/kref.h>
#include <linux/types.h>
#include <linux/usbpass.h>

struct usbpass_facts;
struct usbpass_slot;

#define USBPASS_OWNER_HOST	1	/* the only owner of this version */

/*
 * Groups, rules and attachments are immutable once in force; a SET replaces
 * the object. A configuration (one generation of all of them) refers to each.
 */
struct usbpass_group {
	struct kref kref;
	u32 id;
	u32 owner;
	u8 type, class, reset;
	bool enabled;
	char name[USBPASS_NAME_MAX + 1];
	char *description;		/* NULL: none */
};

struct usbpass_pin {
	bool has_vendor, has_product;
	u16 vendor, product;
	char *serial;			/* NULL: any */
	char *socket;			/* NULL: any */
};

struct usbpass_attach {
	struct kref kref;
	u32 id;
	u32 owner;
	u32 group_id;
	bool has_reset, optional, enabled, has_gid;
	u8 reset;
	u8 follow;
	u32 uid, gid;			/* of the node, initial user namespace */
	struct usbpass_pin pin;
	char name[USBPASS_NAME_MAX + 1];
	char slug[USBPASS_SLUG_MAX + 1];
	char *vm;			/* NULL: none */
	char *description;		/* NULL: none */
	struct usbpass_slot *slot;	/* reference; shared by the SETs of one */
};

/* What the ruleset in force says about a device. */
struct usbpass_verdict {
	u8 action;			/* enum usbpass_action; 0: no rule matches */
	u32 rule_id;
	u32 group_id;			/* 0 unless action is CLAIM */
	char rule_name[USBPASS_NAME_MAX + 1];
};

int usbpass_config_init(void);
void usbpass_config_exit(void);

u64 usbpass_config_generation(void);

/* A pure look-up under RCU: callable from .match. @count: this is a plug-in, count a hit. */
void usbpass_config_decide(const struct usbpass_facts *facts, struct usbpass_verdict *verdict,
			   bool count);

/* References on objects in force, NULL if there is none; the matching put drops them. */
struct usbpass_group *usbpass_config_group(u32 id);
void usbpass_group_put(struct usbpass_group *group);
struct usbpass_attach *usbpass_config_attach(u32 id);
struct usbpass_attach *usbpass_attach_get(struct usbpass_attach *attach);
/* Another one of the same id, without a slot. NULL: no memory. */
struct usbpass_attach *usbpass_attach_copy(const struct usbpass_attach *from);
void usbpass_attach_put(struct usbpass_attach *attach);

/* Policy in force: the narrower of the attachment's and its group's; NONE if it is gone. */
u8 usbpass_config_reset_policy(u32 attach_id);

bool usbpass_pin_matches(const struct usbpass_pin *pin, const struct usbpass_facts *facts);

#endif /* _USBPASS_CONFIG_H */
