/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kselftest TAP for tests in C. One property a test, its name a sentence:
 *
 *	#include "tap.h"
 *
 *	TEST("a second open is refused with EBUSY")
 *	{
 *		int fd = open(path, O_RDWR);
 *
 *		ASSERT(fd >= 0);
 *		EXPECT_ERRNO(EBUSY, open(path, O_RDWR));
 *		EXPECT_EQ(1, close_count);
 *		if (!has_streams)
 *			SKIP("the controller has no streams");
 *	}
 *
 *	TAP_MAIN
 *
 * Each test runs in a process of its own, which an alarm kills after TAP_SECONDS (30 unless defined before, ten times that
 * in long runs, SLOWER times that on a slow kernel). EXPECT goes on after a failure, ASSERT ends the test. TAP_SETUP { ... }
 * runs before each test, in its process; tap_defer(function) runs it at the test's end, also a failed one. tap_long() tells
 * whether this is a long run.
 * The program's arguments choose tests: those whose name contains one of them.
 */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TAP_SECONDS
#define TAP_SECONDS 30
#endif

/* Exit statuses of a test's process, those of kselftest. */
#define TAP_PASS 0
#define TAP_FAIL 1
#define TAP_SKIP 4

struct tap_test {
	const char *name;
	void (*run)(void);
	struct tap_test *next;
};

static struct tap_test *tap_first, **tap_last = &tap_first;
static void (*tap_setup_run)(void);
static bool tap_failed;
static int tap_skip_pipe = -1;

static inline bool tap_long(void)
{
	const char *value = getenv("LONG");

	return value && !strcmp(value, "1");
}

/* How many times slower than the stock kernel this one may be; for what only bounds a hang. */
static inline int tap_slower(void)
{
	const char *value = getenv("SLOWER");

	return value && atoi(value) > 1 ? atoi(value) : 1;
}

static inline void tap_defer(void (*function)(void))
{
	atexit(function);
}

#define TAP_GLUE2(a, b) a##b
#define TAP_GLUE(a, b) TAP_GLUE2(a, b)

#define TEST_AS(sentence, function, entry, enlist)                                                                             \
	static void function(void);                                                                                            \
	static struct tap_test entry = {.name = sentence, .run = function};                                                    \
	__attribute__((constructor)) static void enlist(void)                                                                  \
	{                                                                                                                      \
		*tap_last = &entry;                                                                                            \
		tap_last = &entry.next;                                                                                        \
	}                                                                                                                      \
	static void function(void)

#define TEST(sentence) TEST_AS(sentence, TAP_GLUE(tap_run_, __LINE__), TAP_GLUE(tap_entry_, __LINE__), TAP_GLUE(tap_enlist_, __LINE__))

#define TAP_SETUP                                                                                                              \
	static void tap_setup(void);                                                                                           \
	__attribute__((constructor)) static void tap_setup_enlist(void)                                                        \
	{                                                                                                                      \
		tap_setup_run = tap_setup;                                                                                     \
	}                                                                                                                      \
	static void tap_setup(void)

/* A remark, shown with the test's result. */
#define TAP_SAY(...)                                                                                                           \
	do {                                                                                                                   \
		printf("# ");                                                                                                  \
		printf(__VA_ARGS__);                                                                                           \
		printf("\n");                                                                                                  \
		fflush(stdout);                                                                                                \
	} while (0)

#define TAP_CHECK(leave, condition, ...)                                                                                       \
	do {                                                                                                                   \
		if (!(condition)) {                                                                                            \
			printf("# %s:%d: ", strrchr("/" __FILE__, '/') + 1, __LINE__);                                         \
			printf(__VA_ARGS__);                                                                                   \
			printf("\n");                                                                                          \
			fflush(stdout);                                                                                        \
			tap_failed = true;                                                                                     \
			if (leave)                                                                                             \
				exit(TAP_FAIL);                                                                                \
		}                                                                                                              \
	} while (0)

