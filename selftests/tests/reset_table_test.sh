#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What hypervisors really do: the table of userspace/man/resets.tsv, of which usbpass(7) is made, seen row by row. A stock QEMU has
# an emulated disk for each pair of its own properties and a policy, and a Linux guest with its kernel's drivers; counted are the
# resets that reach the node, what was done for each, and usb_reset_device() in the host's kernel.
#
#   reset_table_test.sh --print     the rows as they are seen, in the file's form, instead of comparing them
#
# on: stock
# long: only
# memory: 2048
# timeout: 1800 1800

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
. "$TOP/selftests/lib/qmp.sh"
. "$TOP/selftests/lib/usbpass.sh"

table=$TOP/userspace/man/resets.tsv
printing=0
[ "${1:-}" != --print ] || printing=1
trace=/sys/kernel/tracing

# A cell is a disk of the guest's: PROPERTIES-POLICY, and -uas behind it where it is one of that kind. Those of the policy hub are
# QEMU's, behind hubs of its own, which can be reset and switched off: no emulated disk of ours comes back from the latter. Each of
# their reads takes longer than the guest waits where it is to get no answer.
declare -A properties=(
	[off]="guest-reset=off,guest-resets-all=off"
	[one]="guest-reset=on,guest-resets-all=off"
	[all]="guest-reset=off,guest-resets-all=on"
	[both]="guest-reset=on,guest-resets-all=on"
)
plain=(both-device off-device one-none one-device all-none all-device)
slow=(one-hub all-hub)
disks=("${plain[@]}" "${slow[@]}")
uas=(one-none-uas one-device-uas all-none-uas all-device-uas)

policy_of()
{
	cut -d- -f2 <<<"$1"
}

configuration()
{
	local cell

	echo "usbpass: 1"
	echo "groups:"
	for cell; do
		printf -- '- name: %s\n  reset: %s\n' "$cell" "$(policy_of "$cell")"
	done
	echo "rules:"
	for cell; do
		printf -- '- name: %s\n  action: claim\n  group: %s\n  match: serial = "%s"\n' "$cell" "$cell" "$cell"
	done
	echo "attachments:"
	for cell; do
		printf -- '- name: %s\n  group: %s\n' "$cell" "$cell"
	done
}

# host_device CELL BUS: QEMU's
host_device()
{
	echo "usb-host,id=$1,bus=$2.0,hostdevice=/dev/usbpass/host/$1,${properties[${1%%-*}]}"
}

start_guest()
{
	local cell devices=() khz words

	# shellcheck disable=SC2154 # EXTRA is initramfs.sh's
	EXTRA=$TOP/selftests/guest/usbreset "$TOP/selftests/vm/initramfs.sh" "/lib/modules/$(uname -r)" "$TMP/guest.img" \
		"$TOP/selftests/guest/init" xhci-pci usb-storage sd_mod uas || return 1
	# The guest's time-stamp counter is this machine's. What it measures itself on a busy machine may be far off.
	khz=$(awk '/^cpu MHz/ { printf "%d", $4 * 1000 }' /proc/cpuinfo)
	words="console=ttyS0 quiet panic=-1 mitigations=off cryptomgr.notests norandmaps no_timer_check"
	mkfifo "$TMP/agent.in" "$TMP/agent.out" "$TMP/monitor.in" "$TMP/monitor.out"
	exec 5<>"$TMP/agent.in" 6<>"$TMP/agent.out" 7<>"$TMP/monitor.in" 8<>"$TMP/monitor.out"
	for cell in "${disks[@]}"; do
		devices+=(-device "$(host_device "$cell" disks)")
	done
	qemu-system-x86_64 -accel tcg -M pc -cpu qemu64 -m 256 -nodefaults -display none -no-reboot \
		-kernel "/boot/vmlinuz-$(uname -r)" -initrd "$TMP/guest.img" \
		-append "$words tsc=reliable tsc_early_khz=$khz" \
		-serial "file:$TMP/guest.log" -chardev "pipe,id=agent,path=$TMP/agent" -serial chardev:agent \
		-chardev "pipe,id=monitor,path=$TMP/monitor" -mon chardev=monitor,mode=readline \
		-device qemu-xhci,id=disks,p2=15,p3=15 -device qemu-xhci,id=uas,p2=15,p3=15 "${devices[@]}" \
		>"$TMP/qemu.log" 2>&1 5>&- 6>&- 7>&- 8>&- &
	qemu=$!
	defer end_guest
}

