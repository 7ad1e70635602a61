# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Count the calls of the host drivers' probe functions, with kprobes through tracefs.
#
#   probes_arm [FUNCTION...]     load the drivers, count from zero; default: storage uas usbhid cdc_acm cdc_ether (by usbnet_probe)
#   probes_count FUNCTION        how often it was called since
#   probes_total                 of all armed ones
#   probes_disarm

TRACEFS=/sys/kernel/tracing
PROBES_DEFAULT="storage_probe uas_probe usbhid_probe acm_probe usbnet_probe"

# A function is looked up while its module is there, so that a wrong name fails here and not as "never called".
probes_arm()
{
	local function module

	probes_disarm
	# shellcheck disable=SC2086 # a list of words
	[ $# -gt 0 ] || set -- $PROBES_DEFAULT
	for function; do
		case $function in
		storage_probe) module=usb-storage ;;
		uas_probe) module=uas ;;
		usbhid_probe) module=usbhid ;;
		acm_probe) module=cdc-acm ;;
		usbnet_probe) module=cdc_ether ;;
		*) module='' ;;
		esac
		[ -z "$module" ] || modprobe "$module" || return 1
		echo "p:usbpass_probes/$function $function" >>"$TRACEFS/kprobe_events" || return 1
		echo 1 >"$TRACEFS/events/usbpass_probes/$function/enable" || return 1
	done
}

# kprobe_profile counts hits and, apart from them, those missed in nested probes: both are calls.
probes_count()
{
	awk -v name="$1" '$1 == name { print $2 + $3; found = 1 } END { exit !found }' "$TRACEFS/kprobe_profile"
}

probes_total()
{
	awk '{ total += $2 + $3 } END { print total + 0 }' "$TRACEFS/kprobe_profile"
}

probes_disarm()
{
	local event

	for event in "$TRACEFS"/events/usbpass_probes/*/enable; do
		[ ! -e "$event" ] || echo 0 >"$event"
	done
	sed -n 's/^p[^:]*:\(usbpass_probes\/[^ ]*\).*/-:\1/p' "$TRACEFS/kprobe_events" >"${TMP:-/tmp}/.probes"
	while read -r event; do
		echo "$event" >>"$TRACEFS/kprobe_events"
	done <"${TMP:-/tmp}/.probes"
}
