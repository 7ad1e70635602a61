// SPDX-License-Identifier: GPL-2.0
// link: lib/libemu.a
// group: trust
// timeout: 300 2400
// Consumers as processes: they hand the descriptor on to children and other users, take all they can get, never reap, and die at
// any moment: the lease is free again soon, and nothing of it stays. Errnos are those of uapi/linux/usbpass.h.
#include <pthread.h>

#define TAP_SECONDS 120
#include "consumer.h"

#define NOBODY 65534
#define BYTES 16
#define BIG (1 << 20)		/* of a URB that fills the lease's memory */
#define FREE_MS 10000		/* from a SIGKILL to the next open, on a stock kernel */

TAP_SETUP
{
	consumer_begin();
}

/* Waits for a child's byte, or its end. */
static void hear(int pipe_end)
{
	char byte;

	EXPECT_EQ(1, read(pipe_end, &byte, 1));
}

TEST("a child goes on with the lease that its parent closed, and its close is the end")
{
	int closed[2], used[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(closed));
	ASSERT_EQ(0, pipe(used));
	pid = fork();
	if (!pid) {
		hear(closed[0]);
		status = consumer_works(fd) && !ioctl(fd, USBDEVFS_RESET) ? 0 : 1;
		ASSERT_EQ(1, write(used[1], "", 1));
		hear(closed[0]);
		_exit(status);
	}
	close(fd);
	fd = -1;
	EXPECT_EQ(1, write(closed[1], "", 1));
	hear(used[0]);
	EXPECT(consumer_slot_is("bad", "online"));
	EXPECT_ERRNO(EBUSY, open(CONSUMER_BAD, O_RDWR));
	EXPECT_EQ(1, write(closed[1], "", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	consumer_end();
}

/* A program that holds what it inherits until its input ends. */
static void exec_with(int flags, bool held)
{
	int input[2], output[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, fcntl(fd, F_SETFD, flags));
	ASSERT_EQ(0, pipe2(input, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(output, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		dup2(input[0], 0);
		dup2(output[1], 1);
		execlp("cat", "cat", NULL);
		_exit(127);
	}
	close(fd);
	fd = -1;
	EXPECT_EQ(1, write(input[1], "x", 1));
	EXPECT_EQ(1, read(output[0], &byte, 1));	/* it runs */
	if (held)
		EXPECT(consumer_slot_is("bad", "online"));
	else
		EXPECT(consumer_wait_slot("bad", "idle"));
	close(input[1]);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(input[0]);
	close(output[0]);
	close(output[1]);
}

TEST("a program started with the descriptor holds the lease to its end, and with O_CLOEXEC never")
{
	exec_with(FD_CLOEXEC, false);
	fd = open(CONSUMER_BAD, O_RDWR);
	ASSERT(fd >= 0);
	exec_with(0, true);
	consumer_end();
}

static void pass(int sock, int passed)
{
	char control_data[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control_data, .msg_controllen = sizeof(control_data)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &passed, sizeof(int));
	EXPECT_EQ(1, sendmsg(sock, &message, 0));
}

static int receive(int sock)
{
	char control_data[CMSG_SPACE(sizeof(int))] = {0}, byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control_data, .msg_controllen = sizeof(control_data)};
	int passed = -1;

	if (recvmsg(sock, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return passed;
}

/* As another user: what was handed over works, and opening is no right of its own. */
static int receiver(int sock, int told, int go)
{
	int node;
	bool fine;

	close(fd);
	if (setgid(NOBODY) || setuid(NOBODY))
		return 2;
	node = receive(sock);
	hear(go);
	fine = node >= 0 && consumer_works(node) && open(CONSUMER_BAD, O_RDWR) < 0 && errno == EACCES;
	if (write(told, "", 1) != 1)
		return 3;
	hear(go);
	return fine ? 0 : 1;
}

TEST("a descriptor passed to another user works there, and the receiver's close is the last")
{
	int socks[2], go[2], told[2], status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(told));
	pid = fork();
	if (!pid)
		_exit(receiver(socks[0], told[1], go[0]));
	pass(socks[1], fd);
	close(fd);
	fd = -1;
	EXPECT_EQ(1, write(go[1], "", 1));
	hear(told[0]);
	EXPECT(consumer_slot_is("bad", "online"));
	EXPECT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	consumer_end();
}

TEST("a descriptor that is only in a socket's queue is a lease still, until the queue is dropped")
{
	int socks[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pass(socks[1], fd);
	close(fd);
	fd = -1;
	EXPECT(consumer_slot_is("bad", "online"));
	close(socks[0]);
	close(socks[1]);
	consumer_end();
}

static struct usbdevfs_urb urbs[USBPASS_URBS_MAX + 1];
static uint8_t data[USBPASS_URBS_MAX + 1][BYTES];

/* URBs that the device never answers; how many were taken. */
static unsigned int submit(unsigned int most)
{
	unsigned int i;

	for (i = 0; i < most && !consumer_submit(fd, &urbs[i], data[i], BYTES); i++)
		;
	return i;
}

TEST("one URB past the bound is ENOMEM, none is lost, and one reaped makes room for one")
{
	struct usbdevfs_ctrltransfer control = {.bRequestType = 0x80, .bRequest = 8, .wLength = 1, .timeout = 1000, .data = data};
	struct usbdevfs_urb *done = NULL, more;
	unsigned int reaped = 0;

	/* Away, but not gone: each ends by itself with -EPROTO, and counts until it is reaped. */
	consumer_parameter("replug_ms", "60000");
	ASSERT(consumer_emu(CONSUMER_EMU_A, "unplug"));
	ASSERT(consumer_wait_slot("bad", "returning"));
	ASSERT_EQ(USBPASS_URBS_MAX, submit(USBPASS_URBS_MAX + 1));
	EXPECT_ERRNO(ENOMEM, consumer_submit(fd, &more, data, BYTES));
	EXPECT_ERRNO(ENOMEM, ioctl(fd, USBDEVFS_CONTROL, &control));
	EXPECT(consumer_in_flight() > USBPASS_URBS_MAX * BYTES);
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_REAPURB, &done));
	EXPECT(done == &urbs[0]);
	EXPECT_EQ(0, consumer_submit(fd, &more, data, BYTES));
	EXPECT_ERRNO(ENOMEM, ioctl(fd, USBDEVFS_CONTROL, &control));
	/* Before the reaping, for which a slow machine may need the rest of the window. */
	ASSERT(consumer_emu(CONSUMER_EMU_A, "plug"));
	ASSERT(consumer_wait_slot("bad", "online"));
	while (reaped < USBPASS_URBS_MAX / 2 && !ioctl(fd, USBDEVFS_REAPURB, &done)) {
		EXPECT_EQ(-EPROTO, done->status);
		reaped++;
	}
	EXPECT_EQ(USBPASS_URBS_MAX / 2, reaped);
	EXPECT_EQ(1, ioctl(fd, USBDEVFS_CONTROL, &control));
	/* The other half is never reaped. */
	consumer_parameter("replug_ms", "2000");
	consumer_end();
}

/* What a RESET and then a close cost with so many at the controller, in ms. */
static unsigned int ending_ms(unsigned int in_flight)
{
	struct usbdevfs_urb *done;
	unsigned int reaped = 0, reset_ms, close_ms;
	uint64_t began;

	ASSERT_EQ(in_flight, submit(in_flight));
	began = fuzz_now_ms();
	EXPECT_EQ(0, ioctl(fd, USBDEVFS_RESET));
	reset_ms = (unsigned int)(fuzz_now_ms() - began);
	while (!ioctl(fd, USBDEVFS_REAPURBNDELAY, &done)) {
		EXPECT_EQ(-EPROTO, done->status);
		reaped++;
	}
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(in_flight, reaped);
	EXPECT(consumer_works(fd));

	ASSERT_EQ(in_flight, submit(in_flight));
	began = fuzz_now_ms();
	close(fd);
	close_ms = (unsigned int)(fuzz_now_ms() - began);
	ASSERT(consumer_wait_slot("bad", "idle"));
	TAP_SAY("with %u in flight a RESET took %u ms, a close %u ms", in_flight, reset_ms, close_ms);
	fd = open(CONSUMER_BAD, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, consumer_claim(fd));
	return reset_ms > close_ms ? reset_ms : close_ms;
}

TEST("thousands of URBs at the controller, never reaped, end with a RESET and with a close in bounded time")
{
	unsigned int most = tap_long() ? USBPASS_URBS_MAX : 1024;

	ending_ms(1);
	EXPECT_LE(ending_ms(most), (tap_long() ? 100000 : 5000) * tap_slower());
	EXPECT(consumer_works(fd));
	consumer_end();
}

TEST("a lease whose memory is full, and that never reaps, takes nothing from another")
{
	static struct usbdevfs_urb big[128];
	int good = open(CONSUMER_GOOD, O_RDWR), i, rounds;
	uint8_t *memory = malloc(BIG);

	ASSERT(good >= 0);
	ASSERT_EQ(0, consumer_claim(good));
	for (i = 0; i < 128 && !consumer_submit(fd, &big[i], memory, BIG); i++)
		;
	EXPECT_EQ(ENOMEM, errno);
	TAP_SAY("%d URBs of 1 MiB", i);
	EXPECT(i >= 60 && i < 64);
	EXPECT(consumer_in_flight() > 60LL * BIG);
	/* A byte goes where a MiB does not. */
	EXPECT_EQ(0, consumer_submit(fd, &big[i], memory, 1));
	for (rounds = 0; rounds < 50; rounds++)
		EXPECT(consumer_works(good));
	for (i = 0; i < 60; i++)
		ASSERT_EQ(0, consumer_submit(good, &big[i], memory, BIG));
	close(good);
	EXPECT(consumer_wait_slot("good", "idle"));
	consumer_end();
	free(memory);
}

/* What a child does until it is killed. */
_Noreturn static void *busy(void *arg)
{
	struct fuzz fuzz = *(struct fuzz *)arg;
	struct usbdevfs_setinterface set = {0};
	struct usbdevfs_urb *done;
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
	uint8_t small[64];

	for (;;) {
		unsigned int i = fuzz_below(&fuzz, 4096);

		switch (fuzz_below(&fuzz, 14)) {
		case 0:
			ioctl(fd, USBDEVFS_RESET);
			break;
		case 1:
			consumer_bulk(fd, 0x81, data, sizeof(small), fuzz_once_in(&fuzz, 3) ? 0 : 5);
			break;
		case 2:
			ioctl(fd, USBDEVFS_REAPURB, &done);
			break;
		case 3:
			set.altsetting = fuzz_below(&fuzz, 2);
			ioctl(fd, USBDEVFS_SETINTERFACE, &set);
			break;
		case 4:
			ioctl(fd, USBDEVFS_CLEAR_HALT, &(unsigned int){0x81});
			break;
		case 5:
			consumer_bulk(fd, 0x02, data, 65536, 0);
			break;
		case 6:
			poll(&pollfd, 1, fuzz_below(&fuzz, 3));
			break;
		case 7:
			ioctl(fd, USBDEVFS_RELEASEINTERFACE, &(unsigned int){0});
			consumer_claim(fd);
			break;
		case 8:
			ioctl(fd, USBDEVFS_DISCARDURB, &urbs[i]);
			break;
		case 9:
			ioctl(fd, USBDEVFS_REAPURBNDELAY, &done);
			break;
		case 10:
			close(fd);
			fd = open(CONSUMER_BAD, O_RDWR | O_CLOEXEC);
			consumer_claim(fd);
			break;
		default:
			consumer_submit(fd, &urbs[i], data[0], BYTES << fuzz_below(&fuzz, 11));
		}
	}
}

static void child(struct fuzz *fuzz)
{
	struct fuzz second = fuzz_new(fuzz_next(fuzz), 1), first = fuzz_new(fuzz_next(fuzz), 0);
	pthread_t thread;

	fd = open(CONSUMER_BAD, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		_exit(1);	/* the parent has seen it idle */
	consumer_claim(fd);
	if (!pthread_create(&thread, NULL, busy, &second))
		busy(&first);
	_exit(1);
}

/* From the death of a child to a lease of one's own that works; -1: not in time. */
static int until_open(int *last_errno)
{
	uint64_t began = fuzz_now_ms(), end = began + FREE_MS * tap_slower();

	while ((fd = open(CONSUMER_BAD, O_RDWR | O_CLOEXEC)) < 0) {
		*last_errno = errno;
		/* Still the child's, or (EAGAIN, after 10 s) still cleaned. */
		if ((errno != EBUSY && errno != EAGAIN) || fuzz_now_ms() > end)
			return -1;
		usleep(500);
	}
	return (int)(fuzz_now_ms() - began);
}

TEST("a consumer killed at a random point leaves a lease that is free soon and works")
{
	int processes = tap_long() ? 1000 : tap_slower() > 1 ? 25 : 40, i, worst = 0, ms, status, err = 0;
	struct fuzz fuzz = fuzz_new(fuzz_seed(), 0);
	pid_t pid;

	close(fd);
	ASSERT(consumer_wait_slot("bad", "idle"));
	for (i = 0; i < processes; i++) {
		pid = fork();
		ASSERT(pid >= 0);
		if (!pid)
			child(&fuzz);
		fuzz_next(&fuzz);
		usleep(fuzz_below(&fuzz, fuzz_once_in(&fuzz, 3) ? 5000 : 150000) * (unsigned int)tap_slower());
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT(WIFSIGNALED(status));
		ms = until_open(&err);
		if (ms < 0)
			TAP_SAY("process %d: %s", i, strerror(err));
		ASSERT(ms >= 0);
		worst = ms > worst ? ms : worst;
		ASSERT_EQ(0, consumer_claim(fd));
		ASSERT(consumer_works(fd));
		close(fd);
		ASSERT(consumer_wait_slot("bad", "idle"));
	}
	fd = -1;
	consumer_end();
	printf("# figure: consumers: %d processes killed at random points, every lease free within %d ms\n", processes, worst);
}

CONSUMER_MAIN
