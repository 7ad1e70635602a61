#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Process 1 of the test machine, once the host's root is there (vm/init): mount what a system has, start udevd, run the
# command that boot.sh left in $STATE, say how it ended on the results port, and go down.

set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C STATE=/run/state

# Ends process 1, and so the machine, in a panic that boot.sh reports.
die()
{
	echo "usbpass-bed: $*" >/dev/console
	exit 1
}

mkdir -p /dev/pts /dev/shm /run/lock
mount -t devpts -o mode=620,gid=5 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t cgroup2 cgroup2 /sys/fs/cgroup
hostname usbpass-bed
ip link set lo up

# A kernel from elsewhere: its modules belong where modprobe looks.
modules=/lib/modules/$(uname -r)
# shellcheck disable=SC2154 # from the kernel's command line
if [ "$bed_modules" != "$(readlink -f "$modules")" ]; then
	mkdir -p "$modules"
	mount --bind "$bed_modules" "$modules" || die "cannot mount $bed_modules on $modules"
fi
modprobe -q configfs
mount -t configfs configfs /sys/kernel/config
sysctl -qw kernel.hung_task_timeout_secs=60 kernel.printk_ratelimit=0 kernel.core_pattern=core

port=''
for candidate in /sys/class/virtio-ports/*; do
	case $(<"$candidate/name") in
	usbpass.results) port=/dev/${candidate##*/} ;;
	usbpass.qmp) export BED_QMP=/dev/${candidate##*/} ;;
	esac
done
[ -n "$port" ] || die "no results port"
exec 3>"$port"

# The host's own udev state is not ours: /run is fresh.
# shellcheck disable=SC2154 # from the kernel's command line, too
"$bed_top/selftests/vm/udevd.sh" start || die "udevd does not start"
# Of the PCI devices only the USB controllers: the others' drivers would cost seconds and serve nothing here.
for device in /sys/bus/pci/devices/*; do
	[ "$(<"$device/class")" != 0x0c0330 ] || modprobe -q "$(<"$device/modalias")"
done
udevadm trigger --action=add --subsystem-match=usb --subsystem-match=block --subsystem-match=input
udevadm settle --timeout=60

bash "$STATE/.command" >&3 2>&1 3>&- </dev/null
status=$?

# What nothing points to any more. kmemleak looks at nothing younger than five seconds; a second scan clears what was moving.
leaks=/sys/kernel/debug/kmemleak
if [ -e "$leaks" ]; then
	# Caches are most of what there is to look through; and a scan takes a lock for each pointer that it sees, of which
	# lockdep makes a fourfold cost. All that it was to watch is over.
	echo 3 >/proc/sys/vm/drop_caches
	[ ! -e /proc/sys/kernel/prove_locking ] || echo 0 >/proc/sys/kernel/prove_locking
	sleep 6
	echo scan >"$leaks"
	echo scan >"$leaks"
	head -n 200 "$leaks" | while read -r line; do
		echo "<3>kmemleak: $line" >/dev/kmsg
	done
fi

# An out-of-tree module, unsigned, is all that a run may leave behind.
tainted=$(</proc/sys/kernel/tainted)
if [ $((tainted & ~(1 << 12 | 1 << 13))) -ne 0 ]; then
	echo "<3>BUG: the kernel is tainted: $tainted" >/dev/kmsg
fi
umount "$STATE" 2>/dev/null
printf '\nusbpass-bed: done %d\n' $status >&3
exec 3>&-
busybox reboot -f
