// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/usbpass.h>
#include "lease.h"
#include "memory.h"
#include "param.h"

static atomic64_t in_use;	/* bytes, of all leases */

u64 usbpass_memory_in_use(void)
{
	return atomic64_read(&in_use);
}

int usbpass_memory_charge(struct usbpass_lease *lease, u64 bytes)
{
	unsigned long flags;
	bool fits;

	spin_lock_irqsave(&lease->lock, flags);
	fits = lease->transfers < USBPASS_URBS_MAX &&
	       lease->bytes_in_flight + bytes <= usbpass_param_lease_memory_bytes();
	if (fits) {
		lease->transfers++;
		lease->bytes_in_flight += bytes;
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	if (!fits)
		return -ENOMEM;
	if (atomic64_add_return(bytes, &in_use) > usbpass_param_transfer_memory_bytes()) {
		usbpass_memory_uncharge(lease, bytes);
		return -ENOMEM;
	}
	return 0;
}

void usbpass_memory_uncharge(struct usbpass_lease *lease, u64 bytes)
{
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	lease->transfers--;
	lease->bytes_in_flight -= bytes;
	spin_unlock_irqrestore(&lease->lock, flags);
	atomic64_sub(bytes, &in_use);
}
