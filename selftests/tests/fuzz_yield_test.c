// SPDX-License-Identifier: GPL-2.0
// group: fuzz
// on: debug
// timeout: 120
// What the fuzzers of this boot have reached: at least 60 % of the lines of each kernel file, in whatever context they run. By
// its name the last one of its group; a test a file, so not tap.h's.
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAST 60
#define FILES_MAX 200

struct line {
	unsigned int reached, lines, percent;
	char name[NAME_MAX];
};

static struct line table[FILES_MAX];
static unsigned int n_lines;

/* What a file of the kernel's says, read to its end; false: not a byte. */
static bool copy(const char *from, const char *to)
{
	char buffer[65536];
	size_t len, total = 0;
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");

	while (in && out && (len = fread(buffer, 1, sizeof(buffer), in)) > 0)
		total += fwrite(buffer, 1, len, out);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	return total > 0;
}

/* The counts, from where the kernel keeps them; they stay there when the module goes. */
static unsigned int copy_counts(const char *build, const char *to)
{
	char from[PATH_MAX + 40], path[2 * PATH_MAX], copied[2 * PATH_MAX];
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	snprintf(from, sizeof(from), "/sys/kernel/debug/gcov%s/kernel", build);
	dir = opendir(from);
	while (dir && (entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".gcda"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", from, entry->d_name);
		snprintf(copied, sizeof(copied), "%s/%s", to, entry->d_name);
		n += copy(path, copied);
	}
	if (dir)
		closedir(dir);
	return n;
}

static bool read_table(const char *counts, const char *build)
{
	char command[2 * PATH_MAX + 40];
	FILE *output;

	snprintf(command, sizeof(command), "fuzz/coverage.sh '%s' '%s' 2>&1", counts, build);
	output = popen(command, "r");
	while (output && n_lines < FILES_MAX) {
		struct line *line = &table[n_lines];

		if (fscanf(output, "%u %u %u %254s", &line->reached, &line->lines, &line->percent, line->name) != 4)
			break;
		n_lines++;
	}
	return output && !pclose(output) && n_lines;
}

/* How many of the module's files have no line here; those that hold only macros and tables have none. */
static unsigned int uncounted(const char *build)
{
	char path[PATH_MAX + 40];
	struct dirent *entry;
	unsigned int missing = 0, i;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/kernel", build);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".c") || !strcmp(entry->d_name, "trace.c"))
			continue;
		for (i = 0; i < n_lines && strcmp(table[i].name, entry->d_name); i++)
			;
		if (i == n_lines) {
			printf("# no line of %s is counted\n", entry->d_name);
			missing++;
		}
	}
	if (!dir)
		return 1;
	closedir(dir);
	return missing;
}

static int by_percent(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (int)x->percent - (int)y->percent;
}

static unsigned int results(const char *build)
{
	unsigned int failed = uncounted(build) > 0, reached = 0, lines = 0;

	printf("TAP version 13\n1..%u\n", n_lines + 1);
	printf("%sok 1 every kernel file is counted\n", failed ? "not " : "");
	qsort(table, n_lines, sizeof(*table), by_percent);
	for (unsigned int i = 0; i < n_lines; i++) {
		bool good = table[i].percent >= LEAST;

		printf("%sok %u the fuzzing reaches %d %% of the lines of kernel/%s\n", good ? "" : "not ", i + 2, LEAST, table[i].name);
		printf("# %u of %u lines, %u %%\n", table[i].reached, table[i].lines, table[i].percent);
		failed += !good;
		reached += table[i].reached;
		lines += table[i].lines;
	}
	printf("# figure: fuzzing reached %u %% of lines at least in each of %u files (lowest: %s), %u %% of all\n", table[0].percent,
	       n_lines, table[0].name, 100 * reached / lines);
	return failed;
}

int main(void)
{
	char module[PATH_MAX], counts[] = "/tmp/usbpass-counts.XXXXXX", command[PATH_MAX + 100];
	const char *given = getenv("USBPASS_KO"), *state = getenv("STATE"), *build;

	if (!realpath(given ? given : "../usbpass.ko", module) || !mkdtemp(counts)) {
		puts("TAP version 13\n1..1\nnot ok 1 the module is there");
		return 1;
	}
	build = dirname(module);
	if (!copy_counts(build, counts)) {
		puts("TAP version 13\n1..0 # SKIP the module is not built with GCOV_PROFILE=y, or the kernel does not count lines");
		return 4;
	}
	if (state) {
		snprintf(command, sizeof(command), "tar -C %s -cf '%s/coverage.tar' .", counts, state);
		if (system(command))
			puts("# the counts are not kept");
	}
	if (!read_table(counts, build)) {
		puts("TAP version 13\n1..1\nnot ok 1 gcov reads the counts");
		return 1;
	}
	return results(build) ? 1 : 0;
}
