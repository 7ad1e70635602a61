#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No host driver is ever first: kprobes on their probe functions while ruled and unruled devices of several classes are plugged.
#
# group: race
# cpus: 2
# qemu: -drive if=none,id=cold,format=raw,file.driver=null-co,file.size=8M,file.read-zeroes=on
# qemu: -device usb-storage,bus=x.0,port=5,drive=cold,serial=COLD0001 -device usb-kbd,bus=x.0,port=6
# qemu: -device usb-mouse,bus=x.0,port=7
# timeout: 900 4000

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/gadget.sh"
. "$TOP/selftests/lib/probes.sh"
. "$TOP/selftests/lib/usbpass.sh"

# 4 classes, so many plugs of each
plugs=$((LONG ? 250 : SLOWER > 1 ? 4 : 25))

xhci()
{
	echo "$1 of the controller that had its devices before power-on"
	cat "$TMP/xhci" >"/sys/bus/pci/drivers/xhci_hcd/$1"
}

claimed()
{
	[ "$(readlink "$1/driver" | xargs basename)" = usbpass ]
}

host_driver_is_counted()
{
	gadget_acm control vendor=0525 product=a4a7
	defer gadget_remove control
	plug control
	wait_for 20 gadget_sysfs control
	wait_for 20 usb_bound "$(gadget_sysfs control)" cdc_acm
	same 1 "$(probes_count acm_probe)" "calls of acm_probe for a device that no rule claims"
	unplug control
}

hot_plugs()
{
	local kind=$1 i device

	"gadget_$kind" "race-$kind" vendor=1209 product=0001
	defer gadget_remove "race-$kind"
	for ((i = 0; i < plugs; i++)); do
		plug "race-$kind"
		wait_for 20 gadget_sysfs "race-$kind"
		device=$(gadget_sysfs "race-$kind")
		wait_for 20 claimed "$device"
		unplug "race-$kind"
		wait_for 20 no test -e "$device"
	done
	same "$(<"$TMP/probes")" "$(probes_total)" "calls of host drivers' probes after $plugs plugs"
}

present_before_power_on()
{
	local device

	xhci bind
	for device in "serial=COLD0001" "product=QEMU USB Keyboard"; do
		wait_for 30 usb_find "$device"
		wait_for 20 claimed "$(usb_find "$device")"
	done
	# The mouse is ruled by no one: the host has it.
	wait_for 30 usb_find "product=QEMU USB Mouse"
	wait_for 30 usb_bound "$(usb_find "product=QEMU USB Mouse")" usbhid
	same 0 "$(probes_count storage_probe)" "calls of storage_probe"
	same 1 "$(probes_count usbhid_probe)" "calls of usbhid_probe (the mouse's)"
}

# The ruled ones after a module that was there before everything: nothing was ever configured by another.
host_gets_them_back()
{
	usbpass --no-wait rule del cold
	wait_for 30 usb_bound "$(usb_find serial=COLD0001)" usb-storage
	same 1 "$(probes_count storage_probe)" "calls of storage_probe"
}

goes_with_the_module()
{
	rmmod usbpass
	wait_for 30 usb_bound "$(usb_find "product=QEMU USB Keyboard")" usbhid
}

plan 8
gadget_controllers 2
basename "$(dirname "$(readlink -f /sys/bus/pci/drivers/xhci_hcd/0000:*/usb1)")" >"$TMP/xhci"
defer probes_disarm
xhci unbind >"$TMP/out" || { cat "$TMP/out"; exit 1; }
probes_arm
insmod "${USBPASS_KO:-$TOP/usbpass.ko}"
defer usbpass_unload
{
	usbpass --no-wait group add all
	usbpass --no-wait rule add gadgets --group all --match 'vendor = 1209'
	usbpass --no-wait rule add cold --group all --match 'serial = "COLD0001"'
	usbpass --no-wait rule add keyboard --group all --match 'product-name = "QEMU USB Keyboard"'
} >"$TMP/out" 2>&1

it "a device that no rule claims is probed by its host driver (the probes count)" host_driver_is_counted
probes_total >"$TMP/probes"
it "a ruled disk, plugged again and again, is never probed by another driver" hot_plugs disk
it "a ruled keyboard, plugged again and again, is never probed by another driver" hot_plugs hid
it "a ruled serial port, plugged again and again, is never probed by another driver" hot_plugs acm
it "a ruled network adapter, plugged again and again, is never probed by another driver" hot_plugs ecm
probes_arm
it "ruled devices that were plugged before power-on are never probed by another driver" present_before_power_on
it "when its rule goes, an idle device goes to the host's driver" host_gets_them_back
it "unloading gives every device back to the host's drivers" goes_with_the_module
