// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "daemon.h"

static const char usage[] =
	"usage: usbpassd [--foreground] [--config FILE] [--state DIR] [--run DIR]\n"
	"\n"
	"  --foreground   for people and tests: plain messages, nothing for systemd\n"
	"  --config FILE  default /etc/usbpass/usbpass.yaml\n"
	"  --state DIR    default /var/lib/usbpass\n"
	"  --run DIR      default /run/usbpass\n";

/* Ends the program where there is nothing to run. */
static void parse(struct daemon *daemon, int argc, char **argv)
{
	static const struct option options[] = {
		{ "foreground", no_argument, NULL, 'f' },
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{}
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			daemon->foreground = true;
			break;
		case 'c':
			daemon->config = optarg;
			break;
		case 's':
			daemon->state_dir = optarg;
			break;
		case 'r':
			daemon->run_dir = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'v':
			puts("usbpassd " USBPASS_VERSION);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind != argc) {
		fprintf(stderr, "usbpassd: unexpected '%s'\n%s", argv[optind], usage);
		exit(2);
	}
}

static int make_directory(const struct daemon *daemon, const char *path, mode_t mode)
{
	int ret = mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;

	if (ret)
		daemon_log(daemon, LOG_ERR, "cannot make %s: %s", path, strerror(-ret));
	return ret;
}

static int watch_signals(struct daemon *daemon)
{
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	/* No callback: the loop ends. */
	ret = sd_event_add_signal(daemon->loop, NULL, SIGTERM, NULL, NULL);
	return ret < 0 ? ret : sd_event_add_signal(daemon->loop, NULL, SIGINT, NULL, NULL);
}

static int run(struct daemon *daemon)
{
	int ret = sd_event_new(&daemon->loop);

	if (ret >= 0)
		ret = watch_signals(daemon);
	if (ret >= 0)
		ret = daemon_pending_watch(daemon);
	if (ret >= 0)
		ret = daemon_module_watch(daemon);
	if (ret < 0) {
		daemon_log(daemon, LOG_ERR, "cannot start: %s", strerror(-ret));
		return ret;
	}
	if (!daemon->foreground)
		sd_notify(0, "READY=1");
	ret = sd_event_loop(daemon->loop);
	daemon_power_end(daemon);
	if (!daemon->foreground)
		sd_notify(0, "STOPPING=1");
	return ret;
}

int main(int argc, char **argv)
{
	struct daemon daemon = {
		.host = &usbpass_host_here,
		.config = "/etc/usbpass/usbpass.yaml",
		.state_dir = "/var/lib/usbpass",
		.run_dir = "/run/usbpass",
	};

	parse(&daemon, argc, argv);
	umask(022);
	if (make_directory(&daemon, daemon.run_dir, 0755) ||
	    make_directory(&daemon, daemon.state_dir, 0700))
		return 1;
	if (daemon_lock(&daemon))
		return 1;
	daemon_save_clean(&daemon);
	daemon_power_clean(&daemon);
	return run(&daemon) < 0 ? 1 : 0;
}
