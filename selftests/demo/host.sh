#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demo's host, in the machine that demo/run.sh boots: each step is printed as one would type it, then done.
# $DEMO_MODE --usbfs: without usbpass.

set -euo pipefail
. selftests/lib/usbdev.sh

step()
{
	printf '\n# %s\n' "$*"
	bash -euo pipefail -c "$*"
}

# The hypervisor is Debian's, unmodified. TCG, as this host is itself emulated.
# run_guest NODE [COMMAND-PREFIX]
run_guest()
{
	step "${2:-}qemu-system-x86_64 -accel tcg -M pc -cpu qemu64 -m 256 -nodefaults -display none -no-reboot \\
      -kernel $STATE/guest.kernel -initrd $STATE/guest.img -append 'console=ttyS0 quiet panic=-1 mitigations=off cryptomgr.notests' -serial stdio \\
      -device qemu-xhci -device usb-host,hostdevice=$1 | tee $STATE/guest.log"
}

for _ in $(seq 100); do
	! device=$(usb_find serial=DEMO0001) || ! usb_disk "$device" >/dev/null || break
	sleep 0.2
done
step lsusb
step lsblk --scsi

if [ "$DEMO_MODE" = --usbfs ]; then
	run_guest "$(usb_node "$device")"
	exit 0
fi

useradd --create-home demo
step make --silent install
step modprobe usbpass
step "usbpassd &"
step usbpass device list
step "usbpass group make disks ${device##*/}"
step usbpass attach add disk --group disks --uid demo
step usbpass device list
step ls -l /dev/usbpass/host/
run_guest /dev/usbpass/host/disk "runuser -u demo -- "
step usbpass device list
