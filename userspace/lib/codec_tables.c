// SPDX-License-Identifier: GPL-2.0
/* Which attribute lives where. In the order of linux/usbpass.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "codec.h"
#include "rule_regex.h"
#include "rule_text.h"

#define FIELD(kind, type_, in_, ATTR, object, member, label) {			\
	.attr = USBPASS_A_##kind##_##ATTR, .type = CODEC_##type_, .in = (in_),	\
	.offset = offsetof(struct object, member),				\
	.size = sizeof(((struct object *)0)->member), .name = (label) }

#define IN	true
#define OUT	false
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define F(type, ATTR, member, label) FIELD(INFO, type, OUT, ATTR, usbpass_info, member, label)
static const struct codec_field info_fields[] = {
	F(STRING, VERSION, version, "version"),
	F(U64, FEATURES, features, "features"),
	F(STRING, NODE, node, "node"),
	F(U32, DEVICES, devices, "devices"),
	F(U32, CLAIMED, claimed, "claimed"),
	F(U32, LEASES, leases, "leases"),
	F(U32, GROUPS, groups, "groups"),
	F(U32, RULES, rules, "rules"),
	F(U32, ATTACHMENTS, attachments, "attachments"),
	F(U64, EVENT_SEQ, event_seq, "event-seq"),
	F(U64, TRANSFER_BYTES, transfer_bytes, "transfer-bytes"),
	F(U32, HOLD_MS, hold_ms, "hold-ms"),
	F(U32, CONFIRM_MS, confirm_ms, "confirm-ms"),
	F(U8, MAINTENANCE, maintenance, "maintenance"),
};
#undef F

#define F(type, in, ATTR, member, label) FIELD(DEVICE, type, in, ATTR, usbpass_device, member, label)
static const struct codec_field device_fields[] = {
	F(U32, IN, ID, id, "id"),
	F(U8, OUT, STATE, state, "state"),
	F(STRING, IN, REASON, reason, "reason"),
	F(STRING, OUT, REMEDY, remedy, "remedy"),
	F(U32, OUT, FLAGS, flags, "flags"),
	F(STRING, IN, SOCKET, socket, "socket"),
	F(STRING, OUT, BUSID, busid, "busid"),
	F(U32, IN, BUS, bus, "bus"),
	F(U32, IN, ADDRESS, address, "address"),
	F(U32, IN, LEVEL, level, "level"),
	F(U16, IN, VENDOR, vendor, "vendor"),
	F(U16, IN, PRODUCT, product, "product"),
	F(U16, IN, BCD_USB, bcd_usb, "usb-version"),
	F(U16, IN, BCD_DEVICE, bcd_device, "bcd-device"),
	F(U32, IN, CLASS, class, "class"),
	F(STRING, IN, VENDOR_NAME, vendor_name, "vendor-name"),
	F(STRING, IN, PRODUCT_NAME, product_name, "product-name"),
	F(STRING, IN, SERIAL, serial, "serial"),
	F(U32, IN, SPEED, speed, "speed"),
	F(U8, IN, REMOVABLE, removable, "removable"),
	F(U32, IN, INTERFACES, interfaces, "interfaces"),
	F(LIST, IN, INTERFACE_CLASS, interface_classes, "interface-class"),
	F(U64, OUT, TIME, time, "time"),
	F(STRING, OUT, GROUP, group, "group"),
	F(U32, OUT, RULE, rule, "rule"),
	F(STRING, OUT, RULE_NAME, rule_name, "rule-name"),
	F(STRING, OUT, ATTACH, attach, "attach"),
	F(STRING, OUT, OWNER, owner, "owner"),
	F(U32, OUT, RESETS, resets, "resets"),
};
#undef F

#define F(type, in, ATTR, member, label) FIELD(GROUP, type, in, ATTR, usbpass_group, member, label)
static const struct codec_field group_fields[] = {
	F(U32, IN, ID, id, "id"),
	F(STRING, IN, NAME, name, "name"),
	F(STRING, OUT, OWNER, owner, "owner"),
	F(U8, IN, TYPE, type, "type"),
	F(U8, IN, CLASS, class, "class"),
	F(U8, IN, RESET, reset, "reset"),
	F(U8, IN, ENABLED, enabled, "enabled"),
	F(STRING, IN, DESCRIPTION, description, "description"),
	F(U32, OUT, DEVICES, devices, "devices"),
	F(U32, OUT, FREE, free, "free"),
};
#undef F

#define F(type, in, ATTR, member, label) FIELD(RULE, type, in, ATTR, usbpass_rule, member, label)
static const struct codec_field rule_fields[] = {
	F(U32, IN, ID, id, "id"),
	F(STRING, IN, NAME, name, "name"),
	F(S32, IN, PRIORITY, priority, "priority"),
	F(U8, IN, ACTION, action, "action"),
	F(STRING, IN, GROUP, group, "group"),
	F(U8, IN, ORIGIN, origin, "origin"),
	F(U8, IN, ENABLED, enabled, "enabled"),
	F(TEXT, IN, DESCRIPTION, description, "description"),
	F(U64, OUT, HITS, hits, "hits"),
	F(LIST, IN, COND, conds, "match"),
};
#undef F

#define F(type, in, ATTR, member, label) \
	FIELD(ATTACH, type, in, ATTR, usbpass_attachment, member, label)
static const struct codec_field attachment_fields[] = {
	F(U32, IN, ID, id, "id"),
	F(STRING, IN, NAME, name, "name"),
	F(STRING, IN, SLUG, slug, "slug"),
	F(STRING, OUT, OWNER, owner, "owner"),
	F(STRING, IN, GROUP, group, "group"),
	F(STRING, IN, VM, vm, "vm"),
	F(STRING, IN, DESCRIPTION, description, "description"),
	F(U8, IN, RESET, reset, "reset"),
	F(U8, IN, OPTIONAL, optional, "optional"),
	F(U8, IN, FOLLOW, follow, "follow"),
	F(U8, IN, ENABLED, enabled, "enabled"),
	F(U32, IN, UID, uid, "uid"),
	F(U32, IN, GID, gid, "gid"),
	F(U16, IN, PIN_VENDOR, pin_vendor, "pin-vendor"),
	F(U16, IN, PIN_PRODUCT, pin_product, "pin-product"),
	F(STRING, IN, PIN_SERIAL, pin_serial, "pin-serial"),
	F(STRING, IN, PIN_SOCKET, pin_socket, "pin-socket"),
	F(U32, OUT, SLOT, slot, "slot"),
	F(U8, OUT, STATE, state, "state"),
	F(STRING, OUT, REASON, reason, "reason"),
	F(STRING, OUT, REMEDY, remedy, "remedy"),
	F(U32, OUT, DEVICE, device, "device"),
	F(U32, OUT, PID, pid, "pid"),
	F(STRING, OUT, COMM, comm, "comm"),
	F(U32, OUT, OPENER_UID, opener_uid, "opener-uid"),
	F(U64, OUT, URBS, urbs, "urbs"),
	F(U64, OUT, BYTES, bytes, "bytes"),
	F(U32, OUT, RESETS, resets, "resets"),
};
#undef F

#define F(type, ATTR, member, label) FIELD(EVENT, type, OUT, ATTR, usbpass_event, member, label)
static const struct codec_field event_fields[] = {
	F(U64, SEQ, seq, "seq"),
	F(U64, TIME, time, "time"),
	F(U8, TYPE, type, "type"),
	F(U64, LOST, lost, "lost"),
	F(U32, DEVICE, device, "device"),
	F(STRING, SOCKET, socket, "socket"),
	F(U16, VENDOR, vendor, "vendor"),
	F(U16, PRODUCT, product, "product"),
	F(STRING, GROUP, group, "group"),
	F(U32, RULE, rule, "rule"),
	F(STRING, ATTACH, attach, "attach"),
	F(U8, STATE, state, "state"),
	F(U32, JOB, job, "job"),
	F(ERRNO, RESULT, result, "result"),
	F(STRING, REASON, reason, "reason"),
	F(U64, GENERATION, generation, "generation"),
	F(U32, PID, pid, "pid"),
	F(U32, UID, uid, "uid"),
	F(STRING, COMM, comm, "comm"),
	F(U8, RESET, reset, "reset"),
	F(STRING, PORT, port, "port"),
};
#undef F

#define F(type, in, ATTR, member, label) FIELD(LEARNED, type, in, ATTR, usbpass_learned, member, label)
static const struct codec_field learned_fields[] = {
	F(U16, IN, VENDOR, vendor, "vendor"),
	F(U16, IN, PRODUCT, product, "product"),
	F(STRING, IN, SERIAL, serial, "serial"),
	F(STRING, IN, SOCKET, socket, "socket"),
	F(STRING, OUT, OWNER, owner, "owner"),
	F(U64, IN, UNTIL, until, "until"),
};
#undef F

static int device_interface_class(void *object, struct nlattr *attr)
{
	struct usbpass_device *device = object;
	uint32_t *list;

	if (nla_len(attr) != sizeof(*list))
		return -EBADMSG;
	list = reallocarray(device->interface_classes, device->n_interface_classes + 1,
			    sizeof(*list));
	if (!list)
		return -ENOMEM;
	device->interface_classes = list;
	list[device->n_interface_classes++] = nla_get_u32(attr);
	return 0;
}

static int device_interface_classes(struct nl_msg *msg, const void *object)
{
	const struct usbpass_device *device = object;

	for (size_t i = 0; i < device->n_interface_classes; i++)
		if (nla_put_u32(msg, USBPASS_A_DEVICE_INTERFACE_CLASS,
				device->interface_classes[i]) < 0)
			return -EMSGSIZE;
	return 0;
}

static void device_clear(void *object)
{
	usbpass_device_clear(object);
}

/* @to keeps what it has where the attribute is absent. */
static int cond_number(const struct nlattr *attr, void *to, int size)
{
	if (!attr)
		return 0;
	if (nla_len(attr) != size)
		return -EBADMSG;
	memcpy(to, nla_data(attr), size);
	return 0;
}