#define TAP_COMPARE(leave, a, operator, b)                                                                                     \
	do {                                                                                                                   \
		long long tap_a = (long long)(a), tap_b = (long long)(b);                                                      \
		TAP_CHECK(leave, tap_a operator tap_b, "%s " #operator " %s: %lld and %lld", #a, #b, tap_a, tap_b);            \
	} while (0)

#define TAP_ERRNO(leave, error, call)                                                                                          \
	do {                                                                                                                   \
		errno = 0;                                                                                                     \
		long long tap_result = (long long)(call);                                                                      \
		int tap_errno = errno;                                                                                         \
		TAP_CHECK(leave, tap_result == -1 && tap_errno == (error), "%s: should fail with %s (%s), gave %lld, errno %s",\
			  #call, #error, strerrorname_np(error), tap_result, tap_errno ? strerrorname_np(tap_errno) : "0");    \
	} while (0)

#define EXPECT(condition) TAP_CHECK(false, condition, "should hold: %s (errno %d)", #condition, errno)
#define ASSERT(condition) TAP_CHECK(true, condition, "should hold: %s (errno %d)", #condition, errno)
#define EXPECT_EQ(a, b) TAP_COMPARE(false, a, ==, b)
#define ASSERT_EQ(a, b) TAP_COMPARE(true, a, ==, b)
#define EXPECT_NE(a, b) TAP_COMPARE(false, a, !=, b)
#define ASSERT_NE(a, b) TAP_COMPARE(true, a, !=, b)
#define EXPECT_LE(a, b) TAP_COMPARE(false, a, <=, b)
#define ASSERT_LE(a, b) TAP_COMPARE(true, a, <=, b)
#define EXPECT_GE(a, b) TAP_COMPARE(false, a, >=, b)
#define ASSERT_GE(a, b) TAP_COMPARE(true, a, >=, b)
#define EXPECT_STR(a, b) TAP_CHECK(false, !strcmp(a, b), "should be '%s': %s is '%s'", a, #b, b)
#define ASSERT_STR(a, b) TAP_CHECK(true, !strcmp(a, b), "should be '%s': %s is '%s'", a, #b, b)
/* A call that gives -1 and sets errno. */
#define EXPECT_ERRNO(error, call) TAP_ERRNO(false, error, call)
#define ASSERT_ERRNO(error, call) TAP_ERRNO(true, error, call)

#define SKIP(reason)                                                                                                           \
	do {                                                                                                                   \
		dprintf(tap_skip_pipe, "%s", reason);                                                                          \
		exit(TAP_SKIP);                                                                                                \
	} while (0)

static inline void tap_child(const struct tap_test *test, int skip_pipe)
{
	tap_skip_pipe = skip_pipe;
	setpgid(0, 0);
	alarm(tap_slower() * (tap_long() ? 10 * TAP_SECONDS : TAP_SECONDS));
	if (tap_setup_run)
		tap_setup_run();
	test->run();
	exit(tap_failed ? TAP_FAIL : TAP_PASS);
}

/* True where the test did not fail. */
static inline bool tap_run(const struct tap_test *test, unsigned int number)
{
	char reason[256] = "";
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes))
		return false;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return false;
	if (pid == 0)
		tap_child(test, pipes[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* What the test left running; it may still hold the pipe's other end, so read only what a skip has written. */
	kill(-pid, SIGKILL);
	if (WIFEXITED(status) && WEXITSTATUS(status) == TAP_SKIP && read(pipes[0], reason, sizeof(reason) - 1) < 0)
		reason[0] = '\0';
	close(pipes[0]);
	close(pipes[1]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == TAP_SKIP && reason[0]) {
		printf("ok %u %s # SKIP %s\n", number, test->name, reason);
		return true;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == TAP_PASS) {
		printf("ok %u %s\n", number, test->name);
		return true;
	}
	printf("not ok %u %s\n", number, test->name);
	if (WIFSIGNALED(status))
		printf("# %s\n", WTERMSIG(status) == SIGALRM ? "the time is over" : strsignal(WTERMSIG(status)));
	return false;
}

static inline bool tap_chosen(const struct tap_test *test, char **wanted)
{
	bool any = false;

	for (; *wanted; wanted++) {
		any = true;
		if (strstr(test->name, *wanted))
			return true;
	}
	return !any;
}

static inline int tap_main(char **wanted)
{
	unsigned int count = 0, failed = 0, number = 0;

	for (struct tap_test *test = tap_first; test; test = test->next)
		count += tap_chosen(test, wanted);
	printf("TAP version 13\n1..%u\n", count);
	for (struct tap_test *test = tap_first; test; test = test->next)
		if (tap_chosen(test, wanted))
			failed += !tap_run(test, ++number);
	return failed ? TAP_FAIL : TAP_PASS;
}

#define TAP_MAIN                                                                                                               \
	int main(int argc, char **argv)                                                                                        \
	{                                                                                                                      \
		(void)argc;                                                                                                    \
		return tap_main(argv + 1);                                                                                     \
	}

#endif
