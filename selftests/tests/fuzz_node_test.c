// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a lib/libemu.a
// group: fuzz
// cpus: 2
// timeout: 240 90000
// Valid calls on two nodes, mutated: arguments, pointers, lengths, numbers, order; from several threads on the same files, while
// the devices come and go, misbehave, and attachments, policies and parameters change. Then all must be as before.
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define TAP_SECONDS 200
#include "emu.h"
#include "fuzz.h"
#include "fuzz_world.h"
#include "tap.h"
#include "usbpass.h"

#define NODES 2
#define FD_BASE 700		/* nothing else gets such numbers, so that a stray close() hits nothing else */
#define WORKERS 4
#define POOL 24			/* URBs of a worker */
#define ARENA (256 << 10)	/* for data; behind it lies more than a lease may move, not mapped */
#define ARENA_GUARD (512UL << 20)
#define CALL_BOUND_MS (40000ULL * tap_slower())
#define PAGE 4096

struct worker {
	pthread_t thread;
	struct fuzz fuzz;
	struct usbdevfs_urb urbs[POOL];
	uint8_t argument[PAGE] __attribute__((aligned(16)));
	uint8_t *edge;			/* the end of a page before one that is not mapped */
	_Atomic uint64_t since;		/* the call's beginning; 0: in none */
	_Atomic unsigned long request;
};

static const char *const paths[NODES] = {"/dev/usbpass/host/a", "/dev/usbpass/host/b"};
static struct worker workers[WORKERS];
static struct emu *emus[NODES];
static struct usbpass *handle;
static uint8_t *arena;
static atomic_bool over;
static _Atomic unsigned long calls, successes, opens, submits, reaps, reports;

static void *data_at(struct worker *w)
{
	return arena + fuzz_below(&w->fuzz, ARENA / PAGE) * PAGE + (fuzz_once_in(&w->fuzz, 3) ? fuzz_below(&w->fuzz, PAGE) : 0);
}

static unsigned int endpoint(struct fuzz *f)
{
	static const uint8_t known[] = {0x01, 0x81, 0x02, 0x82, 0x83, 0x03, 0x84, 0x04};

	return fuzz_once_in(f, 30) ? fuzz_next(f) & 0xff : known[fuzz_below(f, sizeof(known))];
}

static uint32_t length(struct fuzz *f)
{
	static const uint32_t usual[] = {0, 1, 13, 31, 64, 512, 513, 1024, 4096, 16384, 40000, 65536, 200000};

	return usual[fuzz_below(f, sizeof(usual) / sizeof(*usual))];
}

static void build_control_setup(struct fuzz *f, uint8_t *setup, uint16_t *len)
{
	static const uint8_t requests[][8] = {
		{0x80, 6, 0, 1, 0, 0, 18, 0}, {0x80, 6, 0, 2, 0, 0, 0xff, 0}, {0x80, 6, 1, 3, 9, 4, 0xff, 0}, {0x80, 8, 0, 0, 0, 0, 1, 0},
		{0x80, 0, 0, 0, 0, 0, 2, 0}, {0x81, 10, 0, 0, 0, 0, 1, 0}, {0x00, 9, 1, 0, 0, 0, 0, 0}, {0x00, 9, 2, 0, 0, 0, 0, 0},
		{0x01, 11, 0, 0, 0, 0, 0, 0}, {0x01, 11, 1, 0, 0, 0, 0, 0}, {0x02, 1, 0, 0, 0x81, 0, 0, 0}, {0x02, 3, 0, 0, 1, 0, 0, 0},
		{0x00, 5, 9, 0, 0, 0, 0, 0}, {0x40, 0x5b, 0, 0, 0, 0, 64, 0}, {0xc0, 0x5c, 0, 0, 0, 0, 64, 0}, {0x21, 9, 0, 2, 0, 0, 1, 0},
		{0x00, 3, 1, 0, 0, 0, 0, 0}, {0x00, 1, 1, 0, 0, 0, 0, 0}, {0xa1, 0xfe, 0, 0, 0, 0, 1, 0},
	};

	memcpy(setup, requests[fuzz_below(f, sizeof(requests) / sizeof(*requests))], 8);
	if (fuzz_once_in(f, 6))
		setup[fuzz_below(f, 8)] = fuzz_next(f);
	*len = setup[6] | setup[7] << 8;
}

