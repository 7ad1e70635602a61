// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli.h"
#include "codec.h"
#include "rule_text.h"

static void row(struct cli_table *table, const struct usbpass_rule *rule)
{
	char id[16], priority[16], hits[32];
	char *match = usbpass_rule_text_print(rule);
	const char *cells[] = {
		id, priority, rule->name, usbpass_words_word(USBPASS_WORDS_ACTION, rule->action),
		rule->group, usbpass_words_word(USBPASS_WORDS_ORIGIN, rule->origin),
		rule->enabled ? "yes" : "no", hits, match,
	};

	snprintf(id, sizeof(id), "#%u", rule->id);
	snprintf(priority, sizeof(priority), "%d", rule->priority);
	snprintf(hits, sizeof(hits), "%" PRIu64, rule->hits);
	cli_table_row(table, cells);
	free(match);
}

int cli_rule_list(struct cli *cli)
{
	static const char *const titles[] = {
		"ID", "PRIORITY", "NAME", "ACTION", "GROUP", "ORIGIN", "ENABLED", "HITS", "MATCH",
	};
	struct cli_table table = { .titles = titles, .columns = 9 };
	struct json_object *out, *array;
	struct usbpass_rule *list;
	size_t n;
	int ret = cli_options(cli, NULL, 0, 0);

	if (ret)
		return ret;
	ret = usbpass_rule_list(cli->h, &list, &n);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "the list of rules");
	out = json_object_new_object();
	array = json_object_new_array();
	json_object_object_add(out, "rules", array);
	for (size_t i = 0; i < n; i++) {
		if (cli->json)
			json_object_array_add(array, cli_json(&usbpass_codec_rule, &list[i]));
		else
			row(&table, &list[i]);
	}
	usbpass_rule_list_free(list, n);
	if (cli->json)
		return cli_print(out);
	json_object_put(out);
	cli_table_print(&table);
	return CLI_DONE;
}

static void show(const struct usbpass_rule *rule)
{
	char *match = usbpass_rule_text_print(rule);

	cli_pair("rule", "%s (#%u)", rule->name, rule->id);
	cli_pair("match", "%s", match ? match : "");
	cli_pair("action", "%s", usbpass_words_word(USBPASS_WORDS_ACTION, rule->action));
	if (rule->group[0])
		cli_pair("group", "%s", rule->group);
	cli_pair("priority", "%d", rule->priority);
	cli_pair("origin", "%s", usbpass_words_word(USBPASS_WORDS_ORIGIN, rule->origin));
	cli_pair("enabled", "%s", rule->enabled ? "yes" : "no");
	if (rule->description && rule->description[0])
		cli_pair("description", "%s", rule->description);
	cli_pair("hits", "%" PRIu64, rule->hits);
	free(match);
}

static int print_rule(struct cli *cli, struct usbpass_rule *rule)
{
	struct json_object *out;

	if (cli->json) {
		out = json_object_new_object();
		json_object_object_add(out, "rule", cli_json(&usbpass_codec_rule, rule));
		cli_print(out);
	} else {
		show(rule);
	}
	usbpass_rule_clear(rule);
	return CLI_DONE;
}

int cli_rule_show(struct cli *cli)
{
	struct usbpass_rule rule;
	const char *name;
	uint32_t id;
	int ret = cli_options(cli, NULL, 1, 1);

	if (ret)
		return ret;
	name = cli_object(cli->args[0], &id);
	ret = usbpass_rule_get(cli->h, id, name, &rule);
	if (ret < 0)
		return cli_fail(cli, ret, ret == -ENOENT ? "see: usbpass rule list" : NULL,
				"rule '%s'", name);
	return print_rule(cli, &rule);
}
