// SPDX-License-Identifier: GPL-2.0
/*
 * Requests, answers, torn dumps, refusals, events and jobs, against a process that plays the kernel at the other end of a
 * netlink socket between user programs.
 */
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a
#include <linux/genetlink.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include "handle.h"
#include "state.h"
#include "tap.h"

#define FAMILY	0x20

static struct usbpass *h;
static int played = -1;		/* the kernel's end */
static struct sockaddr_nl client;
static struct nlmsghdr *request;
static unsigned char request_bytes[65536];

static struct nl_sock *connected(uint32_t to)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = to };
	struct nl_sock *sk = nl_socket_alloc();

	ASSERT(sk);
	nl_socket_disable_auto_ack(sk);
	if (nl_connect(sk, NETLINK_USERSOCK) < 0)
		SKIP("no netlink socket between user programs here");
	ASSERT_EQ(0, connect(nl_socket_get_fd(sk), (struct sockaddr *)&address, sizeof(address)));
	return sk;
}

TAP_SETUP
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(address);

	played = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	if (played < 0)
		SKIP("no netlink socket between user programs here");
	ASSERT_EQ(0, bind(played, (struct sockaddr *)&address, sizeof(address)));
	ASSERT_EQ(0, getsockname(played, (struct sockaddr *)&address, &len));
	h = calloc(1, sizeof(*h));
	h->last = &h->first;
	h->buffer = malloc(HANDLE_BUFFER_BYTES);
	h->family = FAMILY;
	h->calls = connected(address.nl_pid);
	h->events = connected(address.nl_pid);
}

/* From here on: the kernel's part, in a child. */

static uint8_t take_request(void)
{
	socklen_t len = sizeof(client);

	ASSERT(recvfrom(played, request_bytes, sizeof(request_bytes), 0, (struct sockaddr *)&client, &len) > 0);
	request = (struct nlmsghdr *)request_bytes;
	return ((struct genlmsghdr *)nlmsg_data(request))->cmd;
}

/* Of the same datagram. */
static uint8_t next_request(void)
{
	request = (struct nlmsghdr *)((char *)request + NLMSG_ALIGN(request->nlmsg_len));
	return ((struct genlmsghdr *)nlmsg_data(request))->cmd;
}

static void send_to(uint32_t port, struct nl_msg *msg)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = port };
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	ASSERT(sendto(played, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&to, sizeof(to)) == nlh->nlmsg_len);
	nlmsg_free(msg);
}

static struct nl_msg *answer(uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, request->nlmsg_seq, FAMILY, 0, flags, cmd, 1);
	return msg;
}

static void send_group(uint32_t id, const char *name, int flags)
{
	struct nl_msg *msg = answer(USBPASS_CMD_GROUP_GET, flags);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_GROUP);

	nla_put_u32(msg, USBPASS_A_GROUP_ID, id);
	nla_put_string(msg, USBPASS_A_GROUP_NAME, name);
	nla_nest_end(msg, nest);
	send_to(client.nl_pid, msg);
}

static void send_done(int error, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_put(msg, 0, request->nlmsg_seq, NLMSG_DONE, 0, NLM_F_MULTI | flags);
	nlmsg_append(msg, &error, sizeof(error), 0);
	send_to(client.nl_pid, msg);
}

/* @capped: the request is not repeated in full. */
static void send_ack(int error, const char *text, uint32_t offset, bool capped)
{
	struct nl_msg *msg = nlmsg_alloc_size(70000);
	struct nlmsgerr ack = { .error = error, .msg = *request };

	nlmsg_put(msg, 0, request->nlmsg_seq, NLMSG_ERROR, 0, (capped ? NLM_F_CAPPED : 0) | (text ? NLM_F_ACK_TLVS : 0));
	nlmsg_append(msg, &ack, sizeof(ack), NLMSG_ALIGNTO);
	if (!capped)
		nlmsg_append(msg, nlmsg_data(request), nlmsg_datalen(request), NLMSG_ALIGNTO);
	if (text)
		nla_put_string(msg, NLMSGERR_ATTR_MSG, text);
	if (offset)
		nla_put_u32(msg, NLMSGERR_ATTR_OFFS, offset);
	send_to(client.nl_pid, msg);
}

