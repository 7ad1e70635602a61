// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/usbpass.h>
#include "config.h"
#include "event.h"
#include "job.h"

/* The last jobs, by id modulo their number. */
static struct {
	u32 id;
	int result;
	char reason[USBPASS_REASON_MAX + 1];
} jobs[USBPASS_EVENTS_KEPT];

static u32 last_id;
static DEFINE_SPINLOCK(lock);	/* protects both */

u32 usbpass_job_begin(void)
{
	unsigned long flags;
	u32 id;

	spin_lock_irqsave(&lock, flags);
	id = ++last_id ?: ++last_id;	/* 0 is none */
	jobs[id % ARRAY_SIZE(jobs)].id = id;
	jobs[id % ARRAY_SIZE(jobs)].result = -EINPROGRESS;
	jobs[id % ARRAY_SIZE(jobs)].reason[0] = '\0';
	spin_unlock_irqrestore(&lock, flags);
	return id;
}

void usbpass_job_end(u32 job, int result, const char *reason)
{
	struct usbpass_event ev = {
		.type = USBPASS_EVENT_JOB,
		.owner = USBPASS_OWNER_HOST,
		.job = job,
		.has_result = true,
		.result = result,
	};
	unsigned long flags;

	strscpy(ev.reason, reason ?: "", sizeof(ev.reason));
	spin_lock_irqsave(&lock, flags);
	if (jobs[job % ARRAY_SIZE(jobs)].id == job) {
		jobs[job % ARRAY_SIZE(jobs)].result = result;
		strscpy(jobs[job % ARRAY_SIZE(jobs)].reason, ev.reason,
			sizeof(jobs[0].reason));
	}
	spin_unlock_irqrestore(&lock, flags);
	usbpass_event_emit(&ev);
}

int usbpass_job_result(u32 job, int *result, char *reason)
{
	unsigned long flags;
	int err = -ENOENT;

	spin_lock_irqsave(&lock, flags);
	if (job && jobs[job % ARRAY_SIZE(jobs)].id == job) {
		*result = jobs[job % ARRAY_SIZE(jobs)].result;
		strscpy(reason, jobs[job % ARRAY_SIZE(jobs)].reason, USBPASS_REASON_MAX + 1);
		err = 0;
	}
	spin_unlock_irqrestore(&lock, flags);
	return err;
}
