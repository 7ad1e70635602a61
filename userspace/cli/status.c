// SPDX-License-Identifier: GPL-2.0
/* What needs the operator first; then totals, leases, and what is saved. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ambiguous.h"
#include "cli.h"
#include "codec.h"
#include "inuse.h"
#include "names.h"

struct status {
	struct usbpass_info info;
	struct usbpass_device *devices;
	struct usbpass_rule *rules;
	struct usbpass_attachment *attachments;
	size_t n_devices, n_rules, n_attachments;
	struct cli_learned learned;
	bool daemon, has_saved;
	uint64_t saved;
	int pid;
	struct json_object *needs;	/* array of objects */
	bool text;
	size_t n_needs;
};

/* @title: what the line begins with on the terminal. */
static void need(struct status *s, const char *kind, const char *title, const char *what,
		 const char *remedy)
{
	struct json_object *item = json_object_new_object();
	bool said = remedy && *remedy;

	s->n_needs++;
	json_object_object_add(item, "kind", json_object_new_string(kind));
	json_object_object_add(item, "subject", cli_json_string(title));
	json_object_object_add(item, "text", cli_json_string(what));
	if (said)
		json_object_object_add(item, "remedy", cli_json_string(remedy));
	json_object_array_add(s->needs, item);
	if (s->text)
		cli_say(stdout, "%s: %s%s%s", title, what, said ? "; " : "", said ? remedy : "");
}

/* One alone stands on the line that counts it. */
static void need_pending(struct cli *cli, struct status *s, const struct usbpass_device *device,
			 bool alone)
{
	char title[128] = "1 device pending", free_now[128];
	struct usbpass_inuse inuse;
	int ret;

	if (!alone || !s->text)
		snprintf(title, sizeof(title), "%sdevice #%u (%s)", s->text ? "  " : "", device->id,
			 device->busid);
	/* What keeps it now, which may have changed since it was marked. */
	ret = usbpass_inuse_find(cli->host, device->busid, &inuse);
	if (ret == 1) {
		need(s, "pending", title, inuse.what, inuse.remedy);
		return;
	}
	snprintf(free_now, sizeof(free_now), "usbpass device claim '#%u', or replug it", device->id);
	need(s, "pending", title, ret == 0 ? "nothing uses it any more" : device->reason, free_now);
}

static void need_devices(struct cli *cli, struct status *s)
{
	char title[128];
	size_t pending = 0;

	for (size_t i = 0; i < s->n_devices; i++)
		pending += s->devices[i].state == USBPASS_DEVICE_PENDING;
	if (pending > 1 && s->text)
		printf("%zu devices pending:\n", pending);
	for (size_t i = 0; i < s->n_devices; i++) {
		const struct usbpass_device *device = &s->devices[i];

		if (device->state == USBPASS_DEVICE_PENDING)
			need_pending(cli, s, device, pending == 1);
	}
	for (size_t i = 0; i < s->n_devices; i++) {
		const struct usbpass_device *device = &s->devices[i];
		bool error = device->state == USBPASS_DEVICE_ERROR;

		if (!error && device->state != USBPASS_DEVICE_HELD)
			continue;
		snprintf(title, sizeof(title), "device #%u (%s) %s", device->id, device->busid,
			 error ? "in error" : "held");
		need(s, error ? "error" : "held", title, device->reason, device->remedy);
	}
}

static void need_forgetting(struct status *s)
{
	char title[128], what[128], remedy[128];

	for (size_t i = 0; i < s->n_devices; i++) {
		const struct usbpass_device *device = &s->devices[i];

		if (!cli_learned_of(&s->learned, device, what, sizeof(what)))
			continue;
		snprintf(title, sizeof(title), "device #%u (%s)", device->id, device->busid);
		snprintf(remedy, sizeof(remedy), "once it does not: usbpass device reset '#%u' --forget",
			 device->id);
		need(s, "bad-resetter", title, what, remedy);
	}
}

static void need_identities(struct status *s)
{
	struct usbpass_ambiguous ambiguous;
	char title[128];

	for (size_t i = 0; i < s->n_rules; i++) {
		if (!usbpass_ambiguous_rule(&s->rules[i], s->devices, s->n_devices, s->info.node,
					    &ambiguous))
			continue;
		snprintf(title, sizeof(title), "rule '%s' ambiguous", s->rules[i].name);
		need(s, "ambiguous", title, ambiguous.what, ambiguous.remedy);
	}
	for (size_t i = 0; i < s->n_attachments; i++) {
		if (!usbpass_ambiguous_pin(&s->attachments[i], s->devices, s->n_devices,
					   &ambiguous))
			continue;
		snprintf(title, sizeof(title), "attachment '%s' ambiguous", s->attachments[i].name);
		need(s, "ambiguous", title, ambiguous.what, ambiguous.remedy);
	}
}

static void need_maintenance(struct status *s)
{
	if (s->info.maintenance)
		need(s, "maintenance", "maintenance", "nothing new is claimed or leased",
		     "usbpass maintenance off");
}

static void need_attachments(struct status *s)
{
	char title[128];

	for (size_t i = 0; i < s->n_attachments; i++) {
		const struct usbpass_attachment *a = &s->attachments[i];

		if (a->state != USBPASS_SLOT_MISSING && a->state != USBPASS_SLOT_ERROR &&
		    a->state != USBPASS_SLOT_GONE)
			continue;
		if (a->state == USBPASS_SLOT_MISSING && a->optional)
			continue;
		snprintf(title, sizeof(title), "attachment '%s' %s", a->name,
			 usbpass_words_word(USBPASS_WORDS_SLOT_STATE, a->state));
		need(s, usbpass_words_word(USBPASS_WORDS_SLOT_STATE, a->state), title,
		     a->reason[0] ? a->reason : "no device fills it", a->remedy[0] ? a->remedy : a->state == USBPASS_SLOT_GONE ?
		     "let the VM close it" : NULL);
	}
}

