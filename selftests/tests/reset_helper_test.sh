#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The administrator's resets: what they would hit, what they hit, who carries out power cycles, and what is learned.
#
#   xHCI - hub, with power switches of its own
#          1  keyboard K1  the host's
#          2  mouse M1     claimed
#          3  tablet T1    claimed, of attachment "one"
#
# group: node
# on: stock
# timeout: 600

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/qmp.sh"
. "$TOP/selftests/lib/usbpass.sh"

busid_of()
{
	basename "$(usb_find serial="$1")"
}

id_of()
{
	usbpass -j device show "$1" | sed -nE 's/^      "id": ([0-9]+),$/\1/p'
}

slot_is()
{
	[ "$(</sys/class/usbpass/slot0/state)" = "$1" ]
}

keyboard_bound()
{
	usb_bound "$(usb_find serial=K1)" usbhid
}

gone()
{
	no usb_find product="QEMU USB Hub"
}

# world [OPTION of the hub...]
world()
{
	usbpass_load return_ms=10000
	usbpass_do group add g --reset hub
	usbpass_do rule add ruled --group g --match 'serial = "M1"'
	usbpass_do rule add tablet --group g --match 'serial = "T1"'
	usbpass_do attach add one --group g --vm "the first VM"
	qmp_plug "usb-hub,id=hub,bus=x.0,port=1${1:-,port-power=on}"
	defer wait_for 20 gone
	defer qmp_unplug hub
	wait_for 20 usb_find product="QEMU USB Hub"
	qmp_plug usb-kbd,id=kbd,bus=x.0,port=1.1,serial=K1
	qmp_plug usb-mouse,id=mouse,bus=x.0,port=1.2,serial=M1
	qmp_plug usb-tablet,id=tablet,bus=x.0,port=1.3,serial=T1
	wait_for 30 usbpass_is M1 idle
	wait_for 30 usbpass_is T1 idle
	wait_for 30 keyboard_bound
	hub=$(basename "$(usb_find product="QEMU USB Hub")")
	usbpass_do attach set one --device T1
}

no_keyboard()
{
	qmp_unplug kbd
	wait_for 20 no usb_find serial=K1
}

shows()
{
	local m1

	world
	m1=$(id_of M1)
	usbpass_do device reset M1 --hub --dry-run
	cat "$TMP/said"
	same "a reset of the hub of device #$m1 ($hub.2) hits:" "$(head -n 1 "$TMP/said")"
	grep -Eq "^hub #[0-9]+ \($hub\) 0409:55aa " "$TMP/said"
	grep -Eq "^  port 1: #[0-9]+ \($hub\.1\) 0627:0001 .*: host driver usbhid  <- in the way$" "$TMP/said"
	grep -Eq "^  port 2: #$m1 \($hub\.2\) 0627:0001 .*: idle, group 'g' of host$" "$TMP/said"
	grep -Eq "^  port 3: #[0-9]+ \($hub\.3\) 0627:0001 .*: idle, group 'g' of host$" "$TMP/said"
	same "3 devices, of them 1 in the way" "$(tail -n 1 "$TMP/said")"
	usbpass_do device reset M1 --dry-run
	same "1 device, none in the way" "$(tail -n 1 "$TMP/said")"
	# Nothing was reset.
	same "$m1" "$(id_of M1)" "the mouse's id"
	usbpass -j device show M1 | grep -q '"resets": 0'
	usbpass -j device reset M1 --hub --dry-run >"$TMP/json"
	grep -q '"in_the_way": "host"' "$TMP/json"
	grep -q '"done": false' "$TMP/json"
	python3 -c "import jsonschema" 2>/dev/null || return 0
	usbpass -j status >"$TMP/status"
	for file in json status; do
		python3 - "$TOP/userspace/usbpass.schema.json" "$TMP/$file" <<-'END'
			import json, sys, jsonschema
			jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))
		END
	done
}

resets_device()
{
	local m1

	world
	m1=$(id_of M1)
	usbpass_do device reset M1
	same "device #$m1 ($hub.2): reset" "$(<"$TMP/said")"
	same "$m1" "$(id_of M1)" "the mouse's id"
	usbpass -j device show M1 | grep -q '"resets": 1'
	exec 7<>/dev/usbpass/host/one
	usbpass_do -j device reset T1 --soft
	grep -q '"kind": "soft"' "$TMP/said"
	grep -q '"done": true' "$TMP/said"
	usbpass -j device show T1 | grep -q '"resets": 0'
	slot_is online
	exec 7<&-
}

