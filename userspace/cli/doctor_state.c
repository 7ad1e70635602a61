// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "ambiguous.h"
#include "doctor.h"
#include "inuse.h"
#include "rule_text.h"

static void check_devices(struct doctor *doctor, const struct usbpass_device *list, size_t n)
{
	const struct usbpass_host *host = doctor->cli->host;
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		const struct usbpass_device *device = &list[i];
		struct usbpass_inuse inuse;
		int ret;

		if (device->state == USBPASS_DEVICE_PENDING) {
			ret = usbpass_inuse_find(host, device->busid, &inuse);
			doctor_say(doctor, "device", DOCTOR_WARN, ret == 1 ? inuse.remedy :
				   "usbpass device claim, or replug it", "#%u (%s) is pending: %s",
				   device->id, device->busid, ret == 1 ? inuse.what : device->reason);
		} else if (device->state == USBPASS_DEVICE_ERROR ||
			   device->state == USBPASS_DEVICE_HELD) {
			doctor_say(doctor, "device", DOCTOR_WARN, device->remedy,
				   "#%u (%s) is %s: %s", device->id, device->busid,
				   device->state == USBPASS_DEVICE_ERROR ? "in error" : "held",
				   device->reason);
		} else {
			continue;
		}
		bad++;
	}
	if (!bad)
		doctor_say(doctor, "devices", DOCTOR_OK, NULL, "%zu present, none needs you", n);
}

static void check_learned(struct doctor *doctor, const struct usbpass_device *list, size_t n)
{
	struct cli_learned learned;
	char what[128], remedy[128];

	cli_learned_get(doctor->cli, &learned);
	for (size_t i = 0; i < n; i++) {
		if (!cli_learned_of(&learned, &list[i], what, sizeof(what)))
			continue;
		snprintf(remedy, sizeof(remedy), "once it does not: usbpass device reset '#%u' --forget",
			 list[i].id);
		doctor_say(doctor, "device", DOCTOR_WARN, remedy, "#%u (%s) %s", list[i].id,
			   list[i].busid, what);
	}
	cli_learned_free(&learned);
}

static void check_confirmed(struct doctor *doctor)
{
	struct usbpass_info info;

	if (usbpass_info_get(doctor->cli->h, &info) < 0 || !info.confirm_ms)
		return;
	doctor_say(doctor, "configuration", DOCTOR_WARN, "usbpass confirm, or usbpass revert",
		   "it waits to be confirmed, is not saved, and goes back in %u s",
		   (info.confirm_ms + 999) / 1000);
}

/* What a rule says that will not hold, or not here. */
static void check_rule(struct doctor *doctor, const struct usbpass_rule *rule, const char *node)
{
	for (size_t i = 0; i < rule->n_conds; i++) {
		const struct usbpass_cond *cond = &rule->conds[i];

		if (usbpass_rule_text_volatile(cond->field))
			doctor_say(doctor, "rule", DOCTOR_WARN, "use socket or serial instead",
				   "'%s' asks for %s, which changes at replug or reboot", rule->name,
				   usbpass_words_word(USBPASS_WORDS_FIELD, cond->field));
		if (cond->field == USBPASS_FIELD_NODE && cond->op == USBPASS_OP_EQ && cond->string &&
		    strcmp(cond->string, node))
			doctor_say(doctor, "rule", DOCTOR_WARN,
				   "delete it, or set the module's parameter `node`",
				   "'%s' is for node '%s'; this one is '%s'", rule->name,
				   cond->string, node);
	}
}

static void check_rules(struct doctor *doctor, const struct usbpass_device *devices,
			size_t n_devices)
{
	size_t before = doctor->counts[DOCTOR_WARN], n;
	struct usbpass_ambiguous ambiguous;
	struct usbpass_info info;
	struct usbpass_rule *list;

	if (usbpass_info_get(doctor->cli->h, &info) < 0 ||
	    usbpass_rule_list(doctor->cli->h, &list, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		check_rule(doctor, &list[i], info.node);
		if (usbpass_ambiguous_rule(&list[i], devices, n_devices, info.node, &ambiguous))
			doctor_say(doctor, "rule", DOCTOR_WARN, ambiguous.remedy,
				   "'%s' is ambiguous: %s", list[i].name, ambiguous.what);
	}
	if (doctor->counts[DOCTOR_WARN] == before)
		doctor_say(doctor, "rules", DOCTOR_OK, NULL, "%zu, all lasting", n);
	usbpass_rule_list_free(list, n);
}

/* The node as the attachment wants it: there, and its owner's alone. */
static void check_node(struct doctor *doctor, const struct usbpass_attachment *a)
{
	bool has_gid = usbpass_has(a, USBPASS_A_ATTACH_GID);
	mode_t mode = has_gid ? 0660 : 0600;
	const char *remedy = "usbpass attach set with --uid and --gid, not chown or chmod";
	struct stat st;
	char path[256];

	cli_node_path(a, path, sizeof(path));
	if (stat(path, &st) < 0)
		doctor_say(doctor, "node", DOCTOR_FAIL,
			   "is devtmpfs mounted on /dev? then: udevadm settle", "%s is not there",
			   path);
	else if (!S_ISCHR(st.st_mode))
		doctor_say(doctor, "node", DOCTOR_FAIL, "remove it, and load the module again",
			   "%s is no character device", path);
	else if ((st.st_mode & 0777) != mode || st.st_uid != a->uid ||
		 st.st_gid != (has_gid ? a->gid : 0))
		doctor_say(doctor, "node", DOCTOR_WARN, remedy,
			   "%s is %o of %u:%u and should be %o of %u:%u", path,
			   st.st_mode & 0777, st.st_uid, st.st_gid, mode, a->uid,
			   has_gid ? a->gid : 0);
	else
		doctor_say(doctor, "node", DOCTOR_OK, NULL, "%s", path);
}

static void check_attachments(struct doctor *doctor, const struct usbpass_device *devices,
			      size_t n_devices)
{
	struct usbpass_ambiguous ambiguous;
	struct usbpass_attachment *list;
	size_t n;

	if (usbpass_attachment_list(doctor->cli->h, &list, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		check_node(doctor, &list[i]);
		if (usbpass_ambiguous_pin(&list[i], devices, n_devices, &ambiguous))
			doctor_say(doctor, "attachment", DOCTOR_WARN, ambiguous.remedy,
				   "'%s' is ambiguous: %s", list[i].name, ambiguous.what);
	}
	usbpass_attachment_list_free(list, n);
}

void doctor_state(struct doctor *doctor)
{
	struct usbpass_device *devices;
	size_t n;

	if (usbpass_device_list(doctor->cli->h, &devices, &n) < 0)
		return;
	check_confirmed(doctor);
	check_devices(doctor, devices, n);
	check_learned(doctor, devices, n);
	check_rules(doctor, devices, n);
	check_attachments(doctor, devices, n);
	usbpass_device_list_free(devices, n);
}
