// SPDX-License-Identifier: GPL-2.0
/*
 * Any nest decodes within its bytes or is refused; what is decoded goes to the kernel and back unchanged; and a rule that the
 * kernel may hold prints as text that reads back.
 */
#include <errno.h>
#include "codec.h"
#include "names.h"
#include "same_rule.h"

static const struct codec *const codecs[] = {
	&usbpass_codec_info, &usbpass_codec_device, &usbpass_codec_group,
	&usbpass_codec_rule, &usbpass_codec_attachment, &usbpass_codec_event,
};

union object {
	uint64_t has;
	struct usbpass_info info;
	struct usbpass_device device;
	struct usbpass_group group;
	struct usbpass_rule rule;
	struct usbpass_attachment attachment;
	struct usbpass_event event;
};

static void clear(const struct codec *codec, union object *object)
{
	if (codec->clear)
		codec->clear(object);
}

static void check_fields(const struct codec *codec, const union object *object)
{
	for (size_t i = 0; i < codec->n_fields; i++) {
		const struct codec_field *field = &codec->fields[i];
		const char *at = (const char *)object + field->offset;

		if (field->type == CODEC_STRING)
			CHECK(strnlen(at, field->size) < field->size, "%s.%s has no end", codec->name, field->name);
	}
}

static void check_same(const struct codec *codec, const union object *a, const union object *b)
{
	for (size_t i = 0; i < codec->n_fields; i++) {
		const struct codec_field *field = &codec->fields[i];
		const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
		bool same = true;

		if (!field->in || !(a->has & USBPASS_HAS(field->attr)))
			continue;
		CHECK(b->has & USBPASS_HAS(field->attr), "%s.%s is lost", codec->name, field->name);
		if (field->type == CODEC_STRING)
			same = !strcmp(x, y);
		else if (field->type == CODEC_TEXT)
			same = !strcmp(*(char *const *)x, *(char *const *)y);
		else if (field->type != CODEC_LIST)
			same = !memcmp(x, y, field->size);
		CHECK(same, "%s.%s came back as another", codec->name, field->name);
	}
}

/* What nl_rule.c lets in; everything else only a newer module can send. */
static bool kernel_takes(const struct usbpass_rule *rule)
{
	for (size_t i = 0; i < rule->n_conds; i++) {
		const struct usbpass_cond *cond = &rule->conds[i];
		enum usbpass_kind kind = usbpass_rule_text_kind(cond->field);
		bool any = cond->field == USBPASS_FIELD_ANY, string = kind == USBPASS_KIND_STRING;

		if ((!any && kind == USBPASS_KIND_NONE) || (any && (rule->n_conds > 1 || cond->number)) ||
		    string != !!cond->string || (string && (cond->number || strlen(cond->string) > USBPASS_STRING_MAX)) ||
		    cond->op < USBPASS_OP_EQ || cond->op > USBPASS_OP_NE || (any && cond->op != USBPASS_OP_EQ) ||
		    cond->quantifier > USBPASS_QUANTIFIER_NONE ||
		    (cond->quantifier && cond->field != USBPASS_FIELD_INTERFACE_CLASS) ||
		    ((kind == USBPASS_KIND_HEX || kind == USBPASS_KIND_BCD) && cond->number > UINT16_MAX) ||
		    (kind == USBPASS_KIND_REMOVABLE && cond->number > USBPASS_REMOVABLE_NO))
			return false;
		if (kind == USBPASS_KIND_CLASS &&
		    (cond->number > 0xffffff ||
		     (cond->mask != 0xff0000 && cond->mask != 0xffff00 && cond->mask != 0xffffff)))
			return false;
	}
	return rule->n_conds;
}

static void check_text(struct usbpass_rule *rule)
{
	if (!kernel_takes(rule))
		return;
	for (size_t i = 0; i < rule->n_conds; i++)
		if (usbpass_rule_text_kind(rule->conds[i].field) != USBPASS_KIND_CLASS)
			rule->conds[i].mask = 0;
	check_prints(rule, usbpass_names_printable);
}

static void send_back(const struct codec *codec, const union object *object)
{
	struct nl_msg *msg = nlmsg_alloc_size(32768);
	union object back;
	struct nlattr *nest;

	CHECK(msg && nlmsg_put(msg, 0, 0, 0x20, 0, 0), "no memory");
	if (usbpass_codec_encode(msg, codec, object) == 0) {
		nest = nlmsg_find_attr(nlmsg_hdr(msg), 0, codec->nest);
		CHECK(nest, "%s has no nest", codec->name);
		CHECK(usbpass_codec_decode(nest, codec, &back) == 0, "%s is refused on its way back", codec->name);
		check_same(codec, object, &back);
		if (codec == &usbpass_codec_rule && kernel_takes(&object->rule))
			check_same_conds(&object->rule, &back.rule, object->rule.name);
		clear(codec, &back);
	}
	nlmsg_free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const union object empty;
	const struct codec *codec;
	struct nlattr *nest;
	union object object;
	int ret;

	if (size < 1 || size - 1 > UINT16_MAX - NLA_HDRLEN)
		return 0;
	codec = codecs[data[0] % (sizeof(codecs) / sizeof(codecs[0]))];
	nest = malloc(NLA_HDRLEN + size - 1);
	nest->nla_type = codec->nest;
	nest->nla_len = NLA_HDRLEN + size - 1;
	memcpy(nla_data(nest), data + 1, size - 1);
	memset(&object, 0xa5, sizeof(object));
	ret = usbpass_codec_decode(nest, codec, &object);
	CHECK(ret == 0 || ret == -EBADMSG, "%s refused with %d", codec->name, ret);
	if (ret) {
		CHECK(!memcmp(&object, &empty, codec->size), "a refused %s leaves something", codec->name);
	} else {
		check_fields(codec, &object);
		send_back(codec, &object);
		if (codec == &usbpass_codec_rule)
			check_text(&object.rule);
		clear(codec, &object);
	}
	free(nest);
	return 0;
}
