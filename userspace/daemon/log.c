// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include "daemon.h"
#include "names.h"

void daemon_log(const struct daemon *daemon, int priority, const char *format, ...)
{
	char raw[1280], text[4 * sizeof(raw)];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	/* Names of processes and mount points are in it, which are other people's. */
	usbpass_names_safe(raw, text, sizeof(text));
	/* The journal reads the priority from the line's beginning. */
	if (daemon->foreground)
		fprintf(stderr, "usbpassd: %s\n", text);
	else
		fprintf(stderr, "<%d>%s\n", priority, text);
}

void daemon_status(const struct daemon *daemon, const char *format, ...)
{
	char text[1280];
	va_list args;

	if (daemon->foreground)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sd_notifyf(0, "STATUS=%s", text);
}
