// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

#define GROUP_OPTIONS	"[--class C] [--reset none|device|hub] [--enable|--disable] [--description T]"
#define RULE_OPTIONS	"[--group G | --action ignore|quarantine] [--priority N] [--enable|--disable] [--description T]"
#define ATTACH_OPTIONS	"[--vm VM] [--device DEVICE] [--reset none|device|hub] [--follow identity|socket] [--optional] [--uid USER] [--gid GROUP] [--slug S] [--enable|--disable] [--description T]"

const struct cli_command cli_commands[] = {
	{ "device", "list", cli_device_list, true, "", "every USB device of this host" },
	{ "device", "show", cli_device_show, true, "DEVICE...", "all that is known of a device" },
	{ "device", "claim", cli_device_claim, true, "DEVICE... [--force]",
	  "take a present device that a rule claims" },
	{ "device", "release", cli_device_release, true, "DEVICE... [--revoke]",
	  "give a device to the host's drivers" },
	{ "device", "reset", cli_device_reset, true,
	  "DEVICE [--soft|--port|--hub] [--force] [--dry-run] | DEVICE --forget",
	  "reset a device, cycle its port's power or reset its hub; --dry-run: what that would hit" },
	{ "group", "make", cli_group_make, true,
	  "NAME DEVICE... [--class C] [--reset none|device|hub] [--priority N] [--by serial|socket|model] [--node NODE|none] [--force]",
	  "make a resource: a group, a rule for each device, and take them" },
	{ "group", "add", cli_group_add, true, "[NAME] " GROUP_OPTIONS, "add an empty group" },
	{ "group", "set", cli_group_set, true, "NAME [--name NEW] " GROUP_OPTIONS, "change a group" },
	{ "group", "del", cli_group_del, true, "NAME", "delete a group that nothing names" },
	{ "group", "list", cli_group_list, true, "", "all groups" },
	{ "group", "show", cli_group_show, true, "NAME", "a group, its rules, devices and attachments" },
	{ "rule", "add", cli_rule_add, true, "[NAME [TEXT]] [--match TEXT] " RULE_OPTIONS, "add a rule" },
	{ "rule", "set", cli_rule_set, true, "NAME [--name NEW] [--match TEXT] " RULE_OPTIONS,
	  "change a rule" },
	{ "rule", "del", cli_rule_del, true, "NAME", "delete a rule" },
	{ "rule", "list", cli_rule_list, true, "", "all rules in match order" },
	{ "rule", "show", cli_rule_show, true, "NAME", "one rule" },
	{ "rule", "test", cli_rule_test, true, "DEVICE | --absent TEXT",
	  "what each rule says of a device, present or described, and which wins it" },
	{ "attach", "add", cli_attach_add, true, "[NAME] --group G " ATTACH_OPTIONS,
	  "add an attachment; prints the path for the hypervisor" },
	{ "attach", "set", cli_attach_set, true,
	  "NAME [--name NEW] [--group G] " ATTACH_OPTIONS " [--no-optional] [--revoke]",
	  "change an attachment" },
	{ "attach", "del", cli_attach_del, true, "NAME [--revoke]", "delete an attachment" },
	{ "attach", "list", cli_attach_list, true, "", "all attachments" },
	{ "attach", "show", cli_attach_show, true, "NAME", "one attachment" },
	{ "apply", NULL, cli_apply, true, "FILE [--rescan [--force]] [--revoke] [--confirm SECS | --dry-run]",
	  "make a file the whole configuration" },
	{ "confirm", NULL, cli_confirm, true, "", "keep what was applied with --confirm" },
	{ "revert", NULL, cli_revert, true, "", "go back from it now" },
	{ "diff", NULL, cli_diff, true, "FILE", "what an apply of the file would change" },
	{ "save", NULL, cli_save, true, "[FILE]", "write the configuration in force" },
	{ "import", NULL, cli_import, false,
	  "usbguard|usbredir|xenserver|libvirt FILE [--group G] [--prefix P] [--default allow|deny] [--exact] [--loose] [--strict]",
	  "turn another system's rules into a configuration; changes nothing" },
	{ "maintenance", NULL, cli_maintenance, true, "[on [--wait] | off]",
	  "claim and lease nothing new; who still holds what" },
	{ "status", NULL, cli_status, true, "", "what needs you, then totals" },
	{ "monitor", NULL, cli_monitor, true, "[--since SEQ]", "print events as they come" },
	{ "doctor", NULL, cli_doctor, false, "", "look for what is missing on this host" },
	{ "version", NULL, cli_version, false, "", "versions of helper and module" },
	{},
};

static void print_command(FILE *to, const struct cli_command *command)
{
	fprintf(to, "  usbpass %s%s%s%s%s\n        %s\n", command->object, command->verb ? " " : "",
		command->verb ? command->verb : "", *command->arguments ? " " : "",
		command->arguments, command->help);
}

