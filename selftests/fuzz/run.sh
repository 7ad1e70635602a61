#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [MINUTES]
#
# Fuzz for about so long (default 60): the parsers in user space (user/run.sh), half of it, then the kernel's node, netlink family
# and module on the debug kernel, with the lines reached. SEED= repeats a run's choices. Status 0: nothing was found.

set -u
cd "$(dirname "$0")" || exit 2

minutes=${1:-${MINUTES:-60}}
if ! [[ $minutes =~ ^[1-9][0-9]*$ ]]; then
	echo "run.sh: '$minutes' is no number of minutes" >&2
	exit 2
fi
half=$(((minutes + 1) / 2)) status=0
if [ -x user/run.sh ]; then
	user/run.sh "$half" || status=1
fi
MINUTES=$half ../run.sh --long --kernel debug --jobs 1 fuzz_node fuzz_netlink fuzz_world fuzz_yield || status=1
exit $status
