#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The helper with the module: what it lists, makes, refuses and says, as an operator sees it.
#
# timeout: 800

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
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

state_of()
{
	usbpass -j device show "$1" | sed -nE 's/^      "state": "(.*)",$/\1/p'
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
	same "           ^" "$(sed -n 2p "$TMP/stderr")" "the pointer to the fault"
	status 1 rule add r --group g --match "vendor < 046d"
	said "newer module"
	status 1 group set g --reset hub
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
		attach add a --group g --device STICK1
		attach list
		attach show a
		status
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

plan 14
it "lists every device, and finds one by what it is called" lists_all
it "makes a resource of free and of used devices, and says how" makes_resources
it "takes a used device by force" forces
it "gives a device to the host's drivers and takes it back" releases
it "makes attachments whose node belongs to whom it should" attaches
it "refuses in words, with the status that fits" refuses
it "keeps rules in match order and prints what it read" keeps_rules
it "saves what it applies, and keeps ids and slots" saves_and_applies
it "applies all of a file or nothing" applies_all_or_nothing
it "takes present devices that a file claims, if nobody uses them" rescans
it "prints events" monitors
it "prints JSON that fits the installed schema" fits_schema
it "asks for root" needs_root
it "says that nobody saves" eval 'usbpass group add unsaved 2>&1 | grep "in force, not saved"; fresh'
