// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli.h"
#include "selector.h"

static bool is_chosen(const struct cli_devices *devices, const struct usbpass_device *device)
{
	for (size_t i = 0; i < devices->n_chosen; i++)
		if (devices->chosen[i] == device)
			return true;
	return false;
}

int cli_devices(struct cli *cli, int first, struct cli_devices *out)
{
	char err[4096];
	int ret;

	*out = (struct cli_devices){};
	ret = usbpass_device_list(cli->h, &out->list, &out->n);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "the list of devices");
	out->chosen = calloc(cli->n_args + 1, sizeof(*out->chosen));
	if (!out->chosen) {
		cli_devices_free(out);
		return cli_fail_text(cli, -ENOMEM, NULL, "no memory");
	}
	for (int i = first; i < cli->n_args; i++) {
		const struct usbpass_device *device;

		ret = usbpass_selector_find(cli->args[i], out->list, out->n, &device, err,
					    sizeof(err));
		if (ret < 0) {
			cli_devices_free(out);
			return cli_fail_text(cli, ret, NULL, "%s", err);
		}
		if (!is_chosen(out, device))
			out->chosen[out->n_chosen++] = device;
	}
	return CLI_DONE;
}

void cli_devices_free(struct cli_devices *devices)
{
	usbpass_device_list_free(devices->list, devices->n);
	free(devices->chosen);
	*devices = (struct cli_devices){};
}

const char *cli_node_path(const struct usbpass_attachment *attachment, char *buf, size_t size)
{
	snprintf(buf, size, "/dev/usbpass/%s/%s",
		 usbpass_has(attachment, USBPASS_A_ATTACH_OWNER) ? attachment->owner : "host",
		 attachment->slug);
	return buf;
}
