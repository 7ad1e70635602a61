/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One table an object says where each attribute of its nest lives in its
 * struct; encoding, decoding and the names in errors come from it.
 */
#ifndef _LIBUSBPASS_CODEC_H
#define _LIBUSBPASS_CODEC_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include "usbpass.h"

#define CODEC_ERRNO_MAX	4095	/* the kernel's MAX_ERRNO */

enum codec_type {
	CODEC_U8,
	CODEC_U16,
	CODEC_U32,
	CODEC_S32,
	CODEC_ERRNO,		/* int32_t: 0 or a negative errno; only received */
	CODEC_U64,
	CODEC_STRING,		/* char[size] in the struct */
	CODEC_TEXT,		/* char *, malloc(3)ed */
	CODEC_LIST,		/* repeated; the object's own functions do it */
};

struct codec_field {
	uint8_t attr, type;
	bool in;		/* a request may carry it */
	uint16_t offset, size;
	const char *name;
};

struct codec {
	const char *name;
	uint16_t nest;		/* USBPASS_A_GROUP, ... */
	size_t size;		/* of the struct, which begins with `has` */
	const struct codec_field *fields;
	size_t n_fields;
	/* CODEC_LIST: one more element; all elements. May be NULL. */
	int (*decode_element)(void *object, struct nlattr *attr);
	int (*encode_list)(struct nl_msg *msg, const void *object);
	void (*clear)(void *object);	/* frees what the object owns. May be NULL */
};

extern const struct codec usbpass_codec_info, usbpass_codec_device, usbpass_codec_group,
	usbpass_codec_rule, usbpass_codec_attachment, usbpass_codec_event, usbpass_codec_learned;

/* Appends the nest with the fields that are present and may be sent. -EMSGSIZE: too large. */
int usbpass_codec_encode(struct nl_msg *msg, const struct codec *codec, const void *object);

/* Overwrites @object. -EBADMSG or -ENOMEM; then it owns nothing. */
int usbpass_codec_decode(struct nlattr *nest, const struct codec *codec, void *object);

/* The object of a top-level attribute, NULL: none. */
const struct codec *usbpass_codec_of_nest(unsigned int nest);
const struct codec_field *usbpass_codec_field(const struct codec *codec, unsigned int attr);

#endif /* _LIBUSBPASS_CODEC_H */
