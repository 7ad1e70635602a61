// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a lib/libemu.a
// group: trust
// on: debug
// timeout: 300 3000
// Each command of the netlink family with each of its allocations and copies failing once: an error and nothing changed, or all
// of its effect; and it works when asked again.
#include <linux/genetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#define TAP_SECONDS 280
#include "emu.h"
#include "message.h"
#include "rule_regex.h"
#include "tap.h"

#include "fault.h"

#define SNAPSHOT_BYTES (256 << 10)

static struct usbpass *h;		/* looks on; builds the messages */
static struct emu *emu;
static uint32_t device;			/* the emulated one's id, which no rule claims at first */
static int actor = -1;			/* the socket of the command under test */
static unsigned char *buffer;
static char *world_before, *world_after;
static uint32_t job;			/* of the last answer; 0: it had none */
static bool in_receive;			/* of a dump: its later parts are made by who reads them */
static bool expected;			/* done() is asked after a success */

/* ---- one command, without libraries between arming and the call ---- */

struct answer {
	int error;
	bool ack_lost;		/* nobody can tell whether it was done */
	uint64_t seen;		/* messages */
};

static void actor_open(void)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int one = 1, bytes = 1 << 20;

	if (actor >= 0)
		close(actor);
	actor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	ASSERT(actor >= 0);
	ASSERT_EQ(0, connect(actor, (void *)&kernel, sizeof(kernel)));
	ASSERT_EQ(0, setsockopt(actor, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)));
	ASSERT_EQ(0, setsockopt(actor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)));
}

/* What the ack or the dump's end says. */
static void take(struct answer *answer, struct nlmsghdr *nlh, bool *over)
{
	struct genlmsghdr *genl = NLMSG_DATA(nlh);
	struct nlattr *attr;

	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		answer->error = ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
		*over = true;
		break;
	case NLMSG_DONE:
		memcpy(&answer->error, NLMSG_DATA(nlh), sizeof(answer->error));
		*over = true;
		break;
	default:
		if (genl->cmd == USBPASS_CMD_EVENT)
			break;
		answer->seen++;
		attr = nlmsg_find_attr(nlh, GENL_HDRLEN, USBPASS_A_JOB);
		if (attr)
			job = nla_get_u32(attr);
	}
}

/* Sends @msg on the actor with its @nth call failing (0: none does). True: one did. */
static bool act(struct nl_msg *msg, unsigned int nth, struct answer *answer)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	bool injected = false, over = false;
	ssize_t len;

	*answer = (struct answer){};
	job = 0;
	nlh->nlmsg_pid = 0;
	nlh->nlmsg_seq = 1;
	if (nth && !in_receive)
		fault_arm(nth);
	len = send(actor, nlh, nlh->nlmsg_len, 0);
	if (nth && !in_receive)
		injected = fault_disarm();
	if (len < 0) {
		answer->error = -errno;
		return injected;
	}
	while (!over) {
		bool arm = nth && in_receive && !injected;

		if (arm)
			fault_arm(nth);
		len = recv(actor, buffer, HANDLE_BUFFER_BYTES, MSG_DONTWAIT);
		if (arm)
			injected = fault_disarm();
		if (len < 0) {
			answer->error = -errno;
			answer->ack_lost = errno == ENOBUFS || errno == EAGAIN;
			return injected;
		}
		for (struct nlmsghdr *at = (void *)buffer; NLMSG_OK(at, (unsigned int)len); at = NLMSG_NEXT(at, len))
			take(answer, at, &over);
	}
	return injected;
}

/* ---- messages ---- */

static struct nl_msg *request(uint8_t cmd, uint32_t flags)
{
	struct nl_msg *msg = usbpass_message_new(h, cmd, NLM_F_ACK);

	ASSERT(msg);
	if (flags)
		nla_put_u32(msg, USBPASS_A_FLAGS, flags);
	return msg;
}

static struct nl_msg *list(uint8_t cmd)
{
	struct nl_msg *msg = usbpass_message_new(h, cmd, NLM_F_DUMP);

	ASSERT(msg);
	return msg;
}

static void must(struct nl_msg *msg)
{
	struct answer answer;

	act(msg, 0, &answer);
	nlmsg_free(msg);
	ASSERT_EQ(0, answer.error);
}

#define TEXT "a description that is long enough to be worth an allocation of its own"

static struct nl_msg *group(uint8_t cmd, const char *name, const char *text)
{
	struct nl_msg *msg = request(cmd, 0);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_GROUP | NLA_F_NESTED);

	nla_put_string(msg, USBPASS_A_GROUP_NAME, name);
	if (text)
		nla_put_string(msg, USBPASS_A_GROUP_DESCRIPTION, text);
	nla_nest_end(msg, nest);
	return msg;
}

