// SPDX-License-Identifier: GPL-2.0
/*
 * The USB <hostdev>s of a libvirt domain, or one alone: for each a group, a rule that claims the
 * device, and the domain's attachment.
 *
 * libxml2 reads it within its own bounds of depth and size. A document type is refused at its first
 * byte: a domain has none, and it is where entities come from.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "import_libxml.h"
#include "import_private.h"
#include "made.h"
#include "names.h"

#define HOSTDEVS_MAX	256	/* more than a machine has ports for */

struct domain {
	struct importer *importer;
	struct import_libxml xml;
	xmlDocPtr document;
	char *name;			/* NULL: a hostdev without its domain */
};

struct hostdev {
	struct import_place place;
	char excerpt[96];
	bool has_id, has_address;
	uint32_t vendor, product, bus, device;
	char *port;			/* of the bus, in place of the device's number */
	bool optional, has_reset;
	uint8_t reset;
};

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name);
}

static xmlNode *child(const xmlNode *parent, const char *name)
{
	for (xmlNode *node = parent ? parent->children : NULL; node; node = node->next)
		if (is_element(node, name))
			return node;
	return NULL;
}

/* release() it. NULL: no such attribute. */
static char *attribute(const struct domain *domain, const xmlNode *node, const char *name)
{
	return node ? (char *)domain->xml.xmlGetProp(node, (const xmlChar *)name) : NULL;
}

static void release(const struct domain *domain, char *text)
{
	if (text)
		domain->xml.free(text);
}

static bool is(const struct domain *domain, const xmlNode *node, const char *name,
	       const char *value)
{
	char *text = attribute(domain, node, name);
	bool same = text && !strcmp(text, value);

	release(domain, text);
	return same;
}

static unsigned int line_of(const struct domain *domain, const xmlNode *node)
{
	return node ? (unsigned int)domain->xml.xmlGetLineNo(node) : 0;
}

__attribute__((format(printf, 4, 5)))
static bool tell(struct domain *domain, enum usbpass_import_kind kind,
		 const struct hostdev *hostdev, const char *format, ...)
{
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	import_remark(domain->importer, kind, &hostdev->place, "%s", why);
	return false;
}

/* Decimal, 0x hex or 0 octal, as libvirt has it. */
static bool read_number(const char *text, uint32_t max, uint32_t *out)
{
	unsigned long value;
	char *end;

	if (!strchr("0123456789", *text) || !*text)
		return false;
	errno = 0;
	value = strtoul(text, &end, 0);
	*out = (uint32_t)value;
	return !*end && !errno && value <= max;
}

/* Of @element of the source. False: it is there and wrong, which is told. */
static bool read_attribute(struct domain *domain, const struct hostdev *hostdev,
			   const xmlNode *element, const char *name, uint32_t max, uint32_t *out)
{
	char *text = attribute(domain, element, name), safe[64];
	bool good = text && read_number(text, max, out);

	if (!good && text)
		tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev, "%s='%s' of <%s> is no number up to %u",
		     name, import_quote(text, strlen(text), safe, sizeof(safe)),
		     (const char *)element->name, max);
	else if (!good)
		tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev, "<%s> lacks %s",
		     (const char *)element->name, name);
	release(domain, text);
	return good;
}

static bool read_address(struct domain *domain, struct hostdev *hostdev, const xmlNode *address)
{
	hostdev->has_address = true;
	if (!read_attribute(domain, hostdev, address, "bus", 0xffff, &hostdev->bus))
		return false;
	hostdev->port = attribute(domain, address, "port");
	return hostdev->port ||
	       read_attribute(domain, hostdev, address, "device", 0xffff, &hostdev->device);
}

static bool read_policy(struct domain *domain, struct hostdev *hostdev, const xmlNode *source)
{
	static const char *const startup[] = { "mandatory", "requisite", "optional" };
	char *text = attribute(domain, source, "startupPolicy"), safe[64];
	bool known = !text;

	for (size_t i = 0; text && i < 3; i++)
		known = known || !strcmp(text, startup[i]);
	if (!known)
		tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev, "startupPolicy='%s' is none of mandatory, requisite, optional",
		     import_quote(text, strlen(text), safe, sizeof(safe)));
	hostdev->optional = text && !strcmp(text, "optional");
	release(domain, text);
	return known;
}