static void build_control(struct worker *w, void *argument)
{
	struct usbdevfs_ctrltransfer *control = argument;
	uint16_t len;

	build_control_setup(&w->fuzz, argument, &len);
	control->timeout = 20 + fuzz_below(&w->fuzz, 200);
	control->data = data_at(w);
}

static void build_bulk(struct worker *w, void *argument)
{
	*(struct usbdevfs_bulktransfer *)argument = (struct usbdevfs_bulktransfer){.ep = endpoint(&w->fuzz),
		.len = length(&w->fuzz), .timeout = 20 + fuzz_below(&w->fuzz, 200), .data = data_at(w)};
}

static void build_urb(struct worker *w, void *argument)
{
	struct usbdevfs_urb *urb = argument;
	uint8_t *setup;
	uint16_t len;

	*urb = (struct usbdevfs_urb){.endpoint = endpoint(&w->fuzz), .buffer_length = length(&w->fuzz), .buffer = data_at(w),
		.usercontext = urb};
	urb->type = (urb->endpoint & 0xf) == 3 ? USBDEVFS_URB_TYPE_INTERRUPT : USBDEVFS_URB_TYPE_BULK;
	if (fuzz_once_in(&w->fuzz, 3))
		urb->flags = fuzz_below(&w->fuzz, 2) ? USBDEVFS_URB_SHORT_NOT_OK : USBDEVFS_URB_ZERO_PACKET;
	if (!fuzz_once_in(&w->fuzz, 4))
		return;
	/* The page may be away: then what lies in argument's own place is the setup. */
	setup = w->argument + PAGE / 2;
	build_control_setup(&w->fuzz, setup, &len);
	urb->type = USBDEVFS_URB_TYPE_CONTROL;
	urb->endpoint = 0;
	urb->buffer = setup;
	urb->buffer_length = 8 + len;
}

static void build_number(struct worker *w, void *argument)
{
	*(uint32_t *)argument = fuzz_below(&w->fuzz, 4);
}

static void build_endpoint(struct worker *w, void *argument)
{
	*(uint32_t *)argument = endpoint(&w->fuzz);
}

static void build_alternate(struct worker *w, void *argument)
{
	((uint32_t *)argument)[0] = fuzz_below(&w->fuzz, 3);
	((uint32_t *)argument)[1] = fuzz_below(&w->fuzz, 3);
}

static void build_driver_ioctl(struct worker *w, void *argument)
{
	*(struct usbdevfs_ioctl *)argument = (struct usbdevfs_ioctl){.ifno = fuzz_below(&w->fuzz, 3),
		.ioctl_code = fuzz_below(&w->fuzz, 2) ? USBDEVFS_DISCONNECT : USBDEVFS_CONNECT, .data = data_at(w)};
}

static void build_claim(struct worker *w, void *argument)
{
	struct usbdevfs_disconnect_claim *claim = argument;

	*claim = (struct usbdevfs_disconnect_claim){.interface = fuzz_below(&w->fuzz, 3), .flags = fuzz_below(&w->fuzz, 4)};
	strcpy(claim->driver, fuzz_below(&w->fuzz, 2) ? "usbfs" : "usbpass");
}

static void build_sized(struct worker *w, void *argument)
{
	static const uint32_t sizes[] = {sizeof(struct usbpass_node_info), sizeof(struct usbpass_node_state), 8, 200};

	memset(argument, 0, 256);
	*(uint32_t *)argument = sizes[fuzz_below(&w->fuzz, 4)];
}

