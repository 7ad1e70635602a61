#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The helper without a module: exit codes, what it says, and JSON.

. "$(dirname "$0")/../lib/ktap.sh"
usbpass=$TOP/userspace/usbpass

[ ! -e /sys/module/usbpass ] || skip_all "the module is loaded here"

# status EXPECTED ARGUMENT...: the helper's exit code; what it prints is in $TMP/out and $TMP/err
status()
{
	local expected=$1 status=0

	shift
	"$usbpass" "$@" >"$TMP/out" 2>"$TMP/err" || status=$?
	same "$expected" "$status" "the status of usbpass $*, which says $(<"$TMP/err")"
}

names_module()
{
	local command

	while read -r -a command; do
		status 4 "${command[@]}"
		same "" "$(<"$TMP/out")"
		grep -q "kernel module usbpass is not loaded; load it (modprobe usbpass)" "$TMP/err"
	done <<-END
		status
		device list
		group make x 1-1
		rule list
		attach show x
		apply /nonexistent
		confirm
		revert
		save
		monitor
	END
}

refuses_usage()
{
	local command

	while read -r -a command; do
		status 2 "${command[@]}"
		same "" "$(<"$TMP/out")"
		test -s "$TMP/err"
	done <<-END
		frobnicate
		device
		device frobnicate
		group
		-x
	END
	status 2
	grep -q "^usage: usbpass" "$TMP/err"
}

takes_no_beginnings()
{
	status 2 dev list
	status 2 device li
	status 2 stat
	status 2 version --js
}

helps()
{
	status 0 --help
	grep -q "usbpass group make NAME DEVICE" "$TMP/out"
	status 0 group --help
	expect_fail grep -q "usbpass rule" "$TMP/out"
	status 0 group make --help
	same 2 "$(wc -l <"$TMP/out")" "lines of help for one verb"
}

tells_version()
{
	status 0 version
	grep -q "^usbpass [0-9]" "$TMP/out"
	grep -q "module: not loaded" "$TMP/out"
	status 0 --version
}

errors_in_json()
{
	status 4 -j status
	grep -q '"schema": 1' "$TMP/out"
	grep -q '"errno": "ENOTCONN"' "$TMP/out"
	status 4 status --json
	grep -q '"schema": 1' "$TMP/out"
	status 0 version -j
	grep -q '"module": null' "$TMP/out"
}

doctors()
{
	status 4 doctor
	grep -q "^fault .*module: usbpass is not" "$TMP/out"
	grep -Eq "^[0-9]+ ok, [0-9]+ warnings, [0-9]+ faults$" "$TMP/out"
	status 4 -j doctor
	grep -q '"result": "fault"' "$TMP/out"
}

fails_to_write()
{
	local status=0

	"$usbpass" version >/dev/full 2>"$TMP/err" || status=$?
	same 1 $status
	grep -q "cannot write" "$TMP/err"
}

# The configuration on one stream, what is lost on the other, and a status that tells; nothing reaches a terminal that it obeys.
imports()
{
	printf '%s\n' 'DENY: class=03 # HID' 'ALLOW:' >"$TMP/policy"
	status 0 import xenserver "$TMP/policy" --group vms
	grep -q "^  group: \"vms\"$" "$TMP/out"
	grep -q "2 rules became 5 rules, 1 groups" "$TMP/err"
	printf 'ALLOW: class=0\033[31m\n' >>"$TMP/policy"
	status 1 import xenserver - <"$TMP/policy"
	grep -q "^usbpass: 1$" "$TMP/out"
	grep -qF 'standard input:3:14: left out: ALLOW: class=0\x1b[31m: class takes 2 hex digits' "$TMP/err"
	expect_fail grep -q "keep devices back" "$TMP/err"
	status 1 import xenserver "$TMP/policy" --strict
	same "" "$(<"$TMP/out")"
	grep -q "nothing is written" "$TMP/err"
	status 1 -j import xenserver "$TMP/policy"
	grep -q '"kind": "left out"' "$TMP/out"
	status 3 import usbguard /nonexistent
	status 1 import libvirt "$TMP/policy"
	same "" "$(<"$TMP/out")"
	grep -q "line 1: not XML: .*; nothing is written" "$TMP/err"
	status 1 import usbguard /dev/zero
	grep -q "File too large" "$TMP/err"
	status 2 import yaml "$TMP/policy"
	status 2 import usbguard
	status 2 import usbguard "$TMP/policy" --group a/b
	status 2 import xenserver "$TMP/policy" --default allow
	expect_fail grep -qr $'\033' "$TMP/out" "$TMP/err"
	expect_fail grep -q libxml2 <<<"$(ldd "$TOP/userspace/usbpass" "$TOP/userspace/usbpassd")"
}

# What every command prints fits the schema; python3-jsonschema, where it is installed, says so.
fits_schema()
{
	python3 -c "import jsonschema" 2>/dev/null || skip "python3-jsonschema is not installed"
	echo '3:-1:-1:-1:0|x|-1:-1:-1:-1:1' >"$TMP/filter"
	for command in version doctor status "device list" "import usbredir $TMP/filter"; do
		# shellcheck disable=SC2086
		"$usbpass" -j $command >"$TMP/out" 2>/dev/null || true
		python3 - "$TOP/userspace/usbpass.schema.json" "$TMP/out" <<-'END'
			import json, sys, jsonschema
			jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))
		END
	done
}

plan 10
it "says that the module is not loaded, with status 4" names_module
it "refuses wrong usage with status 2" refuses_usage
it "takes no beginning of a word for the word" takes_no_beginnings
it "helps with all, with an object, and with a verb" helps
it "tells its version without a module" tells_version
it "prints errors as JSON too" errors_in_json
it "looks for what is missing" doctors
it "notices that its output was lost" fails_to_write
it "imports other systems' rules, and tells what is lost" imports
it "prints JSON that fits the installed schema" fits_schema
