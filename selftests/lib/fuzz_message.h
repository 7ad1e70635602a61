/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of the family, made from its specification, half of them mutated.
 *
 *	spec = spec_load(...);  family = ...;
 *	struct maker maker = {.fuzz = fuzz_new(seed, 0)};
 *	uint32_t seq = make(&maker);		(maker.message)
 *	learn(&maker.message, accepted);
 */
#ifndef FUZZ_MESSAGE_H
#define FUZZ_MESSAGE_H

#include <linux/genetlink.h>
#include <linux/usbpass.h>
#include <stdatomic.h>
#include <time.h>

#include "fuzz.h"
#include "spec.h"

#define MESSAGE_MAX 16384
#define IDS 8

struct message {
	uint8_t data[MESSAGE_MAX];
	uint32_t len;
	bool whole;		/* the netlink header tells no lies */
	bool known;		/* a command of the family, in a form that it has */
	bool tame;		/* not mutated: as valid as chance makes it */
	uint8_t used[64][2];	/* set and member */
	unsigned int n_used;
};

struct maker {
	struct fuzz fuzz;
	struct message message;
	bool staged;		/* its socket has a transaction open */
	bool on_trial;		/* what it committed last may wait to be confirmed */
	char last[80];		/* what the message is, for people */
};

static struct spec *spec;
static uint16_t family;
static _Atomic uint32_t sequence = 1000;
/* Ids of a set's objects, as answers told them, the last ones. */
static _Atomic uint32_t ids[16][IDS];
static _Atomic unsigned int n_ids[16];
/* Which members the kernel takes from outside is learned: how often each stood in a tame message, and in an accepted one. */
static _Atomic unsigned int tried[16][SPEC_MEMBERS], taken[16][SPEC_MEMBERS];

static inline void learn_id(int set, uint32_t id)
{
	ids[set][atomic_fetch_add(&n_ids[set], 1) % IDS] = id;
}

static inline uint32_t some_id(struct fuzz *f, int set)
{
	unsigned int n = n_ids[set];

	return n ? ids[set][fuzz_below(f, n < IDS ? n : IDS)] : 1;
}

static inline void learn(const struct message *m, bool accepted)
{
	for (unsigned int i = 0; i < m->n_used; i++) {
		atomic_fetch_add(&tried[m->used[i][0]][m->used[i][1]], 1);
		if (accepted)
			atomic_fetch_add(&taken[m->used[i][0]][m->used[i][1]], 1);
	}
}

/* One mutation in so many places, in messages that are to have some. */
static inline bool wild(struct maker *w, uint32_t n)
{
	return !w->message.tame && fuzz_once_in(&w->fuzz, n);
}

