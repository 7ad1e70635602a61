// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0 yaml-0.1
// link: ../userspace/libusbpass.a lib/libemu.a
// group: fuzz
// timeout: 240 90000
// Messages made from uapi/usbpass.yaml and mutated: types, lengths, nesting, order, doubles, header; on several sockets with
// transactions and lists open at once, closed in the middle; and on one without authority. Each request has one end, and each
// answer is as the file says.
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>

#define TAP_SECONDS 200
#include "emu.h"
#include "fuzz_message.h"
#include "fuzz_world.h"
#include "rule_text.h"
#include "tap.h"
#include "usbpass.h"

#define WORKERS 4		/* the last one without authority */
#define SOCKETS 3		/* of a worker */
#define ACCEPTED_LEAST 2000	/* messages */
/* Commands that the kernel never took; POWER_DONE wants a power cycle under way. */
#define NEVER_MOST (tap_long() ? 1 : 4)

struct worker {
	pthread_t thread;
	struct maker maker;
	int sockets[SOCKETS];
	bool staged[SOCKETS];
	bool powerless;
	uint8_t answer[65536];
	_Atomic uint64_t since;
};

static struct worker workers[WORKERS];
static struct emu *emus[2];
static atomic_bool over;
static _Atomic unsigned long sent, accepted, refused, listed, wrong;
static _Atomic unsigned long accepted_of[SPEC_MEMBERS];

#define WRONG(w, ...)                                                                                                          \
	do {                                                                                                                   \
		if (atomic_fetch_add(&wrong, 1) < 20) {                                                                        \
			flockfile(stdout);                                                                                     \
			printf("# after %s: ", (w)->maker.last);                                                                     \
			TAP_SAY(__VA_ARGS__);                                                                                  \
			funlockfile(stdout);                                                                                   \
		}                                                                                                              \
	} while (0)

static int open_socket(struct fuzz *f)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), one = 1, size = 8 << 20;

	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	one = fuzz_below(f, 2);
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* How one request ended. */
struct end {
	unsigned int ends, objects;
	int error;
	bool text;		/* the error has a sentence */
	bool lost;		/* the socket's buffer ran over */
};

static bool has_text(const struct nlmsghdr *head, size_t fixed)
{
	const uint8_t *at = (const uint8_t *)head + NLMSG_HDRLEN + NLMSG_ALIGN(fixed), *last = (const uint8_t *)head + head->nlmsg_len;
	const struct nlattr *attr;

	while (at + NLA_HDRLEN <= last) {
		attr = (const struct nlattr *)at;
		if (attr->nla_len < NLA_HDRLEN)
			return false;
		if ((attr->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG && attr->nla_len > NLA_HDRLEN + 8)
			return true;
		at += NLA_ALIGN(attr->nla_len);
	}
	return false;
}

/* An object: as the file says; its id is kept for later. */
static void look_at(struct worker *w, const struct nlmsghdr *head)
{
	const uint8_t *data = (const uint8_t *)head + NLMSG_HDRLEN + GENL_HDRLEN;
	const struct genlmsghdr *generic = (const void *)((const uint8_t *)head + NLMSG_HDRLEN);
	size_t len = head->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	const struct spec_member *member;
	const struct nlattr *attr = (const void *)data, *id;
	const char *why = spec_wrong(spec, &spec->sets[0], data, len);

	if (why)
		WRONG(w, "an answer to command %u is not as the file says: %s", generic->cmd, why);
	while (!why && (const uint8_t *)attr + NLA_HDRLEN <= data + len) {
		member = &spec->sets[0].members[attr->nla_type & NLA_TYPE_MASK];
		id = attr + 1;
		if (!strcmp(member->name, "job"))
			learn_id(0, *(const uint32_t *)id);
		if (member->type == SPEC_NEST && attr->nla_len >= 12 && id->nla_len == 8 &&
		    id->nla_type == member_of(&spec->sets[member->set], "id"))
			learn_id(member->set, *(const uint32_t *)(id + 1));
		attr = (const void *)((const uint8_t *)attr + NLA_ALIGN(attr->nla_len));
	}
}

static void look_at_all(struct worker *w, ssize_t len, uint32_t seq, struct end *end)
{
	int error;

	for (struct nlmsghdr *head = (void *)w->answer; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len)) {
		if (head->nlmsg_type == family)
			look_at(w, head);
		if (head->nlmsg_seq != seq)
			continue;	/* an event, or the rest of a list that was left */
		if (head->nlmsg_type == family) {
			end->objects++;
			continue;
		}
		if (head->nlmsg_type != NLMSG_ERROR && head->nlmsg_type != NLMSG_DONE)
			continue;
		memcpy(&error, NLMSG_DATA(head), sizeof(error));
		end->ends++;
		end->error = error;
		end->text = has_text(head, head->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(error));
	}
}

