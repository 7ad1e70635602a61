// SPDX-License-Identifier: GPL-2.0
/* Devices that take resets badly. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli.h"
#include "codec.h"
#include "state.h"

void cli_learned_get(struct cli *cli, struct cli_learned *out)
{
	/* A module that learns nothing knows of none. */
	if (usbpass_learned_list(cli->h, &out->list, &out->n) < 0)
		*out = (struct cli_learned){};
}

void cli_learned_free(struct cli_learned *learned)
{
	free(learned->list);
	*learned = (struct cli_learned){};
}

const char *cli_learned_of(const struct cli_learned *learned, const struct usbpass_device *device,
			   char *buf, size_t size)
{
	const struct usbpass_learned *one = NULL;
	char day[32] = "";
	struct tm tm;
	time_t until;

	if (!(device->flags & USBPASS_DEVICE_F_BAD_RESETTER))
		return NULL;
	for (size_t i = 0; i < learned->n; i++)
		if (usbpass_learned_is_of(&learned->list[i], device))
			one = &learned->list[i];
	if (one) {
		until = (time_t)one->until;
		if (localtime_r(&until, &tm))
			strftime(day, sizeof(day), " until %Y-%m-%d", &tm);
	}
	snprintf(buf, size, "takes resets badly: what its guests reset is reset softly%s", day);
	return buf;
}

void cli_unlearned(const char *path, const struct usbpass_state *state)
{
	if (state->n_learned)
		cli_say(stderr, "usbpass: %s: 'learned' is passed over: it is no configuration", path);
}

int cli_forget(struct cli *cli, const struct usbpass_device *device)
{
	const struct usbpass_learned learned = usbpass_learned_of(device);
	struct json_object *out;
	int ret = usbpass_learned_del(cli->h, &learned);

	if (ret == -ENOENT)
		return cli_fail_text(cli, ret, NULL, "device #%u (%s): nothing was learned of its resets",
				     device->id, device->busid);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "device #%u (%s)", device->id, device->busid);
	if (!cli->json)
		cli_say(stdout, "device #%u (%s): what was learned of its resets is forgotten",
			device->id, device->busid);
	fflush(stdout);
	if (!usbpass_host_daemon(cli->host, NULL))
		cli_say(stderr, "usbpass: until the daemon loads it again: none runs (systemctl start usbpassd)");
	if (!cli->json)
		return CLI_DONE;
	out = json_object_new_object();
	json_object_object_add(out, "forgotten", cli_json(&usbpass_codec_learned, &learned));
	return cli_print(out);
}
