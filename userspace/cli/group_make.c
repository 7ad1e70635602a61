// SPDX-License-Identifier: GPL-2.0
/* Make Resource: a group, a rule for each device, in one transaction; then take the devices. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ambiguous.h"
#include "cli.h"
#include "codec.h"
#include "made.h"
#include "rule_text.h"

struct made {
	struct usbpass_rule rule;	/* has 0: one was there already */
	char why[1280];
};

struct make {
	struct cli *cli;
	struct cli_devices devices;
	struct usbpass_info info;
	struct usbpass_group group;
	bool group_new, force;
	enum usbpass_made_by by;
	const char *node;		/* NULL: this one; "none": every one */
	int64_t priority;
	struct made *made;		/* one for each chosen device */
	uint64_t generation;
};

/* Another rule would win the device: a made one, younger, would never be asked. */
static int check_winner(struct make *make, const struct usbpass_device *device, struct made *made)
{
	struct usbpass_ambiguous ambiguous;
	struct usbpass_rule winner;
	int ret = usbpass_rule_test(make->cli->h, device->id, &winner);

	if (ret < 0)
		return cli_fail(make->cli, ret, NULL, "device #%u (%s)", device->id, device->busid);
	ret = CLI_DONE;
	if (winner.has && winner.action == USBPASS_ACTION_CLAIM &&
	    !strcmp(winner.group, make->group.name)) {
		usbpass_ambiguous_rule(&winner, make->devices.list, make->devices.n,
				       make->info.node, &ambiguous);
		snprintf(made->why, sizeof(made->why),
			 "rule '%s' claims it into the group already%s%s%s%s", winner.name,
			 ambiguous.n ? ", but is ambiguous: " : "", ambiguous.what,
			 ambiguous.n ? "; " : "", ambiguous.remedy);
	} else if (winner.has && winner.priority <= make->priority) {
		ret = cli_fail_text(make->cli, -EEXIST,
				    "delete that rule, or say --priority with a lower number than its",
				    "device #%u (%s): rule '%s' (priority %d) wins it already",
				    device->id, device->busid, winner.name, winner.priority);
	}
	usbpass_rule_clear(&winner);
	return ret;
}

static int check_devices(struct make *make)
{
	for (size_t i = 0; i < make->devices.n_chosen; i++) {
		const struct usbpass_device *device = make->devices.chosen[i];

		if (device->flags & USBPASS_DEVICE_F_HUB)
			return cli_fail_text(make->cli, -EINVAL, "choose the devices behind it",
					     "device #%u (%s) is a hub: hubs are never claimed",
					     device->id, device->busid);
	}
	return CLI_DONE;
}

static int stage_group(struct make *make)
{
	struct usbpass_group old;
	int ret = make->group.name[0] ?
		  usbpass_group_get(make->cli->h, 0, make->group.name, &old) : -ENOENT;

	if (ret < 0 && ret != -ENOENT)
		return cli_fail(make->cli, ret, NULL, "group '%s'", make->group.name);
	make->group_new = ret == -ENOENT;
	if (make->group_new)
		ret = usbpass_group_new(make->cli->h, &make->group);
	else if (make->group.has & ~USBPASS_HAS(USBPASS_A_GROUP_NAME))
		ret = usbpass_group_set(make->cli->h, &make->group);
	if (ret < 0)
		return cli_fail(make->cli, ret, NULL, "group '%s'", make->group.name);
	return CLI_DONE;
}

static int stage_rule(struct make *make, const struct usbpass_device *device, struct made *made)
{
	const char *node = make->node ? make->node : make->info.node;
	struct usbpass_rule *rule = &made->rule;
	int ret;

	if (!strcmp(node, "none"))
		node = NULL;
	/* In the transaction: also of the rules that were made just now. */
	ret = check_winner(make, device, made);
	if (ret || made->why[0])
		return ret;
	ret = usbpass_made_identity(device, make->devices.list, make->devices.n, make->by, node,
				    rule, made->why, sizeof(made->why));
	if (ret < 0)
		return cli_fail_text(make->cli, ret, "write a rule by hand: usbpass rule add",
				     "device #%u (%s): %s", device->id, device->busid, made->why);
	rule->action = USBPASS_ACTION_CLAIM;
	rule->origin = USBPASS_ORIGIN_MADE;
	rule->priority = make->priority;
	strcpy(rule->group, make->group.name);
	rule->has |= USBPASS_HAS(USBPASS_A_RULE_ACTION) | USBPASS_HAS(USBPASS_A_RULE_ORIGIN) |
		     USBPASS_HAS(USBPASS_A_RULE_PRIORITY) | USBPASS_HAS(USBPASS_A_RULE_GROUP);
	ret = usbpass_rule_new(make->cli->h, rule);
	if (ret < 0)
		return cli_fail(make->cli, ret, NULL, "the rule for device #%u (%s)", device->id,
				device->busid);
	return CLI_DONE;
}

