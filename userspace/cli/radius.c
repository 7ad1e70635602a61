// SPDX-License-Identifier: GPL-2.0
/* What a reset would hit: as a tree of hubs and ports, as what is in the way, and as JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "inuse.h"
#include "names.h"

int cli_radius_get(struct cli *cli, const struct cli_devices *devices, uint8_t kind,
		   struct cli_radius *out)
{
	int ret;

	*out = (struct cli_radius){ .kind = kind, .device = devices->chosen[0], .devices = devices };
	ret = usbpass_device_radius(cli->h, out->device->id, kind, &out->hits, &out->n);
	if (ret < 0)
		return ret;
	/* Only who holds what comes of it: without, the attachments' names have to do. */
	if (usbpass_attachment_list(cli->h, &out->attachments, &out->n_attachments) < 0)
		out->n_attachments = 0;
	for (size_t i = 0; i < out->n; i++)
		out->n_barring += out->hits[i].in_the_way != USBPASS_IN_THE_WAY_NO;
	return 0;
}

void cli_radius_free(struct cli_radius *radius)
{
	usbpass_hit_list_free(radius->hits, radius->n);
	usbpass_attachment_list_free(radius->attachments, radius->n_attachments);
	*radius = (struct cli_radius){};
}

static const struct usbpass_attachment *attachment_of(const struct cli_radius *radius,
						      const struct usbpass_device *device)
{
	for (size_t i = 0; i < radius->n_attachments; i++)
		if (device->attach[0] && !strcmp(radius->attachments[i].name, device->attach))
			return &radius->attachments[i];
	return NULL;
}

static const char *lease_of(const struct cli_radius *radius, const struct usbpass_device *device,
			    char *buf, size_t size)
{
	const struct usbpass_attachment *a = attachment_of(radius, device);
	char comm[64];
	size_t used;

	used = snprintf(buf, size, "leased by attachment '%s' of %s", device->attach,
			device->owner[0] ? device->owner : "host");
	if (a && a->vm[0] && used < size)
		used += snprintf(buf + used, size - used, ", VM %s", a->vm);
	if (a && a->pid && used < size)
		snprintf(buf + used, size - used, ", open in %s (pid %u)",
			 usbpass_names_quote(a->comm, comm, sizeof(comm)), a->pid);
	return buf;
}

/* Whose it is now. -> @buf */
static const char *holder_of(struct cli *cli, const struct cli_radius *radius,
			     const struct usbpass_device *device, char *buf, size_t size)
{
	char driver[256];

	if (device->flags & USBPASS_DEVICE_F_HUB)
		snprintf(buf, size, "a hub");
	else if (device->attach[0])
		lease_of(radius, device, buf, size);
	else if (device->state >= USBPASS_DEVICE_IDLE)
		snprintf(buf, size, "%s, group '%s' of %s",
			 usbpass_words_word(USBPASS_WORDS_DEVICE_STATE, device->state),
			 device->group, device->owner[0] ? device->owner : "host");
	else if (usbpass_host_drivers(cli->host, device->busid, driver, sizeof(driver))[0])
		snprintf(buf, size, "host driver %s", driver);
	else
		snprintf(buf, size, "no driver");
	return buf;
}

/*
 * The bus id of the hub that a device is plugged into, and the port there: "1-4.2" is port 2 of 1-4,
 * "1-4" port 4 of usb1. -> @hub
 */
static unsigned int place_of(const char *busid, char *hub, size_t size)
{
	const char *dot = strrchr(busid, '.'), *dash = strchr(busid, '-');
	const char *end = dot ? dot : dash;

	if (!end) {
		hub[0] = '\0';
		return 0;
	}
	snprintf(hub, size, "%s%.*s", dot ? "" : "usb", (int)(end - busid), busid);
	return strtoul(end + 1, NULL, 10);
}

static const struct usbpass_hit *hit_at(const struct cli_radius *radius, const char *busid)
{
	for (size_t i = 0; i < radius->n; i++)
		if (!strcmp(radius->hits[i].device.busid, busid))
			return &radius->hits[i];
	return NULL;
}

struct tree {
	struct cli *cli;
	const struct cli_radius *radius;
	struct usbpass_names *names;
};

static void print_hit(const struct tree *tree, const struct usbpass_hit *hit, unsigned int port,
		      int depth)
{
	const struct usbpass_device *device = &hit->device;
	char name[1100], holder[1024];

	cli_device_name(tree->names, device, name, sizeof(name));
	cli_say(stdout, "%*sport %u: #%u (%s) %04x:%04x%s%s: %s%s", 2 * depth, "", port, device->id,
		device->busid, device->vendor, device->product, name[0] ? " " : "", name,
		holder_of(tree->cli, tree->radius, device, holder, sizeof(holder)),
		hit->in_the_way == USBPASS_IN_THE_WAY_NO ? "" : "  <- in the way");
}