static void cond(struct nl_msg *msg, uint8_t field, uint32_t number, const char *string)
{
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_RULE_COND | NLA_F_NESTED);

	nla_put_u8(msg, USBPASS_A_COND_FIELD, field);
	if (string)
		nla_put_string(msg, USBPASS_A_COND_STRING, string);
	else
		nla_put_u32(msg, USBPASS_A_COND_NUMBER, number);
	nla_nest_end(msg, nest);
}

static void cond_regex(struct nl_msg *msg, const char *expression)
{
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_RULE_COND | NLA_F_NESTED);
	size_t size, at;
	uint8_t *table;
	char err[100];

	ASSERT_EQ(0, usbpass_regex_compile(expression, &table, &size, &at, err, sizeof(err)));
	nla_put_u8(msg, USBPASS_A_COND_FIELD, USBPASS_FIELD_PRODUCT_NAME);
	nla_put_u8(msg, USBPASS_A_COND_OP, USBPASS_OP_REGEX);
	nla_put_string(msg, USBPASS_A_COND_STRING, expression);
	nla_put(msg, USBPASS_A_COND_TABLE, size, table);
	nla_nest_end(msg, nest);
	free(table);
}

static struct nl_msg *rule(uint8_t cmd, const char *name, const char *of, const char *serial)
{
	struct nl_msg *msg = request(cmd, 0);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_RULE | NLA_F_NESTED);

	nla_put_string(msg, USBPASS_A_RULE_NAME, name);
	if (of) {
		nla_put_u8(msg, USBPASS_A_RULE_ACTION, USBPASS_ACTION_CLAIM);
		nla_put_string(msg, USBPASS_A_RULE_GROUP, of);
		nla_put_string(msg, USBPASS_A_RULE_DESCRIPTION, TEXT);
	}
	if (serial) {
		cond(msg, USBPASS_FIELD_VENDOR, 0x1209, NULL);
		cond(msg, USBPASS_FIELD_SERIAL, 0, serial);
		cond(msg, USBPASS_FIELD_PRODUCT_NAME, 0, "no such product");
		cond_regex(msg, "^no such (product|device)$");
	}
	nla_nest_end(msg, nest);
	return msg;
}

static struct nl_msg *attach(uint8_t cmd, const char *name, const char *slug, const char *of)
{
	struct nl_msg *msg = request(cmd, 0);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_ATTACH | NLA_F_NESTED);

	nla_put_string(msg, USBPASS_A_ATTACH_NAME, name);
	if (slug)
		nla_put_string(msg, USBPASS_A_ATTACH_SLUG, slug);
	if (of) {
		nla_put_string(msg, USBPASS_A_ATTACH_GROUP, of);
		nla_put_string(msg, USBPASS_A_ATTACH_VM, "a virtual machine");
		nla_put_string(msg, USBPASS_A_ATTACH_DESCRIPTION, TEXT);
		nla_put_string(msg, USBPASS_A_ATTACH_PIN_SERIAL, "of a device");
		nla_put_string(msg, USBPASS_A_ATTACH_PIN_SOCKET, "in a socket");
	}
	nla_nest_end(msg, nest);
	return msg;
}

static struct nl_msg *of_device(uint8_t cmd, uint32_t flags)
{
	struct nl_msg *msg = request(cmd, flags);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_DEVICE | NLA_F_NESTED);

	nla_put_u32(msg, USBPASS_A_DEVICE_ID, device);
	if (flags & USBPASS_F_PENDING)
		nla_put_string(msg, USBPASS_A_DEVICE_REASON, "a reason");
	nla_nest_end(msg, nest);
	return msg;
}

/* ---- the world ---- */

struct world {
	char *text;
	size_t len;
};

static int add_message(struct nlattr **tb, void *arg)
{
	struct world *world = arg;

	for (int type = 1; type <= USBPASS_A_MAX; type++) {
		if (!tb[type])
			continue;
		ASSERT(world->len + tb[type]->nla_len < SNAPSHOT_BYTES);
		memcpy(world->text + world->len, tb[type], tb[type]->nla_len);
		world->len += tb[type]->nla_len;
	}
	return 0;
}

/* What a dump on @sk gives, the generation with every object. */
static void add_list(struct world *world, struct nl_sock *sk, uint8_t cmd)
{
	int ret;
	size_t len = world->len;

	do {
		world->len = len;
		ret = usbpass_message_call(h, sk, list(cmd), add_message, world);
	} while (ret == -EINTR);
	ASSERT_EQ(0, ret);
}

