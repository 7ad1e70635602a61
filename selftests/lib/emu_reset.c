// SPDX-License-Identifier: GPL-2.0
/*
 * What the device does at its port's next reset: lines of the vocabulary, in the order in which they were given, each once.
 *
 * vhci keeps the reset itself from the device. What is seen is the read of the device descriptor with which the kernel begins
 * after it; the lines are run before that is answered, so that what they make of the device is what is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu_private.h"

struct emu_line {
	struct emu_line *next;
	char text[];
};

/* The emulator's own thread runs them: what waits for it would wait for ever. */
static bool waits(const char *line)
{
	return !strcmp(line, "plug") || !strcmp(line, "unplug") || !strcmp(line, "replug") || !strncmp(line, "wait=", 5);
}

int emu_reset_add(struct emu *emu, const char *line, FILE *out)
{
	struct emu_line *added, **at;
	size_t size = strlen(line) + 1;

	if (!line[0] || waits(line) || !strncmp(line, "at-reset", 8)) {
		fprintf(out, "at-reset=%s: want a command or setting that does not wait (replug=MS, apply, mute=ep81...)", line);
		return -EINVAL;
	}
	added = malloc(sizeof(*added) + size);
	if (!added)
		return -ENOMEM;
	added->next = NULL;
	memcpy(added->text, line, size);
	for (at = &emu->at_reset; *at; at = &(*at)->next)
		;
	*at = added;
	return 0;
}

void emu_reset_forget(struct emu *emu)
{
	struct emu_line *line;

	while ((line = emu->at_reset)) {
		emu->at_reset = line->next;
		free(line);
	}
}

void emu_reset_print(const struct emu *emu, FILE *out)
{
	const struct emu_line *line;

	for (line = emu->at_reset; line; line = line->next)
		fprintf(out, "at-reset line=%s\n", line->text);
}

/* The kernel asks for the descriptor as it does after a reset: of the plug, or a later one? */
void emu_reset_see(struct emu *emu)
{
	struct emu_line *line;
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!emu->known)
		return;
	emu->known = false;
	emu->stats.resets++;
	emu_log(emu, "reset");
	while ((line = emu->at_reset)) {
		emu->at_reset = line->next;
		out = open_memstream(&text, &size);
		if (out && emu_command_locked(emu, line->text, out)) {
			fflush(out);
			emu_log(emu, "at-reset=%s failed: %s", line->text, text);
		}
		if (out)
			fclose(out);
		free(text);
		text = NULL;
		free(line);
	}
}
