// SPDX-License-Identifier: GPL-2.0
/*
 * The saved configuration. Killed at any moment this leaves a whole state.yaml,
 * old or new, and a number in `saved` only once the file is safe.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "daemon.h"
#include "names.h"
#include "state.h"

void daemon_unsave(struct daemon *daemon)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/saved", daemon->run_dir);
	unlink(path);
	daemon->saved = 0;
	daemon->keep_old = false;
}

/* Appears in one step: who waits for it reads a whole number. */
static int publish(struct daemon *daemon, uint64_t generation)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	FILE *file;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/saved", daemon->run_dir);
	snprintf(fresh, sizeof(fresh), "%s/saved.new", daemon->run_dir);
	file = fopen(fresh, "we");
	if (!file)
		return -errno;
	if (fprintf(file, "%" PRIu64 "\n", generation) < 0)
		ret = -EIO;
	if (fclose(file) == EOF && !ret)
		ret = -errno;
	if (!ret && rename(fresh, path) < 0)
		ret = -errno;
	return ret;
}

/* What could not be read may still be worth something to its writer. */
static int keep(struct daemon *daemon, const char *path)
{
	char kept[PATH_MAX];

	if (snprintf(kept, sizeof(kept), "%s.refused", path) >= (int)sizeof(kept))
		return -ENAMETOOLONG;
	unlink(kept);
	if (link(path, kept) < 0 && errno != ENOENT)
		return -errno;
	daemon_log(daemon, LOG_NOTICE, "the %s that was refused is kept as %s", path, kept);
	daemon->keep_old = false;
	return 0;
}

static int fail(struct daemon *daemon, int error, const char *what)
{
	daemon_log(daemon, LOG_ERR, "the configuration in force is not saved: %s", what);
	daemon_status(daemon, "NOT SAVED: %s", what);
	return error;
}

/*
 * Without what only the kernel says, and without those whose serial YAML may not carry: a device is
 * not to keep a configuration from being saved.
 */
static int read_learned(struct daemon *daemon, struct usbpass_state *state)
{
	size_t n, kept = 0;
	int ret = usbpass_learned_list(daemon->h, &state->learned, &n);

	if (ret == -EOPNOTSUPP)
		return 0;	/* a module that learns nothing */
	for (size_t i = 0; !ret && i < n; i++) {
		struct usbpass_learned *learned = &state->learned[i];

		if (!usbpass_names_printable(learned->serial))
			continue;
		learned->has &= ~USBPASS_HAS(USBPASS_A_LEARNED_OWNER);
		state->learned[kept++] = *learned;
	}
	state->n_learned = kept;
	return ret;
}

int daemon_save(struct daemon *daemon)
{
	struct usbpass_state state;
	char path[PATH_MAX], err[1024];
	uint64_t generation;
	int ret;

	ret = usbpass_state_read(daemon->h, &state);
	if (ret < 0)
		return fail(daemon, ret, usbpass_error(daemon->h));
	generation = state.generation;
	/* Generation 0 is no configuration, but a module that waits for one. */
	if (!generation || (generation <= daemon->saved && !daemon->relearned)) {
		usbpass_state_free(&state);
		return 0;
	}
	/* Whoever loses the machine meanwhile has the old one at its next start. */
	if (state.on_trial) {
		usbpass_state_free(&state);
		daemon_status(daemon, "generation %" PRIu64 " waits to be confirmed", generation);
		return 0;
	}
	snprintf(path, sizeof(path), "%s/state.yaml", daemon->state_dir);
	ret = read_learned(daemon, &state);
	if (ret < 0) {
		usbpass_state_free(&state);
		return fail(daemon, ret, usbpass_error(daemon->h));
	}
	daemon->relearned = false;
	ret = daemon->keep_old ? keep(daemon, path) : 0;
	if (ret < 0)
		snprintf(err, sizeof(err), "cannot keep the old state.yaml: %s", strerror(-ret));
	else
		ret = usbpass_state_save(path, &state, err, sizeof(err));
	usbpass_state_free(&state);
	if (ret < 0) {
		daemon->relearned = true;
		return fail(daemon, ret, err);
	}
	ret = publish(daemon, generation);
	if (ret < 0)
		return fail(daemon, ret, "the helper cannot be told (the run directory)");
	daemon->saved = generation;
	daemon_status(daemon, "generation %" PRIu64 " is saved", generation);
	return 0;
}

void daemon_save_clean(const struct daemon *daemon)
{
	char pattern[PATH_MAX];
	glob_t found;

	/* As mkostemp(3) names them; "state.yaml.refused" has one letter more. */
	snprintf(pattern, sizeof(pattern), "%s/state.yaml.??????", daemon->state_dir);
	if (glob(pattern, GLOB_NOSORT, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}
