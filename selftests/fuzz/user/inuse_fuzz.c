// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever procfs and sysfs say (mount points, swap files, names of processes are other people's), looking whether a device is
 * in use ends with yes in words that a terminal shows, no, or an error. Input: the files, apart by a line "%".
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fuzz.h"
#include "inuse.h"
#include "names.h"

#define DEVICE	"sys/devices/usb1/1-1"
#define DISK	DEVICE "/1-1:1.0/block/sda"

static char root[64];

/* In their order in the input. */
static const char *const files[] = {
	"proc/self/mountinfo", "proc/swaps", DISK "/uevent", DISK "/dev", "proc/7/comm", "proc/7/status",
	"sys/block/dm-0/dm/name", DEVICE "/1-1:1.0/net/eth9/flags", DEVICE "/1-1:1.0/input/input3/capabilities/key",
	"run/usbpass/saved",
};

static void make_path(char *path)
{
	for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path, 0700);
		*at = '/';
	}
}

static void link_to(const char *target, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	make_path(path);
	if (symlink(target, path))
		abort();
}

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", root);
}

static void make_host(void)
{
	char path[512];

	snprintf(root, sizeof(root), "%s/usbpass-inuse.XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(root))
		abort();
	atexit(clean);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, files[i]);
		make_path(path);
	}
	link_to("../../../devices/usb1/1-1", "sys/bus/usb/devices/1-1");
	link_to("/class/block", DISK "/subsystem");
	link_to("/class/net", DEVICE "/1-1:1.0/net/eth9/subsystem");
	link_to("/class/input", DEVICE "/1-1:1.0/input/input3/subsystem");
	link_to("x", DISK "/holders/dm-0");
	link_to("/dev/sda", "proc/7/fd/3");
	link_to("/drivers/usb-storage", DEVICE "/1-1:1.0/driver");
}

static void write_files(const char *data, size_t size)
{
	const char *end = data + size;
	char path[512];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *mark = memmem(data, (size_t)(end - data), "%\n", 2), *stop = mark ? mark : end;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", root, files[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || write(fd, data, (size_t)(stop - data)) != stop - data)
			abort();
		close(fd);
		data = mark ? mark + 2 : end;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char sys[80], proc[80], dev[80], run[80];
	const struct usbpass_host host = { .sys = sys, .proc = proc, .dev = dev, .run = run };
	struct usbpass_inuse out;
	char drivers[64];
	uint64_t saved;
	int ret;

	if (!root[0]) {
		make_host();
		snprintf(sys, sizeof(sys), "%s/sys", root);
		snprintf(proc, sizeof(proc), "%s/proc", root);
		snprintf(dev, sizeof(dev), "%s/dev", root);
		snprintf(run, sizeof(run), "%s/run", root);
	}
	write_files((const char *)data, size);
	ret = usbpass_inuse_find(&host, "1-1", &out);
	CHECK(ret == 1 || ret == 0 || ret == -ENOMEM, "found with %d", ret);
	CHECK((ret == 1) == (out.kind != USBPASS_INUSE_NO), "%d with kind %d", ret, out.kind);
	CHECK(ret != 1 || (out.what[0] && out.remedy[0]), "in use without a word");
	CHECK(usbpass_names_printable(out.what), "a terminal would obey: %s", out.what);
	CHECK(usbpass_names_printable(out.remedy), "a terminal would obey: %s", out.remedy);
	usbpass_host_saved(&host, &saved);
	CHECK(!strcmp(usbpass_host_drivers(&host, "1-1", drivers, sizeof(drivers)), "usb-storage"), "no driver");
	return 0;
}
