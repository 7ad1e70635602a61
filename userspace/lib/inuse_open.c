// SPDX-License-Identifier: GPL-2.0
/* Device nodes that a process has open, and the seat's only keyboard. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "inuse_private.h"

static const struct inuse_node *find_node(const struct inuse_nodes *nodes, const char *fd_path)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t len;
	bool block;

	if (stat(fd_path, &st) == 0) {
		block = S_ISBLK(st.st_mode);
		if (!block && !S_ISCHR(st.st_mode))
			return NULL;
		for (size_t i = 0; i < nodes->n; i++)
			if (block == !strcmp(nodes->list[i].subsystem, "block") &&
			    nodes->list[i].major &&
			    makedev(nodes->list[i].major, nodes->list[i].minor) == st.st_rdev)
				return &nodes->list[i];
		return NULL;
	}
	/* The link cannot be followed: go by its text. */
	len = readlink(fd_path, target, sizeof(target) - 1);
	if (len < 0)
		return NULL;
	target[len] = '\0';
	for (size_t i = 0; i < nodes->n; i++)
		if (nodes->list[i].devname[0] && !strncmp(target, "/dev/", 5) &&
		    !strcmp(target + 5, nodes->list[i].devname))
			return &nodes->list[i];
	return NULL;
}

/* Only root can be udev or logind; a user's process cannot hide behind their names. */
static bool by_system(const struct usbpass_host *host, const char *pid, const char *comm)
{
	static const char *const names[] = {
		"systemd-logind", "elogind", "elogind-daemon", "systemd-udevd", "(udev-worker)",
		"udevd",
	};
	char path[PATH_MAX], line[128];
	unsigned int uid = 1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/status", host->proc, pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Uid: %u", &uid) == 1)
			break;
	fclose(file);
	if (uid)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(comm, names[i]))
			return true;
	return false;
}

static int scan_process(const struct usbpass_host *host, const char *pid,
			const struct inuse_nodes *nodes, struct usbpass_inuse *out)
{
	char path[PATH_MAX], comm[32] = "?", action[96];
	struct dirent *entry;
	DIR *dir;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/%s/fd", host->proc, pid);
	dir = opendir(path);
	if (!dir)
		return 0;	/* it has ended, or is not ours to see */
	while (!ret && (entry = readdir(dir))) {
		const struct inuse_node *node;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/fd/%s", host->proc, pid, entry->d_name);
		node = find_node(nodes, path);
		if (!node)
			continue;
		usbpass_host_line(comm, sizeof(comm), "%s/%s/comm", host->proc, pid);
		if (by_system(host, pid, comm))
			break;
		out->pid = atoi(pid);
		snprintf(out->comm, sizeof(out->comm), "%s", comm);
		snprintf(action, sizeof(action), "end process %s", pid);
		ret = usbpass_inuse_say(out, USBPASS_INUSE_OPEN, node->name, action,
					"/dev/%s is open in %s (pid %s)", node->devname, comm, pid);
	}
	closedir(dir);
	return ret;
}

int usbpass_inuse_open(const struct usbpass_host *host, const struct inuse_nodes *nodes,
		       struct usbpass_inuse *out)
{
	struct dirent *entry;
	DIR *dir = opendir(host->proc);
	int ret = 0;

	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid())
			ret = scan_process(host, entry->d_name, nodes, out);
	closedir(dir);
	return ret;
}

/* Keys 1 (escape) to 31 (S), as udev tells a keyboard from a power button. */
static bool is_keyboard(const char *input)
{
	char keys[1024], *last;

	if (!usbpass_host_line(keys, sizeof(keys), "%s/capabilities/key", input))
		return false;
	last = strrchr(keys, ' ');
	return (strtoull(last ? last + 1 : keys, NULL, 16) & 0xfffffffe) == 0xfffffffe;
}

static bool below(const char *path, const struct inuse_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (!strcmp(nodes->list[i].path, path))
			return true;
	return false;
}

static bool other_keyboard(const struct usbpass_host *host, const struct inuse_nodes *nodes)
{
	char link[PATH_MAX], path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(link, sizeof(link), "%s/class/input", host->sys);
	dir = opendir(link);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "input", 5))
			continue;
		snprintf(link, sizeof(link), "%s/class/input/%s", host->sys, entry->d_name);
		/* What a program made up (uinput) is no keyboard to sit down at. */
		found = realpath(link, path) && !strstr(path, "/devices/virtual/") &&
			is_keyboard(path) && !below(path, nodes);
	}
	closedir(dir);
	return found;
}

int usbpass_inuse_keyboard(const struct usbpass_host *host, const struct inuse_nodes *nodes,
			   struct usbpass_inuse *out)
{
	for (size_t i = 0; i < nodes->n; i++) {
		const struct inuse_node *node = &nodes->list[i];

		if (strcmp(node->subsystem, "input") || node->major || !is_keyboard(node->path))
			continue;
		if (other_keyboard(host, nodes))
			return 0;
		return usbpass_inuse_say(out, USBPASS_INUSE_KEYBOARD, node->name,
					 "plug another keyboard", "it is this seat's only keyboard");
	}
	return 0;
}