/* The configuration, the devices, the counts; and who has a node. */
static size_t look(char *text)
{
	static const uint8_t lists[] = {USBPASS_CMD_GROUP_GET, USBPASS_CMD_RULE_GET, USBPASS_CMD_ATTACH_GET, USBPASS_CMD_DEVICE_GET};
	struct world world = {.text = text};
	struct usbpass_info info;

	for (size_t i = 0; i < sizeof(lists); i++)
		add_list(&world, h->calls, lists[i]);
	ASSERT_EQ(0, usbpass_info_get(h, &info));
	info.event_seq = 0;
	info.confirm_ms = !!info.confirm_ms;	/* it runs */
	memcpy(text + world.len, &info, sizeof(info));
	return world.len + sizeof(info);
}

static bool same_world(size_t len)
{
	return look(world_after) == len && !memcmp(world_before, world_after, len);
}

static bool node_is(const char *slug)
{
	char path[100];

	snprintf(path, sizeof(path), "/dev/usbpass/host/%s", slug);
	/* Another thread of the kernel's makes and removes it; the command waits for that. */
	return !access(path, F_OK);
}

static uint8_t device_state(void)
{
	struct usbpass_device dev;
	uint8_t state;

	ASSERT_EQ(0, usbpass_device_get(h, device, &dev));
	state = dev.state;
	usbpass_device_clear(&dev);
	return state;
}

static bool job_is(uint32_t id)
{
	struct usbpass_event ev;

	return usbpass_job_get(h, id, &ev) == 0;
}

/* ---- one command through all of its calls ---- */

struct command {
	const char *name;
	struct nl_msg *(*make)(void);
	void (*before)(void);		/* what it needs on the actor; may be NULL */
	bool (*done)(void);		/* all of its effect is there; NULL: it has none */
	void (*undo)(void);		/* and away again */
	bool starts_job;
};

static uint32_t last_job;	/* the highest that there was */

static void note_job(void)
{
	while (job_is(last_job + 1))
		last_job++;
}

static void start(const struct command *command)
{
	actor_open();
	if (command->before)
		command->before();
}

/* After a success: the effect is whole, then everything is as at first. */
static void check_done(const struct command *command, unsigned int n)
{
	if (command->starts_job) {
		TAP_CHECK(true, job == last_job + 1, "%s, call %u: job %u, after %u", command->name, n, job, last_job);
		ASSERT_EQ(0, usbpass_job_wait(h, job, 60000));
	}
	expected = true;
	if (command->done)
		TAP_CHECK(true, command->done(), "%s, call %u: succeeded, but its effect is not whole", command->name, n);
	if (command->undo)
		command->undo();
}

static void check_failed(const struct command *command, unsigned int n, int error, size_t len)
{
	expected = false;
	TAP_CHECK(false, error == -ENOMEM || error == -ENOBUFS || error == -EFAULT, "%s, call %u: failed with %s", command->name, n,
		  strerrorname_np(-error));
	TAP_CHECK(true, !job_is(last_job + 1), "%s, call %u: failed, but began a job", command->name, n);
	TAP_CHECK(true, same_world(len) && !(command->done && command->done()), "%s, call %u: failed with %s, but something changed",
		  command->name, n, strerrorname_np(-error));
}

/* The acknowledgement itself had no memory: the command was done, or was not; never half. */
static bool was_done(const struct command *command)
{
	expected = false;
	job = last_job + 1;
	return command->starts_job ? job_is(job) : command->done && command->done();
}

/* One round. False: there is no @n-th call. */
static bool round_of(const struct command *command, struct nl_msg *msg, unsigned int n, bool *survived)
{
	struct answer answer, again;
	size_t len;
	bool injected;

	start(command);
	note_job();
	len = look(world_before);
	injected = act(msg, n, &answer);
	*survived = !answer.error;
	TAP_CHECK(true, injected || !answer.error, "%s: fails with %s without a fault", command->name,
		  strerrorname_np(-answer.error));
	if (answer.error && !(answer.ack_lost && was_done(command))) {
		check_failed(command, n, answer.error, len);
		/* A dump that ended in mid-air keeps its socket busy. */
		if (nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP)
			start(command);
		act(msg, 0, &again);
		TAP_CHECK(true, !again.error, "%s, call %u: asked again, it fails with %s", command->name, n,
			  strerrorname_np(-again.error));
	}
	check_done(command, n);
	return injected;
}

