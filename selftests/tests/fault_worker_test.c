// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a
// group: trust
// on: debug
// timeout: 300 3000
// What the module's workers do, with each of their allocations failing once: claims, releases, runs after a commit, cleaning
// after a lease, carried out requests, events. What was asked for is done, or told as not done, and done when asked again. The
// device is a gadget behind dummy_hcd: vhci_hcd unplugs its own for want of memory.
#include <linux/usbdevice_fs.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define TAP_SECONDS 280
#include "tap.h"
#include "usbpass.h"

#include "fault.h"
#include "fault_worker.h"
#include "fault_world.h"

#define JOB_MS 60000

static struct usbpass *h;
static uint32_t id;		/* the device's */
static int fd = -1;

static struct usbpass_device device(void)
{
	struct usbpass_device device;

	ASSERT_EQ(0, usbpass_device_get(h, id, &device));
	usbpass_device_clear(&device);	/* only the list of classes goes with it */
	return device;
}

static bool wait_state(uint8_t state)
{
	for (int i = 0; i < 1200 && device().state != state; i++)
		usleep(20000);
	return device().state == state;
}

/* What sysfs says of the device's configuration: "" is none. */
static bool is_configured(void)
{
	struct usbpass_device is = device();
	char path[150], line[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/bConfigurationValue", is.busid);
	file = fopen(path, "r");
	ASSERT(file);
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return line[0] >= '1' && line[0] <= '9';
}

static bool has_driver(void)
{
	struct usbpass_device is = device();
	char path[150];

	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/driver", is.busid);
	return !access(path, F_OK);
}

/* ---- one thing through all of its workers' calls ---- */

struct deed {
	const char *name;
	void (*before)(void);
	int (*run)(void);	/* 0 or a negative errno, once the workers have ended */
	void (*done)(unsigned int n);		/* checks what is to be there after 0 */
	void (*failed)(unsigned int n, int err);	/* and after an error; then run() is to give 0 */
};

static void each_call_of(const struct deed *deed)
{
	unsigned int injected = 0, survived = 0, quiet = 0;

	for (unsigned int n = 1; quiet < FAULT_WORKERS_QUIET; n = fault_workers_next(n)) {
		bool hit;
		int err;

		deed->before();
		fault_workers_arm(n);
		err = deed->run();
		hit = fault_workers_disarm();
		quiet = hit ? 0 : quiet + 1;
		injected += hit;
		survived += hit && !err;
		if (err) {
			TAP_CHECK(true, hit, "%s: %s without a fault", deed->name, strerrorname_np(-err));
			if (deed->failed)
				deed->failed(n, err);
			err = deed->run();
			TAP_CHECK(true, !err, "%s, call %u: asked again, it fails with %s", deed->name, n, strerrorname_np(-err));
		}
		deed->done(n);
	}
	fault_tell(deed->name, injected, survived);
	/* Less than this would be somebody else's worker. */
	EXPECT_GE(injected, 5);
}

/* ---- claim and release ---- */

static void with_host(void)
{
	int err = usbpass_device_release(h, id, 0, JOB_MS);

	ASSERT(!err || err == -EALREADY);
	ASSERT(wait_state(USBPASS_DEVICE_HOST));
}

static void with_us(void)
{
	ASSERT_EQ(0, usbpass_device_claim(h, id, NULL, 0, JOB_MS));
	ASSERT(wait_state(USBPASS_DEVICE_IDLE));
}

static int claim(void) { return usbpass_device_claim(h, id, NULL, 0, JOB_MS); }
static int release(void) { return usbpass_device_release(h, id, 0, JOB_MS); }

static void is_claimed(unsigned int n)
{
	TAP_CHECK(true, wait_state(USBPASS_DEVICE_IDLE), "claim, call %u: succeeded, but its state is %u", n, device().state);
	TAP_CHECK(true, !is_configured(), "claim, call %u: it is idle, but has a configuration", n);
}

static void has_reason(unsigned int n, int err)
{
	struct usbpass_device is = device();

	TAP_CHECK(true, err == -ENOMEM || err == -EBUSY || err == -EIO, "call %u: failed with %s", n, strerrorname_np(-err));
	TAP_CHECK(true, is.state != USBPASS_DEVICE_IDLE, "call %u: failed with %s, and is idle", n, strerrorname_np(-err));
	TAP_CHECK(true, is.state != USBPASS_DEVICE_ERROR || is.reason[0], "call %u: in error for no reason", n);
}

static void is_released(unsigned int n)
{
	TAP_CHECK(true, device().state == USBPASS_DEVICE_HOST, "release, call %u: succeeded, but its state is %u", n, device().state);
	TAP_CHECK(true, has_driver(), "release, call %u: succeeded, but no driver has it", n);
}

/* ---- a commit and its run ---- */

static int rule(bool enabled)
{
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ENABLED), .name = "fault",
				    .enabled = enabled};

	return usbpass_rule_set(h, &rule);
}

static void ruled_out(void)
{
	ASSERT_EQ(0, rule(false));
	ASSERT(wait_state(USBPASS_DEVICE_HOST));
}

/* The job comes after the run in the one queue that both are worked from: its end is the run's. */
static int commit(void)
{
	int err;

	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, 0));
	ASSERT_EQ(0, rule(true));
	ASSERT_EQ(0, usbpass_txn_commit(h, USBPASS_F_RESCAN, NULL));
	err = claim();
	return err == -EALREADY ? 0 : err;
}

/* ---- a lease's end ---- */