static int rule_cond(void *object, struct nlattr *attr)
{
	struct usbpass_cond cond = { .op = USBPASS_OP_EQ, .mask = 0xffffff };
	struct nlattr *tb[USBPASS_A_COND_MAX + 1], *string;
	int ret;

	if (nla_parse_nested(tb, USBPASS_A_COND_MAX, attr, NULL) < 0 || !tb[USBPASS_A_COND_FIELD] ||
	    cond_number(tb[USBPASS_A_COND_FIELD], &cond.field, sizeof(cond.field)) ||
	    cond_number(tb[USBPASS_A_COND_OP], &cond.op, sizeof(cond.op)) ||
	    cond_number(tb[USBPASS_A_COND_QUANTIFIER], &cond.quantifier, sizeof(cond.quantifier)) ||
	    cond_number(tb[USBPASS_A_COND_NUMBER], &cond.number, sizeof(cond.number)) ||
	    cond_number(tb[USBPASS_A_COND_MASK], &cond.mask, sizeof(cond.mask)))
		return -EBADMSG;
	string = tb[USBPASS_A_COND_STRING];
	if (string) {
		cond.string = strndup(nla_data(string), nla_len(string));
		if (!cond.string)
			return -ENOMEM;
	}
	ret = usbpass_rule_add_cond(object, &cond);
	free(cond.string);
	return ret == -E2BIG ? -EBADMSG : ret;
}

