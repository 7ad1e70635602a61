// SPDX-License-Identifier: GPL-2.0
/* Configuration files, read and safely replaced. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "state_yaml.h"

static const char head[] = "# A configuration of usbpass: see usbpass.yaml(5).\n";

int usbpass_state_load(const char *path, struct usbpass_state *out, char *err, size_t errsize)
{
	FILE *file;
	int ret;

	memset(out, 0, sizeof(*out));
	if (!strcmp(path, "-")) {
		ret = usbpass_state_yaml_read(stdin, "standard input", out, err, errsize);
		if (ret < 0)
			usbpass_state_free(out);
		return ret;
	}
	file = fopen(path, "re");
	if (!file) {
		ret = -errno;
		snprintf(err, errsize, "%s: %s", path, strerror(-ret));
		return ret;
	}
	ret = usbpass_state_yaml_read(file, path, out, err, errsize);
	fclose(file);
	if (ret < 0)
		usbpass_state_free(out);
	return ret;
}

static int write_all(FILE *file, const struct usbpass_state *state)
{
	if (fputs(head, file) == EOF)
		return -EIO;
	return usbpass_state_yaml_write(file, state);
}

/* The name must be as safe as the contents. */
static int sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd, ret = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0 && errno != EINVAL)	/* EINVAL: not a kind of directory to sync */
		ret = -errno;
	close(fd);
	return ret;
}

/* What mkostemp(3) made becomes what open(2) would have made. */
static int set_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask) < 0 ? -errno : 0;
}

static int write_beside(const char *temporary, int fd, const struct usbpass_state *state)
{
	FILE *file = fdopen(fd, "we");
	int ret;

	if (!file) {
		ret = -errno;
		close(fd);
		return ret;
	}
	errno = 0;
	ret = write_all(file, state);
	if (ret == -EIO && errno)
		ret = -errno;
	if (!ret)
		ret = set_mode(fd);
	if (!ret && fsync(fd) < 0)
		ret = -errno;
	if (fclose(file) == EOF && !ret)
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}

static int replace(const char *path, const struct usbpass_state *state)
{
	char temporary[PATH_MAX];
	int fd, ret;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write_beside(temporary, fd, state);
	if (ret < 0)
		return ret;
	if (rename(temporary, path) < 0) {
		ret = -errno;
		unlink(temporary);
		return ret;
	}
	return sync_directory(path);
}

int usbpass_state_save(const char *path, const struct usbpass_state *state, char *err,
		       size_t errsize)
{
	int ret = strcmp(path, "-") ? replace(path, state) : write_all(stdout, state);

	if (ret < 0)
		snprintf(err, errsize, "cannot write %s: %s", path, strerror(-ret));
	return ret;
}
