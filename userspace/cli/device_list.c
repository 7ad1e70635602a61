// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "names.h"

const char *cli_device_name(struct usbpass_names *names, const struct usbpass_device *device,
			    char *buf, size_t size)
{
	char vendor[512], product[512];
	const char *known = usbpass_names_vendor(names, device->vendor);

	snprintf(vendor, sizeof(vendor), "%.500s", known);
	if (!vendor[0])
		usbpass_names_quote(device->vendor_name, vendor, sizeof(vendor));
	known = usbpass_names_product(names, device->vendor, device->product);
	snprintf(product, sizeof(product), "%.500s", known);
	if (!product[0])
		usbpass_names_quote(device->product_name, product, sizeof(product));
	snprintf(buf, size, "%s%s%s", vendor, vendor[0] && product[0] ? " " : "", product);
	return buf;
}

static const char *driver_of(struct cli *cli, const struct usbpass_device *device, char *buf,
			     size_t size)
{
	if (device->state >= USBPASS_DEVICE_IDLE) {
		snprintf(buf, size, "usbpass");
		return buf;
	}
	return usbpass_host_drivers(cli->host, device->busid, buf, size);
}

static struct json_object *device_json(struct cli *cli, struct usbpass_names *names,
				       const struct usbpass_device *device)
{
	struct json_object *out = cli_json(&usbpass_codec_device, device);
	char driver[256];

	json_object_object_add(out, "database_vendor",
			       cli_json_string(usbpass_names_vendor(names, device->vendor)));
	json_object_object_add(out, "database_product",
			       cli_json_string(usbpass_names_product(names, device->vendor,
								     device->product)));
	json_object_object_add(out, "bad_resetter", json_object_new_boolean(
		device->flags & USBPASS_DEVICE_F_BAD_RESETTER));
	json_object_object_add(out, "driver",
			       cli_json_string(driver_of(cli, device, driver, sizeof(driver))));
	return out;
}

static void list_row(struct cli *cli, struct usbpass_names *names, struct cli_table *table,
		     const struct usbpass_device *device)
{
	char id[16], model[16], name[1100], serial[256], speed[16], driver[256], group[256],
	     rule[256], state[64];
	const char *cells[] = {
		id, device->busid, device->socket, model, name, serial, speed, driver, group, rule,
		state,
	};

	snprintf(id, sizeof(id), "#%u", device->id);
	snprintf(model, sizeof(model), "%04x:%04x", device->vendor, device->product);
	cli_device_name(names, device, name, sizeof(name));
	usbpass_names_quote(device->serial, serial, sizeof(serial));
	cli_speed(device->speed, speed, sizeof(speed));
	driver_of(cli, device, driver, sizeof(driver));
	usbpass_names_quote(device->group, group, sizeof(group));
	usbpass_names_quote(device->rule_name, rule, sizeof(rule));
	snprintf(state, sizeof(state), "%s%s",
		 usbpass_words_word(USBPASS_WORDS_DEVICE_STATE, device->state),
		 device->flags & USBPASS_DEVICE_F_BAD_RESETTER ? ", resets badly" : "");
	cli_table_row(table, cells);
}

int cli_device_list(struct cli *cli)
{
	static const char *const titles[] = {
		"ID", "BUSID", "SOCKET", "MODEL", "NAME", "SERIAL", "MBIT/S", "DRIVER", "GROUP",
		"RULE", "STATE",
	};
	struct cli_table table = { .titles = titles, .columns = 11 };
	struct json_object *array = NULL, *out;
	struct usbpass_names *names;
	struct cli_devices devices;
	int ret = cli_options(cli, NULL, 0, 0);

	if (!ret)
		ret = cli_devices(cli, 0, &devices);
	if (ret)
		return ret;
	names = usbpass_names_open();
	if (cli->json)
		array = json_object_new_array();
	for (size_t i = 0; i < devices.n; i++) {
		if (cli->json)
			json_object_array_add(array, device_json(cli, names, &devices.list[i]));
		else
			list_row(cli, names, &table, &devices.list[i]);
	}
	if (cli->json) {
		out = json_object_new_object();
		json_object_object_add(out, "devices", array);
		cli_print(out);
	} else {
		cli_table_print(&table);
	}
	usbpass_names_close(names);
	cli_devices_free(&devices);
	return CLI_DONE;
}

static void show_string(const char *title, bool there, const char *text)
{
	char safe[4 * USBPASS_STRING_MAX + 1];

	if (there)
		cli_pair(title, "%s", usbpass_names_quote(text, safe, sizeof(safe)));
}