static void each_call(const struct command *command)
{
	unsigned int n, injected = 0, survived = 0;
	struct nl_msg *msg = command->make();
	bool fine;

	for (n = 1; round_of(command, msg, n, &fine); n = fault_next(n)) {
		injected++;
		survived += fine;
	}
	nlmsg_free(msg);
	TAP_CHECK(false, injected > 0, "%s: no call of it can fail", command->name);
	fault_tell(command->name, injected, survived);
}

/* ---- the commands: what each is asked, and what shows that it was done ---- */

static struct nl_msg *ask_info(void) { return request(USBPASS_CMD_INFO, 0); }
static struct nl_msg *ask_device_get(void) { return of_device(USBPASS_CMD_DEVICE_GET, 0); }
static struct nl_msg *ask_device_list(void) { return list(USBPASS_CMD_DEVICE_GET); }
static struct nl_msg *ask_claim(void) { return of_device(USBPASS_CMD_DEVICE_CLAIM, 0); }
static struct nl_msg *ask_pending(void) { return of_device(USBPASS_CMD_DEVICE_CLAIM, USBPASS_F_PENDING); }
static struct nl_msg *ask_release(void) { return of_device(USBPASS_CMD_DEVICE_RELEASE, 0); }
static struct nl_msg *ask_rule_test(void) { return of_device(USBPASS_CMD_RULE_TEST, 0); }
static struct nl_msg *ask_group_new(void) { return group(USBPASS_CMD_GROUP_NEW, "new", TEXT); }
static struct nl_msg *ask_group_set(void) { return group(USBPASS_CMD_GROUP_SET, "base", "another"); }
static struct nl_msg *ask_group_del(void) { return group(USBPASS_CMD_GROUP_DEL, "spare", NULL); }
static struct nl_msg *ask_group_get(void) { return group(USBPASS_CMD_GROUP_GET, "base", NULL); }
static struct nl_msg *ask_group_list(void) { return list(USBPASS_CMD_GROUP_GET); }
static struct nl_msg *ask_rule_new(void) { return rule(USBPASS_CMD_RULE_NEW, "new", "base", "of no device"); }
static struct nl_msg *ask_rule_set(void) { return rule(USBPASS_CMD_RULE_SET, "base", NULL, "another"); }
static struct nl_msg *ask_rule_del(void) { return rule(USBPASS_CMD_RULE_DEL, "spare", NULL, NULL); }
static struct nl_msg *ask_rule_get(void) { return rule(USBPASS_CMD_RULE_GET, "base", NULL, NULL); }
static struct nl_msg *ask_rule_list(void) { return list(USBPASS_CMD_RULE_GET); }
static struct nl_msg *ask_attach_new(void) { return attach(USBPASS_CMD_ATTACH_NEW, "new", NULL, "base"); }
static struct nl_msg *ask_attach_set(void) { return attach(USBPASS_CMD_ATTACH_SET, "base", "moved", NULL); }
static struct nl_msg *ask_attach_del(void) { return attach(USBPASS_CMD_ATTACH_DEL, "spare", NULL, NULL); }
static struct nl_msg *ask_attach_get(void) { return attach(USBPASS_CMD_ATTACH_GET, "base", NULL, NULL); }
static struct nl_msg *ask_attach_list(void) { return list(USBPASS_CMD_ATTACH_GET); }
static struct nl_msg *ask_begin(void) { return request(USBPASS_CMD_TXN_BEGIN, 0); }
static struct nl_msg *ask_begin_empty(void) { return request(USBPASS_CMD_TXN_BEGIN, USBPASS_F_REPLACE); }
static struct nl_msg *ask_commit(void) { return request(USBPASS_CMD_TXN_COMMIT, 0); }
static struct nl_msg *ask_commit_rescan(void) { return request(USBPASS_CMD_TXN_COMMIT, USBPASS_F_RESCAN); }
static struct nl_msg *ask_confirm(void) { return request(USBPASS_CMD_TXN_CONFIRM, 0); }
static struct nl_msg *ask_revert(void) { return request(USBPASS_CMD_TXN_REVERT, 0); }

static struct nl_msg *ask_trial(void)
{
	struct nl_msg *msg = request(USBPASS_CMD_TXN_COMMIT, 0);

	nla_put_u32(msg, USBPASS_A_CONFIRM_SECS, USBPASS_CONFIRM_SECS_MAX);
	return msg;
}