static void build_nothing(struct worker *w, void *argument)
{
}

/* What an ioctl takes. pointer: where in it one of the caller's stands, -1: nowhere. weight: how often. */
static const struct call {
	unsigned long request;
	void (*build)(struct worker *w, void *argument);
	uint16_t size;
	int16_t pointer;
	uint8_t weight;
} table[] = {
	{USBDEVFS_CONTROL, build_control, sizeof(struct usbdevfs_ctrltransfer), offsetof(struct usbdevfs_ctrltransfer, data), 10},
	{USBDEVFS_BULK, build_bulk, sizeof(struct usbdevfs_bulktransfer), offsetof(struct usbdevfs_bulktransfer, data), 10},
	{USBDEVFS_CLAIMINTERFACE, build_number, 4, -1, 14},
	{USBDEVFS_RELEASEINTERFACE, build_number, 4, -1, 2},
	{USBDEVFS_RESETEP, build_endpoint, 4, -1, 2},
	{USBDEVFS_CLEAR_HALT, build_endpoint, 4, -1, 4},
	{USBDEVFS_SETINTERFACE, build_alternate, 8, -1, 4},
	{USBDEVFS_SETCONFIGURATION, build_number, 4, -1, 3},
	{USBDEVFS_GETDRIVER, build_number, sizeof(struct usbdevfs_getdriver), -1, 2},
	{USBDEVFS_CONNECTINFO, build_nothing, 8, -1, 2},
	{USBDEVFS_CONNINFO_EX(sizeof(struct usbdevfs_conninfo_ex)), build_nothing, sizeof(struct usbdevfs_conninfo_ex), -1, 2},
	{USBDEVFS_CONNINFO_EX(6), build_nothing, 8, -1, 1},
	{USBDEVFS_IOCTL, build_driver_ioctl, sizeof(struct usbdevfs_ioctl), offsetof(struct usbdevfs_ioctl, data), 3},
	{USBDEVFS_RESET, build_nothing, 0, -1, 2},
	{USBDEVFS_GET_CAPABILITIES, build_nothing, 4, -1, 2},
	{USBDEVFS_DISCONNECT_CLAIM, build_claim, sizeof(struct usbdevfs_disconnect_claim), -1, 4},
	{USBDEVFS_GET_SPEED, build_nothing, 0, -1, 2},
	{USBPASS_IOC_HUB_RESET, build_nothing, 0, -1, 2},
	{USBPASS_IOC_INFO, build_sized, sizeof(struct usbpass_node_info), -1, 3},
	{USBPASS_IOC_LEASE_STATE, build_sized, sizeof(struct usbpass_node_state), -1, 3},
	{USBDEVFS_HUB_PORTINFO, build_nothing, 128, -1, 1},
	{USBDEVFS_CLAIM_PORT, build_number, 4, -1, 1},
	{USBDEVFS_ALLOC_STREAMS, build_bulk, 24, -1, 1},
};

#define CALLS (sizeof(table) / sizeof(*table))

/* Never one that hits this program's own memory: the device's data would be written there. */
static void *bad_pointer(struct worker *w)
{
	void *pointers[] = {NULL, (void *)1, (void *)0x7ffffffff000, (void *)0x8000000000000000, (void *)0xffffffff81000000,
		(void *)0xffff888000000000, (void *)-1UL, arena + ARENA, arena + ARENA - 1 - fuzz_below(&w->fuzz, 600), w->edge};

	return pointers[fuzz_below(&w->fuzz, sizeof(pointers) / sizeof(*pointers))];
}

