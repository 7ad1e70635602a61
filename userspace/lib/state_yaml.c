// SPDX-License-Identifier: GPL-2.0
/* The tables. Keys are written in their order, and required ones must be there. */
#include "state_yaml.h"

#define FIELD(name, kind, object, member, bit) \
	{ .key = name, .type = kind, .attr = bit, .offset = offsetof(object, member), \
	  .size = sizeof(((object *)0)->member) }
#define REQUIRED(name, kind, object, member, bit) \
	{ .key = name, .type = kind, .attr = bit, .offset = offsetof(object, member), \
	  .size = sizeof(((object *)0)->member), .required = true }
#define WORD(name, kind, object, member, bit) \
	{ .key = name, .type = STATE_WORD, .attr = bit, .words = kind, \
	  .offset = offsetof(object, member) }

#define GROUP(name, kind, member, bit)	FIELD(name, kind, struct usbpass_group, member, bit)
#define RULE(name, kind, member, bit)	FIELD(name, kind, struct usbpass_rule, member, bit)
#define ATTACH(name, kind, member, bit)	FIELD(name, kind, struct usbpass_attachment, member, bit)

static const struct state_field group_fields[] = {
	REQUIRED("name", STATE_STRING, struct usbpass_group, name, USBPASS_A_GROUP_NAME),
	WORD("type", USBPASS_WORDS_GROUP_TYPE, struct usbpass_group, type, USBPASS_A_GROUP_TYPE),
	WORD("class", USBPASS_WORDS_GROUP_CLASS, struct usbpass_group, class, USBPASS_A_GROUP_CLASS),
	WORD("reset", USBPASS_WORDS_RESET, struct usbpass_group, reset, USBPASS_A_GROUP_RESET),
	GROUP("enabled", STATE_BOOL, enabled, USBPASS_A_GROUP_ENABLED),
	GROUP("description", STATE_STRING, description, USBPASS_A_GROUP_DESCRIPTION),
	{}
};

static const struct state_field rule_fields[] = {
	REQUIRED("name", STATE_STRING, struct usbpass_rule, name, USBPASS_A_RULE_NAME),
	RULE("priority", STATE_S32, priority, USBPASS_A_RULE_PRIORITY),
	{ .key = "action", .type = STATE_WORD, .attr = USBPASS_A_RULE_ACTION, .required = true,
	  .words = USBPASS_WORDS_ACTION, .offset = offsetof(struct usbpass_rule, action) },
	RULE("group", STATE_STRING, group, USBPASS_A_RULE_GROUP),
	WORD("origin", USBPASS_WORDS_ORIGIN, struct usbpass_rule, origin, USBPASS_A_RULE_ORIGIN),
	RULE("enabled", STATE_BOOL, enabled, USBPASS_A_RULE_ENABLED),
	{ .key = "description", .type = STATE_TEXT, .attr = USBPASS_A_RULE_DESCRIPTION,
	  .offset = offsetof(struct usbpass_rule, description), .size = USBPASS_DESCRIPTION_MAX + 1 },
	{ .key = "match", .type = STATE_MATCH, .attr = USBPASS_A_RULE_COND, .required = true },
	{}
};

static const struct state_field pin_fields[] = {
	ATTACH("vendor", STATE_HEX, pin_vendor, USBPASS_A_ATTACH_PIN_VENDOR),
	ATTACH("product", STATE_HEX, pin_product, USBPASS_A_ATTACH_PIN_PRODUCT),
	ATTACH("serial", STATE_QUOTED, pin_serial, USBPASS_A_ATTACH_PIN_SERIAL),
	ATTACH("socket", STATE_STRING, pin_socket, USBPASS_A_ATTACH_PIN_SOCKET),
	{}
};

static const struct state_field attachment_fields[] = {
	REQUIRED("name", STATE_STRING, struct usbpass_attachment, name, USBPASS_A_ATTACH_NAME),
	ATTACH("slug", STATE_STRING, slug, USBPASS_A_ATTACH_SLUG),
	REQUIRED("group", STATE_STRING, struct usbpass_attachment, group, USBPASS_A_ATTACH_GROUP),
	ATTACH("vm", STATE_STRING, vm, USBPASS_A_ATTACH_VM),
	ATTACH("description", STATE_STRING, description, USBPASS_A_ATTACH_DESCRIPTION),
	WORD("reset", USBPASS_WORDS_RESET, struct usbpass_attachment, reset, USBPASS_A_ATTACH_RESET),
	ATTACH("optional", STATE_BOOL, optional, USBPASS_A_ATTACH_OPTIONAL),
	WORD("follow", USBPASS_WORDS_FOLLOW, struct usbpass_attachment, follow,
	     USBPASS_A_ATTACH_FOLLOW),
	ATTACH("enabled", STATE_BOOL, enabled, USBPASS_A_ATTACH_ENABLED),
	ATTACH("uid", STATE_U32, uid, USBPASS_A_ATTACH_UID),
	ATTACH("gid", STATE_U32, gid, USBPASS_A_ATTACH_GID),
	{ .key = "pin", .type = STATE_MAPPING, .fields = pin_fields },
	{}
};

static const struct state_field learned_fields[] = {
	REQUIRED("vendor", STATE_HEX, struct usbpass_learned, vendor, USBPASS_A_LEARNED_VENDOR),
	REQUIRED("product", STATE_HEX, struct usbpass_learned, product, USBPASS_A_LEARNED_PRODUCT),
	FIELD("serial", STATE_QUOTED, struct usbpass_learned, serial, USBPASS_A_LEARNED_SERIAL),
	FIELD("socket", STATE_STRING, struct usbpass_learned, socket, USBPASS_A_LEARNED_SOCKET),
	REQUIRED("until", STATE_TIME, struct usbpass_learned, until, USBPASS_A_LEARNED_UNTIL),
	{}
};

const struct state_object usbpass_state_yaml_objects[STATE_OBJECTS] = {
	{ .key = "groups", .noun = "group", .size = sizeof(struct usbpass_group),
	  .list = offsetof(struct usbpass_state, groups),
	  .count = offsetof(struct usbpass_state, n_groups), .max = USBPASS_GROUPS_MAX,
	  .fields = group_fields },
	{ .key = "rules", .noun = "rule", .size = sizeof(struct usbpass_rule),
	  .list = offsetof(struct usbpass_state, rules),
	  .count = offsetof(struct usbpass_state, n_rules), .max = USBPASS_RULES_MAX,
	  .fields = rule_fields },
	{ .key = "attachments", .noun = "attachment", .size = sizeof(struct usbpass_attachment),
	  .list = offsetof(struct usbpass_state, attachments),
	  .count = offsetof(struct usbpass_state, n_attachments), .max = USBPASS_SLOTS_MAX,
	  .fields = attachment_fields },
	{ .key = "learned", .noun = "learned device", .size = sizeof(struct usbpass_learned),
	  .list = offsetof(struct usbpass_state, learned),
	  .count = offsetof(struct usbpass_state, n_learned), .max = USBPASS_LEARNED_MAX,
	  .fields = learned_fields, .state = true, .these = "'serial' and 'socket'",
	  .one_of = USBPASS_HAS(USBPASS_A_LEARNED_SERIAL) | USBPASS_HAS(USBPASS_A_LEARNED_SOCKET) },
};

const char *const usbpass_state_yaml_later[STATE_LATER] = { "tenants", "assignments" };
