# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# USB devices made of dummy_hcd and configfs gadgets: the host side sees them on root ports of its own.
#
#   gadget_controllers N [super]        load dummy_hcd with N controllers (high speed; super: SuperSpeed)
#   gadget_disk NAME [KEY=VALUE...]     a gadget of one function, not yet plugged; size=MIB (8) or file=PATH for the disk
#   gadget_acm NAME [...]               serial port        gadget_ecm NAME [...]   network (host_addr=)
#   gadget_hid NAME [...]               boot keyboard      gadget_sourcesink NAME [...], gadget_loopback NAME [...]
#   gadget_composite NAME FUNCTION... [KEY=VALUE...]       several of: disk acm ecm hid sourcesink loopback
#   plug NAME [UDC]                     UDC defaults to the first free one, dummy_udc.0 up
#   unplug NAME      gadget_remove NAME      gadget_remove_all
#   gadget_sysfs NAME                   the sysfs directory of the device on the host side; fails while there is none
#
# KEY is vendor, product, bcd, serial, manufacturer, name, class, speed (low-speed full-speed high-speed super-speed) or,
# as FUNCTION.KEY or KEY, an attribute of the function in configfs (bulk_buflen, pattern, isoc_...).
# Defaults: vendor 1d6b, product 0104, serial NAME. serial= (empty) makes a device without one.

GADGETS=/sys/kernel/config/usb_gadget

gadget_controllers()
{
	modprobe -r dummy_hcd 2>/dev/null
	modprobe dummy_hcd num="$1" is_super_speed="$([ "${2:-}" = super ] && echo Y || echo N)" is_high_speed=Y && modprobe libcomposite
}

# gadget_function GADGET FUNCTION KEY=VALUE...
gadget_function()
{
	local gadget=$1 kind=$2 driver=$2 dir option key size=8 file=''
	shift 2

	case $kind in
	disk) driver=mass_storage ;;
	sourcesink) driver=SourceSink ;;
	loopback) driver=Loopback ;;
	esac
	dir=$gadget/functions/$driver.${gadget##*/}
	mkdir "$dir" || return 1
	if [ "$kind" = hid ]; then
		echo 1 >"$dir/protocol"
		echo 1 >"$dir/subclass"
		echo 8 >"$dir/report_length"
		gadget_keyboard_report >"$dir/report_desc"
	fi
	for option; do
		key=${option%%=*}
		case $key in
		"$kind".*) key=${key#*.} ;;
		*.*) continue ;;
		esac
		case $key in
		size) size=${option#*=} ;;
		file) file=${option#*=} ;;
		vendor | product | bcd | serial | manufacturer | name | class | speed) ;;
		*) [ ! -e "$dir/$key" ] || echo "${option#*=}" >"$dir/$key" || return 1 ;;
		esac
	done
	if [ "$kind" = disk ]; then
		if [ -z "$file" ]; then
			file=/dev/shm/usbpass-disk.${gadget##*/}
			truncate -s "${size}M" "$file"
		fi
		echo "$file" >"$dir/lun.0/file" || return 1
	fi
	ln -s "$dir" "$gadget/configs/c.1/"
}

# The report descriptor of a boot keyboard (HID 1.11, appendix B.1).
gadget_keyboard_report()
{
	printf '\x05\x01\x09\x06\xa1\x01\x05\x07\x19\xe0\x29\xe7\x15\x00\x25\x01\x75\x01\x95\x08\x81\x02\x95\x01\x75\x08\x81\x03'
	printf '\x95\x05\x75\x01\x05\x08\x19\x01\x29\x05\x91\x02\x95\x01\x75\x03\x91\x03\x95\x06\x75\x08\x15\x00\x25\x65\x05\x07'
	printf '\x19\x00\x29\x65\x81\x00\xc0'
}

gadget_composite()
{
	local gadget=$GADGETS/$1 name=$1 functions=() options=() word serial
	shift

	for word; do
		case $word in
		*=*) options+=("$word") ;;
		*) functions+=("$word") ;;
		esac
	done
	serial=$name
	mkdir "$gadget" || return 1
	mkdir "$gadget/strings/0x409" "$gadget/configs/c.1"
	echo 0x1d6b >"$gadget/idVendor"
	echo 0x0104 >"$gadget/idProduct"
	for word in "${options[@]+"${options[@]}"}"; do
		case $word in
		vendor=*) echo "0x${word#*=}" >"$gadget/idVendor" ;;
		product=*) echo "0x${word#*=}" >"$gadget/idProduct" ;;
		bcd=*) echo "0x${word#*=}" >"$gadget/bcdDevice" ;;
		class=*) echo "0x${word#*=}" >"$gadget/bDeviceClass" ;;
		speed=*) echo "${word#*=}" >"$gadget/max_speed" ;;
		serial=*) serial=${word#*=} ;;
		manufacturer=*) echo "${word#*=}" >"$gadget/strings/0x409/manufacturer" ;;
		name=*) echo "${word#*=}" >"$gadget/strings/0x409/product" ;;
		esac || return 1
	done
	[ -z "$serial" ] || echo "$serial" >"$gadget/strings/0x409/serialnumber"
	for word in "${functions[@]}"; do
		gadget_function "$gadget" "$word" "${options[@]+"${options[@]}"}" || return 1
	done
}

gadget_disk() { gadget_composite "$1" disk "${@:2}"; }
gadget_acm() { gadget_composite "$1" acm "${@:2}"; }
gadget_ecm() { gadget_composite "$1" ecm "${@:2}"; }
gadget_hid() { gadget_composite "$1" hid "${@:2}"; }
gadget_sourcesink() { gadget_composite "$1" sourcesink "${@:2}"; }
gadget_loopback() { gadget_composite "$1" loopback "${@:2}"; }

plug()
{
	local gadget=$GADGETS/$1 udc=${2:-} candidate

	if [ -z "$udc" ]; then
		for candidate in $(cd /sys/class/udc && printf '%s\n' * | sort -V); do
			if ! grep -qx "$candidate" "$GADGETS"/*/UDC; then
				udc=$candidate
				break
			fi
		done
		[ -n "$udc" ] || { echo "plug $1: no free gadget controller: gadget_controllers with a greater number" >&2; return 1; }
	fi
	echo "$udc" >"$gadget/UDC"
}

unplug()
{
	echo >"$GADGETS/$1/UDC"
}

gadget_remove()
{
	local gadget=$GADGETS/$1 function

	[ -d "$gadget" ] || return 0
	[ -z "$(<"$gadget/UDC")" ] || echo >"$gadget/UDC"
	for function in "$gadget"/functions/*; do
		rm -f "$gadget/configs/c.1/${function##*/}"
		[ ! -d "$function" ] || rmdir "$function"
	done
	rmdir "$gadget/configs/c.1" "$gadget/strings/0x409" "$gadget"
	rm -f "/dev/shm/usbpass-disk.$1"
}

gadget_remove_all()
{
	local gadget

	for gadget in "$GADGETS"/*/; do
		[ ! -d "$gadget" ] || gadget_remove "$(basename "$gadget")"
	done
}

# A gadget on dummy_udc.N is the one device on the buses of dummy_hcd.N.
gadget_sysfs()
{
	local udc device

	udc=$(<"$GADGETS/$1/UDC")
	[ -n "$udc" ] || return 1
	for device in "/sys/devices/platform/dummy_hcd.${udc##*.}"/usb*/*-1; do
		[ -e "$device/idVendor" ] && echo "$device" && return 0
	done
	return 1
}