static void need_confirmed(struct status *s)
{
	char what[128];

	if (!s->info.confirm_ms)
		return;
	snprintf(what, sizeof(what), "generation %" PRIu64 " goes back in %u s unless confirmed",
		 s->info.generation, (s->info.confirm_ms + 999) / 1000);
	need(s, "unconfirmed", "not confirmed", what, "usbpass confirm, or usbpass revert");
}

static void need_saved(struct status *s)
{
	char what[256];

	if (!s->daemon) {
		need(s, "daemon", "no daemon runs", "changes are in force, but not saved",
		     "systemctl start usbpassd");
		return;
	}
	if (s->info.confirm_ms || (s->has_saved && s->saved >= s->info.generation))
		return;
	snprintf(what, sizeof(what), "generation %" PRIu64 " is in force, %s%" PRIu64 " is saved",
		 s->info.generation, s->has_saved ? "only " : "not even ",
		 s->has_saved ? s->saved : 0);
	need(s, "unsaved", "not saved", what, "journalctl -u usbpassd");
}

static int get(struct cli *cli, struct status *s)
{
	int ret = usbpass_info_get(cli->h, &s->info);

	if (ret >= 0)
		ret = usbpass_device_list(cli->h, &s->devices, &s->n_devices);
	if (ret >= 0)
		ret = usbpass_rule_list(cli->h, &s->rules, &s->n_rules);
	if (ret >= 0)
		ret = usbpass_attachment_list(cli->h, &s->attachments, &s->n_attachments);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "the status");
	cli_learned_get(cli, &s->learned);
	s->daemon = usbpass_host_daemon(cli->host, &s->pid);
	s->has_saved = usbpass_host_saved(cli->host, &s->saved);
	return CLI_DONE;
}

static void print_leases(const struct status *s)
{
	char comm[64];

	for (size_t i = 0; i < s->n_attachments; i++) {
		const struct usbpass_attachment *a = &s->attachments[i];

		if (!a->pid)
			continue;
		cli_say(stdout, "  %s: device #%u, %s, open in %s (pid %u), %" PRIu64 " bytes moved",
			a->name, a->device, usbpass_words_word(USBPASS_WORDS_SLOT_STATE, a->state),
			usbpass_names_quote(a->comm, comm, sizeof(comm)), a->pid, a->bytes);
	}
}

static void print_text(const struct status *s)
{
	const struct usbpass_info *info = &s->info;

	puts(s->n_needs ? "" : "nothing needs you\n");
	cli_pair("node", "%s", info->node);
	cli_pair("devices", "%u, of them claimed %u", info->devices, info->claimed);
	cli_pair("groups", "%u", info->groups);
	cli_pair("rules", "%u", info->rules);
	cli_pair("attachments", "%u", info->attachments);
	cli_pair("leases", "%u, %" PRIu64 " bytes in flight", info->leases, info->transfer_bytes);
	print_leases(s);
	if (info->hold_ms)
		cli_pair("holding", "new devices for another %u ms", info->hold_ms);
	if (s->learned.n)
		cli_pair("learned", "%zu %s resets badly", s->learned.n,
			 s->learned.n == 1 ? "device takes" : "devices take");
	cli_pair("generation", "%" PRIu64, info->generation);
	if (s->has_saved)
		cli_pair("saved", "%" PRIu64, s->saved);
	else
		cli_pair("saved", "none");
	if (s->daemon)
		cli_pair("daemon", "running (pid %d)", s->pid);
	else
		cli_pair("daemon", "not running");
}

static void print_json(struct status *s)
{
	struct json_object *out = json_object_new_object(), *leases = json_object_new_array();
	struct json_object *learned = json_object_new_array();

	json_object_object_add(out, "needs", json_object_get(s->needs));
	json_object_object_add(out, "info", cli_json(&usbpass_codec_info, &s->info));
	for (size_t i = 0; i < s->n_attachments; i++)
		if (s->attachments[i].pid)
			json_object_array_add(leases, cli_json(&usbpass_codec_attachment,
							       &s->attachments[i]));
	json_object_object_add(out, "leases", leases);
	for (size_t i = 0; i < s->learned.n; i++)
		json_object_array_add(learned, cli_json(&usbpass_codec_learned, &s->learned.list[i]));
	json_object_object_add(out, "learned", learned);
	json_object_object_add(out, "generation", json_object_new_uint64(s->info.generation));
	json_object_object_add(out, "saved_generation", s->has_saved ?
			       json_object_new_uint64(s->saved) : NULL);
	json_object_object_add(out, "daemon", json_object_new_boolean(s->daemon));
	cli_print(out);
}

int cli_status(struct cli *cli)
{
	struct status s = { .text = !cli->json };
	int ret = cli_options(cli, NULL, 0, 0);

	if (ret)
		return ret;
	s.needs = json_object_new_array();
	ret = get(cli, &s);
	if (!ret) {
		need_maintenance(&s);
		need_confirmed(&s);
		need_devices(cli, &s);
		need_forgetting(&s);
		need_identities(&s);
		need_attachments(&s);
		need_saved(&s);
		if (cli->json)
			print_json(&s);
		else
			print_text(&s);
	}
	json_object_put(s.needs);
	usbpass_device_list_free(s.devices, s.n_devices);
	usbpass_rule_list_free(s.rules, s.n_rules);
	usbpass_attachment_list_free(s.attachments, s.n_attachments);
	cli_learned_free(&s.learned);
	return ret;
}
