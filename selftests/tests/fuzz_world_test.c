// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a lib/libemu.a
// group: fuzz
// timeout: 240 90000
// log: fuzz_world_test: vmalloc error: size
// The module loaded again and again, with parameters good and bad, beside devices that are there, come, go and come back as
// others, are claimed and released by hand, leased, reset and left; then unloaded.
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#define TAP_SECONDS 200
#include "fuzz_world.h"

#include "fault.h"

#define DEVICES 2
#define EVENTS_LEAST 120

static struct emu *emus[DEVICES];
static unsigned long loads, refusals, events, leases, injected;

static const char *const paths[] = {"/dev/usbpass/host/a", "/dev/usbpass/host/b"};

/* What insmod may be given; true where it is all in range, and the module has to take it. */
static bool make_parameters(struct fuzz *f, char *text, size_t size)
{
	static const struct {
		const char *name;
		uint32_t most;
		uint32_t usual;
	} known[] = {{"hold_secs", 300, 3}, {"guard_secs", 300, 3}, {"return_ms", 60000, 1500}, {"replug_ms", 60000, 1500},
		{"reset_budget", 600, 20}, {"transfer_memory_mb", 65536, 256}, {"lease_memory_mb", 4096, 64}};
	bool good = true;
	uint64_t value;
	size_t len = 0;

	text[0] = '\0';
	while (!fuzz_once_in(f, 3) && len + 60 < size) {
		unsigned int i = fuzz_below(f, 9);

		if (i == 7) {
			len += sprintf(text + len, "reset_refusal=%s ", fuzz_once_in(f, 2) ? "error" : "soft");
			continue;
		}
		if (i == 8) {
			len += sprintf(text + len, "node=host%u ", fuzz_below(f, 100));
			continue;
		}
		value = fuzz_once_in(f, 4) ? fuzz_number(f) : 1 + fuzz_below(f, known[i].usual);
		good = good && value <= known[i].most && (value || i < 5);
		/* The longest ones would be the test's own. */
		if (good && value > known[i].usual)
			value = known[i].usual;
		len += sprintf(text + len, "%s=%llu ", known[i].name, (unsigned long long)value);
	}
	return good;
}

/* A rule of any field, that may or may not be one of the devices'. */
static void add_rule(struct fuzz *f, struct usbpass *h)
{
	static const uint32_t numbers[] = {0x1209, 0x0e01, 0x0e02, 480000, 12000, 1, 2, 3, 0, 0xff0000, 0x080650, 0x200};
	static const char *const strings[] = {"", "A", "LAST", "vhci_hcd.0/1", "usbpass-bed", "host1", "emulated"};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_PRIORITY),
		.action = USBPASS_ACTION_CLAIM, .priority = (int)fuzz_below(f, 9) - 4};
	struct usbpass_cond cond = {.op = 1 + fuzz_below(f, 2), .mask = 0xffffff};

	if (fuzz_once_in(f, 4)) {
		rule.action = fuzz_once_in(f, 2) ? USBPASS_ACTION_IGNORE : USBPASS_ACTION_QUARANTINE;
	} else {
		rule.has |= USBPASS_HAS(USBPASS_A_RULE_GROUP);
		strcpy(rule.group, "pool");
	}
	do {
		cond.field = 1 + fuzz_below(f, USBPASS_FIELD_REMOVABLE);
		cond.number = numbers[fuzz_below(f, sizeof(numbers) / sizeof(*numbers))];
		cond.string = NULL;
		if (cond.field == USBPASS_FIELD_NODE || (cond.field >= USBPASS_FIELD_VENDOR_NAME && cond.field <= USBPASS_FIELD_SOCKET))
			cond.string = (char *)strings[fuzz_below(f, sizeof(strings) / sizeof(*strings))];
		cond.quantifier = cond.field == USBPASS_FIELD_INTERFACE_CLASS ? fuzz_below(f, 3) : 0;
		usbpass_rule_add_cond(&rule, &cond);
	} while (fuzz_once_in(f, 3));
	usbpass_rule_new(h, &rule);
	usbpass_rule_clear(&rule);
}

