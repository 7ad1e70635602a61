// SPDX-License-Identifier: GPL-2.0
/*
 * An emulated device's life. One thread owns the socket, the queues and the
 * timers; commands come from other threads and only change state under the
 * lock, then kick it.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "emu_private.h"

/* vhci frees a port in a work item of its own, some time after the unplug. */
#define PLUG_RETRY_MS	10
/* No control transfer in so long: the kernel does not ask again at once. */
#define UNPLUG_QUIET_MS	10
#define UNPLUG_MAX_MS	500

uint64_t emu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void emu_kick(struct emu *emu)
{
	eventfd_write(emu->wake, 1);
}

void emu_log(struct emu *emu, const char *format, ...)
{
	char *line = emu->log[emu->log_next++ % EMU_LOG_LINES];
	uint64_t at = emu_now() - emu->log_epoch;
	int used = snprintf(line, sizeof(emu->log[0]), "%llu.%03llu ",
			    (unsigned long long)(at / 1000),
			    (unsigned long long)(at % 1000));
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, sizeof(emu->log[0]) - (size_t)used, format, args);
	va_end(args);
}

/* What a bus reset leaves of a device. */
void emu_reset_state(struct emu *emu)
{
	emu->configuration = 0;
	memset(emu->alternate, 0, sizeof(emu->alternate));
	emu->halted = 0;
	emu->lost = false;
	if (emu->model.function)
		emu->model.function->reset(emu);
}

static void read_raw(const char *hex, struct emu_model *model, unsigned int index)
{
	uint8_t *data = model->raw[index].data;
	size_t len = strlen(hex) / 2, i;

	for (i = 0; i < len; i++)
		sscanf(hex + 2 * i, "%2hhx", &data[i]);
	model->raw[index].len = len;
	model->raw[index].there = len;
}

/* Makes the device what the settings say. The old one stays on error. */
int emu_apply(struct emu *emu, char *error, size_t size)
{
	const struct emu_settings *settings = &emu->settings;
	const struct emu_function *function = emu_preset_find(settings->preset);
	struct emu_model *old = malloc(sizeof(*old));
	unsigned int i;
	int ret;

	if (!old)
		return -ENOMEM;
	*old = emu->model;
	memset(&emu->model, 0, sizeof(emu->model));
	emu->model.speed = settings->speed;
	emu->model.function = function;
	strcpy(emu->model.string[0], settings->manufacturer);
	strcpy(emu->model.string[1], settings->product);
	strcpy(emu->model.string[2], settings->serial);
	for (i = 0; i < EMU_RAW_STRINGS; i++)
		read_raw(settings->raw[i], &emu->model, i);
	ret = function->build(emu);
	if (!ret && settings->descriptors[0])
		ret = emu_desc_load(emu, settings->descriptors);
	if (ret) {
		emu->model = *old;
		snprintf(error, size, "cannot build preset %s%s%s: %s",
			 settings->preset,
			 settings->descriptors[0] ? " with descriptors from " : "",
			 settings->descriptors, strerror(-ret));
	}
	free(old);
	return ret;
}

static void plug(struct emu *emu)
{
	char *error = emu->plug_error;
	int ret;

	emu->plug_at = 0;
	if (emu->sock >= 0) {
		/* unplugged, but the controller still shuts the old one down */
		ret = -EBUSY;
		snprintf(error, sizeof(emu->plug_error),
			 "the last unplug is not finished");
	} else {
		ret = emu_apply(emu, error, sizeof(emu->plug_error));
		if (!ret)
			ret = emu_vhci_attach(emu, error,
					      sizeof(emu->plug_error));
	}
	if (ret == -EBUSY && emu_now() < emu->plug_until) {
		emu->plug_at = emu_now() + PLUG_RETRY_MS;
		return;
	}
	if (!ret) {
		error[0] = '\0';
		emu_reset_state(emu);
		emu->known = false;
		emu->stats.plugs++;
		emu_log(emu, "plug port=%u", emu->vhci_port);
	}
	pthread_cond_broadcast(&emu->changed);
}

