# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# find_kernel: sets KERNEL and MODDIR to what shall be booted, or says what is missing. Both may be given.

find_kernel()
{
	local image version

	if [ -z "${KERNEL:-}" ]; then
		while read -r image; do
			version=${image#/boot/vmlinuz-}
			if [ -e "/lib/modules/$version/modules.dep" ]; then
				KERNEL=$image
				MODDIR=${MODDIR:-/lib/modules/$version}
				break
			fi
		done < <(find /boot -maxdepth 1 -name 'vmlinuz-*' | sort -rV)
		if [ -z "${KERNEL:-}" ]; then
			echo "no kernel in /boot has its modules in /lib/modules: install linux-image-amd64, or set KERNEL= and MODDIR=" >&2
			return 1
		fi
	fi
	if [ ! -r "$KERNEL" ]; then
		echo "cannot read the kernel $KERNEL: Debian keeps it for root only on some systems; run as root, or set KERNEL=" >&2
		return 1
	fi
	if [ -z "${MODDIR:-}" ]; then
		version=$(file -bL "$KERNEL" | sed -n 's/.* version \([^ ]*\) .*/\1/p')
		MODDIR=/lib/modules/$version
	fi
	if [ ! -e "$MODDIR/modules.dep" ]; then
		echo "no modules.dep in $MODDIR: set MODDIR= to the lib/modules/VERSION that belongs to $KERNEL" >&2
		return 1
	fi
	MODDIR=$(cd "$MODDIR" && pwd -P)
}
