// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a
// group: race
// cpus: 2
// on: debug
// qemu: -chardev null,id=race
// timeout: 600 6000
// What may happen to a lease, each against each: fired by two threads a seeded moment apart, in rounds. Every call says what it
// may say there, every URB is reaped, the lease and the configuration are what the two leave, and the slot is idle once more.
#include <pthread.h>

#define TAP_SECONDS 60
#include "race_event.h"

#define ROUNDS_LONG 50
#define ROUNDS_SHORT 2		/* at least; and as many as begin within */
#define SHORT_MS 500

static void *fire(void *arg)
{
	struct race_side *side = arg;
	struct timespec late = {.tv_nsec = side->late_us * 1000};
	uint64_t began;

	pthread_barrier_wait(&side->round->barrier);
	if (side->late_us)
		nanosleep(&late, NULL);
	began = fuzz_now_ms();
	side->result = race_events[side->event].fire(side);
	side->took_ms = fuzz_now_ms() - began;
	return NULL;
}

/* Mostly close to each other: from there on the events' own time is long enough for the one to meet the other. */
static unsigned int late_us(struct fuzz *fuzz)
{
	static const unsigned int most[] = {1, 50, 500, 5000, 50000};

	return fuzz_below(fuzz, most[fuzz_below(fuzz, sizeof(most) / sizeof(*most))]);
}

/* A reset and a close are of a lease; a removal is refused while there is one, and is to take place now and then. */
static bool choose_leased(struct race_round *r)
{
	if (race_has(r, RESET) || race_has(r, CLOSE))
		return true;
	return race_has(r, REMOVAL) ? fuzz_once_in(&r->fuzz, 4) : !fuzz_once_in(&r->fuzz, 4);
}

static void prepare(struct race_round *r)
{
	static const unsigned int windows[] = {0, 150, RACE_LONG_WINDOW};

	r->replug_ms = windows[fuzz_below(&r->fuzz, sizeof(windows) / sizeof(*windows))];
	r->leased = choose_leased(r);
	r->stop = false;
	r->fd = -1;
	race_world_mend(r->w, r->replug_ms);
	if (r->leased)
		race_lease(r);
	for (int i = 0; i < 2; i++) {
		struct race_side *side = &r->side[i];

		side->other = &r->side[!i];
		side->round = r;
		side->kind = fuzz_below(&r->fuzz, race_events[side->event].kinds);
		side->late_us = 0;
		side->opened = -1;
		side->commits = 0;
		side->h = race_handle();
	}
	r->side[fuzz_below(&r->fuzz, 2)].late_us = late_us(&r->fuzz);
	r->pumped = r->leased && fuzz_once_in(&r->fuzz, 2);
	r->generation = race_generation(r->w->h);
}

static void run(struct race_round *r)
{
	pthread_t threads[2];

	pthread_barrier_init(&r->barrier, NULL, 2);
	if (r->pumped)
		ASSERT_EQ(0, pthread_create(&r->pump, NULL, race_pump, r));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, fire, &r->side[i]));
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	r->stop = true;
	if (r->pumped)
		pthread_join(r->pump, NULL);
	pthread_barrier_destroy(&r->barrier);
	for (int i = 0; i < 2; i++)
		usbpass_close(r->side[i].h);
}

/* Of two that cannot both be, one is. */
static void check_exclusive(struct race_round *r)
{
	const struct race_side *removal = race_done(r, REMOVAL), *open = race_done(r, OPEN);

	EXPECT(!(removal && open));
	if (r->side[0].event == OPEN && r->side[1].event == OPEN)
		EXPECT_EQ(!r->leased, !r->side[0].result + !r->side[1].result);
	if (r->side[0].event == REMOVAL && r->side[1].event == REMOVAL)
		EXPECT_EQ(!r->leased, !r->side[0].result + !r->side[1].result);
	if (race_has(r, OPEN) && race_has(r, REMOVAL) && !r->leased)
		EXPECT(removal || open);
}

/* What was saved when the module went is in force as it is back, without anybody's help but the daemon's. */
static void check_daemon(struct race_round *r)
{
	struct usbpass_attachment attach;
	bool fresh = race_load();

	waitpid(r->w->daemon_pid, NULL, 0);
	race_daemon_start(r->w);
	usbpass_close(r->w->h);
	r->w->h = race_handle();
	if (fresh) {
		uint64_t end = race_end();

		while (usbpass_attachment_get(r->w->h, 0, "race", &attach) && fuzz_now_ms() < end)
			usleep(5000);
		EXPECT_EQ(0, usbpass_attachment_get(r->w->h, 0, "race", &attach));
		race_shared->reloads++;
	}
	race_wait_saved(r->w);
}

