#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# udevd.sh start|stop
#
# The test machine's udevd, for guest.sh, and for a test that it would only slow down: on a kernel full of checkers each plug
# and each configuration costs udevd more than what is tested. What happens while it is stopped, it never hears of.

case ${1:-} in
start)
	# As many workers as processors: more cost a third of each plug, in forks.
	exec /lib/systemd/systemd-udevd --daemon --children-max="$(nproc)" 2>/dev/console
	;;
stop)
	exec udevadm control --exit
	;;
*)
	echo "usage: udevd.sh start|stop" >&2
	exit 2
	;;
esac
