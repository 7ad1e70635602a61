/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libusbpass: the kernel's netlink family "usbpass" as plain C structs.
 *
 * Presence. Every object has a 64-bit `has`: bit USBPASS_HAS(USBPASS_A_...) is
 * set where the attribute of that number is present, so that zero, empty and
 * absent differ. What is absent is not sent; what the kernel did not send is
 * zero or "" and has no bit.
 *
 * Errors. Functions return 0, or a negative errno: any that linux/usbpass.h
 * lists for the command, and of this library
 *   -ENOMEM    no memory
 *   -ENOTCONN  no kernel module answers (from usbpass_open only)
 *   -EBADMSG   the kernel's answer is malformed
 *   -ETIMEDOUT no answer in time
 * usbpass_error() then has the text and the attribute at fault.
 *
 * Units are those of linux/usbpass.h: speeds in kbit/s, times in nanoseconds of
 * CLOCK_BOOTTIME, class triples as 0xCCSSPP. Time-outs here are milliseconds,
 * -1 for ever. Flags are USBPASS_F_*. A handle belongs to one thread at a time.
 */
#ifndef _LIBUSBPASS_USBPASS_H
#define _LIBUSBPASS_USBPASS_H

#include <linux/usbpass.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USBPASS_HAS(attr)		(UINT64_C(1) << (attr))
#define usbpass_has(obj, attr)		(((obj)->has & USBPASS_HAS(attr)) != 0)

struct usbpass;				/* a handle */

struct usbpass_info {
	uint64_t has;			/* USBPASS_A_INFO_* */
	char version[64];
	uint64_t features;
	char node[256];
	uint32_t devices, claimed, leases, groups, rules, attachments;
	uint64_t event_seq;
	uint64_t transfer_bytes;
	uint32_t hold_ms;
	uint32_t confirm_ms;
	uint8_t maintenance;
	uint64_t generation;		/* of the message, always there */
};

struct usbpass_device {
	uint64_t has;			/* USBPASS_A_DEVICE_* */
	uint32_t id;
	uint8_t state;			/* enum usbpass_device_state */
	char reason[USBPASS_REASON_MAX + 1];
	char remedy[USBPASS_REASON_MAX + 1];
	uint32_t flags;			/* USBPASS_DEVICE_F_* */
	char socket[USBPASS_SOCKET_MAX + 1];
	char busid[64];
	uint32_t bus, address, level;
	uint16_t vendor, product, bcd_usb, bcd_device;
	uint32_t class;
	char vendor_name[USBPASS_STRING_MAX + 1];	/* raw bytes of the device: */
	char product_name[USBPASS_STRING_MAX + 1];	/* print with */
	char serial[USBPASS_STRING_MAX + 1];		/* usbpass_names_quote() */
	uint32_t speed;			/* kbit/s */
	uint8_t removable;		/* enum usbpass_removable */
	uint32_t interfaces;
	uint32_t *interface_classes;	/* n_interface_classes of them */
	size_t n_interface_classes;
	uint64_t time;
	char group[USBPASS_NAME_MAX + 1];
	uint32_t rule;
	char rule_name[USBPASS_NAME_MAX + 1];
	char attach[USBPASS_NAME_MAX + 1];
	char owner[USBPASS_NAME_MAX + 1];
	uint32_t resets;
};

struct usbpass_group {
	uint64_t has;			/* USBPASS_A_GROUP_* */
	uint32_t id;
	char name[USBPASS_NAME_MAX + 1];
	char owner[USBPASS_NAME_MAX + 1];
	uint8_t type;			/* enum usbpass_group_type */
	uint8_t class;			/* enum usbpass_group_class */
	uint8_t reset;			/* enum usbpass_reset_policy */
	uint8_t enabled;
	char description[USBPASS_DESCRIPTION_MAX + 1];
	uint32_t devices, free;
};

/* One condition. By the field's kind either number (and mask) or string counts. */
struct usbpass_cond {
	uint8_t field;			/* enum usbpass_field */
	uint8_t op;			/* enum usbpass_op */
	uint8_t quantifier;		/* enum usbpass_quantifier */
	uint32_t number;
	uint32_t mask;			/* classes: 0xff0000, 0xffff00, 0xffffff */
	char *string;			/* string fields; else NULL. Owned by the rule */
	uint8_t *table;			/* of a parsed expression, as it is sent; NULL: is made then. The same */
};

struct usbpass_rule {
	uint64_t has;			/* USBPASS_A_RULE_*; COND: conds counts */
	uint32_t id;
	char name[USBPASS_NAME_MAX + 1];
	int32_t priority;
	uint8_t action;			/* enum usbpass_action */
	char group[USBPASS_NAME_MAX + 1];
	uint8_t origin;			/* enum usbpass_origin */
	uint8_t enabled;
	char *description;		/* NULL: none. Owned */
	uint64_t hits;
	struct usbpass_cond *conds;	/* n_conds of them. Owned */
	size_t n_conds;
};