static void send_event(uint32_t port, uint8_t type, uint64_t seq, uint32_t job, int32_t result, const char *reason)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *nest;

	genlmsg_put(msg, 0, 0, FAMILY, 0, 0, USBPASS_CMD_EVENT, 1);
	nest = nla_nest_start(msg, USBPASS_A_EVENT);
	nla_put_u64(msg, USBPASS_A_EVENT_SEQ, seq);
	nla_put_u8(msg, USBPASS_A_EVENT_TYPE, type);
	if (job) {
		nla_put_u32(msg, USBPASS_A_EVENT_JOB, job);
		nla_put_s32(msg, USBPASS_A_EVENT_RESULT, result);
	}
	if (reason)
		nla_put_string(msg, USBPASS_A_EVENT_REASON, reason);
	nla_nest_end(msg, nest);
	send_to(port, msg);
}

/* Where the child @n of the request's nest begins. */
static uint32_t offset_of(unsigned int attr)
{
	struct nlattr *nest = (struct nlattr *)((char *)nlmsg_data(request) + GENL_HDRLEN);

	return (char *)nla_find(nla_data(nest), nla_len(nest), attr) - (char *)request;
}

#define KERNEL	if (fork() == 0)
#define OVER	_exit(0)

TEST("a dump is a list, also of nothing")
{
	struct usbpass_group *list;
	size_t n;

	KERNEL {
		take_request();
		send_done(0, 0);
		take_request();
		for (uint32_t i = 1; i <= 40; i++)
			send_group(i, "g", NLM_F_MULTI);
		send_done(0, 0);
		OVER;
	}
	ASSERT_EQ(0, usbpass_group_list(h, &list, &n));
	EXPECT_EQ(0, n);
	ASSERT_EQ(0, usbpass_group_list(h, &list, &n));
	ASSERT_EQ(40, n);
	EXPECT_EQ(1, list[0].id);
	EXPECT_EQ(40, list[39].id);
	usbpass_group_list_free(list, n);
}

TEST("a torn dump is asked for again")
{
	struct usbpass_group *list;
	size_t n;

	KERNEL {
		take_request();
		send_group(1, "old", NLM_F_MULTI);
		send_group(2, "new", NLM_F_MULTI | NLM_F_DUMP_INTR);
		send_done(0, NLM_F_DUMP_INTR);
		take_request();
		send_group(7, "whole", NLM_F_MULTI);
		send_done(0, 0);
		OVER;
	}
	ASSERT_EQ(0, usbpass_group_list(h, &list, &n));
	ASSERT_EQ(1, n);
	EXPECT_STR("whole", list[0].name);
}

TEST("a dump that is torn for ever ends with EAGAIN in words")
{
	struct usbpass_group *list;
	size_t n;

	KERNEL {
		for (;;) {
			take_request();
			send_done(0, NLM_F_DUMP_INTR);
		}
	}
	EXPECT_EQ(-EAGAIN, usbpass_group_list(h, &list, &n));
	EXPECT(strstr(usbpass_error(h), "try again"));
}

TEST("a refused dump carries its error")
{
	struct usbpass_group *list;
	size_t n;

	KERNEL {
		take_request();
		send_ack(-EPERM, "the host's verbs need CAP_SYS_ADMIN", 0, false);
		take_request();
		send_done(-ENOMEM, 0);
		OVER;
	}
	EXPECT_EQ(-EPERM, usbpass_group_list(h, &list, &n));
	EXPECT_STR("the host's verbs need CAP_SYS_ADMIN", usbpass_error(h));
	EXPECT_EQ(-ENOMEM, usbpass_group_list(h, &list, &n));
	EXPECT(!list);
}

