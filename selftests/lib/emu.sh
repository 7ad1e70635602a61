# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Emulated devices on usbip's vhci_hcd, with chosen misbehaviour (`lib/emudev help` has the vocabulary). After ktap.sh and usbdev.sh.
#
#   emu_start NAME [OPTIONS of emudev]    plug it and wait until the kernel has enumerated it; stopped at the end of the test
#   emu NAME COMMAND...                   stats, mute=ep81, unplug, get=in_flight, 'wait=in_flight>=64:5000'...
#   emu_sysfs NAME                        its sysfs directory; fails while there is none
#   emu_stop NAME                         ends it, as if unplugged, and waits until sysfs has it no more

EMUDEV=$TOP/selftests/lib/emudev

emu_start()
{
	local name=$1

	shift
	[ -e /sys/devices/platform/vhci_hcd.0/attach ] || modprobe vhci_hcd
	defer emu_stop "$name"
	"$EMUDEV" --ctl "$TMP/$name.emu" --daemon "$@" >"$TMP/$name.ready"
}

emu()
{
	local name=$1

	shift
	"$EMUDEV" ctl "$TMP/$name.emu" "$@"
}

emu_sysfs()
{
	local busid

	busid=$(emu "$1" get=busid) && [ -e "/sys/bus/usb/devices/$busid" ] && readlink -f "/sys/bus/usb/devices/$busid"
}

emu_stop()
{
	[ ! -S "$TMP/$1.emu" ] || emu "$1" quit
}
