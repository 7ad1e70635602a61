// SPDX-License-Identifier: GPL-2.0
// link: lib/libemu.a
// group: trust
// timeout: 300 2400
// Consumers that pull away what they gave: buffers unmapped and mapped anew in flight, URBs discarded while they are submitted
// and reaped, signals asked for, mappings that do not exist. Errnos are those of uapi/linux/usbpass.h.
#include <pthread.h>
#include <sys/mman.h>

#define TAP_SECONDS 60
#include "consumer.h"

#define NOBODY 65534

TAP_SETUP
{
	consumer_begin();
}

/* Two pages for a buffer between two that nobody may write. */
#define PAGE 4096
#define CANARY 0xc5

static uint8_t *guarded(void)
{
	uint8_t *area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(area != MAP_FAILED);
	memset(area, CANARY, 4 * PAGE);
	return area + PAGE;
}

static bool untouched(const uint8_t *from, size_t len)
{
	size_t i;

	for (i = 0; i < len && from[i] == CANARY; i++)
		;
	return i == len;
}

static bool canaries_live(const uint8_t *buffer)
{
	return untouched(buffer - PAGE, PAGE) && untouched(buffer + 2 * PAGE, PAGE);
}

/* The device answers what is in flight on 0x81. */
static void answer(void)
{
	static uint8_t sent[2 * PAGE];

	memset(sent, 0x11, sizeof(sent));
	ASSERT_EQ(2 * PAGE, consumer_bulk(fd, 0x01, sent, sizeof(sent), 20000));
}

static void reap_one(struct usbdevfs_urb *urb, int err)
{
	struct usbdevfs_urb *done = NULL;

	if (err) {
		EXPECT_ERRNO(err, ioctl(fd, USBDEVFS_REAPURB, &done));
	} else {
		EXPECT_EQ(0, ioctl(fd, USBDEVFS_REAPURB, &done));
		EXPECT(done == urb);
	}
	/* Reaped once, whatever came of it. */
	EXPECT_ERRNO(EAGAIN, ioctl(fd, USBDEVFS_REAPURBNDELAY, &done));
}

TEST("a buffer unmapped in flight is EFAULT at the reap, and the next URB is as any")
{
	struct usbdevfs_urb urb;
	uint8_t *buffer = guarded();

	ASSERT_EQ(0, consumer_submit(fd, &urb, buffer, 2 * PAGE));
	ASSERT_EQ(0, munmap(buffer, 2 * PAGE));
	answer();
	reap_one(&urb, EFAULT);
	EXPECT(canaries_live(buffer));
	/* Its second half only. */
	buffer = guarded();
	ASSERT_EQ(0, consumer_submit(fd, &urb, buffer, 2 * PAGE));
	ASSERT_EQ(0, munmap(buffer + PAGE, PAGE));
	answer();
	reap_one(&urb, EFAULT);
	EXPECT(canaries_live(buffer));
	EXPECT(consumer_works(fd));
	consumer_end();
}

TEST("a buffer made read-only in flight is EFAULT and keeps its bytes")
{
	struct usbdevfs_urb urb;
	uint8_t *buffer = guarded();

	ASSERT_EQ(0, consumer_submit(fd, &urb, buffer, 2 * PAGE));
	ASSERT_EQ(0, mprotect(buffer, 2 * PAGE, PROT_READ));
	answer();
	reap_one(&urb, EFAULT);
	EXPECT(untouched(buffer - PAGE, 4 * PAGE));
	EXPECT(consumer_works(fd));
	consumer_end();
}

