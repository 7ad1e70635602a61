// SPDX-License-Identifier: GPL-2.0
/* What becomes of a configuration that was applied with --confirm. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "cli.h"

/* @end: usbpass_txn_confirm() or usbpass_txn_revert(); @said: of the generation that is in force. */
static int end_trial(struct cli *cli, int (*end)(struct usbpass *h, uint64_t *generation),
		     const char *said)
{
	uint64_t generation = 0;
	int ret = cli_options(cli, NULL, 0, 0);

	if (ret)
		return ret;
	ret = end(cli->h, &generation);
	if (ret < 0)
		return cli_fail(cli, ret, ret == -ENOENT ?
				"it was confirmed, or its time was over (usbpass monitor --since 0)" :
				NULL, "%s", "");
	if (!cli->json)
		cli_say(stdout, "%s (generation %" PRIu64 ")", said, generation);
	return cli_saved(cli, &generation, json_object_new_object());
}

int cli_confirm(struct cli *cli)
{
	return end_trial(cli, usbpass_txn_confirm, "the configuration in force stays");
}

int cli_revert(struct cli *cli)
{
	return end_trial(cli, usbpass_txn_revert, "what was in force before is in force again");
}