static void mutate(struct worker *w, uint8_t *argument, unsigned int size, int pointer)
{
	unsigned int times = 1 + fuzz_below(&w->fuzz, 3), at;
	void *bad;

	while (times-- && size) {
		at = fuzz_below(&w->fuzz, size);
		if (pointer >= 0 && at >= (unsigned int)pointer && at < (unsigned int)pointer + 8) {
			bad = bad_pointer(w);
			memcpy(argument + pointer, &bad, sizeof(bad));
		} else if (fuzz_once_in(&w->fuzz, 3)) {
			argument[at] ^= 1 << fuzz_below(&w->fuzz, 8);
		} else if (fuzz_once_in(&w->fuzz, 2) || at % 4 || at + 4 > size) {
			argument[at] = fuzz_number(&w->fuzz);
		} else {
			uint32_t number = fuzz_number(&w->fuzz);

			memcpy(argument + at, &number, 4);
		}
	}
}

/* One call, watched: it must come back. */
static long watched(struct worker *w, int fd, unsigned long request, void *argument)
{
	long ret;

	atomic_store(&w->request, request);
	atomic_store(&w->since, fuzz_now_ms());
	ret = ioctl(fd, request, argument);
	atomic_store(&w->since, 0);
	atomic_fetch_add(&calls, 1);
	if (ret >= 0)
		atomic_fetch_add(&successes, 1);
	return ret;
}

static long call_one(struct worker *w, int fd)
{
	static const unsigned int total = 76;
	unsigned int roll = fuzz_below(&w->fuzz, total), i = 0;
	const struct call *call;
	void *argument = w->argument;

	while (i < CALLS - 1 && roll >= table[i].weight)
		roll -= table[i++].weight;
	call = &table[i];
	call->build(w, w->argument);
	if (!fuzz_once_in(&w->fuzz, 3))
		return watched(w, fd, call->request, argument);
	mutate(w, w->argument, call->size, call->pointer);
	switch (fuzz_below(&w->fuzz, 8)) {
	case 0:
		argument = bad_pointer(w);
		break;
	case 1:
		argument = w->edge - fuzz_below(&w->fuzz, call->size + 1);
		memcpy(argument, w->argument, w->edge - (uint8_t *)argument);
		break;
	case 2:
		return watched(w, fd, call->request ^ 1UL << fuzz_below(&w->fuzz, 32), argument);
	}
	return watched(w, fd, call->request, argument);
}

static void submit_one(struct worker *w, int fd)
{
	struct usbdevfs_urb *urb = &w->urbs[fuzz_below(&w->fuzz, POOL)];

	build_urb(w, urb);
	if (fuzz_once_in(&w->fuzz, 4))
		mutate(w, (uint8_t *)urb, offsetof(struct usbdevfs_urb, usercontext), offsetof(struct usbdevfs_urb, buffer));
	if (fuzz_once_in(&w->fuzz, 40)) {
		memcpy(w->edge - sizeof(*urb) + 8, urb, sizeof(*urb) - 8);
		urb = (void *)(w->edge - sizeof(*urb) + 8 * fuzz_below(&w->fuzz, 2));
	}
	if (watched(w, fd, USBDEVFS_SUBMITURB, urb) >= 0)
		atomic_fetch_add(&submits, 1);
}

static void reap_one(struct worker *w, int fd)
{
	struct usbdevfs_urb *done = NULL;
	void *to = fuzz_once_in(&w->fuzz, 30) ? bad_pointer(w) : &done;

	/* The waiting kind ends with a signal at the latest. */
	if (watched(w, fd, fuzz_once_in(&w->fuzz, 20) ? USBDEVFS_REAPURB : USBDEVFS_REAPURBNDELAY, to) >= 0)
		atomic_fetch_add(&reaps, 1);
}

static void discard_one(struct worker *w, int fd)
{
	struct worker *whose = &workers[fuzz_below(&w->fuzz, WORKERS)];

	watched(w, fd, USBDEVFS_DISCARDURB, fuzz_once_in(&w->fuzz, 20) ? bad_pointer(w) : &whose->urbs[fuzz_below(&w->fuzz, POOL)]);
}

