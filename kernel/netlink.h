/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _USBPASS_NETLINK_H
#define _USBPASS_NETLINK_H

int usbpass_netlink_init(void);
void usbpass_netlink_exit(void);

#endif /* _USBPASS_NETLINK_H */
