/* SPDX-License-Identifier: GPL-2.0 */
/* What the verbs share: options, output, errors. One verb, or one object's family, a file. */
#ifndef _USBPASS_CLI_H
#define _USBPASS_CLI_H

#include <json.h>
#include <stdio.h>
#include "host.h"
#include "usbpass.h"

#define CLI_JOB_MS	30000	/* a claim: the device may answer slowly */
#define CLI_SAVED_MS	5000

enum cli_exit {
	CLI_DONE,
	CLI_REFUSED,
	CLI_USAGE,
	CLI_NOT_FOUND,
	CLI_NO_MODULE,
};

struct cli_command;

struct cli {
	struct usbpass *h;		/* NULL where the command needs no module */
	const struct usbpass_host *host;
	const struct cli_command *command;
	bool json, no_wait;
	char **args;			/* what is left after cli_options() */
	int n_args;
};

struct cli_command {
	const char *object, *verb;	/* @verb NULL: the object is the verb */
	int (*fn)(struct cli *cli);	/* returns enum cli_exit */
	bool module;			/* needs it */
	const char *arguments, *help;
};

/*
 * main.c
 */
extern const struct cli_command cli_commands[];
int cli_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * options.c
 */
enum cli_option_type {
	CLI_FLAG,			/* bool */
	CLI_VALUE,			/* const char * */
};

struct cli_option {
	const char *name;		/* without the dashes; NULL ends a table */
	enum cli_option_type type;
	void *to;
};

/*
 * Takes the options out of cli->args and checks that between @min and @max
 * arguments are left. CLI_DONE, or CLI_USAGE with the error printed.
 */
int cli_options(struct cli *cli, const struct cli_option *options, int min, int max);

/* Each: CLI_DONE, or CLI_USAGE with the error printed. */
int cli_word(struct cli *cli, const char *option, enum usbpass_words kind, const char *text,
	     uint8_t *out);
int cli_string(struct cli *cli, const char *what, const char *text, char *out, size_t size);
int cli_number(struct cli *cli, const char *option, const char *text, int64_t min, int64_t max,
	       int64_t *out);

/* "#12" or a name: *id is 0 for a name. */
const char *cli_object(const char *text, uint32_t *id);

/*
 * error.c
 */

