#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the host uses is not taken: each kind of use, by the stock kernel's own drivers, is refused with its holder named, and taken
# once it has ended.
#
# on: stock
# timeout: 600

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
. "$TOP/selftests/lib/gadget.sh"
. "$TOP/selftests/lib/usbpass.sh"

usbpass_load "$@" || exit 1

# On its own rule, that the next test may start without.
forget()
{
	local id

	usbpass -j rule list | sed -nE 's/^      "id": ([0-9]+),$/\1/p' >"$TMP/ids"
	while read -r id; do
		usbpass --no-wait rule del "#$id"
	done <"$TMP/ids" >/dev/null
}

# resource DEVICE WORDS: make one of a device that is in use
resource()
{
	defer forget
	usbpass --no-wait group make used "$1" >"$TMP/said" || return 1
	grep -qF -- "pending: $2; " "$TMP/said" || { say "'$2' is not in: $(<"$TMP/said")"; return 1; }
	same pending "$(usbpass_state_of "$1")"
}

# refused DEVICE WORDS: and the device stays as it is
refused()
{
	local status=0

	usbpass device claim "$1" >"$TMP/said" 2>&1 || status=$?
	same 1 $status "the status of device claim"
	grep -qF -- "pending: $2; " "$TMP/said" || { say "'$2' is not in: $(<"$TMP/said")"; return 1; }
	usbpass status >"$TMP/said"
	grep -qF -- "1 device pending: $2; " "$TMP/said" || { say "'$2' is not in: $(<"$TMP/said")"; return 1; }
}

unused()
{
	usbpass status >"$TMP/said"
	grep -qF -- "1 device pending: nothing uses it any more; usbpass device claim" "$TMP/said" || { say "$(<"$TMP/said")"; return 1; }
}

taken()
{
	usbpass device claim "$@"
	same idle "$(usbpass_state_of "$1")"
}

# hold FILE [NAME]: a process of that name (sleep) has it open; its pid in $holder
hold()
{
	local name=${2:-sleep}

	[ -e "$TMP/$name" ] || cp /bin/sleep "$TMP/$name"
	"$TMP/$name" 1000 <>"$1" &
	holder=$!
	defer let_go $holder
	wait_for 10 grep -qx "$name" /proc/$holder/comm
}

let_go()
{
	[ ! -e "/proc/$1" ] || kill "$1"
	wait "$1" 2>/dev/null || true
}

# below DEVICE GLOB: the name of the one file or directory there
below()
{
	local path

	for path in "$1"/$2; do
		[ -e "$path" ] && basename "$path" && return 0
	done
	return 1
}

disk()
{
	local device disk busid

	emu_start stick --preset storage --serial STICK1
	device=$(emu_sysfs stick)
	busid=$(basename "$device")
	modprobe usb-storage
	wait_for 20 usb_disk "$device"
	disk=$(usb_disk "$device")
	udevadm settle
	mkfs.ext4 -q "/dev/$disk"
	mkdir -p "$TMP/mnt"
	defer umount "$TMP/mnt" "2>/dev/null"

	mount "/dev/$disk" "$TMP/mnt"
	resource "$busid" "$disk is mounted on $TMP/mnt"
	refused "$busid" "$disk is mounted on $TMP/mnt"
	umount "$TMP/mnt"
	unused

	unshare --mount --propagation private sh -c "mount /dev/$disk '$TMP/mnt' && exec sleep 1000" &
	holder=$!
	defer let_go $holder
	wait_for 10 grep -qx sleep /proc/$holder/comm
	refused "$busid" "$disk is in exclusive use (a mount of another namespace, or RAID)"
	let_go $holder
	wait_for 10 unused

	mkswap "/dev/$disk" >/dev/null
	swapon "/dev/$disk"
	defer swapoff "/dev/$disk" "2>/dev/null"
	refused "$busid" "$disk is swapped to"
	swapoff "/dev/$disk"
	unused

	dmsetup create --noudevsync upon --table "0 64 linear /dev/$disk 0"
	defer dmsetup remove --noudevsync upon "2>/dev/null"
	refused "$busid" "$disk is part of $(dmsetup info -c --noheadings -o blkdevname upon) (upon)"
	dmsetup remove --noudevsync upon
	wait_for 10 unused

	modprobe md_mod
	echo md_upon >/sys/module/md_mod/parameters/new_array
	defer eval "[ ! -e /sys/block/md_upon ] || echo clear >/sys/block/md_upon/md/array_state"
	cat "/sys/block/$disk/dev" >/sys/block/md_upon/md/new_dev
	refused "$busid" "$disk is part of md_upon"
	echo clear >/sys/block/md_upon/md/array_state
	wait_for 10 unused

	hold "/dev/$disk"
	refused "$busid" "/dev/$disk is open in sleep (pid $holder)"
	let_go $holder
	taken "$busid"
}

