#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [--long] [--list] [--kernel NAME]... [--jobs N] [FILTER...]
#
# Run the tests whose file name contains one of the FILTERs (/FILTER: begins with it; default: all), print each result, end with
# "N passed, N failed, N skipped". Status 0: none failed. Output and logs of the run are kept in out/. Boots run JOBS at a time
# (default: one more than there are processors, as each waits now and then). Kernels are stock (the default), and debug and
# kcsan, which vm/build-kernel.sh makes.
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
#   cpus: N               of the machine (1: two emulated ones that share what they are emulated on take twice as long)
#   timeout: SEC [SEC]    for the file, and in long runs (300, ten times that)
#   log: REGEX            lines of the kernel log that this test provokes on purpose; a call trace right below one is its own
#   on: KERNEL...         only on these kernels; on.long: KERNEL... in long runs
#   long: only            not in short runs
#
# A line "# figure: ..." that a test prints is shown again at the end. A kernel other than stock gets five times the time.
# KERNEL= and MODDIR= choose another stock kernel (vm/boot.sh), USBPASS_KO= another module than the tree's.

set -u
cd "$(dirname "$0")" || exit 2
out=$PWD/out
long=${LONG:-0} list=0 filters=() kernels=() jobs=$(($(nproc) + 1))
while [ $# -gt 0 ]; do
	case $1 in
	--long) long=1 ;;
	--list) list=1 ;;
	--kernel) kernels+=("${2:?--kernel stock, debug or kcsan}"); shift ;;
	--jobs) jobs=${2:?--jobs N}; shift ;;
	-*) echo "run.sh: unknown option $1; usage: run.sh [--long] [--list] [--kernel NAME]... [--jobs N] [FILTER...]" >&2; exit 2 ;;
	*) filters+=("$1") ;;
	esac
	shift
done
[ ${#kernels[@]} -gt 0 ] || kernels=(stock)
export LONG=$long

# shellcheck source-path=SCRIPTDIR
. vm/groups.sh

# directive FILE KEY: the values, one a line
directive()
{
	local source=$1

	[ ! -e "$1.c" ] || source=$1.c
	head -n 40 "$source" | sed -nE "s,^ *(#|//|\\*) *${2//./\\.}: +,,p"
}

wanted()
{
	local filter base=/${1##*/}

	[ "$(directive "$1" long)" != only ] || [ "$long" = 1 ] || return 1
	[ ${#filters[@]} -gt 0 ] || return 0
	for filter in "${filters[@]}"; do
		[[ $base != *"$filter"* ]] || return 0
	done
	return 1
}

# A test in C that did not build must not be left out in silence: its source stands for it. Scripts come last: one may look
# back on what the programs of its boot have done.
files_of()
{
	local file

	for file in "$1"/*_test "$1"/*_test.c "$1"/*.sh; do
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

# record RESULT FILE SENTENCE
record()
{
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$out/results"
	printf '%-5s %s: %s\n' "$1" "$2" "$3"
}

# tally PLACE: read "run: begin NAME", TAP, "run: end NAME STATUS", again and again; record the results as those of PLACE/NAME,
# and the files begun and ended in out/.
tally()
{
	local line name='' planned='' seen=0 failed=0 began=0 status rest place=$1

	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'run: begin '*)
			name=${line#run: begin } planned='' seen=0 failed=0 began=$SECONDS
			echo "$name" >>"$out/begun"
			name=$place/${name#*/}
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
			rest=${line#run: end }
			echo "${rest% *}" >>"$out/ended"
			printf '      # %s took %d s\n' "$name" $((SECONDS - began))
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
		'# figure: '*)
			printf 'figure\t%s\t%s\n' "$name" "${line#\# figure: }" >>"$out/results"
			printf '      %s\n' "$line"
			;;
		*) printf '      %s\n' "$line" ;;
		esac
	done
}

# account PLACE FILE...: what began and did not end, or never began, has failed.
account()
{
	local file place=$1

	shift
	for file; do
		grep -Fqx "$file" "$out/ended" && continue
		if grep -Fqx "$file" "$out/begun"; then
			record FAIL "$place/${file#*/}" "comes to its end"
		else
			record FAIL "$place/${file#*/}" "is run"
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
queue_host "${host_files[@]+"${host_files[@]}"}"
for kernel in "${kernels[@]}"; do
	boot_groups "$kernel" "${guest_files[@]+"${guest_files[@]}"}"
done
boot_queue

passed=$(grep -c '^ok' "$out/results")
failed=$(grep -c '^FAIL' "$out/results")
skipped=$(grep -c '^skip' "$out/results")
if grep -q '^figure' "$out/results"; then
	echo "figures:"
	sed -n 's/^figure\t\([^\t]*\)\t/  \1: /p' "$out/results"
fi
if [ "$failed" -gt 0 ]; then
	echo "failed:"
	sed -n 's/^FAIL\t\([^\t]*\)\t/  \1: /p' "$out/results"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