# Harmless where it has ended.
end_guest()
{
	kill -KILL "$qemu" 2>/dev/null || true
}

qemu_ended()
{
	! kill -0 "$qemu" 2>/dev/null
}

# answer SECONDS: what the guest prints, up to its status
answer()
{
	local line end=$((SECONDS + $1))

	while [ $SECONDS -lt $end ] && ! qemu_ended; do
		IFS= read -r -t 5 line <&6 || continue
		[[ $line != "= "* ]] || return "${line#= }"
		echo "$line"
	done
	echo "the guest does not answer; the last lines of its console, and QEMU's:"
	tail -n 20 "$TMP/guest.log" "$TMP/qemu.log" | tr -d '\r'
	return 1
}

# guest COMMAND...: of guest/init
guest()
{
	echo "$*" >&5
	answer 400
}

# usb_reset_device() on the cell's device, or on the hub of a slow one
wire()
{
	local number path

	read -r number path <"$TMP/where.$1"
	grep -c "number=$number path=\"$path\"" $trace/trace || true
}

# count EXPRESSION FILE
count()
{
	grep -c -- "$1" "$TMP/$2" || true
}

# One line for each reset: CELL KIND SECONDS. What is soft though the policy asks for more came while the device was away.
resets()
{
	awk 'FNR == NR { cell["slot=" $1] = $2; next }
		!/usbpass_reset: / { next }
		{
			match($0, / [0-9]+\.[0-9]+: usbpass_reset: /)
			n = split(substr($0, RSTART + 1), word, " ")
			kind = substr(word[4], 6)
			if (kind == "soft" && cell[word[3]] !~ /-none/)
				kind = "recorded"
			print cell[word[3]], kind, word[1] + 0
		}' "$TMP/slots" $trace/trace >"$TMP/resets"
}

closings()
{
	jq -r '.event | select(.type == "lease-closed") | .attach' "$TMP/monitor" >"$TMP/closings"
}

mark()
{
	local cell

	resets
	closings
	for cell in "${disks[@]}" "${uas[@]}"; do
		echo "$(count "^$cell " resets) $(count "^$cell\$" closings) $(wire "$cell")" >"$TMP/mark.$cell"
	done
}

# What was asked for is done, in the lease that is open.
all_are_done()
{
	local cell asked

	resets
	usbpass -j attach list | jq -r '.attachments[] | select(.state == "online") | "\(.name) \(.resets)"' >"$TMP/attached"
	while read -r cell asked; do
		same "$asked" "$(count "^$cell " resets)" "what was done for $cell" || return 1
	done <"$TMP/attached"
}

# note ACTION CELL...: what came since the mark becomes rows
note()
{
	local action=$1 cell before closed hits kind

	shift
	wait_for 60 all_are_done
	closings
	for cell; do
		read -r before closed hits <"$TMP/mark.$cell"
		grep "^$cell " "$TMP/resets" | tail -n "+$((before + 1))" >"$TMP/new" || true
		closed=$(($(count "^$cell\$" closings) - closed))
		awk -v OFS='\t' -v action="$action" -v cell="$cell" -v closed="$closed" '
			!n++ { first = $3 }
			{ last = $3 }
			$2 != "recorded" && !seen[$2]++ { said = said (said ? ", " : "") $2 }
			END {
				split(cell, part, "-")
				print "row", action, part[1], part[2], n ? n : "nothing", (n ? said : "nothing") (closed ? ", closed" : "")
				printf "# %s %s: %d in %.1f s\n", action, cell, n, last - first
			}' "$TMP/new" >>"$TMP/rows"
		kind=device
		[[ $cell != *-hub ]] || kind=hub
		same "$(count " $kind " new)" $(($(wire "$cell") - hits)) "usb_reset_device() for $cell, as $action"
	done
}

