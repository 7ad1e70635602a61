/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_PARAM_H
#define _USBPASS_PARAM_H

#include <linux/types.h>

/* Module parameters: README, "Parameters". All may change at any time. */
bool usbpass_param_claim(void);
unsigned int usbpass_param_hold_secs(void);
unsigned int usbpass_param_guard_secs(void);
unsigned int usbpass_param_return_ms(void);
unsigned int usbpass_param_replug_ms(void);
unsigned int usbpass_param_reset_budget(void);		/* a minute */
bool usbpass_param_reset_refusal_is_error(void);
u64 usbpass_param_transfer_memory_bytes(void);		/* of all leases */
u64 usbpass_param_lease_memory_bytes(void);

/* Copies the node's name into @name, of USBPASS_STRING_MAX + 1 bytes. */
void usbpass_param_node(char *name);

#endif /* _USBPASS_PARAM_H */
