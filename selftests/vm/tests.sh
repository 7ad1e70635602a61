#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the test machine: run the files that run.sh listed in $STATE/.tests, one "SECONDS FILE" a line, and mark in the kernel's
# log which is which.

set -u
cd "$(dirname "$0")/.." || exit 2

while read -r seconds file; do
	echo "run: begin $file"
	echo "<6>run: begin $file" >/dev/kmsg
	timeout --kill-after=10 "$seconds" "./$file" </dev/null 2>&1
	status=$?
	echo "<6>run: end $file $status" >/dev/kmsg
	echo
	echo "run: end $file $status"
done <"$STATE/.tests"
