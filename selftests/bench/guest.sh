#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The bench's part in the machine that bench/run.sh boots: one SourceSink gadget, first by usbfs, then by usbpass.

set -euo pipefail
TOP=$PWD
export PATH=$TOP/userspace:$PATH
. selftests/lib/usbdev.sh
. selftests/lib/gadget.sh

sizes="512 4096 65536 1048576"
gadget_controllers 1
gadget_sourcesink bench pattern=2 bulk_buflen=4096 serial=BENCH
plug bench
for _ in $(seq 100); do
	! gadget_sysfs bench >/dev/null 2>&1 || break
	sleep 0.1
done
device=$(gadget_sysfs bench)
for run in 1 2 3; do
	# shellcheck disable=SC2086 # a list of sizes
	selftests/bench/transfer_bench "$(usb_node "$device")" 64 $sizes | sed "s/^/usbfs $run /"
done
insmod "$TOP/usbpass.ko"
usbpass --no-wait group make bench "${device##*/}" >&2
usbpass --no-wait attach add bench --group bench >&2
for run in 1 2 3; do
	# shellcheck disable=SC2086
	selftests/bench/transfer_bench /dev/usbpass/host/bench 64 $sizes | sed "s/^/usbpass $run /"
done