/* All that has come. A verb has answered when send() is back; a list goes on with each read. */
static void drain(struct worker *w, int fd, uint32_t seq, struct end *end)
{
	ssize_t len;

	while ((len = recv(fd, w->answer, sizeof(w->answer), MSG_DONTWAIT)) > 0 || (len < 0 && errno == ENOBUFS)) {
		if (len < 0)
			end->lost = true;
		else
			look_at_all(w, len, seq, end);
	}
}

static void judge(struct worker *w, const struct message *m, const struct end *end)
{
	const struct nlmsghdr *head = (const void *)m->data;
	const struct genlmsghdr *generic = (const void *)(m->data + NLMSG_HDRLEN);

	if (end->lost)
		return;
	if (m->whole && head->nlmsg_flags & NLM_F_ACK && m->len >= NLMSG_HDRLEN && end->ends != 1)
		WRONG(w, "%u ends, should be one (flags %x, length %u, error %d)", end->ends, head->nlmsg_flags, m->len, end->error);
	if (end->ends > 1)
		WRONG(w, "%u ends of one request", end->ends);
	if (end->error > 0)
		WRONG(w, "the error %d is positive", end->error);
	/* A list asked for while another is unread on this socket is the netlink core's to refuse, which it does without a word. */
	if (end->error && m->known && !end->text && !(end->error == -EBUSY && head->nlmsg_flags & NLM_F_ROOT))
		WRONG(w, "%s without a word", strerrorname_np(-end->error));
	if (w->powerless && (end->objects || (m->known && end->ends == 1 && !end->error)))
		WRONG(w, "%u objects and error %d without authority", end->objects, end->error);
	if (end->error)
		atomic_fetch_add(&refused, 1);
	else if (end->ends)
		atomic_fetch_add(&accepted, 1);
	if (m->known && end->ends == 1 && !end->error && generic->cmd < SPEC_MEMBERS)
		atomic_fetch_add(&accepted_of[generic->cmd], 1);
	if (m->known && m->tame && !w->powerless)
		learn(m, !end->error);
	if (end->objects > 1)
		atomic_fetch_add(&listed, 1);
}

/* After a command that was accepted. */
static void note_stage(struct worker *w, bool *staged, const struct message *m)
{
	const struct genlmsghdr *generic = (const void *)(m->data + NLMSG_HDRLEN);

	if (generic->cmd == USBPASS_CMD_TXN_BEGIN)
		*staged = true;
	else if (generic->cmd == USBPASS_CMD_TXN_COMMIT || generic->cmd == USBPASS_CMD_TXN_ABORT)
		*staged = false;
	if (generic->cmd == USBPASS_CMD_TXN_COMMIT)
		w->maker.on_trial = true;
	else if (generic->cmd == USBPASS_CMD_TXN_CONFIRM || generic->cmd == USBPASS_CMD_TXN_REVERT)
		w->maker.on_trial = false;
}

static void transact(struct worker *w)
{
	struct fuzz *f = &w->maker.fuzz;
	unsigned int which = fuzz_below(f, SOCKETS);
	int *fd = &w->sockets[which];
	struct end end = {0}, old = {0};
	uint32_t seq;

	/* Closed in the middle of everything: stage, subscription, list. */
	if (*fd < 0 || fuzz_once_in(f, 80)) {
		close(*fd);
		*fd = open_socket(f);
		w->staged[which] = false;
	}
	w->maker.staged = w->staged[which];
	seq = make(&w->maker);
	drain(w, *fd, 0, &old);
	if (fuzz_once_in(f, 30)) {
		send(*fd, w->maker.message.data, w->maker.message.len, 0);
		if (fuzz_once_in(f, 2))
			recv(*fd, w->answer, 1 + fuzz_below(f, sizeof(w->answer)), MSG_DONTWAIT);
		if (fuzz_once_in(f, 2)) {
			close(*fd);
			*fd = -1;
			return;
		}
		/* The next one comes upon what this one left. */
		seq = make(&w->maker);
	}
	if (send(*fd, w->maker.message.data, w->maker.message.len, 0) < 0) {
		if (errno != ENOBUFS && w->maker.message.whole)
			WRONG(w, "send of %u bytes: %s", w->maker.message.len, strerror(errno));
		return;
	}
	atomic_fetch_add(&sent, 1);
	drain(w, *fd, seq, &end);
	judge(w, &w->maker.message, &end);
	if (end.ends == 1 && !end.error)
		note_stage(w, &w->staged[which], &w->maker.message);
}