TEST("a buffer mapped anew in flight gets the data, and what it was mapped to before does not")
{
	int memory = memfd_create("before", 0);
	struct usbdevfs_urb urb;
	uint8_t *buffer = guarded(), *before;

	ASSERT_EQ(0, ftruncate(memory, 2 * PAGE));
	before = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	ASSERT(mmap(buffer, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, 0) == buffer);
	memset(before, CANARY, 2 * PAGE);
	ASSERT_EQ(0, consumer_submit(fd, &urb, buffer, 2 * PAGE));
	ASSERT(mmap(buffer, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == buffer);
	answer();
	reap_one(&urb, 0);
	EXPECT_EQ(0, urb.status);
	EXPECT_EQ(2 * PAGE, urb.actual_length);
	EXPECT_EQ(0x11, buffer[0]);
	EXPECT_EQ(0x11, buffer[2 * PAGE - 1]);
	EXPECT(untouched(before, 2 * PAGE));
	EXPECT(canaries_live(buffer));
	/* A shorter file behind it: what lies past its end is nobody's. */
	memset(buffer, CANARY, 2 * PAGE);
	ASSERT(mmap(buffer, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, 0) == buffer);
	ASSERT_EQ(0, consumer_submit(fd, &urb, buffer, 2 * PAGE));
	ASSERT_EQ(0, ftruncate(memory, PAGE));
	answer();
	reap_one(&urb, EFAULT);
	EXPECT(canaries_live(buffer));
	consumer_end();
}

TEST("a URB whose own struct is gone is EFAULT once, and OUT data are those of the submission")
{
	struct usbdevfs_urb *urb = (void *)guarded();
	uint8_t *buffer = guarded(), got[512];
	struct usbdevfs_urb out = {.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x01, .buffer = buffer, .buffer_length = 512};

	ASSERT_EQ(0, consumer_submit(fd, urb, buffer, 2 * PAGE));
	ASSERT_EQ(0, munmap(urb, 2 * PAGE));
	answer();
	reap_one(urb, EFAULT);
	EXPECT(canaries_live((uint8_t *)urb));

	memset(buffer, 0x77, 512);
	ASSERT(consumer_emu(CONSUMER_EMU_A, "mute=ep01"));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_SUBMITURB, &out));
	ASSERT_EQ(0, munmap(buffer, 2 * PAGE));
	ASSERT(consumer_emu(CONSUMER_EMU_A, "behave"));
	reap_one(&out, 0);
	EXPECT_EQ(0, out.status);
	EXPECT_EQ(512, consumer_bulk(fd, 0x81, got, 512, 20000));
	EXPECT_EQ(0x77, got[0]);
	EXPECT_EQ(0x77, got[511]);
	consumer_end();
}


