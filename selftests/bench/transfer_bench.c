// SPDX-License-Identifier: GPL-2.0
// libs: libusb-1.0
//
// transfer_bench NODE COUNT SIZE...: synchronous bulk IN transfers through libusb on an open descriptor, be it usbfs's or
// usbpass's: prints "SIZE NS" a line, nanoseconds of this process's CPU time a transfer. Under QEMU's -icount shift=0 a
// nanosecond is an instruction.
#include <fcntl.h>
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WARM_UPS	16
#define ENDPOINT	0x81	/* of f_sourcesink */

static long long cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int move(libusb_device_handle *handle, unsigned char *data, int size, int count)
{
	int moved, err, i;

	for (i = 0; i < count; i++) {
		err = libusb_bulk_transfer(handle, ENDPOINT, data, size, &moved, 5000);
		if (err || moved != size) {
			fprintf(stderr, "transfer_bench: %d of %d bytes: %s\n", moved, size,
				libusb_error_name(err));
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	libusb_device_handle *handle;
	libusb_context *context;
	unsigned char *data;
	int fd, i, count;

	if (argc < 4) {
		fprintf(stderr, "usage: transfer_bench NODE COUNT SIZE...\n");
		return 2;
	}
	count = atoi(argv[2]);
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	if (libusb_init(&context) || libusb_wrap_sys_device(context, fd, &handle) ||
	    libusb_claim_interface(handle, 0)) {
		fprintf(stderr, "transfer_bench: %s: libusb cannot use it\n", argv[1]);
		return 1;
	}
	for (i = 3; i < argc; i++) {
		int size = atoi(argv[i]);
		long long before;

		data = malloc(size);
		if (!data || move(handle, data, size, WARM_UPS))
			return 1;
		before = cpu_ns();
		if (move(handle, data, size, count))
			return 1;
		printf("%d %lld\n", size, (cpu_ns() - before) / count);
		free(data);
	}
	return 0;
}
