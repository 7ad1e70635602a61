#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The daemon's unit: what its sandbox lets through and what not, as systemd makes it, which runs here as the first process of a
# namespace of its own.
#
# group: node
# on: stock
# timeout: 200

. "$(dirname "$0")/../lib/ktap.sh"

[ -x /lib/systemd/systemd ] || skip_all "systemd is not installed"

# In the namespaces: a unit with the sandbox of the daemon's, for a script that writes down what it could do.
cat >"$TMP/first.sh" <<'END'
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/systemd/system
{
	printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sh %s\nReadWritePaths=%s\n' "$TMP/probe.sh" "$TMP"
	sed -n '/^CapabilityBoundingSet=/,/^UMask=/p' "$TOP/userspace/daemon/usbpassd.service"
} >/run/systemd/system/probe.service
export container=test
exec /lib/systemd/systemd --system --unit=probe.service --log-target=console
END

# try WHAT COMMAND: a line "WHAT: yes" or "WHAT: no"
cat >"$TMP/probe.sh" <<END
try()
{
	if sh -c "\$2" 2>/dev/null; then echo "\$1: yes"; else echo "\$1: no"; fi >>$TMP/tried
}
try port 'echo 0 >\$(ls -d /sys/devices/pci*/*/usb1/1-0:1.0/usb1-port1/disable)'
try tunable 'echo 0 >/proc/sys/kernel/panic'
try other 'echo 1 >/sys/module/usbcore/parameters/usbfs_memory_mb'
try file 'touch /usr/sbin/made'
try node 'mknod /dev/made c 1 3'
try over 'true'
END

sandbox()
{
	# systemd is not to be asked to end here: what it would do then is not the matter.
	unshare --cgroup --pid --mount --uts --fork --kill-child=KILL --mount-proc bash "$TMP/first.sh" >"$TMP/systemd.log" 2>&1 &
	echo $! >"$TMP/pid"
	wait_for 60 grep -q "^over: " "$TMP/tried" || { cat "$TMP/systemd.log"; return 1; }
	kill -KILL "$(<"$TMP/pid")"
	wait "$(<"$TMP/pid")" 2>/dev/null || true
	cat "$TMP/tried"
	same "port: yes tunable: no other: no file: no node: no over: yes" "$(tr '\n' ' ' <"$TMP/tried" | sed 's/ $//')" "what it could do"
}

plan 1
it "lets the daemon write to ports of hubs, and to nothing else of the system" sandbox