# as_in_table ACTION: each row seen is in the file, and each of the file's was seen
as_in_table()
{
	grep -P "^row\t$1\t" "$TMP/rows" >"$TMP/seen"
	if [ $printing -eq 1 ]; then
		{ grep "^# $1 " "$TMP/rows"; cat "$TMP/seen"; } >&3
		return 0
	fi
	if ! awk -F '\t' -v action="$1" '
		$1 != "row" || $2 != action { next }
		FNR == NR { says[$3, $4] = $5 FS $6; next }
		{
			policy = ($3, $4) in says ? $4 : "any"
			used[$3, policy] = 1
			split(says[$3, policy], word, FS)
			n = split(word[1], bound, " to ")
			if (!(n == 2 ? $5 + 0 >= bound[1] && $5 + 0 <= bound[2] : $5 == word[1]) || $6 != word[2]) {
				print "the table says of " $3 ", " $4 ": " says[$3, policy] "; seen: " $5 FS $6
				wrong = 1
			}
		}
		END {
			for (row in says)
				if (!(row in used)) {
					sub(SUBSEP, ", ", row)
					print "not seen: " row
					wrong = 1
				}
			exit wrong
		}' "$table" "$TMP/seen"; then
		return 1
	fi
}

all_are_closed()
{
	local cell

	closings
	for cell; do
		grep -qx "$cell" "$TMP/closings" || { say "$cell is open"; return 1; }
	done
}

boots()
{
	answer $((600 * SLOWER))
	guest disks "${disks[@]}"
	note boot "${disks[@]}"
	as_in_table boot
}

usbreset()
{
	local cell

	mark
	for cell in "${disks[@]}"; do
		guest reset "$cell"
	done
	note usbreset "${disks[@]}"
	as_in_table usbreset
}

# misbehaves ACTION RULE CELL...: in one read of each. One whose reset reaches nobody may stay as it is.
misbehaves()
{
	local action=$1 rule=$2 cell

	shift 2
	guest limits 5 5
	guest open "$@"
	mark
	for cell; do
		emu "$cell" "$rule"
	done
	guest fetch >"$TMP/failed"
	same "" "$(grep -v ^off- "$TMP/failed" || true)" "the disks that cannot be read"
	note "$action" "$@"
	as_in_table "$action"
}

# The slow ones always are: one after the other, as QEMU stands still while it cancels what they wait for.
dies()
{
	local cell

	guest limits 2 5
	guest open "${plain[@]:2}"
	mark
	for cell in "${plain[@]:2}"; do
		emu "$cell" mute=bulk
	done
	guest fetch >"$TMP/failed"
	for cell in "${slow[@]}"; do
		guest open "$cell"
		guest fetch >>"$TMP/failed"
	done
	same "${disks[*]:2}" "$(paste -sd' ' "$TMP/failed")" "the disks that cannot be read"
	note dead "${disks[@]:2}"
	as_in_table dead
}

plugged()
{
	local cell

	mark
	for cell in "${uas[@]}"; do
		echo "device_add $(host_device "$cell" uas)" >&7
	done
	guest present "${uas[@]}"
	note plug "${uas[@]}"
	as_in_table plug
}

uas_gives_up()
{
	mark
	guest load uas
	guest offlined "${uas[@]}"
	note uas "${uas[@]}"
	as_in_table uas
}

unplugged()
{
	local cell

	mark
	for cell in "${uas[@]}"; do
		echo "device_del $cell" >&7
	done
	wait_for 60 all_are_closed "${uas[@]}"
	note unplug "${uas[@]}"
	as_in_table unplug
}

