// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"

int usbpass_device_get(struct usbpass *h, uint32_t id, struct usbpass_device *out)
{
	struct usbpass_device in = { .has = USBPASS_HAS(USBPASS_A_DEVICE_ID), .id = id };

	memset(out, 0, sizeof(*out));
	return usbpass_message_object(h, USBPASS_CMD_DEVICE_GET, &usbpass_codec_device, &in, 0,
				      out);
}

int usbpass_device_list(struct usbpass *h, struct usbpass_device **out, size_t *n)
{
	return usbpass_message_list(h, USBPASS_CMD_DEVICE_GET, &usbpass_codec_device, NULL,
				    (void **)out, n);
}

void usbpass_device_clear(struct usbpass_device *device)
{
	free(device->interface_classes);
	device->interface_classes = NULL;
	device->n_interface_classes = 0;
}

void usbpass_device_list_free(struct usbpass_device *list, size_t n)
{
	usbpass_message_list_free(&usbpass_codec_device, list, n);
}

static int take_job(struct nlattr **tb, void *arg)
{
	if (tb[USBPASS_A_JOB] && nla_len(tb[USBPASS_A_JOB]) == sizeof(uint32_t))
		*(uint32_t *)arg = nla_get_u32(tb[USBPASS_A_JOB]);
	return 0;
}

static int job_call(struct usbpass *h, uint8_t cmd, const struct usbpass_device *in, uint32_t flags,
		    int timeout)
{
	struct nl_msg *msg;
	uint32_t job = 0;
	int ret;

	/* Before the job can end. Without room for a subscriber job_wait asks instead. */
	if (timeout && !h->events) {
		ret = usbpass_event_subscribe(h, NULL, 0);
		if (ret < 0 && ret != -ENOSPC)
			return ret;
	}
	msg = usbpass_message_new(h, cmd, 0);
	if (!msg)
		return -ENOMEM;
	ret = usbpass_codec_encode(msg, &usbpass_codec_device, in);
	if (!ret && flags)
		ret = nla_put_u32(msg, USBPASS_A_FLAGS, flags);
	if (ret < 0) {
		nlmsg_free(msg);
		return usbpass_handle_fail(h, -EMSGSIZE, "the request is too large");
	}
	ret = usbpass_message_call(h, h->calls, msg, take_job, &job);
	if (ret < 0 || !timeout)
		return ret;
	return job ? usbpass_job_wait(h, job, timeout) : 0;
}

int usbpass_device_claim(struct usbpass *h, uint32_t id, const char *reason, uint32_t flags,
			 int timeout)
{
	struct usbpass_device in = { .has = USBPASS_HAS(USBPASS_A_DEVICE_ID), .id = id };

	if (reason) {
		snprintf(in.reason, sizeof(in.reason), "%s", reason);
		in.has |= USBPASS_HAS(USBPASS_A_DEVICE_REASON);
	}
	return job_call(h, USBPASS_CMD_DEVICE_CLAIM, &in, flags, timeout);
}

int usbpass_device_release(struct usbpass *h, uint32_t id, uint32_t flags, int timeout)
{
	struct usbpass_device in = { .has = USBPASS_HAS(USBPASS_A_DEVICE_ID), .id = id };

	return job_call(h, USBPASS_CMD_DEVICE_RELEASE, &in, flags, timeout);
}