static void leased(void)
{
	fd = open(FAULT_NODE, O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT(is_configured());
}

/* What comes after an error is what an operator does. */
static int end_lease(void)
{
	if (fd < 0)
		return claim();
	close(fd);
	fd = -1;
	while (device().state == USBPASS_DEVICE_ONLINE || device().state == USBPASS_DEVICE_CLEANING)
		usleep(20000);
	return device().state == USBPASS_DEVICE_IDLE ? 0 : -EIO;
}

static void in_error(unsigned int n, int err)
{
	struct usbpass_device is = device();

	(void)err;
	TAP_CHECK(true, is.state == USBPASS_DEVICE_ERROR && is.reason[0] && is.remedy[0], "close, call %u: state %u, reason '%s'", n,
		  is.state, is.reason);
	/* The remedy that it names. */
	with_host();
}

/* ---- requests that the module carries out ---- */

static uint8_t setup[8];

static int carry_out(void)
{
	struct usbdevfs_urb urb = {.type = USBDEVFS_URB_TYPE_CONTROL, .buffer = setup, .buffer_length = sizeof(setup)}, *reaped;

	ASSERT_EQ(0, ioctl(fd, USBDEVFS_SUBMITURB, &urb));
	ASSERT_EQ(0, ioctl(fd, USBDEVFS_REAPURB, &reaped));
	ASSERT(reaped == &urb);
	return urb.status;
}

static int request(uint8_t type, uint8_t number, uint8_t value)
{
	memcpy(setup, (const uint8_t[]){type, number, value, 0, 0, 0, 0, 0}, sizeof(setup));
	return carry_out();
}

static void unconfigured(void) { ASSERT_EQ(0, request(0, 9, 0)); }
static int set_configuration(void) { return request(0, 9, 1); }
static int set_interface(void) { return request(1, 11, 0); }

static void claimed_interface(void)
{
	unsigned int number = 0;

	ASSERT(!ioctl(fd, USBDEVFS_CLAIMINTERFACE, &number) || errno == EBUSY);
}

static void stands(unsigned int n)
{
	TAP_CHECK(true, is_configured(), "call %u: succeeded, but there is no configuration", n);
	TAP_CHECK(true, device().state == USBPASS_DEVICE_ONLINE, "call %u: the lease is over", n);
}

/* A guest's driver takes it for a broken transfer, and tries again. */
static void is_protocol_error(unsigned int n, int err)
{
	TAP_CHECK(true, err == -EPROTO, "call %u: ended with %s", n, strerrorname_np(-err));
	TAP_CHECK(true, device().state == USBPASS_DEVICE_ONLINE, "call %u: the lease is over", n);
}

/* ---- events ---- */

static uint64_t last_seq;

static void look_at_events(void)
{
	struct usbpass_event event;

	while (!usbpass_event_next(h, &event, 0))
		last_seq = event.seq;
}

/* A commit, and its event. */
static int tell(void)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME) | USBPASS_HAS(USBPASS_A_GROUP_DESCRIPTION), .name = "fault"};
	struct usbpass_event event;

	ASSERT_EQ(0, usbpass_group_set(h, &group));
	do {
		ASSERT_EQ(0, usbpass_event_next(h, &event, 60000));
		TAP_CHECK(true, event.seq == last_seq + 1, "event %llu comes after %llu", (unsigned long long)event.seq,
			  (unsigned long long)last_seq);
		EXPECT(!usbpass_has(&event, USBPASS_A_EVENT_LOST));
		last_seq = event.seq;
	} while (event.type != USBPASS_EVENT_COMMIT);
	return 0;
}

static void is_told(unsigned int n) { (void)n; }

/* ---- the device ---- */

static void end(void)
{
	if (fd >= 0)
		close(fd);
}

static void find_device(void)
{
	struct usbpass_device *list;
	size_t n;

	ASSERT_EQ(0, usbpass_device_list(h, &list, &n));
	for (size_t i = 0; i < n; i++)
		if (list[i].vendor == 0x1209)
			id = list[i].id;
	usbpass_device_list_free(list, n);
}

TAP_SETUP
{
	fault_world(&h);
	tap_defer(end);
	for (int i = 0; i < 1200 && !id; i++) {
		usleep(20000);
		find_device();
	}
	ASSERT(id);
	ASSERT(wait_state(USBPASS_DEVICE_IDLE));
	fault_workers_begin();
}

#define EACH(...) each_call_of(&(const struct deed){__VA_ARGS__})

TEST("a claim whose worker finds no memory is done, or says why not and is done when asked again")
{
	EACH(.name = "claim", .before = with_host, .run = claim, .done = is_claimed, .failed = has_reason);
}

TEST("a release whose worker finds no memory gives the device to the host")
{
	EACH(.name = "release", .before = with_us, .run = release, .done = is_released);
}

TEST("a run after a commit that finds no memory leaves what can be asked for again")
{
	EACH(.name = "commit", .before = ruled_out, .run = commit, .done = is_claimed, .failed = has_reason);
}

TEST("no lease ends with a device that is idle and was not cleaned")
{
	EACH(.name = "close", .before = leased, .run = end_lease, .done = is_claimed, .failed = in_error);
}

TEST("a carried out request that finds no memory is a transfer error, and the lease goes on")
{
	leased();
	EACH(.name = "SET_CONFIGURATION", .before = unconfigured, .run = set_configuration, .done = stands, .failed = is_protocol_error);
	EACH(.name = "SET_INTERFACE", .before = claimed_interface, .run = set_interface, .done = stands, .failed = is_protocol_error);
}

TEST("an event that finds no memory comes late, and none is lost")
{
	struct usbpass_info info;

	ASSERT_EQ(0, usbpass_info_get(h, &info));
	last_seq = info.event_seq;
	ASSERT_EQ(0, usbpass_event_subscribe(h, &last_seq, 0));
	EACH(.name = "event", .before = look_at_events, .run = tell, .done = is_told);
	fault_figure("deeds of workers");
}

FAULT_WORLD_MAIN
