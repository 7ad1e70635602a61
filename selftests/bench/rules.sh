#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rules.sh [--profile N]
#
# What rulesets of 10, 1,000 and 100,000 rules cost: to apply, in memory, and a device's look-up in them. "exact": rules of one
# vendor:product each; "wild": of a hundred rules one (of ten: one) asks for something else, one half by a regular expression. In
# one boot of one processor whose instructions a plugin of QEMU's counts (count.c), so that other load does not matter. A line a
# measure:
#
#   apply-KIND SIZE usbpass=X nft=Y ratio=R usbpass-moved=B nft-moved=B
#       instructions of `usbpass apply`, from start to end and in the kernel, from nothing in force, and of `nft -f` of a
#       table with one set of as many ipv4_addr . inet_service; and bytes that REP instructions moved, each of which counts as
#       one instruction. Medians of RUNS (3) runs.
#   bytes-KIND SIZE bytes=B a-rule=A
#       memory that the kernel keeps, over that of a configuration without rules
#   match-KIND-PLACE SIZE instructions=X ratio-to-10=R
#       of usbpass_ruleset_find() and all that it calls, a device: that the first rule is about (100 times), the last (100 times),
#       those of up to 1,000 rules (hit), and up to 1,000 that no rule is about (miss)
#
# --profile N: then the N functions of the kernel that took the most, of each largest apply, a line "profile NAME SIZE SYMBOL
# INSTRUCTIONS" ("user": outside of the kernel). SIZES= and RUNS= choose others. Status 1: a measure is missing.

set -u
cd "$(dirname "$0")/../.." || exit 2
top=
case ${1:-} in
--profile) top=${2:?--profile N} ;;
?*) echo "usage: rules.sh [--profile N]" >&2; exit 2 ;;
esac
sizes=${SIZES:-10 1000 100000} runs=${RUNS:-3}
out=$(mktemp -d /tmp/usbpass-bench.XXXXXX)
trap 'rm -rf "$out"' EXIT
mkdir "$out/state"

# rules KIND SIZE: the configuration, and the devices to ask about with the rule that each must find
rules()
{
	awk -v kind="$1" -v size="$2" -v base="$out/state/$1-$2" '
		function vendor(i) { return sprintf("%04x", 1024 + i % 2500) }
		function product(i) { return sprintf("%04x", 4096 + 16 * int(i / 2500)) }
		function is_wild(i) { return kind == "wild" && i % 100 == (size < 100 ? 5 : 50) }
		function match_of(i)
		{
			if (!is_wild(i))
				return "vendor = " vendor(i) " and product = " product(i)
			if (i % 200 == 50)
				return "vendor = " vendor(i) " and serial glob \"BX" i "-*\""
			return "product-name regex \"^(Mouse|Keyboard)( Pro)? 0*" i "[a-f]?$\""
		}
		function ask(place, i) { print vendor(i), product(i), "r" i >(base "-" place ".devices") }
		BEGIN {
			yaml = base ".yaml"
			print "usbpass: 1\ngroups:\n- name: pool\nrules:" (size ? "" : " []") >yaml
			for (i = 1; i <= size; i++)
				printf "- name: r%d\n  action: claim\n  group: pool\n  match: \047%s\047\n", i, match_of(i) >yaml
			for (i = 1; size && i <= 100; i++) {
				ask("first", 1)
				ask("last", size)
			}
			step = size > 1000 ? int(size / 1000) : 1
			for (i = 1; i <= size; i += step) {
				if (!is_wild(i))
					ask("hit", i)
				print vendor(i), "0001", "-" >(base "-miss.devices")
			}
		}'
}

nft_set()
{
	awk -v size="$1" 'BEGIN {
		print "table inet bench {\n set pairs {\n  type ipv4_addr . inet_service\n  elements = {"
		for (i = 1; i <= size; i++)
			printf "   10.%d.%d.%d . %d%s\n", i / 65536, i / 256 % 256, i % 256, 4096 + i % 2500, i < size ? "," : ""
		print "  }\n }\n}"
	}' >"$out/state/set-$1.nft"
}

rules exact 0
for size in $sizes; do
	rules exact "$size"
	rules wild "$size"
	nft_set "$size"
