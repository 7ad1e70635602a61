// SPDX-License-Identifier: GPL-2.0
/* Command line of emu: a process that is a device, and one that talks to it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "emu.h"

static const char usage[] =
	"usage: emudev [--ctl PATH] [--daemon] [--wait enumerated|attached|none]\n"
	"              [--timeout SECONDS] [--KEY VALUE | --set COMMAND]...\n"
	"       emudev ctl PATH COMMAND...\n"
	"       emudev help\n"
	"\n"
	"The first is a USB device until it is killed or told `quit`; it prints one\n"
	"line, \"ready busid=... socket=...\", once the kernel enumerated it. --wait\n"
	"attached is for devices that never enumerate, --wait none leaves it unplugged.\n"
	"PATH is a socket that takes commands, one a line, each answered by its output\n"
	"and then \"ok\" or \"error: ...\". --KEY VALUE is any setting below.\n\n";

struct options {
	const char *ctl;
	const char *wait;
	int timeout;
	bool daemon;
};

struct client {
	struct emu *emu;
	const char *path;
	int fd;
};

/* Set by `quit`: the path may be another device's by the time we end. */
static atomic_bool path_removed;

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "emudev: %s: %s\n", what, why);
	return 1;
}

static bool make_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return false;
	strcpy(address->sun_path, path);
	return true;
}

static int listen_on(const char *path)
{
	struct sockaddr_un address;
	int fd;

	if (!make_address(&address, path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 16)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Answered when the kernel has let go, so that the next may take name and port. */
static void quit(const struct client *client, FILE *out)
{
	if (!emu_command(client->emu, "unplug", NULL))
		emu_wait(client->emu, "enumerated==0", 10000);
	path_removed = true;
	unlink(client->path);
	fprintf(out, "ok\n");
	fflush(out);
	kill(getpid(), SIGTERM);
}

/* A thread of its own for each connection, as `wait` may take long. */
static void *serve(void *arg)
{
	struct client *client = arg;
	FILE *in = fdopen(client->fd, "r");
	FILE *out = fdopen(dup(client->fd), "w");
	char *line = NULL, *reply;
	size_t size = 0;
	ssize_t len;
	int ret;

	while (in && out && (len = getline(&line, &size, in)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!strcmp(line, "quit")) {
			quit(client, out);
			break;
		}
		reply = NULL;
		ret = emu_command(client->emu, line, &reply);
		fprintf(out, ret ? "error: %s\n" : "%sok\n", reply ? reply : "");
		fflush(out);
		free(reply);
	}
	free(line);
	if (out)
		fclose(out);
	if (in)
		fclose(in);
	free(client);
	return NULL;
}

static void accept_client(struct emu *emu, int listener, const char *path)
{
	struct client *client = malloc(sizeof(*client));
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pthread_t thread;

	if (fd >= 0 && client) {
		*client = (struct client){ .emu = emu, .path = path, .fd = fd };
		if (!pthread_create(&thread, NULL, serve, client)) {
			pthread_detach(thread);
			return;
		}
	}
	if (fd >= 0)
		close(fd);
	free(client);
}

static int run_command(struct emu *emu, const char *command)
{
	char *reply = NULL;
	int ret = emu_command(emu, command, &reply);

	if (ret)
		fprintf(stderr, "emudev: %s\n",
			reply && *reply ? reply : strerror(-ret));
	free(reply);
	return ret;
}

/* "--key value" and "--set command"; -1: not ours */
static int run_option(struct emu *emu, const char *option, const char *value)
{
	char *line;
	int ret;

	if (!strcmp(option, "--set"))
		return run_command(emu, value);
	if (asprintf(&line, "%s=%s", option + 2, value) < 0)
		return -ENOMEM;
	ret = run_command(emu, line);
	free(line);
	return ret;
}

static int plug(struct emu *emu, const struct options *options)
{
	if (!strcmp(options->wait, "none"))
		return 0;
	if (run_command(emu, "plug"))
		return -1;
	if (!strcmp(options->wait, "attached"))
		return 0;
	if (!emu_wait(emu, "enumerated==1", options->timeout * 1000))
		return 0;
	fail("plug", "the kernel did not enumerate it in time: see its log, or use --wait attached");
	return -1;
}

static void say_ready(struct emu *emu)
{
	char *stats = NULL, *at, name[32] = "-";

	if (!emu_command(emu, "stats", &stats)) {
		at = strstr(stats, "\nsocket=");
		if (at)
			sscanf(at, "\nsocket=%31s", name);
	}
	free(stats);
	printf("ready busid=%s socket=%s pid=%d\n", emu_busid(emu), name,
	       (int)getpid());
	fflush(stdout);
}

static void serve_until_signal(struct emu *emu, int listener, int signals,
			       const char *path)
{
	struct pollfd fds[2] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = listener, .events = POLLIN },
	};

	while (poll(fds, 2, -1) > 0 || errno == EINTR) {
		if (fds[0].revents)
			return;
		if (fds[1].revents)
			accept_client(emu, listener, path);
	}
}

