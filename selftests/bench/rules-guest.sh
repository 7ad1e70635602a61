#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The bench's part in the machine that bench/rules.sh boots, over the files that it left in $STATE, for $SIZES and $RUNS. Prints
# "region NAME SIZE" before each region that count.so counts, and "bytes NAME SIZE BYTES" of the kernel's memory.

set -euo pipefail
TOP=$PWD
export PATH=$TOP/userspace:$TOP/selftests/bench:/usr/sbin:$PATH
memory=/sys/fs/cgroup

# What the kernel keeps of what was made in the control group.
kept()
{
	awk '$1 == "slab_unreclaimable" || $1 == "vmalloc" || $1 == "percpu" { sum += $2 } END { print sum }' "$memory/$1/memory.stat"
}

# apply NAME SIZE: from nothing in force to NAME-SIZE.yaml, in a control group of its own, $group
apply()
{
	usbpass --no-wait apply "$files/exact-0.yaml" >&2
	group=$1-$2-$((++groups))
	mkdir "$memory/$group"
	echo "region apply-$1 $2"
	(echo "$BASHPID" >"$memory/$group/cgroup.procs" && exec counted_bench usbpass --no-wait apply "$files/$1-$2.yaml" >&2)
}

# kind NAME SIZE: all figures of rules of that kind
kind()
{
	local place

	for _ in $(seq "$RUNS"); do
		apply "$1" "$2"
	done
	echo "bytes $1 $2 $(kept "$group")"
	for place in first last hit miss; do
		echo "region match-$1-$place $2"
		match_bench <"$files/$1-$2-$place.devices"
	done
}

nft_set()
{
	for _ in $(seq "$RUNS"); do
		nft flush ruleset
		echo "region nft $1"
		counted_bench nft -f "$files/set-$1.nft"
	done
}

echo +memory >"$memory/cgroup.subtree_control"
modprobe nf_tables
insmod usbpass.ko
cat /proc/kallsyms >"$STATE/kallsyms"
counted_bench
# What is read in a region is in memory, the programs by a first use.
files=/dev/shm groups=0
cp "$STATE"/*.yaml "$STATE"/*.nft "$STATE"/*.devices "$files/"
usbpass --no-wait apply "$files/exact-10.yaml" >&2
nft -f "$files/set-10.nft"

apply exact 0
echo "bytes exact 0 $(kept "$group")"
for size in $SIZES; do
	kind exact "$size"
	kind wild "$size"
	nft_set "$size"
done
