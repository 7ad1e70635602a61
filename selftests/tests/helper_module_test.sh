#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The helper with the module: what it lists, makes, refuses and says, as an operator sees it.
#
# on: stock
# on.long: stock debug
# timeout: 800

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
. "$TOP/selftests/lib/qmp.sh"
PATH=$TOP/userspace:$PATH

[ -e /sys/module/usbpass ] || insmod "${USBPASS_KO:-$TOP/usbpass.ko}" || exit 1

# fresh: an empty configuration at the test's end, leases and all
fresh()
{
	local kind id

	for kind in attach rule group; do
		usbpass -j "$kind" list | sed -nE 's/^      "id": ([0-9]+),$/\1/p' >"$TMP/ids"
		while read -r id; do
			if [ "$kind" = attach ]; then
				usbpass --no-wait attach del "#$id" --revoke
			else
				usbpass --no-wait "$kind" del "#$id"
			fi
		done <"$TMP/ids"
	done >/dev/null
}

# status EXPECTED ARGUMENT...: the helper's exit code; what it prints is in $TMP/stdout and $TMP/stderr
status()
{
	local expected=$1 status=0

	shift
	usbpass --no-wait "$@" >"$TMP/stdout" 2>"$TMP/stderr" || status=$?
	same "$expected" "$status" "the status of usbpass $*, which says $(cat "$TMP/stdout" "$TMP/stderr")"
}

said()
{
	grep -qF -- "$1" "$TMP/stdout" "$TMP/stderr" || { say "'$1' is not in: $(cat "$TMP/stdout" "$TMP/stderr")"; return 1; }
}

# pointed WORD: the mark in the second line stands below it
pointed()
{
	local LC_ALL=C.UTF-8 text mark

	text=$(sed -n 1p "$TMP/stderr") mark=$(sed -n 2p "$TMP/stderr")
	text=${text%%"$1"*}
	same "$(printf '%*s^' ${#text} '')" "$mark" "the mark below '$text'"
}

state_of()
{
	usbpass -j device show "$1" | sed -nE 's/^      "state": "(.*)",$/\1/p'
}

# is DEVICE STATE
is()
{
	[ "$(state_of "$1")" = "$2" ] || { state_of "$1"; return 1; }
}

lists_all()
{
	local stick

	emu_start stick --preset storage --serial STICK1
	emu_start plain --preset loop --serial $'A\x1b[31m'
	stick=$(basename "$(emu_sysfs stick)")
	wait_for 10 usb_bound "$(emu_sysfs stick)" usb-storage
	status 0 device list
	grep -Eq "^#[0-9]+ +$stick +vhci_hcd.0/[0-9]+ +1d6b:0104 .* STICK1 +480 +usb-storage +- +- +host$" "$TMP/stdout"
	said 'A\x1b[31m'
	expect_fail grep -q $'\x1b' "$TMP/stdout"
	status 0 device show STICK1
	said "interfaces      1, of class 08:06:50"
	status 3 device show 1-99.9
	said "no present device is '1-99.9'"
	status 1 device show 1d6b:0104
	said "means more than one device"
}

makes_resources()
{
	local stick disk

	defer fresh
	emu_start stick --preset storage --serial STICK1
	emu_start plain --preset loop
	stick=$(basename "$(emu_sysfs stick)")
	wait_for 20 usb_disk "$(emu_sysfs stick)"
	disk=$(usb_disk "$(emu_sysfs stick)")
	mkfs.ext4 -q "/dev/$disk"
	mkdir "$TMP/mnt"
	mount "/dev/$disk" "$TMP/mnt"
	defer umount "$TMP/mnt" "2>/dev/null"
	status 0 group make "two things" "$stick" "$(basename "$(emu_sysfs plain)")" --class storage
	said "by serial STICK1, unique here"
	said "by no serial: socket vhci_hcd.0/"
	said "pending: $disk is mounted on $TMP/mnt; unmount it, replug, or \`usbpass device claim --force\`"
	same idle "$(state_of "$(basename "$(emu_sysfs plain)")")"
	same pending "$(state_of "$stick")"
	status 0 status
	same "1 device pending: $disk is mounted on $TMP/mnt; unmount it, replug, or \`usbpass device claim --force\`" \
		"$(head -n 1 "$TMP/stdout")" "the first line of status"
	status 1 device claim "$stick"
	umount "$TMP/mnt"
	status 0 device claim "$stick"
	same idle "$(state_of "$stick")"
	usb_unbound "$(emu_sysfs stick)"
	# Once more is no error, and makes nothing anew.
	status 0 group make "two things" "$stick"
	said "claims it into the group already"
	same 2 "$(usbpass rule list | grep -c " two things ")" "rules of the group"
	status 1 group make other "$stick"
	said "wins it already"
	status 3 group show other
}