TEST("a refusal names the attribute, whether the request is repeated or not")
{
	struct usbpass_rule rule = { .has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_GROUP) };

	strcpy(rule.name, "r");
	strcpy(rule.group, "nowhere");
	KERNEL {
		for (int capped = 0; capped < 2; capped++) {
			EXPECT_EQ(USBPASS_CMD_RULE_NEW, take_request());
			send_ack(-ENOENT, "no such group", offset_of(USBPASS_A_RULE_GROUP), capped);
		}
		take_request();
		send_ack(-EEXIST, NULL, 0, false);
		OVER;
	}
	for (int capped = 0; capped < 2; capped++) {
		EXPECT_EQ(-ENOENT, usbpass_rule_new(h, &rule));
		EXPECT_EQ(-ENOENT, usbpass_error_code(h));
		EXPECT_STR("no such group", usbpass_error(h));
		EXPECT_STR("rule.group", usbpass_error_attr(h));
	}
	/* No sentence: the errno's, and nothing left of the last one. */
	EXPECT_EQ(-EEXIST, usbpass_rule_new(h, &rule));
	EXPECT_STR(strerror(EEXIST), usbpass_error(h));
	EXPECT_STR("", usbpass_error_attr(h));
}

TEST("an acknowledgement that is no errno is malformed")
{
	struct usbpass_group group = {};

	KERNEL {
		take_request();
		send_ack(-2147483647 - 1, NULL, 0, false);
		take_request();
		send_ack(7, NULL, 0, false);
		OVER;
	}
	EXPECT_EQ(-EBADMSG, usbpass_group_new(h, &group));
	EXPECT_EQ(-EBADMSG, usbpass_group_new(h, &group));
	EXPECT_STR("malformed acknowledgement", usbpass_error(h));
}

TEST("a new object comes back with its id and name")
{
	struct usbpass_group group = {};

	KERNEL {
		take_request();
		send_group(9, "group 9", 0);
		send_ack(0, NULL, 0, false);
		OVER;
	}
	ASSERT_EQ(0, usbpass_group_new(h, &group));
	EXPECT_EQ(9, group.id);
	EXPECT_STR("group 9", group.name);
}

TEST("events between a request and its answer are kept in order")
{
	struct usbpass_group group;
	struct usbpass_event event;

	KERNEL {
		take_request();
		send_event(client.nl_pid, USBPASS_EVENT_COMMIT, 1, 0, 0, NULL);
		send_group(9, "g", 0);
		send_event(client.nl_pid, USBPASS_EVENT_COMMIT, 2, 0, 0, NULL);
		send_ack(0, NULL, 0, false);
		OVER;
	}
	ASSERT_EQ(0, usbpass_group_get(h, 9, NULL, &group));
	EXPECT_STR("g", group.name);
	ASSERT_EQ(0, usbpass_event_next(h, &event, 0));
	EXPECT_EQ(1, event.seq);
	ASSERT_EQ(0, usbpass_event_next(h, &event, 0));
	EXPECT_EQ(2, event.seq);
	EXPECT_EQ(-EAGAIN, usbpass_event_next(h, &event, 0));
}

static uint32_t events_port(void)
{
	return nl_socket_get_local_port(h->events);
}

static void answer_job(void)
{
	struct nl_msg *msg;

	ASSERT_EQ(USBPASS_CMD_DEVICE_CLAIM, take_request());
	msg = answer(USBPASS_CMD_DEVICE_CLAIM, 0);
	nla_put_u32(msg, USBPASS_A_JOB, 5);
	send_to(client.nl_pid, msg);
	send_ack(0, NULL, 0, false);
}

TEST("a claim waits for the event of its own job")
{
	KERNEL {
		answer_job();
		send_event(events_port(), USBPASS_EVENT_DEVICE_STATE, 1, 0, 0, NULL);
		send_event(events_port(), USBPASS_EVENT_JOB, 2, 4, -EIO, NULL);
		send_event(events_port(), USBPASS_EVENT_JOB, 3, 5, 0, NULL);
		answer_job();
		send_event(events_port(), USBPASS_EVENT_JOB, 4, 5, -EBUSY, "its port is owned through usbfs");
		OVER;
	}
	EXPECT_EQ(0, usbpass_device_claim(h, 3, NULL, 0, 5000));
	EXPECT_EQ(-EBUSY, usbpass_device_claim(h, 3, NULL, 0, 5000));
	EXPECT_STR("its port is owned through usbfs", usbpass_error(h));
}

