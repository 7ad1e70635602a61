#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rules of action quarantine: what is plugged in gets no driver and nobody's lease, until a rule or the administrator decides.
#
# group: node
# on: stock
# on.long: stock debug
# timeout: 900 2000

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
. "$TOP/selftests/lib/probes.sh"
. "$TOP/selftests/lib/usbpass.sh"

reason_of()
{
	usbpass -j device show "$1" | sed -nE 's/^      "reason": "(.*)",$/\1/p'
}

bound()
{
	usb_bound "$(emu_sysfs "$1")" usb-storage
}

# A disk whose serial is its name. held NAME, hosted NAME: plugged in, and has come to that.
held()
{
	emu_start "$1" --preset storage --serial "$1"
	wait_for 20 usbpass_is "$1" held
}

hosted()
{
	emu_start "$1" --preset storage --serial "$1"
	wait_for 20 bound "$1"
	usbpass_is "$1" host
}

replug()
{
	local id

	id=$(usbpass -j device show "$1" | sed -nE 's/^      "id": (.*),$/\1/p')
	emu "$1" unplug
	wait_for 20 no usbpass device show "#$id"
	emu "$1" plug
	wait_for 20 emu_sysfs "$1"
}

# What a commit asks for is done: a job waits its turn behind it.
settled()
{
	[ -S "$TMP/last.emu" ] || held last
	[ "$(usbpass_state_of last)" = host ] && replug last
	usbpass_do device release last
}

no_driver()
{
	usbpass_load
	probes_arm storage_probe uas_probe
	defer probes_disarm
	hosted other
	same 1 "$(probes_count storage_probe)" "calls of storage_probe for a disk that no rule wins"
	usbpass_do rule add deny --action quarantine --match 'serial begins Q'
	held Q1
	same 1 "$(probes_total)" "calls of host drivers' probes"
	same "" "$(<"$(emu_sysfs Q1)/bConfigurationValue")" "the configuration"
	same "quarantined by rule 'deny'" "$(reason_of Q1)"
	usbpass device show Q1 | grep -q "add a rule that claims or ignores it, or \`device release\`"
	usbpass device list | grep -Eq " Q1 .* usbpass +- +deny +held *$"
	usbpass status | grep -q "(.*) held: quarantined by rule 'deny'; add a rule"
	expect_error "no rule claims this device" usbpass device claim Q1
	usbpass monitor --since 0 >"$TMP/events" &
	defer kill $!
	wait_for 10 grep -Eq "rule=#1 state=held reason=.*quarantined by rule 'deny'" "$TMP/events"
}

present_stays()
{
	usbpass_load
	hosted Q1
	usbpass_do rule add deny --action quarantine --match any
	settled
	usbpass_is Q1 host
	bound Q1
	expect_error "the host's drivers have this device" usbpass device release Q1
	usbpass_do save "$TMP/deny.yaml"
	usbpass_do apply "$TMP/deny.yaml" --rescan --force
	settled
	usbpass_is Q1 host
	bound Q1
	replug Q1
	wait_for 20 usbpass_is Q1 held
}

rules_decide()
{
	usbpass_load
	probes_arm storage_probe
	defer probes_disarm
	usbpass_do rule add deny --action quarantine --match any
	held Q1
	usbpass_do group add g
	usbpass_do rule add take --group g --priority -1 --match 'serial = Q1'
	wait_for 20 usbpass_is Q1 idle
	usbpass_do rule set take --action quarantine
	wait_for 20 usbpass_is Q1 held
	same "quarantined by rule 'take'" "$(reason_of Q1)"
	same 0 "$(probes_count storage_probe)" "calls of storage_probe"
	usbpass_do rule set take --action ignore
	wait_for 20 bound Q1
	usbpass_is Q1 host
	replug Q1
	wait_for 20 bound Q1
	usbpass_do rule del take
	replug Q1
	wait_for 20 usbpass_is Q1 held
	usbpass_do rule set deny --disable
	wait_for 20 bound Q1
}

released()
{
	usbpass_load
	usbpass_do rule add deny --action quarantine --match any
	held Q1
	usbpass_do device release Q1
	wait_for 20 bound Q1
	usbpass_is Q1 host
	usbpass_do rule set deny --description again
	settled
	usbpass_is Q1 host
	replug Q1
	wait_for 20 usbpass_is Q1 held
	usbpass_do rule del deny
	wait_for 20 bound Q1
}

not_leasable()
{
	usbpass_load
	usbpass_do group add g
	usbpass_do rule add deny --action quarantine --priority 9 --match any
	usbpass_do rule add take --group g --match 'serial = Q1'
	usbpass_do attach add a --group g
	emu_start Q1 --preset storage --serial Q1
	wait_for 20 usbpass_is Q1 idle
	# Before it is open: the emulation would inherit that.
	held last
	exec 7<>/dev/usbpass/host/a
	# Its lease goes on; after that nobody gets it.
	usbpass_do rule set take --action quarantine
	settled
	usbpass_is Q1 online
	exec 7>&-
	wait_for 20 usbpass_is Q1 held
	expect_error "No such device" bash -c 'exec 7<>/dev/usbpass/host/a'
	usbpass_do attach show a
	grep -Eq "^state +missing" "$TMP/said"
	usbpass -j group list | grep -q '"devices": 0'
}