forces()
{
	local stick disk

	defer fresh
	emu_start stick --preset storage --serial STICK1
	stick=$(basename "$(emu_sysfs stick)")
	wait_for 20 usb_disk "$(emu_sysfs stick)"
	disk=$(usb_disk "$(emu_sysfs stick)")
	exec 7<"/dev/$disk"
	status 0 group make g "$stick"
	said "/dev/$disk is open in"
	status 0 device claim "$stick" --force
	same idle "$(state_of "$stick")"
	exec 7<&-
}

releases()
{
	local stick

	defer fresh
	emu_start stick --preset storage --serial STICK1
	stick=$(basename "$(emu_sysfs stick)")
	wait_for 20 usb_disk "$(emu_sysfs stick)"
	status 0 group make g "$stick"
	status 0 device release "$stick"
	wait_for 20 usb_bound "$(emu_sysfs stick)" usb-storage
	same host "$(state_of "$stick")"
	status 1 device release "$stick"
	wait_for 20 usb_disk "$(emu_sysfs stick)"
	status 0 device claim "$stick" --force
	same idle "$(state_of "$stick")"
}

# Twins of one serial, and of none; one of blanks, and one that no terminal takes.
makes_identities()
{
	local twin other plain bare blank odd

	defer fresh
	emu_start twin --preset loop --serial SAME
	emu_start other --preset loop --serial SAME
	emu_start plain --preset loop --serial ''
	emu_start bare --preset loop --serial ''
	emu_start blank --preset loop --pid 0105 --serial ' '
	emu_start odd --preset loop --pid 0105 --serial $'B\x1b[31m'
	twin=$(basename "$(emu_sysfs twin)") other=$(basename "$(emu_sysfs other)") plain=$(basename "$(emu_sysfs plain)")
	bare=$(basename "$(emu_sysfs bare)") blank=$(basename "$(emu_sysfs blank)") odd=$(basename "$(emu_sysfs odd)")
	status 1 group make g "$twin" --by serial
	said "a serial that another device here has too; its socket (--by socket) tells it from others"
	status 1 group make g "$plain" --by serial
	said "it has no serial; its socket (--by socket)"
	status 1 group make g "$blank" --by serial
	said "it has an empty serial; its socket (--by socket)"
	status 1 group make g "$odd" --by serial
	said "it has a serial that cannot be printed; its socket (--by socket)"
	status 3 group show g
	status 0 group make g "$twin" "$plain"
	said "by a serial that another device here has too: socket vhci_hcd.0/"
	same "idle host idle" "$(state_of "$twin") $(state_of "$other") $(state_of "$plain")" "the states"
	# Two without a serial, and then only the one that was named.
	status 0 group make h "$bare" "$blank" "$odd"
	said "by no serial: socket vhci_hcd.0/"
	said "by an empty serial: socket vhci_hcd.0/"
	said "by a serial that cannot be printed: socket vhci_hcd.0/"
	same 3 "$(usbpass rule list | grep -c " h .*socket = vhci_hcd.0/")" "rules by socket"
	same 5 "$(usbpass rule list | grep -o "socket = .*" | sort -u | grep -c .)" "sockets of all"
	fresh
	status 0 group make all "$twin" "$other" --by model --node none
	said "by model 1d6b:0104, of which 4 are here: each is meant"
	# The second is won by the rule that was made for the first.
	said "claims it into the group already"
	same 1 "$(usbpass rule list | grep -c " all ")" "rules of the group"
	usbpass rule list | grep -q "vendor = 1d6b and product = 0104$"
	same "idle idle" "$(state_of "$twin") $(state_of "$other")" "the states"
	status 2 group make all "$plain" --by colour
	said "serial, socket or model"
}