static void *work(void *argument)
{
	struct worker *w = argument;

	for (int i = 0; i < SOCKETS; i++)
		w->sockets[i] = open_socket(&w->maker.fuzz);
	/* This thread only, as the kernel sees it: not glibc's, which is all threads'. */
	if (w->powerless && syscall(SYS_setresuid, -1, 65534, -1))
		WRONG(w, "cannot give up authority: %s", strerror(errno));
	if (w->powerless) {
		/* One of them was opened with it. */
		close(w->sockets[1]);
		w->sockets[1] = open_socket(&w->maker.fuzz);
	}
	while (!atomic_load(&over)) {
		atomic_store(&w->since, fuzz_now_ms());
		transact(w);
		/* It gets no far way: the others are to have the time. */
		if (w->powerless)
			usleep(30000);
	}
	atomic_store(&w->since, 0);
	for (int i = 0; i < SOCKETS; i++)
		close(w->sockets[i]);
	return NULL;
}

static void watch(void)
{
	uint64_t now = fuzz_now_ms(), since;

	for (unsigned int i = 0; i < WORKERS; i++) {
		since = atomic_load(&workers[i].since);
		if (since && now > since + 60000ULL * tap_slower()) {
			TAP_SAY("worker %u has not come back from %s", i, workers[i].maker.last);
			fuzz_write("/proc/sysrq-trigger", "w");
			exit(TAP_FAIL);
		}
	}
}

/* How many commands the kernel never took. */
static unsigned int never_accepted(bool tell)
{
	unsigned int never = 0;

	for (int i = 1; i <= spec->last_command; i++) {
		if (accepted_of[i] || (!spec->commands[i].does && !spec->commands[i].dumps))
			continue;
		if (tell)
			TAP_SAY("never accepted: %s", spec->commands[i].name);
		never++;
	}
	return never;
}

/* Longer where the machine is slow: what is never accepted, or seldom, is not fuzzed in depth. */
static bool is_enough(uint64_t spent, uint64_t ms)
{
	unsigned int never = never_accepted(false);

	if (atomic_load(&accepted) < ACCEPTED_LEAST && spent < 4 * ms)
		return false;
	return spent >= ms && (!never || (spent >= 3 * ms && never <= NEVER_MOST) || spent >= 8 * ms);
}

/* Who carries out power cycles: well, badly, not at all, or what nobody asked for. */
static void carry(struct usbpass *h, struct fuzz *f)
{
	struct usbpass_event event;

	if (usbpass_event_next(h, &event, 50) || event.type != USBPASS_EVENT_POWER_CYCLE)
		return;
	if (fuzz_once_in(f, 3))
		usbpass_power_done(h, event.job + 1, 0);
	if (!fuzz_once_in(f, 8))
		usbpass_power_done(h, event.job, fuzz_once_in(f, 2) ? 0 : -(int)fuzz_below(f, 4096));
}

/* A reset of some device, or a look at what that would hit. */
static void reset_some(struct usbpass *h, struct fuzz *f)
{
	uint8_t kind = fuzz_below(f, __USBPASS_RESET_KIND_MAX);
	struct usbpass_device *devices;
	struct usbpass_hit *hits;
	size_t n, n_hits;
	uint32_t job;

	if (usbpass_device_list(h, &devices, &n))
		return;
	if (n && fuzz_once_in(f, 2))
		usbpass_device_reset(h, devices[fuzz_below(f, n)].id, kind, fuzz_once_in(f, 2) ? USBPASS_F_FORCE : 0, &job);
	else if (n && !usbpass_device_radius(h, devices[fuzz_below(f, n)].id, kind, &hits, &n_hits))
		usbpass_hit_list_free(hits, n_hits);
	usbpass_device_list_free(devices, n);
}

