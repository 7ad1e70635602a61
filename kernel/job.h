/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_JOB_H
#define _USBPASS_JOB_H

#include <linux/types.h>

/* A verb that needs USB answers with a job's id and ends in an event. */
u32 usbpass_job_begin(void);
/* @reason may be NULL. Emits USBPASS_EVENT_JOB. Any context. */
void usbpass_job_end(u32 job, int result, const char *reason);
/*
 * 0, *result (-EINPROGRESS while it runs) and @reason (USBPASS_REASON_MAX + 1
 * bytes); or -ENOENT.
 */
int usbpass_job_result(u32 job, int *result, char *reason);

#endif /* _USBPASS_JOB_H */