static void some_device(struct fuzz *f, struct usbpass *h)
{
	struct usbpass_device *list;
	struct usbpass_rule rule = {0};
	size_t n;

	if (usbpass_device_list(h, &list, &n))
		return;
	if (n) {
		uint32_t id = list[fuzz_below(f, n)].id;

		if (fuzz_once_in(f, 4)) {
			if (!usbpass_rule_test(h, id, &rule))
				usbpass_rule_clear(&rule);
		} else if (fuzz_once_in(f, 2)) {
			usbpass_device_claim(h, id, fuzz_once_in(f, 2) ? "in use by sda" : NULL, fuzz_below(f, 2) * USBPASS_F_PENDING,
					     fuzz_below(f, 2) * 500);
		} else {
			usbpass_device_release(h, id, fuzz_below(f, 2) * USBPASS_F_REVOKE, fuzz_below(f, 2) * 500);
		}
	}
	usbpass_device_list_free(list, n);
}

/* A lease's life in short: transfers, settings, a reset; and no farewell. */
static void use(struct fuzz *f, int fd)
{
	static uint8_t data[4][512];
	static struct usbdevfs_urb urbs[4];
	struct usbdevfs_urb *done;
	struct usbdevfs_setinterface set = {.interface = fuzz_below(f, 2), .altsetting = fuzz_below(f, 2)};
	struct usbpass_node_state state = {.size = sizeof(state)};
	unsigned int number = fuzz_below(f, 3);

	ioctl(fd, USBDEVFS_CLAIMINTERFACE, &number);
	ioctl(fd, USBDEVFS_CLAIMINTERFACE, &(unsigned int){0});
	for (int i = 0; i < 4; i++) {
		urbs[i] = (struct usbdevfs_urb){.type = USBDEVFS_URB_TYPE_BULK, .endpoint = i % 2 ? 0x01 : 0x81, .buffer = data[i],
			.buffer_length = 512};
		ioctl(fd, USBDEVFS_SUBMITURB, &urbs[i]);
	}
	switch (fuzz_below(f, 5)) {
	case 0:
	case 1:
		ioctl(fd, USBDEVFS_RESET);
		break;
	case 2:
		ioctl(fd, USBDEVFS_SETINTERFACE, &set);
		break;
	case 3:
		ioctl(fd, USBDEVFS_CLEAR_HALT, &(unsigned int){0x81});
		break;
	}
	ioctl(fd, USBPASS_IOC_LEASE_STATE, &state);
	while (fuzz_once_in(f, 2))
		ioctl(fd, USBDEVFS_REAPURBNDELAY, &done);
}

/* A configuration that lacks something, cuts leases, and is kept, taken back, or left to its window. */
static void put_on_trial(struct fuzz *f, struct usbpass *h)
{
	if (usbpass_txn_begin(h, NULL, 0))
		return;
	if (fuzz_once_in(f, 2))
		usbpass_attachment_del(h, 0, "b", USBPASS_F_REVOKE);
	if (fuzz_once_in(f, 2))
		usbpass_rule_del(h, 0, "all");
	if (usbpass_txn_trial(h, fuzz_below(f, 2) * USBPASS_F_REVOKE, 1 + fuzz_below(f, 2), NULL)) {
		usbpass_txn_abort(h);
		return;
	}
	usleep(fuzz_below(f, 200000));
	switch (fuzz_below(f, 5)) {
	case 0:
		usbpass_txn_confirm(h, NULL);
		break;
	case 1:		/* the kernel goes back by itself */
		break;
	default:
		usbpass_txn_revert(h, NULL);
	}
}

