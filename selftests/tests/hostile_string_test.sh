#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Devices whose strings are no text: escapes, control characters, halves of pairs, broken descriptors. What the helper and the
# daemon print and keep of them is UTF-8 without a byte that a terminal obeys, and can be read again.
#
# group: trust
# timeout: 300 1500

. "$(dirname "$0")/../lib/ktap.sh"
. "$TOP/selftests/lib/usbdev.sh"
. "$TOP/selftests/lib/emu.sh"
. "$TOP/selftests/lib/usbpass.sh"

# Whole string descriptors, in hex; UTF-16LE from the third byte on.
hostile=(
	10031b005b0032004a001b005b003100 # clears the screen
	10031b005d0030003b00780007006100 # a window's title
	08039b0033003100 # an escape in one C1 character
	0c0361000a0062000d0063000800 # lines made up and overwritten
	08030100020003000400
	0a037f0080008500a000 # DEL, C1, no-break space
	060300d84100 # half of a pair, before a letter
	060341003edc # the other half, at the end
	08033edc00d84100 # a pair the wrong way round
	0803410000004200 # a NUL
	0a032e206700700069000a00 # reads backwards
	0603fffefeff # no characters, and a mark of the wrong order
	0203 # empty
	0103 # a length that does not hold itself
	0003
	0503410042 # odd
	ff03410042 # says 255 bytes and has 5
	ff034100 # so do these
	06044100420043 # no string
	10033a0020002d0020007b0022002700 # YAML and JSON
	0e0325006e0025007300240028005c00 # a format, a substitution, a backslash
)
long=ff03
for ((i = 0; i < 126; i++)); do
	long+=$(printf '%02x00' $((i % 32)))
done
hostile+=("${long}41" "ff03$(for ((i = 0; i < 126; i++)); do printf 20ac; done)ff")

# clean FILE: UTF-8 that a terminal shows and does not obey, and not empty
clean()
{
	test -s "$1"
	iconv -f UTF-8 -t UTF-8 <"$1" >/dev/null || { say "$1 is no UTF-8"; od -c "$1" | head -n 40; return 1; }
	if LC_ALL=C grep -naP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]' "$1" >"$TMP/unclean"; then
		say "$1 has control characters:"
		od -c "$TMP/unclean" | head -n 20
		return 1
	fi
}

# printed WORDS...: the helper's answer, without and with -j, and what it complains; all of it clean
printed()
{
	usbpass "$@" >"$TMP/out" 2>"$TMP/err" || true
	cat "$TMP/err" >>"$TMP/out"
	clean "$TMP/out"
	usbpass -j "$@" >"$TMP/out.json" 2>/dev/null || true
	clean "$TMP/out.json"
	jq -e . <"$TMP/out.json" >/dev/null || { say "no JSON:"; cat "$TMP/out.json"; return 1; }
}

# As many as a hub of vhci_hcd takes, in one go: three strings each, turned by $1.
devices=$((SLOWER > 1 && !LONG ? 4 : 7))

plug_all()
{
	local turn=$1 first=$2 i at n=${#hostile[@]}

	for ((i = 0; i < devices; i++)); do
		at=$(((first + i * 3 + turn) % n))
		emu_start "d$i" --vid 1209 --pid 0ba2 --manufacturer-raw "${hostile[at]}" --product-raw "${hostile[(at + 1) % n]}" \
			--serial-raw "${hostile[(at + 2) % n]}"
	done
}

unplug_all()
{
	local i

	for ((i = 0; i < devices; i++)); do
		emu_stop "d$i"
	done
}

ids()
{
	usbpass -j device list | jq -r '.devices[] | select(.vendor == "1209") | .id'
}

strings()
{
	usbpass -j device list | jq -r '.devices[] | select(.vendor == "1209") | (.vendor_name, .product_name, .serial) | select(. != null)'
}

all_are_printed()
{
	local turn turns=3 id

	[ "$SLOWER" -eq 1 ] || [ "$LONG" = 1 ] || turns=1
	usbpass_load
	usbpass --no-wait group add strings
	usbpass --no-wait rule add strings --group strings --match 'vendor = 1209'
	for ((turn = 0; turn < turns; turn++)); do
		plug_all "$turn" 0
		wait_for 20 same "$devices" "$(ids | wc -l)"
		printed device list
		# Ambiguous: the choice is shown.
		printed device show 1209:0ba2
		grep -q . "$TMP/err"
		printed status
		# shellcheck disable=SC2046 # ids
		printed device show $(ids | sed 's/^/#/')
		id=$(ids | head -n 1)
		printed rule test "#$id"
		# Not printed as they are, but printed: nothing was just left out.
		strings >"$TMP/strings"
		clean "$TMP/strings"
		grep -q '\\x' "$TMP/strings"
		timeout 3 usbpass monitor --since 0 >"$TMP/events" || true
		timeout 3 usbpass -j monitor --since 0 >"$TMP/events.json" || true
		clean "$TMP/events"
		clean "$TMP/events.json"
		jq -es "length > $devices" <"$TMP/events.json" >/dev/null
		unplug_all
	done
}

# The others: a list of languages that is none, and no answer to any string.
broken_languages()
{
	local language

	usbpass_load
	usbpass --no-wait group add strings
	usbpass --no-wait rule add strings --group strings --match 'vendor = 1209'
	for language in 00 0203 03030904 0403 ff030904 "ff03$(printf '09%.0s' {1..253})"; do
		emu_start tongue --vid 1209 --languages-raw "$language" --serial SERIAL
		printed device show 1209:0104
		emu_stop tongue
	done
	emu_start tongue --vid 1209 --set stall=get_string
	printed device show 1209:0104
	same "" "$(strings)" "the strings of a device that stalls all of them"
}

# A resource made of each: its rule names a serial, or the socket where a serial cannot be printed; all of it is saved, and read again.
kept_in_state()
{
	local id n=0 made

	usbpass_load
	usbpass_daemon
	plug_all 0 2
	for id in $(ids); do
		usbpass group make "made-$id" "#$id" >"$TMP/out" 2>&1
		clean "$TMP/out"
		n=$((n + 1))
	done
	same "$devices" $n "resources"
	made=$(usbpass -j rule list | jq -S '[.rules[] | {name, match}]')
	clean "$USBPASS_STATE/state.yaml"
	clean "$USBPASS_LOG"
	usbpass_daemon_end TERM
	usbpass_load claim=0
	usbpass_daemon
	grep -q "is in force" "$USBPASS_LOG"
	same "$made" "$(usbpass -j rule list | jq -S '[.rules[] | {name, match}]')" "the rules after the file was read"
	usbpass save "$TMP/saved.yaml"
	clean "$TMP/saved.yaml"
	clean "$USBPASS_LOG"
	unplug_all
}

plan 3
it "all that the helper prints of such strings, as text and as JSON, is UTF-8 that no terminal obeys" all_are_printed
it "a broken list of languages, or none, leaves a device that is shown" broken_languages
it "rules made of such devices are saved, the file and the log are clean, and the file is read again" kept_in_state