/* Resets have more to do than the one message that begins each. */
static void *reset_all(void *data)
{
	struct fuzz f = fuzz_new(*(uint64_t *)data, WORKERS + 1);
	struct usbpass *h = NULL;

	while (!atomic_load(&over)) {
		if (!h && (usbpass_open(&h) || usbpass_event_subscribe(h, NULL, USBPASS_F_POWER))) {
			usbpass_close(h);	/* another socket carries them out just now */
			h = NULL;
			usleep(100000);
			continue;
		}
		carry(h, &f);
		if (fuzz_once_in(&f, 3))
			reset_some(h, &f);
		if (fuzz_once_in(&f, 50)) {	/* in the middle of a cycle, at times */
			usbpass_close(h);
			h = NULL;
		}
	}
	usbpass_close(h);
	return NULL;
}

static void storm(uint64_t seed, uint64_t ms)
{
	pthread_t resets;
	struct fuzz f = fuzz_new(seed, WORKERS);
	uint64_t began = fuzz_now_ms(), next = 0;

	for (unsigned int i = 0; i < WORKERS; i++) {
		workers[i].maker.fuzz = fuzz_new(seed, i);
		workers[i].powerless = i == WORKERS - 1;
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	}
	ASSERT_EQ(0, pthread_create(&resets, NULL, reset_all, &seed));
	while (!is_enough(fuzz_now_ms() - began, ms)) {
		if (fuzz_now_ms() >= next) {
			if (fuzz_once_in(&f, 3))
				fuzz_parameter(&f);
			else
				fuzz_replug(&f, emus[fuzz_below(&f, 2)]);
			next = fuzz_now_ms() + fuzz_below(&f, 4000);
		}
		watch();
		usleep(50000);
	}
	atomic_store(&over, true);
	ASSERT_EQ(0, pthread_join(resets, NULL));
	for (unsigned int i = 0; i < WORKERS; i++) {
		while (atomic_load(&workers[i].since)) {
			watch();
			usleep(20000);
		}
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
	}
}

/* The libraries resolve a family by name; its number is all that is wanted here. */
static uint16_t family_number(void)
{
	struct {
		struct nlmsghdr head;
		struct genlmsghdr generic;
		struct nlattr attr;
		char name[8];
	} ask = {.head = {sizeof(ask), GENL_ID_CTRL, NLM_F_REQUEST, 1, 0}, .generic = {.cmd = CTRL_CMD_GETFAMILY, .version = 1},
		.attr = {NLA_HDRLEN + 8, CTRL_ATTR_FAMILY_NAME}, .name = USBPASS_GENL_NAME};
	struct fuzz f = fuzz_new(0, 0);
	uint8_t *answer = workers[0].answer;
	int fd = open_socket(&f);
	ssize_t len, at = NLMSG_HDRLEN + GENL_HDRLEN;
	uint16_t number = 0;

	ASSERT(fd >= 0 && send(fd, &ask, sizeof(ask), 0) == sizeof(ask));
	len = recv(fd, answer, sizeof(workers[0].answer), 0);
	while (at + NLA_HDRLEN + 2 <= len) {
		const struct nlattr *attr = (const void *)(answer + at);

		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&number, attr + 1, 2);
		at += NLA_ALIGN(attr->nla_len);
	}
	close(fd);
	return number;
}

static void end(void)
{
	for (int i = 0; i < 2; i++)
		if (emus[i])
			emu_free(emus[i]);
	if (!access("/sys/module/usbpass", F_OK))
		fuzz_rmmod();
}

TAP_SETUP
{
	spec = spec_load("../uapi/usbpass.yaml");
	ASSERT(spec);
	ASSERT_EQ(0, system("modprobe vhci_hcd"));
	if (!access("/sys/module/usbpass", F_OK))
		ASSERT_EQ(0, fuzz_rmmod());
	ASSERT_EQ(0, fuzz_insmod(""));
	tap_defer(end);
	family = family_number();
	ASSERT(family);
	for (int i = 0; i < 2; i++) {
		emus[i] = emu_new();
		ASSERT(emus[i]);
		emu_command(emus[i], "vid=1209", NULL);
		emu_command(emus[i], "pid=0e01", NULL);
		ASSERT_EQ(0, emu_command(emus[i], "plug", NULL));
	}
}

