// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "host.h"

const struct usbpass_host usbpass_host_here = {
	.sys = "/sys", .proc = "/proc", .dev = "/dev", .run = "/run",
};

bool usbpass_host_line(char *buf, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	FILE *file;
	bool ok;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	file = fopen(path, "re");
	if (!file)
		return false;
	ok = fgets(buf, size, file) != NULL;
	fclose(file);
	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

bool usbpass_host_link(char *buf, size_t size, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	va_list args;
	ssize_t len;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	base = strrchr(target, '/');
	return (size_t)snprintf(buf, size, "%s", base ? base + 1 : target) < size;
}

static bool listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ','))
			return true;
	return false;
}

const char *usbpass_host_drivers(const struct usbpass_host *host, const char *busid, char *buf,
				 size_t size)
{
	char path[PATH_MAX], driver[64];
	size_t len = strlen(busid), used = 0;
	struct dirent *entry;
	DIR *dir;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "%s/bus/usb/devices/%s", host->sys, busid);
	dir = opendir(path);
	if (!dir)
		return buf;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, busid, len) || entry->d_name[len] != ':')
			continue;
		if (!usbpass_host_link(driver, sizeof(driver), "%s/%s/driver", path, entry->d_name))
			continue;
		if (!listed(buf, driver) && used < size)
			used += snprintf(buf + used, size - used, "%s%s", used ? ", " : "", driver);
	}
	closedir(dir);
	/* The device's own driver is "usb" for all that the host has: no news. */
	if (!used && usbpass_host_link(driver, sizeof(driver), "%s/driver", path) &&
	    strcmp(driver, "usb"))
		snprintf(buf, size, "%s", driver);
	return buf;
}
