// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <time.h>
#include "message.h"

#define ASK_MS	100	/* between two questions, where no event tells */
#define CHECK_MS 1000	/* the same, where one should: it may have been lost */

static int take_event(struct nlattr **tb, void *arg)
{
	if (!tb[USBPASS_A_EVENT])
		return -EBADMSG;
	return usbpass_codec_decode(tb[USBPASS_A_EVENT], &usbpass_codec_event, arg);
}

int usbpass_job_get(struct usbpass *h, uint32_t job, struct usbpass_event *out)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_JOB_GET, 0);

	memset(out, 0, sizeof(*out));
	if (!msg)
		return -ENOMEM;
	nla_put_u32(msg, USBPASS_A_JOB, job);
	return usbpass_message_call(h, h->calls, msg, take_event, out);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static int finish(struct usbpass *h, const struct usbpass_event *event)
{
	if (event->result == 0)
		return 0;
	return usbpass_handle_fail(h, event->result, "%s",
				   event->reason[0] ? event->reason : strerror(-event->result));
}

/* One step: an event, or time to ask. 1: the job is over, *event is its event. */
static int step(struct usbpass *h, uint32_t job, int64_t left, struct usbpass_event *event)
{
	int pause = h->events ? CHECK_MS : ASK_MS;
	int ret;

	if (left >= 0 && left < pause)
		pause = left;
	if (h->events) {
		ret = usbpass_event_next(h, event, pause);
		if (ret == 0)
			return event->type == USBPASS_EVENT_JOB && event->job == job;
		if (ret != -EAGAIN)
			return ret;
	} else {
		struct timespec ts = { .tv_nsec = pause * 1000000L };

		nanosleep(&ts, NULL);
	}
	ret = usbpass_job_get(h, job, event);
	return ret < 0 ? ret : event->result != -EINPROGRESS;
}

int usbpass_job_wait(struct usbpass *h, uint32_t job, int timeout)
{
	const int64_t end = now_ms() + timeout;
	struct usbpass_event event;

	for (;;) {
		int64_t left = timeout < 0 ? -1 : end - now_ms();
		int ret;

		if (timeout >= 0 && left < 0)
			return usbpass_handle_fail(h, -ETIMEDOUT,
						   "not done after %d ms; it goes on by itself",
						   timeout);
		ret = step(h, job, left, &event);
		if (ret < 0)
			return ret;
		if (ret)
			return finish(h, &event);
	}
}
