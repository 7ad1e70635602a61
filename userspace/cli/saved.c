// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "cli.h"

/* What the operator must know of a change that is in force but may not last. */
static const char *not_saved(struct cli *cli, uint64_t generation)
{
	if (cli->no_wait)
		return NULL;
	switch (usbpass_host_wait_saved(cli->host, generation, CLI_SAVED_MS)) {
	case 0:
		return "";
	case -ESRCH:
		return "in force, not saved: no daemon runs (systemctl start usbpassd)";
	default:
		return "in force, not saved yet: the daemon is behind (journalctl -u usbpassd)";
	}
}

int cli_unconfirmed(struct cli *cli, uint64_t generation, int64_t secs, struct json_object *out)
{
	fflush(stdout);
	cli_say(stderr,
		"usbpass: in force for %" PRId64 " s, not saved: `usbpass confirm` keeps it, `usbpass revert` goes back now",
		secs);
	if (!cli->json) {
		json_object_put(out);
		return CLI_DONE;
	}
	json_object_object_add(out, "generation", json_object_new_uint64(generation));
	json_object_object_add(out, "saved", json_object_new_boolean(false));
	json_object_object_add(out, "confirm_secs", json_object_new_int64(secs));
	return cli_print(out);
}

int cli_saved(struct cli *cli, const uint64_t *generation, struct json_object *out)
{
	struct usbpass_info info;
	const char *fault;

	if (generation) {
		info.generation = *generation;
	} else if (usbpass_info_get(cli->h, &info) < 0) {
		json_object_put(out);
		return cli_fail(cli, usbpass_error_code(cli->h), NULL,
				"the change is in force; its generation");
	}
	fault = not_saved(cli, info.generation);
	fflush(stdout);
	if (fault && *fault)
		cli_say(stderr, "usbpass: %s", fault);
	if (!cli->json) {
		json_object_put(out);
		return CLI_DONE;
	}
	json_object_object_add(out, "generation", json_object_new_uint64(info.generation));
	/* With --no-wait nobody has looked. */
	json_object_object_add(out, "saved", fault ? json_object_new_boolean(!*fault) : NULL);
	return cli_print(out);
}