claim_is_off()
{
	local parameter=/sys/module/usbpass/parameters/claim

	usbpass_load claim=1
	usbpass_do rule add deny --action quarantine --match any
	held Q1
	held last
	echo 0 >$parameter
	hosted Q2
	usbpass_do rule set deny --description again
	usbpass_do device release last
	usbpass_is Q1 held
	echo 1 >$parameter
	replug Q2
	wait_for 20 usbpass_is Q2 held
}

by_fields()
{
	local match

	usbpass_load
	hosted Q1
	for match in "socket = $(usbpass -j device show Q1 | sed -nE 's/^      "socket": "(.*)",$/\1/p')" \
		"bus = $(basename "$(emu_sysfs Q1)" | cut -d- -f1)" "node = $(uname -n)"; do
		usbpass_do rule add deny --action quarantine --match "$match"
		replug Q1
		wait_for 20 usbpass_is Q1 held
		# Another bus, node or socket is not meant.
		usbpass_do rule set deny --match "${match%% *} != ${match##* }"
		wait_for 20 bound Q1
		usbpass_do rule del deny
	done
}

tells()
{
	local busid

	usbpass_load
	hosted Q1
	busid=$(basename "$(emu_sysfs Q1)")
	cat >"$TMP/deny.yaml" <<-END
		usbpass: 1
		groups:
		- name: g
		rules:
		- name: deny
		  action: quarantine
		  match: serial = Q1
	END
	usbpass_do diff "$TMP/deny.yaml"
	grep -Eq "^quarantine device $busid \(1d6b:0104 Q1\): at its next plug$" "$TMP/said"
	usbpass_do apply "$TMP/deny.yaml"
	replug Q1
	wait_for 20 usbpass_is Q1 held
	usbpass_do diff "$TMP/deny.yaml"
	same "nothing would change" "$(<"$TMP/said")"
	sed 's/action: .*/action: ignore/' "$TMP/deny.yaml" >"$TMP/allow.yaml"
	usbpass_do diff "$TMP/allow.yaml"
	grep -Eq "^release +device .* Q1\)$" "$TMP/said"
	sed 's/action: .*/action: claim\n  group: g/' "$TMP/deny.yaml" >"$TMP/claim.yaml"
	usbpass_do diff "$TMP/claim.yaml"
	grep -Eq "^claim +device .* Q1\), into group 'g'$" "$TMP/said"
	usbpass_do apply "$TMP/claim.yaml"
	wait_for 20 usbpass_is Q1 idle
	usbpass_do diff "$TMP/deny.yaml"
	grep -Eq "^quarantine device .* Q1\), from group 'g'$" "$TMP/said"
	usbpass_do apply "$TMP/deny.yaml"
	usbpass_do rule test Q1
	same "rule 'deny' quarantines it as it is plugged in" "$(tail -n 1 "$TMP/said")" "the last line"
	expect_error "say --action ignore or quarantine" usbpass rule add x --match any
	expect_error "only with --action claim" usbpass rule add x --match any --action quarantine --group g
}

# doctor tells the keyboard that a rule would win, and a command that saves it.
spares_the_keyboard()
{
	usbpass_load
	emu_start KEYS --preset keyboard --serial KEYS
	wait_for 20 usb_bound "$(emu_sysfs KEYS)" usbhid
	usbpass_do rule add deny --action quarantine --priority 7 --match any
	held Q1
	usbpass doctor >"$TMP/doctor" || true
	grep -q "^ok .*quarantine: rule 'deny' holds 1 device$" "$TMP/doctor"
	grep -q "usbpass.claim=0 on the kernel's command line" "$TMP/doctor"
	grep -q "^warning .*rule 'deny' takes #.* from the host, at its next plug, or the next boot: a keyboard$" "$TMP/doctor"
	grep -o "usbpass rule add --action ignore --priority 6 --match 'socket = vhci_hcd.0/[0-9]*'" "$TMP/doctor" >"$TMP/remedy"
	bash "$TMP/remedy" >"$TMP/said" 2>&1
	usbpass doctor >"$TMP/doctor" || true
	expect_fail grep -q "a keyboard" "$TMP/doctor"
	replug KEYS
	wait_for 20 usb_bound "$(emu_sysfs KEYS)" usbhid
	usbpass_is KEYS host
}

plan 9
it "a device that is plugged in under quarantine gets no driver and no configuration, and says which rule it is" no_driver
it "what the host had before its rule stays the host's, also over apply --rescan, until it is replugged" present_stays
it "a rule that claims or ignores it takes or gives it at once, and a claimed one is held without a driver" rules_decide
it "release gives it to the host until it is replugged, and so does the end of its rule" released
it "it is leased by nobody; a lease that was open goes on" not_leasable
it "with the parameter claim 0 nothing more is quarantined, and what is held stays held" claim_is_off
it "socket, bus and node win" by_fields
it "diff, apply, rule test and rule add know the action" tells
it "doctor tells the keyboard that a rule would win, and a rule that saves it" spares_the_keyboard
