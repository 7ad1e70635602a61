// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "codec.h"
#include "names.h"

static void say(const char *title, const char *text)
{
	char safe[1024];

	if (text[0])
		printf(" %s=%s", title, usbpass_names_quote(text, safe, sizeof(safe)));
}

static void print_event(const struct usbpass_event *event)
{
	bool slot = event->type == USBPASS_EVENT_SLOT_STATE;

	if (event->lost)
		printf("(%" PRIu64 " events lost)\n", event->lost);
	printf("%" PRIu64 " [%" PRIu64 ".%06" PRIu64 "] %s", event->seq,
	       event->time / 1000000000, event->time / 1000 % 1000000,
	       usbpass_words_word(USBPASS_WORDS_EVENT_TYPE, event->type));
	if (event->device)
		printf(" device=#%u", event->device);
	say("socket", event->socket);
	if (event->vendor || event->product)
		printf(" model=%04x:%04x", event->vendor, event->product);
	say("attachment", event->attach);
	say("group", event->group);
	if (event->rule)
		printf(" rule=#%u", event->rule);
	if (usbpass_has(event, USBPASS_A_EVENT_STATE))
		say("state", usbpass_words_word(slot ? USBPASS_WORDS_SLOT_STATE :
						USBPASS_WORDS_DEVICE_STATE, event->state));
	if (event->job)
		printf(" job=%u", event->job);
	if (usbpass_has(event, USBPASS_A_EVENT_RESET))
		say("reset", usbpass_words_word(USBPASS_WORDS_RESET_KIND, event->reset));
	say("port", event->port);
	if (usbpass_has(event, USBPASS_A_EVENT_RESULT))
		say("result", event->result ? strerrorname_np(-event->result) ?: "?" : "done");
	say("reason", event->reason);
	if (event->generation)
		printf(" generation=%" PRIu64, event->generation);
	if (usbpass_has(event, USBPASS_A_EVENT_PID)) {
		printf(" pid=%u uid=%u", event->pid, event->uid);
		say("comm", event->comm);
	}
	putchar('\n');
	fflush(stdout);
}

int cli_monitor(struct cli *cli)
{
	const char *text = NULL;
	const struct cli_option options[] = { { "since", CLI_VALUE, &text }, {} };
	struct usbpass_event event;
	int64_t number = 0;
	uint64_t since;
	int ret = cli_options(cli, options, 0, 0);

	if (!ret && text)
		ret = cli_number(cli, "since", text, 0, INT64_MAX, &number);
	if (ret)
		return ret;
	since = number;
	ret = usbpass_event_subscribe(cli->h, text ? &since : NULL, 0);
	if (ret < 0)
		return cli_fail(cli, ret, ret == -ENOSPC ? "end another monitor" : NULL,
				"the subscription");
	for (;;) {
		ret = usbpass_event_next(cli->h, &event, -1);
		if (ret < 0)
			return cli_fail(cli, ret, "run it again", "events");
		if (cli->json) {
			struct json_object *out = json_object_new_object();

			json_object_object_add(out, "event", cli_json(&usbpass_codec_event, &event));
			cli_print_line(out);
		} else {
			print_event(&event);
		}
		if (ferror(stdout))
			return CLI_DONE;	/* the reader has gone */
	}
}
