#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-module.sh KDIR DIR [MAKE-ARGUMENT...]
#
# Build usbpass.ko for the kernel of the build directory KDIR in DIR, from a copy of the tree's sources, so that the tree keeps
# the module of the machine's own kernel. PATCH= is applied to the copy. What did not change is not built again. Two builds in
# one DIR wait for each other.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
kdir=${1:?usage: build-module.sh KDIR DIR [MAKE-ARGUMENT...]} dir=${2:?usage: build-module.sh KDIR DIR [MAKE-ARGUMENT...]}
shift 2

mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9

list() { (cd "$1" && find Kbuild kernel uapi -type f \( -name Kbuild -o -name '*.[ch]' \) ! -name '*.mod.c' 2>/dev/null); }
list "$top" | while read -r file; do
	cmp -s "$top/$file" "$dir/$file" || install -D -m 0644 "$top/$file" "$dir/$file"
done
if [ -n "${PATCH:-}" ]; then
	patch -s -p1 -d "$dir" <"$PATCH" || { echo "build-module.sh: $PATCH does not apply any more" >&2; exit 1; }
fi
comm -13 <(list "$top" | sort) <(list "$dir" | sort) | (cd "$dir" && xargs -r rm -f)
make -s -j "$(nproc)" -C "$kdir" M="$dir" KCFLAGS=-Werror "$@" modules >"$dir/build.log" 2>&1 || { cat "$dir/build.log" >&2; exit 1; }