# What means two devices is refused with the words that mean each; a serial that was unique may be so no more.
tells_ambiguity()
{
	local first second

	defer fresh
	emu_start first --preset loop --serial ONCE
	emu_start bare --preset loop --serial ''
	first=$(basename "$(emu_sysfs first)")
	status 1 group make g 1d6b:0104
	said "'1d6b:0104' means more than one device; say which:"
	grep -Eq "^  #[0-9]+ or $first or vhci_hcd.0/[0-9]+ or ONCE \(1d6b:0104 serial ONCE\)$" "$TMP/stderr"
	grep -Eq "^  #[0-9]+ or $(basename "$(emu_sysfs bare)") or vhci_hcd.0/[0-9]+ \(1d6b:0104\)$" "$TMP/stderr"
	status 3 group show g
	status 0 group make g ONCE
	said "by serial ONCE, unique here"
	status 0 attach add a --group g --device ONCE
	said "only device 'ONCE', by serial ONCE, unique here"
	status 0 status
	expect_fail grep -q ambiguous "$TMP/stdout"
	emu_start second --preset loop --serial ONCE
	second=$(basename "$(emu_sysfs second)")
	wait_for 10 is "$second" idle
	status 0 status
	grep -Eq "^rule '.*' ambiguous: 2 devices here have serial ONCE: #[0-9]+ \($first\), #[0-9]+ \($second\); unplug " "$TMP/stdout"
	grep -Eq "^attachment 'a' ambiguous: 2 devices .* usbpass attach set 'a' --device" "$TMP/stdout"
	status 0 -j status
	grep -q '"kind": *"ambiguous"' "$TMP/stdout"
	status 1 doctor
	grep -Eq "^warning +rule: '.*' is ambiguous: 2 devices here have serial ONCE" "$TMP/stdout"
	grep -Eq "^warning +attachment: 'a' is ambiguous: 2 devices here have serial ONCE" "$TMP/stdout"
	status 0 rule test "$second"
	said "that rule is ambiguous: 2 devices here have serial ONCE"
	status 0 group make g "$second"
	said "claims it into the group already, but is ambiguous: 2 devices"
	status 1 attach set a --device ONCE
	said "'ONCE' means more than one device; say which:"
	# The way out that was said: now by socket.
	status 0 attach set a --device "$first"
	said "by a serial that another device here has too: socket vhci_hcd.0/"
	status 0 rule del "$(usbpass rule list | awk 'NR == 2 { print $3 }')"
	wait_for 10 is "$first" host
	wait_for 10 is "$second" host
	status 0 group make g "$first"
	status 0 status
	expect_fail grep -q ambiguous "$TMP/stdout"
	same "idle host" "$(state_of "$first") $(state_of "$second")" "the states"
}

socket_of()
{
	usbpass -j device show "$1" | sed -nE 's/^      "socket": "(.*)",$/\1/p'
}

