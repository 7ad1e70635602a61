// SPDX-License-Identifier: GPL-2.0
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include "import_libxml.h"

static int missing(char *why, size_t size)
{
	snprintf(why, size, "it takes libxml2 (apt-get install libxml2): %s", dlerror());
	return -ENOPKG;
}

int import_libxml_load(struct import_libxml *xml, char *why, size_t size)
{
	/* Never closed: it keeps keys of threads, and the next one finds it loaded. */
	void *handle = dlopen(IMPORT_LIBXML, RTLD_NOW | RTLD_LOCAL);
	xmlFreeFunc *release;

	if (!handle)
		return missing(why, size);
#define LOAD(name)								\
	*(void **)&xml->name = dlsym(handle, #name);			\
	if (!xml->name)								\
		return missing(why, size);
	IMPORT_LIBXML_FUNCTIONS(LOAD)
	/* A variable that holds the function. */
	release = dlsym(handle, "xmlFree");
	if (!release)
		return missing(why, size);
	xml->free = *release;
	return 0;
}
