// SPDX-License-Identifier: GPL-2.0
/*
 * usbip's PDUs after the attach, Documentation/usb/usbip_protocol.rst. All
 * fields are big endian. A PDU is sent by one sendmsg() of the controller, so
 * once its header is there the rest follows: reading may block.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "emu_private.h"

#define CMD_SUBMIT 1
#define CMD_UNLINK 2
#define RET_SUBMIT 3
#define RET_UNLINK 4

#define PACKETS_MAX 1024	/* of one isochronous URB, as usbip's own limit */
#define LENGTH_MAX (64u << 20)

struct header {
	uint32_t command, seqnum, devid, direction, ep;
	union {
		struct {
			uint32_t flags, length, start_frame, packets, interval;
			uint8_t setup[8];
		} submit;
		struct {
			int32_t status;
			uint32_t actual, start_frame, packets, errors;
		} result;
		uint32_t unlink_seqnum;
		int32_t unlink_status;
		uint8_t size[28];
	};
};

_Static_assert(sizeof(struct header) == 48, "usbip headers are 48 bytes");

struct iso_packet {
	uint32_t offset, length, actual, status;
};

static int receive(int sock, void *buffer, size_t len)
{
	ssize_t got = recv(sock, buffer, len, MSG_WAITALL);

	return got == (ssize_t)len ? 0 : -ECONNRESET;
}

/* What follows the header, in the order it does. */
static int receive_payload(struct emu *emu, struct emu_urb *urb, bool out)
{
	if (out && urb->length) {
		urb->data = malloc(urb->length);
		if (!urb->data || receive(emu->sock, urb->data, urb->length))
			return -ECONNRESET;
	}
	if (urb->packets) {
		urb->iso = malloc(urb->packets * sizeof(struct iso_packet));
		if (!urb->iso || receive(emu->sock, urb->iso,
					 urb->packets * sizeof(struct iso_packet)))
			return -ECONNRESET;
	}
	return 0;
}

static int receive_submit(struct emu *emu, const struct header *header)
{
	bool out = !ntohl(header->direction);
	struct emu_urb *urb = calloc(1, sizeof(*urb));
	struct emu_endpoint endpoint;
	int ret;

	if (!urb)
		return -ENOMEM;
	urb->seqnum = ntohl(header->seqnum);
	urb->ep = (uint8_t)((ntohl(header->ep) & 0x0f) | (out ? 0 : 0x80));
	urb->flags = ntohl(header->submit.flags);
	urb->length = urb->room = ntohl(header->submit.length);
	memcpy(urb->setup, header->submit.setup, sizeof(urb->setup));
	/* the field means something for isochronous endpoints only */
	if ((urb->ep & 0x0f) && emu_desc_find(emu, urb->ep, &endpoint) &&
	    (endpoint.attributes & 3) == 1)
		urb->packets = ntohl(header->submit.packets);
	if (urb->length > LENGTH_MAX || urb->packets > PACKETS_MAX)
		ret = -EPROTO;
	else
		ret = receive_payload(emu, urb, out);
	if (ret) {
		emu_urb_free(urb);
	} else {
		emu_urb_submit(emu, urb);
		if (emu->leaving)
			emu_urb_fail(emu, false);
	}
	return ret;
}

/* One PDU. An error means that the stream is over. */
int emu_wire_receive(struct emu *emu)
{
	struct header header;

	if (receive(emu->sock, &header, sizeof(header)))
		return -ECONNRESET;
	switch (ntohl(header.command)) {
	case CMD_SUBMIT:
		return receive_submit(emu, &header);
	case CMD_UNLINK:
		emu_urb_unlink(emu, ntohl(header.seqnum),
			       ntohl(header.unlink_seqnum));
		return 0;
	default:
		return -EPROTO;
	}
}

/*
 * Blocking is safe: the controller has a thread that does nothing but read
 * this. An error needs no care here, the next read sees the end of file.
 */
static void transmit(struct emu *emu, struct iovec *iov, size_t count)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };
	ssize_t sent;

	while (msg.msg_iovlen) {
		sent = sendmsg(emu->sock, &msg, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return;
		while (msg.msg_iovlen && (size_t)sent >= msg.msg_iov->iov_len) {
			sent -= (ssize_t)msg.msg_iov->iov_len;
			msg.msg_iov++;
			msg.msg_iovlen--;
		}
		if (msg.msg_iovlen) {
			msg.msg_iov->iov_base =
				(char *)msg.msg_iov->iov_base + sent;
			msg.msg_iov->iov_len -= (size_t)sent;
		}
	}
}

void emu_wire_return(struct emu *emu, const struct emu_urb *urb, int status)
{
	struct header header = {
		.command = htonl(RET_SUBMIT),
		.seqnum = htonl(urb->seqnum),
		.result.status = (int32_t)htonl((uint32_t)status),
		.result.actual = htonl(urb->actual),
		.result.packets = htonl(urb->packets),
	};
	struct iovec iov[3] = { { &header, sizeof(header) } };
	size_t count = 1;

	if ((urb->ep & 0x80) && urb->actual)
		iov[count++] = (struct iovec){ urb->data, urb->actual };
	if (urb->packets)
		iov[count++] = (struct iovec){
			urb->iso, urb->packets * sizeof(struct iso_packet) };
	transmit(emu, iov, count);
}

void emu_wire_return_unlink(struct emu *emu, uint32_t seqnum, int status)
{
	struct header header = {
		.command = htonl(RET_UNLINK),
		.seqnum = htonl(seqnum),
		.unlink_status = (int32_t)htonl((uint32_t)status),
	};
	struct iovec iov = { &header, sizeof(header) };

	transmit(emu, &iov, 1);
}