/* Not ioctls. */
static void other_call(struct worker *w, int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = fuzz_next(&w->fuzz)};
	void *map;

	atomic_store(&w->request, 0);
	atomic_store(&w->since, fuzz_now_ms());
	switch (fuzz_below(&w->fuzz, 5)) {
	case 0:
		poll(&pollfd, 1, fuzz_below(&w->fuzz, 20));
		break;
	case 1:
		lseek(fd, fuzz_number(&w->fuzz), fuzz_below(&w->fuzz, 5));
		break;
	case 2:
		if (read(fd, fuzz_once_in(&w->fuzz, 4) ? bad_pointer(w) : data_at(w), fuzz_below(&w->fuzz, ARENA)) < 0)
			lseek(fd, 0, SEEK_SET);
		break;
	case 3:
		/* There is nothing to map: a driver that let one through would have to say so in its capabilities. */
		map = mmap(NULL, PAGE << fuzz_below(&w->fuzz, 10), fuzz_below(&w->fuzz, 8), 1 + fuzz_below(&w->fuzz, 2), fd,
			   (fuzz_number(&w->fuzz) & 0xffffff) * PAGE);
		if (map != MAP_FAILED && fd >= FD_BASE)
			atomic_fetch_add(&reports, 1);
		break;
	case 4:
		/* What is in flight loses its memory. */
		mmap(arena + fuzz_below(&w->fuzz, ARENA / PAGE) * PAGE, PAGE,
		     fuzz_once_in(&w->fuzz, 3) ? fuzz_below(&w->fuzz, 2) : PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	}
	atomic_store(&w->since, 0);
}

static void open_again(struct worker *w, unsigned int i)
{
	int flags = (fuzz_once_in(&w->fuzz, 15) ? O_RDONLY : O_RDWR) | O_CLOEXEC, fd;

	atomic_store(&w->request, 1);
	atomic_store(&w->since, fuzz_now_ms());
	close(FD_BASE + i);
	fd = open(paths[i], flags | (fuzz_once_in(&w->fuzz, 4) ? 0 : O_NONBLOCK));
	if (fd >= 0) {
		atomic_fetch_add(&opens, 1);
		dup3(fd, FD_BASE + i, O_CLOEXEC);
		close(fd);
	} else {
		usleep(1000 + fuzz_below(&w->fuzz, 20000));
	}
	atomic_store(&w->since, 0);
}

static void *work(void *argument)
{
	struct worker *w = argument;

	while (!atomic_load(&over)) {
		unsigned int i = fuzz_below(&w->fuzz, NODES), roll = fuzz_below(&w->fuzz, 1000);

		errno = 0;
		if (roll < 10)
			open_again(w, i);
		else if (roll < 300)
			submit_one(w, FD_BASE + i);
		else if (roll < 550)
			reap_one(w, FD_BASE + i);
		else if (roll < 620)
			discard_one(w, FD_BASE + i);
		else if (roll < 680)
			other_call(w, FD_BASE + i);
		else
			call_one(w, FD_BASE + i);
		if ((errno == EBADF || errno == ENODEV) && fuzz_once_in(&w->fuzz, errno == EBADF ? 2 : 8))
			open_again(w, i);
	}
	return NULL;
}

static void on_signal(int signal)
{
}

/* A waiting call is interrupted after a while; one that does not come back then hangs. */
static void watch(void)
{
	uint64_t now = fuzz_now_ms(), since;

	for (unsigned int i = 0; i < WORKERS; i++) {
		since = atomic_load(&workers[i].since);
		if (!since || now < since + 700)
			continue;
		pthread_kill(workers[i].thread, SIGUSR1);
		if (now > since + CALL_BOUND_MS) {
			TAP_SAY("worker %u: request %lx has not come back for %llu ms", i, atomic_load(&workers[i].request),
				(unsigned long long)(now - since));
			fuzz_write("/proc/sysrq-trigger", "w");
			exit(TAP_FAIL);
		}
	}
}