static inline void append(struct message *m, const void *data, uint32_t len)
{
	if (m->len + len > MESSAGE_MAX)
		return;
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static inline void append_attr(struct message *m, uint16_t type, const void *data, uint32_t len)
{
	struct nlattr attr = {.nla_len = NLA_HDRLEN + len, .nla_type = type};

	if (m->len + NLA_HDRLEN + NLA_ALIGN(len) > MESSAGE_MAX || len > 60000)
		return;
	append(m, &attr, sizeof(attr));
	append(m, data, len);
	append(m, "\0\0\0", NLA_ALIGN(len) - len);
}

/* Few names, so that they meet. */
static inline uint32_t make_string(struct maker *w, const char *name, char *text)
{
	static const char *const odd[] = {"", " ", "a/b", "\xff\xfe", "\x1b[2J", "..", ".", "qmp:/run/vm.sock", "vhci_hcd.0/1", "1",
		"\xc3\xa4\xf0\x9f\x94\x91", "a name with spaces", "A", "%s%n"};
	struct fuzz *f = &w->fuzz;
	uint32_t len;

	if (wild(w, 6)) {
		len = fuzz_once_in(f, 2) ? 60 + fuzz_below(f, 8) : fuzz_below(f, 1400);
		memset(text, 'a' + fuzz_below(f, 26), len);
		text[len] = '\0';
		return len + !fuzz_once_in(f, 4);
	}
	if (wild(w, 4))
		strcpy(text, odd[fuzz_below(f, sizeof(odd) / sizeof(*odd))]);
	else
		sprintf(text, "%c%u", !strcmp(name, "group") ? 'n' : name[0], fuzz_below(f, 6));
	return strlen(text) + !wild(w, 40);
}

/* An expression's table of two states and three classes, as it is or with a byte or its end wrong. Gives its size. */
static inline size_t make_table(struct maker *w, uint8_t *table)
{
	struct fuzz *f = &w->fuzz;
	size_t size = USBPASS_TABLE_SIZE(2, 3);

	memset(table, 0, size);
	table[0] = 2;
	table[1] = 3;
	for (unsigned int i = 0; i < 20; i++)
		table[2 + fuzz_below(f, 256)] = fuzz_below(f, 3);
	for (size_t i = 258; i < size; i++)
		table[i] = fuzz_below(f, 2);
	if (wild(w, 8))
		table[fuzz_below(f, size)] = fuzz_below(f, 256);
	return wild(w, 12) ? fuzz_below(f, size) : size;
}

static inline void put_value(struct maker *w, struct message *m, const struct spec_set *set, const struct spec_member *member, uint16_t type)
{
	static const uint8_t sizes[] = {[SPEC_PAD] = 0, [SPEC_U8] = 1, [SPEC_U16] = 2, [SPEC_U32] = 4, [SPEC_S32] = 4, [SPEC_U64] = 8};
	struct fuzz *f = &w->fuzz;
	uint64_t number;
	char text[1500];

	if (member->type == SPEC_STRING) {
		append_attr(m, type, text, make_string(w, member->name, text));
		return;
	}
	if (member->type == SPEC_BINARY) {
		append_attr(m, type, text, make_table(w, (uint8_t *)text));
		return;
	}
	if (wild(w, 6))
		number = fuzz_number(f);
	else if (!strcmp(member->name, "op") || !strcmp(member->name, "enabled"))
		number = fuzz_below(f, 2) + (member->name[0] == 'o');
	else if (!strcmp(member->name, "confirm-secs"))
		number = 1 + fuzz_below(f, 2);	/* all others are refused meanwhile */
	else if (!strcmp(member->name, "flags"))
		number = fuzz_once_in(f, 2) ? 0 : 1 << fuzz_below(f, 6);
	else if (!strcmp(member->name, "until"))
		number = time(NULL) + 1 + fuzz_below(f, USBPASS_LEARNED_DAYS * 86400);
	else if (member->enum_end)
		number = fuzz_below(f, member->enum_end);
	else if (!strcmp(member->name, "id"))
		number = some_id(f, set - spec->sets);
	else if (!strcmp(member->name, "job"))
		number = some_id(f, 0);
	else if (!strcmp(member->name, "maintenance"))
		number = fuzz_once_in(f, 8);	/* on, nothing else happens */
	else if (!strcmp(member->name, "mask"))
		number = 0xffffff;
	else if (member->type == SPEC_U32 || member->type == SPEC_U16)
		number = (uint32_t[]){0x1209, 0x0e01, 1, 2, 3, 480000}[fuzz_below(f, member->type == SPEC_U32 ? 6 : 5)];
	else if (member->type == SPEC_U8 || member->type == SPEC_U64)
		number = fuzz_below(f, 2);
	else
		number = fuzz_number(f);
	append_attr(m, type, &number, sizes[member->type]);
}

static void put_set(struct maker *w, struct message *m, int index, int command, int depth);

static inline void put_member(struct maker *w, struct message *m, int index, int which, int command, int depth)
{
	const struct spec_set *set = &spec->sets[index];
	const struct spec_member *member = &set->members[which];
	struct fuzz *f = &w->fuzz;
	uint32_t at = m->len, junk[8];
	uint16_t type = which;
	struct nlattr attr;

	if (m->n_used < 64)
		memcpy(m->used[m->n_used++], (uint8_t[]){index, which}, 2);
	if (wild(w, 80)) {
		for (unsigned int i = 0; i < 8; i++)
			junk[i] = fuzz_next(f);
		append_attr(m, fuzz_once_in(f, 2) ? type : (uint16_t)fuzz_next(f), junk, fuzz_below(f, 33));
		return;
	}
	if (wild(w, 50))
		type = fuzz_below(f, set->last + 4);
	if (member->type != SPEC_NEST) {
		put_value(w, m, set, member, type | (wild(w, 100) ? NLA_F_NESTED : 0));
	} else if (depth < 6 && m->len + 2000 < MESSAGE_MAX) {
		attr.nla_type = type | (wild(w, 50) ? 0 : NLA_F_NESTED);
		append(m, &attr, sizeof(attr));
		put_set(w, m, member->set, command, depth + 1);
		attr.nla_len = m->len - at;
		memcpy(m->data + at, &attr, sizeof(attr));
	}
	/* Lies about the length. */
	if (wild(w, 100) && m->len > at + 2) {
		attr.nla_len = fuzz_once_in(f, 2) ? (uint16_t)fuzz_number(f) : (uint16_t)(m->len - at + fuzz_below(f, 9) - 4);
		memcpy(m->data + at, &attr.nla_len, 2);
	}
}

static inline int member_of(const struct spec_set *set, const char *name)
{
	for (int i = 1; i <= set->last; i++)
		if (!strcmp(set->members[i].name, name))
			return i;
	return 0;
}

/* One that the field takes, but an expression's, which comes with a table. */
static inline uint8_t some_op(struct fuzz *f, uint8_t field, bool is_string)
{
	if (is_string && fuzz_once_in(f, 2))
		return USBPASS_OP_NOT_BEGINS + fuzz_below(f, USBPASS_OP_NOT_REGEX - USBPASS_OP_NOT_BEGINS);
	if (is_string)
		return 1 + fuzz_below(f, USBPASS_OP_GLOB);
	if (field == USBPASS_FIELD_DEVICE_CLASS || field == USBPASS_FIELD_INTERFACE_CLASS || field == USBPASS_FIELD_REMOVABLE ||
	    field == USBPASS_FIELD_ANY)
		return USBPASS_OP_EQ;
	return 1 + fuzz_below(f, USBPASS_OP_GE);
}

/* What goes by field in a condition: by chance alone nearly none would be taken. */
static inline void put_condition(struct maker *w, struct message *m, int index, int depth)
{
	const struct spec_set *set = &spec->sets[index];
	const struct spec_member *field = &set->members[member_of(set, "field")];
	uint8_t which = fuzz_once_in(&w->fuzz, 2) ? 1 + fuzz_below(&w->fuzz, field->enum_end - 1) :
			fuzz_once_in(&w->fuzz, 2) ? USBPASS_FIELD_ANY : USBPASS_FIELD_VENDOR;
	bool is_string = which == USBPASS_FIELD_NODE || (which >= USBPASS_FIELD_VENDOR_NAME && which <= USBPASS_FIELD_SOCKET);

	append_attr(m, member_of(set, "field"), &which, 1);
	if (which != USBPASS_FIELD_ANY)
		put_member(w, m, index, member_of(set, is_string ? "string" : "number"), 0, depth);
	if (is_string && fuzz_once_in(&w->fuzz, 3)) {
		uint8_t op = fuzz_once_in(&w->fuzz, 2) ? USBPASS_OP_REGEX : USBPASS_OP_NOT_REGEX;

		append_attr(m, member_of(set, "op"), &op, 1);
		put_member(w, m, index, member_of(set, "table"), 0, depth);
	} else if (wild(w, 8)) {
		put_member(w, m, index, member_of(set, "op"), 0, depth);
	} else if (fuzz_once_in(&w->fuzz, 2)) {
		uint8_t op = some_op(&w->fuzz, which, is_string);

		append_attr(m, member_of(set, "op"), &op, 1);
	}
	if (which == USBPASS_FIELD_INTERFACE_CLASS && fuzz_once_in(&w->fuzz, 2))
		put_member(w, m, index, member_of(set, "quantifier"), 0, depth);
}

/* A device that is described: an id beside it would be refused. */
static inline void put_described(struct maker *w, struct message *m, int index, int command, int depth)
{
	const struct spec_set *set = &spec->sets[index];

	for (int which = member_of(set, "socket"); which <= member_of(set, "interface-class"); which++)
		if (strcmp(set->members[which].name, "busid") && fuzz_once_in(&w->fuzz, 3))
			put_member(w, m, index, which, command, depth);
}

/* A device that takes resets badly, by one of two. */
static inline void put_learned(struct maker *w, struct message *m, int index, int command, int depth)
{
	const struct spec_set *set = &spec->sets[index];

	put_member(w, m, index, member_of(set, "vendor"), command, depth);
	put_member(w, m, index, member_of(set, "product"), command, depth);
	put_member(w, m, index, member_of(set, fuzz_once_in(&w->fuzz, 2) ? "serial" : "socket"), command, depth);
	put_member(w, m, index, member_of(set, "until"), command, depth);
}

/* What a rule does, and with which devices: claims into a group, ignores, or quarantines. */
static inline void put_action(struct maker *w, struct message *m, int index, int command, int depth)
{
	const struct spec_set *set = &spec->sets[index];
	uint8_t action = 1 + fuzz_below(&w->fuzz, USBPASS_ACTION_QUARANTINE);

	append_attr(m, member_of(set, "action"), &action, 1);
	if (action == 1)
		put_member(w, m, index, member_of(set, "group"), command, depth);
	do
		put_member(w, m, index, member_of(set, "cond"), command, depth);
	while (fuzz_once_in(&w->fuzz, 4));
}

/* Some members of the set in any order, and what a NEW needs. */
static void put_set(struct maker *w, struct message *m, int index, int command, int depth)
{
	const struct spec_set *set = &spec->sets[index];
	struct fuzz *f = &w->fuzz;
	bool is_new = strstr(spec->commands[command].name, "-new");

	if (!strcmp(set->name, "cond") && !wild(w, 4)) {
		put_condition(w, m, index, depth);
		return;
	}
	if (!strcmp(set->name, "learned") && !wild(w, 4)) {
		put_learned(w, m, index, command, depth);
		return;
	}
	if (!strcmp(set->name, "device") && !strcmp(spec->commands[command].name, "rule-test") && fuzz_once_in(f, 2)) {
		put_described(w, m, index, command, depth);
		return;
	}
	if (!wild(w, 6)) {
		if (is_new && !strcmp(set->name, "rule"))
			put_action(w, m, index, command, depth);
		else if (is_new && !strcmp(set->name, "attach"))
			put_member(w, m, index, member_of(set, "group"), command, depth);
		else if (!is_new && depth == 1)
			put_member(w, m, index, member_of(set, fuzz_once_in(f, 2) && member_of(set, "name") ? "name" : "id"), command, depth);
	}
	while (!fuzz_once_in(f, m->tame ? 2 : 3)) {
		int which = 1 + fuzz_below(f, set->last);

		if (!taken[index][which] && tried[index][which] > 2 && !fuzz_once_in(f, 10))
			continue;
		if (is_new && !strcmp(set->members[which].name, "id"))
			continue;
		put_member(w, m, index, which, command, depth);
		if (wild(w, 20))
			put_member(w, m, index, which, command, depth);
	}
}

static inline int choose_command(struct maker *w)
{
	struct fuzz *f = &w->fuzz;
	int command = 1 + fuzz_below(f, spec->last_command);

	/* What is there is little before it is deleted. */
	if (strstr(spec->commands[command].name, "-del"))
		command = 1 + fuzz_below(f, spec->last_command);
	/* A transaction that stays open is overtaken by another's commit. */
	if (w->staged && fuzz_once_in(f, 3))
		command = fuzz_once_in(f, 4) ? USBPASS_CMD_TXN_ABORT : USBPASS_CMD_TXN_COMMIT;
	else if (w->on_trial && fuzz_once_in(f, 3))
		command = fuzz_once_in(f, 2) ? USBPASS_CMD_TXN_CONFIRM : USBPASS_CMD_TXN_REVERT;
	return command;
}

static inline void mutate_bytes(struct fuzz *f, struct message *m)
{
	uint32_t head = NLMSG_HDRLEN, times = 1 + fuzz_below(f, 4);

	while (times-- && m->len > head)
		m->data[head + fuzz_below(f, m->len - head)] = fuzz_once_in(f, 2) ? fuzz_next(f) : fuzz_number(f);
}

/* Of a command's own: what it is about always, what may be there besides at times. */
static inline bool is_put(struct maker *w, const struct spec_member *member)
{
	return member->type == SPEC_NEST || !strcmp(member->name, "job") || !strcmp(member->name, "maintenance") ||
	       !strcmp(member->name, "result") ? !wild(w, 10) : fuzz_once_in(&w->fuzz, 4);
}

/* One message. Returns its sequence number. */
static inline uint32_t make(struct maker *w)
{
	struct message *m = &w->message;
	struct fuzz *f = &w->fuzz;
	struct nlmsghdr head = {.nlmsg_type = family, .nlmsg_seq = atomic_fetch_add(&sequence, 1), .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
	int command = choose_command(w);
	const struct spec_command *entry = &spec->commands[command];
	struct genlmsghdr generic = {.cmd = command, .version = 1};

	m->len = m->n_used = 0;
	m->whole = true;
	m->known = entry->does;
	m->tame = fuzz_once_in(f, 2);
	if (entry->dumps && (!entry->does || fuzz_once_in(f, 2))) {
		head.nlmsg_flags |= NLM_F_DUMP;
		m->known = true;
	} else if (wild(w, 30)) {
		head.nlmsg_flags ^= fuzz_next(f);
		m->known = false;
	}
	if (wild(w, 30)) {
		generic.cmd = fuzz_next(f);
		m->known = false;
	}
	if (wild(w, 30)) {
		generic.version = fuzz_next(f);
		generic.reserved = fuzz_next(f);
		m->known = false;
	}
	append(m, &head, sizeof(head));
	append(m, &generic, sizeof(generic));
	if (!(head.nlmsg_flags & NLM_F_DUMP) || wild(w, 4))
		for (int i = 0; i < entry->n_request; i++)
			if (is_put(w, &spec->sets[0].members[entry->request[i]]))
				put_member(w, m, 0, entry->request[i], command, 0);
	if (wild(w, 10))
		put_set(w, m, 0, command, 0);
	if (wild(w, 8)) {
		mutate_bytes(f, m);
		m->known = false;
	}
	if (wild(w, 20))
		m->len = NLMSG_HDRLEN + fuzz_below(f, m->len - NLMSG_HDRLEN + 1), m->known = false;
	head.nlmsg_len = m->len;
	if (wild(w, 30)) {
		head.nlmsg_len = fuzz_once_in(f, 2) ? fuzz_number(f) : m->len + fuzz_below(f, 17) - 8;
		m->whole = m->known = false;
	}
	memcpy(m->data, &head, sizeof(head));
	snprintf(w->last, sizeof(w->last), "%s%s%s (seq %u)", m->known ? "" : "a broken ", entry->name,
		 head.nlmsg_flags & NLM_F_ROOT ? " as a list" : "", head.nlmsg_seq);
	return head.nlmsg_seq;
}

#endif
