// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "codec.h"

static const struct codec *const codecs[] = {
	&usbpass_codec_info, &usbpass_codec_device, &usbpass_codec_group,
	&usbpass_codec_rule, &usbpass_codec_attachment, &usbpass_codec_event,
	&usbpass_codec_learned,
};

const struct codec *usbpass_codec_of_nest(unsigned int nest)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (codecs[i]->nest == nest)
			return codecs[i];
	return NULL;
}

const struct codec_field *usbpass_codec_field(const struct codec *codec, unsigned int attr)
{
	for (size_t i = 0; i < codec->n_fields; i++)
		if (codec->fields[i].attr == attr)
			return &codec->fields[i];
	return NULL;
}

static int encode_field(struct nl_msg *msg, const struct codec_field *field, const void *at)
{
	switch (field->type) {
	case CODEC_U8:
		return nla_put_u8(msg, field->attr, *(const uint8_t *)at);
	case CODEC_U16:
		return nla_put_u16(msg, field->attr, *(const uint16_t *)at);
	case CODEC_U32:
		return nla_put_u32(msg, field->attr, *(const uint32_t *)at);
	case CODEC_S32:
		return nla_put_s32(msg, field->attr, *(const int32_t *)at);
	case CODEC_U64:
		return nla_put_u64(msg, field->attr, *(const uint64_t *)at);
	case CODEC_STRING:
		return nla_put_string(msg, field->attr, at);
	case CODEC_TEXT: {
		const char *text = *(char *const *)at;

		return nla_put_string(msg, field->attr, text ? text : "");
	}
	default:
		return 0;
	}
}

int usbpass_codec_encode(struct nl_msg *msg, const struct codec *codec, const void *object)
{
	const uint64_t has = *(const uint64_t *)object;
	struct nlattr *nest = nla_nest_start(msg, codec->nest | NLA_F_NESTED);

	if (!nest)
		return -EMSGSIZE;
	for (size_t i = 0; i < codec->n_fields; i++) {
		const struct codec_field *field = &codec->fields[i];

		if (!field->in || !(has & USBPASS_HAS(field->attr)))
			continue;
		if (encode_field(msg, field, (const char *)object + field->offset) < 0)
			return -EMSGSIZE;
		if (field->type == CODEC_LIST && codec->encode_list(msg, object) < 0)
			return -EMSGSIZE;
	}
	/* An empty nest must stay: it says which kind of object is meant. */
	nla_nest_end_keep_empty(msg, nest);
	return 0;
}

static size_t width(uint8_t type)
{
	switch (type) {
	case CODEC_U8:
		return 1;
	case CODEC_U16:
		return 2;
	case CODEC_U32:
	case CODEC_S32:
	case CODEC_ERRNO:
		return 4;
	case CODEC_U64:
		return 8;
	default:
		return 0;
	}
}

static int decode_field(const struct codec_field *field, struct nlattr *attr, void *at)
{
	size_t len = nla_len(attr);
	const char *data = nla_data(attr);

	switch (field->type) {
	case CODEC_STRING:
		len = strnlen(data, len);
		if (len >= field->size)
			return -EBADMSG;
		memcpy(at, data, len);
		((char *)at)[len] = '\0';
		return 0;
	case CODEC_TEXT:
		free(*(char **)at);
		*(char **)at = strndup(data, len);
		return *(char **)at ? 0 : -ENOMEM;
	default:
		if (len != width(field->type))
			return -EBADMSG;
		memcpy(at, data, len);
		if (field->type == CODEC_ERRNO &&
		    (*(int32_t *)at > 0 || *(int32_t *)at < -CODEC_ERRNO_MAX))
			return -EBADMSG;
		return 0;
	}
}

int usbpass_codec_decode(struct nlattr *nest, const struct codec *codec, void *object)
{
	uint64_t *has = object;
	struct nlattr *attr;
	int rem, ret = 0;

	memset(object, 0, codec->size);
	nla_for_each_nested(attr, nest, rem) {
		const struct codec_field *field = usbpass_codec_field(codec, nla_type(attr));

		if (!field)
			continue;	/* padding, or of a newer module */
		if (field->type == CODEC_LIST)
			ret = codec->decode_element(object, attr);
		else
			ret = decode_field(field, attr, (char *)object + field->offset);
		if (ret < 0)
			break;
		*has |= USBPASS_HAS(field->attr);
	}
	if (ret < 0) {
		if (codec->clear)
			codec->clear(object);
		memset(object, 0, codec->size);
	}
	return ret;
}
