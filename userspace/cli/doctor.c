// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include "doctor.h"

static const char *const words[] = { "ok", "warning", "fault" };

void doctor_say(struct doctor *doctor, const char *name, enum doctor_result result,
		const char *remedy, const char *format, ...)
{
	struct json_object *item = json_object_new_object();
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doctor->counts[result]++;
	json_object_object_add(item, "name", json_object_new_string(name));
	json_object_object_add(item, "result", json_object_new_string(words[result]));
	json_object_object_add(item, "text", cli_json_string(text));
	if (result != DOCTOR_OK && remedy)
		json_object_object_add(item, "remedy", cli_json_string(remedy));
	json_object_array_add(doctor->checks, item);
	if (doctor->cli->json)
		return;
	cli_say(stdout, "%-8s %s: %s", words[result], name, text);
	if (result != DOCTOR_OK && remedy)
		cli_say(stdout, "%-8s   %s", "", remedy);
}

int cli_doctor(struct cli *cli)
{
	struct doctor doctor = { .cli = cli };
	struct json_object *out;
	int ret = cli_options(cli, NULL, 0, 0);

	if (ret)
		return ret;
	doctor.checks = json_object_new_array();
	doctor_module(&doctor);
	doctor_signature(&doctor);
	doctor_files(&doctor);
	doctor_daemon(&doctor);
	if (cli->h) {
		doctor_state(&doctor);
		doctor_quarantine(&doctor);
	}
	if (cli->json) {
		out = json_object_new_object();
		json_object_object_add(out, "checks", json_object_get(doctor.checks));
		cli_print(out);
	} else {
		printf("%zu ok, %zu warnings, %zu faults\n", doctor.counts[DOCTOR_OK],
		       doctor.counts[DOCTOR_WARN], doctor.counts[DOCTOR_FAIL]);
	}
	json_object_put(doctor.checks);
	if (!cli->h)
		return CLI_NO_MODULE;
	return doctor.counts[DOCTOR_FAIL] ? CLI_REFUSED : CLI_DONE;
}
