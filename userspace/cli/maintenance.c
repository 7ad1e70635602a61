// SPDX-License-Identifier: GPL-2.0
/* Nothing new while the host is worked on, and who still holds what. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "names.h"

#define CHECK_MS	1000	/* where events tell: one may have been lost */

struct view {
	bool on;
	struct usbpass_attachment *list;
	size_t n, n_open;
};

static int look(struct cli *cli, struct view *out)
{
	struct usbpass_info info;
	int ret = usbpass_info_get(cli->h, &info);

	*out = (struct view){};
	if (!ret)
		ret = usbpass_attachment_list(cli->h, &out->list, &out->n);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "maintenance");
	out->on = info.maintenance;
	for (size_t i = 0; i < out->n; i++)
		out->n_open += out->list[i].pid != 0;
	return CLI_DONE;
}

static void forget(struct view *view)
{
	usbpass_attachment_list_free(view->list, view->n);
	*view = (struct view){};
}

static const char *device_of(struct cli *cli, const struct usbpass_attachment *a, char *buf,
			     size_t size)
{
	struct usbpass_device device;

	if (!a->device) {
		snprintf(buf, size, "its device is away");
	} else if (usbpass_device_get(cli->h, a->device, &device) < 0) {
		snprintf(buf, size, "device #%u", a->device);
	} else {
		snprintf(buf, size, "device #%u (%s %04x:%04x)", device.id, device.busid,
			 device.vendor, device.product);
		usbpass_device_clear(&device);
	}
	return buf;
}

static void print_lease(struct cli *cli, const struct usbpass_attachment *a)
{
	char device[128], comm[64];

	cli_say(stdout, "  attachment '%s': %s, open in %s (pid %u, uid %u)%s%s", a->name,
		device_of(cli, a, device, sizeof(device)),
		usbpass_names_quote(a->comm, comm, sizeof(comm)), a->pid, a->opener_uid,
		a->vm[0] ? ", VM " : "", a->vm);
}

static void print_text(struct cli *cli, const struct view *view)
{
	if (!view->on) {
		puts("maintenance is off");
		return;
	}
	puts("maintenance is on: nothing new is claimed or leased; to end it: usbpass maintenance off");
	if (!view->n_open)
		puts("no lease is open");
	else
		printf("%zu lease%s open:\n", view->n_open, view->n_open == 1 ? " is" : "s are");
	for (size_t i = 0; i < view->n; i++)
		if (view->list[i].pid)
			print_lease(cli, &view->list[i]);
	fflush(stdout);		/* --wait may take its time */
}

static int print_json(const struct view *view)
{
	struct json_object *out = json_object_new_object(), *leases = json_object_new_array();

	json_object_object_add(out, "maintenance", json_object_new_boolean(view->on));
	for (size_t i = 0; i < view->n; i++)
		if (view->list[i].pid)
			json_object_array_add(leases, cli_json(&usbpass_codec_attachment,
							       &view->list[i]));
	json_object_object_add(out, "leases", leases);
	return cli_print(out);
}

/* No lease begins in maintenance: an attachment's is the one that it had. */
static bool still_open(const struct view *view, uint32_t id)
{
	for (size_t i = 0; i < view->n; i++)
		if (view->list[i].id == id && view->list[i].pid)
			return true;
	return false;
}

static void print_ended(const struct view *before, const struct view *now)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct usbpass_attachment *a = &before->list[i];

		if (a->pid && !still_open(now, a->id))
			cli_say(stdout, "attachment '%s': its lease has ended; %zu left", a->name,
				now->n_open);
	}
	fflush(stdout);
}

/* Something happened, or it is time to look. -errno: it is told. */
static int next(struct cli *cli)
{
	struct usbpass_event event;
	int ret;

	do
		ret = usbpass_event_next(cli->h, &event, CHECK_MS);
	while (!ret && event.type != USBPASS_EVENT_LEASE_CLOSED &&
	       event.type != USBPASS_EVENT_LEASE_REFUSED &&
	       event.type != USBPASS_EVENT_SLOT_STATE &&
	       event.type != USBPASS_EVENT_MAINTENANCE_OFF);
	return ret == -EAGAIN ? 0 : ret;
}

/* Until no lease is open, or another ends maintenance. */
static int wait_for_leases(struct cli *cli, struct view *view)
{
	while (view->n_open) {
		struct view now;
		int ret = next(cli);

		if (ret < 0)
			return cli_fail(cli, ret, "run it again", "events");
		ret = look(cli, &now);
		if (ret)
			return ret;
		if (!cli->json)
			print_ended(view, &now);
		forget(view);
		*view = now;
		if (!view->on)
			return cli_fail_text(cli, -ECANCELED, "see: usbpass monitor --since 0",
					     "maintenance was ended by somebody else");
	}
	return CLI_DONE;
}

static int run(struct cli *cli, const char *word, bool wait)
{
	struct view view = {};
	int ret;

	/* First, so that no end of a lease is missed. */
	if (wait) {
		ret = usbpass_event_subscribe(cli->h, NULL, 0);
		if (ret < 0)
			return cli_fail(cli, ret, ret == -ENOSPC ? "end a monitor" : NULL,
					"the subscription");
	}
	if (word) {
		ret = usbpass_maintenance_set(cli->h, !strcmp(word, "on"));
		if (ret < 0)
			return cli_fail(cli, ret, NULL, "maintenance %s", word);
	}
	ret = look(cli, &view);
	if (!ret && !cli->json)
		print_text(cli, &view);
	if (!ret && wait)
		ret = wait_for_leases(cli, &view);
	if (!ret && cli->json)
		ret = print_json(&view);
	forget(&view);
	return ret;
}

int cli_maintenance(struct cli *cli)
{
	bool wait = false;
	const struct cli_option options[] = { { "wait", CLI_FLAG, &wait }, {} };
	const char *word;
	int ret = cli_options(cli, options, 0, 1);

	if (ret)
		return ret;
	word = cli->n_args ? cli->args[0] : NULL;
	if (word && strcmp(word, "on") && strcmp(word, "off"))
		return cli_usage(cli, "'%s' is neither on nor off", word);
	if (wait && (!word || strcmp(word, "on")))
		return cli_usage(cli, "--wait goes only with on");
	return run(cli, word, wait);
}
