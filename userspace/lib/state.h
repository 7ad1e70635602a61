/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A whole configuration: groups, rules, attachments. From and to a YAML file
 * (state*.c, format in usbpass.yaml(5)), from and to the kernel
 * (state_kernel.c). A file may also hold devices that take resets badly, which
 * are no configuration: read, stage and commit leave @learned alone.
 *
 * Of each object only what an operator can set is kept, under its `has` bits;
 * ids, counters and states are not. Rules stand in match order.
 */
#ifndef _LIBUSBPASS_STATE_H
#define _LIBUSBPASS_STATE_H

#include "usbpass.h"

struct usbpass_state {
	uint64_t generation;			/* 0: none said */
	bool on_trial;				/* read from the kernel: waits to be confirmed */
	struct usbpass_group *groups;
	size_t n_groups;
	struct usbpass_rule *rules;
	size_t n_rules;
	struct usbpass_attachment *attachments;
	size_t n_attachments;
	struct usbpass_learned *learned;
	size_t n_learned;
};

/**
 * usbpass_state_load - read a YAML file
 * @path: "-": standard input
 * @out: on success; free with usbpass_state_free(). On error empty.
 * @err: on error a sentence with file, line and column
 *
 * Return: 0; -ENOENT and the like of open(2); -EINVAL, not a valid file;
 * -EOPNOTSUPP, written by a newer usbpass; -ENOMEM.
 */
int usbpass_state_load(const char *path, struct usbpass_state *out, char *err, size_t errsize);

/**
 * usbpass_state_save - write a YAML file
 * @path: replaced in one step (written beside it, fsync, rename); "-": stdout
 * @err: on error a sentence
 *
 * Return: 0 once the file is safe, or a negative errno.
 */
int usbpass_state_save(const char *path, const struct usbpass_state *state, char *err,
		       size_t errsize);

/* Frees what it holds, not itself; leaves it empty. */
void usbpass_state_free(struct usbpass_state *state);

/**
 * usbpass_state_read - the configuration in force, all of one generation
 *
 * Return: 0, or a negative errno; usbpass_error() says more.
 */
int usbpass_state_read(struct usbpass *h, struct usbpass_state *out);

/**
 * usbpass_state_stage - begin a transaction that has this configuration and nothing else
 * @err: on error a sentence that names the object at fault
 *
 * Lists and rule tests of @h are about it until it is committed or aborted, which is the caller's.
 *
 * Return: 0, or a negative errno; then there is no transaction.
 */
int usbpass_state_stage(struct usbpass *h, const struct usbpass_state *state, char *err,
			size_t errsize);

/**
 * usbpass_state_commit - make it the configuration in force, in one transaction
 * @flags: of the commit: USBPASS_F_REVOKE, USBPASS_F_RESCAN
 * @generation: the new one; may be NULL
 * @err: on error a sentence that names the object at fault
 *
 * What @state lacks goes; an object whose name exists keeps id, age, counters
 * and slot. @state->generation is not looked at.
 *
 * Return: 0, or a negative errno; then nothing has changed.
 */
int usbpass_state_commit(struct usbpass *h, const struct usbpass_state *state, uint32_t flags,
			 uint64_t *generation, char *err, size_t errsize);

/* The same by usbpass_txn_trial(): the kernel goes back after @secs (0: never). */
int usbpass_state_trial(struct usbpass *h, const struct usbpass_state *state, uint32_t flags,
			uint32_t secs, uint64_t *generation, char *err, size_t errsize);

#endif /* _LIBUSBPASS_STATE_H */