TEST("a job whose event is lost is asked for")
{
	KERNEL {
		struct nl_msg *msg;
		struct nlattr *nest;

		answer_job();
		ASSERT_EQ(USBPASS_CMD_JOB_GET, take_request());
		msg = answer(USBPASS_CMD_JOB_GET, 0);
		nest = nla_nest_start(msg, USBPASS_A_EVENT);
		nla_put_u32(msg, USBPASS_A_EVENT_JOB, 5);
		nla_put_s32(msg, USBPASS_A_EVENT_RESULT, -EIO);
		nla_nest_end(msg, nest);
		send_to(client.nl_pid, msg);
		send_ack(0, NULL, 0, false);
		OVER;
	}
	EXPECT_EQ(-EIO, usbpass_device_claim(h, 3, NULL, 0, 10000));
}

TEST("a claim that takes too long says that it goes on")
{
	KERNEL {
		answer_job();
		ASSERT_EQ(USBPASS_CMD_JOB_GET, take_request());
		for (;;) {
			struct nl_msg *msg = answer(USBPASS_CMD_JOB_GET, 0);
			struct nlattr *nest = nla_nest_start(msg, USBPASS_A_EVENT);

			nla_put_u32(msg, USBPASS_A_EVENT_JOB, 5);
			nla_put_s32(msg, USBPASS_A_EVENT_RESULT, -EINPROGRESS);
			nla_nest_end(msg, nest);
			send_to(client.nl_pid, msg);
			send_ack(0, NULL, 0, false);
			take_request();
		}
	}
	EXPECT_EQ(-ETIMEDOUT, usbpass_device_claim(h, 3, NULL, 0, 300));
	EXPECT(strstr(usbpass_error(h), "goes on"));
}

static const struct nlattr *sent(unsigned int attr)
{
	return nlmsg_find_attr(request, GENL_HDRLEN, attr);
}

TEST("a reset says what it resets and how, and gives its job")
{
	uint32_t job;

	KERNEL {
		struct nl_msg *msg;

		ASSERT_EQ(USBPASS_CMD_DEVICE_RESET, take_request());
		ASSERT(!(request->nlmsg_flags & NLM_F_DUMP));
		ASSERT_EQ(3, nla_get_u32(nla_data(sent(USBPASS_A_DEVICE))));
		ASSERT_EQ(USBPASS_RESET_KIND_HUB, nla_get_u8(sent(USBPASS_A_RESET)));
		ASSERT_EQ(USBPASS_F_FORCE, nla_get_u32(sent(USBPASS_A_FLAGS)));
		msg = answer(USBPASS_CMD_DEVICE_RESET, 0);
		nla_put_u32(msg, USBPASS_A_JOB, 12);
		send_to(client.nl_pid, msg);
		send_ack(0, NULL, 0, false);
		take_request();
		send_ack(-EBUSY, "a device of the host is in the way", 0, false);
		OVER;
	}
	ASSERT_EQ(0, usbpass_device_reset(h, 3, USBPASS_RESET_KIND_HUB, USBPASS_F_FORCE, &job));
	EXPECT_EQ(12, job);
	EXPECT_EQ(-EBUSY, usbpass_device_reset(h, 3, USBPASS_RESET_KIND_HUB, 0, &job));
	EXPECT_EQ(0, job);
	EXPECT_STR("a device of the host is in the way", usbpass_error(h));
}

static void send_hit(uint32_t id, uint8_t in_the_way, int flags)
{
	struct nl_msg *msg = answer(USBPASS_CMD_DEVICE_RESET, NLM_F_MULTI | flags);
	struct nlattr *nest = nla_nest_start(msg, USBPASS_A_DEVICE);

	nla_put_u32(msg, USBPASS_A_DEVICE_ID, id);
	nla_put_u32(msg, USBPASS_A_DEVICE_INTERFACE_CLASS, 0x030101);
	nla_nest_end(msg, nest);
	nla_put_u8(msg, USBPASS_A_IN_THE_WAY, in_the_way);
	send_to(client.nl_pid, msg);
}

