// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a
// group: trust
// on: debug
// timeout: 300 3000
// Each system call on a node with each of its allocations and copies failing once: an error, the lease as it was, and it works
// when asked again; or all of its effect. The device is a gadget behind dummy_hcd: vhci_hcd unplugs its own for want of memory.
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define TAP_SECONDS 280
#include "tap.h"
#include "usbpass.h"

#include "fault.h"
#include "fault_world.h"

#define DATA_BYTES 70000		/* more than one piece of a list */

static struct usbpass *h;
static int fd = -1;
static unsigned int in, out;		/* bulk endpoints of interface 0 */
static uint8_t *data;
static struct usbdevfs_urb urb, *reaped;

static bool slot_is(const char *state)
{
	char line[32] = "";
	FILE *file = fopen("/sys/class/usbpass/slot0/state", "r");
	bool same = file && fgets(line, sizeof(line), file) && !strncmp(line, state, strlen(state));

	if (file)
		fclose(file);
	return same;
}

static bool wait_slot(const char *state)
{
	for (int i = 0; i < 1200 && !slot_is(state); i++)
		usleep(20000);
	return slot_is(state);
}

/*
 * Online, and not about to be lost: a reset whose descriptors could not be read is a device that changed, which the hub's worker
 * disconnects as soon as it runs, and nothing tells before. So often seen online, it has run.
 */
static bool stays_online(void)
{
	for (int seen = 0; seen < 10; seen++) {
		usleep(20000);
		if (slot_is("online"))
			continue;
		if (!wait_slot("online"))
			return false;
		seen = 0;
	}
	return true;
}

/* ---- what a lease is seen to be ---- */

struct view {
	struct usbpass_node_info info;
	struct usbpass_node_state state;
	uint64_t generation, bytes;
	uint32_t leases, claims;
};

static void look(struct view *view)
{
	struct usbpass_info info;

	memset(view, 0, sizeof(*view));
	ASSERT_EQ(0, usbpass_info_get(h, &info));
	view->generation = info.generation;
	view->leases = info.leases;
	view->bytes = info.transfer_bytes;
	if (fd < 0)
		return;
	view->info.size = sizeof(view->info);
	view->state.size = sizeof(view->state);
	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_INFO, &view->info));
	ASSERT_EQ(0, ioctl(fd, USBPASS_IOC_LEASE_STATE, &view->state));
	for (unsigned int i = 0; i < 4; i++) {
		struct usbdevfs_getdriver driver = {.interface = i};

		view->claims |= !ioctl(fd, USBDEVFS_GETDRIVER, &driver) << i;
	}
	/* How often it was asked for is counted whatever becomes of it. */
	view->state.resets = 0;
}

static bool claims(unsigned int number)
{
	struct usbdevfs_getdriver driver = {.interface = number};

	return !ioctl(fd, USBDEVFS_GETDRIVER, &driver);
}

/* Each interface of the gadget, of which there are two, has the module for its driver. */
static bool is_configured(void)
{
	return !system("n=0; for i in /sys/bus/usb/drivers/usbpass-interface/*:1.*; do [ -e \"$i\" ] && n=$((n + 1)); done; [ $n -eq 2 ]");
}

/* ---- one call through all of its calls ---- */

struct call {
	const char *name;
	long (*run)(void);
	void (*before)(void);		/* what it needs */
	bool (*done)(void);		/* all of its effect is there */
	void (*undo)(void);
	int refused;			/* fails so without a fault; 0: it works */
	bool away;			/* a failure may take the device off the bus, for a moment */
	bool eats;			/* a failure ends the URB all the same, as in usbfs */
};

static bool right(const struct call *call, long ret, int error)
{
	return call->refused ? ret < 0 && error == call->refused : ret >= 0;
}

static void check_done(const struct call *call, unsigned int n)
{
	if (call->done)
		TAP_CHECK(true, call->done(), "%s, call %u: succeeded, but its effect is not whole", call->name, n);
	if (call->undo)
		call->undo();
}

static void check_failed(const struct call *call, unsigned int n, int error, const struct view *before)
{
	struct view after;

	TAP_CHECK(false, error == ENOMEM || error == EFAULT, "%s, call %u: failed with %s", call->name, n, strerrorname_np(error));
	if (call->away)
		ASSERT(stays_online());
	look(&after);
	if (call->eats) {
		/* It was the only one: nothing stays charged. */
		TAP_CHECK(true, !after.bytes, "%s, call %u: the memory of the ended URB is still in use", call->name, n);
		after.bytes = before->bytes;
	}
	TAP_CHECK(true, !memcmp(before, &after, sizeof(after)), "%s, call %u: failed with %s, but something changed", call->name, n,
		  strerrorname_np(error));
}