static struct nl_msg *ask_abort(void) { return request(USBPASS_CMD_TXN_ABORT, 0); }
/* Of a device that is described: it is made of the request for each buffer. */
static struct nl_msg *ask_explain(void)
{
	struct nl_msg *msg = list(USBPASS_CMD_RULE_TEST);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_DEVICE | NLA_F_NESTED);

	nla_put_string(msg, USBPASS_A_DEVICE_VENDOR_NAME, "a vendor");
	nla_put_string(msg, USBPASS_A_DEVICE_PRODUCT_NAME, "a product");
	nla_put_string(msg, USBPASS_A_DEVICE_SERIAL, "a serial");
	nla_nest_end(msg, nest);
	return msg;
}

static struct nl_msg *ask_event_list(void) { return list(USBPASS_CMD_EVENT_GET); }

static struct nl_msg *ask_subscribe(void)
{
	struct nl_msg *msg = request(USBPASS_CMD_SUBSCRIBE, 0);

	nla_put_u64(msg, USBPASS_A_SINCE, 0);
	return msg;
}

static struct nl_msg *ask_job(void)
{
	struct nl_msg *msg = request(USBPASS_CMD_JOB_GET, 0);

	nla_put_u32(msg, USBPASS_A_JOB, last_job);
	return msg;
}

/* What @msg says on the actor. */
static int say(struct nl_msg *msg)
{
	struct answer answer;
	uint32_t kept = job;

	act(msg, 0, &answer);
	nlmsg_free(msg);
	job = kept;
	return answer.error;
}

static void claimed(void)
{
	if (device_state() != USBPASS_DEVICE_IDLE)
		ASSERT_EQ(0, usbpass_device_claim(h, device, NULL, 0, 60000));
}

static struct nl_msg *maintenance(bool on)
{
	struct nl_msg *msg = request(USBPASS_CMD_MAINTENANCE_SET, 0);

	nla_put_u8(msg, USBPASS_A_MAINTENANCE, on);
	return msg;
}

static struct nl_msg *ask_maintenance(void) { return maintenance(true); }
static void undo_maintenance(void) { must(maintenance(false)); }

static bool is_maintained(void)
{
	struct usbpass_info info;

	ASSERT_EQ(0, usbpass_info_get(h, &info));
	return info.maintenance;
}

static struct nl_msg *learned(uint8_t cmd)
{
	struct nl_msg *msg = request(cmd, 0);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_LEARNED | NLA_F_NESTED);

	ASSERT(nest);
	nla_put_u16(msg, USBPASS_A_LEARNED_VENDOR, 0x1209);
	nla_put_u16(msg, USBPASS_A_LEARNED_PRODUCT, 1);
	nla_put_string(msg, USBPASS_A_LEARNED_SERIAL, "of a device");
	if (cmd == USBPASS_CMD_LEARNED_NEW)
		nla_put_u64(msg, USBPASS_A_LEARNED_UNTIL, time(NULL) + 86400);
	nla_nest_end(msg, nest);
	return msg;
}

static struct nl_msg *ask_learned_new(void) { return learned(USBPASS_CMD_LEARNED_NEW); }
static struct nl_msg *ask_learned_del(void) { return learned(USBPASS_CMD_LEARNED_DEL); }
static struct nl_msg *ask_learned_list(void) { return list(USBPASS_CMD_LEARNED_GET); }
static void learn(void) { must(ask_learned_new()); }
static void forget(void) { must(ask_learned_del()); }

static bool is_learned(void)
{
	struct usbpass_learned *entries;
	size_t n;

	ASSERT_EQ(0, usbpass_learned_list(h, &entries, &n));
	return n;
}

static bool is_forgotten(void) { return !is_learned(); }

static struct nl_msg *ask_reset(void) { return of_device(USBPASS_CMD_DEVICE_RESET, 0); }

static unsigned int resets(void)
{
	struct usbpass_device dev;
	unsigned int n;

	ASSERT_EQ(0, usbpass_device_get(h, device, &dev));
	n = dev.resets;
	usbpass_device_clear(&dev);
	return n;
}

static unsigned int resets_before;
static void before_reset(void) { claimed(); resets_before = resets(); }

/* A job that was begun ends. */
static bool is_reset(void)
{
	for (int i = 0; i < 400 && expected && resets() == resets_before; i++)
		usleep(50000);
	return resets() != resets_before;
}

static bool is_claimed(void) { return device_state() == USBPASS_DEVICE_IDLE; }
static bool is_released(void) { return device_state() != USBPASS_DEVICE_IDLE; }
static void release(void) { ASSERT_EQ(0, usbpass_device_release(h, device, 0, 60000)); }

