#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two boots with the controllers in another order, and a state directory that outlives them.
#
# on: stock
# boots: 2
# qemu.1: -device qemu-xhci,id=a,addr=0x10 -device qemu-xhci,id=b,addr=0x11 -device usb-kbd,bus=a.0,serial=BEDK
# qemu.2: -device qemu-xhci,id=a,addr=0x12 -device qemu-xhci,id=b,addr=0x11 -device usb-kbd,bus=a.0,serial=BEDK
# timeout: 300

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"

finds_the_controllers()
{
	local device

	wait_for 20 usb_find product="QEMU USB Keyboard"
	device=$(usb_find product="QEMU USB Keyboard")
	say "the keyboard is $device"
	if [ "$BOOT" = 1 ]; then
		[[ $device == */0000:00:10.0/* ]]
		echo "$device" >"$STATE/keyboard"
	else
		[[ $device == */0000:00:12.0/* ]]
		[[ $(<"$STATE/keyboard") == */0000:00:10.0/* ]]
	fi
}

plan 1
it "boot $BOOT has its keyboard where its order of controllers puts it" finds_the_controllers