/* False: there is no @n-th call. */
static bool round_of(const struct call *call, unsigned int n, bool *survived)
{
	struct view before;
	bool injected;
	int error;
	long ret;

	if (call->before)
		call->before();
	look(&before);
	errno = 0;
	fault_arm(n);
	ret = call->run();
	injected = fault_disarm();
	error = errno;
	*survived = right(call, ret, error);
	TAP_CHECK(true, injected || *survived, "%s: %s without a fault", call->name, strerrorname_np(error));
	if (!*survived) {
		check_failed(call, n, error, &before);
		if (call->before)
			call->before();
		ret = call->run();
		TAP_CHECK(true, right(call, ret, errno), "%s, call %u: asked again, it fails with %s", call->name, n,
			  strerrorname_np(errno));
	} else if (call->away) {
		ASSERT(stays_online());
	}
	check_done(call, n);
	return injected;
}

static void each_call(const struct call *call)
{
	unsigned int n, injected = 0, survived = 0;
	bool fine;

	for (n = 1; round_of(call, n, &fine); n = fault_next(n)) {
		injected++;
		survived += fine;
	}
	fault_tell(call->name, injected, survived);
}

/* ---- the calls ---- */

static long number_call(unsigned long request, unsigned int number) { return ioctl(fd, request, &number); }

static void claim(void) { ASSERT_EQ(0, number_call(USBDEVFS_CLAIMINTERFACE, 0)); }
static void unclaim(void) { ASSERT_EQ(0, number_call(USBDEVFS_RELEASEINTERFACE, 0)); }
static bool is_claimed(void) { return claims(0); }
static bool is_unclaimed(void) { return !claims(0); }
static bool is_online(void) { return slot_is("online"); }

static long run_claim(void) { return number_call(USBDEVFS_CLAIMINTERFACE, 0); }
static long run_unclaim(void) { return number_call(USBDEVFS_RELEASEINTERFACE, 0); }
static long run_speed(void) { return ioctl(fd, USBDEVFS_GET_SPEED); }
static long run_reset(void) { return ioctl(fd, USBDEVFS_RESET); }
static long run_resetep(void) { return number_call(USBDEVFS_RESETEP, in); }
static long run_clear_halt(void) { return number_call(USBDEVFS_CLEAR_HALT, in); }
static long run_configuration(void) { return number_call(USBDEVFS_SETCONFIGURATION, 1); }
static void unconfigure(void) { ASSERT_EQ(0, number_call(USBDEVFS_SETCONFIGURATION, 0)); }
static long run_capabilities(void) { return number_call(USBDEVFS_GET_CAPABILITIES, 0); }
static long run_read(void) { return pread(fd, data, 4096, 0); }
static long run_mmap(void) { return mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0; }

static long run_poll(void)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	return poll(&pfd, 1, 0);
}

static long run_interface(void)
{
	struct usbdevfs_setinterface set = {.interface = 0, .altsetting = 0};

	return ioctl(fd, USBDEVFS_SETINTERFACE, &set);
}

static long run_getdriver(void)
{
	struct usbdevfs_getdriver driver = {.interface = 0};

	return ioctl(fd, USBDEVFS_GETDRIVER, &driver);
}

static long run_connectinfo(void)
{
	struct usbdevfs_connectinfo info;

	return ioctl(fd, USBDEVFS_CONNECTINFO, &info);
}

static long run_conninfo_ex(void)
{
	struct usbdevfs_conninfo_ex info;

	return ioctl(fd, USBDEVFS_CONNINFO_EX(sizeof(info)), &info);
}

static long run_disconnect(void)
{
	struct usbdevfs_ioctl request = {.ifno = 0, .ioctl_code = USBDEVFS_DISCONNECT};

	return ioctl(fd, USBDEVFS_IOCTL, &request);
}

static long run_connect(void)
{
	struct usbdevfs_ioctl request = {.ifno = 0, .ioctl_code = USBDEVFS_CONNECT};

	return ioctl(fd, USBDEVFS_IOCTL, &request);
}

static long run_disconnect_claim(void)
{
	struct usbdevfs_disconnect_claim request = {.interface = 0};

	return ioctl(fd, USBDEVFS_DISCONNECT_CLAIM, &request);
}