static bool is_pending(void)
{
	struct usbpass_device dev;
	bool same;

	ASSERT_EQ(0, usbpass_device_get(h, device, &dev));
	same = dev.state == USBPASS_DEVICE_PENDING && !strcmp(dev.reason, "a reason");
	usbpass_device_clear(&dev);
	return same;
}

static void another_reason(void)
{
	ASSERT_EQ(0, usbpass_device_claim(h, device, "another", USBPASS_F_PENDING, 60000));
}

/* As in force, or in the actor's stage. */
static bool has_group(const char *name) { return !say(group(USBPASS_CMD_GROUP_GET, name, NULL)); }
static bool has_rule(const char *name) { return !say(rule(USBPASS_CMD_RULE_GET, name, NULL, NULL)); }
static bool has_attach(const char *name) { return !say(attach(USBPASS_CMD_ATTACH_GET, name, NULL, NULL)); }

static bool is_group_new(void)
{
	struct usbpass_group got;

	return !usbpass_group_get(h, 0, "new", &got) && !strcmp(got.description, TEXT);
}

static bool is_group_set(void)
{
	struct usbpass_group got;

	return !usbpass_group_get(h, 0, "base", &got) && !strcmp(got.description, "another");
}

static bool is_rule_new(void)
{
	struct usbpass_rule got;
	bool same;

	if (usbpass_rule_get(h, 0, "new", &got))
		return false;
	same = got.n_conds == 4 && !strcmp(got.group, "base") && !strcmp(got.description, TEXT) &&
	       !strcmp(got.conds[1].string, "of no device");
	usbpass_rule_clear(&got);
	return same;
}

static bool is_rule_set(void)
{
	struct usbpass_rule got;
	bool same;

	ASSERT_EQ(0, usbpass_rule_get(h, 0, "base", &got));
	same = got.n_conds == 4 && !strcmp(got.conds[1].string, "another");
	usbpass_rule_clear(&got);
	return same;
}

static bool is_attach_new(void)
{
	struct usbpass_attachment got;

	return !usbpass_attachment_get(h, 0, "new", &got) && !strcmp(got.pin_socket, "in a socket") && node_is("new") &&
	       !strcmp(got.pin_serial, "of a device") && !strcmp(got.description, TEXT) && !strcmp(got.vm, "a virtual machine");
}

static bool is_attach_set(void) { return node_is("moved") && !node_is("base"); }
static bool is_group_del(void) { return !has_group("spare"); }
static bool is_rule_del(void) { return !has_rule("spare"); }
static bool is_attach_del(void) { return !has_attach("spare") && !node_is("spare"); }

static void undo_group_new(void) { must(group(USBPASS_CMD_GROUP_DEL, "new", NULL)); }
static void undo_group_set(void) { must(group(USBPASS_CMD_GROUP_SET, "base", TEXT)); }
static void undo_group_del(void) { must(group(USBPASS_CMD_GROUP_NEW, "spare", TEXT)); }
static void undo_rule_new(void) { must(rule(USBPASS_CMD_RULE_DEL, "new", NULL, NULL)); }
static void undo_rule_set(void) { must(rule(USBPASS_CMD_RULE_SET, "base", NULL, "none such")); }
static void undo_rule_del(void) { must(rule(USBPASS_CMD_RULE_NEW, "spare", "base", "none such")); }
static void undo_attach_set(void) { must(attach(USBPASS_CMD_ATTACH_SET, "base", "base", NULL)); }
static void undo_attach_del(void) { must(attach(USBPASS_CMD_ATTACH_NEW, "spare", NULL, "base")); }

static void undo_attach_new(void)
{
	must(attach(USBPASS_CMD_ATTACH_DEL, "new", NULL, NULL));
	ASSERT(!node_is("new"));
}

static void begin(void) { must(ask_begin()); }
static void begin_empty(void) { must(ask_begin_empty()); }

static bool has_stage(void) { return say(ask_begin()) == -EALREADY || say(ask_abort()); }
/* It has none. */
static bool no_stage(void) { return !say(ask_begin()) && !say(ask_abort()); }

static bool is_staged_group(void) { return has_group("new") && !is_group_new(); }
static bool is_staged_rule(void) { return has_rule("new") && !is_rule_new(); }
static bool is_staged_attach(void) { return has_attach("new") && !is_attach_new() && !node_is("new"); }

static void stage_all(void)
{
	begin();
	must(ask_group_new());
	must(ask_rule_new());
	must(ask_attach_new());
}

static bool is_all_committed(void) { return is_group_new() && is_rule_new() && is_attach_new() && no_stage(); }

static void undo_all(void)
{
	undo_attach_new();
	undo_rule_new();
	undo_group_new();
}