/*
 * vhci leaves what is in flight to the hub's worker, which flushes it with
 * -ESHUTDOWN: unless that worker, or a reset, itself waits for a control
 * transfer, which a real controller would end at once. That is ended here, and
 * so is what is tried in its place. True: there was none any more.
 */
static bool is_quiet(struct emu *emu)
{
	uint64_t now = emu_now();

	if (!emu->dying_until)
		emu->dying_until = now + UNPLUG_MAX_MS;
	if (!emu->queue[0].count || now >= emu->dying_until)
		return true;
	emu_urb_fail(emu, true);
	emu->unplug_at = now + UNPLUG_QUIET_MS;
	return false;
}

static void unplug(struct emu *emu)
{
	if (emu->sock >= 0 && !emu->leaving && !is_quiet(emu))
		return;
	emu->unplug_at = 0;
	emu->dying_until = 0;
	if (emu->sock < 0 || emu->leaving)
		return;
	emu->leaving = true;
	emu->stats.unplugs++;
	emu_log(emu, "unplug in_flight=%u", emu_urb_in_flight(emu));
	emu_urb_fail(emu, true);
	emu_urb_drop_all(emu);
	emu_vhci_detach(emu);
	pthread_cond_broadcast(&emu->changed);
}

static void closed(struct emu *emu)
{
	if (!emu->leaving) {
		/* somebody else detached it, or vhci_hcd was removed */
		emu->stats.unplugs++;
		emu_log(emu, "unplug by host");
		emu_urb_drop_all(emu);
	}
	close(emu->sock);
	emu->sock = -1;
	emu->leaving = false;
	emu->dying_until = 0;
	pthread_cond_broadcast(&emu->changed);
}

static int sooner(uint64_t now, uint64_t at, int timeout)
{
	if (!at)
		return timeout;
	if (at <= now)
		return 0;
	return timeout < 0 || at - now < (uint64_t)timeout ? (int)(at - now) :
							     timeout;
}

static int next_timeout(const struct emu *emu)
{
	uint64_t now = emu_now();
	int timeout = -1;

	timeout = sooner(now, emu->plug_at, timeout);
	timeout = sooner(now, emu->unplug_at, timeout);
	timeout = sooner(now, emu->next_due, timeout);
	if (emu->reports.interval)
		timeout = sooner(now, emu->reports.next_at, timeout);
	return timeout;
}

static void *run(void *arg)
{
	struct emu *emu = arg;
	struct pollfd fds[2] = {
		{ .fd = emu->wake, .events = POLLIN },
		{ .events = POLLIN },
	};
	eventfd_t ignored;

	pthread_mutex_lock(&emu->lock);
	while (!emu->quit) {
		uint64_t now = emu_now();
		int timeout;

		if (emu->unplug_at && emu->unplug_at <= now)
			unplug(emu);
		if (emu->plug_at && emu->plug_at <= now)
			plug(emu);
		emu_report_tick(emu, now);
		emu_urb_run(emu);
		timeout = next_timeout(emu);
		fds[1].fd = emu->sock;
		fds[1].revents = 0;
		pthread_mutex_unlock(&emu->lock);
		poll(fds, 2, timeout);
		pthread_mutex_lock(&emu->lock);
		if (fds[0].revents)
			eventfd_read(emu->wake, &ignored);
		if (fds[1].revents && emu_wire_receive(emu))
			closed(emu);
	}
	pthread_mutex_unlock(&emu->lock);
	return NULL;
}

struct emu *emu_new(void)
{
	struct emu *emu = calloc(1, sizeof(*emu));
	pthread_condattr_t attr;
	unsigned int i;