# The controller shows its ports twice, on two buses. One after the other, and at once where the emulation can.
joins_halves()
{
	local fast slow socket bus

	defer fresh
	qmp_drive half 1M
	qmp_plug usb-storage,id=half,bus=x.0,port=5,drive=half,serial=HALF1
	defer eval "qmp_unplug half 2>/dev/null"
	wait_for 20 usb_find serial=HALF1
	fast=$(usb_find serial=HALF1)
	same 5000 "$(<"$fast/speed")" "the speed"
	bus=$(<"$fast/busnum")
	socket=$(socket_of HALF1)
	status 0 group add both
	status 0 rule add there --group both --match "socket = $socket"
	status 0 device claim HALF1 --force
	qmp_unplug half
	wait_for 20 no test -e "$fast"
	qmp_plug usb-kbd,id=other,bus=x.0,port=5,usb_version=2,serial=HALF2
	defer eval "qmp_unplug other 2>/dev/null"
	wait_for 20 usb_find serial=HALF2
	slow=$(usb_find serial=HALF2)
	expect_fail test "$(<"$slow/busnum")" = "$bus"
	same "480 $socket" "$(<"$slow/speed") $(socket_of HALF2)" "speed and socket of what came next"
	wait_for 10 is HALF2 idle
	usb_unbound "$slow"
	emu_start two --port 3 --speed high --serial HALF3
	emu_start three --port 3 --speed super --serial HALF4
	test -L "$(dirname "$(emu_sysfs three)")"/*:1.0/*-port4/peer
	expect_fail test "$(basename "$(emu_sysfs two)")" = "$(basename "$(emu_sysfs three)")"
	same vhci_hcd.0/4 "$(socket_of HALF3)" "the socket of the USB 2 half"
	same vhci_hcd.0/4 "$(socket_of HALF4)" "the socket of the other half"
	status 1 device show vhci_hcd.0/4
	said "'vhci_hcd.0/4' means more than one device"
	status 0 rule set there --match "socket = vhci_hcd.0/4"
	status 0 device claim HALF3 HALF4
	same "idle idle" "$(state_of HALF3) $(state_of HALF4)" "the states"
}

attaches()
{
	defer fresh
	status 0 group add keys
	status 0 attach add "my key" --group keys --uid nobody --vm "free text"
	same /dev/usbpass/host/my-key "$(tail -n 1 "$TMP/stdout")" "the last line"
	same "600 nobody" "$(stat -c '%a %U' /dev/usbpass/host/my-key)"
	status 0 attach set "my key" --gid nogroup --description why
	same "660 nogroup" "$(stat -c '%a %G' /dev/usbpass/host/my-key)"
	status 0 attach show "my key"
	said "description     why"
	status 1 attach add "my  key" --group keys --slug my-key
	said "slug"
	status 1 group del keys
	status 0 attach del "my key"
	expect_fail test -e /dev/usbpass/host/my-key
	status 0 group del keys
}

refuses()
{
	defer fresh
	status 0 group add g
	status 1 group add g
	said "group 'g': a group has this name"
	status 1 group add a/b
	status 2 group add g --class frob
	said "generic, hid, media"
	status 2 group add "$(printf 'x%.0s' {1..64})"
	status 3 group set nowhere --disable
	status 3 group set '#99' --disable
	status 3 rule add r --group nowhere --match any
	said "rule 'r', group 'nowhere'"
	status 2 rule add r --group g --match "vendor = 46d"
	said "column 10"
	pointed 46d
	status 2 -j rule add r --group g --match "vendor = 46d"
	grep -q '"column": *10' "$TMP/stdout"
	LC_ALL=C.UTF-8 status 2 rule add r --group g --match 'vendor-name = "Zürich" and vendr = 1'
	pointed vendr
	status 2 rule add r --group g --match $'serial = "\x1b[2J\xff" and vendr = 1'
	said '  serial = "\x1b[2J\xff" and vendr = 1'
	pointed vendr
	status 2 rule add r --group g --match "$(printf 'serial != "%0100d" and ' 1 2 3) vendr = 1 and any"
	said "...000"
	pointed vendr
	status 2 rule test --absent 'vendor = 046d and serial ~ "("'
	pointed '("'
	status 2 rule add r --group g --match 'serial ~ "^(A|B"'
	said "column 12: in the expression: the parenthesis is never closed"
	status 2 group set g --reset port
	said "--reset 'port' is none of: none, device, hub"
	status 3 attach add a --group nowhere
	status 3 rule del nowhere
	emu_start plain --preset loop --serial NORULE
	status 1 device claim NORULE
	said "usbpass group make NAME DEVICE"
}

keeps_rules()
{
	defer fresh
	status 0 group add g
	status 0 group add cameras
	status 0 rule add cams --group cameras 'vendor = 046d and product-name ~ "^Logi" and serial != ""'
	status 0 rule show cams
	said 'vendor = 046d and product-name ~ "^Logi" and serial != ""'
	status 0 rule del cams
	status 0 rule add low --group g --priority 5 --match 'serial = "A \"b\" \\" and interface-class none != 08:06'
	status 0 rule add high --group g --priority -5 --match "usb-version = 2.10 and speed != 1.5 and removable = no"
	status 0 rule add skip --action ignore --match any
	status 0 rule list
	same "high skip low" "$(awk 'NR > 1 { print $3 }' "$TMP/stdout" | xargs)" "match order"
	status 0 rule show low
	said 'serial = "A \"b\" \\" and interface-class none != 08:06'
	status 0 rule set low --name lower --match any --disable
	status 0 rule show lower
	said "match           any"
	said "enabled         no"
	status 0 -j rule show high
	said '"match": "usb-version = 2.10 and speed != 1.5 and removable = no"'
}

explains()
{
	defer fresh
	emu_start plain --preset loop --serial EXPLAIN1
	status 0 group add g
	status 0 rule add other --group g --priority -2 --match 'vendor = 1d6b and serial ~ "^X[0-9]+$"'
	status 0 rule add off --group g --priority -1 --match any --disable
	status 0 rule add mine 'serial begins EXPLAIN' --group g
	status 2 rule add twice any --match any --action ignore
	said "there twice"
	status 0 rule add rest --action ignore --priority 9 --match any
	status 0 rule test EXPLAIN1
	same "other off mine rest" "$(awk 'NR > 1 && NR < 6 { print $2 }' "$TMP/stdout" | xargs)" "match order"
	said 'not serial ~ "^X[0-9]+$": it is "EXPLAIN1"'
	said "would hold, is disabled"
	same "rule 'mine' claims it into group 'g'" "$(tail -n 1 "$TMP/stdout")" "the last line"
	grep -Eq "mine +claim +g +wins$" "$TMP/stdout"
	grep -Eq "rest +ignore .* holds too$" "$TMP/stdout"
	status 0 rule test --absent 'vendor = 1d6b and serial = X12 and interface-class 03:01:01'
	same "rule 'other' claims it into group 'g'" "$(tail -n 1 "$TMP/stdout")" "the last line"
	status 0 rule del rest
	status 0 -j rule test --absent 'serial = Y'
	grep -q '"rule": *null' "$TMP/stdout"
	grep -q '"failed": *0' "$TMP/stdout"
	status 2 rule test --absent 'serial != Y'
	said "described by = alone"
	status 2 rule test --absent 'serial = '
	status 2 rule test
	status 2 rule test EXPLAIN1 --absent 'serial = Y'
	status 3 rule test 1-99.9
}

saves_and_applies()
{
	local before

	defer fresh
	status 0 group add "two words" --class hid --reset none
	status 0 rule add r --group "two words" --priority -5 --match 'serial = "A" and interface-class none 08:06'
	status 0 rule add skip --action ignore --match any --disable
	status 0 attach add key --group "two words" --uid 1 --gid 2 --optional --vm "free text"
	status 0 save "$TMP/one.yaml"
	before=$(usbpass -j attach show key)
	status 0 rule del r
	status 0 rule set skip --name other
	status 0 group add more
	status 0 apply "$TMP/one.yaml"
	said "1 groups, 2 rules, 1 attachments"
	status 0 save "$TMP/two.yaml"
	same "$(grep -v generation "$TMP/one.yaml")" "$(grep -v generation "$TMP/two.yaml")" "the second file"
	same "$before" "$(usbpass -j attach show key)" "the attachment, with its id and slot"
}

applies_all_or_nothing()
{
	defer fresh
	status 0 group add g
	status 3 apply "$TMP/nowhere.yaml"
	sed 's/class: hid/class: frob/' "$TMP/one.yaml" >"$TMP/bad.yaml"
	status 1 apply "$TMP/bad.yaml"
	said "bad.yaml"
	said "nothing has changed"
	cat >"$TMP/dangling.yaml" <<-END
		usbpass: 1
		groups:
		  - name: other
		rules:
		  - name: r
		    action: claim
		    group: nowhere
		    match: any
	END
	status 1 apply "$TMP/dangling.yaml"
	said "rule 'r', group 'nowhere': no such group"
	said "nothing has changed"
	same 1 "$(usbpass -j group list | grep -c '"name": "g"')" "the group g"
}

# A device of each kind of change, a lease among them; and nothing has changed afterwards.
tells_differences()
{
	local plain other third

	defer fresh
	emu_start plain --preset loop --serial DIFF1
	emu_start other --preset loop --serial DIFF2
	emu_start third --preset loop --serial DIFF3
	plain=$(basename "$(emu_sysfs plain)") other=$(basename "$(emu_sysfs other)") third=$(basename "$(emu_sysfs third)")
	status 0 group make a "$plain" "$other"
	status 0 attach add one --group a
	status 0 save "$TMP/now.yaml"
	status 0 diff "$TMP/now.yaml"
	same "nothing would change" "$(<"$TMP/stdout")"
	exec 7<>/dev/usbpass/host/one
	cat >"$TMP/next.yaml" <<-END
		usbpass: 1
		groups:
		  - name: a
		    description: another
		  - name: b
		rules:
		  - name: r
		    action: claim
		    group: b
		    match: serial ends 2 or 3
		attachments:
		  - name: two
		    group: b
	END
	status 1 diff "$TMP/next.yaml"
	said "'and' must join two conditions, not 'or'"
	sed -i 's/match: .*/match: serial ~ "^DIFF[23]$"/' "$TMP/next.yaml"
	status 0 diff "$TMP/next.yaml"
	# Which of the two is leased, the kernel chose.
	grep -Eq "^release +device $plain \(1d6b:0104 DIFF1\), from group 'a'(: when its lease ends, or with --revoke at once)?$" "$TMP/stdout"
	grep -Eq "^move +device $other .*, from group 'a', into group 'b'(: when its lease ends, or with --revoke at once)?$" "$TMP/stdout"
	same 1 "$(grep -c "when its lease ends" "$TMP/stdout")" "leased devices"
	grep -Eq "^claim +device $third .*, into group 'b': at its next plug, or with --rescan$" "$TMP/stdout"
	grep -Eq "^attach +attachment two$" "$TMP/stdout"
	grep -Eq "^detach +attachment one: refused while its lease is open, unless --revoke$" "$TMP/stdout"
	grep -Eq "^change +group a$" "$TMP/stdout"
	grep -Eq "^add +group b$" "$TMP/stdout"
	grep -Eq "^add +rule r$" "$TMP/stdout"
	same 2 "$(grep -Ec "^remove +rule " "$TMP/stdout")" "rules that go"
	cp "$TMP/stdout" "$TMP/said"
	status 0 apply "$TMP/next.yaml" --dry-run
	cmp "$TMP/said" "$TMP/stdout"
	status 0 diff "$TMP/now.yaml"
	same "nothing would change" "$(<"$TMP/stdout")"
	exec 7>&-
	sed -i 's/group: b$/group: c/' "$TMP/next.yaml"
	status 1 diff "$TMP/next.yaml"
	said "no such group"
}

