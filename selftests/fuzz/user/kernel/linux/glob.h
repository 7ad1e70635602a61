/* SPDX-License-Identifier: GPL-2.0 */
#include <fnmatch.h>
#include "../shim.h"

/* The kernel's own is in lib/glob.c, and is not what is looked at. */
static inline bool glob_match(const char *pattern, const char *text)
{
	return !fnmatch(pattern, text, 0);
}
