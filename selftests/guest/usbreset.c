// SPDX-License-Identifier: GPL-2.0
/* usbreset NODE: what a guest's user does to its device. Static, as it runs where there is nothing but busybox. */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: usbreset /dev/bus/usb/BBB/DDD\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, USBDEVFS_RESET)) {
		printf("usbreset: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	return 0;
}
