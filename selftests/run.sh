#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [--long] [--list] [FILTER...]
#
# Run the tests whose file name contains one of the FILTERs (default: all), print each result, end with
# "N passed, N failed, N skipped". Status 0: none failed. Output and logs of the run are kept in out/.
#
#   host/*_test, host/*.sh      run here        tests/*_test, tests/*.sh    run in a machine booted by vm/boot.sh
#
# Every file prints kselftest TAP with a plan (lib/ktap.sh, lib/tap.h); an unfulfilled plan, a time-out or a status that does
# not fit is a failed test, and so is a kernel log with anything in it that tells of trouble (vm/scan-log.sh). A file says
# what it needs in comments (# or //) among its first 40 lines (of X_test: those of X_test.c):
#
#   group: NAME           files of one group share a boot (default: common; a file with its own qemu: or boots: is alone)
#   qemu: ARGS            more QEMU arguments, may be repeated
#   boots: N              boot N times, $BOOT says which, $STATE is kept; qemu.2: ARGS are for boot 2 only
#   kernel: ARGS          more kernel arguments
#   memory: MB            of the machine (1024)
#   timeout: SEC [SEC]    for the file, and in long runs (300, ten times that)
#   log: REGEX            lines of the kernel log that this test provokes on purpose
#   long: only            not in short runs
#
# KERNEL= and MODDIR= choose another kernel (vm/boot.sh), USBPASS_KO= another module than the tree's.

set -u
cd "$(dirname "$0")" || exit 2
out=$PWD/out
long=${LONG:-0} list=0 filters=()
for argument; do
	case $argument in
	--long) long=1 ;;
	--list) list=1 ;;
	-*) echo "run.sh: unknown option $argument; usage: run.sh [--long] [--list] [FILTER...]" >&2; exit 2 ;;
	*) filters+=("$argument") ;;
	esac
done
export LONG=$long

# directive FILE KEY: the values, one a line
directive()
{
	local source=$1

	[ ! -e "$1.c" ] || source=$1.c
	head -n 40 "$source" | sed -nE "s,^ *(#|//|\\*) *${2//./\\.}: +,,p"
}

