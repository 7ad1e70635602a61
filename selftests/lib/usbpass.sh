# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The module, the helper and the daemon. After ktap.sh.
#
#   usbpass ...                     the tree's helper is in PATH, and so is usbpassd
#   usbpass_load [PARAMETER=...]    a freshly loaded module, without configuration; unloaded at the end of the test
#   usbpass_daemon                  the daemon, with a state directory of the script's own, once it has looked at the module;
#                                   ended with the test
#   usbpass_daemon_end [SIGNAL]     ends it before (default TERM: then it must end well)
#   usbpass_state_of DEVICE         "idle", "pending"...
#   usbpass_is DEVICE STATE         whether it is in that state; says in which else
#   usbpass_do ARGUMENT...          the helper without waiting for the daemon; what it says is in $TMP/said, and shown if it fails
#
# $USBPASS_STATE has state.yaml, $USBPASS_LOG what the daemon said in its present life. USBPASS_KO= and USBPASS_BIN= (a directory)
# choose another build than the tree's.

PATH=${USBPASS_BIN:-$TOP/userspace}:$PATH
USBPASS_STATE=$TMP/usbpass-state USBPASS_LOG=$TMP/usbpassd.log USBPASS_CONFIG=$TMP/usbpass.yaml

usbpass_unload()
{
	[ ! -e /sys/module/usbpass ] || rmmod usbpass
}

usbpass_load()
{
	usbpass_unload
	insmod "${USBPASS_KO:-$TOP/usbpass.ko}" "$@"
	defer usbpass_unload
}

usbpass_daemon()
{
	: >"$USBPASS_LOG"
	usbpassd --foreground --config "$USBPASS_CONFIG" --state "$USBPASS_STATE" >"$USBPASS_LOG" 2>&1 &
	echo $! >"$TMP/usbpassd.pid"
	defer usbpass_daemon_end
	wait_for 30 grep -Eq "is in force|no configuration yet|without a configuration" "$USBPASS_LOG"
}

usbpass_daemon_end()
{
	local pid

	[ -e "$TMP/usbpassd.pid" ] || return 0
	pid=$(<"$TMP/usbpassd.pid")
	rm "$TMP/usbpassd.pid"
	kill "-${1:-TERM}" "$pid"
	# Not this function's fault where it was killed.
	wait "$pid" 2>/dev/null || [ "${1:-TERM}" != TERM ]
}

usbpass_state_of()
{
	usbpass -j device show "$1" | sed -nE 's/^      "state": "(.*)",$/\1/p'
}

usbpass_is()
{
	local seen

	seen=$(usbpass_state_of "$1")
	[ "$seen" = "$2" ] || { say "$1 is ${seen:-nowhere}"; return 1; }
}

usbpass_do()
{
	usbpass --no-wait "$@" >"$TMP/said" 2>&1 || { cat "$TMP/said"; return 1; }
}