static long run_info(void)
{
	struct usbpass_node_info info = {.size = sizeof(info)};

	return ioctl(fd, USBPASS_IOC_INFO, &info);
}

static long run_state(void)
{
	struct usbpass_node_state state = {.size = sizeof(state)};

	return ioctl(fd, USBPASS_IOC_LEASE_STATE, &state);
}

static long run_control(void)
{
	struct usbdevfs_ctrltransfer request = {.bRequestType = 0x80, .bRequest = 6, .wValue = 0x100, .wLength = 18, .timeout = 20000,
						.data = data};

	return ioctl(fd, USBDEVFS_CONTROL, &request);
}

static long bulk(unsigned int endpoint, unsigned int len)
{
	struct usbdevfs_bulktransfer request = {.ep = endpoint, .len = len, .timeout = 20000, .data = data};

	return ioctl(fd, USBDEVFS_BULK, &request);
}

static long run_bulk_in(void) { return bulk(in, 2048); }
static long run_bulk_out(void) { return bulk(out, DATA_BYTES); }

static void make_urb(uint8_t type, unsigned int endpoint, int len)
{
	urb = (struct usbdevfs_urb){.type = type, .endpoint = endpoint, .buffer = data, .buffer_length = len};
}

static void want_bulk_out(void) { make_urb(USBDEVFS_URB_TYPE_BULK, out, DATA_BYTES); }
static void want_bulk_in(void) { make_urb(USBDEVFS_URB_TYPE_BULK, in, 2048); }

static void want_control(void)
{
	static const uint8_t get_descriptor[] = {0x80, 6, 0, 1, 0, 0, 18, 0};

	memcpy(data, get_descriptor, sizeof(get_descriptor));
	make_urb(USBDEVFS_URB_TYPE_CONTROL, 0, sizeof(get_descriptor) + 18);
}

static long run_submit(void) { return ioctl(fd, USBDEVFS_SUBMITURB, &urb); }
static long run_discard(void) { return ioctl(fd, USBDEVFS_DISCARDURB, &urb); }
static long run_reap(void) { return ioctl(fd, USBDEVFS_REAPURB, &reaped); }
static long run_reap_now(void) { return ioctl(fd, USBDEVFS_REAPURBNDELAY, &reaped); }

/* What was submitted ends well, and nothing else does. */
static bool is_submitted(void)
{
	return !run_reap() && reaped == &urb && !urb.status && run_reap_now() && errno == EAGAIN;
}

/* The first submission ends, one way or the other; what a failed copy has eaten does not come again, as usbfs. */
static void something_done(void)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	while (!run_reap_now())
		;
	want_control();
	ASSERT_EQ(0, run_submit());
	ASSERT_EQ(1, poll(&pfd, 1, 20000));
}

static bool is_reaped(void) { return reaped == &urb && !urb.status && run_reap_now() && errno == EAGAIN; }
static bool has_ended(void) { return !run_reap() && reaped == &urb; }

/* On a device that does not answer it: the loopback's IN endpoint, to which nothing was sent. */
static unsigned int silent;

static void in_flight(void)
{
	ASSERT_EQ(0, number_call(USBDEVFS_CLAIMINTERFACE, 1));
	while (!run_reap_now())
		;
	make_urb(USBDEVFS_URB_TYPE_BULK, silent, 512);
	ASSERT_EQ(0, run_submit());
}

static void close_node(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
	ASSERT(wait_slot("idle"));
}

static void open_node(void)
{
	if (fd < 0)
		fd = open(FAULT_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
}

static long run_open(void) { return fd = open(FAULT_NODE, O_RDWR | O_CLOEXEC); }
static long run_close(void) { int number = fd; fd = -1; return close(number); }
static bool is_closed(void) { return wait_slot("idle"); }

/* ---- the device ---- */

/* Bulk endpoints of the two interfaces' first settings. */
static void find_endpoints(void)
{
	long len = pread(fd, data, 4096, 0);
	int interface = -1, setting = 0;

	for (long at = 18; at + 2 < len && data[at]; at += data[at]) {
		if (data[at + 1] == 4) {
			interface = data[at + 2];
			setting = data[at + 3];
		} else if (data[at + 1] == 5 && !setting && (data[at + 3] & 3) == 2) {
			if (interface == 0)
				*(data[at + 2] & 0x80 ? &in : &out) = data[at + 2];
			else if (data[at + 2] & 0x80)
				silent = data[at + 2];
		}
	}
	ASSERT(in && out && silent);
}

static void end(void)
{
	if (fd >= 0)
		close(fd);
}

TAP_SETUP
{
	fault_world(&h);
	tap_defer(end);
	ASSERT(wait_slot("idle"));
	data = malloc(DATA_BYTES);
	ASSERT(data);
	/* Nothing of it may be touched for the first time under a fault. */
	memset(data, 1, DATA_BYTES);
	open_node();
	find_endpoints();
	fault_begin();
}

#define EACH(...)													       \
	do {														       \
		static const struct call calls[] = {__VA_ARGS__};							       \
															       \
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)						       \
			each_call(&calls[i]);										       \
	} while (0)