static void show_classes(const struct usbpass_device *device)
{
	char text[1024];
	size_t used = 0;

	for (size_t i = 0; i < device->n_interface_classes && used < sizeof(text) - 12; i++) {
		uint32_t class = device->interface_classes[i];

		used += sprintf(text + used, "%s%02x:%02x:%02x", used ? " " : "", class >> 16 & 0xff,
				class >> 8 & 0xff, class & 0xff);
	}
	if (used)
		cli_pair("interfaces", "%u, of class %s", device->interfaces, text);
}

static void show_learned(const struct cli_learned *learned, const struct usbpass_device *device)
{
	char what[128];

	if (!cli_learned_of(learned, device, what, sizeof(what)))
		return;
	cli_pair("learned", "%s", what);
	cli_pair("", "forget it: usbpass device reset '#%u' --forget", device->id);
}

static void show(struct cli *cli, struct usbpass_names *names, const struct cli_learned *learned,
		 const struct usbpass_device *device)
{
	char name[1100], speed[16], driver[256];

	cli_pair("device", "#%u", device->id);
	cli_pair("name", "%s", cli_device_name(names, device, name, sizeof(name)));
	cli_pair("model", "%04x:%04x", device->vendor, device->product);
	cli_pair("state", "%s", usbpass_words_word(USBPASS_WORDS_DEVICE_STATE, device->state));
	show_string("reason", device->reason[0], device->reason);
	show_string("remedy", device->remedy[0], device->remedy);
	show_string("vendor-name", usbpass_has(device, USBPASS_A_DEVICE_VENDOR_NAME),
		    device->vendor_name);
	show_string("product-name", usbpass_has(device, USBPASS_A_DEVICE_PRODUCT_NAME),
		    device->product_name);
	show_string("serial", usbpass_has(device, USBPASS_A_DEVICE_SERIAL), device->serial);
	cli_pair("socket", "%s", device->socket);
	cli_pair("busid", "%s (bus %u, address %u, level %u)", device->busid, device->bus,
		 device->address, device->level);
	cli_pair("speed", "%s Mbit/s", cli_speed(device->speed, speed, sizeof(speed)));
	cli_pair("usb-version", "%x.%02x", device->bcd_usb >> 8, device->bcd_usb & 0xff);
	cli_pair("bcd-device", "%x.%02x", device->bcd_device >> 8, device->bcd_device & 0xff);
	cli_pair("device-class", "%02x:%02x:%02x", device->class >> 16 & 0xff,
		 device->class >> 8 & 0xff, device->class & 0xff);
	show_classes(device);
	cli_pair("removable", "%s", usbpass_words_word(USBPASS_WORDS_REMOVABLE, device->removable));
	if (device->flags & USBPASS_DEVICE_F_HUB)
		cli_pair("hub", "yes; never claimed");
	show_string("driver", driver_of(cli, device, driver, sizeof(driver))[0], driver);
	show_string("group", device->group[0], device->group);
	if (usbpass_has(device, USBPASS_A_DEVICE_RULE))
		show_string("rule", true, device->rule_name);
	show_string("attachment", device->attach[0], device->attach);
	if (device->flags & USBPASS_DEVICE_F_RELEASED)
		cli_pair("released", "by hand, until claimed or replugged");
	cli_pair("resets", "%u", device->resets);
	show_learned(learned, device);
}

int cli_device_show(struct cli *cli)
{
	struct json_object *array = NULL, *out;
	struct cli_learned learned = {};
	struct usbpass_names *names;
	struct cli_devices devices;
	int ret = cli_options(cli, NULL, 1, 256);

	if (!ret)
		ret = cli_devices(cli, 0, &devices);
	if (ret)
		return ret;
	names = usbpass_names_open();
	if (cli->json)
		array = json_object_new_array();
	else
		cli_learned_get(cli, &learned);
	for (size_t i = 0; i < devices.n_chosen; i++) {
		if (cli->json) {
			json_object_array_add(array, device_json(cli, names, devices.chosen[i]));
			continue;
		}
		if (i)
			putchar('\n');
		show(cli, names, &learned, devices.chosen[i]);
	}
	cli_learned_free(&learned);
	if (cli->json) {
		out = json_object_new_object();
		json_object_object_add(out, "devices", array);
		cli_print(out);
	}
	usbpass_names_close(names);
	cli_devices_free(&devices);
	return CLI_DONE;
}