/* Every list, once more, is as the file says and ends well. */
static void lists_parse(void)
{
	struct worker *w = &workers[0];
	int fd = open_socket(&w->maker.fuzz);

	for (int i = 1; i <= spec->last_command; i++) {
		struct {
			struct nlmsghdr head;
			struct genlmsghdr generic;
		} ask = {.head = {sizeof(ask), family, NLM_F_REQUEST | NLM_F_DUMP, i, 0}, .generic = {.cmd = i, .version = 1}};
		struct end last = {0};

		if (!spec->commands[i].dumps)
			continue;
		snprintf(w->maker.last, sizeof(w->maker.last), "the last list of %s", spec->commands[i].name);
		ASSERT(send(fd, &ask, sizeof(ask), 0) == sizeof(ask));
		drain(w, fd, i, &last);
		EXPECT_EQ(1, last.ends);
		/* Two lists are about a device, and say so where there is none. */
		EXPECT_EQ(i == USBPASS_CMD_RULE_TEST || i == USBPASS_CMD_DEVICE_RESET ? -EINVAL : 0, last.error);
	}
	close(fd);
}

static void transaction_works(void)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME), .name = "last"};
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP),
		.name = "last", .group = "last"};
	struct usbpass_info info;
	struct usbpass *h;

	ASSERT_EQ(0, usbpass_open(&h));
	usbpass_txn_revert(h, NULL);	/* where one waits */
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	ASSERT_EQ(0, usbpass_group_new(h, &group));
	ASSERT_EQ(0, usbpass_attachment_new(h, &attach));
	ASSERT_EQ(0, usbpass_txn_commit(h, USBPASS_F_REVOKE, NULL));
	ASSERT_EQ(0, usbpass_info_get(h, &info));
	EXPECT_EQ(1, info.groups);
	EXPECT_EQ(1, info.attachments);
	EXPECT_EQ(0, info.rules);
	EXPECT_EQ(0, info.leases);
	ASSERT_EQ(0, usbpass_attachment_get(h, 0, "last", &attach));
	EXPECT_STR("last", attach.slug);
	usbpass_close(h);
}

static void rule_of_one(struct usbpass *h, uint8_t field, uint8_t op, uint8_t quantifier)
{
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_ACTION), .action = USBPASS_ACTION_IGNORE};
	struct usbpass_cond cond = {.field = field, .op = op, .number = 1, .mask = 0xffffff, .quantifier = quantifier, .string = (char *)"1"};

	if (usbpass_rule_text_kind(field) != USBPASS_KIND_STRING)
		cond.string = NULL;
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	ASSERT_EQ(0, usbpass_rule_new(h, &rule));
	usbpass_rule_clear(&rule);
}

/* What chance comes to late: a rule of each field with each operator, of which each device here is asked. */
static void begin_with_all_conditions(void)
{
	struct usbpass_verdict *verdicts;
	struct usbpass_device *devices;
	size_t n_devices, n, rules = 0;
	struct usbpass *h;

	ASSERT_EQ(0, usbpass_open(&h));
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	for (uint8_t field = 1; field < __USBPASS_FIELD_MAX; field++)
		for (uint8_t op = 1; op < __USBPASS_OP_MAX; op++) {
			uint8_t quantifiers = field == USBPASS_FIELD_INTERFACE_CLASS ? __USBPASS_QUANTIFIER_MAX : 1;

			for (uint8_t i = 0; usbpass_rule_text_takes(field, op) && i < quantifiers; i++, rules++)
				rule_of_one(h, field, op, i);
		}
	ASSERT_EQ(0, usbpass_device_list(h, &devices, &n_devices));
	for (size_t i = 0; i < n_devices; i++) {
		struct usbpass_device key = {.has = USBPASS_HAS(USBPASS_A_DEVICE_ID), .id = devices[i].id};

		ASSERT_EQ(0, usbpass_rule_explain(h, &key, &verdicts, &n));
		EXPECT_EQ(rules, n);
		usbpass_verdict_list_free(verdicts, n);
	}
	usbpass_device_list_free(devices, n_devices);
	ASSERT_EQ(0, usbpass_txn_abort(h));
	usbpass_close(h);
}

TEST("a storm of mutated messages: each has one end with a reason and answers by the file, none works without authority")
{
	uint64_t ms = fuzz_run_ms(25, 30);

	alarm(8 * ms / 1000 + 600 * tap_slower());
	begin_with_all_conditions();
	storm(fuzz_seed(), ms);
	TAP_SAY("figure: %lu messages, %lu accepted, %lu refused, %lu lists", sent, accepted, refused, listed);
	/* Else it went by the family without touching it. */
	EXPECT_LE(never_accepted(true), NEVER_MOST);
	EXPECT_EQ(0, wrong);
	lists_parse();
	EXPECT_EQ(0, wrong);
	transaction_works();
	EXPECT_EQ(0, fuzz_rmmod());
}

TAP_MAIN
