/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_NODE_H
#define _USBPASS_NODE_H

#include <linux/fs.h>

/* The usbdevfs front end. The slot's cdev carries these. */
extern const struct file_operations usbpass_node_fops;

#endif /* _USBPASS_NODE_H */
