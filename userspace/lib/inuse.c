// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "inuse_private.h"
#include "names.h"

#define DEPTH_MAX	24	/* of sysfs directories below a USB device; disks need 9 */

int usbpass_inuse_say(struct usbpass_inuse *out, enum usbpass_inuse_kind kind, const char *node,
		      const char *action, const char *format, ...)
{
	char text[sizeof(out->what)], safe[sizeof(out->remedy)];
	va_list args;

	out->kind = kind;
	snprintf(out->node, sizeof(out->node), "%s", node);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Others chose mount points and names of processes; the kernel takes no control character. */
	usbpass_names_safe(text, out->what, sizeof(out->what));
	snprintf(out->remedy, sizeof(out->remedy),
		 "%s, replug, or `usbpass device claim --force`",
		 usbpass_names_safe(action, safe, sizeof(safe)));
	return 1;
}

/* DEVNAME= of the uevent file. */
static void read_devname(struct inuse_node *node)
{
	char path[PATH_MAX], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "%.4000s/uevent", node->path);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "DEVNAME=", 8))
			snprintf(node->devname, sizeof(node->devname), "%.127s", line + 8);
	}
	fclose(file);
}

static int add_node(struct inuse_nodes *nodes, const char *path)
{
	struct inuse_node *list, *node;
	char line[32];

	list = reallocarray(nodes->list, nodes->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	nodes->list = list;
	node = &list[nodes->n];
	memset(node, 0, sizeof(*node));
	if (!usbpass_host_link(node->subsystem, sizeof(node->subsystem), "%s/subsystem", path))
		return 0;
	snprintf(node->path, sizeof(node->path), "%s", path);
	snprintf(node->name, sizeof(node->name), "%.63s", strrchr(path, '/') + 1);
	if (usbpass_host_line(line, sizeof(line), "%s/dev", path) &&
	    sscanf(line, "%u:%u", &node->major, &node->minor) == 2)
		read_devname(node);
	nodes->n++;
	return 0;
}

/* Links are not followed: they lead out of the device. */
static int walk(const char *path, int depth, struct inuse_nodes *nodes)
{
	struct dirent *entry;
	char below[PATH_MAX];
	int ret = add_node(nodes, path);
	DIR *dir;

	if (ret || depth >= DEPTH_MAX)
		return ret;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT && depth ? 0 : -errno;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >=
		    (int)sizeof(below))
			continue;
		/* Devices behind a hub are devices of their own. */
		if (strlen(below) + 10 < sizeof(below)) {
			char *end = below + strlen(below);

			strcpy(end, "/busnum");
			if (access(below, F_OK) == 0)
				continue;
			*end = '\0';
		}
		ret = walk(below, depth + 1, nodes);
	}
	closedir(dir);
	return ret;
}

static int network(const struct inuse_nodes *nodes, struct usbpass_inuse *out)
{
	char line[32], action[96];

	for (size_t i = 0; i < nodes->n; i++) {
		const struct inuse_node *node = &nodes->list[i];

		if (strcmp(node->subsystem, "net") ||
		    !usbpass_host_line(line, sizeof(line), "%s/flags", node->path) ||
		    !(strtoul(line, NULL, 16) & IFF_UP))
			continue;
		snprintf(action, sizeof(action), "take it down (ip link set %s down)", node->name);
		return usbpass_inuse_say(out, USBPASS_INUSE_NETWORK, node->name, action,
					 "network interface %s is up", node->name);
	}
	return 0;
}

int usbpass_inuse_find(const struct usbpass_host *host, const char *busid,
		       struct usbpass_inuse *out)
{
	struct inuse_nodes nodes = {};
	char link[PATH_MAX], path[PATH_MAX];
	int ret;

	memset(out, 0, sizeof(*out));
	snprintf(link, sizeof(link), "%s/bus/usb/devices/%s", host->sys, busid);
	if (strchr(busid, '/') || !realpath(link, path))
		return -ENODEV;
	ret = walk(path, 0, &nodes);
	if (!ret)
		ret = usbpass_inuse_block(host, &nodes, out);
	if (!ret)
		ret = network(&nodes, out);
	if (!ret)
		ret = usbpass_inuse_keyboard(host, &nodes, out);
	if (!ret)
		ret = usbpass_inuse_open(host, &nodes, out);
	free(nodes.list);
	return ret;
}
