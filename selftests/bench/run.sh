#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a transfer costs through the node, against usbfs: the same program, the same gadget, one boot of one processor whose
# clock counts instructions (QEMU's -icount shift=0), so that CPU time is instructions and other load does not matter.
# A line a size, of the median of three runs: "NAME SIZE usbpass=X usbfs=Y ratio=R" in instructions of the process's own
# context a transfer; work in interrupts while the machine idles is in neither figure. Lower is better.

set -u
cd "$(dirname "$0")/../.." || exit 2
out=$(mktemp -d /tmp/usbpass-bench.XXXXXX)
trap 'rm -rf "$out"' EXIT

BOOT_ACCEL="tcg,thread=single" selftests/vm/boot.sh -n bench -d "$out/boot" -c 1 -t 900 -q "-cpu max" -q "-icount shift=0,sleep=off" \
	-- selftests/bench/guest.sh >"$out/figures" || { cat "$out/figures"; echo "bench: the machine's part failed" >&2; exit 1; }

awk '
	$1 == "usbfs" || $1 == "usbpass" { figure[$1, $3, $2] = $4; sizes[$3] = 1 }
	function median(path, size,   a, b, c) {
		a = figure[path, size, 1]; b = figure[path, size, 2]; c = figure[path, size, 3]
		return (a <= b) == (b <= c) ? b : (b <= a) == (a <= c) ? a : c
	}
	END {
		for (size in sizes) {
			ours = median("usbpass", size); theirs = median("usbfs", size)
			if (!ours || !theirs) exit 1
			printf "libusb-sync-in %d usbpass=%d usbfs=%d ratio=%.2f\n", size, ours, theirs, ours / theirs
			count++
		}
		exit count != 4
	}' "$out/figures" | sort -k2n
[ "${PIPESTATUS[0]}" -eq 0 ] || { cat "$out/figures"; echo "bench: figures are missing" >&2; exit 1; }