/* What is plugged into @hub, in its ports' order. USB has five levels of hubs at most. */
// NOLINTNEXTLINE(misc-no-recursion)
static void print_below(const struct tree *tree, const char *hub, int depth)
{
	const struct cli_radius *radius = tree->radius;
	unsigned int last = 0;

	for (;;) {
		const struct usbpass_hit *next = NULL;
		unsigned int next_port = 0;
		char parent[64];

		for (size_t i = 0; i < radius->n; i++) {
			unsigned int port = place_of(radius->hits[i].device.busid, parent,
						     sizeof(parent));

			if (strcmp(parent, hub) || port <= last || (next && port >= next_port))
				continue;
			next = &radius->hits[i];
			next_port = port;
		}
		if (!next)
			return;
		print_hit(tree, next, next_port, depth);
		print_below(tree, next->device.busid, depth + 1);
		last = next_port;
	}
}

static void print_hub(const struct tree *tree, const char *busid)
{
	const struct cli_devices *devices = tree->radius->devices;
	const struct usbpass_device *hub = NULL;
	char name[1100];

	for (size_t i = 0; i < devices->n; i++)
		if (!strcmp(devices->list[i].busid, busid))
			hub = &devices->list[i];
	if (hub)
		cli_say(stdout, "hub #%u (%s) %04x:%04x %s", hub->id, busid, hub->vendor,
			hub->product, cli_device_name(tree->names, hub, name, sizeof(name)));
	else
		cli_say(stdout, "%s %s", strncmp(busid, "usb", 3) ? "hub" : "root hub", busid);
}

/* A tree of its own from each hub that is not below a hit one, each once. */
void cli_radius_print(struct cli *cli, const struct cli_radius *radius)
{
	static const char *const what[] = {
		[USBPASS_RESET_KIND_SOFT] = "soft reset",
		[USBPASS_RESET_KIND_DEVICE] = "reset of the port",
		[USBPASS_RESET_KIND_PORT] = "power cycle of the port",
		[USBPASS_RESET_KIND_HUB] = "reset of the hub",
	};
	struct tree tree = { .cli = cli, .radius = radius, .names = usbpass_names_open() };
	char hub[64], before[64], barring[32] = "none";

	cli_say(stdout, "a %s of device #%u (%s) hits:", what[radius->kind], radius->device->id,
		radius->device->busid);
	for (size_t i = 0; i < radius->n; i++) {
		size_t first = 0;

		place_of(radius->hits[i].device.busid, hub, sizeof(hub));
		if (hit_at(radius, hub))
			continue;
		for (; first < i; first++) {
			place_of(radius->hits[first].device.busid, before, sizeof(before));
			if (!strcmp(before, hub))
				break;
		}
		if (first < i)
			continue;
		print_hub(&tree, hub);
		print_below(&tree, hub, 1);
	}
	usbpass_names_close(tree.names);
	if (radius->n_barring)
		snprintf(barring, sizeof(barring), "of them %zu", radius->n_barring);
	cli_say(stdout, "%zu %s, %s in the way", radius->n, radius->n == 1 ? "device" : "devices",
		barring);
}

/* As a sentence, and what the host does with it where that is more than having a driver. */
static void print_barring(struct cli *cli, const struct cli_radius *radius,
			  const struct usbpass_hit *hit, FILE *out)
{
	const struct usbpass_device *device = &hit->device;
	char holder[1024], line[2048], *safe;
	struct usbpass_inuse inuse;
	bool used = hit->in_the_way == USBPASS_IN_THE_WAY_HOST &&
		    usbpass_inuse_find(cli->host, device->busid, &inuse) == 1;

	snprintf(line, sizeof(line), "device #%u (%s) %04x:%04x: %s%s%s", device->id, device->busid,
		 device->vendor, device->product,
		 holder_of(cli, radius, device, holder, sizeof(holder)), used ? ", " : "",
		 used ? inuse.what : "");
	safe = cli_safe(line);
	fprintf(out, "\n  %s", safe);
	free(safe);
}

char *cli_radius_barring(struct cli *cli, const struct cli_radius *radius)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < radius->n; i++)
		if (radius->hits[i].in_the_way != USBPASS_IN_THE_WAY_NO)
			print_barring(cli, radius, &radius->hits[i], out);
	fclose(out);
	return text;
}

struct json_object *cli_radius_json(struct cli *cli, const struct cli_radius *radius)
{
	struct json_object *array = json_object_new_array();
	char hub[64], holder[1024];

	for (size_t i = 0; i < radius->n; i++) {
		const struct usbpass_hit *hit = &radius->hits[i];
		struct json_object *item = json_object_new_object();
		unsigned int port = place_of(hit->device.busid, hub, sizeof(hub));

		json_object_object_add(item, "device", cli_json(&usbpass_codec_device, &hit->device));
		json_object_object_add(item, "hub", cli_json_string(hub));
		json_object_object_add(item, "port", json_object_new_int64(port));
		json_object_object_add(item, "holder", cli_json_string(
			holder_of(cli, radius, &hit->device, holder, sizeof(holder))));
		json_object_object_add(item, "in_the_way", json_object_new_string(
			usbpass_words_word(USBPASS_WORDS_IN_THE_WAY, hit->in_the_way)));
		json_object_array_add(array, item);
	}
	return array;
}
