/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_CONFIG_PRIV_H
#define _USBPASS_CONFIG_PRIV_H

#include <linux/types.h>
#include "config.h"
#include "ruleset.h"

struct usbpass_catalog;

/* One generation. Immutable; readers are under RCU, the writer under usbpass_config_lock(). */
struct usbpass_config {
	u64 generation;
	char node[USBPASS_STRING_MAX + 1];
	u32 nr_groups, nr_attaches;
	struct usbpass_group **groups;		/* references */
	struct usbpass_attach **attaches;	/* references */
	struct usbpass_ruleset rules;
};

/* config_mutex: outermost; serializes all changes. Never held over a USB call. */
void usbpass_config_lock(void);
void usbpass_config_unlock(void);
void usbpass_config_assert_locked(void);

/* In force. Valid while locked. */
struct usbpass_config *usbpass_config_current(void);

/* The next generation, of what is in @catalog. NULL: no memory. */
struct usbpass_config *usbpass_config_build(const struct usbpass_catalog *catalog);
void usbpass_config_free(struct usbpass_config *config);
/* Puts @config in force. Returns what was, which has no reader any more. Sleeps. */
struct usbpass_config *usbpass_config_install(struct usbpass_config *config);

#endif /* _USBPASS_CONFIG_PRIV_H */
