# SPDX-License-Identifier: GPL-2.0
install::
	install -D -m 0644 daemon/usbpassd.service $(DESTDIR)/lib/systemd/system/usbpassd.service
	install -d -m 0755 $(DESTDIR)/etc/usbpass
