// SPDX-License-Identifier: GPL-2.0
/* What a test reads: one key=value a line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu_private.h"

#define COUNTER(member) { #member, offsetof(struct emu_stats, member) }

/* Requests count as they arrive, also those that a rule mutes or stalls. */
static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	COUNTER(plugs), COUNTER(unplugs), COUNTER(submits), COUNTER(unlinks),
	COUNTER(unlinks_late), COUNTER(stalls), COUNTER(errors),
	COUNTER(bad_endpoint), COUNTER(isochronous), COUNTER(control),
	COUNTER(enumerations), COUNTER(resets), COUNTER(get_descriptor),
	COUNTER(get_descriptor_device), COUNTER(get_descriptor_config),
	COUNTER(get_descriptor_string), COUNTER(get_status),
	COUNTER(set_address), COUNTER(set_configuration),
	COUNTER(last_configuration), COUNTER(set_interface),
	COUNTER(last_interface), COUNTER(last_alternate), COUNTER(clear_halt),
	COUNTER(last_clear_halt), COUNTER(set_feature), COUNTER(class_requests),
	COUNTER(vendor_requests), COUNTER(reports_sent),
	COUNTER(reports_received), COUNTER(pattern_errors),
};

static void print_endpoints(const struct emu *emu, FILE *out)
{
	const struct emu_queue *queue;
	unsigned int i, address;

	for (i = 0; i < EMU_QUEUES; i++) {
		queue = &emu->queue[i];
		address = (i & 0x0f) | (i & 0x10) << 3;
		if (!queue->count && !queue->urbs)
			continue;
		fprintf(out, "ep%02x_in_flight=%u\nep%02x_urbs=%llu\nep%02x_bytes=%llu\n",
			address, queue->count,
			address, (unsigned long long)queue->urbs,
			address, (unsigned long long)queue->bytes);
	}
}

void emu_stats_print(struct emu *emu, FILE *out)
{
	char name[32];
	unsigned int i;
	uint32_t bit;

	emu_vhci_socket(emu, name, sizeof(name));
	fprintf(out, "plugged=%d\n", emu->sock >= 0 && !emu->leaving);
	fprintf(out, "enumerated=%d\n", emu_vhci_enumerated(emu));
	fprintf(out, "busid=%s\nsocket=%s\n", emu->busid, name);
	fprintf(out, "configuration=%u\n", emu->configuration);
	for (i = 0; i < EMU_INTERFACES; i++)
		if (emu->alternate[i])
			fprintf(out, "alternate%u=%u\n", i, emu->alternate[i]);
	for (i = 0, bit = 1; i < EMU_QUEUES; i++, bit <<= 1)
		if (emu->halted & bit)
			fprintf(out, "ep%02x_halted=1\n",
				(i & 0x0f) | (i & 0x10) << 3);
	fprintf(out, "deaf=%d\n", emu->lost);
	fprintf(out, "in_flight=%u\n", emu_urb_in_flight(emu));
	fprintf(out, "reports_waiting=%u\n", emu->reports.count);
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		fprintf(out, "%s=%ld\n", counters[i].name,
			*(const long *)((const char *)&emu->stats +
					counters[i].offset));
	print_endpoints(emu, out);
}

/* Lines that are only there when they say something read as 0 without. */
static bool is_optional(const char *key)
{
	unsigned int number;
	char rest[16];

	return sscanf(key, "ep%2x_%15[a-z_]", &number, rest) == 2 ||
	       sscanf(key, "alternate%u", &number) == 1;
}

/* The value of one line, with a line feed; -ENOENT where there is none. */
int emu_stats_find(struct emu *emu, const char *key, FILE *out)
{
	size_t size, len = strlen(key);
	char *text = NULL, *line, *save;
	FILE *stats = open_memstream(&text, &size);
	int ret = -ENOENT;

	if (!stats)
		return -ENOMEM;
	emu_stats_print(emu, stats);
	fclose(stats);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, key, len) || line[len] != '=')
			continue;
		fprintf(out, "%s\n", line + len + 1);
		ret = 0;
	}
	free(text);
	if (ret && is_optional(key)) {
		fprintf(out, "0\n");
		ret = 0;
	}
	return ret;
}
