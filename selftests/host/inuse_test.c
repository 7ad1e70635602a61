// SPDX-License-Identifier: GPL-2.0
/* Does the host use a device? On trees in a directory that look like sysfs, procfs and /dev. */
// libs: libnl-genl-3.0 libudev
// link: ../userspace/libusbpass.a
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "inuse.h"
#include "tap.h"

#define USB	"sys/devices/pci/usb1/1-4/"

static char root[64], sys[80], proc[80], dev[80], run[80];
static struct usbpass_host host = { sys, proc, dev, run };
static struct usbpass_inuse inuse;

static void shell(const char *format, ...)
{
	char command[PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	ASSERT_EQ(0, system(command));
}

static void put(const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	shell("mkdir -p $(dirname '%s')", full);
	file = fopen(full, "w");
	ASSERT(file);
	ASSERT(fputs(text, file) >= 0);
	ASSERT_EQ(0, fclose(file));
}

/* A directory of sysfs below the device, of a class, with a node. */
static void node(const char *path, const char *subsystem, const char *number, const char *devname)
{
	char file[512], text[256];

	shell("mkdir -p %s/" USB "%s; ln -s ../../bus/%s %s/" USB "%s/subsystem", root, path, subsystem, root, path);
	if (!number)
		return;
	snprintf(file, sizeof(file), USB "%s/dev", path);
	snprintf(text, sizeof(text), "%s\n", number);
	put(file, text);
	snprintf(file, sizeof(file), USB "%s/uevent", path);
	snprintf(text, sizeof(text), "MAJOR=1\nMINOR=1\nDEVNAME=%s\n", devname);
	put(file, text);
}

static void process(const char *pid, const char *comm, const char *uid, const char *target)
{
	char file[128], text[128];

	snprintf(file, sizeof(file), "proc/%s/comm", pid);
	snprintf(text, sizeof(text), "%s\n", comm);
	put(file, text);
	snprintf(file, sizeof(file), "proc/%s/status", pid);
	snprintf(text, sizeof(text), "Name:\t%s\nUid:\t%s\t%s\t%s\t%s\n", comm, uid, uid, uid, uid);
	put(file, text);
	shell("mkdir -p %s/proc/%s/fd; ln -s %s %s/proc/%s/fd/5", root, pid, target, root, pid);
}

static int find(void)
{
	return usbpass_inuse_find(&host, "1-4", &inuse);
}

static void clean_up(void)
{
	shell("rm -rf %s", root);
}

TAP_SETUP
{
	strcpy(root, "/tmp/usbpass-inuse.XXXXXX");
	ASSERT(mkdtemp(root));
	tap_defer(clean_up);
	sprintf(sys, "%s/sys", root);
	sprintf(proc, "%s/proc", root);
	sprintf(dev, "%s/dev", root);
	sprintf(run, "%s/run", root);
	put("proc/self/mountinfo", "22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n");
	put("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	shell("mkdir -p %s/sys/bus/usb/devices %s/" USB " %s/dev %s/run/usbpass", root, root, root, root);
	shell("ln -s ../../../devices/pci/usb1/1-4 %s/sys/bus/usb/devices/1-4", root);
	put(USB "busnum", "1\n");
	node("1-4:1.0/host6/target6:0:0/6:0:0:0/block/sdb", "block", "8:16", "sdb");
	node("1-4:1.0/host6/target6:0:0/6:0:0:0/block/sdb/sdb1", "block", "8:17", "sdb1");
}

TEST("a disk that nobody uses is free")
{
	ASSERT_EQ(0, find());
	EXPECT_EQ(USBPASS_INUSE_NO, inuse.kind);
}

TEST("a device that is not there is ENODEV")
{
	EXPECT_EQ(-ENODEV, usbpass_inuse_find(&host, "1-9", &inuse));
	EXPECT_EQ(-ENODEV, usbpass_inuse_find(&host, "../usb/devices/1-4", &inuse));
}

TEST("a mounted partition is named with its mount point")
{
	put("proc/self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n40 22 8:17 / /mnt/my\\040disk rw shared:9 - vfat /dev/sdb1 rw\n");
	ASSERT_EQ(1, find());
	EXPECT_EQ(USBPASS_INUSE_MOUNTED, inuse.kind);
	EXPECT_STR("sdb1", inuse.node);
	EXPECT_STR("/mnt/my disk", inuse.holder);
	EXPECT_STR("sdb1 is mounted on /mnt/my disk", inuse.what);
	EXPECT_STR("unmount it, replug, or `usbpass device claim --force`", inuse.remedy);
}

TEST("a mount under a number of its own is found by its source")
{
	put("proc/self/mountinfo", "40 22 0:45 /sub /mnt rw shared:9 - btrfs /dev/sdb1 rw\n");
	ASSERT_EQ(1, find());
	EXPECT_STR("sdb1 is mounted on /mnt", inuse.what);
}

TEST("another disk's mount does not count")
{
	put("proc/self/mountinfo", "40 22 8:32 / /mnt rw - vfat /dev/sdc rw\n41 22 8:1 / /srv rw - ext4 /dev/sdb11 rw\n");
	EXPECT_EQ(0, find());
}

TEST("a swap partition is in use")
{
	put("proc/swaps", "Filename Type Size Used Priority\n/dev/sdb1 partition 1000 0 -2\n");
	ASSERT_EQ(1, find());
	EXPECT_EQ(USBPASS_INUSE_SWAP, inuse.kind);
	EXPECT_STR("sdb1 is swapped to", inuse.what);
	EXPECT(strstr(inuse.remedy, "swapoff /dev/sdb1"));
}

TEST("device-mapper and MD holders are named")
{
	shell("mkdir -p %s/" USB "1-4:1.0/host6/target6:0:0/6:0:0:0/block/sdb/sdb1/holders/dm-0", root);
	put("sys/block/dm-0/dm/name", "luks-x\n");
	ASSERT_EQ(1, find());
	EXPECT_EQ(USBPASS_INUSE_HELD, inuse.kind);
	EXPECT_STR("sdb1 is part of dm-0 (luks-x)", inuse.what);
	shell("rm -r %s/" USB "1-4:1.0/host6/target6:0:0/6:0:0:0/block/sdb/sdb1/holders", root);
	shell("mkdir -p %s/" USB "1-4:1.0/host6/target6:0:0/6:0:0:0/block/sdb/holders/md127", root);
	ASSERT_EQ(1, find());
	EXPECT_STR("sdb is part of md127", inuse.what);
}

TEST("a member of a file system over several disks is in use")
{
	put("sys/fs/btrfs/abcd/devices/sdb/size", "1\n");
	ASSERT_EQ(1, find());
	EXPECT_STR("sdb is part of btrfs abcd", inuse.what);
}

TEST("a network interface counts only while it is up")
{
	node("1-4:1.1/net/eth1", "net", NULL, NULL);
	put(USB "1-4:1.1/net/eth1/flags", "0x1002\n");
	ASSERT_EQ(0, find());
	put(USB "1-4:1.1/net/eth1/flags", "0x1003\n");
	ASSERT_EQ(1, find());
	EXPECT_EQ(USBPASS_INUSE_NETWORK, inuse.kind);
	EXPECT_STR("network interface eth1 is up", inuse.what);
	EXPECT(strstr(inuse.remedy, "ip link set eth1 down"));
}

TEST("an open node names the process")
{
	node("1-4:1.2/hidraw/hidraw77", "hidraw", "250:77", "hidraw77");
	ASSERT_EQ(0, find());
	process("4242", "steam", "1000", "/dev/hidraw77");
	ASSERT_EQ(1, find());
	EXPECT_EQ(USBPASS_INUSE_OPEN, inuse.kind);
	EXPECT_EQ(4242, inuse.pid);
	EXPECT_STR("steam", inuse.comm);
	EXPECT_STR("/dev/hidraw77 is open in steam (pid 4242)", inuse.what);
}

/* Any user may call a process and, with a stick of his own, a mount point as he likes. */
TEST("names that a terminal would obey are shown as escapes")
{
	node("1-1:1.0/hidraw/hidraw77", "hidraw", "240:77", "hidraw77");
	process("4242", "\033[2Jx", "1000", "/dev/hidraw77");
	ASSERT_EQ(1, find());
	EXPECT_STR("/dev/hidraw77 is open in \\x1b[2Jx (pid 4242)", inuse.what);
}

TEST("a node is told by its device number, whatever its path")
{
	struct stat st;
	char number[32];

	ASSERT_EQ(0, stat("/dev/null", &st));
	sprintf(number, "%u:%u", 1, 3);
	node("1-4:1.2/tty/ttyUSB77", "tty", number, "ttyUSB77");
	process("4242", "minicom", "1000", "/dev/null");
	ASSERT_EQ(1, find());
	EXPECT_STR("/dev/ttyUSB77 is open in minicom (pid 4242)", inuse.what);
}

TEST("opens of udev and logind do not count, unless by a user of that name")
{
	node("1-4:1.2/input/input7/event77", "input", "13:77", "input/event77");
	process("300", "systemd-logind", "0", "/dev/input/event77");
	process("301", "(udev-worker)", "0", "/dev/input/event77");
	ASSERT_EQ(0, find());
	process("302", "systemd-logind", "1000", "/dev/input/event77");
	ASSERT_EQ(1, find());
	EXPECT_EQ(302, inuse.pid);
}

TEST("the usbfs node counts too")
{
	put(USB "uevent", "DEVNAME=bus/usb/001/077\n");
	put(USB "dev", "189:76\n");
	shell("ln -s ../../bus/usb %s/" USB "subsystem", root);
	process("4242", "qemu", "64055", "/dev/bus/usb/001/077");
	ASSERT_EQ(1, find());
	EXPECT_STR("/dev/bus/usb/001/077 is open in qemu (pid 4242)", inuse.what);
}

TEST("devices behind a hub are not the hub's")
{
	node("1-4.1/1-4.1:1.0/net/eth9", "net", NULL, NULL);
	put(USB "1-4.1/busnum", "1\n");
	put(USB "1-4.1/1-4.1:1.0/net/eth9/flags", "0x1003\n");
	EXPECT_EQ(0, find());
}

#define KEYS "e080ffdf01cfffff fffffffffffffffe\n"

TEST("the only keyboard of the seat is in use, one of two is not")
{
	node("1-4:1.3/0003:1:2.3/input/input9", "input", NULL, NULL);
	put(USB "1-4:1.3/0003:1:2.3/input/input9/capabilities/key", KEYS);
	shell("mkdir -p %s/sys/class/input", root);
	shell("ln -s ../../devices/pci/usb1/1-4/1-4:1.3/0003:1:2.3/input/input9 %s/sys/class/input/input9", root);
	/* A power button and a program's keyboard are none. */
	put("sys/devices/LNX/input/input0/capabilities/key", "10000000000000 0\n");
	shell("ln -s ../../devices/LNX/input/input0 %s/sys/class/input/input0", root);
	put("sys/devices/virtual/input/input1/capabilities/key", KEYS);
	shell("ln -s ../../devices/virtual/input/input1 %s/sys/class/input/input1", root);
	ASSERT_EQ(1, find());
	EXPECT_EQ(USBPASS_INUSE_KEYBOARD, inuse.kind);
	EXPECT_STR("it is this seat's only keyboard", inuse.what);
	put("sys/devices/platform/i8042/input/input2/capabilities/key", KEYS);
	shell("ln -s ../../devices/platform/i8042/input/input2 %s/sys/class/input/input2", root);
	EXPECT_EQ(0, find());
}

TEST("drivers of a device are listed once each")
{
	char drivers[128];

	EXPECT_STR("", usbpass_host_drivers(&host, "1-4", drivers, sizeof(drivers)));
	shell("mkdir -p %s/" USB "1-4:1.0 %s/" USB "1-4:1.1 %s/" USB "1-4:1.2", root, root, root);
	shell("ln -s ../drivers/usbhid %s/" USB "1-4:1.0/driver; ln -s ../drivers/usbhid %s/" USB "1-4:1.1/driver", root, root);
	EXPECT_STR("usbhid", usbpass_host_drivers(&host, "1-4", drivers, sizeof(drivers)));
	shell("rm %s/" USB "1-4:1.[01]/driver; ln -s ../drivers/usb %s/" USB "driver", root, root);
	EXPECT_STR("", usbpass_host_drivers(&host, "1-4", drivers, sizeof(drivers)));
	shell("ln -sfn ../drivers/usbpass %s/" USB "driver", root);
	EXPECT_STR("usbpass", usbpass_host_drivers(&host, "1-4", drivers, sizeof(drivers)));
}

TEST("the daemon is known by its lock, and what it saved by its file")
{
	uint64_t generation;
	char path[128];
	int fd, pid;

	EXPECT(!usbpass_host_daemon(&host, &pid));
	EXPECT(!usbpass_host_saved(&host, &generation));
	put("run/usbpass/usbpassd.pid", "4711\n");
	EXPECT(!usbpass_host_daemon(&host, &pid));
	EXPECT_EQ(-ESRCH, usbpass_host_wait_saved(&host, 5, 100));
	sprintf(path, "%s/usbpass/usbpassd.pid", run);
	fd = open(path, O_RDWR);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, flock(fd, LOCK_EX));
	EXPECT(usbpass_host_daemon(&host, &pid));
	EXPECT_EQ(4711, pid);
	EXPECT_EQ(-ETIMEDOUT, usbpass_host_wait_saved(&host, 5, 100));
	put("run/usbpass/saved", "4\n");
	EXPECT_EQ(-ETIMEDOUT, usbpass_host_wait_saved(&host, 5, 100));
	put("run/usbpass/saved", "5\n");
	EXPECT_EQ(0, usbpass_host_wait_saved(&host, 5, 100));
	ASSERT(usbpass_host_saved(&host, &generation));
	EXPECT_EQ(5, generation);
}

TEST("a waiter sees the file that the daemon puts in place")
{
	char path[128];
	int fd;

	put("run/usbpass/usbpassd.pid", "4711\n");
	sprintf(path, "%s/usbpass/usbpassd.pid", run);
	fd = open(path, O_RDWR);
	ASSERT(fd >= 0);
	ASSERT_EQ(0, flock(fd, LOCK_EX));
	if (fork() == 0) {
		shell("sleep 0.2; echo 7 > %s/new; mv %s/new %s/usbpass/saved", root, root, run);
		_exit(0);
	}
	EXPECT_EQ(0, usbpass_host_wait_saved(&host, 7, 5000));
}

TAP_MAIN