static void happen(struct fuzz *f, struct usbpass *h, int *fds)
{
	struct emu *emu = emus[fuzz_below(f, DEVICES)];
	int i = fuzz_below(f, 2);

	events++;
	switch (fuzz_below(f, 14)) {
	case 0:
	case 1:
		fuzz_replug(f, emu);
		break;
	case 2:
		fuzz_misbehave(f, emu);
		break;
	case 3:
		fuzz_parameter(f);
		break;
	case 4:
	case 10:
	case 11:
		some_device(f, h);
		break;
	case 5:
		add_rule(f, h);
		break;
	case 6:
		fuzz_tell(emu, "replug");
		break;
	case 12:
	case 13:
		put_on_trial(f, h);
		break;
	default:
		if (fds[i] >= 0 && fuzz_once_in(f, 3)) {
			close(fds[i]);
			fds[i] = -1;
		}
		if (fds[i] < 0)
			fds[i] = open(paths[i], O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fds[i] >= 0) {
			leases++;
			use(f, fds[i]);
		}
	}
	usleep(fuzz_below(f, 100000));
}

static bool wait_unload(void)
{
	uint64_t end = fuzz_now_ms() + 30000ULL * tap_slower();

	while (fuzz_rmmod()) {
		if (errno == ENOENT || fuzz_now_ms() > end)
			return false;
		usleep(20000);
	}
	return true;
}

static void one_life(struct fuzz *f)
{
	unsigned int left = 6 + fuzz_below(f, 24);
	int fds[2] = {-1, -1}, err;
	char parameters[400];
	struct usbpass *h;
	bool good = make_parameters(f, parameters, sizeof(parameters));

	while (fuzz_once_in(f, 2))
		fuzz_replug(f, emus[fuzz_below(f, DEVICES)]);
	err = fuzz_insmod(parameters);
	if (!good || err) {
		refusals++;
		if (!!err == good)
			TAP_SAY("insmod %s: %s", parameters, strerror(-err));
		EXPECT_EQ(good, !err);
		EXPECT_EQ(!!err, access("/sys/module/usbpass", F_OK) != 0);
		if (err)
			return;
	}
	loads++;
	/* Before the first commit: what is plugged in now is held, where it is to be. */
	while (fuzz_once_in(f, 2))
		fuzz_replug(f, emus[fuzz_below(f, DEVICES)]);
	h = fuzz_configure();
	while (left--)
		happen(f, h, fds);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	usbpass_close(h);
	ASSERT(wait_unload());
}

static void end(void)
{
	for (int i = 0; i < DEVICES; i++)
		if (emus[i])
			emu_free(emus[i]);
	if (!access("/sys/module/usbpass", F_OK))
		fuzz_rmmod();
}

TAP_SETUP
{
	ASSERT_EQ(0, system("modprobe vhci_hcd"));
	if (!access("/sys/module/usbpass", F_OK))
		ASSERT_EQ(0, fuzz_rmmod());
	tap_defer(end);
	for (int i = 0; i < DEVICES; i++) {
		emus[i] = emu_new();
		ASSERT(emus[i]);
		ASSERT_EQ(0, emu_command(emus[i], "vid=1209", NULL));
		ASSERT_EQ(0, emu_command(emus[i], "pid=0e01", NULL));
	}
}

/* By chance hardly ever: a commit that revokes, beside the lease of a device that no rule claims any more. */
static void revoking_works(struct usbpass *h)
{
	struct pollfd pfd = {.fd = open(paths[0], O_RDWR | O_CLOEXEC), .events = POLLOUT};

	ASSERT(pfd.fd >= 0);
	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, usbpass_rule_del(h, 0, "all"));
	ASSERT_EQ(0, usbpass_txn_commit(h, USBPASS_F_REVOKE, NULL));
	EXPECT_EQ(1, poll(&pfd, 1, 30000 * tap_slower()));
	EXPECT(pfd.revents & POLLHUP);
	close(pfd.fd);
}

