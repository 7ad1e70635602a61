// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/usbpass.h>
#include <linux/utsname.h>
#include "param.h"

/* An unsigned parameter with bounds. */
struct bounded {
	unsigned int value, min, max;
};

static int set_bounded(const char *val, const struct kernel_param *kp)
{
	struct bounded *bounded = kp->arg;
	unsigned int value;
	int err = kstrtouint(val, 0, &value);

	if (err)
		return err;
	if (value < bounded->min || value > bounded->max)
		return -ERANGE;
	WRITE_ONCE(bounded->value, value);
	return 0;
}

static int get_bounded(char *buffer, const struct kernel_param *kp)
{
	const struct bounded *bounded = kp->arg;

	return sysfs_emit(buffer, "%u\n", READ_ONCE(bounded->value));
}

static const struct kernel_param_ops bounded_ops = {
	.set = set_bounded,
	.get = get_bounded,
};

static bool claim = true;
module_param(claim, bool, 0644);
MODULE_PARM_DESC(claim, "take new devices; 0: take nothing new (default 1)");

static struct bounded hold_secs = { .value = 0, .min = 0, .max = 300 };
module_param_cb(hold_secs, &bounded_ops, &hold_secs, 0644);
MODULE_PARM_DESC(hold_secs,
		 "seconds that new devices wait for the first commit, 0 to 300 (default 0)");

static struct bounded guard_secs = { .value = 30, .min = 0, .max = 300 };
module_param_cb(guard_secs, &bounded_ops, &guard_secs, 0644);
MODULE_PARM_DESC(guard_secs,
		 "seconds that a leased socket stays guarded afterwards, 0 to 300 (default 30)");

static struct bounded return_ms = { .value = 5000, .min = 0, .max = 60000 };
module_param_cb(return_ms, &bounded_ops, &return_ms, 0644);
MODULE_PARM_DESC(return_ms,
		 "milliseconds to return after a reset, 0 to 60000 (default 5000)");

static struct bounded replug_ms = { .value = 2000, .min = 0, .max = 60000 };
module_param_cb(replug_ms, &bounded_ops, &replug_ms, 0644);
MODULE_PARM_DESC(replug_ms,
		 "milliseconds to return after an unplug, 0 to 60000 (default 2000)");

static struct bounded reset_budget = { .value = 6, .min = 0, .max = 600 };
module_param_cb(reset_budget, &bounded_ops, &reset_budget, 0644);
MODULE_PARM_DESC(reset_budget,
		 "guest resets on the wire a device and minute, 0 to 600 (default 6)");

static const char * const reset_refusal_names[] = { "soft", "error" };
static bool reset_refusal_error;

static int set_reset_refusal(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(reset_refusal_names, val);

	if (i < 0)
		return i;
	WRITE_ONCE(reset_refusal_error, i == 1);
	return 0;
}

static int get_reset_refusal(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", reset_refusal_names[READ_ONCE(reset_refusal_error)]);
}

static const struct kernel_param_ops ops_reset_refusal = {
	.set = set_reset_refusal,
	.get = get_reset_refusal,
};
module_param_cb(reset_refusal, &ops_reset_refusal, NULL, 0644);
MODULE_PARM_DESC(reset_refusal, "a refused reset: soft (done softly, says 0) or error (default soft)");

static struct bounded transfer_memory_mb = { .value = 256, .min = 1, .max = 65536 };
module_param_cb(transfer_memory_mb, &bounded_ops, &transfer_memory_mb, 0644);
MODULE_PARM_DESC(transfer_memory_mb,
		 "MiB in flight of all leases, 1 to 65536 (default 256)");

static struct bounded lease_memory_mb = { .value = 64, .min = 1, .max = 4096 };
module_param_cb(lease_memory_mb, &bounded_ops, &lease_memory_mb, 0644);
MODULE_PARM_DESC(lease_memory_mb, "MiB in flight of one lease, 1 to 4096 (default 64)");

static char node[USBPASS_STRING_MAX + 1];
static struct kparam_string node_string = {
	.maxlen = sizeof(node),
	.string = node,
};

/* Any text; empty: the host's name. sysfs appends a newline that is not part of it. */
static int set_node(const char *val, const struct kernel_param *kp)
{
	int err = param_set_copystring(val, kp);

	if (!err)
		strim(node);
	return err;
}

static const struct kernel_param_ops ops_node = {
	.set = set_node,
	.get = param_get_string,
};
module_param_cb(node, &ops_node, &node_string, 0644);
MODULE_PARM_DESC(node, "this host's name for rules (default: the host name); read at each commit");

bool usbpass_param_claim(void)
{
	return READ_ONCE(claim);
}

unsigned int usbpass_param_hold_secs(void)
{
	return READ_ONCE(hold_secs.value);
}

unsigned int usbpass_param_guard_secs(void)
{
	return READ_ONCE(guard_secs.value);
}

unsigned int usbpass_param_return_ms(void)
{
	return READ_ONCE(return_ms.value);
}

unsigned int usbpass_param_replug_ms(void)
{
	return READ_ONCE(replug_ms.value);
}

unsigned int usbpass_param_reset_budget(void)
{
	return READ_ONCE(reset_budget.value);
}

bool usbpass_param_reset_refusal_is_error(void)
{
	return READ_ONCE(reset_refusal_error);
}

u64 usbpass_param_transfer_memory_bytes(void)
{
	return (u64)READ_ONCE(transfer_memory_mb.value) << 20;
}

u64 usbpass_param_lease_memory_bytes(void)
{
	return (u64)READ_ONCE(lease_memory_mb.value) << 20;
}

void usbpass_param_node(char *name)
{
	kernel_param_lock(THIS_MODULE);
	strscpy(name, node[0] ? node : init_utsname()->nodename, USBPASS_STRING_MAX + 1);
	kernel_param_unlock(THIS_MODULE);
}
