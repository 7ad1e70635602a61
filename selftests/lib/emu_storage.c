// SPDX-License-Identifier: GPL-2.0
/*
 * A disk in memory or in a file: USB mass storage bulk-only 1.0 with the few
 * SCSI commands that a host's disk driver sends. It survives replugs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu_private.h"

#define BLOCK		512
#define STORAGE_CLASS	0x080650	/* SCSI, bulk-only */
#define CBW_LEN		31
#define CSW_LEN		13

/* sense key << 8 | additional sense code */
#define SENSE_NONE		0x0000
#define SENSE_BAD_COMMAND	0x0520
#define SENSE_BAD_ADDRESS	0x0521

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

static void put_be32(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint32_t le32(const uint8_t *at)
{
	return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[1] << 8 | at[0];
}

void emu_storage_free(struct emu *emu)
{
	struct emu_storage *storage = &emu->storage;

	if (storage->mapped)
		munmap(storage->disk, storage->size);
	else
		free(storage->disk);
	storage->disk = NULL;
	storage->size = 0;
	storage->mapped = false;
}

static int map_disk(struct emu *emu, const char *path)
{
	struct emu_storage *storage = &emu->storage;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	void *disk;
	int ret;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || st.st_size < BLOCK) {
		close(fd);
		return -EINVAL;
	}
	disk = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0);
	ret = -errno;
	close(fd);
	if (disk == MAP_FAILED)
		return ret;
	emu_storage_free(emu);
	storage->disk = disk;
	storage->size = (size_t)st.st_size / BLOCK * BLOCK;
	storage->mapped = true;
	return 0;
}

static int open_disk(struct emu *emu)
{
	size_t size = (size_t)emu->settings.disk_kib * 1024;
	uint8_t *disk;

	if (emu->settings.disk[0])
		return map_disk(emu, emu->settings.disk);
	if (emu->storage.disk && !emu->storage.mapped &&
	    emu->storage.size == size)
		return 0;
	disk = calloc(1, size);
	if (!disk)
		return -ENOMEM;
	emu_storage_free(emu);
	emu->storage.disk = disk;
	emu->storage.size = size;
	return 0;
}

static int build(struct emu *emu)
{
	unsigned int class = emu->settings.class ? emu->settings.class :
						   STORAGE_CLASS;
	int ret = open_disk(emu);

	if (ret)
		return ret;
	emu_desc_begin(emu, 0);
	emu_desc_config(emu);
	emu_desc_interface(emu, 0, 0, class);
	emu_desc_endpoint(emu, 0x81, 'b', 0);
	emu_desc_endpoint(emu, 0x02, 'b', 0);
	emu_desc_end(emu);
	return 0;
}

static void reset(struct emu *emu)
{
	emu->storage.phase = EMU_BOT_COMMAND;
}

static int control(struct emu *emu, struct emu_urb *urb)
{
	static const uint8_t max_lun;

	if (urb->setup[0] == 0xa1 && urb->setup[1] == 0xfe)
		return emu_urb_put(urb, &max_lun, urb->room ? 1 : 0);
	if (urb->setup[0] == 0x21 && urb->setup[1] == 0xff) {
		reset(emu);
		return 0;
	}
	return -EPIPE;
}

static void fail(struct emu_storage *storage, unsigned int sense)
{
	storage->csw_status = 1;
	storage->sense = (uint8_t)(sense >> 8);
	storage->asc = sense & 0xff;
	storage->left = 0;
}

static void answer(struct emu_storage *storage, size_t len, size_t asked)
{
	storage->from = storage->reply;
	storage->left = (uint32_t)(len < asked ? len : asked);
}

static void inquiry(struct emu_storage *storage, const uint8_t *cdb)
{
	static const uint8_t identity[36] = {
		0x00, 0x80, 0x05, 0x02, 31, 0, 0, 0, 'e', 'm', 'u', ' ', ' ',
		' ', ' ', ' ', 'd', 'i', 's', 'k', ' ', ' ', ' ', ' ', ' ', ' ',
		' ', ' ', ' ', ' ', ' ', ' ', '1', '.', '0', '0',
	};

	if (cdb[1] & 1) {	/* no vital product data pages */
		fail(storage, SENSE_BAD_COMMAND + 4);
		return;
	}
	memcpy(storage->reply, identity, sizeof(identity));
	answer(storage, sizeof(identity), cdb[4]);
}

static void request_sense(struct emu_storage *storage, const uint8_t *cdb)
{
	uint8_t *reply = storage->reply;

	memset(reply, 0, 18);
	reply[0] = 0x70;
	reply[2] = storage->sense;
	reply[7] = 10;
	reply[12] = storage->asc;
	storage->sense = 0;
	storage->asc = 0;
	answer(storage, 18, cdb[4]);
}