TEST("what a reset would hit is a list of devices, whole or none")
{
	struct usbpass_hit *list;
	size_t n;

	KERNEL {
		ASSERT_EQ(USBPASS_CMD_DEVICE_RESET, take_request());
		ASSERT(request->nlmsg_flags & NLM_F_DUMP);
		ASSERT(!sent(USBPASS_A_FLAGS));
		send_hit(3, USBPASS_IN_THE_WAY_NO, NLM_F_DUMP_INTR);
		send_done(0, NLM_F_DUMP_INTR);
		take_request();
		for (uint32_t i = 0; i < 40; i++)
			send_hit(3 + i, i % 3, 0);
		send_done(0, 0);
		take_request();
		send_hit(3, USBPASS_IN_THE_WAY_NO, 0);
		send_done(-EOPNOTSUPP, 0);
		OVER;
	}
	ASSERT_EQ(0, usbpass_device_radius(h, 3, USBPASS_RESET_KIND_HUB, &list, &n));
	ASSERT_EQ(40, n);
	EXPECT_EQ(3, list[0].device.id);
	EXPECT_EQ(USBPASS_IN_THE_WAY_NO, list[0].in_the_way);
	EXPECT_EQ(USBPASS_IN_THE_WAY_LEASE, list[38].in_the_way);
	EXPECT_EQ(1, list[39].device.n_interface_classes);
	usbpass_hit_list_free(list, n);
	EXPECT_EQ(-EOPNOTSUPP, usbpass_device_radius(h, 3, USBPASS_RESET_KIND_HUB, &list, &n));
	EXPECT(!list && !n);
}

TEST("who promised power cycles answers from the same socket")
{
	KERNEL {
		ASSERT_EQ(USBPASS_CMD_POWER_DONE, take_request());
		ASSERT_EQ(events_port(), client.nl_pid);
		ASSERT_EQ(7, nla_get_u32(sent(USBPASS_A_JOB)));
		ASSERT_EQ(-EIO, nla_get_s32(sent(USBPASS_A_RESULT)));
		send_event(client.nl_pid, USBPASS_EVENT_COMMIT, 1, 0, 0, NULL);
		send_ack(-ENOENT, "no such power cycle", 0, false);
		OVER;
	}
	EXPECT_EQ(-ENOENT, usbpass_power_done(h, 7, -EIO));
	EXPECT_STR("no such power cycle", usbpass_error(h));
}

