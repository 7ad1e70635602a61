// SPDX-License-Identifier: GPL-2.0
// link: lib/libemu.a
// group: trust
// timeout: 300 2400
// Consumers that mean no good: a descriptor used after revocation, in every call, and closed under its threads. Errnos are those
// of uapi/linux/usbpass.h.
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#define TAP_SECONDS 60
#include "consumer.h"

#define URBS 8

TAP_SETUP
{
	consumer_begin();
}

static int control(int node, unsigned int timeout)
{
	uint8_t data[64];
	struct usbdevfs_ctrltransfer request = {
		.bRequestType = 0xc0, .bRequest = 0x5c, .wLength = sizeof(data), .timeout = timeout, .data = data};

	return ioctl(node, USBDEVFS_CONTROL, &request);
}

/* Calls that are blocked when the lease ends, each in a thread of its own. */
struct blocked {
	pthread_t thread;
	long result;
	int err;
	int reaped, odd;	/* by drain(): URBs, and those whose status is another than @status */
	int status;
};

static void *block_in_control(void *arg)
{
	struct blocked *self = arg;

	self->result = control(fd, 0);
	self->err = errno;
	return NULL;
}

static void *block_in_bulk(void *arg)
{
	struct blocked *self = arg;
	uint8_t data[64];

	self->result = consumer_bulk(fd, 0x81, data, sizeof(data), 0);
	self->err = errno;
	return NULL;
}

static void *block_in_poll(void *arg)
{
	struct pollfd pollfd = {.fd = fd};
	struct blocked *self = arg;

	self->result = poll(&pollfd, 1, -1);
	self->err = pollfd.revents;
	return NULL;
}

static void *block_in_epoll(void *arg)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	struct blocked *self = arg;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		self->result = epoll_wait(epoll, &event, 1, -1);
	self->err = event.events;
	close(epoll);
	return NULL;
}

static void *drain(void *arg)
{
	struct blocked *self = arg;
	struct usbdevfs_urb *done;

	while (!(self->result = ioctl(fd, USBDEVFS_REAPURB, &done))) {
		self->reaped++;
		self->odd += done->status != self->status;
	}
	self->err = errno;
	return NULL;
}

/* After the end of a lease: DESIGN's row "gone" for each ioctl. */
static void expect_gone(int node)
{
	static uint8_t page[4096];
	struct usbdevfs_setinterface set = {0};
	struct usbdevfs_getdriver driver = {0};
	struct usbdevfs_ioctl nested = {.ioctl_code = USBDEVFS_DISCONNECT};
	struct usbdevfs_disconnect_claim claim = {0};
	struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x81, .buffer = page, .buffer_length = 64}, *done;
	struct usbpass_node_info info = {.size = sizeof(info)};
	struct usbpass_node_state state = {.size = sizeof(state)};
	struct pollfd pollfd = {.fd = node, .events = POLLIN | POLLOUT};
	struct {
		unsigned long request;
		void *arg;
	} calls[] = {
		{USBDEVFS_RESETEP, &(unsigned int){0x81}}, {USBDEVFS_SETINTERFACE, &set}, {USBDEVFS_SETCONFIGURATION, &(int){1}},
		{USBDEVFS_GETDRIVER, &driver}, {USBDEVFS_SUBMITURB, &urb}, {USBDEVFS_DISCARDURB, &urb}, {USBDEVFS_REAPURB, &done},
		{USBDEVFS_REAPURBNDELAY, &done}, {USBDEVFS_CLAIMINTERFACE, &(unsigned int){0}},
		{USBDEVFS_RELEASEINTERFACE, &(unsigned int){0}}, {USBDEVFS_CONNECTINFO, page}, {USBDEVFS_CONNINFO_EX(24), page},
		{USBDEVFS_IOCTL, &nested}, {USBDEVFS_RESET, NULL}, {USBDEVFS_CLEAR_HALT, &(unsigned int){0x81}},
		{USBDEVFS_GET_CAPABILITIES, page}, {USBDEVFS_DISCONNECT_CLAIM, &claim}, {USBDEVFS_GET_SPEED, NULL},
	};
	unsigned int i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		long result = ioctl(node, calls[i].request, calls[i].arg);

		if (result != -1 || errno != ENODEV)
			TAP_SAY("request %lx", calls[i].request);
		EXPECT(result == -1 && errno == ENODEV);
	}
	EXPECT_ERRNO(ENODEV, control(node, 1000));
	EXPECT_ERRNO(ENODEV, consumer_bulk(node, 0x01, page, 64, 1000));
	EXPECT_ERRNO(ENODEV, read(node, page, 18));
	EXPECT(mmap(NULL, 4096, PROT_READ, MAP_SHARED, node, 0) == MAP_FAILED && errno == ENODEV);
	EXPECT_EQ(1, poll(&pollfd, 1, 0));
	EXPECT_EQ(POLLERR | POLLHUP, pollfd.revents);
	EXPECT_EQ(0, ioctl(node, USBPASS_IOC_INFO, &info));
	EXPECT_EQ(0, info.device_id);
	EXPECT_EQ(0, ioctl(node, USBPASS_IOC_LEASE_STATE, &state));
	EXPECT_EQ(USBPASS_LEASE_GONE, state.state);
	EXPECT_EQ(0, state.window_ms);
}

