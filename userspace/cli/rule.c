// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "rule_text.h"

struct options {
	const char *name, *group, *action, *match, *priority, *description;
	bool enable, disable;
};

#define SET(to, attr) ((to)->has |= USBPASS_HAS(attr))

#define OPTIONS(o)						\
	{ "group", CLI_VALUE, &(o).group },			\
	{ "action", CLI_VALUE, &(o).action },			\
	{ "match", CLI_VALUE, &(o).match },			\
	{ "priority", CLI_VALUE, &(o).priority },		\
	{ "description", CLI_VALUE, &(o).description },		\
	{ "enable", CLI_FLAG, &(o).enable },			\
	{ "disable", CLI_FLAG, &(o).disable }

static int take_match(struct cli *cli, const char *text, struct usbpass_rule *to)
{
	char err[512];
	int ret = usbpass_rule_text_parse(text, to, err, sizeof(err));

	if (ret == -EINVAL || ret == -E2BIG)
		return cli_conditions(cli, ret, "the conditions", text, err);
	if (ret < 0)
		return cli_fail_text(cli, ret, NULL, "the conditions, %s", err);
	for (size_t i = 0; i < to->n_conds; i++)
		if (usbpass_rule_text_volatile(to->conds[i].field))
			cli_say(stderr,
				"usbpass: warning: '%s' changes at replug or reboot; `socket` does not",
				usbpass_words_word(USBPASS_WORDS_FIELD, to->conds[i].field));
	return CLI_DONE;
}

static int take_options(struct cli *cli, const struct options *from, struct usbpass_rule *to)
{
	int ret = CLI_DONE;
	int64_t number;

	if (from->enable && from->disable)
		return cli_usage(cli, "--enable and --disable exclude each other");
	if (from->enable || from->disable) {
		to->enabled = from->enable;
		SET(to, USBPASS_A_RULE_ENABLED);
	}
	if (from->name) {
		ret = cli_string(cli, "the name", from->name, to->name, sizeof(to->name));
		SET(to, USBPASS_A_RULE_NAME);
	}
	if (!ret && from->group) {
		ret = cli_string(cli, "the group", from->group, to->group, sizeof(to->group));
		SET(to, USBPASS_A_RULE_GROUP);
	}
	if (!ret && from->action) {
		ret = cli_word(cli, "action", USBPASS_WORDS_ACTION, from->action, &to->action);
		SET(to, USBPASS_A_RULE_ACTION);
	}
	if (!ret && from->priority) {
		ret = cli_number(cli, "priority", from->priority, INT32_MIN, INT32_MAX, &number);
		to->priority = number;
		SET(to, USBPASS_A_RULE_PRIORITY);
	}
	if (!ret && from->description) {
		if (strlen(from->description) > USBPASS_DESCRIPTION_MAX)
			return cli_usage(cli, "the description has more than %d bytes",
					 USBPASS_DESCRIPTION_MAX);
		to->description = strdup(from->description);
		SET(to, USBPASS_A_RULE_DESCRIPTION);
	}
	if (!ret && from->match)
		ret = take_match(cli, from->match, to);
	return ret;
}

static struct json_object *rule_json(const struct usbpass_rule *rule)
{
	struct json_object *out = json_object_new_object();

	json_object_object_add(out, "rule", cli_json(&usbpass_codec_rule, rule));
	return out;
}

static int add(struct cli *cli, const struct options *o, struct usbpass_rule *rule)
{
	int ret = take_options(cli, o, rule);

	if (ret)
		return ret;
	if (!o->match)
		return cli_usage(cli, "a rule needs conditions behind its name, or --match; one for every device says: any");
	if (!o->action) {
		rule->action = USBPASS_ACTION_CLAIM;
		SET(rule, USBPASS_A_RULE_ACTION);
	}
	if (rule->action == USBPASS_ACTION_CLAIM && !o->group)
		return cli_usage(cli, "a rule that claims needs --group (or say --action ignore or quarantine)");
	if (rule->action != USBPASS_ACTION_CLAIM && o->group)
		return cli_usage(cli, "--group goes only with --action claim");
	ret = usbpass_rule_new(cli->h, rule);
	if (ret == -ENOENT)
		return cli_fail(cli, ret, "add it: usbpass group add", "rule '%s', group '%s'",
				rule->name, rule->group);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "rule '%s'", rule->name);
	if (!cli->json)
		cli_say(stdout, "rule '%s' added (#%u)", rule->name, rule->id);
	return cli_saved(cli, NULL, rule_json(rule));
}

int cli_rule_add(struct cli *cli)
{
	struct options o = {};
	const struct cli_option options[] = { OPTIONS(o), {} };
	struct usbpass_rule rule = {};
	int ret = cli_options(cli, options, 0, 2);

	if (ret)
		return ret;
	if (cli->n_args == 2 && o.match)
		return cli_usage(cli, "the conditions are there twice: behind the name and behind --match");
	o.name = cli->n_args ? cli->args[0] : NULL;
	if (cli->n_args == 2)
		o.match = cli->args[1];
	ret = add(cli, &o, &rule);
	usbpass_rule_clear(&rule);
	return ret;
}

/* The id and name of the rule that the first argument names, or the exit code. */
static int get(struct cli *cli, uint32_t *id, char *name)
{
	const char *text = cli_object(cli->args[0], id);
	struct usbpass_rule rule;
	int ret = usbpass_rule_get(cli->h, *id, text, &rule);

	if (ret < 0)
		return cli_fail(cli, ret, ret == -ENOENT ? "see: usbpass rule list" : NULL,
				"rule '%s'", text);
	*id = rule.id;
	strcpy(name, rule.name);
	usbpass_rule_clear(&rule);
	return CLI_DONE;
}

static int set(struct cli *cli, const struct options *o, struct usbpass_rule *rule)
{
	char name[USBPASS_NAME_MAX + 1];
	int ret = take_options(cli, o, rule);

	if (ret)
		return ret;
	if (!rule->has)
		return cli_usage(cli, "nothing to change is given");
	ret = get(cli, &rule->id, name);
	if (ret)
		return ret;
	SET(rule, USBPASS_A_RULE_ID);
	ret = usbpass_rule_set(cli->h, rule);
	if (ret == -ENOENT)
		return cli_fail(cli, ret, "add it: usbpass group add", "rule '%s', group '%s'", name,
				rule->group);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "rule '%s'", name);
	if (!cli->json)
		cli_say(stdout, "rule '%s' changed", o->name ? o->name : name);
	return cli_saved(cli, NULL, rule_json(rule));
}

int cli_rule_set(struct cli *cli)
{
	struct options o = {};
	const struct cli_option options[] = { OPTIONS(o), { "name", CLI_VALUE, &o.name }, {} };
	struct usbpass_rule rule = {};
	int ret = cli_options(cli, options, 1, 1);

	if (ret)
		return ret;
	ret = set(cli, &o, &rule);
	usbpass_rule_clear(&rule);
	return ret;
}

int cli_rule_del(struct cli *cli)
{
	char name[USBPASS_NAME_MAX + 1];
	struct json_object *out;
	uint32_t id;
	int ret = cli_options(cli, NULL, 1, 1);

	if (!ret)
		ret = get(cli, &id, name);
	if (ret)
		return ret;
	ret = usbpass_rule_del(cli->h, id, NULL);
	if (ret < 0)
		return cli_fail(cli, ret, NULL, "rule '%s'", name);
	if (!cli->json)
		cli_say(stdout, "rule '%s' deleted", name);
	out = json_object_new_object();
	json_object_object_add(out, "deleted", json_object_new_uint64(id));
	return cli_saved(cli, NULL, out);
}
