#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is refused while something is in use, and what the refusal says to do.
#
# timeout: 800

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
. "$TOP/selftests/lib/usbpass.sh"

# A module with the group "sticks", an emulated disk in it, and its attachment "stick".
one_attachment()
{
	usbpass_load "$@"
	usbpass --no-wait group add sticks
	usbpass --no-wait rule add sticks --group sticks --match 'vendor = 1209'
	usbpass --no-wait attach add stick --group sticks
	emu_start stick --preset storage --vid 1209 --serial LIFE1
	node=/dev/usbpass/host/stick
	wait_for 20 slot_is idle
}

slot_is()
{
	[ "$(</sys/class/usbpass/slot0/state)" = "$1" ]
}

device_is()
{
	[ "$(usbpass_state_of "$1")" = "$2" ]
}

# The consumer: a descriptor of this shell's own.
hold()
{
	exec 7<>"$node"
	slot_is online
}

second_open()
{
	one_attachment
	hold
	expect_error "Device or resource busy" dd if="$node" of=/dev/null count=1
	exec 7>&-
	wait_for 20 slot_is idle
	dd if="$node" of="$TMP/descriptor" bs=18 count=1
	same 18 "$(stat -c %s "$TMP/descriptor")" "bytes of the device descriptor"
}

# told WORD REGEX: one event of that name, and what it says
told()
{
	same 1 "$(grep -c "] $1 " "$TMP/events")" "events of the name $1"
	grep -Eq "] $1 .*attachment=\"?stick\"?.*$2" "$TMP/events"
}

leases_told()
{
	one_attachment
	usbpass monitor --since 0 >"$TMP/events" &
	defer kill $!
	hold
	expect_error "Device or resource busy" dd if="$node" of=/dev/null count=1
	exec 7>&-
	wait_for 20 grep -q "] lease-closed " "$TMP/events"
	told lease-opened "pid=$BASHPID uid=0 comm=\"?lifecycle"
	told lease-refused 'result="?EBUSY"?.*comm="?dd'
	told lease-closed "pid=$BASHPID uid=0"
}

empty_group()
{
	one_attachment
	emu_stop stick
	wait_for 20 slot_is missing
	expect_error "No such device" dd if="$node" of=/dev/null count=1
}

disabled_group()
{
	one_attachment
	usbpass --no-wait group set sticks --disable
	slot_is offline
	expect_error "Permission denied" dd if="$node" of=/dev/null count=1
}

group_deleted()
{
	one_attachment
	hold
	expect_error "delete" usbpass --no-wait group del sticks
	slot_is online
}

rule_deleted()
{
	one_attachment
	hold
	usbpass --no-wait rule del sticks
	slot_is online
	same online "$(usbpass_state_of LIFE1)" "the device's state"
	exec 7>&-
	wait_for 30 usb_bound "$(emu_sysfs stick)" usb-storage
	same host "$(usbpass_state_of LIFE1)" "the device's state after the close"
}

attachment_deleted()
{
	one_attachment
	hold
	expect_error "lease is open" usbpass --no-wait attach del stick
	slot_is online
	usbpass --no-wait attach del stick --revoke
	expect_fail test -e "$node"
	expect_error "No such device" dd of=/dev/null count=1 <&7
	exec 7>&-
	wait_for 20 device_is LIFE1 idle
}

module_removed()
{
	one_attachment
	hold
	expect_error "in use" rmmod usbpass
	exec 7>&-
	wait_for 20 slot_is idle
	rmmod usbpass
	wait_for 30 usb_bound "$(emu_sysfs stick)" usb-storage
}

device_released()
{
	one_attachment
	hold
	expect_error "lease is open" usbpass --no-wait device release LIFE1
	exec 7>&-
	wait_for 20 slot_is idle
	usbpass --no-wait device release LIFE1
	wait_for 30 usb_bound "$(emu_sysfs stick)" usb-storage
	emu stick replug
	wait_for 20 slot_is idle
	same idle "$(usbpass_state_of LIFE1)" "the device's state after its replug"
}

comes_back_in_time()
{
	one_attachment replug_ms=20000
	hold
	emu stick unplug
	wait_for 20 slot_is returning
	emu stick plug
	wait_for 20 slot_is online
	dd of=/dev/null bs=18 count=1 <&7
}

too_late()
{
	one_attachment replug_ms=200
	hold
	emu stick unplug
	wait_for 20 slot_is gone
	expect_error "No such device" dd of=/dev/null bs=18 count=1 <&7
	exec 7>&-
	wait_for 20 slot_is missing
	emu stick plug
	wait_for 20 slot_is idle
}

# A dongle that turns into a keyboard under its lease.
another_in_the_socket()
{
	one_attachment replug_ms=20000
	hold
	emu stick unplug preset=keyboard vid=046d serial=EVIL plug
	wait_for 20 usb_find serial=EVIL
	wait_for 20 device_is EVIL held
	expect_fail usb_bound "$(usb_find serial=EVIL)" usbhid
}

mute_device()
{
	local began=$SECONDS

	one_attachment
	emu stick mute=set_configuration
	expect_error "Input/output error" dd if="$node" of=/dev/null count=1
	[ $((SECONDS - began)) -lt 60 ]
	wait_for 40 slot_is error
	same error "$(usbpass_state_of LIFE1)" "the device's state"
	emu stick behave replug
	wait_for 30 slot_is idle
}

taken()
{
	[[ $(readlink "$1/driver") == */usbpass ]]
}

# The neighbour is on the same hub of the same controller.
mute_neighbour()
{
	one_attachment
	emu stick mute=set_configuration
	dd if="$node" of=/dev/null count=1 >"$TMP/dd" 2>&1 &
	wait_for 10 slot_is online || wait_for 10 slot_is cleaning || true
	emu_start neighbour --preset acm --vid 1209 --serial LIFE2
	# A configuration call of the mute one takes 5 s. By sysfs: the helper is slow to start here.
	device=$(emu_sysfs neighbour)
	wait_for 4.5 taken "$device"
	wait
}

plan 14
it "a second open is refused as busy, and the first one's end frees the slot" second_open
it "each opening, refusal and end of a lease is told, with who did it" leases_told
it "a slot whose group has no device here says ENODEV" empty_group
it "a slot of a disabled group says EACCES" disabled_group
it "a group is not deleted while an attachment and a lease are in it" group_deleted
it "a lease outlives its rule; at its close the device goes to the host" rule_deleted
it "an attachment is not deleted while leased, and --revoke is an unplug" attachment_deleted
it "the module is not removed while leased, and then gives the devices back" module_removed
it "a leased device is not released; a released one is taken again at its replug" device_released
it "a device that comes back in time goes on in the same descriptor" comes_back_in_time
it "a device that comes too late is a new plug" too_late
it "what appears in a leased socket gets no host driver" another_in_the_socket
it "a device that does not answer is in error, and a replug mends it" mute_device
it "a device that does not answer holds up no other's plug" mute_neighbour
