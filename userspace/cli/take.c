// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "inuse.h"

static bool has_already(const struct usbpass_device *device)
{
	return device->state == USBPASS_DEVICE_IDLE || device->state == USBPASS_DEVICE_ONLINE ||
	       device->state == USBPASS_DEVICE_CLEANING;
}

/* On stderr only: in JSON the device's own entry tells it. */
static void refused(struct cli *cli, const struct usbpass_device *device, int error,
		    struct cli_taking *out)
{
	const char *remedy = NULL;
	bool json = cli->json;

	out->result = CLI_NOT_TAKEN;
	snprintf(out->reason, sizeof(out->reason), "%s", usbpass_error(cli->h));
	if (error == -ENOENT)
		remedy = "make a resource of it: usbpass group make NAME DEVICE";
	else if (error == -EOPNOTSUPP)
		remedy = "choose the devices behind the hub";
	cli->json = false;
	out->exit = cli_fail(cli, error, remedy, "device #%u (%s)", device->id, device->busid);
	cli->json = json;
	if (error == -ENOENT)
		out->exit = CLI_REFUSED;	/* the device is there; the rule is not */
}

static void mark_pending(struct cli *cli, const struct usbpass_device *device,
			 const struct usbpass_inuse *inuse, struct cli_taking *out)
{
	int ret = usbpass_device_claim(cli->h, device->id, inuse->what, USBPASS_F_PENDING,
				       CLI_JOB_MS);

	if (ret < 0) {
		refused(cli, device, ret, out);
		return;
	}
	out->result = CLI_PENDING;
	out->exit = CLI_REFUSED;
	snprintf(out->reason, sizeof(out->reason), "%s", inuse->what);
	snprintf(out->remedy, sizeof(out->remedy), "%s", inuse->remedy);
}

static void unknown(const struct usbpass_device *device, int error, struct cli_taking *out)
{
	out->result = CLI_NOT_TAKEN;
	out->exit = CLI_REFUSED;
	snprintf(out->reason, sizeof(out->reason), "cannot tell whether the host uses it: %s",
		 strerror(-error));
	snprintf(out->remedy, sizeof(out->remedy), "run it as root, or with --force");
	cli_say(stderr, "usbpass: device #%u (%s): %s; %s", device->id, device->busid, out->reason,
		out->remedy);
}

void cli_take(struct cli *cli, const struct usbpass_device *device, bool force,
	      struct cli_taking *out)
{
	struct usbpass_inuse inuse;
	int ret;

	*out = (struct cli_taking){ .result = CLI_TAKEN };
	if (has_already(device))
		return;
	if (!force) {
		ret = usbpass_inuse_find(cli->host, device->busid, &inuse);
		if (ret == 1) {
			mark_pending(cli, device, &inuse, out);
			return;
		}
		/* Not knowing is no licence to take it. */
		if (ret < 0 && ret != -ENODEV) {
			unknown(device, ret, out);
			return;
		}
	}
	ret = usbpass_device_claim(cli->h, device->id, NULL, 0, CLI_JOB_MS);
	if (ret < 0)
		refused(cli, device, ret, out);
}

static const char *const results[] = { "taken", "pending", "refused" };

struct json_object *cli_taking_json(const struct usbpass_device *device,
				    const struct cli_taking *taking)
{
	struct json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_uint64(device->id));
	json_object_object_add(out, "busid", cli_json_string(device->busid));
	json_object_object_add(out, "result", json_object_new_string(results[taking->result]));
	if (taking->reason[0])
		json_object_object_add(out, "reason", cli_json_string(taking->reason));
	if (taking->remedy[0])
		json_object_object_add(out, "remedy", cli_json_string(taking->remedy));
	return out;
}

void cli_taking_print(const struct usbpass_device *device, const struct cli_taking *taking)
{
	if (taking->result == CLI_TAKEN)
		cli_say(stdout, "device #%u (%s): taken", device->id, device->busid);
	else if (taking->result == CLI_PENDING)
		cli_say(stdout, "device #%u (%s): pending: %s; %s", device->id, device->busid,
			taking->reason, taking->remedy);
}
