/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libxml2, loaded where a domain is read and nowhere else: with what it needs itself it is 40 MB,
 * which neither each start of the helper nor the initramfs should carry. For import_libvirt.c only.
 */
#ifndef _LIBUSBPASS_IMPORT_LIBXML_H
#define _LIBUSBPASS_IMPORT_LIBXML_H

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stddef.h>

/* Its structs are those of the headers that this is built with. */
#if LIBXML_VERSION < 21400
#define IMPORT_LIBXML	"libxml2.so.2"
#else
#define IMPORT_LIBXML	"libxml2.so.16"
#endif

#define IMPORT_LIBXML_FUNCTIONS(each)						\
	each(xmlNewParserCtxt) each(xmlFreeParserCtxt) each(xmlCtxtReadMemory)	\
	each(xmlCtxtGetLastError) each(xmlStopParser) each(xmlSAX2GetLineNumber)	\
	each(xmlFreeDoc) each(xmlDocGetRootElement) each(xmlGetLineNo)		\
	each(xmlGetProp) each(xmlNodeGetContent)

struct import_libxml {
#define IMPORT_LIBXML_MEMBER(name) __typeof__(&name) name;
	IMPORT_LIBXML_FUNCTIONS(IMPORT_LIBXML_MEMBER)
	xmlFreeFunc free;		/* of what GetProp and GetContent give */
};

/* 0; -ENOPKG with a sentence in @why. */
int import_libxml_load(struct import_libxml *xml, char *why, size_t size);

#endif /* _LIBUSBPASS_IMPORT_LIBXML_H */