TEST("a storm of loads, plugs, parameters and leases: what is out of range is refused, all unloads, then all works")
{
	uint64_t ms = fuzz_run_ms(25, 15), began = fuzz_now_ms();
	struct fuzz f = fuzz_new(fuzz_seed(), 0);
	struct usbpass *h;

	alarm(3 * ms / 1000 + 600 * tap_slower());
	do
		one_life(&f);
	/* A slow machine has longer, or next to nothing would have happened. */
	while (fuzz_now_ms() < began + ms || (events < EVENTS_LEAST && fuzz_now_ms() < began + 3 * ms));
	TAP_SAY("figure: %lu loads, %lu refused, %lu events, %lu uses of a lease", loads, refusals, events, leases);
	EXPECT(loads > 0);
	for (int i = 0; i < DEVICES; i++)
		emu_command(emus[i], "unplug", NULL);
	ASSERT_EQ(0, fuzz_insmod(""));
	h = fuzz_configure();
	fuzz_works_again(h, emus[0]);
	revoking_works(h);
	usbpass_close(h);
	ASSERT(wait_unload());
}

/* Whether an allocation failed, the @n-th of a load. *err: what insmod said. */
static bool load_with_fault(unsigned int n, int *err)
{
	bool failed;

	fault_arm(n);
	*err = fuzz_insmod("");
	failed = fault_disarm();
	injected += failed;
	EXPECT_EQ(!!*err, access("/sys/module/usbpass", F_OK) != 0);
	if (!*err)
		ASSERT(wait_unload());
	return failed;
}

/* How many calls that could be made to fail a load has; none is. */
static unsigned int calls_of_load(const char *parameters)
{
	const unsigned int far = 1000000;
	char text[16] = "";

	fault_arm(far);
	if (!fuzz_insmod(parameters))
		ASSERT(wait_unload());
	ASSERT(pread(fault_nth, text, sizeof(text) - 1, 0) > 0);
	fault_disarm();
	return far - strtoul(text, NULL, 10);
}

TEST("loads that run out of memory in any of the module's own calls leave nothing behind, and the next one works")
{
	struct fuzz f = fuzz_new(fuzz_seed(), 1);
	unsigned int tries = tap_long() ? 200 : 40, refused = 0, first, most;
	struct usbpass *h;
	int err;

	alarm(600 * tap_slower());
	/*
	 * From memory: a call that fails in the file system of the machine's root leaves the file there in a state of its own. The
	 * pages that are read may be gone and come again, so that no number of calls keeps clear of it.
	 */
	ASSERT_EQ(0, system("cp \"${USBPASS_KO:-../usbpass.ko}\" /tmp/usbpass.ko"));
	ASSERT_EQ(0, setenv("USBPASS_KO", "/tmp/usbpass.ko", 1));
	fault_begin();
	/*
	 * The module's own come after the parameters were read. Before them is the kernel's making of its trace events, which
	 * warns where it fails; and a warning is the end.
	 */
	first = calls_of_load("hold_secs=301") + 1;
	most = calls_of_load("");
	ASSERT(most > first);
	if (tries > most - first)
		tries = most - first;
	for (unsigned int i = 0; i < tries; i++) {
		load_with_fault(first + (most - first) * i / tries + fuzz_below(&f, (most - first) / tries), &err);
		refused += err == -ENOMEM;
	}
	/* And some of the last ones: then all that came before is undone. */
	for (unsigned int i = 0; i < 12 && most - first > 60; i++) {
		load_with_fault(most - 1 - 4 * i, &err);
		refused += err == -ENOMEM;
	}
	TAP_SAY("%u loads refused for want of memory, of about %u allocations", refused, most - first);
	EXPECT(refused > 0 && injected > refused / 2);
	ASSERT_EQ(0, fuzz_insmod(""));
	h = fuzz_configure();
	fuzz_works_again(h, emus[0]);
	usbpass_close(h);
	ASSERT(wait_unload());
}

TAP_MAIN
