#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The hook and the boot script of initramfs-tools, with stand-ins for what they call.

. "$(dirname "$0")/../lib/ktap.sh"
hook=$TOP/userspace/initramfs/hook
script=$TOP/userspace/initramfs/init-top
mkdir -p "$TMP/bin" "$TMP/root/etc/usbpass" "$TMP/root/var/lib/usbpass"
called=$TMP/called
export called

cat >"$TMP/hook-functions" <<'END'
manual_add_modules() { echo "manual_add_modules $*" >>"$called"; }
copy_exec() { echo "copy_exec $*" >>"$called"; }
END

# stand_in NAME [STATUS]: a command that only notes how it was called
# shellcheck disable=SC2016 # it is the stand-in that expands
stand_in()
{
	printf '#!/bin/sh\necho "%s $*" >>"$called"\nexit %d\n' "$1" "${2:-0}" >"$TMP/bin/$1"
	chmod +x "$TMP/bin/$1"
}

run_hook()
{
	: >"$called"
	rm -rf "$TMP/image"
	mkdir "$TMP/image"
	env PATH="$TMP/bin:$PATH" version=6.1.0-x INITRAMFS_TOOLS="$TMP" USBPASS_ROOT="$TMP/root" DESTDIR="$TMP/image" "$hook"
}

takes_the_operators_file()
{
	stand_in modinfo
	echo people >"$TMP/root/etc/usbpass/usbpass.yaml"
	echo daemon >"$TMP/root/var/lib/usbpass/state.yaml"
	run_hook
	same people "$(<"$TMP/image/etc/usbpass/boot.yaml")"
	same 600 "$(stat -c %a "$TMP/image/etc/usbpass/boot.yaml")"
	grep -qx "manual_add_modules usbpass" "$called"
	grep -qx "copy_exec /usr/sbin/usbpass" "$called"
	rm "$TMP/root/etc/usbpass/usbpass.yaml"
	run_hook
	same daemon "$(<"$TMP/image/etc/usbpass/boot.yaml")"
}

has_no_configuration()
{
	stand_in modinfo
	rm -f "$TMP"/root/*/usbpass/*.yaml "$TMP"/root/var/lib/usbpass/*
	run_hook
	grep -qx "manual_add_modules usbpass" "$called"
	expect_fail grep -q copy_exec "$called"
	expect_fail test -e "$TMP/image/etc"
}

has_no_module()
{
	stand_in modinfo 1
	run_hook 2>"$TMP/err"
	expect_fail grep -q manual_add_modules "$called"
	grep -q "no module for 6.1.0-x; make install KDIR=" "$TMP/err"
}

# run_script CONFIGURATION: init-top with this path in the place of boot.yaml
run_script()
{
	: >"$called"
	sed "s,/etc/usbpass/boot.yaml,$1,g" "$script" >"$TMP/init-top"
	PATH=$TMP/bin:$PATH sh "$TMP/init-top"
}

applies_after_loading()
{
	stand_in modprobe
	stand_in usbpass
	touch "$TMP/boot.yaml"
	run_script "$TMP/boot.yaml"
	same "modprobe usbpass,usbpass --no-wait apply $TMP/boot.yaml" "$(paste -sd, "$called")"
	run_script /nonexistent
	same "modprobe usbpass" "$(<"$called")"
}

never_fails_the_boot()
{
	stand_in modprobe
	stand_in usbpass 1
	touch "$TMP/boot.yaml"
	run_script "$TMP/boot.yaml" 2>"$TMP/err"
	grep -q "the rules of the initramfs are not in force" "$TMP/err"
	stand_in modprobe 1
	run_script "$TMP/boot.yaml" 2>"$TMP/err"
	same "modprobe usbpass" "$(<"$called")"
	grep -q "no module in the initramfs" "$TMP/err"
}

# As initramfs-tools does it: pairs of names and prerequisites through tsort, under the installed names.
is_before_udev()
{
	local scripts=$TMP/installed/usr/share/initramfs-tools/scripts/init-top name

	make -s --no-print-directory -C "$TOP/userspace" -f initramfs/install.mk install \
		DESTDIR="$TMP/installed" SHAREDIR="$TMP/installed/usr/share"
	printf '#!/bin/sh\necho\n' | tee "$scripts/udev" "$scripts/keymap" >/dev/null
	chmod +x "$scripts"/*
	for name in "$scripts"/*; do
		name=${name##*/}
		echo "$name $name"
		for before in $("$scripts/$name" prereqs); do
			echo "$before $name"
		done
	done | tsort >"$TMP/order"
	same udev "$(grep -xE 'udev|.*usbpass' "$TMP/order" | tail -n 1)" "the later of the two"
	same 1 "$(grep -c usbpass "$TMP/order")" "scripts of ours"
}

plan 6
it "the hook takes what people wrote, else what the daemon kept" takes_the_operators_file
it "without a configuration the hook adds the module alone" has_no_configuration
it "the image of a kernel without the module is made, with a warning" has_no_module
it "the boot script loads the module, then applies the configuration" applies_after_loading
it "nothing in the boot script keeps the host from booting" never_fails_the_boot
it "the boot script runs before udev's" is_before_udev