/* With calls blocked and URBs in flight. @spare: the device goes to another attachment of the group. */
static void end_by(const char *how, const char *spare)
{
	static struct usbdevfs_urb urbs[URBS];
	static uint8_t data[URBS][512];
	struct blocked in_control = {0}, in_bulk = {0}, in_poll = {0}, in_epoll = {0}, drainer = {.status = -ENODEV};
	int i, other;

	ASSERT(consumer_emu(CONSUMER_EMU_A, "mute=vendor"));
	for (i = 0; i < URBS; i++)
		ASSERT_EQ(0, consumer_submit(fd, &urbs[i], data[i], 512));
	ASSERT_EQ(0, pthread_create(&in_control.thread, NULL, block_in_control, &in_control));
	ASSERT_EQ(0, pthread_create(&in_bulk.thread, NULL, block_in_bulk, &in_bulk));
	ASSERT_EQ(0, pthread_create(&in_poll.thread, NULL, block_in_poll, &in_poll));
	ASSERT_EQ(0, pthread_create(&in_epoll.thread, NULL, block_in_epoll, &in_epoll));
	ASSERT_EQ(0, pthread_create(&drainer.thread, NULL, drain, &drainer));
	ASSERT(consumer_emu(CONSUMER_EMU_A, "wait=in_flight>=10:20000"));
	ASSERT_EQ(0, consumer_run(how));

	pthread_join(in_control.thread, NULL);
	EXPECT(in_control.result == -1 && in_control.err == ENODEV);
	pthread_join(in_bulk.thread, NULL);
	EXPECT(in_bulk.result == -1 && in_bulk.err == ENODEV);
	pthread_join(in_poll.thread, NULL);
	EXPECT_EQ(1, in_poll.result);
	EXPECT_EQ(POLLERR | POLLHUP, in_poll.err & (POLLERR | POLLHUP));
	pthread_join(in_epoll.thread, NULL);
	EXPECT_EQ(1, in_epoll.result);
	EXPECT_EQ(EPOLLERR | EPOLLHUP, in_epoll.err & (int)(EPOLLERR | EPOLLHUP));
	pthread_join(drainer.thread, NULL);
	EXPECT(drainer.result == -1 && drainer.err == ENODEV);
	EXPECT_EQ(URBS, drainer.reaped);
	EXPECT_EQ(0, drainer.odd);
	expect_gone(fd);
	/* The descriptor is open still. */
	EXPECT_EQ(0, consumer_in_flight());
	consumer_emu(CONSUMER_EMU_A, "behave");
	if (spare) {
		ASSERT(consumer_wait_slot(spare, "idle"));
		other = open("/dev/usbpass/host/spare", O_RDWR);
		ASSERT(other >= 0);
		EXPECT_EQ(0, consumer_claim(other));
		EXPECT(consumer_works(other));
		EXPECT_ERRNO(ENODEV, consumer_bulk(fd, 0x01, data, 64, 1000));
		close(other);
		EXPECT(consumer_wait_slot(spare, "idle"));
	}
}

TEST("after the attachment was deleted with --revoke every call says ENODEV, and the device serves the next lease")
{
	ASSERT_EQ(0, consumer_run("attach add spare --group as"));
	end_by("attach del bad --revoke", "spare");
	EXPECT_EQ(0, consumer_run("attach del spare"));
	EXPECT_EQ(0, consumer_run("attach add bad --group as"));
	consumer_end();
}

TEST("after the attachment was moved to another group with --revoke every call says ENODEV")
{
	ASSERT_EQ(0, consumer_run("attach add spare --group as"));
	end_by("attach set bad --group bs --revoke", "spare");
	EXPECT_EQ(0, consumer_run("attach del spare"));
	close(fd);
	fd = -1;
	EXPECT_EQ(0, consumer_run("attach set bad --group as"));
	consumer_end();
}

TEST("after the device was released with --revoke every call says ENODEV")
{
	end_by("device release 1209:0e01 --revoke", NULL);
	close(fd);
	fd = -1;
	EXPECT_EQ(0, consumer_run("device claim 1209:0e01"));
	consumer_end();
}

TEST("a disabled attachment keeps its open lease, and the next open is EACCES")
{
	ASSERT_EQ(0, consumer_run("attach set bad --disable"));
	EXPECT(consumer_works(fd));
	close(fd);
	fd = -1;
	EXPECT(consumer_wait_slot("bad", "offline"));
	EXPECT_ERRNO(EACCES, open(CONSUMER_BAD, O_RDWR));
	ASSERT_EQ(0, consumer_run("attach set bad --enable"));
	consumer_end();
}

static volatile bool stop;
static struct usbdevfs_urb many[64];

static void on_signal(int signal)
{
}

static void *keep_submitting(void *arg)
{
	static uint8_t data[64][512];
	unsigned int i;

	for (i = 0; !stop; i++)
		if (consumer_submit(fd, &many[i % 64], data[i % 64], 512))
			break;
	return NULL;
}