refused()
{
	mark
	echo error >/sys/module/usbpass/parameters/reset_refusal
	defer eval 'echo soft >/sys/module/usbpass/parameters/reset_refusal'
	guest reset one-none || true
	wait_for 60 all_are_closed one-none
	guest gone one-none
	note refused one-none
	as_in_table refused
}

goes_off()
{
	local cell left=()

	mark
	for cell in "${disks[@]:1}"; do
		[ "$cell" = one-none ] || left+=("$cell")
	done
	echo off >&5
	wait_for 60 qemu_ended
	wait_for 60 all_are_closed "${left[@]}"
	note off "${left[@]}"
	as_in_table off
}

# hub_is_there PORT: of the xHCI controller, with its ports
hub_is_there()
{
	compgen -G "/sys/bus/pci/drivers/xhci_hcd/*/usb*/*-$1/*-$1:1.0/*-port1" >/dev/null
}

[ -r "/boot/vmlinuz-$(uname -r)" ] || skip_all "the guest's kernel is to be this one, which is not in /boot"
exec 3>&1
usbpass_load reset_budget=600 || exit 1
usbpass_daemon || exit 1
configuration "${disks[@]}" "${uas[@]}" >"$TMP/table.yaml"
usbpass apply "$TMP/table.yaml" >"$TMP/said" || exit 1
usbpass -j attach list | jq -r '.attachments[] | "\(.slot) \(.name)"' >"$TMP/slots"
usbpass -j monitor >"$TMP/monitor" &
defer kill $!
# Root ports that no hub has: the path is to tell them apart.
port=5
for cell in "${plain[@]}" "${uas[@]}"; do
	[ "${cell%-uas}" = "$cell" ] && preset=storage || preset=uas
	emu_start "$cell" --vid 1209 --preset "$preset" --serial "$cell" --port $((port++)) || exit 1
	device=$(emu_sysfs "$cell") || exit 1
	echo "$(<"$device/devnum") $(<"$device/devpath")" >"$TMP/where.$cell"
done
port=0
for cell in "${slow[@]}"; do
	port=$((port + 1))
	qmp blockdev-add "{\"driver\": \"null-co\", \"node-name\": \"$cell\", \"size\": 16777216, \"read-zeroes\": true,
		\"latency-ns\": 4000000000}" >"$TMP/said" || exit 1
	qmp_plug "usb-hub,id=hub$port,bus=x.0,port=$port,port-power=on" && wait_for 30 hub_is_there "$port" || exit 1
	qmp_plug "usb-storage,id=$cell,bus=x.0,port=$port.1,serial=$cell,drive=$cell" && wait_for 30 usb_find "serial=$cell" || exit 1
	device=$(dirname "$(usb_find "serial=$cell")")
	echo "$(<"$device/devnum") $(<"$device/devpath")" >"$TMP/where.$cell"
done
# A device's number and path are the first members of its structure.
echo 'p:reset_table usb_reset_device number=+0(%di):s32 path=+4(%di):string' >>$trace/kprobe_events
defer eval "echo '-:reset_table' >>$trace/kprobe_events"
for event in kprobes/reset_table usbpass/usbpass_reset; do
	echo 1 >$trace/events/$event/enable
	defer eval "echo 0 >$trace/events/$event/enable"
done
mark
start_guest || exit 1

plan 10
it "boot: a guest finds its disks" boots
it "usbreset: a program in the guest resets a device" usbreset
it "timeout: usb-storage waits in vain for a command, once" misbehaves timeout 'mute=ep81*1' "${plain[@]:1}"
it "stall: usb-storage's command is stalled, once" misbehaves stall 'stall=ep02*1' "${plain[@]:2}"
it "dead: usb-storage's disk answers nothing any more" dies
it "plug: a device is added to a running guest" plugged
it "uas: a disk answers nothing" uas_gives_up
it "unplug: a device is taken from a running guest" unplugged
it "refused: a refused reset is an error" refused
it "off: the guest goes off" goes_off