struct usbpass_attachment {
	uint64_t has;			/* USBPASS_A_ATTACH_* */
	uint32_t id;
	char name[USBPASS_NAME_MAX + 1];
	char slug[USBPASS_SLUG_MAX + 1];
	char owner[USBPASS_NAME_MAX + 1];
	char group[USBPASS_NAME_MAX + 1];
	char vm[USBPASS_VM_MAX + 1];
	char description[USBPASS_DESCRIPTION_MAX + 1];
	uint8_t reset;			/* enum usbpass_reset_policy */
	uint8_t optional;
	uint8_t follow;			/* enum usbpass_follow */
	uint8_t enabled;
	uint32_t uid, gid;
	uint16_t pin_vendor, pin_product;
	char pin_serial[USBPASS_STRING_MAX + 1];
	char pin_socket[USBPASS_SOCKET_MAX + 1];
	uint32_t slot;
	uint8_t state;			/* enum usbpass_slot_state */
	char reason[USBPASS_REASON_MAX + 1];
	char remedy[USBPASS_REASON_MAX + 1];
	uint32_t device;
	uint32_t pid;
	char comm[64];
	uint32_t opener_uid;
	uint64_t urbs, bytes;
	uint32_t resets;
};

struct usbpass_event {
	uint64_t has;			/* USBPASS_A_EVENT_* */
	uint64_t seq, time;
	uint8_t type;			/* enum usbpass_event_type */
	uint64_t lost;
	uint32_t device;
	char socket[USBPASS_SOCKET_MAX + 1];
	uint16_t vendor, product;
	char group[USBPASS_NAME_MAX + 1];
	uint32_t rule;
	char attach[USBPASS_NAME_MAX + 1];
	uint8_t state;			/* of device or slot, by type */
	uint32_t job;
	int32_t result;			/* 0 or a negative errno */
	char reason[USBPASS_REASON_MAX + 1];
	uint64_t generation;
	uint32_t pid, uid;
	char comm[64];
	uint8_t reset;			/* enum usbpass_reset_kind */
	char port[USBPASS_PORT_MAX + 1];
};

/* A device that takes resets badly: with a serial, or else a socket. */
struct usbpass_learned {
	uint64_t has;			/* USBPASS_A_LEARNED_* */
	uint16_t vendor, product;
	char serial[USBPASS_STRING_MAX + 1];	/* raw bytes of the device */
	char socket[USBPASS_SOCKET_MAX + 1];
	char owner[USBPASS_NAME_MAX + 1];
	uint64_t until;			/* seconds of CLOCK_REALTIME */
};

/* What a reset would hit. */
struct usbpass_hit {
	struct usbpass_device device;
	uint8_t in_the_way;		/* enum usbpass_in_the_way */
};

/*
 * handle.c
 */

/**
 * usbpass_open - find the kernel module and open a handle
 * @out: the handle; close with usbpass_close(). On error NULL.
 *
 * Return: 0, -ENOTCONN if the module is not loaded, another errno of socket(2).
 */
int usbpass_open(struct usbpass **out);
void usbpass_close(struct usbpass *h);	/* NULL is allowed */

/**
 * usbpass_error - why the handle's last call failed
 *
 * Return: a sentence, never NULL: the kernel's own where it gave one, else one
 * made from the errno. Valid until the handle's next call.
 */
const char *usbpass_error(const struct usbpass *h);
int usbpass_error_code(const struct usbpass *h);	/* negative errno, 0: none */

/* The attribute at fault, as "rule.group"; "" where the kernel named none. */
const char *usbpass_error_attr(const struct usbpass *h);

/*
 * info.c
 */
int usbpass_info_get(struct usbpass *h, struct usbpass_info *out);

/* USBPASS_CMD_MAINTENANCE_SET; what is so already is no error. */
int usbpass_maintenance_set(struct usbpass *h, bool on);

/*
 * Objects: device.c group.c rule.c attachment.c
 *
 * get: by @id if it is not 0, else by @name. list: an array of *@n in the
 * kernel's order (rules: match order); free with the list_free of its kind.
 * Lists are of one generation: a change in mid-dump starts the dump again (at
 * most 64 times, then -EAGAIN). new: sends what `has` says; the kernel's id,
 * name (and slug, slot) come back in the same struct. set: ID or NAME and the
 * present fields. del: by @id if not 0, else by @name.
 */
int usbpass_device_get(struct usbpass *h, uint32_t id, struct usbpass_device *out);
int usbpass_device_list(struct usbpass *h, struct usbpass_device **out, size_t *n);
void usbpass_device_clear(struct usbpass_device *device);
void usbpass_device_list_free(struct usbpass_device *list, size_t n);

