#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A dongle that turns into a hub with a keyboard behind it: the hub is nobody's to claim, but what is below a leased socket is guarded
# as that is.
#
# group: trust
# timeout: 200

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/qmp.sh"
. "$TOP/selftests/lib/usbpass.sh"

slot_is()
{
	[ "$(</sys/class/usbpass/slot0/state)" = "$1" ]
}

keyboard()
{
	usb_find product="QEMU USB Keyboard"
}

has_driver()
{
	usb_bound "$(keyboard)" usbhid || [ "$(usb_driver "$(keyboard)")" = usbpass ]
}

# keyboard_behind_hub PORT: once the mouse has left port 1
keyboard_behind_hub()
{
	qmp_unplug mouse
	wait_for 20 no usb_find product="QEMU USB Mouse"
	qmp_plug "usb-hub,id=hub,bus=x.0,port=$1"
	defer qmp_unplug hub
	wait_for 20 usb_find product="QEMU USB Hub"
	qmp_plug "usb-kbd,id=keyboard,bus=x.0,port=$1.1"
	defer qmp_unplug keyboard
	wait_for 20 keyboard
	wait_for 20 has_driver
	same hub "$(usb_driver "$(usb_find product="QEMU USB Hub")/$(basename "$(usb_find product="QEMU USB Hub")"):1.0")"
}

leased_mouse()
{
	usbpass_load "$@"
	usbpass --no-wait group add mice
	usbpass --no-wait rule add mice --group mice --match 'product-name = "QEMU USB Mouse"'
	usbpass --no-wait attach add mouse --group mice
	qmp_plug usb-mouse,id=mouse,bus=x.0,port=1
	defer mouse_leaves
	wait_for 20 slot_is idle
	exec 7<>/dev/usbpass/host/mouse
}

# Harmless where it has gone.
mouse_leaves()
{
	qmp_unplug mouse 2>/dev/null || true
	wait_for 20 no keyboard
}

during_the_lease()
{
	leased_mouse
	keyboard_behind_hub 1
	same usbpass "$(usb_driver "$(keyboard)")" "the keyboard's driver"
	same held "$(usbpass_state_of "$(basename "$(keyboard)")")" "its state"
	exec 7>&-
}

after_the_lease()
{
	leased_mouse guard_secs=100
	exec 7>&-
	wait_for 20 slot_is idle
	keyboard_behind_hub 1
	same usbpass "$(usb_driver "$(keyboard)")" "the keyboard's driver"
}

beside_the_lease()
{
	leased_mouse
	keyboard_behind_hub 2
	same usb "$(usb_driver "$(keyboard)")" "the keyboard's driver"
	usb_bound "$(keyboard)" usbhid
	exec 7>&-
}

plan 3
it "a keyboard behind a hub in a leased socket is held" during_the_lease
it "a keyboard behind a hub in a socket that was leased is held" after_the_lease
it "a keyboard behind a hub in another socket is the host's" beside_the_lease
