#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Maintenance: nothing new is claimed or leased, what runs goes on, and the operator sees who is left.
#
# group: node
# on: stock
# on.long: stock debug
# timeout: 600 2000

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
. "$TOP/selftests/lib/usbpass.sh"

slot_is()
{
	usbpass_do attach show "$1" && grep -Eq "^state +$2$" "$TMP/said"
}

# world: the module, a rule for each of M1 to M3, an attachment each, and M1 plugged in
world()
{
	usbpass_load replug_ms=60000
	usbpass_do group add g
	usbpass_do rule add ruled --group g --match 'serial begins M'
	usbpass_do attach add one --group g --vm "the first VM"
	usbpass_do attach add two --group g
	emu_start M1 --serial M1
	wait_for 20 usbpass_is M1 idle
}

refuses()
{
	world
	emu_start M2 --serial M2
	wait_for 20 usbpass_is M2 idle
	exec 7<>/dev/usbpass/host/one
	usbpass_do maintenance on
	grep -Eq "^  attachment 'one': device #[0-9]+ \([0-9]-[0-9.]+ 1d6b:0104\), open in .* \(pid [0-9]+, uid 0\), VM the first VM$" "$TMP/said"
	expect_error "busy" bash -c 'exec 8<>/dev/usbpass/host/two'
	slot_is two offline
	grep -Eq "^reason +maintenance: nothing new is leased$" "$TMP/said"
	usbpass_do status
	same "maintenance: nothing new is claimed or leased; usbpass maintenance off" "$(head -n 1 "$TMP/said")" "the first line"
	timeout 2 usbpass monitor --since 0 >"$TMP/events" || true
	grep -Eq "lease-refused attachment=two result=EBUSY reason=maintenance pid=[0-9]+ uid=0 comm=bash$" "$TMP/events"
	grep -Eq "maintenance-on pid=[0-9]+ uid=0 comm=usbpass$" "$TMP/events"
	# The one that is open goes on, and gets its device back.
	emu M1 unplug
	wait_for 20 slot_is one returning
	emu M1 plug
	wait_for 20 slot_is one online
	exec 7<&-
	wait_for 20 slot_is one offline
	usbpass_do maintenance off
	wait_for 20 slot_is one idle
	bash -c 'exec 8<>/dev/usbpass/host/two'
}

claims_nothing()
{
	world
	usbpass_do rule add deny --action quarantine --match 'serial begins Q'
	usbpass_do maintenance on
	emu_start M2 --serial M2
	wait_for 20 usbpass_is M2 pending
	usbpass device show M2 | grep -q "was plugged in while nothing new was taken"
	emu_start Q1 --serial Q1
	wait_for 20 usbpass_is Q1 held
	usbpass_is M1 idle
	expect_error "maintenance: nothing new is taken" usbpass device claim M2
	usbpass_do maintenance off
	usbpass_is M2 pending
	usbpass_do device claim M2
	usbpass_is M2 idle
}

waits()
{
	local waiter status=0

	world
	emu_start M2 --serial M2
	wait_for 20 usbpass_is M2 idle
	exec 7<>/dev/usbpass/host/one 8<>/dev/usbpass/host/two
	usbpass maintenance on --wait >"$TMP/waited" 2>&1 7>&- 8>&- &
	waiter=$!
	wait_for 20 grep -q "^2 leases are open:$" "$TMP/waited"
	exec 7>&-
	wait_for 20 grep -q "^attachment 'one': its lease has ended; 1 left$" "$TMP/waited"
	exec 8>&-
	wait $waiter
	same "attachment 'two': its lease has ended; 0 left" "$(tail -n 1 "$TMP/waited")" "the last line"
	# With nothing open it returns at once.
	usbpass_do maintenance on --wait
	grep -q "^no lease is open$" "$TMP/said"
	usbpass_do maintenance off
	# Somebody else's end of it is no end of the leases.
	exec 7<>/dev/usbpass/host/one
	usbpass maintenance on --wait >"$TMP/waited" 2>&1 7>&- &
	waiter=$!
	wait_for 20 grep -q "^1 lease is open:$" "$TMP/waited"
	usbpass_do maintenance off
	wait $waiter || status=$?
	same 1 $status "the status of who waited"
	grep -q "maintenance was ended by somebody else" "$TMP/waited"
	exec 7>&-
}

speaks()
{
	local status=0

	world
	usbpass_do maintenance
	same "maintenance is off" "$(<"$TMP/said")"
	usbpass_do -j maintenance on
	grep -q '"maintenance": *true' "$TMP/said"
	usbpass_do -j status
	grep -q '"kind": *"maintenance"' "$TMP/said"
	expect_error "neither on nor off" usbpass maintenance frob
	expect_error "goes only with on" usbpass maintenance off --wait
	setpriv --reuid 65534 --clear-groups "$(command -v usbpass)" maintenance off >"$TMP/said" 2>&1 || status=$?
	same 1 $status "the status of one who is not root"
	grep -q CAP_SYS_ADMIN "$TMP/said"
	usbpass_do maintenance
	grep -q "^maintenance is on" "$TMP/said"
}

plan 4
it "refuses an open and says why, and an open lease goes on over a replug" refuses
it "leaves what is plugged in to the host, pending, but quarantines on" claims_nothing
it "waits until no lease is open, telling each that ends, or until another ends it" waits
it "tells whether it is on to people and programs, and takes root" speaks