/* One that goes and one that moves: going back makes two nodes. */
static void stage_removal(void)
{
	begin();
	must(ask_attach_del());
	must(ask_attach_set());
}

static bool waits(void)
{
	struct usbpass_info info;

	ASSERT_EQ(0, usbpass_info_get(h, &info));
	return info.confirm_ms;
}

static bool is_on_trial(void) { return waits() && is_attach_del() && is_attach_set() && no_stage(); }

static void on_trial(void)
{
	if (waits())
		return;
	stage_removal();
	must(ask_trial());
}

/* A node that found no memory comes soon. */
static bool is_back(void)
{
	if (waits())
		return false;
	for (int i = 0; i < 400 && !(node_is("base") && node_is("spare")); i++)
		usleep(50000);
	return has_attach("spare") && node_is("base") && node_is("spare") && !node_is("moved");
}

static bool is_confirmed(void) { return !waits(); }
static void undo_trial(void) { must(ask_revert()); }

static void undo_confirm(void)
{
	undo_attach_set();
	undo_attach_del();
}

/* The events kept arrive, soon. */
static bool is_subscribed(void)
{
	struct pollfd pfd = {.fd = actor, .events = POLLIN};

	return poll(&pfd, 1, expected ? 20000 : 20) == 1;
}

static void base(void)
{
	must(group(USBPASS_CMD_GROUP_NEW, "base", TEXT));
	undo_group_del();
	must(rule(USBPASS_CMD_RULE_NEW, "base", "base", "none such"));
	undo_rule_del();
	must(attach(USBPASS_CMD_ATTACH_NEW, "base", NULL, "base"));
	undo_attach_del();
}

/* The emulated device was here before the rule that claims it. */
static void rule_for_device(void)
{
	struct nl_msg *msg = request(USBPASS_CMD_RULE_NEW, 0);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_RULE | NLA_F_NESTED);

	nla_put_u8(msg, USBPASS_A_RULE_ACTION, USBPASS_ACTION_CLAIM);
	nla_put_string(msg, USBPASS_A_RULE_GROUP, "base");
	cond(msg, USBPASS_FIELD_VENDOR, 0x1209, NULL);
	nla_nest_end(msg, nest);
	must(msg);
}

static void find_device(void)
{
	struct usbpass_device *devices;
	size_t n;

	for (int i = 0; i < 400 && !device; i++, usleep(50000)) {
		ASSERT_EQ(0, usbpass_device_list(h, &devices, &n));
		for (size_t j = 0; j < n; j++)
			if (devices[j].vendor == 0x1209)
				device = devices[j].id;
		usbpass_device_list_free(devices, n);
	}
	ASSERT(device);
}

static void end(void)
{
	usbpass_close(h);
	close(actor);
	if (emu) {
		emu_command(emu, "unplug", NULL);
		emu_free(emu);
	}
	/* No reference is left behind: it goes. */
	if (system("rmmod usbpass")) {
		TAP_SAY("the module cannot be removed");
		_exit(TAP_FAIL);
	}
}

TAP_SETUP
{
	/* The runner starts tests in selftests/. */
	ASSERT_EQ(0, system("modprobe vhci_hcd; [ ! -e /sys/module/usbpass ] || rmmod usbpass"));
	ASSERT_EQ(0, system("insmod ${USBPASS_KO:-../usbpass.ko}"));
	tap_defer(end);
	ASSERT_EQ(0, usbpass_open(&h));
	buffer = malloc(HANDLE_BUFFER_BYTES);
	world_before = calloc(1, SNAPSHOT_BYTES);
	world_after = calloc(1, SNAPSHOT_BYTES);
	ASSERT(buffer && world_before && world_after);
	/* Nothing of it may be touched for the first time under a fault. */
	memset(buffer, 1, HANDLE_BUFFER_BYTES);
	emu = emu_new();
	ASSERT(emu);
	ASSERT_EQ(0, emu_command(emu, "vid=1209", NULL));
	ASSERT_EQ(0, emu_command(emu, "plug", NULL));
	find_device();
	actor_open();
	base();
	rule_for_device();
	another_reason();
	fault_begin();
}

#define EACH(...)													       \
	do {														       \
		static const struct command commands[] = {__VA_ARGS__};							       \
															       \
		for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)					       \
			each_call(&commands[i]);									       \
	} while (0)

