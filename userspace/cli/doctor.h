/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of doctor only. */
#ifndef _USBPASS_DOCTOR_H
#define _USBPASS_DOCTOR_H

#include "cli.h"

enum doctor_result {
	DOCTOR_OK,
	DOCTOR_WARN,		/* works, but not as it should */
	DOCTOR_FAIL,
};

struct doctor {
	struct cli *cli;
	struct json_object *checks;
	size_t counts[3];
};

void doctor_say(struct doctor *doctor, const char *name, enum doctor_result result,
		const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* doctor_host.c: what should be installed; each says one line or more. */
void doctor_module(struct doctor *doctor);
void doctor_signature(struct doctor *doctor);
void doctor_files(struct doctor *doctor);
void doctor_daemon(struct doctor *doctor);

/* doctor_state.c: what the module says; cli->h is open. */
void doctor_state(struct doctor *doctor);

/* doctor_quarantine.c: rules that may lock the operator out, and the ways out; cli->h is open. */
void doctor_quarantine(struct doctor *doctor);

#endif /* _USBPASS_DOCTOR_H */