# A filter of another system, and what it lets through is claimed.
imports()
{
	defer fresh
	emu_start plain --preset loop --serial IMPORT1
	echo '0x08:-1:-1:-1:0|-1:0x1d6b:0x0104:-1:1' >"$TMP/filter"
	status 0 import usbredir "$TMP/filter" --group vms
	cp "$TMP/stdout" "$TMP/filter.yaml"
	status 0 diff - <"$TMP/filter.yaml"
	said "into group 'vms': at its next plug, or with --rescan"
	status 0 apply - --rescan <"$TMP/filter.yaml"
	same idle "$(state_of IMPORT1)" "the device that the filter allows"
}

# Not what the host uses: that becomes pending.
rescans()
{
	local stick

	defer fresh
	emu_start stick --preset storage --serial STICK1
	emu_start plain --preset loop --serial PLAIN1
	stick=$(basename "$(emu_sysfs stick)")
	wait_for 20 usb_disk "$(emu_sysfs stick)"
	cat >"$TMP/all.yaml" <<-END
		usbpass: 1
		groups:
		  - name: all
		rules:
		  - name: r
		    action: claim
		    group: all
		    match: vendor = 1d6b and product = 0104
	END
	status 0 apply "$TMP/all.yaml"
	same pending "$(state_of PLAIN1)"
	exec 7<"/dev/$(usb_disk "$(emu_sysfs stick)")"
	status 0 apply "$TMP/all.yaml" --rescan
	same idle "$(state_of PLAIN1)"
	same pending "$(state_of "$stick")"
	status 0 apply "$TMP/all.yaml" --rescan --force
	same idle "$(state_of "$stick")"
	exec 7<&-
}