/* Prints why @error came of @what ("group 'x'"), and what to do; returns the exit code. */
int cli_fail(struct cli *cli, int error, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same with a sentence of the caller's own instead of the handle's. */
int cli_fail_text(struct cli *cli, int error, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What -j prints of an error; more may be added to *@body. Eats @message. */
struct json_object *cli_error_json(int error, struct json_object *message,
				   struct json_object **body);

/* @text, with how long it will be so where the kernel refuses all changes for a time. -> @buf */
const char *cli_with_time(struct cli *cli, const char *text, char *buf, size_t size);

struct usbpass_state;

/*
 * diff.c
 */

/* Prints what @state, which came from @path, would change, and changes nothing. */
int cli_diff_state(struct cli *cli, const char *path, const struct usbpass_state *state);

/*
 * saved.c
 */

/*
 * After a change: waits for the daemon. @generation NULL: the one in force now.
 * @out: JSON to complete and print (eaten); NULL where it is not wanted.
 */
int cli_saved(struct cli *cli, const uint64_t *generation, struct json_object *out);

/* After a change that is to be confirmed within @secs, which nobody saves before. Eats @out. */
int cli_unconfirmed(struct cli *cli, uint64_t generation, int64_t secs, struct json_object *out);

/*
 * output.c: all that a person reads goes through here. Whoever named a device,
 * a group, a mount point or a process: the terminal shows it and does no more.
 */

/* malloc(3)ed; as usbpass_names_safe(). */
char *cli_safe(const char *text);

/* One line, and its end; a newline within is an escape as well. */
void cli_say(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many columns of the terminal a printable text takes. */
size_t cli_columns(const char *text);

struct cli_table {
	const char *const *titles;
	size_t columns, rows;
	char **cells;
};

/* A row of strings, copied. Widths follow the terminal's idea of a character. */
void cli_table_row(struct cli_table *table, const char *const *cells);
void cli_table_print(struct cli_table *table);		/* and frees */

/* Adds "schema": 1 and prints; eats @out. */
int cli_print(struct json_object *out);
int cli_print_line(struct json_object *out);		/* on one line, flushed */
void cli_pair(const char *title, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "480", "1.5" Mbit/s. -> @buf */
const char *cli_speed(uint32_t kbps, char *buf, size_t size);

/*
 * device_list.c
 */
struct usbpass_names;

/* Its own strings where it has them, else the hardware database's. -> @buf */
const char *cli_device_name(struct usbpass_names *names, const struct usbpass_device *device,
			    char *buf, size_t size);

/*
 * conditions.c
 */

/* @err, of usbpass_rule_text_parse(), about the @text that was given as @what. Gives CLI_USAGE. */
int cli_conditions(struct cli *cli, int error, const char *what, const char *text,
		   const char *err);

/*
 * json.c
 */
struct codec;
struct json_object *cli_json(const struct codec *codec, const void *object);
struct json_object *cli_json_string(const char *text);	/* never invalid UTF-8 */

/*
 * take.c: present devices into usbpass's hands
 */
enum cli_taken {
	CLI_TAKEN,
	CLI_PENDING,			/* in use by the host */
	CLI_NOT_TAKEN,			/* the kernel refused; told on stderr */
};

struct cli_taking {
	enum cli_taken result;
	char reason[256], remedy[128];	/* of PENDING and NOT_TAKEN */
	int exit;
};

/* Looks whether the host uses the device; claims it, or marks it pending. */
void cli_take(struct cli *cli, const struct usbpass_device *device, bool force,
	      struct cli_taking *out);
struct json_object *cli_taking_json(const struct usbpass_device *device,
				    const struct cli_taking *taking);
void cli_taking_print(const struct usbpass_device *device, const struct cli_taking *taking);

/*
 * find.c
 */

/* All devices, and the ones that the arguments from @first on mean. */
struct cli_devices {
	struct usbpass_device *list;
	size_t n;
	const struct usbpass_device **chosen;	/* n_chosen of them, without doubles */
	size_t n_chosen;
};

int cli_devices(struct cli *cli, int first, struct cli_devices *out);
void cli_devices_free(struct cli_devices *devices);

/* The node's path. -> @buf */
const char *cli_node_path(const struct usbpass_attachment *attachment, char *buf, size_t size);

/*
 * radius.c
 */

/* What a reset would hit. */
struct cli_radius {
	uint8_t kind;			/* enum usbpass_reset_kind */
	const struct usbpass_device *device;	/* that would be reset */
	const struct cli_devices *devices;
	struct usbpass_hit *hits;	/* n of them, n_barring are in the way */
	size_t n, n_barring;
	struct usbpass_attachment *attachments;
	size_t n_attachments;
};

/* Of @devices' first chosen one, which must stay. A negative errno of the handle's, or 0. */
int cli_radius_get(struct cli *cli, const struct cli_devices *devices, uint8_t kind,
		   struct cli_radius *out);
void cli_radius_free(struct cli_radius *radius);	/* also after an error */
void cli_radius_print(struct cli *cli, const struct cli_radius *radius);
struct json_object *cli_radius_json(struct cli *cli, const struct cli_radius *radius);

/* A line for each that is in the way, a newline before each; printable. malloc(3)ed, NULL: no memory. */
char *cli_radius_barring(struct cli *cli, const struct cli_radius *radius);

/*
 * learned.c
 */
struct cli_learned {
	struct usbpass_learned *list;
	size_t n;
};

void cli_learned_get(struct cli *cli, struct cli_learned *out);
void cli_learned_free(struct cli_learned *learned);

/* Half a sentence about the device, NULL: nothing was learned of it. -> @buf */
const char *cli_learned_of(const struct cli_learned *learned, const struct usbpass_device *device,
			   char *buf, size_t size);
int cli_forget(struct cli *cli, const struct usbpass_device *device);

/* Says that what the file has of this is not applied, if it has. */
void cli_unlearned(const char *path, const struct usbpass_state *state);

/*
 * The verbs.
 */
int cli_device_list(struct cli *cli);
int cli_device_show(struct cli *cli);
int cli_device_claim(struct cli *cli);
int cli_device_release(struct cli *cli);
int cli_device_reset(struct cli *cli);
int cli_group_add(struct cli *cli);
int cli_group_set(struct cli *cli);
int cli_group_del(struct cli *cli);
int cli_group_list(struct cli *cli);
int cli_group_show(struct cli *cli);
int cli_group_make(struct cli *cli);
int cli_rule_add(struct cli *cli);
int cli_rule_set(struct cli *cli);
int cli_rule_del(struct cli *cli);
int cli_rule_list(struct cli *cli);
int cli_rule_show(struct cli *cli);
int cli_rule_test(struct cli *cli);
int cli_attach_add(struct cli *cli);
int cli_attach_set(struct cli *cli);
int cli_attach_del(struct cli *cli);
int cli_attach_list(struct cli *cli);
int cli_attach_show(struct cli *cli);
int cli_apply(struct cli *cli);
int cli_confirm(struct cli *cli);
int cli_revert(struct cli *cli);
int cli_diff(struct cli *cli);
int cli_import(struct cli *cli);
int cli_save(struct cli *cli);
int cli_maintenance(struct cli *cli);
int cli_status(struct cli *cli);
int cli_monitor(struct cli *cli);
int cli_doctor(struct cli *cli);
int cli_version(struct cli *cli);

#endif /* _USBPASS_CLI_H */