	if (!emu)
		return NULL;
	emu->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	emu->sock = -1;
	emu->log_epoch = emu_now();
	emu->stats.last_configuration = -1;
	emu->stats.last_interface = -1;
	emu->stats.last_alternate = -1;
	emu->stats.last_clear_halt = -1;
	strcpy(emu->busid, "-");
	for (i = 0; i < EMU_QUEUES; i++)
		emu->queue[i].tail = &emu->queue[i].head;
	for (i = 0; i < 16; i++)
		emu->fifo[i].tail = &emu->fifo[i].head;
	emu->reports.tail = &emu->reports.head;
	emu_settings_default(&emu->settings);
	pthread_mutex_init(&emu->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&emu->changed, &attr);
	if (emu->wake < 0 || pthread_create(&emu->thread, NULL, run, emu)) {
		if (emu->wake >= 0)
			close(emu->wake);
		free(emu);
		return NULL;
	}
	return emu;
}

void emu_free(struct emu *emu)
{
	unsigned int i;

	pthread_mutex_lock(&emu->lock);
	emu->quit = true;
	pthread_mutex_unlock(&emu->lock);
	emu_kick(emu);
	pthread_join(emu->thread, NULL);
	if (emu->sock >= 0)
		close(emu->sock);
	close(emu->wake);
	emu_urb_drop_all(emu);
	emu_rule_remove(emu, -1, "all");
	emu_reset_forget(emu);
	for (i = 0; i < 16; i++)
		emu_fifo_clear(&emu->fifo[i]);
	emu_report_clear(emu);
	emu_storage_free(emu);
	free(emu);
}

/* "CONDITION[:MS]", the one command that must not hold the lock */
static int command_wait(struct emu *emu, const char *argument, FILE *out)
{
	char condition[128];
	int ms = 10000, ret;
	char rest;

	ret = sscanf(argument, "%127[^:]:%d%c", condition, &ms, &rest);
	ret = ret < 1 || ret > 2 ? -EINVAL : emu_wait(emu, condition, ms);
	if (ret == -EINVAL)
		fprintf(out, "wait=%s: want KEY>=NUMBER[:MS]", argument);
	if (ret == -ETIMEDOUT)
		fprintf(out, "wait=%s: not within %d ms", argument, ms);
	return ret;
}

int emu_command(struct emu *emu, const char *line, char **reply)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int ret;

	if (!out)
		return -ENOMEM;
	if (!strncmp(line, "wait=", 5)) {
		ret = command_wait(emu, line + 5, out);
	} else {
		pthread_mutex_lock(&emu->lock);
		ret = emu_command_locked(emu, line, out);
		pthread_mutex_unlock(&emu->lock);
		emu_kick(emu);
	}
	fclose(out);
	if (reply)
		*reply = text;
	else
		free(text);
	return ret;
}

long emu_stat(struct emu *emu, const char *key)
{
	char *line, *text = NULL, *end;
	long value = LONG_MIN;

	if (asprintf(&line, "get=%s", key) < 0)
		return value;
	if (!emu_command(emu, line, &text)) {
		value = strtol(text, &end, 10);
		if (*end != '\n')
			value = LONG_MIN;
	}
	free(line);
	free(text);
	return value;
}

static bool compare(long value, const char *op, long wanted)
{
	switch (op[0]) {
	case '=':
		return value == wanted;
	case '!':
		return value != wanted;
	case '>':
		return op[1] == '=' ? value >= wanted : value > wanted;
	default:
		return op[1] == '=' ? value <= wanted : value < wanted;
	}
}

int emu_wait(struct emu *emu, const char *condition, int timeout_ms)
{
	uint64_t end = emu_now() + (uint64_t)timeout_ms;
	const struct timespec pause = { .tv_nsec = 5000000 };
	char key[64], op[3], rest;
	long wanted;

	if (sscanf(condition, "%63[a-z0-9_]%2[=!<>]%li%c", key, op, &wanted,
		   &rest) != 3 ||
	    (op[1] ? op[1] != '=' : op[0] == '=' || op[0] == '!') ||
	    emu_stat(emu, key) == LONG_MIN)
		return -EINVAL;
	while (!compare(emu_stat(emu, key), op, wanted)) {
		if (emu_now() >= end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

const char *emu_busid(struct emu *emu)
{
	pthread_mutex_lock(&emu->lock);
	emu_vhci_enumerated(emu);
	pthread_mutex_unlock(&emu->lock);
	return emu->busid;
}