names_host()
{
	local status=0

	world
	usbpass device reset M1 --hub >"$TMP/said" 2>&1 || status=$?
	cat "$TMP/said"
	same 1 $status "the status"
	grep -Eq "^usbpass: device #[0-9]+ \($hub\.2\): the reset would hit what is in the way:$" "$TMP/said"
	grep -Eq "^  device #[0-9]+ \($hub\.1\) 0627:0001: host driver usbhid" "$TMP/said"
	expect_fail grep -q "($hub.3)" "$TMP/said"
	same "see all with --dry-run; --force resets these too" "$(tail -n 1 "$TMP/said")"
	usbpass -j device reset M1 --hub >"$TMP/json" 2>/dev/null || true
	grep -q '"errno": "EBUSY"' "$TMP/json"
	grep -q '"in_the_way": "host"' "$TMP/json"
	usbpass -j device show M1 | grep -q '"resets": 0'
}

names_lease()
{
	world
	no_keyboard
	exec 7<>/dev/usbpass/host/one
	expect_error "device #[0-9]+ \($hub\.3\) .*: leased by attachment 'one' of host, VM the first VM, open in .* \(pid [0-9]+\)$" \
		usbpass device reset M1 --hub
	usbpass_do device reset M1 --hub --force
	grep -Eq ": its hub was reset, and with it 1 other device$" "$TMP/said"
	wait_for 20 slot_is online
	wait_for 20 usbpass_is M1 idle
	exec 7<&-
}

forces_hub()
{
	local m1 k1

	world
	m1=$(id_of M1) k1=$(id_of K1)
	usbpass_do device reset M1 --hub --force
	same "device #$m1 ($hub.2): its hub was reset, and with it 2 other devices" "$(<"$TMP/said")"
	wait_for 20 usbpass_is M1 idle
	wait_for 20 usbpass_is T1 idle
	wait_for 20 keyboard_bound
	expect_fail [ "$k1" = "$(id_of K1)" ]
	expect_fail [ "$m1" = "$(id_of M1)" ]
}

refuses_root()
{
	world
	qmp_plug usb-mouse,id=rooted,bus=x.0,port=2,serial=R1
	defer qmp_unplug rooted
	wait_for 20 usb_find serial=R1
	expect_error "device #[0-9]+ \([0-9]-[0-9]+\): .*; reset the device alone, or cycle its power with --port" \
		usbpass device reset R1 --hub --force
	expect_error "choose a device behind the hub" usbpass device reset "$hub" --force
	expect_error "a soft reset is of a leased device, and this one is not$" usbpass device reset M1 --soft
	expect_error "exclude each other" usbpass device reset M1 --hub --port
	expect_error "goes with no other option" usbpass device reset M1 --forget --force
	expect_error "an argument is missing" usbpass device reset
	expect_error "one argument too many" usbpass device reset M1 T1
}

disabled()
{
	local port

	port=/sys/bus/usb/devices/$hub:1.0/$hub-port2
	[ "$(<"$port/disable")" = "$1" ]
}

cycles_power()
{
	local m1

	world
	m1=$(id_of M1)
	expect_error "; the daemon does it: systemctl start usbpassd$" usbpass device reset M1 --port
	usbpass_daemon
	usbpass_do device reset M1 --port
	same "device #$m1 ($hub.2): its port was switched off and on" "$(<"$TMP/said")"
	grep -q "port $hub-port2 is switched off for a second" "$USBPASS_LOG"
	disabled 0
	wait_for 20 usbpass_is M1 idle
	expect_fail [ "$m1" = "$(id_of M1)" ]
	# The others were not hit.
	usbpass -j device show T1 | grep -q '"resets": 0'
	timeout 2 usbpass monitor --since 0 >"$TMP/events" || true
	grep -Eq " power-cycle device=#$m1 .* job=[0-9]+ port=/devices/.*/$hub-port2$" "$TMP/events"
}

switches_on_again()
{
	local reset status=0

	world
	usbpass_daemon
	usbpass device reset M1 --port >"$TMP/said" 2>&1 &
	reset=$!
	wait_for 10 disabled 1
	usbpass_daemon_end TERM
	disabled 0
	grep -q "port $hub-port2 is switched on again at once" "$USBPASS_LOG"
	wait_for 20 usbpass_is M1 idle
	# Nobody has answered.
	wait $reset || status=$?
	same 1 $status "the status of the reset: $(<"$TMP/said")"
	grep -q "journalctl -u usbpassd" "$TMP/said"
}

refuses_ganged()
{
	world ,port-power=off
	usbpass_daemon
	expect_error "; reset the device alone, or its hub with --hub$" usbpass device reset M1 --port
	expect_fail grep -q "switched off" "$USBPASS_LOG"
}

one_has_role()
{
	world
	usbpass_daemon
	mkdir "$TMP/other"
	usbpassd --foreground --config "$TMP/none" --state "$TMP/other" --run "$TMP/other" >"$TMP/other.log" 2>&1 &
	defer kill $!
	wait_for 20 grep -q "another program carries out power cycles, this one does not" "$TMP/other.log"
	wait_for 20 grep -q "is in force" "$TMP/other.log"
	usbpass_do device reset M1 --port
	expect_fail grep -q "switched off" "$TMP/other.log"
}

