#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [--target NAME]... [MINUTES]
#
# Builds the targets and lets libFuzzer mutate their seeds: without MINUTES SECONDS_EACH (5) seconds each from a fixed seed,
# else for MINUTES in all, from SEED (default: the clock's), keeping what it found new in .cache/fuzz/grown/. Prints a line for
# each target, "NAME: N executions, N edges, N features", or what is wrong and the input that shows it, which is kept in
# selftests/out/fuzz/. Once that is mended, the input belongs into corpus/NAME/ under a name that tells of it.
#
# Seeds are text where the target reads text, else *.hex: bytes in hexadecimal, with # comments.

set -u
cd "$(dirname "$0")" || exit 2
cache=${FUZZ_CACHE:-$PWD/../../../.cache/fuzz} found=$PWD/../../out/fuzz
targets=() minutes=
while [ $# -gt 0 ]; do
	case $1 in
	--target) targets+=("${2:?--target NAME}"); shift ;;
	[1-9]*) minutes=$1 ;;
	*) echo "usage: run.sh [--target NAME]... [MINUTES]" >&2; exit 2 ;;
	esac
	shift
done
[ ${#targets[@]} -gt 0 ] || read -ra targets <<<"$(make -s list)"

if [ -z "$minutes" ]; then
	seconds=${SECONDS_EACH:-5} seed=${SEED:-1}
else
	seconds=$((minutes * 60 / ${#targets[@]})) seed=${SEED:-$(date +%s)}
	[ "$seconds" -gt 0 ] || seconds=1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/usbpass-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$found" "$cache"

# The committed seeds, as bytes. -> $work/NAME
seed_corpus()
{
	local file

	mkdir -p "$work/$1"
	for file in "corpus/$1"/*; do
		case $file in
		*.hex) sed 's/#.*//' "$file" | perl -0ne 's/\s+//g; print pack "H*", $_' >"$work/$1/$(basename "$file" .hex)" ;;
		*) cp "$file" "$work/$1/" ;;
		esac
	done
}

# fuzz NAME: 0 and its line, or not 0 and what it found.
fuzz()
{
	local name=$1 log=$work/$1.log options grown=$work/$1.grown status=0

	seed_corpus "$name"
	[ -z "$minutes" ] || grown=$cache/grown/$name
	mkdir -p "$grown"
	options=(-seed="$seed" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=8192 -len_control=20
		-print_final_stats=1 -verbosity=1 -artifact_prefix="$found/$name-")
	[ ! -e "dict/$name.dict" ] || options+=(-dict="dict/$name.dict")
	# The helper's strings are as hostile as names are.
	[ "$name" != print ] && [ "$name" != kernel_name ] || options+=(-dict=dict/names.dict)
	timeout $((seconds * 3 + 300)) "$cache/$name" "${options[@]}" "$grown" "$work/$name" >"$log" 2>&1 || status=$?
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	read -r edges features <<<"$(sed -nE 's/.* cov: ([0-9]+) ft: ([0-9]+) .*/\1 \2/p' "$log" | tail -n 1)"
	if [ $status -ne 0 ] || [ -z "$executions" ] || [ -z "$edges" ]; then
		echo "$name: FOUND (status $status), see $found, seed $seed:"
		grep -aE 'broken promise|ERROR: |runtime error|SUMMARY|Test unit|^    #[0-9] .*(usbpass|_fuzz|kernel)' "$log" | cat -v | head -n 20
		return 1
	fi
	echo "$name: $executions executions, $edges edges, $features features"
}

if ! make -s -j"$(nproc)" "${targets[@]/#/$cache/}" OUT="$cache" >"$work/make" 2>&1; then
	tail -n 20 "$work/make"
	exit 1
fi
total=0 bad=0
for name in "${targets[@]}"; do
	if fuzz "$name"; then
		total=$((total + executions))
	else
		bad=$((bad + 1))
	fi
done
[ "$bad" -eq 0 ] || exit 1
echo "# figure: user-space fuzzing: $total executions over ${#targets[@]} targets, no finding"
