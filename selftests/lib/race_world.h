/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world that races are run in: QEMU's usb-serial, on a root port or below a usb-hub, the module with one attachment for it,
 * and usbpassd where a race wants it. race_world_mend() makes it whole again from whatever a race has left: the slot is idle.
 *
 * The device is QEMU's, as one whose emulator is a program of this machine does not answer while programs are frozen. Between
 * two transfers to its host it has nothing to say: a bulk IN URB stays in flight.
 *
 * Suspends. The machine's root is on 9p, which does not outlive its virtio device's suspend. Devices are suspended one by one,
 * the youngest first, and an alarm that is due soon makes that of the alarm timer's device fail: it is younger than all PCI
 * devices and older than what the USB modules made. So all of USB is suspended and resumed, and nothing below it.
 */
#ifndef RACE_WORLD_H
#define RACE_WORLD_H

#include <glob.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "fuzz.h"
#include "host.h"
#include "race_qmp.h"
#include "tap.h"
#include "usbpass.h"

#define RACE_NODE "/dev/usbpass/host/race"
#define RACE_VENDOR 0x0403		/* of QEMU's usb-serial */
#define RACE_STATE "/tmp/race-state"
#define RACE_MODULE "/sys/module/usbpass"
#define RACE_MS 30000			/* for anything to come to rest, on a stock kernel */

/* What outlives a test's process. */
struct race_shared {
	bool hub_in, device_in;		/* QEMU has them */
	bool below_hub;			/* where the device is, or was last */
	unsigned long pairs, rounds, suspends, reloads;
};

struct race_world {
	bool below_hub, daemon;		/* wanted */
	struct usbpass *h;
	pid_t daemon_pid;
	uint32_t device;
};

static struct race_shared *race_shared;

static inline uint64_t race_end(void)
{
	return fuzz_now_ms() + RACE_MS * tap_slower();
}

static inline struct usbpass *race_handle(void)
{
	struct usbpass *h;

	ASSERT_EQ(0, usbpass_open(&h));
	return h;
}

/* QEMU lets go of what was unplugged a little later. */
static inline void race_device_add(const char *arguments)
{
	uint64_t end = race_end();
	int err;

	while ((err = race_qmp("device_add", arguments)) == -EPROTO && fuzz_now_ms() < end)
		usleep(5000);
	if (err)
		TAP_SAY("%s", race_qmp_error);
	ASSERT_EQ(0, err);
}

static inline int race_unplug(void)
{
	int err = race_qmp("device_del", "{\"id\":\"racedev\"}");

	race_shared->device_in = false;
	return err;
}

static inline int race_unplug_hub(void)
{
	int err = race_qmp("device_del", "{\"id\":\"racehub\"}");

	race_shared->hub_in = false;
	if (race_shared->below_hub)
		race_shared->device_in = false;
	return err;
}

/* The device's id; 0: the module does not see it. */
static inline uint32_t race_device(struct usbpass *h, uint8_t *state)
{
	struct usbpass_device *list;
	uint32_t id = 0;
	size_t n;

	if (usbpass_device_list(h, &list, &n))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (list[i].vendor != RACE_VENDOR)
			continue;
		id = list[i].id;
		*state = list[i].state;
	}
	usbpass_device_list_free(list, n);
	return id;
}

/* The kernel has seen that device @id was unplugged. */
static inline void race_wait_gone(struct usbpass *h, uint32_t id)
{
	uint64_t end = race_end();
	struct usbpass_device device;
	int err;

	while (!(err = usbpass_device_get(h, id, &device)) && fuzz_now_ms() < end) {
		usbpass_device_clear(&device);
		usleep(5000);
	}
	ASSERT_EQ(-ENODEV, err);
}