TEST("a learned device is told with its time, and forgotten without")
{
	struct usbpass_device device = { .vendor = 0x046d, .product = 0xc31c, .socket = "0000:00:14.0/4.2" };
	struct usbpass_learned learned = usbpass_learned_of(&device), *list;
	size_t n;

	EXPECT(usbpass_has(&learned, USBPASS_A_LEARNED_SOCKET) && !usbpass_has(&learned, USBPASS_A_LEARNED_SERIAL));
	EXPECT(usbpass_learned_is_of(&learned, &device));
	strcpy(device.serial, "A1");
	EXPECT(!usbpass_learned_is_of(&learned, &device));
	learned = usbpass_learned_of(&device);
	EXPECT(usbpass_has(&learned, USBPASS_A_LEARNED_SERIAL) && !usbpass_has(&learned, USBPASS_A_LEARNED_SOCKET));
	EXPECT(usbpass_learned_is_of(&learned, &device));
	learned.until = 1900000000;
	learned.has |= USBPASS_HAS(USBPASS_A_LEARNED_UNTIL) | USBPASS_HAS(USBPASS_A_LEARNED_OWNER);
	KERNEL {
		const struct nlattr *nest;
		struct nl_msg *msg;
		struct nlattr *told;

		ASSERT_EQ(USBPASS_CMD_LEARNED_NEW, take_request());
		nest = sent(USBPASS_A_LEARNED);
		ASSERT_EQ(1900000000, nla_get_u64(nla_find(nla_data(nest), nla_len(nest), USBPASS_A_LEARNED_UNTIL)));
		ASSERT(!nla_find(nla_data(nest), nla_len(nest), USBPASS_A_LEARNED_OWNER));
		send_ack(0, NULL, 0, false);
		ASSERT_EQ(USBPASS_CMD_LEARNED_DEL, take_request());
		nest = sent(USBPASS_A_LEARNED);
		ASSERT_STR("A1", nla_get_string(nla_find(nla_data(nest), nla_len(nest), USBPASS_A_LEARNED_SERIAL)));
		ASSERT(!nla_find(nla_data(nest), nla_len(nest), USBPASS_A_LEARNED_UNTIL));
		send_ack(0, NULL, 0, false);
		ASSERT_EQ(USBPASS_CMD_LEARNED_GET, take_request());
		msg = answer(USBPASS_CMD_LEARNED_GET, NLM_F_MULTI);
		told = nla_nest_start(msg, USBPASS_A_LEARNED);
		nla_put_u16(msg, USBPASS_A_LEARNED_VENDOR, 0x046d);
		nla_put_u64(msg, USBPASS_A_LEARNED_UNTIL, 1900000000);
		nla_nest_end(msg, told);
		send_to(client.nl_pid, msg);
		send_done(0, 0);
		OVER;
	}
	EXPECT_EQ(0, usbpass_learned_new(h, &learned));
	EXPECT_EQ(0, usbpass_learned_del(h, &learned));
	ASSERT_EQ(0, usbpass_learned_list(h, &list, &n));
	ASSERT_EQ(1, n);
	EXPECT_EQ(0x046d, list[0].vendor);
	EXPECT_EQ(1900000000, list[0].until);
	free(list);
}

static struct usbpass_group two_groups[] = {
	{ .has = USBPASS_HAS(USBPASS_A_GROUP_NAME), .name = "first" },
	{ .has = USBPASS_HAS(USBPASS_A_GROUP_NAME), .name = "second" },
};

TEST("a refused state names the object at fault and leaves no stage")
{
	struct usbpass_state state = { .groups = two_groups, .n_groups = 2 };
	char err[256];
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		ASSERT_EQ(USBPASS_CMD_TXN_BEGIN, take_request());
		send_ack(0, NULL, 0, false);
		ASSERT_EQ(USBPASS_CMD_GROUP_NEW, take_request());
		EXPECT(!(request->nlmsg_flags & NLM_F_ACK));
		send_group(1, "first", 0);
		ASSERT_EQ(USBPASS_CMD_GROUP_NEW, next_request());
		EXPECT(request->nlmsg_flags & NLM_F_ACK);
		send_ack(-EINVAL, "a name may not hold '/'", offset_of(USBPASS_A_GROUP_NAME), true);
		ASSERT_EQ(USBPASS_CMD_TXN_ABORT, take_request());
		send_ack(0, NULL, 0, false);
		exit(0);
	}
	EXPECT_EQ(-EINVAL, usbpass_state_commit(h, &state, 0, NULL, err, sizeof(err)));
	EXPECT_STR("group 'second': a name may not hold '/' (group.name)", err);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, two_groups[0].id);
}

/* Object number @bad is refused, as is the one behind it; @lost goes without an answer. Says how many came, but at the end. */
static int play_many(int n, int bad, int lost)
{
	int i = 0;

	ASSERT_EQ(USBPASS_CMD_TXN_BEGIN, take_request());
	send_ack(0, NULL, 0, false);
	while (i < n) {
		bool last;

		ASSERT_EQ(USBPASS_CMD_GROUP_NEW, take_request());
		do {
			last = request->nlmsg_flags & NLM_F_ACK;
			if (i == bad || i == bad + 1)
				send_ack(-EINVAL, i == bad ? "the first" : "the second", 0, true);
			else if (i != lost)
				send_group(1, "g", 0);
			if (last && i != bad && i != bad + 1)
				send_ack(0, NULL, 0, false);
			i++;
		} while (!last && next_request() == USBPASS_CMD_GROUP_NEW);
		if (bad >= 0 && i > bad)
			break;
		if (lost >= 0 && i > lost)
			break;
	}
	return i;
}

