// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include "cli.h"

int cli_device_claim(struct cli *cli)
{
	bool force = false;
	const struct cli_option options[] = { { "force", CLI_FLAG, &force }, {} };
	struct json_object *array = json_object_new_array(), *out;
	struct cli_devices devices;
	int ret = cli_options(cli, options, 1, 256), worst = CLI_DONE;

	if (!ret)
		ret = cli_devices(cli, 0, &devices);
	if (ret) {
		json_object_put(array);
		return ret;
	}
	for (size_t i = 0; i < devices.n_chosen; i++) {
		struct cli_taking taking;

		cli_take(cli, devices.chosen[i], force, &taking);
		if (taking.exit > worst)
			worst = taking.exit;
		json_object_array_add(array, cli_taking_json(devices.chosen[i], &taking));
		if (!cli->json)
			cli_taking_print(devices.chosen[i], &taking);
	}
	if (cli->json) {
		out = json_object_new_object();
		json_object_object_add(out, "devices", array);
		cli_print(out);
	} else {
		json_object_put(array);
	}
	cli_devices_free(&devices);
	return worst;
}

/* Like a claim's: an entry for each device, refusals on stderr too. */
static int release(struct cli *cli, const struct usbpass_device *device, uint32_t flags,
		   struct json_object *array)
{
	struct json_object *item = json_object_new_object();
	int ret = usbpass_device_release(cli->h, device->id, flags, CLI_JOB_MS);
	bool json = cli->json;

	json_object_object_add(item, "id", json_object_new_uint64(device->id));
	json_object_object_add(item, "busid", cli_json_string(device->busid));
	json_object_object_add(item, "result", json_object_new_string(ret < 0 ? "refused" :
								       "released"));
	json_object_array_add(array, item);
	if (ret < 0) {
		json_object_object_add(item, "reason", cli_json_string(usbpass_error(cli->h)));
		cli->json = false;
		ret = cli_fail(cli, ret, NULL, "device #%u (%s)", device->id, device->busid);
		cli->json = json;
		return ret;
	}
	if (!cli->json)
		cli_say(stdout, "device #%u (%s): released to the host's drivers until claimed or replugged",
			device->id, device->busid);
	return CLI_DONE;
}

int cli_device_release(struct cli *cli)
{
	bool revoke = false;
	const struct cli_option options[] = { { "revoke", CLI_FLAG, &revoke }, {} };
	struct json_object *array, *out;
	struct cli_devices devices;
	int ret = cli_options(cli, options, 1, 256), worst = CLI_DONE;

	if (!ret)
		ret = cli_devices(cli, 0, &devices);
	if (ret)
		return ret;
	array = json_object_new_array();
	for (size_t i = 0; i < devices.n_chosen; i++) {
		ret = release(cli, devices.chosen[i], revoke ? USBPASS_F_REVOKE : 0, array);
		if (ret > worst)
			worst = ret;
	}
	if (cli->json) {
		out = json_object_new_object();
		json_object_object_add(out, "devices", array);
		cli_print(out);
	} else {
		json_object_put(array);
	}
	cli_devices_free(&devices);
	return worst;
}