/* Some of a guest's resets, which QEMU decides by the device's address, are none here. */
static bool read_reset(struct domain *domain, struct hostdev *hostdev, const xmlNode *source)
{
	char *text = attribute(domain, source, "guestReset"), safe[64];
	bool known = true;

	hostdev->has_reset = text != NULL;
	hostdev->reset = USBPASS_RESET_NONE;
	if (text && !strcmp(text, "on"))
		hostdev->reset = USBPASS_RESET_DEVICE;
	else if (text && !strcmp(text, "uninitialized"))
		tell(domain, USBPASS_IMPORT_STRICTER, hostdev,
		     "guestReset='uninitialized' becomes none: there is no policy for some of a guest's resets");
	else if (text && strcmp(text, "off"))
		known = tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev, "guestReset='%s' is none of on, off, uninitialized",
			     import_quote(text, strlen(text), safe, sizeof(safe)));
	release(domain, text);
	return known;
}

static bool read_source(struct domain *domain, struct hostdev *hostdev, const xmlNode *source)
{
	const xmlNode *vendor = child(source, "vendor"), *product = child(source, "product");
	const xmlNode *address = child(source, "address");

	if (!source)
		return tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev, "it has no <source>");
	hostdev->has_id = vendor && product;
	if (!hostdev->has_id && (vendor || product))
		return tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev,
			    "<vendor> and <product> go only together");
	if (!hostdev->has_id && !address)
		return tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev,
			    "its <source> has neither <vendor> and <product> nor <address>");
	if (hostdev->has_id &&
	    !(read_attribute(domain, hostdev, vendor, "id", 0xffff, &hostdev->vendor) &&
	      read_attribute(domain, hostdev, product, "id", 0xffff, &hostdev->product)))
		return false;
	if (address && !read_address(domain, hostdev, address))
		return false;
	return read_policy(domain, hostdev, source) && read_reset(domain, hostdev, source);
}

/* ---- which device ---- */

/* The present one that the address means, and that is of the model. NULL: none. */
static const struct usbpass_device *addressed(struct domain *domain, const struct hostdev *hostdev)
{
	const struct usbpass_device *device;
	char busid[128];

	snprintf(busid, sizeof(busid), "%u-%s", hostdev->bus, hostdev->port ? hostdev->port : "");
	device = hostdev->port ? import_device_at(domain->importer, busid) :
		 import_device(domain->importer, hostdev->bus, hostdev->device);
	if (device && hostdev->has_id &&
	    (device->vendor != hostdev->vendor || device->product != hostdev->product))
		return NULL;
	return device;
}

/* The rule's conditions; free them with usbpass_rule_clear(). */
static bool identify(struct domain *domain, const struct hostdev *hostdev,
		     struct usbpass_rule *rule)
{
	const struct usbpass_import_options *options = domain->importer->options;
	const struct usbpass_device *device;
	char why[512];
	int ret;

	if (!hostdev->has_address)
		return true;
	device = addressed(domain, hostdev);
	if (device) {
		ret = usbpass_made_identity(device, options->devices, options->n_devices,
					    USBPASS_MADE_BY_BEST, NULL, rule, why, sizeof(why));
		if (ret)
			return tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev, "%s", why);
		tell(domain, USBPASS_IMPORT_NOTE, hostdev,
		     "its address means the device that is there now, %04x:%04x: %s",
		     device->vendor, device->product, why);
		return true;
	}
	if (hostdev->has_id && options->loose) {
		tell(domain, USBPASS_IMPORT_WIDER, hostdev,
		     "its address is left out, as no such device is there now: every device of this vendor and product is meant");
		return true;
	}
	return tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev,
		    "its address changes from plug to plug, and no such device is there now to tell its serial or socket");
}

static struct import_conds conditions(const struct hostdev *hostdev, const struct usbpass_rule *made)
{
	struct import_conds conds = {};