#define MANY	150

static struct usbpass_state many_groups(void)
{
	static struct usbpass_group groups[MANY];

	for (int i = 0; i < MANY; i++) {
		groups[i].has = USBPASS_HAS(USBPASS_A_GROUP_NAME);
		snprintf(groups[i].name, sizeof(groups[i].name), "g%d", i);
	}
	return (struct usbpass_state){ .groups = groups, .n_groups = MANY };
}

TEST("very many objects go at once, and the first that is refused is the one that is named")
{
	struct usbpass_state state = many_groups();
	char err[256], expected[64];
	static const int bad[] = { 0, 63, 64, 149 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		KERNEL {
			play_many(MANY, bad[i], -1);
			ASSERT_EQ(USBPASS_CMD_TXN_ABORT, take_request());
			send_ack(0, NULL, 0, false);
			OVER;
		}
		EXPECT_EQ(-EINVAL, usbpass_state_commit(h, &state, 0, NULL, err, sizeof(err)));
		snprintf(expected, sizeof(expected), "group 'g%d': the first", bad[i]);
		EXPECT_STR(expected, err);
	}
	KERNEL {
		ASSERT_EQ(MANY, play_many(MANY, -2, -1));
		ASSERT_EQ(USBPASS_CMD_TXN_COMMIT, take_request());
		send_ack(0, NULL, 0, false);
		OVER;
	}
	EXPECT_EQ(0, usbpass_state_commit(h, &state, 0, NULL, err, sizeof(err)));
}

TEST("an object of which no answer tells is not taken for made")
{
	struct usbpass_state state = many_groups();
	char err[256];

	KERNEL {
		play_many(MANY, -2, 70);
		ASSERT_EQ(USBPASS_CMD_TXN_ABORT, take_request());
		send_ack(0, NULL, 0, false);
		OVER;
	}
	EXPECT_EQ(-EBADMSG, usbpass_state_commit(h, &state, 0, NULL, err, sizeof(err)));
	EXPECT(strstr(err, "incomplete"));
}

static void send_info(uint64_t generation)
{
	struct nl_msg *msg;

	ASSERT_EQ(USBPASS_CMD_INFO, take_request());
	msg = answer(USBPASS_CMD_INFO, 0);
	nla_put_u64(msg, USBPASS_A_GENERATION, generation);
	nla_nest_end_keep_empty(msg, nla_nest_start(msg, USBPASS_A_INFO));
	send_to(client.nl_pid, msg);
	send_ack(0, NULL, 0, false);
}

/* Three dumps between two looks at the generation. */
static void play_read(uint64_t before, const char *group, uint64_t after)
{
	send_info(before);
	ASSERT_EQ(USBPASS_CMD_GROUP_GET, take_request());
	send_group(1, group, NLM_F_MULTI);
	send_done(0, 0);
	ASSERT_EQ(USBPASS_CMD_RULE_GET, take_request());
	send_done(0, 0);
	ASSERT_EQ(USBPASS_CMD_ATTACH_GET, take_request());
	send_done(0, 0);
	send_info(after);
}

TEST("a state is all of one generation, without what only the kernel knows")
{
	struct usbpass_state state;

	KERNEL {
		play_read(6, "old", 7);
		play_read(7, "new", 7);
		OVER;
	}
	ASSERT_EQ(0, usbpass_state_read(h, &state));
	EXPECT_EQ(7, state.generation);
	ASSERT_EQ(1, state.n_groups);
	EXPECT_STR("new", state.groups[0].name);
	EXPECT(!usbpass_has(&state.groups[0], USBPASS_A_GROUP_ID));
	usbpass_state_free(&state);
}

TAP_MAIN