network()
{
	local device busid name

	emu_start net --preset ecm
	device=$(emu_sysfs net)
	busid=$(basename "$device")
	modprobe cdc_ether
	wait_for 20 below "$device" "*:*/net/*"
	udevadm settle
	name=$(below "$device" "*:*/net/*")
	ip link set "$name" up
	resource "$busid" "network interface $name is up"
	refused "$busid" "network interface $name is up"
	ip link set "$name" down
	taken "$busid"
}

serial()
{
	local device busid tty

	emu_start modem --preset acm
	device=$(emu_sysfs modem)
	busid=$(basename "$device")
	modprobe cdc-acm
	wait_for 20 below "$device" "*:*/tty/*"
	tty=$(below "$device" "*:*/tty/*")
	udevadm settle
	hold "/dev/$tty"
	resource "$busid" "/dev/$tty is open in sleep (pid $holder)"
	refused "$busid" "/dev/$tty is open in sleep (pid $holder)"
	let_go $holder
	taken "$busid"
}

# hidraw, evdev and usbfs; not what logind has open.
keyboard()
{
	local device busid raw event

	emu_start keys --preset keyboard
	device=$(emu_sysfs keys)
	busid=$(basename "$device")
	modprobe -a usbhid hid-generic evdev
	wait_for 20 below "$device" "*:*/*/hidraw/*"
	wait_for 20 below "$device" "*:*/*/input/*/event*"
	udevadm settle
	raw=$(below "$device" "*:*/*/hidraw/*") event=$(below "$device" "*:*/*/input/*/event*")
	hold "/dev/$raw"
	resource "$busid" "/dev/$raw is open in sleep (pid $holder)"
	let_go $holder
	hold "/dev/input/$event"
	refused "$busid" "/dev/input/$event is open in sleep (pid $holder)"
	let_go $holder
	hold "$(usb_node "$device")"
	refused "$busid" "$(usb_node "$device") is open in sleep (pid $holder)"
	let_go $holder
	unused
	hold "/dev/input/$event" systemd-logind
	taken "$busid"
}

# The machine's own keyboard is taken away for a while.
only_keyboard()
{
	local device busid keyboard

	emu_start keys --preset keyboard
	device=$(emu_sysfs keys)
	busid=$(basename "$device")
	modprobe -a usbhid hid-generic
	wait_for 20 below "$device" "*:*/*/input/input*"
	udevadm settle
	for keyboard in /sys/bus/serio/drivers/atkbd/serio*; do
		[ -e "$keyboard" ] || continue
		defer eval "echo -n rescan >$(readlink -f "$keyboard")/drvctl"
		echo -n none >"$(readlink -f "$keyboard")/drvctl"
	done
	resource "$busid" "it is this seat's only keyboard"
	refused "$busid" "it is this seat's only keyboard"
	usbpass status >"$TMP/said"
	grep -q "plug another keyboard, replug, or .usbpass device claim --force." "$TMP/said"
	taken "$busid" --force
}

sound()
{
	local device busid midi

	modprobe -n -q -a snd-usb-audio usb_f_midi || skip "this kernel has no sound, or no gadget that makes some"
	gadget_controllers 1
	defer modprobe -r dummy_hcd
	defer gadget_remove_all
	gadget_composite piano midi
	plug piano
	wait_for 20 gadget_sysfs piano
	device=$(gadget_sysfs piano)
	busid=$(basename "$device")
	modprobe snd-usb-audio
	wait_for 20 below "$device" "*:*/sound/card*/midiC*"
	midi=$(below "$device" "*:*/sound/card*/midiC*")
	udevadm settle
	hold "/dev/snd/$midi"
	resource "$busid" "/dev/snd/$midi is open in sleep (pid $holder)"
	refused "$busid" "/dev/snd/$midi is open in sleep (pid $holder)"
	let_go $holder
	taken "$busid"
}

plan 6
it "refuses a disk that is mounted, here or in another namespace, swapped to, held by device-mapper or MD, or open" disk
it "refuses a network interface while it is up" network
it "refuses a serial port that is open" serial
it "refuses a keyboard whose nodes are open, but not where only logind has them" keyboard
it "refuses the seat's only keyboard, unless by force" only_keyboard
it "refuses a sound node that is open" sound