	for (size_t i = 0; i < made->n_conds; i++)
		conds.conds[conds.n++] = made->conds[i];
	if (!made->n_conds) {
		import_number(&conds, USBPASS_FIELD_VENDOR, USBPASS_OP_EQ, hostdev->vendor);
		import_number(&conds, USBPASS_FIELD_PRODUCT, USBPASS_OP_EQ, hostdev->product);
	}
	return conds;
}

/* ---- objects ---- */

static bool same_conds(const struct usbpass_rule *rule, const struct import_conds *conds)
{
	if (rule->n_conds != conds->n)
		return false;
	for (size_t i = 0; i < conds->n; i++) {
		const struct usbpass_cond *a = &rule->conds[i], *b = &conds->conds[i];

		if (a->field != b->field || a->number != b->number ||
		    strcmp(a->string ? a->string : "", b->string ? b->string : "") != 0)
			return false;
	}
	return true;
}

/* The group of a rule that says the same. NULL: there is none. */
static const char *group_of(const struct usbpass_state *state, const struct import_conds *conds)
{
	for (size_t i = 0; i < state->n_rules; i++)
		if (same_conds(&state->rules[i], conds))
			return state->rules[i].group;
	return NULL;
}

static bool is_taken(const struct usbpass_state *state, const char *name)
{
	for (size_t i = 0; i < state->n_groups; i++)
		if (!strcmp(state->groups[i].name, name))
			return true;
	for (size_t i = 0; i < state->n_attachments; i++)
		if (!strcmp(state->attachments[i].name, name))
			return true;
	return false;
}

/* As kernel and paths want it: no slash, nothing that cannot be printed. -> @buf */
static void make_name(const struct domain *domain, const struct import_conds *conds, char *buf)
{
	uint32_t vendor = conds->conds[0].number, product = conds->conds[1].number;
	const struct usbpass_state *state = &domain->importer->out->state;
	char end[48], base[USBPASS_NAME_MAX + 1];
	size_t room;

	import_quote(domain->name ? domain->name : "", domain->name ? strlen(domain->name) : 0,
		     base, sizeof(base));
	for (char *at = base; *at; at++)
		if (*at == '/' || *at == '\\')
			*at = '-';
	for (unsigned int n = 1; ; n++) {
		snprintf(end, sizeof(end), n > 1 ? "%s%04x:%04x %u" : "%s%04x:%04x", *base ? " " : "",
			 vendor, product, n);
		room = USBPASS_NAME_MAX - strlen(end);
		while (strlen(base) > room || (*base && base[strlen(base) - 1] == ' ') ||
		       (*base && !usbpass_names_printable(base)))
			base[strlen(base) - 1] = '\0';
		snprintf(buf, USBPASS_NAME_MAX + 1, "%s%s", base + strspn(base, " "), end);
		if (!is_taken(state, buf))
			return;
	}
}

/* Of a group with other devices in it, only this one. */
static void pin(struct usbpass_attachment *attachment, const struct import_conds *conds)
{
	for (size_t i = 0; i < conds->n; i++) {
		const struct usbpass_cond *cond = &conds->conds[i];

		if (cond->field == USBPASS_FIELD_VENDOR) {
			attachment->pin_vendor = (uint16_t)cond->number;
			attachment->has |= USBPASS_HAS(USBPASS_A_ATTACH_PIN_VENDOR);
		} else if (cond->field == USBPASS_FIELD_PRODUCT) {
			attachment->pin_product = (uint16_t)cond->number;
			attachment->has |= USBPASS_HAS(USBPASS_A_ATTACH_PIN_PRODUCT);
		} else if (cond->field == USBPASS_FIELD_SERIAL) {
			snprintf(attachment->pin_serial, sizeof(attachment->pin_serial), "%s",
				 cond->string);
			attachment->has |= USBPASS_HAS(USBPASS_A_ATTACH_PIN_SERIAL);
		} else {
			snprintf(attachment->pin_socket, sizeof(attachment->pin_socket), "%s",
				 cond->string);
			attachment->has |= USBPASS_HAS(USBPASS_A_ATTACH_PIN_SOCKET);
		}
	}
}