TEST("what only asks fails with an error, and works when asked again")
{
	EACH({.name = "info", .make = ask_info},
	     {.name = "device get", .make = ask_device_get},
	     {.name = "group get", .make = ask_group_get},
	     {.name = "rule get", .make = ask_rule_get},
	     {.name = "attach get", .make = ask_attach_get},
	     {.name = "rule test", .make = ask_rule_test},
	     {.name = "job get", .make = ask_job},
	     {.name = "subscribe", .make = ask_subscribe, .done = is_subscribed});
}

TEST("a list fails with an error, at its start and in its middle, and works when asked again")
{
	static const struct command lists[] = {
		{.name = "device list", .make = ask_device_list}, {.name = "group list", .make = ask_group_list},
		{.name = "rule list", .make = ask_rule_list}, {.name = "attach list", .make = ask_attach_list},
		{.name = "event list", .make = ask_event_list}, {.name = "learned list", .make = ask_learned_list}, {.name = "rule test of all", .make = ask_explain},
	};
	size_t n = sizeof(lists) / sizeof(*lists);

	for (size_t i = 0; i < 2 * n; i++) {
		in_receive = i >= n;
		each_call(&lists[i % n]);
	}
}

TEST("a change of the groups is whole or did not happen")
{
	EACH({.name = "group new", .make = ask_group_new, .done = is_group_new, .undo = undo_group_new},
	     {.name = "group set", .make = ask_group_set, .done = is_group_set, .undo = undo_group_set},
	     {.name = "group del", .make = ask_group_del, .done = is_group_del, .undo = undo_group_del});
}

TEST("a change of the rules is whole or did not happen")
{
	EACH({.name = "rule new", .make = ask_rule_new, .done = is_rule_new, .undo = undo_rule_new},
	     {.name = "rule set", .make = ask_rule_set, .done = is_rule_set, .undo = undo_rule_set},
	     {.name = "rule del", .make = ask_rule_del, .done = is_rule_del, .undo = undo_rule_del});
}

TEST("a change of the attachments and their nodes is whole or did not happen")
{
	EACH({.name = "attach new", .make = ask_attach_new, .done = is_attach_new, .undo = undo_attach_new},
	     {.name = "attach set", .make = ask_attach_set, .done = is_attach_set, .undo = undo_attach_set},
	     {.name = "attach del", .make = ask_attach_del, .done = is_attach_del, .undo = undo_attach_del});
}

TEST("a transaction is whole or did not happen, and goes on after a failed step")
{
	EACH({.name = "begin", .make = ask_begin, .done = has_stage},
	     {.name = "begin empty", .make = ask_begin_empty, .done = has_stage},
	     {.name = "abort", .make = ask_abort, .before = begin, .done = no_stage},
	     {.name = "staged group", .make = ask_group_new, .before = begin, .done = is_staged_group},
	     {.name = "staged rule", .make = ask_rule_new, .before = begin, .done = is_staged_rule},
	     {.name = "staged attachment", .make = ask_attach_new, .before = begin, .done = is_staged_attach},
	     {.name = "staged group, of an empty stage", .make = ask_group_new, .before = begin_empty, .done = is_staged_group},
	     {.name = "commit", .make = ask_commit, .before = stage_all, .done = is_all_committed, .undo = undo_all});
}

TEST("a configuration on trial is there wholly or not at all, and going back gets there")
{
	EACH({.name = "commit on trial", .make = ask_trial, .before = stage_removal, .done = is_on_trial, .undo = undo_trial},
	     {.name = "revert", .make = ask_revert, .before = on_trial, .done = is_back},
	     {.name = "confirm", .make = ask_confirm, .before = on_trial, .done = is_confirmed, .undo = undo_confirm});
}

TEST("a device is claimed, marked and released wholly, with one job, or it did not happen and there is none")
{
	EACH({.name = "device pending", .make = ask_pending, .done = is_pending, .undo = another_reason, .starts_job = true},
	     {.name = "device claim", .make = ask_claim, .done = is_claimed, .undo = release, .starts_job = true},
	     {.name = "device release", .make = ask_release, .before = claimed, .done = is_released, .starts_job = true},
	     {.name = "device reset", .make = ask_reset, .before = before_reset, .done = is_reset, .starts_job = true},
	     {.name = "learned new", .make = ask_learned_new, .done = is_learned, .undo = forget},
	     {.name = "learned del", .make = ask_learned_del, .before = learn, .done = is_forgotten},
	     {.name = "maintenance", .make = ask_maintenance, .done = is_maintained, .undo = undo_maintenance},
	     /* It was released by hand: a rescan leaves it to the host. */
	     {.name = "commit and rescan", .make = ask_commit_rescan, .before = begin, .done = no_stage});
	fault_figure("kinds of netlink command");
}

TAP_MAIN
