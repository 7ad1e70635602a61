// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

/* Not getopt_long: it takes any unique beginning of a name for the name. */
static const struct cli_option *find_option(const struct cli_option *options, const char *text)
{
	size_t len = strcspn(text, "=");

	for (; options && options->name; options++)
		if (strlen(options->name) == len && !strncmp(options->name, text, len))
			return options;
	return NULL;
}

static int take_option(struct cli *cli, const struct cli_option *options, int *i)
{
	const char *text = cli->args[*i] + 2, *equals = strchr(text, '=');
	const struct cli_option *option = find_option(options, text);

	if (!option)
		return cli_usage(cli, "unknown option '%s'", cli->args[*i]);
	if (option->type == CLI_FLAG) {
		if (equals)
			return cli_usage(cli, "--%s takes no value", option->name);
		*(bool *)option->to = true;
		return CLI_DONE;
	}
	if (!equals && *i + 1 >= cli->n_args)
		return cli_usage(cli, "--%s needs a value", option->name);
	if (*(const char **)option->to)
		return cli_usage(cli, "--%s is given twice", option->name);
	*(const char **)option->to = equals ? equals + 1 : cli->args[++*i];
	return CLI_DONE;
}

int cli_options(struct cli *cli, const struct cli_option *options, int min, int max)
{
	bool ended = false;
	int n = 0;

	for (int i = 0; i < cli->n_args; i++) {
		char *arg = cli->args[i];

		if (!ended && !strcmp(arg, "--")) {
			ended = true;
		} else if (!ended && !strncmp(arg, "--", 2)) {
			int ret = take_option(cli, options, &i);

			if (ret)
				return ret;
		} else if (!ended && arg[0] == '-' && arg[1]) {
			return cli_usage(cli, "unknown option '%s'", arg);
		} else {
			cli->args[n++] = arg;
		}
	}
	cli->n_args = n;
	if (n < min)
		return cli_usage(cli, n ? "an argument is missing after '%s'" :
				 "an argument is missing", n ? cli->args[n - 1] : "");
	if (n > max)
		return cli_usage(cli, "'%s' is one argument too many", cli->args[max]);
	return CLI_DONE;
}

int cli_word(struct cli *cli, const char *option, enum usbpass_words kind, const char *text,
	     uint8_t *out)
{
	int number = usbpass_words_number(kind, text);
	char words[256];

	if (number < 0)
		return cli_usage(cli, "--%s '%s' is none of: %s", option, text,
				 usbpass_words_list(kind, words, sizeof(words)));
	*out = number;
	return CLI_DONE;
}

int cli_string(struct cli *cli, const char *what, const char *text, char *out, size_t size)
{
	if (strlen(text) >= size)
		return cli_usage(cli, "%s has %zu bytes; at most %zu may be", what, strlen(text),
				 size - 1);
	strcpy(out, text);
	return CLI_DONE;
}

int cli_number(struct cli *cli, const char *option, const char *text, int64_t min, int64_t max,
	       int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (end == text || *end || errno || *out < min || *out > max)
		return cli_usage(cli, "--%s '%s' is not a number from %lld to %lld", option, text,
				 (long long)min, (long long)max);
	return CLI_DONE;
}

const char *cli_object(const char *text, uint32_t *id)
{
	size_t digits = text[0] == '#' ? strspn(text + 1, "0123456789") : 0;

	*id = 0;
	if (digits && digits < 10 && !text[1 + digits])
		*id = strtoul(text + 1, NULL, 10);
	return text;
}
