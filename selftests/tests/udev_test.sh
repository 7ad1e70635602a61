#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The usbfs node of a claimed device is root's alone, with udevd and the installed rule between rules of other people.
#
# timeout: 600

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
PATH=$TOP/userspace:$PATH
RULES=/run/udev/rules.d

[ -e /sys/module/usbpass ] || insmod "${USBPASS_KO:-$TOP/usbpass.ko}" || exit 1
mkdir -p $RULES
cp "$TOP/userspace/udev/72-usbpass.rules" $RULES/
# One grants before ours, as a security token's package does, the other after.
echo 'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{serial}=="UDEV1", TAG+="uaccess"' >$RULES/70-other.rules
echo 'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{serial}=="UDEV1", MODE="0666", GROUP="plugdev"' >$RULES/90-other.rules
udevadm control --reload
defer udevadm control --reload
defer rm $RULES/72-usbpass.rules $RULES/70-other.rules $RULES/90-other.rules

# The node as udevd leaves it: mode, owner, and whether the session's user may be let in.
access()
{
	local node

	udevadm settle
	node=$(usb_node "$(emu_sysfs key)") || return 1
	echo "$(stat -c '%a %U' "$node") $(udevadm info -q property --property=CURRENT_TAGS "$node" | grep -c uaccess)"
}

has_access()
{
	local now

	now=$(access)
	[ "$now" = "$1" ] || { echo "$now"; return 1; }
}

opens_as_nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups dd if="$1" of=/dev/null bs=18 count=1 status=none
}

free()
{
	usbpass -j rule list | jq -r '.rules[].id' | while read -r id; do
		usbpass --no-wait rule del "#$id"
	done
	usbpass --no-wait group del key
}

plug_and_claim()
{
	emu_start key --preset loop --serial UDEV1
	defer free
	wait_for 20 has_access "666 root 1"
	usbpass --no-wait group make key "$(basename "$(emu_sysfs key)")" --force
	same usbpass "$(usb_driver "$(emu_sysfs key)")"
}

claimed()
{
	local node

	plug_and_claim
	wait_for 20 has_access "600 root 0"
	node=$(usb_node "$(emu_sysfs key)")
	same root "$(stat -c %G "$node")" "the group"
	expect_error "Permission denied" opens_as_nobody "$node"
}

claimed_at_plug()
{
	plug_and_claim
	emu key unplug
	wait_for 20 no emu_sysfs key
	emu key plug
	wait_for 20 emu_sysfs key
	wait_for 20 has_access "600 root 0"
	expect_error "Permission denied" opens_as_nobody "$(usb_node "$(emu_sysfs key)")"
}

changed()
{
	local node

	plug_and_claim
	wait_for 20 has_access "600 root 0"
	node=$(usb_node "$(emu_sysfs key)")
	chmod 666 "$node"
	udevadm trigger --settle --action=change "$(emu_sysfs key)"
	wait_for 20 has_access "600 root 0"
}

released()
{
	plug_and_claim
	wait_for 20 has_access "600 root 0"
	usbpass --no-wait device release "$(basename "$(emu_sysfs key)")"
	wait_for 20 has_access "666 root 1"
	opens_as_nobody "$(usb_node "$(emu_sysfs key)")"
}

plan 4
it "the usbfs node of a claimed device is root's alone" claimed
it "the node of a device that is claimed when plugged is root's alone" claimed_at_plug
it "a change event does not open the node" changed
it "the node of a released device is as udev's other rules want it" released
