// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "doctor.h"
#include "inuse.h"

#define KEYBOARD	0x030101	/* HID, boot interface, keyboard */

struct world {
	struct usbpass_rule *rules;
	struct usbpass_device *devices;
	size_t n_rules, n_devices;
};

static size_t count_held(const struct world *world, uint32_t rule)
{
	size_t n = 0;

	for (size_t i = 0; i < world->n_devices; i++)
		n += world->devices[i].state == USBPASS_DEVICE_HELD &&
		     world->devices[i].rule == rule;
	return n;
}

/* True: there is an enabled one. */
static bool tell_rules(struct doctor *doctor, const struct world *world)
{
	bool any = false;

	for (size_t i = 0; i < world->n_rules; i++) {
		const struct usbpass_rule *rule = &world->rules[i];
		size_t n;

		if (!rule->enabled || rule->action != USBPASS_ACTION_QUARANTINE)
			continue;
		n = count_held(world, rule->id);
		doctor_say(doctor, "quarantine", DOCTOR_OK, NULL, "rule '%s' holds %zu device%s",
			   rule->name, n, n == 1 ? "" : "s");
		any = true;
	}
	if (any)
		doctor_say(doctor, "ways out", DOCTOR_OK, NULL,
			   "an ignore rule of a lower priority number for your keyboard's socket; `usbpass device release`; usbpass.claim=0 on the kernel's command line; and `usbpass apply --confirm` goes back by itself");
	return any;
}

static bool is_keyboard(const struct usbpass_device *device)
{
	for (size_t i = 0; i < device->n_interface_classes; i++)
		if (device->interface_classes[i] == KEYBOARD)
			return true;
	return false;
}

/* Why the host cannot do without it; false: it can. What is under / may be below other disks. */
static bool is_needed(struct doctor *doctor, const struct usbpass_device *device, char *why,
		      size_t size)
{
	struct usbpass_inuse inuse;

	if (is_keyboard(device)) {
		snprintf(why, size, "a keyboard");
		return true;
	}
	if (usbpass_inuse_find(doctor->cli->host, device->busid, &inuse) != 1 ||
	    (inuse.kind != USBPASS_INUSE_MOUNTED && inuse.kind != USBPASS_INUSE_SWAP &&
	     inuse.kind != USBPASS_INUSE_HELD && inuse.kind != USBPASS_INUSE_EXCLUSIVE))
		return false;
	snprintf(why, size, "of which %s", inuse.what);
	return true;
}

static void warn(struct doctor *doctor, const struct usbpass_device *device,
		 const struct usbpass_rule *rule, const char *why)
{
	const char *when = device->state == USBPASS_DEVICE_HELD ? "now" :
			   "at its next plug, or the next boot";
	char remedy[512];

	if (rule->priority == INT32_MIN)
		snprintf(remedy, sizeof(remedy), "usbpass rule set '%s' --priority 0, then see again",
			 rule->name);
	else
		snprintf(remedy, sizeof(remedy),
			 "usbpass rule add --action ignore --priority %d --match 'socket = %s'",
			 rule->priority - 1, device->socket);
	doctor_say(doctor, "quarantine", DOCTOR_WARN, remedy,
		   "rule '%s' takes #%u (%s) from the host, %s: %s", rule->name, device->id,
		   device->busid, when, why);
}

static void check_device(struct doctor *doctor, const struct usbpass_device *device)
{
	struct usbpass_rule rule;
	char why[300];

	if (device->flags & USBPASS_DEVICE_F_HUB ||
	    usbpass_rule_test(doctor->cli->h, device->id, &rule) < 0)
		return;
	if (rule.has && rule.action == USBPASS_ACTION_QUARANTINE &&
	    is_needed(doctor, device, why, sizeof(why)))
		warn(doctor, device, &rule, why);
	usbpass_rule_clear(&rule);
}

void doctor_quarantine(struct doctor *doctor)
{
	struct world world = {};

	if (usbpass_rule_list(doctor->cli->h, &world.rules, &world.n_rules) == 0 &&
	    usbpass_device_list(doctor->cli->h, &world.devices, &world.n_devices) == 0 &&
	    tell_rules(doctor, &world))
		for (size_t i = 0; i < world.n_devices; i++)
			check_device(doctor, &world.devices[i]);
	usbpass_rule_list_free(world.rules, world.n_rules);
	usbpass_device_list_free(world.devices, world.n_devices);
}