# What a helper does that may lose its operator.
tries()
{
	defer fresh
	emu_start plain --preset loop --serial PLAIN1
	status 0 group make now "$(basename "$(emu_sysfs plain)")"
	status 0 attach add one --group now
	cat >"$TMP/try.yaml" <<-END
		usbpass: 1
		groups:
		  - name: next
		attachments:
		  - name: two
		    group: next
	END
	status 2 apply "$TMP/try.yaml" --confirm 0
	status 2 apply "$TMP/try.yaml" --confirm 3601
	status 0 apply "$TMP/try.yaml" --confirm 3000
	said "in force for 3000 s, not saved: \`usbpass confirm\` keeps it, \`usbpass revert\` goes back now"
	wait_for 20 is PLAIN1 held
	status 0 status
	head -n 1 "$TMP/stdout" | grep -Eq "^not confirmed: generation [0-9]+ goes back in [0-9]+ s unless confirmed; usbpass confirm, or usbpass revert$"
	status 1 group add more
	grep -Eq "waits to be confirmed \([0-9]+ s left\); \`usbpass confirm\` or \`usbpass revert\` it first$" "$TMP/stderr"
	status 1 apply "$TMP/try.yaml"
	grep -Eq "waits to be confirmed \([0-9]+ s left\)" "$TMP/stderr"
	usbpass --no-wait doctor >"$TMP/stdout" || true
	said "goes back in"
	status 0 revert
	said "what was in force before is in force again"
	test -c /dev/usbpass/host/one
	expect_fail test -e /dev/usbpass/host/two
	wait_for 20 is PLAIN1 idle
	status 3 revert
	said "no configuration waits to be confirmed"
	# And alone.
	status 0 apply "$TMP/try.yaml" --confirm 1
	wait_for 20 test -c /dev/usbpass/host/one
	wait_for 20 is PLAIN1 idle
	status 0 -j apply "$TMP/try.yaml" --confirm 3000
	cp "$TMP/stdout" "$TMP/json.try"
	status 0 -j status
	cp "$TMP/stdout" "$TMP/json.tried"
	status 0 -j confirm
	cp "$TMP/stdout" "$TMP/json.confirm"
	test -c /dev/usbpass/host/two
	wait_for 20 is PLAIN1 host
}

