/* SPDX-License-Identifier: GPL-2.0 */
/* usbpassd: what its files share. One thread, one sd_event(3) loop. */
#ifndef _USBPASSD_DAEMON_H
#define _USBPASSD_DAEMON_H

#include <systemd/sd-event.h>
#include "host.h"
#include "usbpass.h"

struct nl_sock;

struct daemon {
	const struct usbpass_host *host;
	const char *config;		/* written by people; may not be there */
	const char *state_dir, *run_dir;
	bool foreground;		/* for people: nothing for systemd */

	sd_event *loop;
	struct usbpass *h;		/* NULL while the module is not loaded */
	sd_event_source *events;	/* of h */
	sd_event_source *again;		/* timer: what failed is tried again */

	struct nl_sock *families;	/* tells of the module's coming and going */

	/* save.c */
	bool unsaved;
	bool relearned;			/* what is learned, at the same generation */
	bool keep_old;			/* state.yaml was refused: not ours to lose */
	uint64_t saved;			/* generation; of this life of the module */

	/* pending.c */
	bool look;			/* at the devices that are wanted */
	bool look_all;			/* also at those that nobody asked for */
	sd_event_source *mounts, *poll;

	/* power.c */
	bool power;			/* the module asks this one */
	struct power_cycle *cycles;	/* under way */
};

/*
 * log.c. Priorities are those of syslog(3).
 */
void daemon_log(const struct daemon *daemon, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The one line that `systemctl status` shows. */
void daemon_status(const struct daemon *daemon, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * lock.c: only one daemon on a run directory. It ends with the process. 0, or a
 * negative errno, which is told.
 */
int daemon_lock(const struct daemon *daemon);

/*
 * start.c
 */

/*
 * A fresh module gets its configuration; one that has one keeps it. A file that
 * is refused is told, and leaves the module as it is.
 * Return: 0, or a negative errno where the module does not answer.
 */
int daemon_start(struct daemon *daemon);

/*
 * save.c
 */

/* Nothing is said to be saved: before a start, and when the module goes. */
void daemon_unsave(struct daemon *daemon);

/* Removes what a killed daemon left half written. */
void daemon_save_clean(const struct daemon *daemon);

/*
 * Saves the configuration in force, and the devices that take resets badly, where either is newer
 * than what was saved; not on trial.
 */
int daemon_save(struct daemon *daemon);

/*
 * pending.c: devices that were the host's before a rule wanted them.
 */

/* Takes those that nobody uses; the others become pending. */
void daemon_pending_look(struct daemon *daemon);
int daemon_pending_watch(struct daemon *daemon);	/* once */

/*
 * power.c: switches a port off for a second, as the module asks
 */
void daemon_power_cycle(struct daemon *daemon, const struct usbpass_event *event);

/* Switches on what a killed daemon left off. */
void daemon_power_clean(const struct daemon *daemon);

/* All that are off are switched on, and nobody is told: at the end, and when the module goes. */
void daemon_power_end(struct daemon *daemon);

/* The directory of a port that the module names. -EINVAL: it is none. -> @path */
int daemon_power_path(const struct daemon *daemon, const char *port, char *path, size_t size);

/*
 * module.c
 */

/* Connects if the module is there, and watches its coming and going. */
int daemon_module_watch(struct daemon *daemon);

/* Takes the events that have come, and does what they leave to do. */
void daemon_hear(struct daemon *daemon);

/* Does what events and failures left to do. */
void daemon_work(struct daemon *daemon);

#endif /* _USBPASSD_DAEMON_H */
