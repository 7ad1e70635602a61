#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The test bed itself, without usbpass.
#
# on: stock

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/gadget.sh"
. "$TOP/selftests/lib/qmp.sh"
. "$TOP/selftests/lib/probes.sh"

defer gadget_remove_all

disk_is_probed()
{
	local device

	gadget_controllers 2
	gadget_disk bed-disk size=8 vendor=0951 product=1666 serial=BED1
	defer gadget_remove bed-disk
	probes_arm
	defer probes_disarm
	plug bed-disk
	wait_for 10 gadget_sysfs bed-disk
	device=$(gadget_sysfs bed-disk)
	same "$device" "$(usb_find idVendor=0951 serial=BED1)" "the device found by its serial"
	wait_for 10 usb_bound "$device" usb-storage
	same 1 "$(probes_count storage_probe)" "calls of storage_probe"
	same 1 "$(probes_total)" "calls of all probes"
	wait_for 20 usb_disk "$device"
	wait_for 10 dd "if=/dev/$(usb_disk "$device")" of=/dev/null bs=1M count=8
	unplug bed-disk
	wait_for 10 no test -e "$device/idVendor"
}

classes_are_probed()
{
	local kind name function driver

	gadget_controllers 4
	probes_arm
	defer probes_disarm
	while read -r kind function driver; do
		name=bed-$kind
		"gadget_$kind" "$name"
		defer gadget_remove "$name"
		plug "$name"
		wait_for 10 gadget_sysfs "$name"
		wait_for 10 usb_bound "$(gadget_sysfs "$name")" "$driver"
		same 1 "$(probes_count "$function")" "calls of $function"
	done <<-END
		acm acm_probe cdc_acm
		ecm usbnet_probe cdc_ether
		hid usbhid_probe usbhid
	END
	gadget_sourcesink bed-sourcesink pattern=2 bulk_buflen=4096
	defer gadget_remove bed-sourcesink
	plug bed-sourcesink
	wait_for 10 gadget_sysfs bed-sourcesink
	same 4096 "$(cat "$GADGETS"/bed-sourcesink/functions/SourceSink.bed-sourcesink/bulk_buflen)" "bulk_buflen"
	same 3 "$(probes_total)" "calls of all probes"
}

composite_has_both()
{
	local device

	gadget_controllers 1 super
	gadget_composite bed-both acm hid serial= vendor=0525 product=a4a7
	defer gadget_remove bed-both
	plug bed-both
	wait_for 10 usb_find idVendor=0525 idProduct=a4a7
	device=$(usb_find idVendor=0525 idProduct=a4a7)
	wait_for 10 usb_bound "$device" cdc_acm
	wait_for 10 usb_bound "$device" usbhid
	same 5000 "$(<"$device/speed")" "the speed"
	expect_fail test -e "$device/serial"
}

keyboard_is_probed()
{
	local device

	probes_arm usbhid_probe
	defer probes_disarm
	qmp_plug usb-kbd,id=bed-keyboard,bus=x.0,port=3
	wait_for 20 usb_find product="QEMU USB Keyboard"
	device=$(usb_find product="QEMU USB Keyboard")
	wait_for 10 usb_bound "$device" usbhid
	same 1 "$(probes_count usbhid_probe)" "calls of usbhid_probe"
	qmp_unplug bed-keyboard
	wait_for 10 no test -e "$device"
}

hub_and_disk()
{
	qmp_plug usb-hub,id=bed-hub,bus=x.0,port=4
	defer qmp_unplug bed-hub
	qmp_drive bed-drive 64M
	wait_for 20 usb_find product="QEMU USB Hub"
	qmp_plug usb-storage,id=bed-storage,bus=x.0,port=4.2,drive=bed-drive,serial=BED2
	wait_for 20 usb_find serial=BED2
	wait_for 20 usb_disk "$(usb_find serial=BED2)"
	same 131072 "$(cat "/sys/block/$(usb_disk "$(usb_find serial=BED2)")/size")" "sectors of the disk"
}

qemu_refuses()
{
	expect_error "not a valid device model name" qmp_plug usb-nonsense,id=n
	expect_error "Device .nobody. not found" qmp_unplug nobody
}

waiting_ends()
{
	local began=$SECONDS

	expect_fail wait_for 1 false
	[ $((SECONDS - began)) -le 3 ]
}

vhci_loads()
{
	modprobe vhci_hcd
	wait_for 5 test -d /sys/devices/platform/vhci_hcd.0
}

udev_runs()
{
	mkdir -p /run/udev/rules.d
	echo 'SUBSYSTEM=="usb", ATTR{serial}=="BED3", MODE="0600", SYMLINK+="bed-link"' >/run/udev/rules.d/99-bed.rules
	defer rm /run/udev/rules.d/99-bed.rules
	udevadm control --reload
	gadget_controllers 1
	gadget_disk bed-udev serial=BED3
	defer gadget_remove bed-udev
	plug bed-udev
	wait_for 10 test -e /dev/bed-link
	same 600 "$(stat -Lc %a /dev/bed-link)" "the mode of the usbfs node"
}

writes_stay_here()
{
	echo 1 >/usr/bed-was-here
	same 1 "$(</usr/bed-was-here)"
	same overlay "$(stat -fc %T / | sed 's/.*overlay.*/overlay/')" "the root file system"
	echo "$BOOT" >"$STATE/bed-boot"
}

plan 10
it "a gadget disk plugged into dummy_hcd is probed by usb-storage, once" disk_is_probed
it "serial, network and keyboard gadgets are probed by their drivers, source and sink by none" classes_are_probed
it "a composite SuperSpeed gadget without serial has both its drivers" composite_has_both
it "a QEMU keyboard plugged through QMP is probed by usbhid" keyboard_is_probed
it "a QEMU disk behind a QEMU hub becomes a block device" hub_and_disk
it "what QEMU refuses is an error of qmp_plug and qmp_unplug" qemu_refuses
it "waiting for what never comes fails when the time is over" waiting_ends
it "usbip's vhci_hcd loads" vhci_loads
it "udevd applies a rule to a device that is plugged" udev_runs
it "the guest writes into its own memory, and into the state directory" writes_stay_here
