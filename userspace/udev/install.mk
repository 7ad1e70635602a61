# SPDX-License-Identifier: GPL-2.0
install::
	install -D -m 0644 udev/72-usbpass.rules $(DESTDIR)/lib/udev/rules.d/72-usbpass.rules
	install -D -m 0644 udev/usbpass.conf $(DESTDIR)/lib/modprobe.d/usbpass.conf