/* One thing more happens to the devices, the attachments or the parameters. */
static void happen(struct fuzz *f)
{
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_ENABLED),
		.enabled = fuzz_below(f, 3) > 0};
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_RESET),
		.name = "pool", .reset = fuzz_below(f, USBPASS_RESET_HUB + 1)};
	struct emu *emu = emus[fuzz_below(f, NODES)];

	switch (fuzz_below(f, 12)) {
	case 0:
		fuzz_replug(f, emu);
		break;
	case 1:
		fuzz_tell(emu, "replug");
		break;
	case 2:
		strcpy(attach.name, fuzz_below(f, 2) ? "a" : "b");
		usbpass_attachment_set(handle, &attach, fuzz_below(f, 2) ? USBPASS_F_REVOKE : 0);
		break;
	case 3:
		usbpass_group_set(handle, &group);
		break;
	case 4:
		fuzz_parameter(f);
		break;
	case 5:
		fuzz_tell(emu, fuzz_below(f, 2) ? "report=0102030405060708" : "fail");
		break;
	case 6:
		fuzz_tell(emu, fuzz_below(f, 2) ? "halt=ep81" : "halt=ep01");
		break;
	default:
		fuzz_misbehave(f, emu);
	}
}

static void storm(uint64_t seed, uint64_t ms)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct fuzz f = fuzz_new(seed, WORKERS);
	uint64_t end, next = 0;
	bool busy = true;

	sigaction(SIGUSR1, &action, NULL);
	arena = mmap(NULL, ARENA + ARENA_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(arena != MAP_FAILED);
	ASSERT_EQ(0, mprotect(arena, ARENA, PROT_READ | PROT_WRITE));
	end = fuzz_now_ms() + ms;
	for (unsigned int i = 0; i < WORKERS; i++) {
		uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ASSERT(pages != MAP_FAILED && !mprotect(pages + PAGE, PAGE, PROT_NONE));
		workers[i].edge = pages + PAGE;
		workers[i].fuzz = fuzz_new(seed, i);
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	}
	while (fuzz_now_ms() < end) {
		if (fuzz_now_ms() >= next) {
			happen(&f);
			next = fuzz_now_ms() + fuzz_below(&f, 400);
		}
		watch();
		usleep(20000);
	}
	atomic_store(&over, true);
	while (busy) {
		watch();
		busy = false;
		for (unsigned int i = 0; i < WORKERS; i++)
			busy = busy || atomic_load(&workers[i].since);
		usleep(20000);
	}
	for (unsigned int i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
}

static void plug_as(struct emu *emu, const char *product, const char *serial)
{
	ASSERT_EQ(0, emu_command(emu, "unplug", NULL));
	ASSERT_EQ(0, emu_command(emu, product, NULL));
	ASSERT_EQ(0, emu_command(emu, serial, NULL));
	ASSERT_EQ(0, emu_command(emu, "plug", NULL));
}

static bool is_there(uint16_t product)
{
	struct usbpass_device *devices;
	bool found = false;
	size_t n;

	ASSERT_EQ(0, usbpass_device_list(handle, &devices, &n));
	for (size_t i = 0; i < n; i++)
		found |= devices[i].vendor == 0x1209 && devices[i].product == product;
	usbpass_device_list_free(devices, n);
	return found;
}

/* What chance comes to late: resets that do not help, and a device that comes back into its lease's socket as another. */
static void begin_with_resets(void)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_RESET),
		.name = "pool", .reset = USBPASS_RESET_HUB};
	struct usbdevfs_urb urb, *reaped;
	static uint8_t block[512];
	int fd = open(paths[0], O_RDWR | O_CLOEXEC);

	ASSERT(fd >= 0);
	ASSERT_EQ(0, usbpass_group_set(handle, &group));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_CLAIMINTERFACE, &(unsigned int){0}));
	/* There is nothing to read: each ends with the reset, or while that is on its way. */
	for (int i = 0; i < 4; i++) {
		urb = (struct usbdevfs_urb){.type = USBDEVFS_URB_TYPE_BULK, .endpoint = 0x81, .buffer = block, .buffer_length = sizeof(block)};
		ASSERT_EQ(0, ioctl(fd, USBDEVFS_SUBMITURB, &urb));
		ASSERT_EQ(0, ioctl(fd, USBDEVFS_RESET));
		ASSERT_EQ(0, ioctl(fd, USBDEVFS_REAPURB, &reaped));
	}
	ASSERT_EQ(0, fuzz_write(FUZZ_PARAMETERS "replug_ms", "60000"));
	plug_as(emus[0], "pid=0e77", "serial=ANOTHER");
	for (uint64_t end = fuzz_now_ms() + 30000ULL * tap_slower(); !is_there(0x0e77); usleep(50000))
		ASSERT(fuzz_now_ms() < end);
	close(fd);
	ASSERT_EQ(0, fuzz_write(FUZZ_PARAMETERS "replug_ms", "2000"));
	plug_as(emus[0], "pid=0e01", "serial=ONE");
	ASSERT(fuzz_wait_slot(handle, "a", USBPASS_SLOT_IDLE));
}

