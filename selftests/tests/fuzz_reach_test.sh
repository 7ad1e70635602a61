#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the fuzzers of this boot have reached: at least 60 % of the lines of each kernel file, in whatever context they run. Runs
# after them, as scripts do.
#
# group: fuzz
# on: debug
# timeout: 120

. "$(dirname "$0")/../lib/ktap.sh"

least=60
build=$(dirname "$(realpath "${USBPASS_KO:-$TOP/usbpass.ko}")")
counts=/sys/kernel/debug/gcov$build/kernel

[ -d "$counts" ] || skip_all "the module is not built with GCOV_PROFILE=y, or the kernel does not count lines"

# Counts are made of what a file in debugfs says in one go.
mkdir "$TMP/counts"
for file in "$counts"/*.gcda; do
	cat "$file" >"$TMP/counts/${file##*/}"
done
[ -z "${STATE:-}" ] || tar -C "$TMP/counts" -cf "$STATE/coverage.tar" .
"$TOP/selftests/fuzz/coverage.sh" "$TMP/counts" "$build" >"$TMP/table" || exit 1

reaches()
{
	local reached lines percent name

	read -r reached lines percent name < <(grep " $1\$" "$TMP/table")
	say "$reached of $lines lines of $name, $percent %"
	[ "${percent:-0}" -ge "$least" ]
}

# A file of declarations and macros only has no line to reach.
mapfile -t files < <(awk '$2 > 0 { print $4 }' "$TMP/table")
plan $((${#files[@]} + 1))
every_file_counts()
{
	local file

	for file in "$build"/kernel/*.c; do
		[[ $file != *.mod.c ]] || continue
		[ "${file##*/}" = trace.c ] || grep -q " ${file##*/}\$" "$TMP/table" || { say "no line of ${file##*/} is counted"; return 1; }
	done
}
it "every kernel file is counted" every_file_counts
for file in "${files[@]}"; do
	it "the fuzzing reaches $least % of the lines of kernel/$file" reaches "$file"
done
sed 's/^/# /' "$TMP/table"
sort -k3n "$TMP/table" | awk '
	NR == 1 { least = $3; name = $4 }
	{ reached += $1; lines += $2 }
	END {
		printf "# figure: fuzzing reached %d %% of lines at least in each of %d files (lowest: %s), %d %% of all\n",
			least, NR, name, 100 * reached / lines
	}'