/* What cannot be compiled goes without: the kernel says so, on the condition. */
static int cond_table(struct nl_msg *msg, const struct usbpass_cond *cond)
{
	uint8_t *table;
	size_t size, at;
	char err[8];
	int ret;

	if (cond->table)
		return nla_put(msg, USBPASS_A_COND_TABLE,
			       USBPASS_TABLE_SIZE(cond->table[0], cond->table[1]), cond->table);
	if (usbpass_regex_compile(cond->string, &table, &size, &at, err, sizeof(err)))
		return 0;
	ret = nla_put(msg, USBPASS_A_COND_TABLE, size, table);
	free(table);
	return ret;
}

static int rule_conds(struct nl_msg *msg, const void *object)
{
	const struct usbpass_rule *rule = object;

	for (size_t i = 0; i < rule->n_conds; i++) {
		const struct usbpass_cond *cond = &rule->conds[i];
		bool classy = cond->field == USBPASS_FIELD_DEVICE_CLASS ||
			      cond->field == USBPASS_FIELD_INTERFACE_CLASS;
		struct nlattr *nest = nla_nest_start(msg, USBPASS_A_RULE_COND | NLA_F_NESTED);

		if (!nest || nla_put_u8(msg, USBPASS_A_COND_FIELD, cond->field) < 0)
			return -EMSGSIZE;
		if (cond->field == USBPASS_FIELD_ANY)
			goto end;
		if (nla_put_u8(msg, USBPASS_A_COND_OP, cond->op) < 0)
			return -EMSGSIZE;
		if (cond->field == USBPASS_FIELD_INTERFACE_CLASS &&
		    nla_put_u8(msg, USBPASS_A_COND_QUANTIFIER, cond->quantifier) < 0)
			return -EMSGSIZE;
		if (cond->string) {
			if (nla_put_string(msg, USBPASS_A_COND_STRING, cond->string) < 0)
				return -EMSGSIZE;
			if (usbpass_rule_text_is_regex(cond->op) && cond_table(msg, cond) < 0)
				return -EMSGSIZE;
		} else if (nla_put_u32(msg, USBPASS_A_COND_NUMBER, cond->number) < 0) {
			return -EMSGSIZE;
		}
		if (classy && nla_put_u32(msg, USBPASS_A_COND_MASK, cond->mask) < 0)
			return -EMSGSIZE;
end:
		nla_nest_end(msg, nest);
	}
	return 0;
}

static void rule_clear(void *object)
{
	usbpass_rule_clear(object);
}

#define CODEC(label, NEST, object, table)				\
	.name = (label), .nest = USBPASS_A_##NEST, .size = sizeof(struct object),	\
	.fields = (table), .n_fields = COUNT(table)

const struct codec usbpass_codec_info = { CODEC("info", INFO, usbpass_info, info_fields) };

const struct codec usbpass_codec_device = {
	CODEC("device", DEVICE, usbpass_device, device_fields),
	.decode_element = device_interface_class,
	.encode_list = device_interface_classes,
	.clear = device_clear,
};

const struct codec usbpass_codec_group = { CODEC("group", GROUP, usbpass_group, group_fields) };

const struct codec usbpass_codec_rule = {
	CODEC("rule", RULE, usbpass_rule, rule_fields),
	.decode_element = rule_cond,
	.encode_list = rule_conds,
	.clear = rule_clear,
};

const struct codec usbpass_codec_attachment = {
	CODEC("attach", ATTACH, usbpass_attachment, attachment_fields),
};

const struct codec usbpass_codec_event = { CODEC("event", EVENT, usbpass_event, event_fields) };

const struct codec usbpass_codec_learned = {
	CODEC("learned", LEARNED, usbpass_learned, learned_fields),
};
