// SPDX-License-Identifier: GPL-2.0
// link: -Ifuzz/user/kernel -I../kernel ../kernel/hub.c
// How a hub switches its ports' power, read from hub descriptors as the specification has them (USB 2.0 11.23.2.1, USB 3.2
// 10.15.2.1): what no emulator here is, ganged hubs and SuperSpeed ones, is this at least.
#include "hub.h"

#include <sys/mman.h>

#include "tap.h"

#define HUB 0x29
#define SUPER_HUB 0x2a

/* wHubCharacteristics: power switching in bits 0 and 1; the others say nothing about it. */
#define GANGED 0
#define EACH 1
#define RESERVED 2	/* as hubs of USB 1.0 say that they switch nothing */
#define COMPOUND 0x04
#define OVERCURRENT_EACH 0x08
#define OVERCURRENT_NONE 0x10
#define THINK_TIME_32 0x60
#define INDICATORS 0x80

static const u8 ganged_4_ports[] = {9, HUB, 4, GANGED | INDICATORS | THINK_TIME_32, 0x00, 50, 100, 0x00, 0xff};
static const u8 each_7_ports[] = {9, HUB, 7, EACH | OVERCURRENT_EACH | INDICATORS, 0x00, 50, 100, 0x00, 0xff};
/* A monitor's: its third port is soldered. */
static const u8 each_compound[] = {9, HUB, 3, EACH | COMPOUND | OVERCURRENT_EACH, 0x00, 22, 1, 0x08, 0xff};
/* Eight ports and more have longer lists behind. */
static const u8 each_10_ports[] = {11, HUB, 10, EACH | OVERCURRENT_EACH, 0x00, 50, 100, 0x00, 0x00, 0xff, 0xff};
static const u8 none_4_ports[] = {9, HUB, 4, RESERVED | OVERCURRENT_NONE, 0x00, 1, 100, 0x00, 0xff};
/* The other value of the two that say so. */
static const u8 none_either[] = {9, HUB, 4, RESERVED | EACH | OVERCURRENT_NONE, 0x00, 1, 100, 0x00, 0xff};
static const u8 super_each[] = {12, SUPER_HUB, 4, EACH | OVERCURRENT_EACH, 0x00, 50, 0, 4, 0xf4, 0x01, 0x00, 0x00};
static const u8 super_ganged[] = {12, SUPER_HUB, 4, GANGED, 0x00, 50, 0, 4, 0xf4, 0x01, 0x00, 0x00};
static const u8 super_none[] = {12, SUPER_HUB, 4, RESERVED | COMPOUND, 0x00, 0, 0, 4, 0xf4, 0x01, 0x1e, 0x00};
/* The bits of the high byte are reserved, and may be anything. */
static const u8 high_byte[] = {9, HUB, 4, EACH, 0xfe, 50, 100, 0x00, 0xff};
static const u8 a_device[] = {18, 1, 4, EACH, 0x02, 9, 0, 1, 64, 0x6b, 0x1d, 2, 0, 1, 5, 3, 2, 1};
static const u8 a_config[] = {9, 2, 25, 0, 1, 1, 0, 0xe0, 0};

static u8 *page;
static size_t page_bytes;

/* Nothing may be read behind the last byte: a page that cannot be is there. */
static enum usbpass_hub_power power_of(const u8 *descriptor, size_t bytes)
{
	u8 *at = page + page_bytes - bytes;

	memcpy(at, descriptor, bytes);
	return usbpass_hub_power(at, bytes);
}

TAP_SETUP
{
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	page = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(page != MAP_FAILED);
	ASSERT_EQ(0, mprotect(page + page_bytes, page_bytes, PROT_NONE));
}

#define EXPECT_POWER(power, descriptor) EXPECT_EQ(power, power_of(descriptor, sizeof(descriptor)))

TEST("a ganged hub is told from one that switches each port and from one that switches none")
{
	EXPECT_POWER(USBPASS_HUB_POWER_GANGED, ganged_4_ports);
	EXPECT_POWER(USBPASS_HUB_POWER_PORT, each_7_ports);
	EXPECT_POWER(USBPASS_HUB_POWER_PORT, each_compound);
	EXPECT_POWER(USBPASS_HUB_POWER_PORT, each_10_ports);
	EXPECT_POWER(USBPASS_HUB_POWER_NONE, none_4_ports);
	EXPECT_POWER(USBPASS_HUB_POWER_NONE, none_either);
}

TEST("so is a SuperSpeed hub, whose descriptor is of another type and length")
{
	EXPECT_POWER(USBPASS_HUB_POWER_PORT, super_each);
	EXPECT_POWER(USBPASS_HUB_POWER_GANGED, super_ganged);
	EXPECT_POWER(USBPASS_HUB_POWER_NONE, super_none);
}

TEST("no bit but those two counts")
{
	u8 hub[9];
	unsigned int bit;

	EXPECT_POWER(USBPASS_HUB_POWER_PORT, high_byte);
	for (bit = 2; bit < 16; bit++) {
		memcpy(hub, ganged_4_ports, sizeof(hub));
		hub[3] = bit < 8 ? 1 << bit : 0;
		hub[4] = bit < 8 ? 0 : 1 << (bit - 8);
		EXPECT_POWER(USBPASS_HUB_POWER_GANGED, hub);
		hub[3] |= EACH;
		EXPECT_POWER(USBPASS_HUB_POWER_PORT, hub);
	}
}

TEST("what ends within the fields that every hub has, or is no hub's, switches nothing")
{
	size_t bytes;

	for (bytes = 0; bytes < 7; bytes++)
		EXPECT_EQ(USBPASS_HUB_POWER_NONE, power_of(each_7_ports, bytes));
	EXPECT_EQ(USBPASS_HUB_POWER_PORT, power_of(each_7_ports, 7));
	for (bytes = 0; bytes < sizeof(super_each); bytes++)
		EXPECT_EQ(USBPASS_HUB_POWER_NONE, power_of(super_each, bytes));
	EXPECT_POWER(USBPASS_HUB_POWER_NONE, a_device);
	EXPECT_POWER(USBPASS_HUB_POWER_NONE, a_config);
}

TAP_MAIN