/**
 * usbpass_device_claim - ask for a present device (USBPASS_CMD_DEVICE_CLAIM)
 * @reason: why it is pending, with USBPASS_F_PENDING; NULL: none
 * @flags: 0 or USBPASS_F_PENDING
 * @timeout: milliseconds to wait for the job; 0: do not wait
 *
 * Return: 0 once the job is done, its errno, or -ETIMEDOUT (the job goes on).
 */
int usbpass_device_claim(struct usbpass *h, uint32_t id, const char *reason, uint32_t flags,
			 int timeout);

/* The same for USBPASS_CMD_DEVICE_RELEASE; @flags: 0 or USBPASS_F_REVOKE. */
int usbpass_device_release(struct usbpass *h, uint32_t id, uint32_t flags, int timeout);

/*
 * reset.c
 */

/**
 * usbpass_device_reset - begin a reset (USBPASS_CMD_DEVICE_RESET)
 * @kind: enum usbpass_reset_kind
 * @flags: 0 or USBPASS_F_FORCE
 * @job: for usbpass_job_wait(), which tells how it ended; subscribe before to hear of it at once
 *
 * Return: 0 once it has begun, or a negative errno.
 */
int usbpass_device_reset(struct usbpass *h, uint32_t id, uint8_t kind, uint32_t flags,
			 uint32_t *job);

/* What that would hit, the device itself first; resets nothing. Free with usbpass_hit_list_free(). */
int usbpass_device_radius(struct usbpass *h, uint32_t id, uint8_t kind, struct usbpass_hit **out,
			  size_t *n);
void usbpass_hit_list_free(struct usbpass_hit *list, size_t n);

/* How the event POWER_CYCLE of @job ended, of a handle that subscribed with USBPASS_F_POWER. */
int usbpass_power_done(struct usbpass *h, uint32_t job, int32_t result);

/*
 * learned.c. new: sets UNTIL of one that is there. del: UNTIL is not looked at.
 */
int usbpass_learned_new(struct usbpass *h, const struct usbpass_learned *learned);
int usbpass_learned_del(struct usbpass *h, const struct usbpass_learned *learned);
int usbpass_learned_list(struct usbpass *h, struct usbpass_learned **out,
			 size_t *n);		/* free(3) the array */

/* Is it this device's: of the same serial, or where the device has none, in the same socket? */
bool usbpass_learned_is_of(const struct usbpass_learned *learned,
			   const struct usbpass_device *device);

/* What learned_del needs to forget @device. */
struct usbpass_learned usbpass_learned_of(const struct usbpass_device *device);

int usbpass_group_get(struct usbpass *h, uint32_t id, const char *name, struct usbpass_group *out);
int usbpass_group_list(struct usbpass *h, struct usbpass_group **out, size_t *n);
int usbpass_group_new(struct usbpass *h, struct usbpass_group *group);
int usbpass_group_set(struct usbpass *h, const struct usbpass_group *group);
int usbpass_group_del(struct usbpass *h, uint32_t id, const char *name);
void usbpass_group_list_free(struct usbpass_group *list, size_t n);

int usbpass_rule_get(struct usbpass *h, uint32_t id, const char *name, struct usbpass_rule *out);
int usbpass_rule_list(struct usbpass *h, struct usbpass_rule **out, size_t *n);
int usbpass_rule_new(struct usbpass *h, struct usbpass_rule *rule);
int usbpass_rule_set(struct usbpass *h, const struct usbpass_rule *rule);
int usbpass_rule_del(struct usbpass *h, uint32_t id, const char *name);

/* The rule that wins device @id; out->has is 0 where none matches. */
int usbpass_rule_test(struct usbpass *h, uint32_t id, struct usbpass_rule *out);

/* What a rule says of a device. */
struct usbpass_verdict {
	struct usbpass_rule rule;
	bool holds;			/* all conditions do */
	uint32_t failed;		/* else: the first that does not */
};

/**
 * usbpass_rule_explain - every rule's verdict on a device, in match order
 * @device: one that is present by its id, HAS ID alone; or one that is described, by whichever of
 *	the members from socket to interface_classes, but busid, it HAS: of the others a number is
 *	0 and a string empty
 * @out: free with usbpass_verdict_list_free(); the first that holds and is enabled wins
 *
 * In an open transaction the rules are those of the transaction.
 *
 * Return: 0; -ENODEV, no present device has this id; -EINTR, the rules changed meanwhile; -ENOMEM.
 */
int usbpass_rule_explain(struct usbpass *h, const struct usbpass_device *device,
			 struct usbpass_verdict **out, size_t *n);
void usbpass_verdict_list_free(struct usbpass_verdict *list, size_t n);
const struct usbpass_verdict *usbpass_verdict_winner(const struct usbpass_verdict *list, size_t n);