static int commit(struct make *make)
{
	struct cli *cli = make->cli;
	int ret = usbpass_txn_begin(cli->h, &make->info.generation, 0);

	if (ret < 0)
		return cli_fail(cli, ret, NULL, "the transaction");
	ret = stage_group(make);
	for (size_t i = 0; !ret && i < make->devices.n_chosen; i++)
		ret = stage_rule(make, make->devices.chosen[i], &make->made[i]);
	if (!ret) {
		ret = usbpass_txn_commit(cli->h, 0, &make->generation);
		if (ret < 0)
			ret = cli_fail(cli, ret, NULL, "the transaction");
	}
	if (ret)
		usbpass_txn_abort(cli->h);
	return ret;
}

static void print_made(const struct make *make)
{
	cli_say(stdout, "group '%s' %s", make->group.name, make->group_new ? "added" : "joined");
	for (size_t i = 0; i < make->devices.n_chosen; i++) {
		const struct usbpass_device *device = make->devices.chosen[i];
		const struct made *made = &make->made[i];
		char *text;

		if (!made->rule.has) {
			cli_say(stdout, "device #%u (%s): %s", device->id, device->busid, made->why);
			continue;
		}
		text = usbpass_rule_text_print(&made->rule);
		cli_say(stdout, "rule '%s' added for device #%u (%s): %s", made->rule.name,
			device->id, device->busid, text ? text : "");
		cli_say(stdout, "    by %s", made->why);
		free(text);
	}
}

/* After the commit. Pending is no failure: the resource is made. */
static int take_devices(struct make *make, struct json_object *devices)
{
	int worst = CLI_DONE;

	for (size_t i = 0; i < make->devices.n_chosen; i++) {
		const struct usbpass_device *device = make->devices.chosen[i];
		struct cli_taking taking;
		struct json_object *item;

		cli_take(make->cli, device, make->force, &taking);
		if (taking.result == CLI_NOT_TAKEN && taking.exit > worst)
			worst = taking.exit;
		if (!make->cli->json)
			cli_taking_print(device, &taking);
		item = cli_taking_json(device, &taking);
		json_object_object_add(item, "identity", cli_json_string(make->made[i].why));
		if (make->made[i].rule.has)
			json_object_object_add(item, "rule", cli_json(&usbpass_codec_rule,
								      &make->made[i].rule));
		json_object_array_add(devices, item);
	}
	return worst;
}

static int parse(struct make *make)
{
	const char *class = NULL, *reset = NULL, *priority = NULL, *by = NULL;
	const struct cli_option options[] = {
		{ "class", CLI_VALUE, &class },
		{ "reset", CLI_VALUE, &reset },
		{ "priority", CLI_VALUE, &priority },
		{ "by", CLI_VALUE, &by },
		{ "node", CLI_VALUE, &make->node },
		{ "force", CLI_FLAG, &make->force },
		{},
	};
	struct cli *cli = make->cli;
	int ret = cli_options(cli, options, 2, 256);

	if (!ret)
		ret = cli_string(cli, "the name", cli->args[0], make->group.name,
				 sizeof(make->group.name));
	if (make->group.name[0])
		make->group.has |= USBPASS_HAS(USBPASS_A_GROUP_NAME);
	if (!ret && class) {
		ret = cli_word(cli, "class", USBPASS_WORDS_GROUP_CLASS, class, &make->group.class);
		make->group.has |= USBPASS_HAS(USBPASS_A_GROUP_CLASS);
	}
	if (!ret && reset) {
		ret = cli_word(cli, "reset", USBPASS_WORDS_RESET, reset, &make->group.reset);
		make->group.has |= USBPASS_HAS(USBPASS_A_GROUP_RESET);
	}
	if (!ret && priority)
		ret = cli_number(cli, "priority", priority, INT32_MIN, INT32_MAX, &make->priority);
	if (!ret && by) {
		int number = usbpass_made_by_number(by);

		if (number < 0)
			return cli_usage(cli, "--by %s: serial, socket or model", by);
		make->by = number;
	}
	return ret;
}

static int run(struct make *make)
{
	struct cli *cli = make->cli;
	struct json_object *out, *devices;
	int ret, worst;

	ret = usbpass_info_get(cli->h, &make->info);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "the module");
	make->made = calloc(make->devices.n_chosen, sizeof(*make->made));
	if (!make->made)
		return cli_fail_text(cli, -ENOMEM, NULL, "no memory");
	ret = check_devices(make);
	if (!ret)
		ret = commit(make);
	if (ret)
		return ret;
	if (!cli->json)
		print_made(make);
	out = json_object_new_object();
	devices = json_object_new_array();
	json_object_object_add(out, "group", cli_json(&usbpass_codec_group, &make->group));
	json_object_object_add(out, "devices", devices);
	worst = take_devices(make, devices);
	ret = cli_saved(cli, &make->generation, out);
	return ret > worst ? ret : worst;
}

int cli_group_make(struct cli *cli)
{
	struct make make = { .cli = cli };
	int ret = parse(&make);

	if (!ret)
		ret = cli_devices(cli, 1, &make.devices);
	if (ret)
		return ret;
	ret = run(&make);
	for (size_t i = 0; make.made && i < make.devices.n_chosen; i++)
		usbpass_rule_clear(&make.made[i].rule);
	free(make.made);
	cli_devices_free(&make.devices);
	return ret;
}
