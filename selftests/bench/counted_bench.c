// SPDX-License-Identifier: GPL-2.0
//
// counted_bench COMMAND [ARGS...]: run COMMAND in a region of its own, which count.c counts; its status is that of COMMAND.
// counted_bench: no region, the symbols' file is complete.
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "marker.h"

extern char **environ;

int main(int argc, char **argv)
{
	int err, status;
	pid_t pid;

	if (argc < 2) {
		MARK(MARKER_SYMBOLS);
		return 0;
	}
	MARK(MARKER_BEGIN);
	err = posix_spawnp(&pid, argv[1], NULL, NULL, argv + 1, environ);
	if (!err && waitpid(pid, &status, 0) < 0)
		status = -1;
	MARK(MARKER_END);
	if (err) {
		fprintf(stderr, "counted_bench: %s: %s\n", argv[1], strerror(err));
		return 127;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