/* @object NULL: all. */
static void print_usage(FILE *to, const char *object)
{
	fputs("usage: usbpass [-j|--json] [--no-wait] OBJECT VERB ...\n\n", to);
	for (const struct cli_command *command = cli_commands; command->object; command++)
		if (!object || !strcmp(object, command->object))
			print_command(to, command);
	if (!object || !strcmp(object, "group") || !strcmp(object, "attach"))
		fputs("\n--reset is what a guest's reset does. none, neither box: nothing on the wire;\n"
		      "device, \"Allow Guest Reset\": a reset of its port; hub, \"Allow Guest Resets All\":\n"
		      "a step more each time it does not help, up to its hub.\n", to);
	if (object)
		return;
	fputs("\nDEVICE is an id (#12), a bus id (1-4.2), a socket (0000:00:14.0/4.2),\n"
	      "vendor:product or a serial. NAME is a name or #ID. See usbpass(8).\n"
	      "Exit: 0 done, 1 refused, 2 usage, 3 not found, 4 no module or daemon.\n", to);
}

int cli_usage(struct cli *cli, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cli_say(stderr, "usbpass: %s", text);
	fputs("usage:\n", stderr);
	print_command(stderr, cli->command);
	return CLI_USAGE;
}

static bool known_object(const char *object)
{
	for (const struct cli_command *command = cli_commands; command->object; command++)
		if (!strcmp(command->object, object))
			return true;
	return false;
}

static const struct cli_command *find_command(const char *object, const char *verb)
{
	for (const struct cli_command *command = cli_commands; command->object; command++)
		if (!strcmp(command->object, object) &&
		    (!command->verb || (verb && !strcmp(command->verb, verb))))
			return command;
	return NULL;
}

static int wrong_command(const char *object, const char *verb)
{
	if (!object) {
		print_usage(stderr, NULL);
		return CLI_USAGE;
	}
	if (!known_object(object)) {
		cli_say(stderr, "usbpass: there is no '%s'; see: usbpass --help", object);
		return CLI_USAGE;
	}
	if (verb && (!strcmp(verb, "--help") || !strcmp(verb, "help"))) {
		print_usage(stdout, object);
		return CLI_DONE;
	}
	if (verb)
		cli_say(stderr, "usbpass: %s has no verb '%s'", object, verb);
	else
		fprintf(stderr, "usbpass: %s needs a verb\n", object);
	print_usage(stderr, object);
	return CLI_USAGE;
}

/* Takes out what may stand anywhere; after "--" nothing is looked at. */
static int take_globals(struct cli *cli, int argc, char **argv)
{
	int n = 0;
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		if (!ended && (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json")))
			cli->json = true;
		else if (!ended && !strcmp(argv[i], "--no-wait"))
			cli->no_wait = true;
		else
			argv[n++] = argv[i];
		ended = ended || !strcmp(argv[i], "--");
	}
	argv[n] = NULL;
	return n;
}

static int open_module(struct cli *cli)
{
	int ret = usbpass_open(&cli->h);

	if (!ret || !cli->command->module)
		return CLI_DONE;
	if (ret == -ENOTCONN)
		return cli_fail_text(cli, ret,
				     "load it (modprobe usbpass); `usbpass doctor` looks for the cause",
				     "the kernel module usbpass is not loaded");
	return cli_fail_text(cli, ret, NULL, "cannot reach the kernel: %s", strerror(-ret));
}

int main(int argc, char **argv)
{
	struct cli cli = { .host = &usbpass_host_here };
	const char *object, *verb;
	int n, ret;

	setlocale(LC_ALL, "");
	n = take_globals(&cli, argc, argv);
	object = n > 0 ? argv[0] : NULL;
	verb = n > 1 ? argv[1] : NULL;
	if (object && (!strcmp(object, "--help") || !strcmp(object, "-h") || !strcmp(object, "help"))) {
		print_usage(stdout, verb && known_object(verb) ? verb : NULL);
		return CLI_DONE;
	}
	if (object && !strcmp(object, "--version"))
		object = "version";
	cli.command = object ? find_command(object, verb) : NULL;
	if (!cli.command)
		return wrong_command(object, verb);
	cli.args = argv + (cli.command->verb ? 2 : 1);
	cli.n_args = n - (cli.command->verb ? 2 : 1);
	for (int i = 0; i < cli.n_args; i++) {
		if (!strcmp(cli.args[i], "--help")) {
			print_command(stdout, cli.command);
			return CLI_DONE;
		}
	}
	ret = open_module(&cli);
	if (ret == CLI_DONE)
		ret = cli.command->fn(&cli);
	usbpass_close(cli.h);
	if (fflush(stdout) == EOF && ret == CLI_DONE) {
		fprintf(stderr, "usbpass: cannot write: %s\n", strerror(errno));
		ret = CLI_REFUSED;
	}
	return ret;
}
