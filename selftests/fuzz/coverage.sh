#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh COUNTS BUILD
#
# What the counts in the directory COUNTS (the *.gcda of kernel/, from a kernel's /sys/kernel/debug/gcov) say of the module built
# with GCOV_PROFILE=y in the directory BUILD: one line for each kernel/*.c, "REACHED LINES PERCENT FILE". A file without counts
# was never entered.

set -eu
counts=$(cd "${1:?usage: coverage.sh COUNTS BUILD}" && pwd)
build=$(cd "${2:?usage: coverage.sh COUNTS BUILD}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$build"/kernel/*.gcno "$work"
cp "$counts"/*.gcda "$work"
cd "$work"
# A file's own lines, not those of the headers that it takes in.
gcov -n -- *.gcno 2>"$work/errors" | awk -v source="$build/kernel/" '
	/^File / {
		file = $2
		gsub("\047", "", file)
		file = file ~ "(^|/)kernel/[^/]*[.]c$" ? file : ""
		sub(".*/", "", file)
	}
	/^Lines executed:/ && file != "" {
		split($2, part, /[:%]/)
		printf "%d %d %d %s\n", part[2] * $4 / 100 + 0.5, $4, part[2], file
		file = ""
	}
	/^No executable lines/ { file = "" }' | sort -k4 >"$work/table"
[ -s "$work/table" ] || { cat "$work/errors" >&2; echo "coverage.sh: gcov finds no line of kernel/*.c" >&2; exit 1; }
cat "$work/table"
