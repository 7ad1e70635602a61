# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Look at USB devices through sysfs. DEVICE is a sysfs directory, as usb_find and gadget_sysfs print it.
#
#   usb_find KEY=VALUE...       the one device whose sysfs attributes (idVendor, serial, product...) are these
#   usb_driver DEVICE           the device driver ("none")
#   usb_bound DEVICE DRIVER     some interface of the device is bound to DRIVER
#   usb_unbound DEVICE          no interface of it is bound (or it has none)
#   usb_node DEVICE             /dev/bus/usb/BBB/DDD
#   usb_disk DEVICE             the name of its block device (sda); fails while there is none

usb_find()
{
	local device option value found=''

	for device in /sys/bus/usb/devices/*; do
		[ -e "$device/idVendor" ] || continue
		for option; do
			value=''
			# Not of $(cat ...): it is asked often, and of each device. It may go meanwhile.
			[ ! -e "$device/${option%%=*}" ] || { IFS= read -r value <"$device/${option%%=*}"; } 2>/dev/null || true
			[ "$value" = "${option#*=}" ] || continue 2
		done
		[ -z "$found" ] || { echo "usb_find $*: two devices match" >&2; return 1; }
		found=$device
	done
	[ -n "$found" ] && readlink -f "$found"
}

usb_driver()
{
	local driver

	if driver=$(readlink "$1/driver"); then
		echo "${driver##*/}"
	else
		echo none
	fi
}

usb_bound()
{
	local interface

	for interface in "$1"/*:*; do
		[ "$interface/driver" -ef "/sys/bus/usb/drivers/$2" ] && return 0
	done
	return 1
}

usb_unbound()
{
	local interface

	for interface in "$1"/*:*; do
		[ ! -e "$interface/driver" ] || return 1
	done
}

usb_node()
{
	printf '/dev/bus/usb/%03d/%03d\n' "$(<"$1/busnum")" "$(<"$1/devnum")"
}

usb_disk()
{
	local block

	for block in "$1"/*:*/host*/target*/*/block/*; do
		[ -d "$block" ] && basename "$block" && return 0
	done
	return 1
}
