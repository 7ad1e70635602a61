// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

#define RESET_MS	120000	/* several seconds for each that a hub's reset hits */

struct reset {
	bool soft, port, hub, force, dry, forget;
	uint8_t kind;
};

static int take_kind(struct cli *cli, struct reset *reset)
{
	if (reset->soft + reset->port + reset->hub > 1)
		return cli_usage(cli, "--soft, --port and --hub exclude each other");
	if (reset->forget &&
	    (reset->soft || reset->port || reset->hub || reset->force || reset->dry))
		return cli_usage(cli, "--forget resets nothing, and goes with no other option");
	reset->kind = reset->soft ? USBPASS_RESET_KIND_SOFT :
		      reset->port ? USBPASS_RESET_KIND_PORT :
		      reset->hub ? USBPASS_RESET_KIND_HUB : USBPASS_RESET_KIND_DEVICE;
	return CLI_DONE;
}

static const char *remedy_of(struct cli *cli, int error, const struct usbpass_device *device,
			     uint8_t kind)
{
	struct usbpass_info info = {};

	if (error == -ETIMEDOUT && kind == USBPASS_RESET_KIND_PORT)
		return "see: journalctl -u usbpassd";
	if (error != -EOPNOTSUPP)
		return NULL;
	if (device->flags & USBPASS_DEVICE_F_HUB)
		return "choose a device behind the hub";
	if (usbpass_info_get(cli->h, &info) < 0 || !(info.features & USBPASS_FEATURE_RESET_HUB))
		return NULL;
	if (kind < USBPASS_RESET_KIND_PORT)
		return "";
	if (kind == USBPASS_RESET_KIND_HUB)
		return "reset the device alone, or cycle its power with --port";
	if (!usbpass_host_daemon(cli->host, NULL))
		return "the daemon does it: systemctl start usbpassd";
	return "reset the device alone, or its hub with --hub";
}

/* The handle's error, whose call was about this device. */
static int fail(struct cli *cli, int error, const struct usbpass_device *device, uint8_t kind)
{
	char message[512];
	const char *remedy;

	/* Looking for the remedy asks the kernel again. */
	snprintf(message, sizeof(message), "%s", usbpass_error(cli->h));
	remedy = remedy_of(cli, error, device, kind);
	if (!remedy)
		return cli_fail(cli, error, NULL, "device #%u (%s)", device->id, device->busid);
	return cli_fail_text(cli, error, remedy, "device #%u (%s): %s", device->id, device->busid,
			     !strncmp(message, "usbpass: ", 9) ? message + 9 : message);
}

static void print_barred(struct cli *cli, const struct cli_radius *radius, const char *list)
{
	static const char remedy[] = "see all with --dry-run; --force resets these too";
	const struct usbpass_device *device = radius->device;
	struct json_object *body, *out;

	fflush(stdout);
	cli_say(stderr, "usbpass: device #%u (%s): the reset would hit what is in the way:",
		device->id, device->busid);
	/* Made printable, line by line. */
	fprintf(stderr, "%s\n", *list ? list + 1 : "");
	cli_say(stderr, "%s", remedy);
	if (!cli->json)
		return;
	out = cli_error_json(-EBUSY, json_object_new_string("devices are in the way"), &body);
	json_object_object_add(body, "remedy", json_object_new_string(remedy));
	json_object_object_add(out, "hits", cli_radius_json(cli, radius));
	cli_print(out);
}

/* @error: what the reset said. What was in the way may have gone since, or a reset be under way. */
static int refused(struct cli *cli, int error, const struct cli_devices *devices, uint8_t kind)
{
	const struct usbpass_device *device = devices->chosen[0];
	struct usbpass *h = cli->h;
	struct cli_radius radius;
	char said[512], *list;
	int ret;

	snprintf(said, sizeof(said), "%s", usbpass_error(h));
	if (error != -EBUSY)
		return fail(cli, error, device, kind);
	ret = cli_radius_get(cli, devices, kind, &radius);
	if (ret < 0 || !radius.n_barring) {
		cli_radius_free(&radius);
		return cli_fail_text(cli, error, "run it again", "device #%u (%s): %s", device->id,
				     device->busid, said);
	}
	list = cli_radius_barring(cli, &radius);
	print_barred(cli, &radius, list ? list : "");
	free(list);
	cli_radius_free(&radius);
	return CLI_REFUSED;
}