static void check(struct race_round *r, unsigned long suspends)
{
	bool closed = race_has(r, CLOSE);

	for (int i = 0; i < 2; i++)
		race_check_result(&r->side[i]);
	EXPECT_EQ(0, r->pump_err);
	check_exclusive(r);
	if (race_has(r, SUSPEND))
		EXPECT(race_suspend_count("failed_suspend") > suspends);
	if (!race_done(r, REMOVAL))
		race_check_generation(r);
	if (r->leased && !closed)
		race_check_lease(r);
	if (r->fd >= 0)
		close(r->fd);
	for (int i = 0; i < 2; i++)
		race_check_opened(r, &r->side[i]);
	if (race_has(r, KILL))
		check_daemon(r);
	race_world_mend(r->w, r->replug_ms);
	race_check_free(r->w);
}

static void race(enum race_event a, enum race_event b)
{
	static struct race_round r;
	struct race_world w = {.below_hub = a == HUB || b == HUB, .daemon = a == KILL || b == KILL};
	uint64_t end = fuzz_now_ms() + SHORT_MS;
	unsigned int round;

	r = (struct race_round){.w = &w, .fuzz = fuzz_new(fuzz_seed(), a * RACE_EVENTS + b)};
	if (a == SUSPEND || b == SUSPEND) {
		if (!race_suspend_begin())
			SKIP("this kernel cannot suspend, or has no alarm timer to stop it with");
		race_suspend_how(fuzz_once_in(&r.fuzz, 2));
	}
	for (round = 0; round < ROUNDS_LONG; round++) {
		unsigned long suspends = race_suspend_count("failed_suspend");

		if (!tap_long() && round >= ROUNDS_SHORT && fuzz_now_ms() >= end)
			break;
		r.side[0] = (struct race_side){.event = a};
		r.side[1] = (struct race_side){.event = b};
		prepare(&r);
		run(&r);
		check(&r, suspends);
		if (tap_failed) {
			TAP_SAY("in round %u", round);
			exit(TAP_FAIL);
		}
		race_shared->suspends += race_suspend_count("failed_suspend") - suspends;
	}
	usbpass_close(w.h);
	race_shared->pairs++;
	race_shared->rounds += round;
}

