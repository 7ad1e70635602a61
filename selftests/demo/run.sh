#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job, end to end: a machine with a USB disk of fresh random data, a keyboard and a hub; usbpass is installed in it
# (demo/host.sh, which prints each step); an unmodified QEMU, run by an unprivileged user, opens the device's node; the
# guest's own usb-storage reads the disk. The hash is computed here, on the file behind the disk, which no guest can reach.
#
# run.sh [--usbfs]    --usbfs: the same guest without usbpass, as root on the usbfs node; it shows what the demo compares with
#
# A guest in a guest, all of it emulated: about three minutes.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mebibytes=64
mode=${1:-usbpass}

[ "$mode" = --usbfs ] || [ -e "$top/usbpass.ko" ] || { echo "demo: $top/usbpass.ko is not built: make modules userspace" >&2; exit 2; }

work=$(mktemp -d /tmp/usbpass-demo.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir "$work/state"

dd if=/dev/urandom of="$work/disk.img" bs=1M count=$mebibytes status=none
expected=$(sha256sum <"$work/disk.img")
expected=${expected%% *}
echo "demo: a disk of $mebibytes MiB of random data, sha256 $expected"

# The machine that will be the guest's guest: the same kernel, busybox, and the drivers of a USB disk; nothing of usbpass.
. "$top/selftests/vm/kernel.sh"
find_kernel || exit 2
"$top/selftests/vm/initramfs.sh" "$MODDIR" "$work/state/guest.img" "$here/guest-init" xhci-pci usb-storage sd_mod || exit 2
cp "$KERNEL" "$work/state/guest.kernel"
chmod 755 "$work" "$work/state"
chmod 644 "$work/state/guest.kernel" "$work/state/guest.img"
export KERNEL MODDIR

echo "demo: starting the host: a keyboard, a hub, and that disk"
"$top/selftests/vm/boot.sh" -n demo -d "$work/boot" -s "$work/state" -m 2048 -t 1200 -e "DEMO_MODE=$mode" \
	-q "-drive if=none,id=disk,format=raw,file=$work/disk.img -device usb-storage,bus=x.0,port=2,drive=disk,serial=DEMO0001" \
	-q "-device usb-kbd,bus=x.0,port=3 -device usb-hub,bus=x.0,port=4" \
	-- selftests/demo/host.sh
status=$?
if [ $status -ne 0 ]; then
	echo "demo: the host's part failed with status $status" >&2
	exit 1
fi
if ! "$top/selftests/vm/scan-log.sh" "$work/boot/console.log"; then
	echo "demo: the host's kernel complained, see above" >&2
	exit 1
fi

read -r bytes got < <(sed -n 's/^guest: read \([0-9]*\) bytes, sha256 \([0-9a-f]*\).*/\1 \2/p' "$work/state/guest.log")
if [ -z "${got:-}" ] || [ "$bytes" -lt $((mebibytes << 20)) ]; then
	echo "demo: the guest read ${bytes:-no} bytes, not $((mebibytes << 20))" >&2
	exit 1
fi
if [ "$got" != "$expected" ]; then
	echo "demo: guest read $bytes bytes, sha256 $got DIFFERS from $expected" >&2
	exit 1
fi
echo "demo: guest read $bytes bytes, sha256 matches"
