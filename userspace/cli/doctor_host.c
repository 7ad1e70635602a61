// SPDX-License-Identifier: GPL-2.0
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "doctor.h"

/* Installed for the running kernel? Then only loading is missing. */
static bool module_installed(void)
{
	struct utsname name;
	char path[512], line[4096];
	bool found = false;
	FILE *file;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", name.release);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (colon)
			*colon = '\0';
		found = strstr(line, "/usbpass.ko") != NULL;
	}
	fclose(file);
	return found;
}

void doctor_module(struct doctor *doctor)
{
	struct usbpass_info info;
	struct utsname name;
	int ret;

	uname(&name);
	if (!doctor->cli->h) {
		if (module_installed())
			doctor_say(doctor, "module", DOCTOR_FAIL,
				   "modprobe usbpass; if that is refused: dmesg | tail",
				   "usbpass is installed, but not loaded");
		else
			doctor_say(doctor, "module", DOCTOR_FAIL,
				   "in its source: make && make install, then modprobe usbpass",
				   "usbpass is not installed for kernel %s", name.release);
		return;
	}
	ret = usbpass_info_get(doctor->cli->h, &info);
	if (ret < 0)
		doctor_say(doctor, "module", DOCTOR_FAIL, "run it as root", "%s",
			   usbpass_error(doctor->cli->h));
	else
		doctor_say(doctor, "module", DOCTOR_OK, NULL, "version %s, helper %s", info.version,
			   USBPASS_VERSION);
}

/* The variable has four bytes of attributes, then the value. */
static bool secure_boot(const struct usbpass_host *host)
{
	unsigned char bytes[5] = {};
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path),
		 "%s/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		 host->sys);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fread(bytes, 1, sizeof(bytes), file) != sizeof(bytes))
		bytes[4] = 0;
	fclose(file);
	return bytes[4] == 1;
}

static bool enforced(const struct usbpass_host *host)
{
	char line[128];

	if (usbpass_host_line(line, sizeof(line), "%s/module/module/parameters/sig_enforce",
			      host->sys) && line[0] == 'Y')
		return true;
	return usbpass_host_line(line, sizeof(line), "%s/kernel/security/lockdown", host->sys) &&
	       !strstr(line, "[none]");
}

void doctor_signature(struct doctor *doctor)
{
	const struct usbpass_host *host = doctor->cli->host;
	bool needed = secure_boot(host) || enforced(host);
	char taint[64] = "";
	bool loaded = usbpass_host_line(taint, sizeof(taint), "%s/module/usbpass/taint", host->sys);
	bool is_signed = loaded && !strchr(taint, 'E');

	if (is_signed)
		doctor_say(doctor, "signature", DOCTOR_OK, NULL, "the module is signed");
	else if (needed)
		doctor_say(doctor, "signature", loaded ? DOCTOR_WARN : DOCTOR_FAIL,
			   "sign it: make install SIGN_KEY=... SIGN_CERT=..., and enrol the certificate (mokutil --import)",
			   "this host asks for signed modules (Secure Boot or lockdown)%s",
			   loaded ? "; this one is unsigned" : "");
	else
		doctor_say(doctor, "signature", DOCTOR_OK, NULL,
			   "not asked for by this host (no Secure Boot, no lockdown)");
}

static bool find(const char *const *patterns, char *found, size_t size)
{
	for (; *patterns; patterns++) {
		glob_t paths;
		bool ok = glob(*patterns, 0, NULL, &paths) == 0;

		if (ok)
			snprintf(found, size, "%s", paths.gl_pathv[0]);
		globfree(&paths);
		if (ok)
			return true;
	}
	return false;
}

void doctor_files(struct doctor *doctor)
{
	static const char *const udev[] = {
		"/etc/udev/rules.d/*usbpass*.rules", "/usr/lib/udev/rules.d/*usbpass*.rules",
		"/lib/udev/rules.d/*usbpass*.rules", NULL,
	};
	static const char *const softdep[] = {
		"/etc/modprobe.d/*usbpass*.conf", "/usr/lib/modprobe.d/*usbpass*.conf",
		"/lib/modprobe.d/*usbpass*.conf", NULL,
	};
	static const char *const initramfs[] = {
		"/etc/initramfs-tools/hooks/*usbpass*", "/usr/share/initramfs-tools/hooks/*usbpass*",
		"/usr/lib/dracut/modules.d/*usbpass*", NULL,
	};
	static const struct {
		const char *name, *lack, *remedy;
		const char *const *patterns;
	} files[] = {
		{ "udev rule", "claimed devices stay open to users through usbfs",
		  "in the source: make install, then udevadm control --reload", udev },
		{ "softdep", "a host controller may find its devices before usbpass is loaded",
		  "in the source: make install, then update-initramfs -u", softdep },
		{ "initramfs hook", "devices present at boot get host drivers before the rules come",
		  "in the source: make install, then update-initramfs -u", initramfs },
	};
	char found[512];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (find(files[i].patterns, found, sizeof(found)))
			doctor_say(doctor, files[i].name, DOCTOR_OK, NULL, "%s", found);
		else
			doctor_say(doctor, files[i].name, DOCTOR_WARN, files[i].remedy,
				   "not installed: %s", files[i].lack);
	}
}

void doctor_daemon(struct doctor *doctor)
{
	struct usbpass_info info;
	uint64_t saved;
	int pid;

	if (!usbpass_host_daemon(doctor->cli->host, &pid)) {
		doctor_say(doctor, "daemon", DOCTOR_FAIL, "systemctl enable --now usbpassd",
			   "usbpassd does not run: changes are in force, but not saved");
		return;
	}
	doctor_say(doctor, "daemon", DOCTOR_OK, NULL, "usbpassd runs (pid %d)", pid);
	if (!doctor->cli->h || usbpass_info_get(doctor->cli->h, &info) < 0)
		return;
	if (usbpass_host_saved(doctor->cli->host, &saved) && saved >= info.generation)
		doctor_say(doctor, "saved", DOCTOR_OK, NULL, "generation %" PRIu64, saved);
	else
		doctor_say(doctor, "saved", DOCTOR_WARN, "journalctl -u usbpassd",
			   "generation %" PRIu64 " is in force and not saved", info.generation);
}
