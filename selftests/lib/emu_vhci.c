// SPDX-License-Identifier: GPL-2.0
/*
 * vhci_hcd as sysfs shows it. Each controller has one USB 2 and one USB 3 root
 * hub with the same number of ports. Its files count all ports through: the
 * USB 2 ones of controller 0, its USB 3 ones, the USB 2 ones of controller 1...
 * Port N of the two hubs of one controller is one physical socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emu_private.h"

#define VHCI "/sys/devices/platform/vhci_hcd.0/"
#define VDEV_ST_NULL 4	/* enum usbip_device_status: free */
#define VDEV_ST_USED 6	/* has an address */

struct row {
	unsigned int port, status;
	bool super;
	char busid[32];
};

/* Calls visit for each port; stops and returns true where that does. */
static bool walk(bool (*visit)(const struct row *row, void *arg), void *arg)
{
	char path[sizeof(VHCI) + 32], line[128], hub[8];
	unsigned int controller;
	struct row row;
	bool found = false;
	FILE *file;

	for (controller = 0; !found; controller++) {
		if (controller)
			snprintf(path, sizeof(path), VHCI "status.%u", controller);
		else
			strcpy(path, VHCI "status");
		file = fopen(path, "re");
		if (!file)
			break;
		while (!found && fgets(line, sizeof(line), file)) {
			if (sscanf(line, "%7s %u %u %*s %*s %*s %31s", hub, &row.port,
				   &row.status, row.busid) != 4)
				continue;
			row.super = !strcmp(hub, "ss");
			found = visit(&row, arg);
		}
		fclose(file);
	}
	return found;
}

struct pick {
	bool super;
	unsigned int controller, index, left;	/* wanted; left: seen so far */
	bool any;
	unsigned int port;
};

static bool pick(const struct row *row, void *arg)
{
	struct pick *want = arg;

	if (row->super != want->super)
		return false;
	want->port = row->port;
	if (want->any)
		return row->status == VDEV_ST_NULL;
	return want->left++ == want->index;
}

static unsigned int hub_ports(void)
{
	struct pick want = { .index = 0 };
	unsigned int first;

	if (!walk(pick, &want))
		return 0;
	first = want.port;
	want = (struct pick){ .super = true };
	return walk(pick, &want) ? want.port - first : 0;
}

struct find {
	unsigned int port;
	struct row row;
};

static bool find(const struct row *row, void *arg)
{
	struct find *want = arg;

	want->row = *row;
	return row->port == want->port;
}

bool emu_vhci_port_free(unsigned int port)
{
	struct find want = { .port = port };

	return walk(find, &want) && want.row.status == VDEV_ST_NULL;
}

/* The setting "auto" keeps its port over replugs: the socket is an identity. */
static int choose_port(struct emu *emu, char *error, size_t size)
{
	struct pick want = { .super = emu->model.speed == EMU_SUPER };
	unsigned int ports = hub_ports();
	char rest;

	if (!ports) {
		snprintf(error, size, "%s is missing: modprobe vhci_hcd", VHCI);
		return -ENODEV;
	}
	if (!strcmp(emu->settings.port, "auto")) {
		if (emu->vhci_port_set &&
		    (emu->vhci_port / ports) % 2 == want.super)
			return 0;
		want.any = true;
	} else if (sscanf(emu->settings.port, "%u.%u%c", &want.controller,
			  &want.index, &rest) != 2) {
		want.controller = 0;
		want.index = (unsigned int)strtoul(emu->settings.port, NULL, 10);
	}
	if (want.index >= ports) {
		snprintf(error, size, "port %s: a hub of vhci_hcd has ports 0 to %u",
			 emu->settings.port, ports - 1);
		return -EINVAL;
	}
	want.index += want.controller * ports;
	if (!walk(pick, &want)) {
		snprintf(error, size,
			 want.any ? "all ports of vhci_hcd are in use" :
				    "port %s: vhci_hcd has no such controller",
			 emu->settings.port);
		return want.any ? -EBUSY : -EINVAL;
	}
	emu->vhci_port = want.port;
	return 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int emu_vhci_attach(struct emu *emu, char *error, size_t size)
{
	char text[64];
	int pair[2];
	int ret = choose_port(emu, error, size);

	if (ret)
		return ret;
	/* vhci takes any stream socket; it keeps its own reference to its end */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		snprintf(error, size, "socketpair: %s", strerror(errno));
		return -errno;
	}
	snprintf(text, sizeof(text), "%u %d %u %u", emu->vhci_port, pair[1],
		 emu->vhci_port + 1, emu->model.speed);
	ret = write_file(VHCI "attach", text);
	close(pair[1]);
	if (ret) {
		close(pair[0]);
		snprintf(error, size, "cannot attach to port %u of vhci_hcd: %s%s",
			 emu->vhci_port, strerror(-ret),
			 ret == -EBUSY ? " (another device is in it)" : "");
		return ret;
	}
	emu->vhci_port_set = true;
	emu->sock = pair[0];
	strcpy(emu->busid, "-");
	return 0;
}

void emu_vhci_detach(struct emu *emu)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", emu->vhci_port);
	/* where it fails the controller is gone, and the socket says so */
	write_file(VHCI "detach", text);
}

/*
 * Whether the kernel has (or, once unplugged, still has) the device in sysfs.
 * The name stays after the unplug, so that its removal can be waited for.
 */
bool emu_vhci_enumerated(struct emu *emu)
{
	struct find want = { .port = emu->vhci_port };
	bool plugged = emu->sock >= 0 && !emu->leaving;
	char path[64];

	if (plugged) {
		if (!walk(find, &want) || want.row.status != VDEV_ST_USED)
			return false;
		strcpy(emu->busid, want.row.busid);
	}
	if (!strcmp(emu->busid, "-"))
		return false;
	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s", emu->busid);
	return !access(path, F_OK);
}

/* The controller's device and the port chain: one name for both speed halves. */
void emu_vhci_socket(const struct emu *emu, char *name, size_t size)
{
	unsigned int ports = hub_ports();

	if (!ports || !emu->vhci_port_set)
		snprintf(name, size, "-");
	else
		snprintf(name, size, "vhci_hcd.%u/%u",
			 emu->vhci_port / (2 * ports),
			 emu->vhci_port % ports + 1);
}
