#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [NAME...]
#
# The tests' own test: each *.patch here plants one bug in the module (all of them, or those whose name contains a NAME). The
# tests that its head names must fail then, and for its reason. Ends with "N of M planted bugs caught". A patch's head says
#
#   Bug: SENTENCE
#   Kernel: stock, debug
#   Tests: FILTER...      of selftests/run.sh
#   Caught: REGEX         a line of what the run prints
#
# A patch that does not apply any more, or a module that does not build, is a failure too. The tests themselves pass without
# the patch: that is `make check`.

set -u
here=$(cd "$(dirname "$0")" && pwd)
selftests=$(cd "$here/.." && pwd)
cache=$selftests/../.cache/mutants
export USBPASS_KO

head_of()
{
	sed -n "/^---/q; s/^$2: //p" "$1"
}

stock_kdir()
{
	if [ -n "${KDIR:-}" ]; then
		echo "$KDIR"
	else
		echo "/lib/modules/$("$selftests/../.ci/test-kernel")/build"
	fi
}

kdir_of()
{
	local choice

	if [ "$1" = stock ]; then
		stock_kdir
		return
	fi
	choice=$("$selftests/vm/build-kernel.sh" "$1") || return 1
	(eval "$choice"; echo "$KDIR")
}

# caught PATCH: says what became of it; 0 when a test caught it for the right reason
caught()
{
	local patch=$1 name kernel tests kdir log line
	name=$(basename "$patch" .patch)
	kernel=$(head_of "$patch" Kernel)
	read -ra tests <<<"$(head_of "$patch" Tests)"

	kdir=$(kdir_of "$kernel") || return 1
	rm -rf "${cache:?}/$name"
	mkdir -p "$cache/$name"
	log=$cache/$name.log
	PATCH=$patch "$selftests/vm/build-module.sh" "$kdir" "$cache/$name" || return 1
	USBPASS_KO=$(cd "$cache/$name" && pwd)/usbpass.ko
	if "$selftests/run.sh" --kernel "$kernel" "${tests[@]}" >"$log" 2>&1; then
		echo "      no test failed ($log)"
		return 1
	fi
	# The end of the log repeats the failures; a run that could not begin has none.
	line=$(grep -m 1 -E "$(head_of "$patch" Caught)" "$log") || {
		echo "      failed, but not for its reason ($log)"
		return 1
	}
	echo "      ${line#"${line%%[![:space:]]*}"}"
}

total=0 good=0
for patch in "$here"/*.patch; do
	name=$(basename "$patch" .patch)
	wanted=$([ $# -eq 0 ] && echo 1)
	for filter; do
		[[ $name != *"$filter"* ]] || wanted=1
	done
	[ -n "$wanted" ] || continue
	total=$((total + 1))
	if output=$(caught "$patch"); then
		good=$((good + 1))
		echo "caught  $name: $(head_of "$patch" Bug)"
	else
		echo "MISSED  $name: $(head_of "$patch" Bug)"
	fi
	printf '%s\n' "$output"
done
echo "$good of $total planted bugs caught"
[ "$good" -eq "$total" ] && [ "$total" -gt 0 ]
