// SPDX-License-Identifier: GPL-2.0
// libs: libnl-genl-3.0
// link: ../userspace/libusbpass.a
//
// match_bench <DEVICES: ask the rules in force, in a region that count.c counts, about a described device a line:
// "VENDOR PRODUCT RULE", of which RULE is the one that must win, - for none.
#include <stdio.h>
#include <string.h>
#include "marker.h"
#include "message.h"

#define DEVICES	1000

struct question {
	struct usbpass_device device;
	char rule[USBPASS_NAME_MAX + 1];
};

static struct question questions[DEVICES];

static int read_questions(void)
{
	unsigned int vendor, product;
	int n = 0;

	while (n < DEVICES && scanf("%x %x %63s", &vendor, &product, questions[n].rule) == 3) {
		struct usbpass_device *device = &questions[n++].device;

		device->has = USBPASS_HAS(USBPASS_A_DEVICE_VENDOR) |
			      USBPASS_HAS(USBPASS_A_DEVICE_PRODUCT) |
			      USBPASS_HAS(USBPASS_A_DEVICE_PRODUCT_NAME) |
			      USBPASS_HAS(USBPASS_A_DEVICE_SERIAL);
		device->vendor = vendor;
		device->product = product;
		strcpy(device->product_name, "Measuring Board 42");
		strcpy(device->serial, "SN00004711");
	}
	return n;
}

static int take(struct nlattr **tb, void *arg)
{
	return tb[USBPASS_A_RULE] ? usbpass_codec_decode(tb[USBPASS_A_RULE], &usbpass_codec_rule, arg) : 0;
}

static int ask(struct usbpass *h, const struct question *question)
{
	struct nl_msg *msg = usbpass_message_new(h, USBPASS_CMD_RULE_TEST, 0);
	struct usbpass_rule won = {};
	int ret;

	if (!msg)
		return -1;
	usbpass_codec_encode(msg, &usbpass_codec_device, &question->device);
	ret = usbpass_message_call(h, h->calls, msg, take, &won);
	if (ret) {
		fprintf(stderr, "match_bench: %s\n", usbpass_error(h));
	} else if (strcmp(won.has ? won.name : "-", question->rule)) {
		fprintf(stderr, "match_bench: %04x:%04x is the rule %s's, not %s's\n", question->device.vendor,
			question->device.product, won.has ? won.name : "-", question->rule);
		ret = -1;
	}
	usbpass_rule_clear(&won);
	return ret;
}

int main(void)
{
	int n = read_questions(), ret = 0;
	struct usbpass *h;

	if (!n || usbpass_open(&h)) {
		fprintf(stderr, "match_bench: no devices, or no module\n");
		return 1;
	}
	MARK(MARKER_BEGIN);
	for (int i = 0; i < n && !ret; i++)
		ret = ask(h, &questions[i]);
	MARK(MARKER_END);
	usbpass_close(h);
	return ret ? 1 : 0;
}