#define PAIR(a, b, sentence)                                                                                                   \
	TEST_AS(sentence, TAP_GLUE(pair_##a, _##b), TAP_GLUE(entry_##a, _##b), TAP_GLUE(enlist_##a, _##b))                     \
	{                                                                                                                      \
		race(a, b);                                                                                                    \
	}

PAIR(UNPLUG, SUSPEND, "an unplug meets a suspend: the lease is gone, or online again after the replug")
PAIR(UNPLUG, COMMIT, "an unplug meets a commit: the change is whole, and the lease waits for the device if it may")
PAIR(UNPLUG, REVOKE, "an unplug meets a revoke: the lease is gone for good, and the device serves the next one")
PAIR(UNPLUG, RESET, "an unplug meets a reset: the reset says done or gone, and all URBs come back")
PAIR(UNPLUG, CLOSE, "an unplug meets a close: nothing is left of the lease")
PAIR(UNPLUG, REMOVAL, "an unplug meets the module's removal: it is refused for a lease, else it goes and comes back")
PAIR(UNPLUG, HUB, "an unplug meets the hub's unplug: the device is lost once")
PAIR(UNPLUG, OPEN, "an unplug meets an open: a second one is busy, a first one has a device or none")
PAIR(UNPLUG, KILL, "an unplug meets the daemon's end: the next daemon saves what is in force")
PAIR(SUSPEND, COMMIT, "a suspend meets a commit: the change is made before or after")
PAIR(SUSPEND, REVOKE, "a suspend meets a revoke: the lease is gone, and its device resumes into the pool")
PAIR(SUSPEND, RESET, "a suspend meets a reset: the lease is online after both")
PAIR(SUSPEND, CLOSE, "a suspend meets a close: the device is cleaned before or after")
PAIR(SUSPEND, REMOVAL, "a suspend meets the module's removal: it is refused for a lease, else it goes and comes back")
PAIR(SUSPEND, HUB, "a suspend meets the hub's unplug: the lease is gone, or online again after the replug")
PAIR(SUSPEND, OPEN, "a suspend meets an open: a second one is busy, a first one is online after both")
PAIR(SUSPEND, KILL, "a suspend meets the daemon's end: the next daemon saves what is in force")
PAIR(COMMIT, REVOKE, "a commit meets a revoke: either is whole or refused as stale, and the lease is gone")
PAIR(COMMIT, RESET, "a commit meets a reset: the lease is online after both, with or without its rule")
PAIR(COMMIT, CLOSE, "a commit meets a close: the device goes to the pool or, without its rule, to the host")
PAIR(COMMIT, REMOVAL, "a commit meets the module's removal: it is made, or there is no module to make it")
PAIR(COMMIT, HUB, "a commit meets the hub's unplug: the change is whole, and the lease waits for the device if it may")
PAIR(COMMIT, OPEN, "a commit meets an open: a second one is busy, a first one has the device or comes too late")
PAIR(COMMIT, KILL, "a commit meets the daemon's end: the next daemon saves what is in force")
PAIR(REVOKE, RESET, "a revoke meets a reset: the reset says done or gone, and the lease is gone")
PAIR(REVOKE, CLOSE, "a revoke meets a close: the lease ends once")
PAIR(REVOKE, REMOVAL, "a revoke meets the module's removal: a revoked lease that is open still keeps the module")
PAIR(REVOKE, HUB, "a revoke meets the hub's unplug: the lease is gone for good, and the device serves the next one")
PAIR(REVOKE, OPEN, "a revoke meets an open: a second one is busy or finds no node, a first one is revoked or refused")
PAIR(REVOKE, KILL, "a revoke meets the daemon's end: the next daemon saves what is in force")
PAIR(RESET, CLOSE, "a reset meets a close: the lease ends after the reset")
PAIR(RESET, REMOVAL, "a reset meets the module's removal: the removal is refused")
PAIR(RESET, HUB, "a reset meets the hub's unplug: the reset says done or gone, and all URBs come back")
PAIR(RESET, OPEN, "a reset meets a second open: that is busy")
PAIR(RESET, KILL, "a reset meets the daemon's end: the next daemon saves what is in force")
PAIR(CLOSE, REMOVAL, "a close meets the module's removal: it is refused before the close, and not after")
PAIR(CLOSE, HUB, "a close meets the hub's unplug: nothing is left of the lease")
PAIR(CLOSE, OPEN, "a close meets a second open: that is busy, or has the device once it is clean")
PAIR(CLOSE, KILL, "a close meets the daemon's end: the next daemon saves what is in force")
PAIR(REMOVAL, HUB, "the module's removal meets the hub's unplug: it is refused for a lease, else it goes and comes back")
PAIR(REMOVAL, OPEN, "the module's removal meets an open: one of the two is refused")
PAIR(REMOVAL, KILL, "the module's removal meets the daemon's end: the next daemon brings back what was saved")
PAIR(HUB, OPEN, "the hub's unplug meets an open: a second one is busy, a first one has a device or none")
PAIR(HUB, KILL, "the hub's unplug meets the daemon's end: the next daemon saves what is in force")
PAIR(OPEN, KILL, "an open meets the daemon's end: the next daemon saves what is in force")

PAIR(SUSPEND, SUSPEND, "two suspends meet: the lease is online after both")
PAIR(COMMIT, COMMIT, "two commits meet: one after the other, or one is stale")
PAIR(REVOKE, REVOKE, "two revokes meet: the lease is gone once")
PAIR(RESET, RESET, "two resets meet: the lease is online after both")
PAIR(CLOSE, CLOSE, "two closes meet: nothing is left of the lease")
PAIR(REMOVAL, REMOVAL, "two removals meet: one finds nothing to remove, or both a lease")
PAIR(OPEN, OPEN, "two opens meet: at most one has the device")

/* As it was before us; devices unplugged. */
static int finish(void)
{
	int err = race_shared->device_in ? race_unplug() : 0;

	if (race_shared->hub_in)
		err = race_unplug_hub() ?: err;
	if (access(RACE_MODULE "/parameters", F_OK) == 0)
		err = fuzz_rmmod() ?: err;
	race_suspend_end();
	return err;
}

int main(int argc, char **argv)
{
	int status;

	(void)argc;
	race_shared = mmap(NULL, sizeof(*race_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (race_shared == MAP_FAILED || (mkdir(RACE_STATE, 0700) && errno != EEXIST))
		return TAP_FAIL;
	if (!getenv("BED_QMP")) {
		printf("TAP version 13\n1..0 # SKIP there is no QMP monitor to plug with\n");
		return TAP_SKIP;
	}
	status = tap_main(argv + 1);
	printf("# figure: races: %lu pairs, %lu rounds, %lu suspends, %lu reloads\n", race_shared->pairs, race_shared->rounds,
	       race_shared->suspends, race_shared->reloads);
	return finish() ? TAP_FAIL : status;
}
