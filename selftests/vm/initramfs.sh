#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# initramfs.sh MODDIR IMAGE INIT MODULE...
#
# Make an initramfs of busybox, the program INIT as /init, and the MODULEs with all that they need; their order is in
# /modules/order. Modules that the kernel has built in are left out. EXTRA="file..." puts more files in its root.

set -eu
moddir=$1 image=$2 init=$3
shift 3

tree=$(mktemp -d "${TMPDIR:-/tmp}/usbpass-initramfs.XXXXXX")
trap 'rm -rf "$tree"' EXIT

busybox=$(command -v busybox) || { echo "initramfs.sh: no busybox: install busybox-static" >&2; exit 1; }
mkdir -p "$tree/root/bin" "$tree/root/modules" "$tree/root/proc" "$tree/root/sys" "$tree/root/dev" "$tree/lib/modules"
cp "$busybox" "$tree/root/bin/busybox"
cp "$init" "$tree/root/init"
chmod 755 "$tree/root/init"
for file in ${EXTRA:-}; do
	cp "$file" "$tree/root/"
done

# modprobe wants DIR/lib/modules/VERSION; the modules may be anywhere.
ln -s "$moddir" "$tree/lib/modules/bed"
for module; do
	modprobe -d "$tree" -S bed --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | awk '!seen[$0]++' >"$tree/order"
while read -r file; do
	base=$(basename "$file")
	case $base in
	*.xz) xz -dc "$file" >"$tree/root/modules/${base%.xz}" ;;
	*.zst) zstd -dcq "$file" >"$tree/root/modules/${base%.zst}" ;;
	*) cp "$file" "$tree/root/modules/$base" ;;
	esac
	base=${base%.xz}
	echo "${base%.zst}"
done <"$tree/order" >"$tree/root/modules/order"

(cd "$tree/root" && find . | cpio --quiet -o -H newc) >"$image"
