// SPDX-License-Identifier: GPL-2.0
/* Each rule's verdict on a device, and the winner. The kernel gives them; here they are put into words. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ambiguous.h"
#include "cli.h"
#include "codec.h"
#include "rule_text.h"

struct verdicts {
	const struct usbpass_device *device;
	struct usbpass_info info;	/* of the host: its name is a field */
	struct usbpass_verdict *list;
	size_t n;
	const struct usbpass_verdict *winner;
	struct usbpass_ambiguous ambiguous;	/* the winner, where it is */
};

/* malloc(3)ed: why the rule does not win, or that it does. */
static char *words(const struct verdicts *all, const struct usbpass_verdict *verdict)
{
	struct usbpass_cond *cond = verdict->rule.conds + verdict->failed;
	struct usbpass_rule failed = { .conds = cond, .n_conds = 1 };
	char *text = NULL, *wants, *has;

	if (verdict == all->winner)
		return strdup("wins");
	if (verdict->holds)
		return strdup(verdict->rule.enabled ? "holds too" : "would hold, is disabled");
	wants = usbpass_rule_text_print(&failed);
	has = usbpass_rule_text_fact(cond->field, all->device, all->info.node);
	if (wants && has && asprintf(&text, "not %s: it is %s", wants, has) < 0)
		text = NULL;
	free(wants);
	free(has);
	return text;
}

static void print_text(const struct verdicts *all)
{
	static const char *const titles[] = { "PRIORITY", "RULE", "ACTION", "GROUP", "VERDICT" };
	struct cli_table table = { .titles = titles, .columns = 5 };

	for (size_t i = 0; i < all->n; i++) {
		const struct usbpass_rule *rule = &all->list[i].rule;
		char priority[16], *verdict = words(all, &all->list[i]);
		const char *cells[] = {
			priority, rule->name, usbpass_words_word(USBPASS_WORDS_ACTION, rule->action),
			rule->group, verdict ? verdict : "",
		};

		snprintf(priority, sizeof(priority), "%d", rule->priority);
		cli_table_row(&table, cells);
		free(verdict);
	}
	cli_table_print(&table);
	if (!all->winner)
		cli_say(stdout, "no rule matches: the host's drivers have it");
	else if (all->winner->rule.action == USBPASS_ACTION_CLAIM)
		cli_say(stdout, "rule '%s' claims it into group '%s'", all->winner->rule.name,
			all->winner->rule.group);
	else if (all->winner->rule.action == USBPASS_ACTION_QUARANTINE)
		cli_say(stdout, "rule '%s' quarantines it as it is plugged in", all->winner->rule.name);
	else
		cli_say(stdout, "rule '%s' leaves it to the host's drivers", all->winner->rule.name);
	if (all->ambiguous.n)
		cli_say(stdout, "that rule is ambiguous: %s; %s", all->ambiguous.what,
			all->ambiguous.remedy);
}

static void print_json(const struct verdicts *all)
{
	struct json_object *out = json_object_new_object(), *array = json_object_new_array();

	for (size_t i = 0; i < all->n; i++) {
		struct json_object *rule = cli_json(&usbpass_codec_rule, &all->list[i].rule);

		if (!all->list[i].holds)
			json_object_object_add(rule, "failed",
					       json_object_new_int(all->list[i].failed));
		json_object_array_add(array, rule);
	}
	json_object_object_add(out, "rule", all->winner ?
			       cli_json(&usbpass_codec_rule, &all->winner->rule) : NULL);
	json_object_object_add(out, "rules", array);
	if (all->ambiguous.n) {
		json_object_object_add(out, "ambiguous", cli_json_string(all->ambiguous.what));
		json_object_object_add(out, "remedy", cli_json_string(all->ambiguous.remedy));
	}
	cli_print(out);
}

/* @device: HAS ID alone, or what is described; @present: those that are here, or NULL. */
static int explain(struct cli *cli, const struct usbpass_device *device, struct verdicts *all,
		   const struct cli_devices *present, const char *what)
{
	int ret = usbpass_info_get(cli->h, &all->info);

	/* Torn by a change of the rules: from the beginning. */
	while (!ret) {
		ret = usbpass_rule_explain(cli->h, device, &all->list, &all->n);
		if (ret != -EINTR)
			break;
		ret = 0;
	}
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "%s", what);
	all->winner = usbpass_verdict_winner(all->list, all->n);
	if (all->winner && present)
		usbpass_ambiguous_rule(&all->winner->rule, present->list, present->n,
				       all->info.node, &all->ambiguous);
	if (cli->json)
		print_json(all);
	else
		print_text(all);
	usbpass_verdict_list_free(all->list, all->n);
	return CLI_DONE;
}

static int explain_absent(struct cli *cli, const char *text)
{
	struct usbpass_device device;
	struct verdicts all = { .device = &device };
	char err[512];
	int ret = usbpass_rule_text_describe(text, &device, err, sizeof(err));

	if (ret == -EINVAL || ret == -E2BIG)
		return cli_conditions(cli, ret, "--absent", text, err);
	if (ret < 0)
		return cli_fail_text(cli, ret, NULL, "--absent, %s", err);
	ret = explain(cli, &device, &all, NULL, "the described device");
	usbpass_device_clear(&device);
	return ret;
}

int cli_rule_test(struct cli *cli)
{
	const char *absent = NULL;
	const struct cli_option options[] = { { "absent", CLI_VALUE, &absent }, {} };
	struct usbpass_device key = { .has = USBPASS_HAS(USBPASS_A_DEVICE_ID) };
	struct cli_devices devices;
	struct verdicts all = {};
	int ret = cli_options(cli, options, 0, 1);

	if (ret)
		return ret;
	if (!absent == !cli->n_args)
		return cli_usage(cli, "which device? name one, or describe one with --absent TEXT");
	if (absent)
		return explain_absent(cli, absent);
	ret = cli_devices(cli, 0, &devices);
	if (ret)
		return ret;
	all.device = devices.chosen[0];
	key.id = all.device->id;
	ret = explain(cli, &key, &all, &devices, cli->args[0]);
	cli_devices_free(&devices);
	return ret;
}
