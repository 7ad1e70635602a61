# SPDX-License-Identifier: GPL-2.0
# initramfs-tools orders scripts without prerequisites by name: early-usbpass is run before udev.
install::
	install -D -m 0755 initramfs/hook $(SHAREDIR)/initramfs-tools/hooks/usbpass
	install -D -m 0755 initramfs/init-top $(SHAREDIR)/initramfs-tools/scripts/init-top/early-usbpass