static struct json_object *reset_json(struct cli *cli, const struct cli_radius *radius, bool done)
{
	struct json_object *out = json_object_new_object(), *body = json_object_new_object();

	json_object_object_add(body, "id", json_object_new_uint64(radius->device->id));
	json_object_object_add(body, "busid", cli_json_string(radius->device->busid));
	json_object_object_add(body, "kind", json_object_new_string(
		usbpass_words_word(USBPASS_WORDS_RESET_KIND, radius->kind)));
	json_object_object_add(body, "done", json_object_new_boolean(done));
	json_object_object_add(out, "reset", body);
	json_object_object_add(out, "hits", cli_radius_json(cli, radius));
	return out;
}

static void print_done(const struct cli_radius *radius)
{
	static const char *const done[] = {
		[USBPASS_RESET_KIND_SOFT] = "its transfers and settings were reset, nothing on the wire",
		[USBPASS_RESET_KIND_DEVICE] = "reset",
		[USBPASS_RESET_KIND_PORT] = "its port was switched off and on",
		[USBPASS_RESET_KIND_HUB] = "its hub was reset",
	};
	size_t others = radius->n ? radius->n - 1 : 0;
	char also[64] = "";

	if (others)
		snprintf(also, sizeof(also), ", and with it %zu other %s", others,
			 others == 1 ? "device" : "devices");
	cli_say(stdout, "device #%u (%s): %s%s", radius->device->id, radius->device->busid,
		done[radius->kind], also);
}

static int reset_now(struct cli *cli, const struct cli_devices *devices, const struct reset *reset)
{
	const struct usbpass_device *device = devices->chosen[0];
	struct cli_radius radius;
	uint32_t job;
	int ret = cli_radius_get(cli, devices, reset->kind, &radius);

	if (ret < 0)
		return fail(cli, ret, device, reset->kind);
	/* Before the job can end. Without room for a subscriber job_wait asks instead. */
	ret = usbpass_event_subscribe(cli->h, NULL, 0);
	if (!ret || ret == -ENOSPC)
		ret = usbpass_device_reset(cli->h, device->id, reset->kind,
					   reset->force ? USBPASS_F_FORCE : 0, &job);
	if (!ret)
		ret = usbpass_job_wait(cli->h, job, RESET_MS);
	if (ret < 0)
		ret = refused(cli, ret, devices, reset->kind);
	else if (cli->json)
		ret = cli_print(reset_json(cli, &radius, true));
	else
		print_done(&radius);
	cli_radius_free(&radius);
	return ret;
}

static int show(struct cli *cli, const struct cli_devices *devices, uint8_t kind)
{
	struct cli_radius radius;
	int ret = cli_radius_get(cli, devices, kind, &radius);

	if (ret < 0)
		return fail(cli, ret, devices->chosen[0], kind);
	if (cli->json)
		cli_print(reset_json(cli, &radius, false));
	else
		cli_radius_print(cli, &radius);
	cli_radius_free(&radius);
	return CLI_DONE;
}

int cli_device_reset(struct cli *cli)
{
	struct reset reset = {};
	const struct cli_option options[] = {
		{ "soft", CLI_FLAG, &reset.soft },
		{ "port", CLI_FLAG, &reset.port },
		{ "hub", CLI_FLAG, &reset.hub },
		{ "force", CLI_FLAG, &reset.force },
		{ "dry-run", CLI_FLAG, &reset.dry },
		{ "forget", CLI_FLAG, &reset.forget },
		{},
	};
	struct cli_devices devices;
	int ret = cli_options(cli, options, 1, 1);

	if (!ret)
		ret = take_kind(cli, &reset);
	if (!ret)
		ret = cli_devices(cli, 0, &devices);
	if (ret)
		return ret;
	if (reset.forget)
		ret = cli_forget(cli, devices.chosen[0]);
	else if (reset.dry)
		ret = show(cli, &devices, reset.kind);
	else
		ret = reset_now(cli, &devices, &reset);
	cli_devices_free(&devices);
	return ret;
}
