/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_EVENT_H
#define _USBPASS_EVENT_H

#include <linux/sched.h>
#include <linux/types.h>
#include <linux/usbpass.h>

struct net;
struct sk_buff;
struct sock;

/* Zero or empty: absent. */
struct usbpass_event {
	u64 seq, time_ns;		/* filled by emit */
	u32 owner;			/* whose event it is; 0: the host's */
	u8 type;			/* enum usbpass_event_type */
	u8 state;
	u8 reset;			/* enum usbpass_reset_kind */
	bool has_state, has_reset, has_result, has_who;
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
	union {			/* events live on the stack, of 1,024 bytes a frame */
		char reason[USBPASS_REASON_MAX + 1];
		char port[USBPASS_PORT_MAX + 1];	/* of POWER_CYCLE */
	};
};

int usbpass_event_init(void);
void usbpass_event_exit(void);

/* Fills in who asked. */
void usbpass_event_by_current(struct usbpass_event *ev);
/* Any context. Copies @ev into the ring and kicks the sender. */
void usbpass_event_emit(struct usbpass_event *ev);

/*
 * The first event kept whose number is above @after, and in *lost how many
 * between are not kept any more. False: none.
 */
bool usbpass_event_next(u64 after, struct usbpass_event *ev, u64 *lost);
u64 usbpass_event_last_seq(void);

/*
 * A socket gets every event after @since. @power: it carries out power cycles;
 * one does. 0, -EALREADY, -EBUSY, -ENOSPC, -ENOMEM.
 */
int usbpass_event_subscribe(struct sock *sk, u32 portid, u64 since, bool power);
bool usbpass_event_has_power(void);			/* does any socket? */
bool usbpass_event_is_power(struct net *net, u32 portid);	/* does this one? */
void usbpass_event_unsubscribe(struct net *net, u32 portid);	/* the socket closed */

#endif /* _USBPASS_EVENT_H */
