// SPDX-License-Identifier: GPL-2.0
/* Disks and partitions: mounted, swapped to, held by another device. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "inuse_private.h"

/* mountinfo and swaps write space, tab, newline and backslash as \ooo. In place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			char octal[4] = { text[1], text[2], text[3] };

			*to++ = strtoul(octal, NULL, 8);
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* Some file systems (btrfs) mount under a device number that no disk has: ask by source too. */
static bool is_source(const char *source, const struct inuse_node *node)
{
	return !strncmp(source, "/dev/", 5) && node->devname[0] &&
	       !strcmp(source + 5, node->devname);
}

static int mounted(const struct usbpass_host *host, const struct inuse_node *node,
		   struct usbpass_inuse *out)
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *file;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/self/mountinfo", host->proc);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (!ret && getline(&line, &size, file) > 0) {
		unsigned int major, minor;
		char where[PATH_MAX], source[PATH_MAX] = "";
		const char *dash = strstr(line, " - ");

		if (sscanf(line, "%*d %*d %u:%u %*s %4095s", &major, &minor, where) != 3)
			continue;
		if (dash)
			sscanf(dash, " - %*s %4095s", source);
		unescape(where);
		unescape(source);
		if ((major == node->major && minor == node->minor) || is_source(source, node)) {
			snprintf(out->holder, sizeof(out->holder), "%.255s", where);
			ret = usbpass_inuse_say(out, USBPASS_INUSE_MOUNTED, node->name,
						"unmount it", "%s is mounted on %.180s",
						node->name, where);
		}
	}
	free(line);
	fclose(file);
	return ret;
}

static int swapping(const struct usbpass_host *host, const struct inuse_node *node,
		    struct usbpass_inuse *out)
{
	char path[PATH_MAX], line[PATH_MAX + 128], name[PATH_MAX], action[96];
	FILE *file;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/swaps", host->proc);
	file = fopen(path, "re");
	if (!file)
		return 0;	/* a kernel without swap */
	while (!ret && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%4095s", name) != 1)
			continue;
		unescape(name);
		if (!is_source(name, node))
			continue;
		snprintf(action, sizeof(action), "swapoff /dev/%.60s", node->devname);
		ret = usbpass_inuse_say(out, USBPASS_INUSE_SWAP, node->name, action,
					"%s is swapped to", node->name);
	}
	fclose(file);
	return ret;
}

static int held(const struct usbpass_host *host, const struct inuse_node *node,
		struct usbpass_inuse *out)
{
	char path[PATH_MAX], name[128] = "";
	struct dirent *entry;
	DIR *dir;
	int ret = 0;

	snprintf(path, sizeof(path), "%.4000s/holders", node->path);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (usbpass_host_line(name, sizeof(name), "%s/block/%s/dm/name", host->sys,
				      entry->d_name))
			snprintf(out->holder, sizeof(out->holder), "%.64s (%s)", entry->d_name, name);
		else
			snprintf(out->holder, sizeof(out->holder), "%.64s", entry->d_name);
		ret = usbpass_inuse_say(out, USBPASS_INUSE_HELD, node->name,
					"close or stop that", "%s is part of %s", node->name,
					out->holder);
	}
	closedir(dir);
	return ret;
}

/* A file system over several disks mounts one and holds the others without a trace in mountinfo. */
static int in_btrfs(const struct usbpass_host *host, const struct inuse_node *node,
		    struct usbpass_inuse *out)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/fs/btrfs", host->sys);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/fs/btrfs/%s/devices/%s", host->sys, entry->d_name,
			 node->name);
		if (entry->d_name[0] == '.' || access(path, F_OK))
			continue;
		snprintf(out->holder, sizeof(out->holder), "btrfs %.64s", entry->d_name);
		ret = usbpass_inuse_say(out, USBPASS_INUSE_HELD, node->name,
					"unmount that file system", "%s is part of %s", node->name,
					out->holder);
	}
	closedir(dir);
	return ret;
}

/* Catches what this namespace cannot see: mounts of containers, RAID starting up. */
static int exclusive(const struct usbpass_host *host, const struct inuse_node *node,
		     struct usbpass_inuse *out)
{
	char path[PATH_MAX];
	int fd;

	if (!node->devname[0])
		return 0;
	snprintf(path, sizeof(path), "%s/%s", host->dev, node->devname);
	fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != EBUSY)
		return 0;
	return usbpass_inuse_say(out, USBPASS_INUSE_EXCLUSIVE, node->name,
				 "end that use",
				 "%s is in exclusive use (a mount of another namespace, or RAID)",
				 node->name);
}

static bool is_disk(const struct inuse_node *node)
{
	return !strcmp(node->subsystem, "block") && node->major;
}

int usbpass_inuse_block(const struct usbpass_host *host, const struct inuse_nodes *nodes,
			struct usbpass_inuse *out)
{
	static int (*const checks[])(const struct usbpass_host *host, const struct inuse_node *node,
				     struct usbpass_inuse *out) = {
		mounted, swapping, held, in_btrfs, exclusive,
	};

	/* Check by check, so that a partition's mount is told before its disk's busyness. */
	for (size_t check = 0; check < sizeof(checks) / sizeof(checks[0]); check++) {
		for (size_t i = 0; i < nodes->n; i++) {
			int ret;

			if (!is_disk(&nodes->list[i]))
				continue;
			ret = checks[check](host, &nodes->list[i], out);
			if (ret)
				return ret;
		}
	}
	return 0;
}