/*
 * The parent stays until the child is ready, as a tool that was run would, and
 * leaves with its verdict. Before any thread: those do not survive a fork.
 */
static void daemonize(void)
{
	int pipes[2];
	char line[256];
	FILE *file;
	bool ready = false;

	if (pipe2(pipes, O_CLOEXEC))
		exit(fail("pipe", strerror(errno)));
	switch (fork()) {
	case -1:
		exit(fail("fork", strerror(errno)));
	case 0:
		setsid();
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		return;
	}
	close(pipes[1]);
	file = fdopen(pipes[0], "r");
	if (file && fgets(line, sizeof(line), file)) {
		ready = true;
		fputs(line, stdout);
		fflush(stdout);
	}
	_exit(ready ? 0 : 1);
}

static void detach_stdio(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
}

static int is_device(int argc, char **argv, struct options *options)
{
	sigset_t set;
	struct emu *emu;
	int i, listener = -1, signals, ret = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	emu = emu_new();
	if (signals < 0 || !emu)
		return fail("start", strerror(errno));
	for (i = 1; !ret && i + 1 < argc; i++)
		if (argv[i])
			ret = run_option(emu, argv[i], argv[i + 1]), i++;
	if (!ret && options->ctl) {
		listener = listen_on(options->ctl);
		if (listener < 0)
			ret = fail(options->ctl, strerror(errno));
	}
	if (!ret)
		ret = plug(emu, options);
	if (!ret) {
		say_ready(emu);
		if (options->daemon)
			detach_stdio();
		serve_until_signal(emu, listener, signals, options->ctl);
	}
	if (listener >= 0 && !path_removed)
		unlink(options->ctl);
	/*
	 * Not emu_free(): a client's thread may be in a command. The kernel
	 * sees the closed socket as the unplug.
	 */
	return ret ? 1 : 0;
}

/* Takes its own options out of argv; what is left are pairs. */
static bool parse(int argc, char **argv, struct options *options)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) || !argv[i][2])
			return false;
		if (!strcmp(argv[i], "--daemon")) {
			options->daemon = true;
			argv[i] = NULL;
			continue;
		}
		if (i + 1 >= argc)
			return false;
		if (!strcmp(argv[i], "--ctl"))
			options->ctl = argv[i + 1];
		else if (!strcmp(argv[i], "--wait"))
			options->wait = argv[i + 1];
		else if (!strcmp(argv[i], "--timeout"))
			options->timeout = atoi(argv[i + 1]);
		else {
			i++;
			continue;
		}
		argv[i] = argv[i + 1] = NULL;
		i++;
	}
	return options->timeout > 0 && (!strcmp(options->wait, "enumerated") ||
					!strcmp(options->wait, "attached") ||
					!strcmp(options->wait, "none"));
}

/* Each command's output to stdout; stops at the first that fails. */
static int talk(const char *path, char **commands, int count)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *line = NULL;
	size_t size = 0;
	FILE *in;
	int i;

	if (fd < 0 || !make_address(&address, path))
		return fail(path, "no such socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fail(path, strerror(errno));
	in = fdopen(fd, "r");
	if (!in)
		return fail(path, strerror(errno));
	for (i = 0; i < count; i++) {
		if (dprintf(fd, "%s\n", commands[i]) < 0)
			return fail(path, strerror(errno));
		for (;;) {
			if (getline(&line, &size, in) <= 0)
				return fail(commands[i], "the device's process is gone");
			if (!strcmp(line, "ok\n"))
				break;
			if (!strncmp(line, "error: ", 7)) {
				fprintf(stderr, "emudev: %s", line + 7);
				return 1;
			}
			fputs(line, stdout);
		}
	}
	free(line);
	fclose(in);
	return 0;
}

static int help(void)
{
	struct emu *emu = emu_new();
	char *text = NULL;

	fputs(usage, stdout);
	if (emu && !emu_command(emu, "help", &text))
		fputs(text, stdout);
	free(text);
	if (emu)
		emu_free(emu);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .wait = "enumerated", .timeout = 30 };

	if (argc == 2 && (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help")))
		return help();
	if (argc >= 4 && !strcmp(argv[1], "ctl"))
		return talk(argv[2], argv + 3, argc - 3);
	if (!parse(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	if (options.daemon)
		daemonize();
	return is_device(argc, argv, &options);
}