done

: >"$out/counts"
plugin=$PWD/selftests/bench/count.so,out=$out/counts,symbols=$out/state/kallsyms,watch=usbpass_ruleset_find${top:+,top=$top}
BOOT_ACCEL="tcg,thread=single" selftests/vm/boot.sh -n bench-rules -d "$out/boot" -s "$out/state" -c 1 -t 7200 -q "-cpu max" \
	-q "-icount shift=0,sleep=off" -q "-plugin $plugin" -a nokaslr -e "SIZES=$sizes" -e "RUNS=$runs" -- \
	selftests/bench/rules-guest.sh >"$out/figures" 2>&1 || { cat "$out/figures"; echo "bench: the machine's part failed" >&2; exit 1; }

# The regions of the one are numbered in the order of the other.
awk -v sizes="$sizes" -v runs="$runs" -v profile="${top:-0}" '
	FILENAME == ARGV[1] && $1 == "region" { name[++regions] = $2; size[regions] = $3; run[regions] = ++n[$2, $3] }
	FILENAME == ARGV[1] && $1 == "bytes" { bytes[$2, $3] = $4 }
	FILENAME == ARGV[1] { next }
	$2 == "total" || $2 == "moved" || $2 == "user" { figure[$2, name[$1], size[$1], run[$1]] = $3 }
	$2 == "call" && $4 > 0 { found[name[$1], size[$1]] = $5 / $4 }
	$2 == "self" && run[$1] == runs { self[name[$1], size[$1]] = self[name[$1], size[$1]] $3 " " $4 "\n" }

	# 0: it is missing
	function median(what, name, size,   i, j, t, sorted)
	{
		for (i = 1; i <= runs; i++) {
			t = figure[what, name, size, i]
			if (!t)
				return 0
			for (j = i; j > 1 && sorted[j - 1] > t; j--)
				sorted[j] = sorted[j - 1]
			sorted[j] = t
		}
		return sorted[int((runs + 1) / 2)]
	}
	function apply(kind, size,   ours, theirs)
	{
		ours = median("total", "apply-" kind, size); theirs = median("total", "nft", size)
		if (!ours || !theirs)
			missing = 1
		else
			printf "apply-%s %d usbpass=%.0f nft=%.0f ratio=%.2f usbpass-moved=%.0f nft-moved=%.0f\n", kind, size, ours, theirs,
				ours / theirs, median("moved", "apply-" kind, size), median("moved", "nft", size)
	}
	function memory(kind, size,   b)
	{
		b = bytes[kind, size] - bytes["exact", 0]
		if (!((kind, size) in bytes) || !bytes["exact", 0] || b <= 0)
			missing = 1
		else
			printf "bytes-%s %d bytes=%.0f a-rule=%.0f\n", kind, size, b, b / size
	}
	function look_up(name, size, smallest)
	{
		if (!found[name, size] || !found[name, smallest])
			missing = 1
		else
			printf "%s %d instructions=%.0f ratio-to-%d=%.2f\n", name, size, found[name, size], smallest,
				found[name, size] / found[name, smallest]
	}
	function print_profile(name, size,   lines, i)
	{
		printf "profile %s %d user %.0f\n", name, size, median("user", name, size)
		for (i = 1; i < split(self[name, size], lines, "\n"); i++)
			print "profile", name, size, lines[i]
	}
	END {
		split("exact wild", kinds); split("first last hit miss", places); nr = split(sizes, list, " ")
		for (i = 1; i <= nr; i++)
			for (k = 1; k <= 2; k++)
				apply(kinds[k], list[i])
		for (i = 1; i <= nr; i++)
			for (k = 1; k <= 2; k++)
				memory(kinds[k], list[i])
		for (k = 1; k <= 2; k++)
			for (p = 1; p <= 4; p++)
				for (i = 1; i <= nr; i++)
					look_up("match-" kinds[k] "-" places[p], list[i], list[1])
		if (profile) {
			print_profile("apply-exact", list[nr])
			print_profile("nft", list[nr])
		}
		exit missing
	}' "$out/figures" "$out/counts" || { cat "$out/figures"; echo "bench: figures are missing" >&2; exit 1; }