static void end(void)
{
	for (int i = 0; i < NODES; i++) {
		close(FD_BASE + i);
		if (emus[i])
			emu_free(emus[i]);
	}
	usbpass_close(handle);
	if (!access("/sys/module/usbpass", F_OK))
		fuzz_rmmod();
}

TAP_SETUP
{
	static const char *const plain[] = {"vid=1209", "pid=0e01", "configs=2"};

	ASSERT_EQ(0, system("modprobe vhci_hcd"));
	if (!access("/sys/module/usbpass", F_OK))
		ASSERT_EQ(0, fuzz_rmmod());
	ASSERT_EQ(0, fuzz_insmod(""));
	tap_defer(end);
	handle = fuzz_configure();
	for (int i = 0; i < NODES; i++) {
		emus[i] = emu_new();
		ASSERT(emus[i]);
		for (unsigned int j = 0; j < sizeof(plain) / sizeof(*plain); j++)
			ASSERT_EQ(0, emu_command(emus[i], plain[j], NULL));
	}
}

TEST("a storm of mutated calls: all come back, then data moves right, and nothing is in flight or held")
{
	uint64_t ms = fuzz_run_ms(25, 30);
	struct usbpass_info info;

	alarm(ms / 1000 + 600 * tap_slower());
	for (int i = 0; i < NODES; i++) {
		ASSERT_EQ(0, emu_command(emus[i], "plug", NULL));
		ASSERT(fuzz_wait_slot(handle, i ? "b" : "a", USBPASS_SLOT_IDLE));
	}
	begin_with_resets();
	storm(fuzz_seed(), ms);
	TAP_SAY("figure: %lu calls on nodes, %lu of them succeeded; %lu opens, %lu URBs taken, %lu reaped", calls, successes, opens,
		submits, reaps);
	/* Else the storm hit nothing. */
	EXPECT(opens > 1 && submits > 10 && reaps > 10 && successes > 100);
	EXPECT_EQ(0, reports);
	for (int i = 0; i < NODES; i++) {
		close(FD_BASE + i);
		emu_command(emus[i], "unplug", NULL);
	}
	fuzz_works_again(handle, emus[0]);
	ASSERT_EQ(0, usbpass_info_get(handle, &info));
	EXPECT_EQ(0, info.leases);
	EXPECT_EQ(0, info.transfer_bytes);
	EXPECT_EQ(0, emu_stat(emus[0], "in_flight"));
	EXPECT_EQ(0, fuzz_rmmod());
}

TAP_MAIN
