#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What an installation holds, that the unit is sound, and that removing leaves nothing.
#
# timeout: 300

. "$(dirname "$0")/../lib/ktap.sh"
root=$TMP/root

install_tree()
{
	make -s -C "$TOP" install DESTDIR="$root" >"$TMP/make" 2>&1 || { tail -n 20 "$TMP/make"; return 1; }
}

# Paths below the root, the kernel's release as *.
files()
{
	(cd "$root" && find . -type f -printf '%P\n' | sed -E 's,^lib/modules/[^/]+/,lib/modules/*/,' | sort)
}

installs_files()
{
	install_tree
	files >"$TMP/files"
	cat >"$TMP/wanted" <<-'END'
		lib/modprobe.d/usbpass.conf
		lib/modules/*/updates/usbpass.ko
		lib/systemd/system/usbpassd.service
		lib/udev/rules.d/72-usbpass.rules
		usr/include/linux/usbpass.h
		usr/include/usbpass/usbpass.h
		usr/sbin/usbpass
		usr/sbin/usbpassd
		usr/share/bash-completion/completions/usbpass
		usr/share/initramfs-tools/hooks/usbpass
		usr/share/initramfs-tools/scripts/init-top/early-usbpass
		usr/share/man/man5/usbpass.yaml.5
		usr/share/man/man7/usbpass.7
		usr/share/man/man8/usbpass.8
		usr/share/man/man8/usbpassd.8
		usr/share/usbpass/usbpass.schema.json
	END
	while read -r file; do
		grep -Fqx -- "$file" "$TMP/files" || { say "not installed: $file"; return 1; }
	done <"$TMP/wanted"
	same "" "$(find "$root" -type f -perm /022)" "what others may write to"
}

module_fits()
{
	install_tree
	modinfo "$root"/lib/modules/*/updates/usbpass.ko >"$TMP/info"
	grep -q '^license: *GPL' "$TMP/info"
	grep -q "^vermagic: *$(basename "$root"/lib/modules/*) " "$TMP/info"
}

runs_installed()
{
	install_tree
	same "$("$root/usr/sbin/usbpass" version | head -n 1 | cut -d' ' -f2)" "$("$root/usr/sbin/usbpassd" --version | cut -d' ' -f2)" \
		"the daemon's version"
	expect_error "usage: usbpassd" "$root/usr/sbin/usbpassd" --frobnicate
}

unit_is_sound()
{
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	install_tree
	# It looks whether the programs are there; here they are below the root.
	sed "s,=/usr/sbin/,=$root/usr/sbin/," "$root/lib/systemd/system/usbpassd.service" >"$TMP/usbpassd.service"
	systemd-analyze verify --man=no "$TMP/usbpassd.service" >"$TMP/found" 2>&1 || true
	expect_fail grep -F usbpassd.service "$TMP/found"
}

removes_all()
{
	install_tree
	mkdir -p "$root/etc/usbpass"
	echo kept >"$root/etc/usbpass/usbpass.yaml"
	make -s -C "$TOP" uninstall DESTDIR="$root" >"$TMP/make" 2>&1 || { tail -n 20 "$TMP/make"; return 1; }
	same etc/usbpass/usbpass.yaml "$(files)" "what is left"
}

[ -e "$TOP/usbpass.ko" ] || skip_all "the module is not built: make"
plan 5
it "installs module, programs, rules, units, hooks and pages" installs_files
it "installs a module for the kernel whose directory it is in" module_fits
it "installs programs that run" runs_installed
it "installs a unit that systemd understands" unit_is_sound
it "removes what it installed, and no configuration" removes_all
