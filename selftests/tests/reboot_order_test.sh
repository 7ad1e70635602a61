#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rules made before a reboot hold after it, though another controller comes first and every bus has another number.
#
# boots: 2
# qemu: -drive if=none,id=d1,format=raw,file.driver=null-co,file.size=8M,file.read-zeroes=on
# qemu: -drive if=none,id=d2,format=raw,file.driver=null-co,file.size=8M,file.read-zeroes=on
# qemu: -drive if=none,id=d3,format=raw,file.driver=null-co,file.size=8M,file.read-zeroes=on
# qemu: -device qemu-xhci,id=a,addr=0x14 -device usb-storage,bus=a.0,port=1,drive=d1,serial=UNIQUE
# qemu: -device usb-storage,bus=a.0,port=2,drive=d2,serial=SAME -device usb-storage,bus=a.0,port=3,drive=d3,serial=SAME
# qemu.2: -device qemu-xhci,id=first,addr=0x10
# timeout: 600

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/usbpass.sh"

# The bus id of what is plugged into a port of controller a.
at_port()
{
	local path

	for path in /sys/devices/pci0000:00/0000:00:14.0/usb*/*-"$1"; do
		[ ! -e "$path/idVendor" ] || basename "$path"
	done
}

all_there()
{
	[ -n "$(at_port 1)" ] && [ -n "$(at_port 2)" ] && [ -n "$(at_port 3)" ]
}

device_is()
{
	[ "$(usbpass_state_of "$1")" = "$2" ]
}

makes_rules()
{
	usbpass_load claim=1
	usbpass --no-wait group make keep "$(at_port 1)" "$(at_port 2)" >"$STATE/made"
	usbpass save "$STATE/rules.yaml"
	at_port 1 >"$STATE/busid"
	grep -q 'serial = "UNIQUE"' "$STATE/rules.yaml"
	grep -q 'socket = "\?0000:00:14.0/2' "$STATE/rules.yaml"
	device_is "$(at_port 1)" idle
	device_is "$(at_port 2)" idle
	device_is "$(at_port 3)" host
}

rules_hold()
{
	[ "$(at_port 1)" != "$(<"$STATE/busid")" ]
	usbpass_load claim=1
	usbpass --no-wait apply "$STATE/rules.yaml" --rescan
	wait_for 30 device_is "$(at_port 1)" idle
	wait_for 30 device_is "$(at_port 2)" idle
	device_is "$(at_port 3)" host
}

plan 1
wait_for 60 all_there >"$TMP/out"
if [ "$BOOT" = 1 ]; then
	it "a made rule is by the serial where it is unique, else by the socket" makes_rules
else
	it "made rules hold after a reboot that gives every bus another number" rules_hold
fi