static void name_vm(struct domain *domain, const struct hostdev *hostdev,
		    struct usbpass_attachment *attachment)
{
	if (!domain->name)
		return;
	if (!usbpass_names_printable(domain->name) ||
	    snprintf(attachment->vm, sizeof(attachment->vm), "libvirt:%s", domain->name) >=
	    (int)sizeof(attachment->vm)) {
		attachment->vm[0] = '\0';
		tell(domain, USBPASS_IMPORT_LEFT_OUT, hostdev,
		     "the attachment names no VM: the domain's name is too long or cannot be printed");
		return;
	}
	attachment->has |= USBPASS_HAS(USBPASS_A_ATTACH_VM);
}

static void add_attachment(struct domain *domain, const struct hostdev *hostdev, const char *name,
			   const char *group, const struct import_conds *conds)
{
	struct usbpass_attachment *attachment = import_attachment(domain->importer);

	if (!attachment)
		return;
	snprintf(attachment->name, sizeof(attachment->name), "%s", name);
	snprintf(attachment->group, sizeof(attachment->group), "%s", group);
	attachment->has = USBPASS_HAS(USBPASS_A_ATTACH_NAME) | USBPASS_HAS(USBPASS_A_ATTACH_GROUP);
	name_vm(domain, hostdev, attachment);
	if (hostdev->optional) {
		attachment->optional = 1;
		attachment->has |= USBPASS_HAS(USBPASS_A_ATTACH_OPTIONAL);
	}
	if (hostdev->has_reset) {
		attachment->reset = hostdev->reset;
		attachment->has |= USBPASS_HAS(USBPASS_A_ATTACH_RESET);
	}
	if (domain->importer->options->group)
		pin(attachment, conds);
}

static void add_objects(struct domain *domain, const struct hostdev *hostdev,
			const struct import_conds *conds)
{
	char name[USBPASS_NAME_MAX + 1], group[USBPASS_NAME_MAX + 1];
	const struct usbpass_state *state = &domain->importer->out->state;
	const char *known = group_of(state, conds);

	make_name(domain, conds, name);
	snprintf(group, sizeof(group), "%s", known ? known :
		 domain->importer->options->group ? domain->importer->options->group : name);
	if (!known)
		import_rule(domain->importer, &hostdev->place, USBPASS_ACTION_CLAIM, group, conds);
	if (!domain->importer->error)
		add_attachment(domain, hostdev, name, group, conds);
}

/* ---- the document ---- */

/* The element's first line as a person knows it. */
static void describe(struct domain *domain, struct hostdev *hostdev, const xmlNode *source)
{
	const xmlNode *vendor = child(source, "vendor"), *product = child(source, "product");
	char *a = attribute(domain, vendor, "id"), *b = attribute(domain, product, "id"), text[256];

	snprintf(text, sizeof(text), "hostdev%s%.64s%s%.64s", a ? " vendor " : "", a ? a : "",
		 b ? " product " : "", b ? b : "");
	import_quote(text, strlen(text), hostdev->excerpt, sizeof(hostdev->excerpt));
	hostdev->place.text = hostdev->excerpt;
	hostdev->place.len = strlen(hostdev->excerpt);
	release(domain, a);
	release(domain, b);
}

static void read_hostdev(struct domain *domain, xmlNode *node)
{
	struct hostdev hostdev = { .place = { .line = line_of(domain, node) } };
	const xmlNode *source = child(node, "source");
	struct usbpass_rule made = {};
	struct import_conds conds;
	char *mode = attribute(domain, node, "mode");
	bool usb = is(domain, node, "type", "usb") && (!mode || !strcmp(mode, "subsystem"));

	release(domain, mode);
	describe(domain, &hostdev, source);
	if (!usb) {
		tell(domain, USBPASS_IMPORT_NOTE, &hostdev, "it is no USB device");
		return;
	}
	if (!import_count(domain->importer, &hostdev.place))
		return;
	if (domain->importer->out->rules > HOSTDEVS_MAX) {
		import_fail(domain->importer, -E2BIG, hostdev.place.line,
			    "the domain has more than %d USB devices", HOSTDEVS_MAX);
		return;
	}
	if (read_source(domain, &hostdev, source) && identify(domain, &hostdev, &made)) {
		conds = conditions(&hostdev, &made);
		add_objects(domain, &hostdev, &conds);
	}
	usbpass_rule_clear(&made);
	release(domain, hostdev.port);
}

