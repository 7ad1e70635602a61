/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests with faults on a device share: one gadget behind dummy_hcd for the whole program (vhci_hcd unplugs its own for
 * want of memory), which its rule claims when each test plugs it into a freshly loaded module, and its attachment.
 *
 *	TAP_SETUP
 *	{
 *		fault_world(&h);		(undone at the test's end; the module can be removed then, or the test has failed)
 *		...				(wait for the device: the plug is not over)
 *	}
 *	FAULT_WORLD_MAIN			(in place of TAP_MAIN)
 *
 * The runner starts tests in selftests/. Needs tap.h, usbpass.h and fault.h.
 */
#ifndef FAULT_WORLD_H
#define FAULT_WORLD_H

#define FAULT_NODE "/dev/usbpass/host/fault"
#define FAULT_GADGET(command) "bash -c '. lib/gadget.sh; " command "'"

#define FAULT_GADGET_DIR "/sys/kernel/config/usb_gadget/fault"

static struct usbpass **fault_world_handle;

/* Its functions are linked anew for each plug: bound a second time, they would leak what they made the first time. */
static inline bool fault_plug(bool on)
{
	static const char *const functions[] = {"SourceSink.fault", "Loopback.fault"};
	bool done = on || fault_put(FAULT_GADGET_DIR "/UDC", "\n");

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		char link[150], target[150];

		snprintf(link, sizeof(link), FAULT_GADGET_DIR "/configs/c.1/%s", functions[i]);
		snprintf(target, sizeof(target), FAULT_GADGET_DIR "/functions/%s", functions[i]);
		done &= (!unlink(link) || on) && (!on || !symlink(target, link));
	}
	return done && (!on || fault_put(FAULT_GADGET_DIR "/UDC", "dummy_udc.0"));
}

static inline void fault_world_end(void)
{
	usbpass_close(*fault_world_handle);
	if (!fault_plug(false))
		TAP_SAY("the gadget stays plugged");
	/* No reference is left behind: it goes. */
	if (system("rmmod usbpass")) {
		TAP_SAY("the module cannot be removed");
		_exit(TAP_FAIL);
	}
}

static inline void fault_world(struct usbpass **h)
{
	struct usbpass_group group = {.has = USBPASS_HAS(USBPASS_A_GROUP_NAME), .name = "fault"};
	struct usbpass_rule rule = {
		.has = USBPASS_HAS(USBPASS_A_RULE_NAME) | USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_GROUP),
		.name = "fault", .action = USBPASS_ACTION_CLAIM, .group = "fault"};
	struct usbpass_cond cond = {.field = USBPASS_FIELD_VENDOR, .op = USBPASS_OP_EQ, .number = 0x1209};
	struct usbpass_attachment attach = {
		.has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP), .name = "fault", .group = "fault"};

	ASSERT_EQ(0, system("[ ! -e /sys/module/usbpass ] || rmmod usbpass; insmod ${USBPASS_KO:-../usbpass.ko}"));
	fault_world_handle = h;
	tap_defer(fault_world_end);
	ASSERT_EQ(0, usbpass_open(h));
	ASSERT_EQ(0, usbpass_group_new(*h, &group));
	ASSERT_EQ(0, usbpass_rule_add_cond(&rule, &cond));
	ASSERT_EQ(0, usbpass_rule_new(*h, &rule));
	usbpass_rule_clear(&rule);
	ASSERT_EQ(0, usbpass_attachment_new(*h, &attach));
	ASSERT(fault_plug(true));
}

static inline int fault_world_main(char **wanted)
{
	int status = TAP_FAIL;

	if (system("vm/udevd.sh stop"))
		printf("# udevd goes on: all takes longer\n");
	if (system(FAULT_GADGET("gadget_remove_all; gadget_controllers 1 && gadget_composite fault sourcesink loopback vendor=1209 pattern=2")))
		printf("# the gadget could not be made\n");
	else
		status = tap_main(wanted);
	if (system(FAULT_GADGET("gadget_remove_all; modprobe -r dummy_hcd")) || system("vm/udevd.sh start"))
		status = TAP_FAIL;
	return status;
}

#define FAULT_WORLD_MAIN                                                                                                       \
	int main(int argc, char **argv)                                                                                        \
	{                                                                                                                      \
		(void)argc;                                                                                                    \
		return fault_world_main(argv + 1);                                                                             \
	}

#endif