TEST("what only asks a node fails with an error, and works when asked again")
{
	claim();
	EACH({.name = "read", .run = run_read},
	     {.name = "poll", .run = run_poll},
	     {.name = "mmap", .run = run_mmap, .refused = ENODEV},
	     {.name = "GETDRIVER", .run = run_getdriver},
	     {.name = "CONNECTINFO", .run = run_connectinfo},
	     {.name = "CONNINFO_EX", .run = run_conninfo_ex},
	     {.name = "GET_CAPABILITIES", .run = run_capabilities},
	     {.name = "INFO", .run = run_info},
	     {.name = "LEASE_STATE", .run = run_state});
	/* These two have nothing to fail. */
	EXPECT_GE(run_speed(), 0);
	EXPECT_ERRNO(EAGAIN, run_reap_now());
}

TEST("a claim is made and given back wholly, or stays as it was")
{
	EACH({.name = "CLAIMINTERFACE", .run = run_claim, .done = is_claimed, .undo = unclaim},
	     {.name = "DISCONNECT_CLAIM", .run = run_disconnect_claim, .done = is_claimed, .undo = unclaim},
	     {.name = "RELEASEINTERFACE", .run = run_unclaim, .before = claim, .done = is_unclaimed},
	     {.name = "IOCTL(DISCONNECT)", .run = run_disconnect, .before = claim, .done = is_unclaimed},
	     {.name = "IOCTL(CONNECT)", .run = run_connect});
}

TEST("a synchronous transfer fails with an error, and works when asked again")
{
	claim();
	EACH({.name = "CONTROL", .run = run_control},
	     {.name = "BULK in", .run = run_bulk_in},
	     {.name = "BULK out", .run = run_bulk_out});
}

TEST("a URB is submitted wholly or not at all, and one that is in flight can be discarded and reaped")
{
	claim();
	EACH({.name = "SUBMITURB control", .run = run_submit, .before = want_control, .done = is_submitted},
	     {.name = "SUBMITURB bulk in", .run = run_submit, .before = want_bulk_in, .done = is_submitted},
	     {.name = "SUBMITURB bulk out", .run = run_submit, .before = want_bulk_out, .done = is_submitted},
	     {.name = "REAPURB", .run = run_reap, .before = something_done, .done = is_reaped, .eats = true},
	     {.name = "REAPURBNDELAY", .run = run_reap_now, .before = something_done, .done = is_reaped, .eats = true});
	in_flight();
	fault_arm(1);
	EXPECT_EQ(0, run_discard());
	fault_disarm();
	EXPECT(has_ended());
}

TEST("a setting is made, or fails and the lease goes on")
{
	claim();
	EACH({.name = "RESETEP", .run = run_resetep},
	     {.name = "CLEAR_HALT", .run = run_clear_halt, .done = is_online},
	     {.name = "SETINTERFACE", .run = run_interface, .done = is_configured});
}

TEST("a configuration is set, or fails and is set when asked again")
{
	EACH({.name = "SETCONFIGURATION again", .run = run_configuration, .done = is_configured},
	     {.name = "SETCONFIGURATION", .run = run_configuration, .before = unconfigure, .done = is_configured});
}

TEST("a node is opened with all of its device, or not at all")
{
	EACH({.name = "open", .run = run_open, .before = close_node, .done = is_configured});
}

TEST("a node closes whatever fails, and the next consumer finds it idle")
{
	EACH({.name = "close", .run = run_close, .before = open_node, .done = is_closed});
}

TEST("a reset for want of memory leaves the lease to go on")
{
	ASSERT(fault_put("/sys/module/usbpass/parameters/reset_budget", "600"));
	EACH({.name = "RESET", .run = run_reset, .done = is_online, .away = true});
	fault_figure("system calls on a node");
}

FAULT_WORLD_MAIN
