/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_EVENT_H
#define _USBPASS_EVENT_H

#include <linux/types.h>
#include <linux/sched.h>
#include <linux/usbpass.h>

/* Zero or empty: absent. Who asked: usbpass_event_by_current(). */
struct usbpass_event {
	u64 seq, time_ns;		/* filled by emit */
	u32 owner;			/* whose event it is; 0: the host's only */
	u8 type;			/* enum usbpass_event_type */
	u8 state;
	bool has_state, has_result, has_who;
	u32 device_id;
	u16 vendor, product;
	u32 rule_id, job;
	s32 result;
	u64 generation;
	u32 pid, uid;
	char comm[TASK_COMM_LEN];
	char socket[USBPASS_SOCKET_MAX + 1];
	char group[USBPASS_NAME_MAX + 1];
	char attach[USBPASS_NAME_MAX + 1];
	char reason[USBPASS_REASON_MAX + 1];
};

int usbpass_event_init(void);
void usbpass_event_exit(void);

void usbpass_event_by_current(struct usbpass_event *ev);
/* Any context. Copies @ev into the ring and kicks the sender. */
void usbpass_event_emit(struct usbpass_event *ev);

#endif /* _USBPASS_EVENT_H */