monitors()
{
	defer fresh
	status 0 group add g
	timeout 2 usbpass -j monitor --since 0 >"$TMP/events" || true
	grep -q '"type":"commit","generation":' "$TMP/events"
	expect_fail grep -v '^{"schema":1,"event":{"seq":' "$TMP/events"
}

# One run of Python for all: it takes long to start here.
fits_schema()
{
	local n=10

	python3 -c "import importlib.util as u; exit(not u.find_spec('jsonschema'))" || skip "python3-jsonschema is not installed"
	defer fresh
	emu_start stick --preset storage --serial STICK1
	while read -r -a command; do
		n=$((n + 1))
		usbpass --no-wait -j "${command[@]}" >"$TMP/json.$n" 2>/dev/null || true
	done <<-END
		group make g STICK1 --force
		device list
		device show STICK1
		device claim STICK1
		group list
		group show g
		group add g
		group add h
		rule list
		rule test STICK1
		diff $TMP/all.yaml
		attach add a --group g --device STICK1
		attach list
		attach show a
		maintenance on
		status
		maintenance off
		doctor
		version
		attach del a
		device release STICK1
	END
	python3 - "$TOP/userspace/usbpass.schema.json" "$TMP"/json.* <<-'END'
		import json, sys, jsonschema
		schema = json.load(open(sys.argv[1]))
		for name in sys.argv[2:]:
		    try:
		        jsonschema.validate(json.load(open(name)), schema)
		    except Exception as error:
		        sys.exit(f"{name}: {error}: {open(name).read()}")
	END
}

needs_root()
{
	local status=0

	setpriv --reuid 65534 --clear-groups "$(command -v usbpass)" status >"$TMP/stdout" 2>"$TMP/stderr" || status=$?
	same 1 $status
	said "CAP_SYS_ADMIN"
	said "run it as root"
}

plan 21
it "lists every device, and finds one by what it is called" lists_all
it "makes a resource of free and of used devices, and says how" makes_resources
it "tells twins apart as it is asked to, and never guesses" makes_identities
it "says what means several devices, and what was made for one and fits two" tells_ambiguity
it "gives both speed halves of a socket one name, which one rule asks for" joins_halves
it "takes a used device by force" forces
it "gives a device to the host's drivers and takes it back" releases
it "makes attachments whose node belongs to whom it should" attaches
it "refuses in words, with the status that fits" refuses
it "keeps rules in match order and prints what it read" keeps_rules
it "tells what each rule says of a device, and which one wins" explains
it "saves what it applies, and keeps ids and slots" saves_and_applies
it "applies all of a file or nothing" applies_all_or_nothing
it "takes present devices that a file claims, if nobody uses them" rescans
it "takes over the filter of another system" imports
it "takes a configuration on trial, and confirms it or goes back" tries
it "prints events" monitors
it "prints JSON that fits the installed schema" fits_schema
it "asks for root" needs_root
it "says that nobody saves" eval 'usbpass group add unsaved 2>&1 | grep "in force, not saved"; fresh'
# Last: for a while its socket is guarded.
it "tells what a file would change, and changes nothing" tells_differences