void usbpass_rule_clear(struct usbpass_rule *rule);	/* frees what it owns */
void usbpass_rule_list_free(struct usbpass_rule *list, size_t n);

/* Appends a copy of @cond and its string, not its table; sets HAS COND. -ENOMEM; -E2BIG past USBPASS_CONDS_MAX. */
int usbpass_rule_add_cond(struct usbpass_rule *rule, const struct usbpass_cond *cond);

int usbpass_attachment_get(struct usbpass *h, uint32_t id, const char *name,
			   struct usbpass_attachment *out);
int usbpass_attachment_list(struct usbpass *h, struct usbpass_attachment **out, size_t *n);
int usbpass_attachment_new(struct usbpass *h, struct usbpass_attachment *attachment);
int usbpass_attachment_set(struct usbpass *h, const struct usbpass_attachment *attachment,
			   uint32_t flags);
int usbpass_attachment_del(struct usbpass *h, uint32_t id, const char *name, uint32_t flags);
void usbpass_attachment_list_free(struct usbpass_attachment *list, size_t n);

/*
 * txn.c: the handle's stage. Between begin and commit or abort the handle's
 * new, set, del, get and list of groups, rules and attachments act on it.
 */

/* @generation: the one that must be in force, NULL: any. @flags: 0 or USBPASS_F_REPLACE. */
int usbpass_txn_begin(struct usbpass *h, const uint64_t *generation, uint32_t flags);

/* @flags: USBPASS_F_REVOKE, USBPASS_F_RESCAN. @generation: the new one, may be NULL. */
int usbpass_txn_commit(struct usbpass *h, uint32_t flags, uint64_t *generation);
int usbpass_txn_abort(struct usbpass *h);

/* As commit; the kernel goes back after @secs (0: never) unless somebody confirms. */
int usbpass_txn_trial(struct usbpass *h, uint32_t flags, uint32_t secs, uint64_t *generation);

/* Any handle's. @generation: in force now, may be NULL. */
int usbpass_txn_confirm(struct usbpass *h, uint64_t *generation);
int usbpass_txn_revert(struct usbpass *h, uint64_t *generation);

/*
 * event.c: events come on a socket of their own, so that calls on the handle
 * may go on between them.
 */

/*
 * @since: also those kept with a greater sequence number; NULL: only new ones. @flags: 0, or
 * USBPASS_F_POWER, a promise to carry out each POWER_CYCLE; -EBUSY: another socket has made it.
 */
int usbpass_event_subscribe(struct usbpass *h, const uint64_t *since, uint32_t flags);
int usbpass_event_fd(const struct usbpass *h);	/* for poll(2); -1: not subscribed */

/* Return: 0, -EAGAIN when none came within @timeout, -ENOTCONN if not subscribed. */
int usbpass_event_next(struct usbpass *h, struct usbpass_event *out, int timeout);
int usbpass_event_list(struct usbpass *h, const uint64_t *since, struct usbpass_event **out,
		       size_t *n);		/* those kept; free(3) the array */

/*
 * job.c
 */

/* The job's event; result is -EINPROGRESS while it runs. */
int usbpass_job_get(struct usbpass *h, uint32_t job, struct usbpass_event *out);

/*
 * Waits for the end of @job and returns its result. Subscribe before starting
 * the job to be told at once; without a subscription it asks again and again.
 */
int usbpass_job_wait(struct usbpass *h, uint32_t job, int timeout);

/*
 * words.c: the enums in words, the same in options, YAML and JSON. _word gives
 * "unknown" for a number that it does not know; _number -1 for such a word.
 */
enum usbpass_words {
	USBPASS_WORDS_GROUP_TYPE,
	USBPASS_WORDS_GROUP_CLASS,
	USBPASS_WORDS_RESET,		/* the policies */
	USBPASS_WORDS_RESET_KIND,
	USBPASS_WORDS_IN_THE_WAY,
	USBPASS_WORDS_ACTION,
	USBPASS_WORDS_ORIGIN,
	USBPASS_WORDS_FOLLOW,
	USBPASS_WORDS_REMOVABLE,
	USBPASS_WORDS_DEVICE_STATE,
	USBPASS_WORDS_SLOT_STATE,
	USBPASS_WORDS_EVENT_TYPE,
	USBPASS_WORDS_FIELD,
	USBPASS_WORDS_QUANTIFIER,
};

const char *usbpass_words_word(enum usbpass_words kind, unsigned int number);
int usbpass_words_number(enum usbpass_words kind, const char *word);

/* All words of a kind, "none, device, hub", for messages. -> @buf */
const char *usbpass_words_list(enum usbpass_words kind, char *buf, size_t size);

#endif /* _LIBUSBPASS_USBPASS_H */
