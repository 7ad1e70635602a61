// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) "usbpass: " fmt

#include <linux/init.h>
#include <linux/module.h>
#include "claim.h"
#include "config.h"
#include "event.h"
#include "guard.h"
#include "hold.h"
#include "intf.h"
#include "learned.h"
#include "lease.h"
#include "netlink.h"
#include "reconcile.h"
#include "slot.h"
#include "step.h"

/*
 * Netlink is last in, first out: a verb finds everything there. An open node
 * holds the module, so no lease is open at exit.
 */
static int __init usbpass_init(void)
{
	int err;

	err = usbpass_event_init();
	if (err)
		return err;
	err = usbpass_slot_init();
	if (err)
		goto err_event;
	err = usbpass_lease_init();
	if (err)
		goto err_slot;
	err = usbpass_reconcile_init();
	if (err)
		goto err_lease;
	err = usbpass_config_init();
	if (err)
		goto err_reconcile;
	err = usbpass_intf_init();
	if (err)
		goto err_config;
	usbpass_hold_init();
	err = usbpass_claim_init();
	if (err)
		goto err_hold;
	err = usbpass_step_init();
	if (err)
		goto err_claim;
	err = usbpass_netlink_init();
	if (err)
		goto err_step;
	return 0;

err_step:
	usbpass_step_exit();
err_claim:
	usbpass_claim_exit();
err_hold:
	usbpass_hold_exit();
	usbpass_intf_exit();
err_config:
	usbpass_config_exit();
err_reconcile:
	usbpass_reconcile_exit();
err_lease:
	usbpass_lease_exit();
err_slot:
	usbpass_slot_exit();
err_event:
	usbpass_event_exit();
	return err;
}

static void __exit usbpass_exit(void)
{
	usbpass_netlink_exit();
	usbpass_step_exit();
	usbpass_hold_exit();
	usbpass_claim_exit();
	usbpass_reconcile_exit();
	usbpass_intf_exit();
	usbpass_config_exit();	/* retires the slots */
	usbpass_lease_exit();
	usbpass_guard_exit();
	usbpass_learned_exit();
	usbpass_slot_exit();
	usbpass_event_exit();
}

module_init(usbpass_init);
module_exit(usbpass_exit);

MODULE_DESCRIPTION("USB devices for virtual machines and tenants");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
