/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM usbpass

#if !defined(_USBPASS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _USBPASS_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

/* Ids, minors and states are those of linux/usbpass.h. */

TRACE_EVENT(usbpass_claim,
	TP_PROTO(u32 device_id, bool claimed),
	TP_ARGS(device_id, claimed),
	TP_STRUCT__entry(
		__field(u32, device_id)
		__field(bool, claimed)
	),
	TP_fast_assign(
		__entry->device_id = device_id;
		__entry->claimed = claimed;
	),
	TP_printk("device=%u claimed=%d", __entry->device_id, __entry->claimed)
);

TRACE_EVENT(usbpass_lease,
	TP_PROTO(u32 slot, u8 state),
	TP_ARGS(slot, state),
	TP_STRUCT__entry(
		__field(u32, slot)
		__field(u8, state)
	),
	TP_fast_assign(
		__entry->slot = slot;
		__entry->state = state;
	),
	TP_printk("slot=%u state=%s", __entry->slot,
		  __print_symbolic(__entry->state, { 0, "opening" }, { 1, "online" },
				   { 2, "returning" }, { 3, "gone" }))
);

TRACE_EVENT(usbpass_transfer,
	TP_PROTO(u32 slot, u8 endpoint, u32 length, u32 actual, int status),
	TP_ARGS(slot, endpoint, length, actual, status),
	TP_STRUCT__entry(
		__field(u32, slot)
		__field(u8, endpoint)
		__field(u32, length)
		__field(u32, actual)
		__field(int, status)
	),
	TP_fast_assign(
		__entry->slot = slot;
		__entry->endpoint = endpoint;
		__entry->length = length;
		__entry->actual = actual;
		__entry->status = status;
	),
	TP_printk("slot=%u endpoint=%02x length=%u actual=%u status=%d", __entry->slot,
		  __entry->endpoint, __entry->length, __entry->actual, __entry->status)
);

TRACE_EVENT(usbpass_reset,
	TP_PROTO(u32 slot, u8 kind, int result),
	TP_ARGS(slot, kind, result),
	TP_STRUCT__entry(
		__field(u32, slot)
		__field(u8, kind)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->slot = slot;
		__entry->kind = kind;
		__entry->result = result;
	),
	TP_printk("slot=%u kind=%s result=%d", __entry->slot,
		  __print_symbolic(__entry->kind, { 0, "soft" }, { 1, "device" },
				   { 2, "port" }, { 3, "hub" }), __entry->result)
);

#endif /* _USBPASS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
