// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "daemon.h"
#include "state.h"

/* The first start in this life of the module: made at its end, removed when the module goes. */
static bool started(const struct daemon *daemon)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/started", daemon->run_dir);
	return access(path, F_OK) == 0;
}

static void set_started(const struct daemon *daemon)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/started", daemon->run_dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0)
		close(fd);
}

static void refuse(struct daemon *daemon, const char *err)
{
	daemon_log(daemon, LOG_ERR, "%s", err);
	daemon_log(daemon, LOG_ERR, "the module is left without a configuration; put the file right, then: usbpass apply FILE --rescan");
	daemon_status(daemon, "REFUSED: %s", err);
}

static const char *name_of(const struct usbpass_learned *learned, char *buf, size_t size)
{
	bool serial = usbpass_has(learned, USBPASS_A_LEARNED_SERIAL);

	snprintf(buf, size, "%04x:%04x, %s %s", learned->vendor, learned->product,
		 serial ? "serial" : "socket", serial ? learned->serial : learned->socket);
	return buf;
}

/* What was learned before the module, or the machine, started. */
static void tell_learned(struct daemon *daemon, const struct usbpass_state *state)
{
	uint64_t now = (uint64_t)time(NULL);
	size_t told = 0;
	char name[512];

	for (size_t i = 0; i < state->n_learned; i++) {
		const struct usbpass_learned *learned = &state->learned[i];

		if (learned->until <= now)
			continue;
		if (usbpass_learned_new(daemon->h, learned) < 0)
			daemon_log(daemon, LOG_WARNING, "that %s takes resets badly is forgotten: %s",
				   name_of(learned, name, sizeof(name)), usbpass_error(daemon->h));
		else
			told++;
	}
	if (told)
		daemon_log(daemon, LOG_INFO, "known to take resets badly: %zu", told);
}

/* 1: in force; 0: there is no such file; negative: refused. */
static int load(struct daemon *daemon, const char *path, bool own)
{
	char err[1024], text[1280];
	struct usbpass_state state;
	uint64_t generation;
	int ret;

	ret = usbpass_state_load(path, &state, err, sizeof(err));
	if (ret == -ENOENT)
		return 0;
	if (ret < 0) {
		refuse(daemon, err);
		return ret;
	}
	if (own)
		tell_learned(daemon, &state);
	else if (state.n_learned)
		daemon_log(daemon, LOG_WARNING, "%s: 'learned' is passed over: it is read from state.yaml",
			   path);
	ret = usbpass_state_commit(daemon->h, &state, 0, &generation, err, sizeof(err));
	if (ret < 0) {
		snprintf(text, sizeof(text), "%s: %s", path, err);
		refuse(daemon, text);
	} else {
		daemon_log(daemon, LOG_NOTICE,
			   "%s is in force: %zu groups, %zu rules, %zu attachments (generation %" PRIu64 ")",
			   path, state.n_groups, state.n_rules, state.n_attachments, generation);
		ret = 1;
	}
	usbpass_state_free(&state);
	return ret;
}

/* Of a later version, or damaged: what replaces it must not lose it. @learn: what it has learned is news. */
static void look_at_saved(struct daemon *daemon, bool learn)
{
	struct usbpass_state state;
	char path[PATH_MAX], err[1024];
	int ret;

	snprintf(path, sizeof(path), "%s/state.yaml", daemon->state_dir);
	ret = usbpass_state_load(path, &state, err, sizeof(err));
	if (!ret && learn)
		tell_learned(daemon, &state);
	usbpass_state_free(&state);
	daemon->keep_old = ret < 0 && ret != -ENOENT;
	if (daemon->keep_old)
		daemon_log(daemon, LOG_WARNING, "%s", err);
}

/* What people wrote goes before what was saved; where it is wrong, so does its being wrong. */
static void load_first(struct daemon *daemon)
{
	char path[PATH_MAX];
	int ret;

	ret = load(daemon, daemon->config, false);
	if (ret) {
		look_at_saved(daemon, true);
	} else {
		snprintf(path, sizeof(path), "%s/state.yaml", daemon->state_dir);
		ret = load(daemon, path, true);
		if (!ret)
			daemon_log(daemon, LOG_INFO, "no configuration yet");
	}
	/* A commit by hand would now replace a file that is not in force. */
	if (ret < 0)
		daemon->keep_old = true;
}

int daemon_start(struct daemon *daemon)
{
	struct usbpass_info info;
	bool fresh;
	int ret;

	daemon_unsave(daemon);
	ret = usbpass_info_get(daemon->h, &info);
	if (ret < 0)
		return ret;
	fresh = info.generation == 0;
	if (fresh) {
		load_first(daemon);
	} else {
		daemon_log(daemon, LOG_INFO, "generation %" PRIu64 " is in force", info.generation);
		look_at_saved(daemon, !started(daemon));
	}
	/* After an initramfs the configuration is there, and nobody has looked at the devices yet. */
	daemon->look_all = fresh || !started(daemon);
	daemon->look = true;
	daemon->unsaved = true;
	set_started(daemon);
	return 0;
}
