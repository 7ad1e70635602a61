#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usbpassd killed in the middle of changes, and what it must not lose or repeat over its lives.
#
# group: node
# on: stock
# on.long: stock debug
# timeout: 600 2400

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
. "$TOP/selftests/lib/usbpass.sh"

# add_rules ROUND: each answer of the helper in a file of its own, named as the rule
add_rules()
{
	local name

	for name in "$1".{1..4}; do
		usbpass -j rule add "$name" --action ignore --match "serial = \"$name\"" >"$TMP/.$name" 2>/dev/null
		mv "$TMP/.$name" "$TMP/said.$name"
	done
}

# One "saved" or "unsaved" and the rule's name a line, of what the helper has said.
said()
{
	grep -L '"saved": true' "$TMP"/said.* | sed 's/.*said\./unsaved /'
	grep -l '"saved": true' "$TMP"/said.* | sed 's/.*said\./saved /'
}

promised_in_file()
{
	local lost

	# The last key is written last: it tells a whole file.
	grep -q '^attachments:' "$USBPASS_STATE/state.yaml"
	sed -nE 's/^ *- name: "(.*)"$/saved \1/p' "$USBPASS_STATE/state.yaml" | sort >"$TMP/has"
	said | sort >"$TMP/all"
	lost=$(grep ^saved "$TMP/all" | comm -23 - "$TMP/has")
	same "" "$lost" "what the helper said to be saved and the file has not got"
}

keeps_promises()
{
	local round rounds=$((LONG ? 200 : SLOWER > 1 ? 4 : 16)) adder

	usbpass_load
	for ((round = 1; round <= rounds; round++)); do
		usbpass_daemon
		add_rules $round &
		adder=$!
		wait_for 30 test -e "$TMP/said.$round.$((RANDOM % 3 + 1))"
		# From there any moment will do: this is no wait for anything.
		sleep "0.0$((RANDOM % 10))"
		usbpass_daemon_end KILL
		wait $adder
		promised_in_file
	done
	# Else nothing was promised, or no kill came before a change.
	grep -q ^saved "$TMP/all"
	grep -q ^unsaved "$TMP/all"
	say "$(cut -d ' ' -f 1 "$TMP/all" | sort | uniq -c | xargs)"

	# Of the last file all comes back, in a new life of the module.
	usbpass_load
	usbpass_daemon
	same "$(wc -l <"$TMP/has")" "$(usbpass -j rule list | grep -c '"name":')" "rules in force"
}

# Refused, then killed, then a change by hand that only the next daemon can save.
keeps_refused()
{
	rm -rf "$USBPASS_STATE"
	mkdir -p "$USBPASS_STATE"
	printf 'usbpass: 1\ngroups:\n- name: sticks\n  colour: red\n' >"$USBPASS_STATE/state.yaml"
	cp "$USBPASS_STATE/state.yaml" "$TMP/copy"
	usbpass_load
	usbpass_daemon
	grep -q "state.yaml:4:3: unknown key 'colour'" "$USBPASS_LOG"
	usbpass_daemon_end KILL
	cmp "$USBPASS_STATE/state.yaml" "$TMP/copy"
	usbpass group add by-hand 2>"$TMP/err"
	grep -q "in force, not saved" "$TMP/err"
	usbpass_daemon
	wait_for 20 grep -q by-hand "$USBPASS_STATE/state.yaml"
	cmp "$USBPASS_STATE/state.yaml.refused" "$TMP/copy"
}

# With two devices one remembered complaint would be news each time.
complains_once()
{
	local one two parameter=/sys/module/usbpass/parameters/claim

	rm -rf "$USBPASS_STATE"
	emu_start one --preset loop --serial ONE
	emu_start two --preset loop --serial TWO
	one=$(basename "$(emu_sysfs one)") two=$(basename "$(emu_sysfs two)")
	cat >"$USBPASS_CONFIG" <<-END
		usbpass: 1
		groups:
		- name: loops
		rules:
		- name: one
		  action: claim
		  group: loops
		  match: 'serial = "ONE"'
		- name: two
		  action: claim
		  group: loops
		  match: 'serial = "TWO"'
	END
	defer rm "$USBPASS_CONFIG"
	usbpass_load claim=0
	usbpass_daemon
	wait_for 20 grep -q "($one).*is 0: nothing new is taken" "$USBPASS_LOG"
	wait_for 20 grep -q "($two).*is 0: nothing new is taken" "$USBPASS_LOG"
	usbpass device show "$one" | grep -q "is 0: nothing new is taken"
	# Three looks of the daemon's.
	sleep 7
	same 2 "$(grep -c "nothing new is taken" "$USBPASS_LOG")" "lines about it"
	echo 1 >$parameter
	wait_for 20 eval "[ \"\$(usbpass_state_of $one)\" = idle ]"
	wait_for 20 eval "[ \"\$(usbpass_state_of $two)\" = idle ]"
}

plan 3
it "keeps what the helper has said to be saved, killed again and again amid changes" keeps_promises
it "keeps a file that it refused, also over its own end" keeps_refused
it "tells once what it cannot take, and takes it when it can" complains_once