# The mouse until in a month, a device that is not here until in an hour, and one that is over.
known()
{
	mkdir -p "$USBPASS_STATE"
	cat >"$USBPASS_STATE/state.yaml" <<-END
		usbpass: 1
		groups:
		- name: g
		rules:
		- name: ruled
		  action: claim
		  group: g
		  match: 'serial = "M1"'
		learned:
		- vendor: "0627"
		  product: "0001"
		  serial: "M1"
		  until: $(date -u -d "+29 days" +%FT%TZ)
		- vendor: "1d6b"
		  product: "0104"
		  socket: "0000:00:14.0/4.2"
		  until: $(date -u -d "+1 hour" +%FT%TZ)
		- vendor: "1d6b"
		  product: "0104"
		  serial: "over"
		  until: $(date -u -d "-1 hour" +%FT%TZ)
	END
}

is_bad()
{
	usbpass -j device show M1 | grep -q "\"bad_resetter\": $1"
}

state_lacks()
{
	no grep -q "$1" "$USBPASS_STATE/state.yaml"
}

remembers()
{
	local m1

	world
	known
	usbpass_load "$@"
	usbpass_daemon
	grep -q "known to take resets badly: 2$" "$USBPASS_LOG"
	wait_for 20 is_bad true
	m1=$(id_of M1)
	usbpass device list | grep -Eq "^#$m1 .*, resets badly$"
	usbpass device show M1 | grep -Eq "^learned +takes resets badly: what its guests reset is reset softly until 20[0-9-]+$"
	usbpass status >"$TMP/said"
	grep -Eq "^device #$m1 \($hub\.2\): takes resets badly: .*; once it does not: usbpass device reset '#$m1' --forget$" "$TMP/said"
	grep -Eq "^learned +2 devices take resets badly$" "$TMP/said"
	usbpass doctor | grep -Eq "^warning  device: #$m1 .* takes resets badly"
	# The module goes and comes back; the daemon has written the file meanwhile.
	wait_for 20 state_lacks '"over"'
	usbpass_unload
	usbpass_load "$@"
	wait_for 20 is_bad true
	usbpass_do device reset M1 --forget
	grep -q "what was learned of its resets is forgotten" "$TMP/said"
	is_bad false
	wait_for 20 state_lacks '"M1"$'
	grep -q "socket: \"0000:00:14.0/4.2\"" "$USBPASS_STATE/state.yaml"
	usbpass_unload
	usbpass_load "$@"
	wait_for 20 usbpass_is M1 idle
	is_bad false
	expect_error "nothing was learned of its resets$" usbpass device reset M1 --forget
}

passes_over_learned()
{
	world
	known
	sed -i 's/^- name: g$/&\n- name: h/' "$USBPASS_STATE/state.yaml"
	usbpass_do diff "$USBPASS_STATE/state.yaml"
	grep -q "'learned' is passed over" "$TMP/said"
	usbpass_do apply "$USBPASS_STATE/state.yaml" --revoke
	grep -q "'learned' is passed over" "$TMP/said"
	is_bad false
	usbpass save >"$TMP/saved"
	expect_fail grep -q learned "$TMP/saved"
	# Neither does the daemon take it from people's file; and it keeps its own.
	cp "$USBPASS_STATE/state.yaml" "$USBPASS_CONFIG"
	defer rm "$USBPASS_CONFIG"
	sed -i '/^- vendor: "0627"/,/until/d' "$USBPASS_STATE/state.yaml"
	usbpass_load "$@"
	usbpass_daemon
	grep -q "$USBPASS_CONFIG: 'learned' is passed over" "$USBPASS_LOG"
	grep -q "known to take resets badly: 1$" "$USBPASS_LOG"
	is_bad false
}

takes_options()
{
	world
	usbpass group show g | grep -q hub
	usbpass_do attach add two --group g --follow socket --reset none
	usbpass attach show two | grep -Eq "^follow +socket"
	usbpass_do attach set two --follow identity
	usbpass attach show two | no grep -q "^follow"
	expect_error "none of: identity, socket" usbpass attach set two --follow port
	usbpass group --help | grep -q "Allow Guest Resets All"
}

plan 13
it "shows what a reset would hit, whose it is, and what is in the way" shows
it "resets a device, or its transfers and settings alone" resets_device
it "names the device of the host that is in a hub reset's way, and resets nothing" names_host
it "names the lease that is in a hub reset's way; forced, the lease goes on" names_lease
it "resets a hub by force, and all comes back" forces_hub
it "refuses what cannot be, with a remedy" refuses_root
it "cycles a port's power by the daemon" cycles_power
it "switches on what is off when the daemon ends" switches_on_again
it "refuses a power cycle at a hub without power switches" refuses_ganged
it "lets one daemon carry out power cycles, and the other say so" one_has_role
it "remembers devices that reset badly over a reload, and forgets them" remembers
it "takes learned devices from the daemon's own file alone" passes_over_learned
it "takes the policy hub, and what an attachment follows" takes_options
