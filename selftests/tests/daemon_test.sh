#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usbpassd with the module: what it saves, what it brings back, what it refuses, and the devices it waits for.
#
# group: node
# on: stock
# on.long: stock debug
# timeout: 600

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
PATH=$TOP/userspace:$PATH
state=$TMP/state people=$TMP/people.yaml log=$TMP/daemon.log

load_module()
{
	insmod "${USBPASS_KO:-$TOP/usbpass.ko}"
}

[ -e /sys/module/usbpass ] || load_module || exit 1

# A module without configuration, a daemon that has never run.
fresh()
{
	rmmod usbpass
	rm -rf "$state" "$people" /run/usbpass "$log"
	load_module
}

daemon_start()
{
	: >"$log"
	usbpassd --foreground --config "$people" --state "$state" >"$log" 2>&1 &
	echo $! >"$TMP/pid"
	defer daemon_stop
	wait_for 10 grep -Eq "is in force|no configuration yet|without a configuration" "$log"
}

# daemon_stop [SIGNAL]
daemon_stop()
{
	local pid

	pid=$(cat "$TMP/pid" 2>/dev/null) || return 0
	rm "$TMP/pid"
	kill "-${1:-TERM}" "$pid"
	wait "$pid" 2>/dev/null || [ $# -gt 0 ]
}

generation()
{
	usbpass -j status | sed -nE 's/^ *"generation": ([0-9]+),?$/\1/p' | head -n 1
}

state_of()
{
	usbpass -j device show "$1" 2>/dev/null | sed -nE 's/^      "state": "(.*)",$/\1/p'
}

is()
{
	[ "$(state_of "$1")" = "$2" ] || { state_of "$1"; return 1; }
}

# A whole file: it parses, and its last part is there.
whole()
{
	python3 - "$state/state.yaml" <<-'END'
		import sys, yaml
		state = yaml.safe_load(open(sys.argv[1]))
		assert state["usbpass"] == 1 and "attachments" in state, state
	END
}

# A configuration with one group and a rule for serial $1.
put()
{
	cat <<-END
		usbpass: 1
		groups:
		- name: sticks
		rules:
		- name: one
		  action: claim
		  group: sticks
		  match: 'serial = "$1"'
	END
}

same_but_generation()
{
	grep -v ^generation: "$1" >"$TMP/a"
	grep -v ^generation: "$2" >"$TMP/b"
	diff "$TMP/a" "$TMP/b"
}

saves_each_change()
{
	fresh
	daemon_start
	usbpass group add one 2>"$TMP/err"
	same "" "$(<"$TMP/err")"
	grep -q 'name: "one"' "$state/state.yaml"
	usbpass -j group add two | grep -q '"saved": true'
	grep -q 'name: "two"' "$state/state.yaml"
	same "$(generation)" "$(</run/usbpass/saved)"
	same 1 "$(find "$state" -type f | wc -l)" "files of the daemon"
	usbpass group del one
	expect_fail grep -q 'name: "one"' "$state/state.yaml"
}

tells_unsaved()
{
	fresh
	usbpass group add one 2>"$TMP/err"
	grep -q "in force, not saved" "$TMP/err"
}

brings_back()
{
	fresh
	daemon_start
	usbpass group add "a name: with #" --class hid --reset none --description "é \"q\""
	usbpass rule add r --match 'vendor = 046d and serial != "x\x01"' --group "a name: with #" --priority -5
	usbpass attach add vm --group "a name: with #" --uid 5 --optional
	usbpass save "$TMP/before"
	rmmod usbpass
	wait_for 10 no test -e /run/usbpass/saved
	load_module
	wait_for 10 test -e /run/usbpass/saved
	usbpass save "$TMP/after"
	same_but_generation "$TMP/before" "$TMP/after"
	daemon_stop
	rmmod usbpass
	load_module
	daemon_start
	usbpass save "$TMP/again"
	same_but_generation "$TMP/before" "$TMP/again"
}

all_saved()
{
	[ "$(generation)" = "$(</run/usbpass/saved)" ]
}

# In its window, and after going back from it, the file has what was confirmed last.
saves_no_trial()
{
	fresh
	daemon_start
	put OLD >"$TMP/old.yaml"
	put NEW >"$TMP/new.yaml"
	usbpass apply "$TMP/old.yaml"
	cp "$state/state.yaml" "$TMP/kept"
	usbpass apply "$TMP/new.yaml" --confirm 3000
	same "$(generation)" "$(($(</run/usbpass/saved) + 1))"
	cmp "$state/state.yaml" "$TMP/kept"
	# Nor does one save it that starts meanwhile.
	daemon_stop
	daemon_start
	cmp "$state/state.yaml" "$TMP/kept"
	usbpass revert
	same "$(generation)" "$(</run/usbpass/saved)"
	same_but_generation "$TMP/kept" "$state/state.yaml"
	usbpass apply "$TMP/new.yaml" --confirm 1
	wait_for 20 all_saved
	same_but_generation "$TMP/kept" "$state/state.yaml"
	usbpass apply "$TMP/new.yaml" --confirm 3000
	usbpass -j confirm | grep -q '"saved": true'
	grep -q NEW "$state/state.yaml"
	# A module that goes with a window open is like a machine that does.
	usbpass apply "$TMP/old.yaml" --confirm 3000
	rmmod usbpass
	wait_for 10 no test -e /run/usbpass/saved
	load_module
	wait_for 10 test -e /run/usbpass/saved
	usbpass rule show one | grep -q NEW
}

adopts()
{
	fresh
	usbpass --no-wait group add by-hand
	mkdir -p "$state"
	put OLD >"$state/state.yaml"
	daemon_start
	usbpass group show by-hand >/dev/null
	expect_fail usbpass group show sticks 2>/dev/null
	wait_for 10 grep -q by-hand "$state/state.yaml"
	same 1 "$(</run/usbpass/saved)"
}

adopts_over_newer()
{
	fresh
	usbpass --no-wait group add by-hand
	mkdir -p "$state"
	echo "usbpass: 2" >"$state/state.yaml"
	daemon_start
	wait_for 10 grep -q by-hand "$state/state.yaml"
	same "usbpass: 2" "$(<"$state/state.yaml.refused")"
}

people_rule()
{
	fresh
	mkdir -p "$state"
	put SAVED >"$state/state.yaml"
	put PEOPLE >"$people"
	cp "$people" "$TMP/copy"
	daemon_start
	usbpass rule show one | grep -q PEOPLE
	wait_for 10 grep -q PEOPLE "$state/state.yaml"
	usbpass group add more
	cmp "$people" "$TMP/copy"
}

keeps_what_it_refuses()
{
	fresh
	mkdir -p "$state"
	put X | sed 's/^- name: one/- nam: one/' >"$state/state.yaml"
	cp "$state/state.yaml" "$TMP/copy"
	daemon_start
	grep -q "state.yaml:5:3: unknown key 'nam'" "$log"
	same 0 "$(generation)"
	cmp "$state/state.yaml" "$TMP/copy"
	usbpass group add fresh
	grep -q fresh "$state/state.yaml"
	cmp "$state/state.yaml.refused" "$TMP/copy"
}

refuses_what_the_kernel_refuses()
{
	fresh
	put X | sed 's/group: sticks/group: nowhere/' >"$people"
	daemon_start
	grep -q "people.yaml: rule 'one'.*nowhere" "$log" || { cat "$log"; return 1; }
	same 0 "$(generation)"
	kill -0 "$(<"$TMP/pid")"
}

# Killed at any moment, the file is a whole one.
outlives_kill()
{
	local round rounds=$((LONG ? 200 : SLOWER > 1 ? 3 : 8))

	fresh
	for ((round = 0; round < rounds; round++)); do
		daemon_start
		for n in 1 2 3 4 5 6; do
			usbpass --no-wait group add "g$round.$n"
		done &
		# Any moment will do: this is no wait for anything.
		sleep "0.0$((RANDOM % 10))"
		daemon_stop KILL
		[ ! -e "$state/state.yaml" ] || whole
		wait
	done
	daemon_start
	wait_for 10 grep -q "g$((rounds - 1)).6" "$state/state.yaml"
	whole
	same 1 "$(find "$state" -type f | wc -l)" "files of the daemon"
}

only_one()
{
	fresh
	daemon_start
	expect_error "another usbpassd runs" usbpassd --foreground --state "$TMP/other"
}

no_space()
{
	fresh
	mkdir -p "$state"
	mount -t tmpfs -o size=32k,mode=700 tmpfs "$state"
	defer umount "$state"
	daemon_start
	usbpass group add first
	dd if=/dev/zero of="$state/full" bs=1k count=64 status=none || true
	usbpass --no-wait group add second
	wait_for 10 grep -q "not saved: .*No space" "$log"
	grep -q first "$state/state.yaml"
	whole
	rm "$state/full"
	wait_for 20 grep -q second "$state/state.yaml"
}

takes_what_is_free()
{
	local busy free disk

	fresh
	emu_start busy --preset storage --serial BUSY
	emu_start free --preset storage --serial FREE
	busy=$(basename "$(emu_sysfs busy)") free=$(basename "$(emu_sysfs free)")
	wait_for 10 usb_disk "$(emu_sysfs busy)"
	wait_for 10 usb_disk "$(emu_sysfs free)"
	udevadm settle
	disk=$(usb_disk "$(emu_sysfs busy)")
	mkfs.ext4 -q "/dev/$disk"
	mkdir -p "$TMP/mnt"
	mount "/dev/$disk" "$TMP/mnt"
	defer umount "$TMP/mnt" "2>/dev/null"
	put BUSY >"$people"
	put FREE | sed -n '/^- name: one/,$p' | sed 's/name: one/name: two/' >>"$people"
	daemon_start
	wait_for 10 is "$free" idle
	is "$busy" pending
	usbpass device show "$busy" | grep -q "$disk is mounted on $TMP/mnt"
	umount "$TMP/mnt"
	wait_for 10 is "$busy" idle
	usb_unbound "$(emu_sysfs busy)"
}

leaves_the_unasked()
{
	local stick

	fresh
	daemon_start
	emu_start stick --preset storage --serial STICK
	stick=$(basename "$(emu_sysfs stick)")
	wait_for 10 usb_bound "$(emu_sysfs stick)" usb-storage
	usbpass group add sticks
	usbpass rule add r --match 'serial = "STICK"' --group sticks
	is "$stick" pending
	# Two looks of the daemon's, if it looked.
	sleep 5
	is "$stick" pending
	usb_bound "$(emu_sysfs stick)" usb-storage
}

plan 14
it "saves each change before the helper returns" saves_each_change
it "is missed: without it a change is in force, not saved" tells_unsaved
it "brings the configuration back to a module loaded again" brings_back
it "saves what is on trial once it is confirmed, and not before" saves_no_trial
it "adopts what is in force" adopts
it "keeps a newer version's file that it replaces" adopts_over_newer
it "lets the file of the people rule, and never writes it" people_rule
it "tells a wrong file's line and column, and keeps the file" keeps_what_it_refuses
it "stays up where the kernel refuses the file" refuses_what_the_kernel_refuses
it "leaves a whole file wherever it is killed" outlives_kill
it "runs once only" only_one
it "keeps the old file on a full disk, and saves once there is space" no_space
it "takes free devices at its start, and the others once they are free" takes_what_is_free
it "takes no device that nobody asked for" leaves_the_unasked
