#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-kernel.sh FRAGMENT     (debug, kcsan)
#
# Build the kernel of Debian's linux-source, unless the cache has it, with tinyconfig, machine.config, FRAGMENT.config and the
# patches here (to drivers that the tests are made with, and do not look at). Print what vm/boot.sh and the module's build need:
#
#   KERNEL=...  MODDIR=...  KDIR=...
#
# The cache is outside of the tree, in $USBPASS_CACHE (default: ~/.cache/usbpass): a directory for each version and
# configuration. Two builds at once wait for each other. What was not used for 30 days goes. Progress is told on standard error.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
fragment=${1:?usage: build-kernel.sh FRAGMENT}
fragments=("$here/machine.config" "$here/$fragment.config")
patches=("$here"/*.patch)
[ -r "${fragments[1]}" ] || { echo "build-kernel.sh: no ${fragments[1]}" >&2; exit 2; }

source=$(find /usr/src -maxdepth 1 -name 'linux-source-*.tar.xz' | sort -V | tail -n 1)
[ -n "$source" ] || { echo "build-kernel.sh: no kernel source in /usr/src: install linux-source" >&2; exit 1; }
# The package's version tells two sources of one name apart.
version=$(dpkg-query -W -f '${Version}' "$(basename "$source" .tar.xz)" 2>/dev/null || stat -c %Y "$source")
key=$(cat "$here/build-kernel.sh" "${fragments[@]}" "${patches[@]}" <(gcc -dumpfullversion) | sha256sum | cut -c 1-12)
cache=${USBPASS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/usbpass}
place=$cache/kernel-$fragment-$version-$key

answer()
{
	touch "$place"
	printf 'KERNEL=%q MODDIR=%q KDIR=%q\n' "$place/bzImage" "$(echo "$place"/lib/modules/*)" "$place/build"
}

found()
{
	[ ! -e "$place/bzImage" ] || { answer; exit 0; }
}

# A build of another configuration must not hold up who needs none.
found
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
found

find "$cache" -mindepth 1 -maxdepth 1 -name 'kernel-*' -mtime +30 -exec rm -rf {} +
work=$(mktemp -d "$cache/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$cache/build-$fragment.log
echo "build-kernel.sh: building the $fragment kernel of $(basename "$source") $version, once; the log: $log" >&2

tar -xJf "$source" -C "$work" --strip-components=1 --exclude='*/Documentation/*/*' --exclude='*/tools/testing/selftests'
cd "$work"
for patch in "${patches[@]}"; do
	patch -s -p1 <"$patch" >"$log" 2>&1 ||
		{ cat "$log"; echo "build-kernel.sh: $(basename "$source") does not take $patch: bring it up to date, or drop it"; exit 1; } >&2
done
{
	make tinyconfig
	scripts/kconfig/merge_config.sh -m .config "${fragments[@]}"
	make olddefconfig
} >>"$log" 2>&1

# What Kconfig did not take would be a checker that checks nothing.
refused=$(cat "${fragments[@]}" | grep '^CONFIG' | while IFS= read -r line; do
	case $line in
	*=n) ! grep -q "^${line%=n}=" .config || echo "$line" ;;
	*) grep -Fqx "$line" .config || echo "$line" ;;
	esac
done)
if [ -n "$refused" ]; then
	printf 'build-kernel.sh: the kernel does not offer:\n%s\n' "$refused" >&2
	exit 1
fi

make -j "$(nproc)" bzImage modules >>"$log" 2>&1 || { tail -n 30 "$log" >&2; exit 1; }
make INSTALL_MOD_PATH="$work/.out" modules_install >>"$log" 2>&1
rm -f .out/lib/modules/*/build .out/lib/modules/*/source

# Of the tree stays what builds a module: a twentieth of it.
mkdir -p .out/build/tools
cp arch/x86/boot/bzImage .out/
cp .config .out/build/
cp -r Makefile Kbuild Module.symvers include scripts .out/build/
cp -r --parents arch/x86 tools/objtool .out/build/
find .out/build \( -name '*.o' -o -name '*.a' -o -name '*.cmd' \) ! -path '*/scripts/*' -delete
rm -rf .out/build/arch/x86/boot
mv .out "$place"
answer