wanted()
{
	local filter base=${1##*/}

	[ "$(directive "$1" long)" != only ] || [ "$long" = 1 ] || return 1
	[ ${#filters[@]} -gt 0 ] || return 0
	for filter in "${filters[@]}"; do
		[[ $base != *"$filter"* ]] || return 0
	done
	return 1
}

# A test in C that did not build must not be left out in silence: its source stands for it.
files_of()
{
	local file

	for file in "$1"/*_test.c "$1"/*.sh "$1"/*_test; do
		[ -e "$file" ] || continue
		[ "${file%.c}" = "$file" ] || [ ! -e "${file%.c}" ] || continue
		case $file in
		*.sh | *_test.c | *_test) ! wanted "${file%.c}" || echo "${file%.c}" ;;
		esac
	done
}

seconds_of()
{
	local short longer

	read -r short longer <<<"$(directive "$1" timeout)"
	short=${short:-300}
	if [ "$long" = 1 ]; then
		echo "${longer:-$((short * 10))}"
	else
		echo "$short"
	fi
}

group_of()
{
	local group

	group=$(directive "$1" group)
	if [ -z "$group" ]; then
		group=common
		[ -z "$(directive "$1" qemu)$(directive "$1" boots)$(directive "$1" kernel)$(directive "$1" memory)" ] || group=$(basename "$1" .sh)
	fi
	echo "$group"
}

# record RESULT FILE SENTENCE
record()
{
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$out/results"
	printf '%-5s %s: %s\n' "$1" "$2" "$3"
}

# Read "run: begin NAME", TAP, "run: end NAME STATUS", again and again; record the results, and the files begun in out/begun.
tally()
{
	local line name='' planned='' seen=0 failed=0 status rest

	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'run: begin '*)
			name=${line#run: begin } planned='' seen=0 failed=0
			echo "$name" >>"$out/begun"
			;;
		'run: end '*)
			status=${line##* }
			if [ -z "$planned" ]; then
				record FAIL "$name" "says how many tests it has (status $status)"
			elif [ "$seen" -ne "$planned" ]; then
				record FAIL "$name" "runs all the tests that it planned (planned $planned, ran $seen, status $status)"
			elif [ "$status" -ne 0 ] && [ $failed -eq 0 ] && ! { [ "$status" -eq 4 ] && [ "$planned" -eq 0 ]; }; then
				record FAIL "$name" "ends well (status $status)"
			fi
			echo "$name" >>"$out/ended"
			name=''
			;;
		1..*)
			planned=${line#1..}
			rest=${planned#"${planned%%[!0-9]*}"}
			planned=${planned%%[!0-9]*}
			[ "$planned" != 0 ] || record skip "$name" "all of it${rest:+ ($rest)}"
			;;
		'ok '*)
			seen=$((seen + 1))
			if [[ $line =~ '# SKIP' ]]; then
				record skip "$name" "${line#ok * }"
			else
				record ok "$name" "${line#ok * }"
			fi
			;;
		'not ok '*)
			seen=$((seen + 1)) failed=$((failed + 1))
			record FAIL "$name" "${line#not ok * }"
			;;
		'TAP version'* | '') ;;
		*) printf '      %s\n' "$line" ;;
		esac
	done
}

# What began and did not end, or never began, has failed.
account()
{
	local file

	for file; do
		grep -Fqx "$file" "$out/ended" && continue
		if grep -Fqx "$file" "$out/begun"; then
			record FAIL "$file" "comes to its end"
		else
			record FAIL "$file" "is run"
		fi
	done
}

run_host()
{
	local file status

	for file; do
		echo "run: begin $file"
		timeout --kill-after=5 "$(seconds_of "$file")" "./$file" </dev/null 2>&1
		status=$?
		echo
		echo "run: end $file $status"
	done
}

# run_group NAME FILE...
run_group()
{
	local name=$1 boots=1 boot file status options seconds label dir began allowed memory
	shift

	for file; do
		boots=$(directive "$file" boots | sort -n | tail -n 1)
		boots=${boots:-1}
	done
	rm -rf "${out:?}/$name"
	mkdir -p "$out/$name/state"
	for ((boot = 1; boot <= boots; boot++)); do
		label=$name
		[ "$boots" -eq 1 ] || label="$name ($boot of $boots)"
		dir=$out/$name/$boot options=() seconds=90 allowed=() memory=1024
		for file; do
			seconds=$((seconds + $(seconds_of "$file")))
			while read -r line; do options+=(-q "$line"); done < <(directive "$file" qemu; directive "$file" "qemu.$boot")
			while read -r line; do options+=(-a "$line"); done < <(directive "$file" kernel)
			while read -r line; do allowed+=("$line"); done < <(directive "$file" log)
			while read -r line; do memory=$((line > memory ? line : memory)); done < <(directive "$file" memory)
			printf '%s %s\n' "$(seconds_of "$file")" "$file"
		done >"$out/$name/state/.tests"
		: >"$out/begun"
		: >"$out/ended"
		echo "boot: $label"
		began=$SECONDS
		vm/boot.sh -n "$label" -d "$dir" -s "$out/$name/state" -m "$memory" -t "$seconds" "${options[@]+"${options[@]}"}" \
			-e "LONG=$long" -e "BOOT=$boot" ${USBPASS_KO:+-e "USBPASS_KO=$USBPASS_KO"} \
			-- selftests/vm/tests.sh 2>&1 9>&- | tally
		status=${PIPESTATUS[0]}
		account "$@"
		if [ "$status" -eq 0 ]; then
			record ok "$label" "the machine goes down when asked ($((SECONDS - began)) s)"
		else
			record FAIL "$label" "the machine goes down when asked (status $status; $dir/console.log)"
		fi
		if vm/scan-log.sh "$dir/console.log" "${allowed[@]+"${allowed[@]}"}" >"$dir/trouble"; then
			record ok "$label" "the kernel log is clean"
		else
			record FAIL "$label" "the kernel log is clean ($dir/console.log)"
			sed 's/^/      /' "$dir/trouble"
		fi
	done
}

mapfile -t host_files < <(files_of host)
mapfile -t guest_files < <(files_of tests)
if [ "$list" = 1 ]; then
	printf '%s\n' "${host_files[@]+"${host_files[@]}"}" "${guest_files[@]+"${guest_files[@]}"}"
	exit 0
fi
if [ $((${#host_files[@]} + ${#guest_files[@]})) -eq 0 ]; then
	echo "run.sh: no test's file name contains: ${filters[*]-}" >&2
	exit 2
fi

# Two runs in one tree must not write over each other's results.
mkdir -p "$out"
exec 9>"$out/.lock"
if ! flock -n 9; then
	out=$(mktemp -d "$PWD/out.XXXXXX")
	echo "another run is going on here: the logs of this one are in $out"
fi
: >"$out/results"
: >"$out/begun"
: >"$out/ended"
if [ ${#host_files[@]} -gt 0 ]; then
	run_host "${host_files[@]}" > >(tally) 2>&1
	wait $!
	account "${host_files[@]}"
fi

declare -A groups=()
order=()
for file in "${guest_files[@]+"${guest_files[@]}"}"; do
	group=$(group_of "$file")
	[ -n "${groups[$group]:-}" ] || order+=("$group")
	groups[$group]+="$file "
done
for group in "${order[@]+"${order[@]}"}"; do
	read -ra files <<<"${groups[$group]}"
	run_group "$group" "${files[@]}"
done

passed=$(grep -c '^ok' "$out/results")
failed=$(grep -c '^FAIL' "$out/results")
skipped=$(grep -c '^skip' "$out/results")
if [ "$failed" -gt 0 ]; then
	echo "failed:"
	sed -n 's/^FAIL\t\([^\t]*\)\t/  \1: /p' "$out/results"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