/* What was unplugged goes out of sight first. */
static inline void race_plug(struct race_world *w)
{
	uint8_t state;
	uint32_t id;

	if (race_shared->device_in && race_shared->below_hub != w->below_hub)
		ASSERT_EQ(0, race_unplug());
	if (race_shared->device_in)
		return;
	while ((id = race_device(w->h, &state)))
		race_wait_gone(w->h, id);
	if (race_shared->hub_in && !w->below_hub)
		ASSERT_EQ(0, race_unplug_hub());
	if (w->below_hub && !race_shared->hub_in)
		race_device_add("{\"driver\":\"usb-hub\",\"id\":\"racehub\",\"bus\":\"x.0\",\"port\":\"1\"}");
	race_shared->hub_in = race_shared->below_hub = w->below_hub;
	race_device_add(w->below_hub ?
		"{\"driver\":\"usb-serial\",\"id\":\"racedev\",\"bus\":\"x.0\",\"port\":\"1.1\",\"chardev\":\"race\",\"always-plugged\":true}" :
		"{\"driver\":\"usb-serial\",\"id\":\"racedev\",\"bus\":\"x.0\",\"port\":\"2\",\"chardev\":\"race\",\"always-plugged\":true}");
	race_shared->device_in = true;
}

static inline void race_parameter(const char *name, unsigned int value)
{
	char path[100], text[16];

	snprintf(path, sizeof(path), RACE_MODULE "/parameters/%s", name);
	snprintf(text, sizeof(text), "%u", value);
	ASSERT_EQ(0, fuzz_write(path, text));
}

/* True: it had to be loaded. */
static inline bool race_load(void)
{
	uint64_t end = race_end();
	int err;

	if (access(RACE_MODULE "/parameters", F_OK) == 0)
		return false;
	/* One that is on its way out is in the way. */
	while (((err = fuzz_insmod("reset_budget=600 guard_secs=0")) == -EEXIST || err == -EBUSY) && fuzz_now_ms() < end)
		usleep(2000);
	ASSERT_EQ(0, err);
	return true;
}

/* Of what is in force, and has the names of these, each is taken over. */
static inline void race_configure(struct usbpass *h)
{
	static const char *const groups[] = {"race", "other"};
	struct usbpass_rule rule = {.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION) |
					   USBPASS_HAS(USBPASS_A_RULE_GROUP),
		.name = "race", .action = USBPASS_ACTION_CLAIM, .group = "race"};
	struct usbpass_cond cond = {.field = USBPASS_FIELD_VENDOR, .op = USBPASS_OP_EQ, .number = RACE_VENDOR};
	struct usbpass_attachment attach = {.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP),
		.name = "race", .group = "race"};

	ASSERT_EQ(0, usbpass_txn_begin(h, NULL, USBPASS_F_REPLACE));
	for (int i = 0; i < 2; i++) {
		struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME)};

		strcpy(group.name, groups[i]);
		ASSERT_EQ(0, usbpass_group_new(h, &group));
	}
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	ASSERT_EQ(0, usbpass_rule_new(h, &rule));
	usbpass_rule_clear(&rule);
	ASSERT_EQ(0, usbpass_attachment_new(h, &attach));
	ASSERT_EQ(0, usbpass_txn_commit(h, USBPASS_F_REVOKE, NULL));
}

/* The slot is idle, with a device that may have to be asked for: it was there before the module, or was released. */
static inline void race_wait_idle(struct race_world *w)
{
	struct usbpass_attachment attach = {0};
	uint64_t end = race_end();
	uint8_t state = 0;
	uint32_t id = 0;

	do {
		ASSERT_EQ(0, usbpass_attachment_get(w->h, 0, "race", &attach));
		if (attach.state == USBPASS_SLOT_IDLE) {
			w->device = race_device(w->h, &state);
			ASSERT_NE(0, w->device);
			return;
		}
		id = race_device(w->h, &state);
		if (id && (state == USBPASS_DEVICE_HOST || state == USBPASS_DEVICE_PENDING))
			usbpass_device_claim(w->h, id, NULL, 0, RACE_MS);
		usleep(5000);
	} while (fuzz_now_ms() < end);
	TAP_SAY("the slot is in state %u (%s), device %u in state %u", attach.state, attach.reason, id, state);
	ASSERT_EQ(USBPASS_SLOT_IDLE, attach.state);
}

static inline uint64_t race_generation(struct usbpass *h)
{
	struct usbpass_info info;

	ASSERT_EQ(0, usbpass_info_get(h, &info));
	return info.generation;
}

