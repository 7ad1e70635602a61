#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot a kernel in QEMU (TCG), with this machine's root as its own, and run one command in it.
#
#   boot.sh [options] -- COMMAND [ARGS...]
#
#   -n NAME     name of the boot, for messages (default: boot)
#   -d DIR      where console.log and results are kept (default: a temporary directory)
#   -s DIR      host directory that the guest has read-write as $STATE (default: DIR/state); it outlives the
#               boot, so that a second boot finds what the first one left
#   -m MB       memory (default 1024)        -c CPUS  processors (default 1)
#   -t SECONDS  for the whole boot (default 300); past it the boot is killed and has failed
#   -q ARGS     more QEMU arguments, split at blanks (may be given several times)
#   -a ARGS     more kernel arguments
#   -e NAME=VAL environment of COMMAND (may be given several times)
#
# Environment: BOOT_ACCEL= QEMU's accelerator (default tcg,thread=multi)
#              KERNEL=   the kernel image    (default: newest /boot/vmlinuz-* that has its modules installed)
#              MODDIR=   its modules, as depmod left them (default: /lib/modules/VERSION)
#
# The guest's root is this machine's, read-only over 9p, under an overlay in memory: the command may write
# anywhere, nothing reaches the disk except in $STATE. There is one xHCI controller, id "x", and udevd runs.
# What COMMAND prints goes to our standard output through a virtio port, the kernel's messages to console.log.
# Another virtio port is the QMP monitor of the very machine (selftests/lib/qmp.sh).
#
# Success is only what the guest says in its last line: a hang, a panic or a silent exit is a failure.
# Exit status: that of COMMAND; 124 the time is over; 125 the machine went down without a word.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

name=boot dir='' state='' memory=1024 cpus=1 seconds=300 append='' qemu=() environment=()
while getopts n:d:s:m:c:t:q:a:e: opt; do
	case $opt in
	n) name=$OPTARG ;;
	d) dir=$OPTARG ;;
	s) state=$OPTARG ;;
	m) memory=$OPTARG ;;
	c) cpus=$OPTARG ;;
	t) seconds=$OPTARG ;;
	q) read -ra words <<<"$OPTARG"; qemu+=("${words[@]}") ;;
	a) append=$OPTARG ;;
	e) environment+=("$OPTARG") ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { echo "boot.sh: no command to run; usage: boot.sh [options] -- COMMAND" >&2; exit 2; }

. "$here/kernel.sh"
find_kernel || exit 2

temporary=''
if [ -z "$dir" ]; then
	dir=$(mktemp -d "${TMPDIR:-/tmp}/usbpass-boot.XXXXXX")
	temporary=$dir
fi
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
state=${state:-$dir/state}
mkdir -p "$state"

# A socket's path may have 107 bytes: not below DIR, which may be deep.
sockets=$(mktemp -d /tmp/usbpass-qmp.XXXXXX)
qemu_pid='' tail_pid=''
cleanup()
{
	[ -z "$qemu_pid" ] || kill -KILL "$qemu_pid" 2>/dev/null
	[ -z "$tail_pid" ] || kill "$tail_pid" 2>/dev/null
	rm -rf "$sockets"
	[ -z "$temporary" ] || rm -rf "$temporary"
}
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# norandmaps: QEMU keeps what it translated by virtual address, and would translate every program anew at each start.
# no5lvl: a fifth level of page tables is one more to walk at each miss, and the memory is small.
# -erms: QEMU carries out "rep movsb" byte by byte; without the flag the kernel clears and copies eight at a time.
# tsc=reliable: reading the HPET instead would leave the translated code each time. tsc_early_khz: vm/tsc_khz.c.
khz=$([ ! -x "$here/tsc_khz" ] || "$here/tsc_khz")
initramfs=$dir/initramfs.img
"$here/initramfs.sh" "$MODDIR" "$initramfs" "$here/init" 9pnet_virtio 9p virtio_pci virtio_console overlay || exit 2

{
	for variable in "${environment[@]+"${environment[@]}"}"; do
		printf 'export %q\n' "$variable"
	done
	printf 'cd %q\n' "$top"
	printf 'exec'
	printf ' %q' "$@"
	printf '\n'
} >"$state/.command"

: >"$dir/results"
: >"$dir/console.log"

timeout --kill-after=5 "$seconds" qemu-system-x86_64 \
	-accel "${BOOT_ACCEL:-tcg,thread=multi}" -M q35 -cpu max,-erms -smp "$cpus" -m "$memory" -nodefaults -no-user-config -nic none -display none \
	-no-reboot -kernel "$KERNEL" -initrd "$initramfs" \
	-append "console=ttyS0 loglevel=7 panic=-1 oops=panic no_timer_check cryptomgr.notests norandmaps no5lvl tsc=reliable${khz:+ tsc_early_khz=$khz} bed_top=$top bed_modules=$MODDIR $append" \
	-chardev "file,id=console,path=$dir/console.log" -serial chardev:console \
	-virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
	-virtfs "local,path=$state,mount_tag=state,security_model=none,multidevs=remap" \
	-device virtio-serial-pci,id=ports -chardev "file,id=results,path=$dir/results" \
	-device virtserialport,chardev=results,name=usbpass.results \
	-chardev "socket,id=qmp,path=$sockets/qmp,server=on,wait=off" -mon chardev=qmp,mode=control \
	-chardev "socket,id=guest-qmp,path=$sockets/qmp" -device virtserialport,chardev=guest-qmp,name=usbpass.qmp \
	-device virtio-rng-pci -device qemu-xhci,id=x,p2=8,p3=8 \
	"${qemu[@]+"${qemu[@]}"}" </dev/null >"$dir/qemu.log" 2>&1 &
qemu_pid=$!
tail -n +1 --pid=$qemu_pid -s 0.2 -f "$dir/results" 2>/dev/null | sed -u '/^usbpass-bed: /d' &
tail_pid=$!

wait $qemu_pid
status=$?
qemu_pid=''
wait $tail_pid
tail_pid=''

token=$(sed -n 's/^usbpass-bed: done //p' "$dir/results" | tail -n 1)
if [ -n "$token" ]; then
	exit "$token"
fi
if [ $status -eq 124 ] || [ $status -eq 137 ]; then
	echo "boot.sh: $name: still running after $seconds s, killed; the last lines of its console:" >&2
	status=124
else
	echo "boot.sh: $name: went down without saying how it ended (QEMU's status $status); the last lines of its console:" >&2
	status=125
fi
cat "$dir/qemu.log" >&2
tail -n 40 "$dir/console.log" | tr -d '\r' >&2
exit $status