static void read_write(struct emu_storage *storage, const uint8_t *cdb)
{
	uint64_t at = (uint64_t)be32(cdb + 2) * BLOCK;
	uint64_t len = (uint64_t)(cdb[7] << 8 | cdb[8]) * BLOCK;

	if (at + len > storage->size) {
		fail(storage, SENSE_BAD_ADDRESS);
		return;
	}
	storage->at = (size_t)at;
	storage->from = storage->disk + at;
	storage->left = (uint32_t)len;
}

static void command(struct emu_storage *storage, const uint8_t *cdb)
{
	uint8_t *reply = storage->reply;

	switch (cdb[0]) {
	case 0x00:	/* TEST UNIT READY */
	case 0x1b:	/* START STOP UNIT */
	case 0x1e:	/* PREVENT ALLOW MEDIUM REMOVAL */
	case 0x2f:	/* VERIFY */
	case 0x35:	/* SYNCHRONIZE CACHE */
		break;
	case 0x03:
		request_sense(storage, cdb);
		break;
	case 0x12:
		inquiry(storage, cdb);
		break;
	case 0x1a:	/* MODE SENSE(6): a header without pages */
		memset(reply, 0, 4);
		reply[0] = 3;
		answer(storage, 4, cdb[4]);
		break;
	case 0x25:	/* READ CAPACITY(10) */
		put_be32(reply, storage->size / BLOCK - 1);
		put_be32(reply + 4, BLOCK);
		answer(storage, 8, 8);
		break;
	case 0x28:	/* READ(10) */
	case 0x2a:	/* WRITE(10) */
		read_write(storage, cdb);
		break;
	default:
		fail(storage, SENSE_BAD_COMMAND);
	}
}

/*
 * A command block, or something that is not: then both pipes stall until the
 * host resets the device (section 6.6.1).
 */
static int take_command(struct emu *emu, const struct emu_urb *urb)
{
	struct emu_storage *storage = &emu->storage;
	const uint8_t *cbw = urb->data;
	bool in;

	if (urb->length != CBW_LEN || memcmp(cbw, "USBC", 4)) {
		emu->halted |= 1u << emu_urb_index(0x81) |
			       1u << emu_urb_index(0x02);
		return -EPIPE;
	}
	memcpy(storage->tag, cbw + 4, 4);
	storage->expected = le32(cbw + 8);
	in = cbw[12] & 0x80;
	storage->csw_status = 0;
	storage->left = 0;
	command(storage, cbw + 15);
	/* the host and the command disagree on the direction: no data */
	if (in == (cbw[15] == 0x2a))
		storage->left = 0;
	if (storage->left > storage->expected)
		storage->left = storage->expected;
	if (!storage->expected)
		storage->phase = EMU_BOT_STATUS;
	else
		storage->phase = in ? EMU_BOT_IN : EMU_BOT_OUT;
	return 0;
}

static int take_data(struct emu_storage *storage, const struct emu_urb *urb)
{
	uint32_t len = urb->length < storage->left ? urb->length : storage->left;

	if (len)
		memcpy(storage->disk + storage->at, urb->data, len);
	storage->at += len;
	storage->left -= len;
	storage->expected -= urb->length < storage->expected ? urb->length :
							       storage->expected;
	if (!storage->expected)
		storage->phase = EMU_BOT_STATUS;
	return 0;
}

/* Less than the host expects ends in a short packet, of no length if need be. */
static int give_data(struct emu_storage *storage, struct emu_urb *urb)
{
	uint32_t len = urb->room < storage->left ? urb->room : storage->left;
	int ret = emu_urb_put(urb, storage->from, len);

	storage->from += len;
	storage->left -= len;
	storage->expected -= len;
	if (!storage->expected || urb->actual < urb->length)
		storage->phase = EMU_BOT_STATUS;
	return ret;
}

static int give_status(struct emu_storage *storage, struct emu_urb *urb)
{
	uint8_t csw[CSW_LEN] = { 'U', 'S', 'B', 'S' };
	unsigned int i;

	memcpy(csw + 4, storage->tag, 4);
	for (i = 0; i < 4; i++)
		csw[8 + i] = (uint8_t)(storage->expected >> (8 * i));
	csw[12] = storage->csw_status;
	storage->phase = EMU_BOT_COMMAND;
	return emu_urb_put(urb, csw, urb->room < CSW_LEN ? urb->room : CSW_LEN);
}

static int transfer(struct emu *emu, struct emu_urb *urb,
		    const struct emu_endpoint *endpoint)
{
	struct emu_storage *storage = &emu->storage;
	bool in = urb->ep & 0x80;

	switch (storage->phase) {
	case EMU_BOT_COMMAND:
		return in ? EMU_WAIT : take_command(emu, urb);
	case EMU_BOT_OUT:
		return in ? EMU_WAIT : take_data(storage, urb);
	case EMU_BOT_IN:
		return in ? give_data(storage, urb) : EMU_WAIT;
	case EMU_BOT_STATUS:
		return in ? give_status(storage, urb) : EMU_WAIT;
	}
	return -EPIPE;
}

const struct emu_function emu_storage_function = {
	.name = "storage",
	.build = build,
	.control = control,
	.transfer = transfer,
	.reset = reset,
};