TEST("there is no mapping to misuse: mmap is ENODEV, in a child too, and its capability is not told")
{
	static const int protections[] = {PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC};
	unsigned int caps = ~0u, i;
	int status;

	ASSERT_EQ(0, ioctl(fd, USBDEVFS_GET_CAPABILITIES, &caps));
	EXPECT_EQ(0, caps & USBDEVFS_CAP_MMAP);
	for (i = 0; i < sizeof(protections) / sizeof(*protections); i++) {
		EXPECT(mmap(NULL, PAGE, protections[i], MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
		EXPECT(mmap(NULL, PAGE, protections[i], MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == ENODEV);
		EXPECT(mmap(NULL, PAGE << 16, protections[i], MAP_SHARED, fd, PAGE) == MAP_FAILED && errno == ENODEV);
	}
	if (!fork())
		_exit(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	ASSERT(wait(&status) > 0);
	EXPECT_EQ(0, status);
	i = (unsigned int)fd;
	close(fd);
	fd = -1;
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, (int)i, 0) == MAP_FAILED && errno == EBADF);
	consumer_end();
}

/* Every signal, from a process that changes its user and dies: nobody is signalled. */
static int ask_for_signals(void)
{
	uint8_t data[64];
	struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x81, .buffer = data, .buffer_length = sizeof(data)};
	unsigned int i;

	for (i = 1; i < 66; i++) {
		urb.signr = i;
		if (i == 33 && (setgid(NOBODY) || setuid(NOBODY)))
			return 2;
		errno = 0;
		if (ioctl(fd, USBDEVFS_SUBMITURB, &urb) != -1 || errno != EINVAL)
			return 1;
	}
	urb.signr = (unsigned int)-1;
	return ioctl(fd, USBDEVFS_SUBMITURB, &urb) != -1 || errno != EINVAL;
}

TEST("a URB that asks for a signal is EINVAL, before and after a change of user, and nothing of it is in flight")
{
	struct usbdevfs_urb *done;
	int status;

	if (!fork())
		_exit(ask_for_signals());
	ASSERT(wait(&status) > 0);
	EXPECT_EQ(0, status);
	EXPECT_ERRNO(EAGAIN, ioctl(fd, USBDEVFS_REAPURBNDELAY, &done));
	EXPECT_EQ(0, consumer_in_flight());
	EXPECT(consumer_works(fd));
	consumer_end();
}

/* Submitted by a process that then died: the survivor of the two reaps. */
TEST("what a dead process submitted is reaped by who holds the descriptor, into its own memory")
{
	uint8_t *buffer = guarded();
	struct usbdevfs_urb *urb = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;

	ASSERT(urb != MAP_FAILED);
	if (!fork())
		_exit(consumer_submit(fd, urb, buffer, 2 * PAGE) != 0);
	ASSERT(wait(&status) > 0);
	ASSERT_EQ(0, status);
	answer();
	reap_one(urb, 0);
	EXPECT_EQ(2 * PAGE, urb->actual_length);
	EXPECT_EQ(0x11, buffer[2 * PAGE - 1]);
	EXPECT(canaries_live(buffer));
	consumer_end();
}

/* Threads over the same URBs: counts of what was taken, and of answers that no document has. */
#define RACED 16

static struct usbdevfs_urb raced[RACED];
static uint8_t raced_data[RACED][512];
static volatile bool over;
static long submitted, reaped, discarded, odd, statuses[2];

static unsigned int rounds(void)
{
	return tap_long() ? 10000 : tap_slower() > 1 ? 400 : 1000;
}

static void *submit_raced(void *arg)
{
	unsigned int i;

	for (i = 0; i < rounds(); i++) {
		if (!ioctl(fd, USBDEVFS_SUBMITURB, &raced[i % RACED]))
			__atomic_add_fetch(&submitted, 1, __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&odd, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *discard_raced(void *arg)
{
	unsigned int i;

	for (i = 0; !over; i++) {
		if (!ioctl(fd, USBDEVFS_DISCARDURB, &raced[i % RACED]))
			__atomic_add_fetch(&discarded, 1, __ATOMIC_RELAXED);
		else if (errno != EINVAL)
			__atomic_add_fetch(&odd, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *reap_raced(void *arg)
{
	struct usbdevfs_urb *done;

	while (!over || __atomic_load_n(&reaped, __ATOMIC_RELAXED) < __atomic_load_n(&submitted, __ATOMIC_RELAXED)) {
		if (ioctl(fd, USBDEVFS_REAPURBNDELAY, &done)) {
			if (errno != EAGAIN)
				__atomic_add_fetch(&odd, 1, __ATOMIC_RELAXED);
			sched_yield();
			continue;
		}
		__atomic_add_fetch(&reaped, 1, __ATOMIC_RELAXED);
		if (done->status == -ENOENT || done->status == 0)
			statuses[done->status == 0]++;
		else
			__atomic_add_fetch(&odd, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void race(unsigned int endpoint)
{
	pthread_t submitters[2], discarders[2], reaper;
	int i;

	/* Once: only a reap writes to them from now on. */
	for (i = 0; i < RACED; i++)
		raced[i] = (struct usbdevfs_urb){
			.type = USBDEVFS_URB_TYPE_BULK, .endpoint = endpoint, .buffer = raced_data[i], .buffer_length = 512};
	ASSERT_EQ(0, pthread_create(&reaper, NULL, reap_raced, NULL));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&submitters[i], NULL, submit_raced, NULL));
		ASSERT_EQ(0, pthread_create(&discarders[i], NULL, discard_raced, NULL));
	}
	for (i = 0; i < 2; i++)
		pthread_join(submitters[i], NULL);
	/* Those that nothing will answer. */
	while (__atomic_load_n(&reaped, __ATOMIC_RELAXED) < submitted)
		usleep(1000);
	over = true;
	for (i = 0; i < 2; i++)
		pthread_join(discarders[i], NULL);
	pthread_join(reaper, NULL);
	TAP_SAY("%ld submitted, %ld reaped, %ld discards taken; status 0 %ld, ENOENT %ld", submitted, reaped, discarded, statuses[1],
		statuses[0]);
	EXPECT_EQ(2 * rounds(), submitted);
	EXPECT_EQ(submitted, reaped);
	EXPECT_EQ(0, odd);
	EXPECT(discarded > 0);
}

TEST("two threads submit and two discard the same URBs: each submission is reaped once, each DISCARD is 0 or EINVAL")
{
	race(0x81);
	/* No data were there. */
	EXPECT_EQ(0, statuses[1]);
	consumer_end();
}

TEST("a URB discarded while it completes and is reaped has its data or ENOENT, and no other end")
{
	race(0x82);
	EXPECT(statuses[1] > 0);
	consumer_end();
}

CONSUMER_MAIN
