#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The emulated devices themselves, under the stock kernel's own drivers, without usbpass. Transfers: emu_test.c.
#
# on: stock
# timeout: 600

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"

has_its_descriptors()
{
	local device

	emu_start loop --vid 1209 --pid 0001 --bcd 0234 --serial "A 1ü" --product Ding --manufacturer Dong --configs 2
	device=$(emu_sysfs loop)
	same 1209:0001:0234 "$(<"$device/idVendor"):$(<"$device/idProduct"):$(<"$device/bcdDevice")"
	same "A 1ü/Ding/Dong" "$(<"$device/serial")/$(<"$device/product")/$(<"$device/manufacturer")"
	same 2 "$(<"$device/bNumConfigurations")" "the number of configurations"
	wait_for 10 test -d "$device/${device##*/}:1.1"
	same ff "$(<"$device/${device##*/}:1.0/bInterfaceClass")" "the class of interface 0"
	same 06 "$(<"$device/${device##*/}:1.0/bNumEndpoints")" "the number of endpoints of interface 0"
	usb_unbound "$device"
}

has_its_speed()
{
	local preset speed mbits

	while read -r preset speed mbits; do
		emu_start "$speed" --preset "$preset" --speed "$speed"
		same "$mbits" "$(cat "$(emu_sysfs "$speed")/speed")" "the speed $speed"
	done <<-END
		keyboard low 1.5
		loop full 12
		loop high 480
		loop super 5000
	END
}

both_speeds_share_a_socket()
{
	emu_start two --port 3 --speed high
	emu_start three --port 3 --speed super
	same vhci_hcd.0/4 "$(emu two get=socket)"
	same vhci_hcd.0/4 "$(emu three get=socket)"
	expect_fail test "$(emu two get=busid)" = "$(emu three get=busid)"
	expect_error "another device is in it" timeout 20 "$EMUDEV" --port 3 --speed high
}

presets_are_probed()
{
	local preset driver

	while read -r preset driver; do
		emu_start "$preset" --preset "$preset"
		modprobe "$driver"
		wait_for 10 usb_bound "$(emu_sysfs "$preset")" "${driver/cdc-acm/cdc_acm}"
	done <<-END
		storage usb-storage
		keyboard usbhid
		acm cdc-acm
		ecm cdc_ether
		uas uas
	END
}

class_can_be_chosen()
{
	emu_start printer --class 07:01:02 --interfaces 1
	wait_for 10 test -d "$(emu_sysfs printer)/$(emu printer get=busid):1.0"
	same 07:01:02 "$(cd "$(emu_sysfs printer)/$(emu printer get=busid):1.0" &&
		echo "$(<bInterfaceClass):$(<bInterfaceSubClass):$(<bInterfaceProtocol)")"
}

disk_keeps_data()
{
	local disk

	emu_start storage --preset storage --disk-kib 1024 --speed "$1"
	wait_for 20 usb_disk "$(emu_sysfs storage)"
	disk=/dev/$(usb_disk "$(emu_sysfs storage)")
	wait_for 10 test -b "$disk"
	same 2048 "$(<"/sys/class/block/${disk#/dev/}/size")" "sectors of the disk"
	dd if=/dev/urandom of="$TMP/data" bs=1M count=1 status=none
	dd if="$TMP/data" of="$disk" bs=1M oflag=direct status=none
	emu storage replug wait=enumerated==1
	wait_for 20 usb_disk "$(emu_sysfs storage)"
	disk=/dev/$(usb_disk "$(emu_sysfs storage)")
	wait_for 10 test -b "$disk"
	dd if="$disk" bs=1M iflag=direct status=none | cmp - "$TMP/data"
}

descriptors_from_file()
{
	local device

	emu_start model --vid 1209 --pid 0002 --preset keyboard
	cp "$(emu_sysfs model)/descriptors" "$TMP/descriptors"
	emu_stop model
	printf '\xcd\xab' | dd of="$TMP/descriptors" bs=1 seek=8 conv=notrunc status=none
	emu_start copy --descriptors "$TMP/descriptors"
	device=$(emu_sysfs copy)
	same abcd:0002 "$(<"$device/idVendor"):$(<"$device/idProduct")"
	cmp "$TMP/descriptors" "$device/descriptors"
	expect_error "no-such-file: No such file" "$EMUDEV" --descriptors no-such-file
}

mute_never_enumerates()
{
	emu_start mute --wait attached --set mute=ep0
	emu mute 'wait=unlinks>=1:15000'
	same $'0\n-' "$(emu mute get=enumerated get=busid)"
	emu mute unmute wait=enumerated==1:30000
}

mute_in_set_configuration()
{
	emu_start mute --set mute=set_configuration
	emu mute wait=set_configuration==1 wait=in_flight==1
	emu mute 'wait=unlinks>=1:15000'
	same $'0\n1' "$(emu mute get=configuration get=last_configuration)"
	emu mute unmute
	echo 1 >"$(emu_sysfs mute)/bConfigurationValue"
	same $'1\n2' "$(emu mute get=configuration get=set_configuration)"
}

counts_configurations()
{
	emu_start loop --configs 2
	emu loop wait=configuration==1 clear
	echo 2 >"$(emu_sysfs loop)/bConfigurationValue"
	same $'2\n2\n1' "$(emu loop get=configuration get=last_configuration get=set_configuration)"
	emu loop log | grep -q 'type=00 request=09 value=0002 index=0000 length=0 status=0'
	same 0 "$(emu loop get=set_address)" "SET_ADDRESS requests that got through vhci"
}

# shellcheck disable=SC2317 # called by expect_error
set_configuration()
{
	echo "$1" >"$(emu_sysfs loop)/bConfigurationValue"
}

stalls_a_request_once()
{
	emu_start loop --configs 2
	emu loop wait=configuration==1 'stall=set_configuration*1'
	expect_error "Broken pipe" set_configuration 2
	set_configuration 2
	same 2 "$(emu loop get=configuration)"
}

# Strings of any bytes, and others at each read.
lies_about_itself()
{
	local device

	emu_start liar --product-raw 06034100 --serial-raw 080341000d004200 --set vary=get_config:7
	device=$(emu_sysfs liar)
	same A "$(<"$device/product")" "a product with a length past its end"
	same $'A\rB' "$(<"$device/serial")"
	emu liar rules | grep -q '^vary target=get_config argument=7 '
	expect_error "want its whole descriptor" emu liar serial-raw=080
	emu liar 'wait=configuration==1' product-raw= vary=get_device:10 replug 'wait=enumerated==1'
	same "emulated device" "$(cat "$(emu_sysfs liar)/product")"
	expect_fail same 0104 "$(cat "$(emu_sysfs liar)/idProduct")"
	emu liar unvary replug 'wait=enumerated==1'
	same 0104 "$(cat "$(emu_sysfs liar)/idProduct")"
}

comes_back_changed()
{
	local device socket

	emu_start loop --serial OLD
	device=$(emu_sysfs loop)
	socket=$(emu loop get=socket)
	emu loop serial=NEW pid=0105 replug wait=enumerated==1
	same "$device" "$(emu_sysfs loop)" "the place in sysfs"
	same "$socket" "$(emu loop get=socket)" "the socket"
	same NEW:0105 "$(<"$device/serial"):$(<"$device/idProduct")"
	same $'2\n1' "$(emu loop get=plugs get=unplugs)"
}

obeys_timers()
{
	local device began

	emu_start loop
	device=$(emu_sysfs loop)
	began=$(date +%s%N)
	emu loop unplug=300 plug=1500
	test -e "$device"
	emu loop wait=plugged==0 wait=enumerated==0
	[ $((($(date +%s%N) - began) / 1000000)) -ge 300 ]
	emu loop wait=plugged==1
	[ $((($(date +%s%N) - began) / 1000000)) -ge 1500 ]
	emu loop wait=enumerated==1
}

dies_like_an_unplug()
{
	local device

	emu_start loop
	device=$(emu_sysfs loop)
	kill -KILL "$(sed -n 's/.* pid=//p' "$TMP/loop.ready")"
	wait_for 10 test ! -e "$device"
	rm "$TMP/loop.emu"
}

reports_keys()
{
	emu_start keyboard --preset keyboard
	wait_for 20 usb_bound "$(emu_sysfs keyboard)" usbhid
	emu keyboard wait=ep81_in_flight==1 report=0000040000000000 report=0000000000000000 wait=reports_sent==2
}

errors_say_what()
{
	emu_start loop
	expect_error "mute=nothing: not TARGET" emu loop mute=nothing
	expect_error "it is plugged in, unplug first" emu loop plug
	expect_error "unmute=ep81: no such rule" emu loop unmute=ep81
	expect_error "not within 50 ms" emu loop 'wait=plugs>=9:50'
	expect_error "no such command or setting" emu loop nonsense=1
	expect_error "low.full.high.super" emu loop speed=warp
	expect_error "hub of vhci_hcd has ports 0 to" "$EMUDEV" --port 77
}

plan 18
it "a loop device has the descriptors and strings that it was given" has_its_descriptors
it "the kernel sees each speed" has_its_speed
it "port N of both speeds is one socket, with room for one device of each" both_speeds_share_a_socket
it "each preset is bound by the host's class driver" presets_are_probed
it "the interface class of a loop device can be chosen" class_can_be_chosen
it "a high speed disk keeps what was written over a replug" disk_keeps_data high
it "a SuperSpeed disk keeps what was written over a replug" disk_keeps_data super
it "a device can be made from a file of descriptors" descriptors_from_file
it "strings can be any bytes, and answers others at each read" lies_about_itself
it "a device with a mute endpoint 0 does not enumerate until it speaks" mute_never_enumerates
it "a device mute in SET_CONFIGURATION stays unconfigured until it speaks" mute_in_set_configuration
it "configurations are set, counted and logged" counts_configurations
it "a stall rule with a count is over after that" stalls_a_request_once
it "a replug brings other descriptors back to the same socket" comes_back_changed
it "plugs and unplugs can be put off" obeys_timers
it "a killed device is an unplugged device" dies_like_an_unplug
it "a keyboard's reports are read by the host" reports_keys
it "what makes no sense is refused by name" errors_say_what
