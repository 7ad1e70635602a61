// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "cli.h"
#include "state.h"

/* Would a rule of the configuration in force claim it? */
static bool is_wanted(struct cli *cli, const struct usbpass_device *device)
{
	struct usbpass_rule rule;
	bool wanted;

	if (device->flags & USBPASS_DEVICE_F_HUB)
		return false;
	if (device->state != USBPASS_DEVICE_HOST && device->state != USBPASS_DEVICE_PENDING &&
	    device->state != USBPASS_DEVICE_HELD)
		return false;
	wanted = usbpass_rule_test(cli->h, device->id, &rule) == 0 && rule.has &&
		 rule.action == USBPASS_ACTION_CLAIM;
	usbpass_rule_clear(&rule);
	return wanted;
}

/*
 * Not the kernel's USBPASS_F_RESCAN: the kernel takes without looking whether
 * the host uses a device.
 */
static int rescan(struct cli *cli, bool force, struct json_object *array)
{
	struct cli_devices devices;
	int ret, worst = CLI_DONE;
	int n = cli->n_args;

	cli->n_args = 0;
	ret = cli_devices(cli, 0, &devices);
	cli->n_args = n;
	if (ret)
		return ret;
	for (size_t i = 0; i < devices.n; i++) {
		struct cli_taking taking;

		if (!is_wanted(cli, &devices.list[i]))
			continue;
		cli_take(cli, &devices.list[i], force, &taking);
		if (taking.result == CLI_NOT_TAKEN && taking.exit > worst)
			worst = taking.exit;
		json_object_array_add(array, cli_taking_json(&devices.list[i], &taking));
		if (!cli->json)
			cli_taking_print(&devices.list[i], &taking);
	}
	cli_devices_free(&devices);
	return worst;
}

int cli_apply(struct cli *cli)
{
	bool again = false, revoke = false, force = false, dry = false;
	const char *confirm = NULL;
	const struct cli_option options[] = {
		{ "rescan", CLI_FLAG, &again },
		{ "revoke", CLI_FLAG, &revoke },
		{ "force", CLI_FLAG, &force },
		{ "dry-run", CLI_FLAG, &dry },
		{ "confirm", CLI_VALUE, &confirm },
		{},
	};
	struct json_object *out, *array;
	struct usbpass_state state;
	uint64_t generation = 0;
	int64_t secs = 0;
	int ret = cli_options(cli, options, 1, 1), worst = CLI_DONE;
	char err[1024], said[1100];

	if (!ret && confirm)
		ret = cli_number(cli, "confirm", confirm, 1, USBPASS_CONFIRM_SECS_MAX, &secs);
	if (ret)
		return ret;
	if (force && !again)
		return cli_usage(cli, "--force goes only with --rescan");
	ret = usbpass_state_load(cli->args[0], &state, err, sizeof(err));
	if (ret < 0)
		return cli_fail_text(cli, ret, "nothing has changed", "%s", err);
	cli_unlearned(cli->args[0], &state);
	if (dry) {
		ret = cli_diff_state(cli, cli->args[0], &state);
		usbpass_state_free(&state);
		return ret;
	}
	ret = usbpass_state_trial(cli->h, &state, revoke ? USBPASS_F_REVOKE : 0, secs, &generation,
				  err, sizeof(err));
	if (ret < 0) {
		usbpass_state_free(&state);
		/* Not 3: the file was found; something that it names was not. */
		cli_fail_text(cli, ret, "nothing has changed", "%s: %s", cli->args[0],
			      cli_with_time(cli, err, said, sizeof(said)));
		return CLI_REFUSED;
	}
	if (!cli->json)
		cli_say(stdout,
			"%s is in force: %zu groups, %zu rules, %zu attachments (generation %" PRIu64 ")",
			cli->args[0], state.n_groups, state.n_rules, state.n_attachments, generation);
	out = json_object_new_object();
	array = json_object_new_array();
	json_object_object_add(out, "groups", json_object_new_uint64(state.n_groups));
	json_object_object_add(out, "rules", json_object_new_uint64(state.n_rules));
	json_object_object_add(out, "attachments", json_object_new_uint64(state.n_attachments));
	json_object_object_add(out, "devices", array);
	usbpass_state_free(&state);
	if (again)
		worst = rescan(cli, force, array);
	ret = confirm ? cli_unconfirmed(cli, generation, secs, out) :
			cli_saved(cli, &generation, out);
	return ret > worst ? ret : worst;
}

int cli_save(struct cli *cli)
{
	struct usbpass_state state;
	const char *path;
	char err[1024];
	int ret = cli_options(cli, NULL, 0, 1);

	if (ret)
		return ret;
	path = cli->n_args ? cli->args[0] : "-";
	ret = usbpass_state_read(cli->h, &state);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "the configuration");
	ret = usbpass_state_save(path, &state, err, sizeof(err));
	usbpass_state_free(&state);
	if (ret < 0)
		return cli_fail_text(cli, ret, NULL, "%s", err);
	if (cli->n_args && !cli->json)
		cli_say(stdout, "saved as %s", path);
	return CLI_DONE;
}