static void *keep_discarding(void *arg)
{
	unsigned int i;

	for (i = 0; !stop; i++)
		if (ioctl(fd, USBDEVFS_DISCARDURB, &many[i % 64]) && errno != EINVAL)
			break;
	return NULL;
}

static void *keep_resetting(void *arg)
{
	while (!stop && !ioctl(fd, USBDEVFS_RESET))
		;
	return NULL;
}

static void *keep_transferring(void *arg)
{
	uint8_t data[512];

	while (!stop && (consumer_bulk(fd, 0x02, data, sizeof(data), 100) >= 0 || errno != EBADF))
		;
	return NULL;
}

static void *short_control(void *arg)
{
	control(fd, 1000);
	return NULL;
}

static void *short_bulk(void *arg)
{
	uint8_t data[64];

	consumer_bulk(fd, 0x81, data, sizeof(data), 1000);
	return NULL;
}

static void *short_poll(void *arg)
{
	struct pollfd pollfd = {.fd = fd};

	poll(&pollfd, 1, 1000);
	return NULL;
}

static void *reap(void *arg)
{
	struct usbdevfs_urb *done;

	while (!ioctl(fd, USBDEVFS_REAPURB, &done))
		;
	return NULL;
}

TEST("a close under threads in every call ends the lease as the last of them returns")
{
	static void *(*const calls[])(void *) = {keep_submitting, keep_discarding, keep_resetting, keep_transferring, short_control,
		short_bulk, short_poll, reap};
	enum { CALLS = sizeof(calls) / sizeof(*calls) };
	struct sigaction action = {.sa_handler = on_signal};
	struct fuzz fuzz = fuzz_new(fuzz_seed(), 0);
	int rounds = tap_long() ? 60 : 4, i;
	pthread_t threads[CALLS];

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	while (rounds--) {
		ASSERT(consumer_emu(CONSUMER_EMU_A, "mute=vendor"));
		stop = false;
		for (i = 0; i < CALLS; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, calls[i], NULL));
		usleep(fuzz_below(&fuzz, 100000));
		close(fd);
		usleep(fuzz_below(&fuzz, 20000));
		stop = true;
		/* REAPURB waits on, whatever becomes of the descriptor; a signal ends it. */
		for (i = 0; i < CALLS; i++) {
			while (pthread_tryjoin_np(threads[i], NULL)) {
				pthread_kill(threads[i], SIGUSR1);
				usleep(1000);
			}
		}
		fd = -1;
		ASSERT(consumer_wait_slot("bad", "idle"));
		consumer_emu(CONSUMER_EMU_A, "behave");
		fd = open(CONSUMER_BAD, O_RDWR);
		ASSERT(fd >= 0);
		ASSERT_EQ(0, consumer_claim(fd));
		EXPECT(consumer_works(fd));
	}
	consumer_end();
}

TEST("REAPURB without a URB is EINTR at a signal, and CONTROL and BULK end with ETIMEDOUT in their time")
{
	struct sigaction action = {.sa_handler = on_signal};
	struct blocked drainer = {0};
	uint8_t data[64];

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, pthread_create(&drainer.thread, NULL, drain, &drainer));
	do {
		usleep(10000);
		pthread_kill(drainer.thread, SIGUSR1);
	} while (pthread_tryjoin_np(drainer.thread, NULL));
	EXPECT(drainer.result == -1 && drainer.err == EINTR);
	ASSERT(consumer_emu(CONSUMER_EMU_A, "mute=vendor"));
	EXPECT_ERRNO(ETIMEDOUT, control(fd, 100));
	EXPECT_ERRNO(ETIMEDOUT, consumer_bulk(fd, 0x81, data, sizeof(data), 100));
	consumer_emu(CONSUMER_EMU_A, "behave");
	EXPECT(consumer_works(fd));
	consumer_end();
}

TEST("a lease has no more than lease_memory_mb in flight: what is past it is ENOMEM, until something has ended")
{
	static struct usbdevfs_urb urbs[17];
	static uint8_t data[2 << 20];
	const int len = 64 << 10;
	void *reaped;
	int n = 0;

	consumer_parameter("lease_memory_mb", "1");
	errno = 0;
	while (n < 17 && !consumer_submit(fd, &urbs[n], data, len))
		n++;
	/* What the kernel needs of its own for each counts as well. */
	EXPECT(n >= 8 && n <= 16);
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_LE(consumer_in_flight(), 1 << 20);
	EXPECT_ERRNO(ENOMEM, consumer_bulk(fd, 0x01, data, sizeof(data), 1000));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_DISCARDURB, &urbs[0]));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_REAPURB, &reaped));
	EXPECT_EQ(0, consumer_submit(fd, &urbs[0], data, len));
	EXPECT_ERRNO(ENOMEM, consumer_submit(fd, &urbs[16], data, len));
	consumer_parameter("lease_memory_mb", "64");
	EXPECT_EQ(0, consumer_submit(fd, &urbs[16], data, len));
	consumer_end();
}

CONSUMER_MAIN
