// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include "cli.h"

static const struct {
	uint64_t bit;
	const char *word;
} features[] = {
	{ USBPASS_FEATURE_RULES_EQ, "rules-eq" },
	{ USBPASS_FEATURE_RESET_DEVICE, "reset-device" },
	{ USBPASS_FEATURE_RULES_TEXT, "rules-text" },
	{ USBPASS_FEATURE_QUARANTINE, "quarantine" },
	{ USBPASS_FEATURE_RESET_HUB, "reset-hub" },
};

int cli_version(struct cli *cli)
{
	struct json_object *out, *array;
	struct usbpass_info info = {};
	int ret = cli_options(cli, NULL, 0, 0);
	bool module;

	if (ret)
		return ret;
	module = cli->h && usbpass_info_get(cli->h, &info) == 0;
	if (cli->json) {
		out = json_object_new_object();
		array = json_object_new_array();
		for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
			if (info.features & features[i].bit)
				json_object_array_add(array,
						      json_object_new_string(features[i].word));
		json_object_object_add(out, "helper", json_object_new_string(USBPASS_VERSION));
		json_object_object_add(out, "module", module ?
				       json_object_new_string(info.version) : NULL);
		json_object_object_add(out, "features", array);
		return cli_print(out);
	}
	printf("usbpass %s\n", USBPASS_VERSION);
	if (!module) {
		puts(cli->h ? "module: loaded; root may ask for its version" : "module: not loaded");
		return CLI_DONE;
	}
	printf("module %s:", info.version);
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (info.features & features[i].bit)
			printf(" %s", features[i].word);
	putchar('\n');
	return CLI_DONE;
}