static inline void race_daemon_start(struct race_world *w)
{
	w->daemon_pid = fork();
	ASSERT(w->daemon_pid >= 0);
	if (w->daemon_pid == 0) {
		int log = open(RACE_STATE "/log", O_WRONLY | O_CREAT | O_APPEND, 0600);

		dup2(log, 1);
		dup2(log, 2);
		execl("../userspace/usbpassd", "usbpassd", "--foreground", "--config", RACE_STATE "/none", "--state", RACE_STATE,
		      NULL);
		_exit(127);
	}
}

/* Our daemon runs, and what is in force is saved. */
static inline bool race_is_saved(const struct race_world *w, uint64_t generation)
{
	uint64_t saved;
	int pid;

	return usbpass_host_daemon(&usbpass_host_here, &pid) && pid == w->daemon_pid &&
	       usbpass_host_saved(&usbpass_host_here, &saved) && saved == generation;
}

static inline void race_wait_saved(struct race_world *w)
{
	uint64_t end = race_end();

	while (!race_is_saved(w, race_generation(w->h)) && fuzz_now_ms() < end)
		usleep(5000);
	if (race_is_saved(w, race_generation(w->h)))
		return;
	if (system("tail -n 5 " RACE_STATE "/log | sed 's/^/# /'"))
		TAP_SAY("usbpassd left no log");
	ASSERT(!"usbpassd has saved what is in force");
}

static inline void race_world_mend(struct race_world *w, unsigned int replug_ms)
{
	bool fresh = race_load();

	race_shared->reloads += fresh;
	usbpass_close(w->h);
	w->h = race_handle();
	race_parameter("replug_ms", replug_ms);
	race_parameter("return_ms", replug_ms);
	race_configure(w->h);
	race_plug(w);
	race_wait_idle(w);
	if (!w->daemon)
		return;
	if (!w->daemon_pid)
		race_daemon_start(w);
	race_wait_saved(w);
}

/* ---- suspends ---- */

#define RACE_ALARMS 8
#define RACE_ALARM_NS 400000000

/* @reset: the device's resume is a reset, from its next plug on. */
static inline void race_suspend_how(bool reset)
{
	ASSERT_EQ(0, fuzz_write("/sys/module/usbcore/parameters/quirks", reset ? "0403:6001:b" : "\n"));
	if (race_shared->device_in)
		ASSERT_EQ(0, race_unplug());
}

/*
 * Makes each suspend fail after USB: alarms go off all the time, one of them always soon. They are this process's. False: there
 * is no alarm timer's device to fail.
 */
static inline bool race_suspend_begin(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec spec = {.it_interval = {.tv_nsec = RACE_ALARM_NS}};
	glob_t found;
	timer_t timer;
	bool there;

	there = !glob("/sys/class/rtc/rtc*/alarmtimer.*", 0, NULL, &found);
	if (!there)
		return false;
	globfree(&found);
	/* An ignored signal lets the kernel start a timer again by itself. */
	signal(SIGUSR2, SIG_IGN);
	for (int i = 0; i < RACE_ALARMS; i++) {
		spec.it_value.tv_nsec = (i + 1) * (RACE_ALARM_NS / RACE_ALARMS);
		if (timer_create(CLOCK_BOOTTIME_ALARM, &event, &timer) || timer_settime(timer, 0, &spec, NULL))
			return false;
	}
	return !fuzz_write("/sys/power/pm_async", "0") && !fuzz_write("/sys/power/sync_on_suspend", "0") &&
	       !fuzz_write("/sys/power/pm_test", "devices");
}

static inline void race_suspend_end(void)
{
	fuzz_write("/sys/power/pm_async", "1");
	fuzz_write("/sys/power/sync_on_suspend", "1");
	fuzz_write("/sys/power/pm_test", "none");
	fuzz_write("/sys/module/usbcore/parameters/quirks", "\n");
}

static inline unsigned long race_suspend_count(const char *what)
{
	char path[100], line[40] = "";
	unsigned long count = 0;

	snprintf(path, sizeof(path), "/sys/power/suspend_stats/%s", what);
	if (usbpass_host_line(line, sizeof(line), "%s", path))
		count = strtoul(line, NULL, 10);
	return count;
}

#endif