static void read_domain(struct domain *domain, xmlNode *root)
{
	xmlNode *name = child(root, "name"), *devices = child(root, "devices");

	domain->name = name ? (char *)domain->xml.xmlNodeGetContent(name) : NULL;
	if (!domain->name || !*domain->name) {
		import_fail(domain->importer, -EINVAL, line_of(domain, root),
			    "the domain has no name");
		return;
	}
	for (xmlNode *node = devices ? devices->children : NULL; node && !domain->importer->error;
	     node = node->next)
		if (is_element(node, "hostdev"))
			read_hostdev(domain, node);
}

static void read_document(struct domain *domain)
{
	xmlNode *root = domain->xml.xmlDocGetRootElement(domain->document);
	char safe[96];

	if (root && is_element(root, "domain"))
		read_domain(domain, root);
	else if (root && is_element(root, "hostdev"))
		read_hostdev(domain, root);
	else
		import_fail(domain->importer, -EINVAL, line_of(domain, root),
			    "neither a <domain> nor a <hostdev>, but <%s>",
			    root ? import_quote((const char *)root->name,
						strlen((const char *)root->name), safe,
						sizeof(safe)) : "");
}

static void refuse_type(void *arg, const xmlChar *name, const xmlChar *external,
			const xmlChar *system)
{
	xmlParserCtxtPtr parser = arg;
	struct domain *domain = parser->_private;

	(void)name;
	(void)external;
	(void)system;
	import_fail(domain->importer, -EINVAL, (unsigned int)domain->xml.xmlSAX2GetLineNumber(parser),
		    "it has a document type, which no domain of libvirt has");
	domain->xml.xmlStopParser(parser);
}

static void fail_syntax(struct domain *domain, xmlParserCtxtPtr parser)
{
	const xmlError *error = domain->xml.xmlCtxtGetLastError(parser);
	const char *text = error && error->message ? error->message : "";
	char safe[256];

	if (error && error->code == XML_ERR_NO_MEMORY)
		import_fail(domain->importer, -ENOMEM, 0, "no memory");
	else
		import_fail(domain->importer, -EINVAL, error && error->line > 0 ? (unsigned int)error->line : 0,
			    "not XML: %s", import_quote(text, strcspn(text, "\n"), safe, sizeof(safe)));
}

static void parse(struct domain *domain, const char *text, size_t size)
{
	xmlParserCtxtPtr parser = domain->xml.xmlNewParserCtxt();

	if (!parser) {
		import_fail(domain->importer, -ENOMEM, 0, "no memory");
		return;
	}
	parser->_private = domain;
	parser->sax->internalSubset = refuse_type;
	domain->document = domain->xml.xmlCtxtReadMemory(parser, text, (int)size, NULL, NULL,
							 XML_PARSE_NONET | XML_PARSE_NOERROR |
							 XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |
							 XML_PARSE_BIG_LINES);
	if (!domain->document && !domain->importer->error)
		fail_syntax(domain, parser);
	domain->xml.xmlFreeParserCtxt(parser);
}

int usbpass_import_libvirt(const char *text, size_t size,
			   const struct usbpass_import_options *options,
			   struct usbpass_import *out, char *err, size_t errsize)
{
	struct importer importer;
	struct domain domain = { .importer = &importer };
	char why[256];

	import_begin(&importer, options, out, err, errsize);
	importer.by_rule = true;
	if (size > USBPASS_IMPORT_BYTES_MAX)
		import_fail(&importer, -E2BIG, 0, "larger than %d bytes", USBPASS_IMPORT_BYTES_MAX);
	else if (import_libxml_load(&domain.xml, why, sizeof(why)))
		import_fail(&importer, -ENOPKG, 0, "%s", why);
	else
		parse(&domain, text, size);
	if (!importer.error)
		read_document(&domain);
	if (domain.document)
		domain.xml.xmlFreeDoc(domain.document);
	release(&domain, domain.name);
	return import_end(&importer);
}
