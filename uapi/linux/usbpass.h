/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * usbpass: USB devices for virtual machines and tenants.
 *
 * This header is the manual of the kernel interface: the generic netlink
 * family "usbpass", the ioctls of a slot's char device, and their bounds. The
 * family also stands in usbpass.yaml beside this directory, in the form of
 * the kernel's Documentation/netlink/specs; a test holds one against the other.
 *
 * The words (device, socket, group, rule, attachment, slot, lease, owner) are
 * explained in usbpass(7).
 *
 *
 * 1. Netlink
 * ==========
 *
 * Authority. Every command of this version is one of the host's and needs
 * CAP_SYS_ADMIN in the initial user namespace, both of the task that opened
 * the socket and of the task that sends (netlink_capable(9)). Dumps need it
 * too. Without it: EPERM, "usbpass: the host's verbs need CAP_SYS_ADMIN".
 *
 * Errors arrive in the acknowledgment, with an extended-ack message always
 * and the attribute at fault wherever one is. Set NETLINK_EXT_ACK.
 *
 * Nesting. A request carries one nest (DEVICE, GROUP, RULE or ATTACH) beside
 * the top level's FLAGS and GENERATION. A reply carries the same nest. Dumps
 * send one object a message; GENERATION tells a change in mid-dump (also
 * flagged NLM_F_DUMP_INTR: ask again).
 *
 * Strings are NUL-terminated, printable UTF-8; lengths below exclude the NUL.
 * Times are u64 nanoseconds of CLOCK_BOOTTIME. Booleans are u8, 0 or 1.
 *
 * SET leaves every field whose attribute is absent. SET and DEL name the
 * object by ID or by NAME (ID wins; SET with both renames).
 *
 *
 * Errors that any command may give
 *   EPERM      no authority (above)
 *   EINVAL     a needed attribute is missing, a value is malformed, a string is
 *              too long, or an attribute or flag is unknown to the command; the
 *              message names it
 *   ERANGE     a number, or how many of something, is outside its range
 *   EOPNOTSUPP a field, operator, action or policy that this module does not
 *              carry (see USBPASS_A_INFO_FEATURES)
 *   ENOMEM     no memory; nothing has changed
 *
 * USBPASS_CMD_INFO            do: -> INFO
 *
 * USBPASS_CMD_DEVICE_GET      do: DEVICE{ID} -> DEVICE; dump: -> DEVICE...
 *   ENODEV     no present device has this id
 *
 * USBPASS_CMD_DEVICE_CLAIM    do: DEVICE{ID [REASON]} [FLAGS] -> JOB
 *   Asks for a device that was present before its rule. The kernel takes it
 *   from the host's driver at once; whether the host uses it is the caller's
 *   to find out. With USBPASS_F_PENDING it is not taken but marked pending,
 *   with REASON, until a claim without that flag, or its replug.
 *   ENODEV     no present device has this id
 *   ENOENT     no rule claims this device; add one first
 *   EOPNOTSUPP the device is a hub: hubs are never claimed
 *   EBUSY      module parameter `claim` is 0, or maintenance is on: nothing new
 *              is taken; or it is being reset
 *   The job fails with EBUSY if the port is owned through usbfs or nothing new
 *   is taken any more, ENOENT if no rule claims it any more, and EIO if the
 *   device does not answer.
 *
 * USBPASS_CMD_DEVICE_RELEASE  do: DEVICE{ID} [FLAGS] -> JOB
 *   Gives a device to the host's drivers, as if it had just been plugged in,
 *   until it is claimed or replugged.
 *   ENODEV     no present device has this id
 *   EALREADY   the host's drivers have it
 *   EBUSY      its lease is open and FLAGS lacks USBPASS_F_REVOKE; or it is being
 *              reset
 *
 * USBPASS_CMD_DEVICE_RESET    do: DEVICE{ID} [RESET] [FLAGS] -> JOB
 *                             dump: DEVICE{ID} [RESET] -> {DEVICE IN_THE_WAY}...
 *   Resets a device, of whomever it is; RESET defaults to DEVICE. Leases on what
 *   the reset hits live through it, where that comes back the same in return_ms.
 *   The dump resets nothing: it lists what would be hit, the device itself
 *   first. Between a dump and a reset what is in the way may change; the reset
 *   looks again, when nothing can be opened or claimed there any more.
 *   Guest-reset policies, budget and LEARNED are about consumers, not this.
 *   ENODEV     no present device has this id
 *   EOPNOTSUPP the device is a hub; or this RESET is not available here: what is
 *              plugged into a root hub has no HUB, SOFT is of what is leased, and
 *              PORT needs a socket that subscribed with USBPASS_F_POWER
 *   EBUSY      a device that is IN_THE_WAY, and FLAGS lacks USBPASS_F_FORCE
 *   The job fails with EBUSY if something got in the way meanwhile, or a reset
 *   there is under way, ENODEV if
 *   the device left, EOPNOTSUPP if the hub does not switch the power of this port
 *   alone, ETIMEDOUT if nobody answered a POWER_CYCLE in USBPASS_POWER_SECS, and
 *   else with what the USB core or the answer said.
 *
 * USBPASS_CMD_POWER_DONE      do: JOB RESULT
 *   From who subscribed with USBPASS_F_POWER: how the event POWER_CYCLE with this
 *   JOB ended.
 *   ENOENT     no power cycle with this number is under way
 *   EPERM      another socket subscribed for it
 *
 * USBPASS_CMD_LEARNED_NEW     do: LEARNED{VENDOR PRODUCT [SERIAL] [SOCKET] UNTIL}
 * USBPASS_CMD_LEARNED_DEL     do: LEARNED{VENDOR PRODUCT [SERIAL] [SOCKET]}
 * USBPASS_CMD_LEARNED_GET     dump: -> LEARNED...
 *   Devices that take resets badly: of the last three resets of their consumers
 *   two failed, a minute apart or more (after a failed one the device is not back
 *   the same in return_ms, or does not answer). Consumers' resets of them are
 *   SOFT, for USBPASS_LEARNED_DAYS. NEW is for who kept them over a boot; UNTIL
 *   of one that is there is set. Past USBPASS_LEARNED_MAX the one that ends first
 *   makes room.
 *   EINVAL     both SERIAL and SOCKET, or neither; UNTIL has passed
 *   ERANGE     UNTIL is more than USBPASS_LEARNED_DAYS away
 *   ENOENT     (DEL) nothing is known of such a device
 *
 * USBPASS_CMD_GROUP_NEW       do: GROUP{[NAME] [CLASS] [RESET] [ENABLED]
 *                                 [DESCRIPTION] [TYPE]} -> GROUP{ID NAME}
 * USBPASS_CMD_GROUP_SET       do: GROUP{ID|NAME ...}
 * USBPASS_CMD_GROUP_DEL       do: GROUP{ID|NAME}
 * USBPASS_CMD_GROUP_GET       do: GROUP{ID|NAME} -> GROUP; dump
 *   EEXIST     the name is taken
 *   ENOENT     no such group
 *   EBUSY      (DEL) a rule or an attachment names the group
 *   ENOSPC     USBPASS_GROUPS_MAX groups exist
 *
 * USBPASS_CMD_RULE_NEW        do: RULE{[NAME] [PRIORITY] ACTION [GROUP]
 *                                [ORIGIN] [ENABLED] [DESCRIPTION] COND...}
 *                                -> RULE{ID NAME}
 * USBPASS_CMD_RULE_SET        do: RULE{ID|NAME ...}; CONDs replace all CONDs
 * USBPASS_CMD_RULE_DEL        do: RULE{ID|NAME}
 * USBPASS_CMD_RULE_GET        do: RULE{ID|NAME} -> RULE; dump, in match order
 *   What a rule of action QUARANTINE wins as it is plugged in is HELD, without a
 *   configuration and in no group, until another rule wins it, DEVICE_RELEASE,
 *   or its unplugging. What the host has already is left to it, also by
 *   USBPASS_F_RESCAN. With the module's parameter `claim` 0 nothing more is
 *   quarantined; what is held stays so.
 *   EEXIST     the name is taken
 *   ENOENT     no such rule; or (on GROUP) no such group
 *   ENOSPC     USBPASS_RULES_MAX rules exist
 *
 * USBPASS_CMD_RULE_TEST       do: DEVICE -> RULE (the winner), or an empty reply
 *                                 where none matches; dump: DEVICE -> each RULE
 *                                 in match order, with FAILED where it does not
 *                                 match
 *   DEVICE is the ID of a present device, or what a device would be: the
 *   attributes from SOCKET to INTERFACE_CLASS but BUSID. Of what is absent a
 *   number is 0 and a string empty. A disabled rule wins nothing. In a socket
 *   with a stage: the rules of the stage.
 *   ENODEV     no present device has this id
 *   EINVAL     (on DEVICE) neither, or both
 *
 * USBPASS_CMD_ATTACH_NEW      do: ATTACH{[NAME] [SLUG] GROUP [VM] [RESET]
 *                                 [OPTIONAL] [FOLLOW] [ENABLED] [UID] [GID]
 *                                 [DESCRIPTION] [PIN_*]}
 *                                 -> ATTACH{ID NAME SLUG SLOT}
 * USBPASS_CMD_ATTACH_SET      do: ATTACH{ID|NAME ...}
 * USBPASS_CMD_ATTACH_DEL      do: ATTACH{ID|NAME} [FLAGS]
 * USBPASS_CMD_ATTACH_GET      do: ATTACH{ID|NAME} -> ATTACH; dump
 *   EEXIST     the name, or (on SLUG) the slug, is taken
 *   ENOENT     no such attachment; or (on GROUP) no such group
 *   EBUSY      (DEL, or SET of GROUP, SLUG or PIN) its lease is open and FLAGS
 *              lacks USBPASS_F_REVOKE
 *   ENOSPC     USBPASS_SLOTS_MAX slots exist
 *
 * USBPASS_CMD_TXN_BEGIN       do: [GENERATION] [FLAGS]
 *   Opens this socket's stage. Until COMMIT, the NEW, SET and DEL commands of
 *   this socket change only the stage, and its GET of groups, rules and
 *   attachments read it. With USBPASS_F_REPLACE the stage begins empty, and a
 *   NEW whose name exists in force takes over that object: id, age, counters
 *   and slot. A closed socket, or 60 s without a command, drops the stage.
 *   EALREADY   this socket has a stage
 *   ESTALE     GENERATION is given and is not the one in force
 * USBPASS_CMD_TXN_COMMIT      do: [FLAGS] [CONFIRM_SECS] -> GENERATION
 *   All or nothing. With USBPASS_F_RESCAN present devices that a rule of the
 *   new configuration claims are taken too (as DEVICE_CLAIM does). A lease
 *   whose device no rule claims into its attachment's group any more lasts
 *   until it is closed; with USBPASS_F_REVOKE it ends soon after.
 *   With CONFIRM_SECS the kernel goes back by itself, to the configuration in
 *   force before, unless TXN_CONFIRM comes in that time (which stands still
 *   while the machine sleeps). Until then a device that the old rules claim,
 *   and the new ones do not, stays claimed: HELD, and not for lease. Going
 *   back is a commit of its own: the attachments of before are at their paths
 *   again (in another slot, where they were gone), and leases that it has no
 *   place for end. What USBPASS_F_REVOKE ended stays so.
 *   ENOENT     this socket has no stage; or a reference in it dangles
 *   ESTALE     another commit came first; begin again
 *   EBUSY      an attachment with an open lease is missing from the stage, and
 *              FLAGS lacks USBPASS_F_REVOKE; or (any command that commits) a
 *              configuration waits to be confirmed
 *   ENOSPC     no slot is left: with CONFIRM_SECS an attachment that goes
 *              needs another one, for going back
 * USBPASS_CMD_TXN_ABORT       do:
 *   ENOENT     this socket has no stage
 *   ENOBUFS    (any command that stages) USBPASS_STAGE_BYTES_MAX is reached
 * USBPASS_CMD_TXN_CONFIRM     do: -> GENERATION
 *   Keeps the configuration that waits to be confirmed. Any socket may ask.
 *   ENOENT     none waits
 * USBPASS_CMD_TXN_REVERT      do: -> GENERATION
 *   Goes back at once. The generation is the new one.
 *   ENOENT     no configuration waits to be confirmed
 *
 * USBPASS_CMD_SUBSCRIBE       do: [SINCE] [FLAGS]
 *   From now on this socket gets USBPASS_CMD_EVENT messages (unicast), first
 *   those kept with a sequence number above SINCE. A gap is told by
 *   USBPASS_A_EVENT_LOST in the next message. Ends with the socket. Events
 *   fill half of its receive buffer at most, and wait past that: there is
 *   always room for the answers to other commands of the socket. With
 *   USBPASS_F_POWER it promises to carry out each POWER_CYCLE, and to answer
 *   with POWER_DONE.
 *   EALREADY   this socket has subscribed
 *   EBUSY      FLAGS has USBPASS_F_POWER, and another socket's had it
 *   ENOSPC     USBPASS_SUBSCRIBERS_MAX sockets have
 * USBPASS_CMD_EVENT_GET       dump: [SINCE] -> EVENT...
 *   The events kept (the last USBPASS_EVENTS_KEPT), oldest first.
 *
 * USBPASS_CMD_JOB_GET         do: JOB -> EVENT (the job's), whose RESULT is
 *                                 -EINPROGRESS while it runs
 *   ENOENT     no such job, or it ended more than USBPASS_EVENTS_KEPT ago
 *
 * USBPASS_CMD_MAINTENANCE_SET do: MAINTENANCE
 *   1: from now on no device is claimed and no lease begins. What is claimed
 *   stays so, open leases go on, also over a reset or a replug in time, and
 *   rules go on to quarantine. 0: that ends; what was plugged in meanwhile is
 *   PENDING. Once 1 is acknowledged the open leases are all in ATTACH_GET.
 *   Setting what is set does nothing. Not kept over a reload of the module.
 */
#ifndef _UAPI_LINUX_USBPASS_H
#define _UAPI_LINUX_USBPASS_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define USBPASS_GENL_NAME	"usbpass"
#define USBPASS_GENL_VERSION	1

#define USBPASS_NAME_MAX	63	/* bytes, of any name */
#define USBPASS_SLUG_MAX	63	/* bytes */
#define USBPASS_DESCRIPTION_MAX	1023	/* bytes */
#define USBPASS_STRING_MAX	381	/* bytes: 127 UTF-16 units as UTF-8, as in
					 * MAX_USB_STRING_SIZE (usbcore message.c)
					 */
#define USBPASS_SOCKET_MAX	127	/* bytes */
#define USBPASS_VM_MAX		255	/* bytes */
#define USBPASS_REASON_MAX	255	/* bytes */
#define USBPASS_GROUPS_MAX	4096
#define USBPASS_RULES_MAX	131072
#define USBPASS_CONDS_MAX	32	/* a rule */
#define USBPASS_SLOTS_MAX	4096	/* char-device minors */
#define USBPASS_EVENTS_KEPT	1024	/* an owner */
#define USBPASS_SUBSCRIBERS_MAX	16	/* an owner */
#define USBPASS_STAGE_BYTES_MAX	(64 << 20)
#define USBPASS_STAGE_IDLE_SECS	60
#define USBPASS_CONFIRM_SECS_MAX	3600
#define USBPASS_POWER_SECS	10	/* for POWER_DONE to come */
#define USBPASS_PORT_MAX	255	/* bytes, of a port's path in sysfs */
#define USBPASS_LEARNED_DAYS	30
#define USBPASS_LEARNED_MAX	256	/* devices */

/* USBPASS_A_INFO_FEATURES, bits: what this module can do beyond version 1. */
#define USBPASS_FEATURE_RULES_EQ	0x1ULL	/* eq and ne */
#define USBPASS_FEATURE_RESET_DEVICE	0x2ULL	/* none and device */
#define USBPASS_FEATURE_RULES_TEXT	0x4ULL	/* all other operators */
#define USBPASS_FEATURE_QUARANTINE	0x8ULL	/* the action */
#define USBPASS_FEATURE_RESET_HUB	0x10ULL	/* the policy, PORT and HUB */

enum usbpass_cmd {
	USBPASS_CMD_UNSPEC,
	USBPASS_CMD_INFO,
	USBPASS_CMD_DEVICE_GET,
	USBPASS_CMD_DEVICE_CLAIM,
	USBPASS_CMD_DEVICE_RELEASE,
	USBPASS_CMD_GROUP_NEW,
	USBPASS_CMD_GROUP_SET,
	USBPASS_CMD_GROUP_DEL,
	USBPASS_CMD_GROUP_GET,
	USBPASS_CMD_RULE_NEW,
	USBPASS_CMD_RULE_SET,
	USBPASS_CMD_RULE_DEL,
	USBPASS_CMD_RULE_GET,
	USBPASS_CMD_RULE_TEST,
	USBPASS_CMD_ATTACH_NEW,
	USBPASS_CMD_ATTACH_SET,
	USBPASS_CMD_ATTACH_DEL,
	USBPASS_CMD_ATTACH_GET,
	USBPASS_CMD_TXN_BEGIN,
	USBPASS_CMD_TXN_COMMIT,
	USBPASS_CMD_TXN_ABORT,
	USBPASS_CMD_SUBSCRIBE,
	USBPASS_CMD_EVENT,		/* from the kernel only */
	USBPASS_CMD_EVENT_GET,
	USBPASS_CMD_JOB_GET,
	USBPASS_CMD_TXN_CONFIRM,
	USBPASS_CMD_TXN_REVERT,
	USBPASS_CMD_MAINTENANCE_SET,
	USBPASS_CMD_DEVICE_RESET,
	USBPASS_CMD_POWER_DONE,
	USBPASS_CMD_LEARNED_NEW,
	USBPASS_CMD_LEARNED_DEL,
	USBPASS_CMD_LEARNED_GET,

	__USBPASS_CMD_MAX,
};

#define USBPASS_CMD_MAX (__USBPASS_CMD_MAX - 1)

/* USBPASS_A_FLAGS */
#define USBPASS_F_REVOKE	0x1U  /* end open leases that are in the way */
#define USBPASS_F_PENDING	0x2U  /* mark, do not take */
#define USBPASS_F_REPLACE	0x4U  /* the stage begins empty */
#define USBPASS_F_RESCAN	0x8U  /* take present devices too */
#define USBPASS_F_FORCE		0x10U /* reset what is in the way, too */
#define USBPASS_F_POWER		0x20U /* this socket carries out power cycles */
#define USBPASS_F_ALL		(USBPASS_F_REVOKE | USBPASS_F_PENDING | \
				 USBPASS_F_REPLACE | USBPASS_F_RESCAN | \
				 USBPASS_F_FORCE | USBPASS_F_POWER)

/* Top level. */
enum usbpass_attr {
	USBPASS_A_UNSPEC,
	USBPASS_A_PAD,
	USBPASS_A_FLAGS,		/* u32, USBPASS_F_* */
	USBPASS_A_GENERATION,		/* u64, of the configuration in force;
					 * rises by 1 a commit, 0 after load
					 */
	USBPASS_A_INFO,			/* nest, enum usbpass_info_attr */
	USBPASS_A_DEVICE,		/* nest, enum usbpass_device_attr */
	USBPASS_A_GROUP,		/* nest, enum usbpass_group_attr */
	USBPASS_A_RULE,			/* nest, enum usbpass_rule_attr */
	USBPASS_A_ATTACH,		/* nest, enum usbpass_attach_attr */
	USBPASS_A_EVENT,		/* nest, enum usbpass_event_attr */
	USBPASS_A_JOB,			/* u32, from 1 */
	USBPASS_A_SINCE,		/* u64, an event's sequence number */
	USBPASS_A_FAILED,		/* u32, from 0: a rule's first condition that
					 * does not hold
					 */
	USBPASS_A_CONFIRM_SECS,		/* u32, 1 to USBPASS_CONFIRM_SECS_MAX */
	USBPASS_A_MAINTENANCE,		/* u8, 1: on */
	USBPASS_A_RESET,		/* u8, enum usbpass_reset_kind */
	USBPASS_A_IN_THE_WAY,		/* u8, enum usbpass_in_the_way */
	USBPASS_A_RESULT,		/* s32, 0 or a negative errno */
	USBPASS_A_LEARNED,		/* nest, enum usbpass_learned_attr */

	__USBPASS_A_MAX,
};

#define USBPASS_A_MAX (__USBPASS_A_MAX - 1)

enum usbpass_info_attr {
	USBPASS_A_INFO_UNSPEC,
	USBPASS_A_INFO_PAD,
	USBPASS_A_INFO_VERSION,		/* string, the module's version */
	USBPASS_A_INFO_FEATURES,	/* u64, USBPASS_FEATURE_* */
	USBPASS_A_INFO_NODE,		/* string, this host's name for rules */
	USBPASS_A_INFO_DEVICES,		/* u32, present (root hubs excepted) */
	USBPASS_A_INFO_CLAIMED,		/* u32 of them */
	USBPASS_A_INFO_LEASES,		/* u32, open */
	USBPASS_A_INFO_GROUPS,		/* u32 */
	USBPASS_A_INFO_RULES,		/* u32 */
	USBPASS_A_INFO_ATTACHMENTS,	/* u32 */
	USBPASS_A_INFO_EVENT_SEQ,	/* u64, of the newest event; 0: none yet */
	USBPASS_A_INFO_TRANSFER_BYTES,	/* u64, in flight, of all leases */
	USBPASS_A_INFO_HOLD_MS,		/* u32, left of hold_secs; 0: none held */
	USBPASS_A_INFO_CONFIRM_MS,	/* u32, left to confirm what is in force; 0: it
					 * stays
					 */
	USBPASS_A_INFO_MAINTENANCE,	/* u8, 1: on */

	__USBPASS_A_INFO_MAX,
};

#define USBPASS_A_INFO_MAX (__USBPASS_A_INFO_MAX - 1)

/*
 * A present device. FIXED facts were read when it was plugged in, before any
 * driver saw it.
 */
enum usbpass_device_attr {
	USBPASS_A_DEVICE_UNSPEC,
	USBPASS_A_DEVICE_PAD,
	USBPASS_A_DEVICE_ID,		/* u32, from 1, never reused in a boot */
	USBPASS_A_DEVICE_STATE,		/* u8, enum usbpass_device_state */
	USBPASS_A_DEVICE_REASON,	/* string, of pending, held and error */
	USBPASS_A_DEVICE_REMEDY,	/* string, what to do about it */
	USBPASS_A_DEVICE_FLAGS,		/* u32, USBPASS_DEVICE_F_* */
	USBPASS_A_DEVICE_SOCKET,	/* string, "0000:00:14.0/4.2" */
	USBPASS_A_DEVICE_BUSID,		/* string, dev_name: "1-4.2"; volatile */
	USBPASS_A_DEVICE_BUS,		/* u32, volatile */
	USBPASS_A_DEVICE_ADDRESS,	/* u32, volatile */
	USBPASS_A_DEVICE_LEVEL,		/* u32, 1: on a root port */
	USBPASS_A_DEVICE_VENDOR,	/* u16, idVendor */
	USBPASS_A_DEVICE_PRODUCT,	/* u16, idProduct */
	USBPASS_A_DEVICE_BCD_USB,	/* u16, bcdUSB */
	USBPASS_A_DEVICE_BCD_DEVICE,	/* u16, bcdDevice */
	USBPASS_A_DEVICE_CLASS,		/* u32, 0xCCSSPP: class, subclass, protocol */
	USBPASS_A_DEVICE_VENDOR_NAME,	/* string, iManufacturer; absent: none */
	USBPASS_A_DEVICE_PRODUCT_NAME,	/* string, iProduct; absent: none */
	USBPASS_A_DEVICE_SERIAL,	/* string, iSerialNumber; absent: none */
	USBPASS_A_DEVICE_SPEED,		/* u32, kbit/s: 1500, 12000, 480000, ... */
	USBPASS_A_DEVICE_REMOVABLE,	/* u8, enum usbpass_removable */
	USBPASS_A_DEVICE_INTERFACES,	/* u32, most in one configuration */
	USBPASS_A_DEVICE_INTERFACE_CLASS, /* u32, 0xCCSSPP; repeated: of all
					   * configurations and alternate
					   * settings, without doubles
					   */
	USBPASS_A_DEVICE_TIME,		/* u64, plugged in (or seen at load) */
	USBPASS_A_DEVICE_GROUP,		/* string, absent: none */
	USBPASS_A_DEVICE_RULE,		/* u32, id of the rule that matches */
	USBPASS_A_DEVICE_RULE_NAME,	/* string */
	USBPASS_A_DEVICE_ATTACH,	/* string, the attachment that leases it */
	USBPASS_A_DEVICE_OWNER,		/* string, "host" */
	USBPASS_A_DEVICE_RESETS,	/* u32, on the wire, through usbpass */

	__USBPASS_A_DEVICE_MAX,
};

#define USBPASS_A_DEVICE_MAX (__USBPASS_A_DEVICE_MAX - 1)

enum usbpass_device_state {
	USBPASS_DEVICE_HOST,		/* the host's drivers have it, or may */
	USBPASS_DEVICE_PENDING,		/* as HOST; a rule wants it */
	USBPASS_DEVICE_HELD,		/* no driver: quarantine, hold_secs, a guarded
					 * socket, or released once confirmed
					 */
	USBPASS_DEVICE_IDLE,		/* claimed, unconfigured, free */
	USBPASS_DEVICE_ONLINE,		/* leased */
	USBPASS_DEVICE_CLEANING,	/* between two leases */
	USBPASS_DEVICE_ERROR,		/* claimed, not for use: see REASON */
};

#define USBPASS_DEVICE_F_HUB		0x1U
#define USBPASS_DEVICE_F_PRESENT	0x2U /* plugged before its rule */
#define USBPASS_DEVICE_F_RELEASED	0x4U /* given to the host by hand */
#define USBPASS_DEVICE_F_BAD_RESETTER	0x8U /* see USBPASS_CMD_LEARNED_GET */

enum usbpass_removable {
	USBPASS_REMOVABLE_UNKNOWN,
	USBPASS_REMOVABLE_YES,
	USBPASS_REMOVABLE_NO,
};

enum usbpass_group_attr {
	USBPASS_A_GROUP_UNSPEC,
	USBPASS_A_GROUP_ID,		/* u32, from 1, never reused in a boot */
	USBPASS_A_GROUP_NAME,		/* string, USBPASS_NAME_MAX; absent or
					 * empty in NEW: made up
					 */
	USBPASS_A_GROUP_OWNER,		/* string, "host" (out only) */
	USBPASS_A_GROUP_TYPE,		/* u8, enum usbpass_group_type, default USB */
	USBPASS_A_GROUP_CLASS,		/* u8, enum usbpass_group_class, default
					 * GENERIC
					 */
	USBPASS_A_GROUP_RESET,		/* u8, enum usbpass_reset_policy, default
					 * DEVICE
					 */
	USBPASS_A_GROUP_ENABLED,	/* u8, default 1; 0: no new lease */
	USBPASS_A_GROUP_DESCRIPTION,	/* string, USBPASS_DESCRIPTION_MAX */
	USBPASS_A_GROUP_DEVICES,	/* u32, claimed into it (out only) */
	USBPASS_A_GROUP_FREE,		/* u32 of them idle (out only) */

	__USBPASS_A_GROUP_MAX,
};

#define USBPASS_A_GROUP_MAX (__USBPASS_A_GROUP_MAX - 1)

enum usbpass_group_type {
	USBPASS_GROUP_USB = 1,
};

/* An icon, nothing more. */
enum usbpass_group_class {
	USBPASS_CLASS_GENERIC,
	USBPASS_CLASS_HID,
	USBPASS_CLASS_MEDIA,
	USBPASS_CLASS_AUDIO,
	USBPASS_CLASS_STORAGE,
	USBPASS_CLASS_NETWORK,
	USBPASS_CLASS_PRINTER,
	USBPASS_CLASS_SERIAL,
	USBPASS_CLASS_SMARTCARD,
	USBPASS_CLASS_UNKNOWN,

	__USBPASS_CLASS_MAX,
};

/*
 * What a guest's reset may do; each includes the ones before. What is refused
 * is carried out one step lower, down to a SOFT one, and reports success
 * (module parameter reset_refusal).
 *
 * A reset did not help when the next one follows within 60 s, and the last thing
 * tried in between got no answer: a bulk transfer, or a control transfer that
 * was given up or failed other than by a stall; or when the device does not
 * answer a configuration call.
 */
enum usbpass_reset_policy {
	USBPASS_RESET_NONE,		/* SOFT */
	USBPASS_RESET_DEVICE,		/* DEVICE. "Allow Guest Reset" */
	USBPASS_RESET_HUB,		/* as DEVICE; where that did not help PORT, and
					 * then HUB. "Allow Guest Resets All"
					 */
};

/* Each hits more than the one before. */
enum usbpass_reset_kind {
	USBPASS_RESET_KIND_SOFT,	/* transfers are cancelled, halts cleared and
					 * settings selected again; nothing resets on
					 * the wire
					 */
	USBPASS_RESET_KIND_DEVICE,	/* reset of its port: the device alone */
	USBPASS_RESET_KIND_PORT,	/* power cycle of its port, both speed halves.
					 * Of hubs that switch each port by itself;
					 * where they are ganged HUB is the next step
					 */
	USBPASS_RESET_KIND_HUB,		/* reset of its hub, one speed half */

	__USBPASS_RESET_KIND_MAX,
};

/*
 * Why a device bars a reset that would hit it. What is claimed and in no lease,
 * has no driver, or is leased for the VM that asks, or has the device (the same
 * text, not empty), does not. The device that is named bars PORT and HUB if a
 * driver of the host has it.
 */
enum usbpass_in_the_way {
	USBPASS_IN_THE_WAY_NO,
	USBPASS_IN_THE_WAY_HOST,	/* a driver of the host has it */
	USBPASS_IN_THE_WAY_LEASE,	/* somebody else leases it */

	__USBPASS_IN_THE_WAY_MAX,
};

enum usbpass_learned_attr {
	USBPASS_A_LEARNED_UNSPEC,
	USBPASS_A_LEARNED_PAD,
	USBPASS_A_LEARNED_VENDOR,	/* u16, idVendor */
	USBPASS_A_LEARNED_PRODUCT,	/* u16, idProduct */
	USBPASS_A_LEARNED_SERIAL,	/* string, of a device that has one, */
	USBPASS_A_LEARNED_SOCKET,	/* string, else where it is plugged in */
	USBPASS_A_LEARNED_OWNER,	/* string, "host": whose lease it was (out only) */
	USBPASS_A_LEARNED_UNTIL,	/* u64, seconds of CLOCK_REALTIME */

	__USBPASS_A_LEARNED_MAX,
};

#define USBPASS_A_LEARNED_MAX (__USBPASS_A_LEARNED_MAX - 1)

enum usbpass_rule_attr {
	USBPASS_A_RULE_UNSPEC,
	USBPASS_A_RULE_PAD,
	USBPASS_A_RULE_ID,		/* u32, from 1, never reused in a boot */
	USBPASS_A_RULE_NAME,		/* string, as GROUP_NAME */
	USBPASS_A_RULE_PRIORITY,	/* s32, lower first, default 0; then by age */
	USBPASS_A_RULE_ACTION,		/* u8, enum usbpass_action */
	USBPASS_A_RULE_GROUP,		/* string, a group's name; needed for and
					 * only with CLAIM
					 */
	USBPASS_A_RULE_ORIGIN,		/* u8, enum usbpass_origin, default HAND */
	USBPASS_A_RULE_ENABLED,		/* u8, default 1 */
	USBPASS_A_RULE_DESCRIPTION,	/* string, USBPASS_DESCRIPTION_MAX */
	USBPASS_A_RULE_HITS,		/* u64, devices that it won (out only) */
	USBPASS_A_RULE_COND,		/* nest, enum usbpass_cond_attr; repeated,
					 * 1 to USBPASS_CONDS_MAX; all must hold
					 */

	__USBPASS_A_RULE_MAX,
};

#define USBPASS_A_RULE_MAX (__USBPASS_A_RULE_MAX - 1)

enum usbpass_action {
	USBPASS_ACTION_CLAIM = 1,
	USBPASS_ACTION_IGNORE,
	USBPASS_ACTION_QUARANTINE,	/* no driver and no group: HELD */
};

enum usbpass_origin {
	USBPASS_ORIGIN_HAND,
	USBPASS_ORIGIN_MADE,		/* by `group make` */
};

/*
 * A condition: FIELD, OP, and the value that the field's kind asks for.
 * A string that a device has not got (SERIAL...) is an empty one.
 */
enum usbpass_cond_attr {
	USBPASS_A_COND_UNSPEC,
	USBPASS_A_COND_FIELD,		/* u8, enum usbpass_field */
	USBPASS_A_COND_OP,		/* u8, enum usbpass_op, default EQ */
	USBPASS_A_COND_QUANTIFIER,	/* u8, enum usbpass_quantifier: with
					 * INTERFACE_CLASS only, default ANY
					 */
	USBPASS_A_COND_NUMBER,		/* u32: numbers; class triples as
					 * 0xCCSSPP; REMOVABLE as its enum
					 */
	USBPASS_A_COND_MASK,		/* u32, classes only: 0xff0000, 0xffff00 or
					 * 0xffffff (default)
					 */
	USBPASS_A_COND_STRING,		/* string, USBPASS_STRING_MAX: strings */
	USBPASS_A_COND_TABLE,		/* binary, USBPASS_TABLE_MAX, of user space
					 * only: STRING compiled, for REGEX and
					 * NOT_REGEX, which need it
					 */

	__USBPASS_A_COND_MAX,
};

#define USBPASS_A_COND_MAX (__USBPASS_A_COND_MAX - 1)

/*
 * A table is a deterministic automaton: N states, of which 0 is the first, and
 * C classes of bytes. All in bytes, one after the other:
 *
 *	N		1 to USBPASS_TABLE_STATES
 *	C		1 to USBPASS_TABLE_CLASSES
 *	class[256]	the class of each byte, below C
 *	accepts[N]	1: a string that ends in this state fits; else 0
 *	next[N][C]	the state that follows, below N
 *
 * A table that is not so is EINVAL. That it says what STRING says is in the
 * hands of who compiled it: the kernel runs the table, and keeps STRING for
 * people.
 */
#define USBPASS_TABLE_STATES	250
#define USBPASS_TABLE_CLASSES	64
#define USBPASS_TABLE_SIZE(n, c) (2 + 256 + (n) * (1 + (c)))
#define USBPASS_TABLE_MAX	16508	/* USBPASS_TABLE_SIZE(250, 64) */

enum usbpass_field {
	USBPASS_FIELD_ANY = 1,		/* no value: matches every device */
	USBPASS_FIELD_NODE,		/* string */
	USBPASS_FIELD_VENDOR,		/* number, 0 to 0xffff */
	USBPASS_FIELD_PRODUCT,		/* number, 0 to 0xffff */
	USBPASS_FIELD_USB_VERSION,	/* number, BCD, 0 to 0xffff */
	USBPASS_FIELD_BCD_DEVICE,	/* number, BCD, 0 to 0xffff */
	USBPASS_FIELD_VENDOR_NAME,	/* string */
	USBPASS_FIELD_PRODUCT_NAME,	/* string */
	USBPASS_FIELD_SERIAL,		/* string */
	USBPASS_FIELD_SOCKET,		/* string */
	USBPASS_FIELD_BUS,		/* number, volatile */
	USBPASS_FIELD_ADDRESS,		/* number, volatile */
	USBPASS_FIELD_LEVEL,		/* number, volatile */
	USBPASS_FIELD_SPEED,		/* number, kbit/s */
	USBPASS_FIELD_DEVICE_CLASS,	/* class */
	USBPASS_FIELD_INTERFACE_CLASS,	/* class, with a quantifier */
	USBPASS_FIELD_INTERFACES,	/* number */
	USBPASS_FIELD_REMOVABLE,	/* number, enum usbpass_removable */

	__USBPASS_FIELD_MAX,
};

/*
 * Strings take all of them, numbers those up to GE, classes and REMOVABLE EQ
 * and NE; another one: EINVAL. Strings are compared as bytes. NE and NOT_ are
 * true where their opposites are not; with an interface-class: of each
 * interface.
 */
enum usbpass_op {
	USBPASS_OP_EQ = 1,
	USBPASS_OP_NE,
	USBPASS_OP_LT,
	USBPASS_OP_LE,
	USBPASS_OP_GT,
	USBPASS_OP_GE,
	USBPASS_OP_BEGINS,
	USBPASS_OP_ENDS,
	USBPASS_OP_CONTAINS,
	USBPASS_OP_ICONTAINS,		/* A to Z are a to z */
	USBPASS_OP_GLOB,		/* the kernel's lib/glob.c: * ? [a-z] [!a-z] \ */
	USBPASS_OP_REGEX,		/* POSIX extended, by USBPASS_A_COND_TABLE */
	USBPASS_OP_NOT_BEGINS,
	USBPASS_OP_NOT_ENDS,
	USBPASS_OP_NOT_CONTAINS,
	USBPASS_OP_NOT_ICONTAINS,
	USBPASS_OP_NOT_GLOB,
	USBPASS_OP_NOT_REGEX,

	__USBPASS_OP_MAX,
};

/*
 * Over the device's interfaces: ANY, the condition holds of one; ALL, of each
 * (and there is one); NONE, of none.
 */
enum usbpass_quantifier {
	USBPASS_QUANTIFIER_ANY,
	USBPASS_QUANTIFIER_ALL,
	USBPASS_QUANTIFIER_NONE,

	__USBPASS_QUANTIFIER_MAX,
};

enum usbpass_attach_attr {
	USBPASS_A_ATTACH_UNSPEC,
	USBPASS_A_ATTACH_PAD,
	USBPASS_A_ATTACH_ID,		/* u32, from 1, never reused in a boot */
	USBPASS_A_ATTACH_NAME,		/* string, as GROUP_NAME */
	USBPASS_A_ATTACH_SLUG,		/* string, [a-z0-9._-], USBPASS_SLUG_MAX;
					 * not "." or ".."; default: from NAME. The
					 * node is /dev/usbpass/OWNER/SLUG
					 */
	USBPASS_A_ATTACH_OWNER,		/* string, "host" (out only) */
	USBPASS_A_ATTACH_GROUP,		/* string, a group's name */
	USBPASS_A_ATTACH_VM,		/* string, USBPASS_VM_MAX; "qmp:PATH",
					 * "libvirt:DOMAIN" or free text; the kernel
					 * only keeps it
					 */
	USBPASS_A_ATTACH_DESCRIPTION,	/* string, USBPASS_DESCRIPTION_MAX */
	USBPASS_A_ATTACH_RESET,		/* u8, enum usbpass_reset_policy; absent:
					 * the group's. The narrower of both holds
					 */
	USBPASS_A_ATTACH_OPTIONAL,	/* u8, default 0: the VM may start without */
	USBPASS_A_ATTACH_FOLLOW,	/* u8, enum usbpass_follow, default IDENTITY */
	USBPASS_A_ATTACH_ENABLED,	/* u8, default 1; 0: offline */
	USBPASS_A_ATTACH_UID,		/* u32, of the node, default 0 (host's
					 * attachments only)
					 */
	USBPASS_A_ATTACH_GID,		/* u32, of the node; absent: group 0 and
					 * mode 0600, else 0660
					 */
	USBPASS_A_ATTACH_PIN_VENDOR,	/* u16 } PIN: only this device of the */
	USBPASS_A_ATTACH_PIN_PRODUCT,	/* u16 } group. Those that are there */
	USBPASS_A_ATTACH_PIN_SERIAL,	/* string } must all hold */
	USBPASS_A_ATTACH_PIN_SOCKET,	/* string } */
	USBPASS_A_ATTACH_SLOT,		/* u32, the minor (out only) */
	USBPASS_A_ATTACH_STATE,		/* u8, enum usbpass_slot_state (out only) */
	USBPASS_A_ATTACH_REASON,	/* string, where a state has one (out only) */
	USBPASS_A_ATTACH_REMEDY,	/* string (out only) */
	USBPASS_A_ATTACH_DEVICE,	/* u32, id of the leased device (out only) */
	USBPASS_A_ATTACH_PID,		/* u32, of the opener (out only) */
	USBPASS_A_ATTACH_COMM,		/* string, of the opener (out only) */
	USBPASS_A_ATTACH_OPENER_UID,	/* u32 (out only) */
	USBPASS_A_ATTACH_URBS,		/* u64, completed in this lease (out only) */
	USBPASS_A_ATTACH_BYTES,		/* u64, moved in this lease (out only) */
	USBPASS_A_ATTACH_RESETS,	/* u32, asked for in this lease (out only) */

	__USBPASS_A_ATTACH_MAX,
};

#define USBPASS_A_ATTACH_MAX (__USBPASS_A_ATTACH_MAX - 1)

enum usbpass_follow {
	USBPASS_FOLLOW_IDENTITY,
	USBPASS_FOLLOW_SOCKET,		/* what a rule of the group claims in the
					 * leased socket under another identity
					 * (firmware modes) ends the lease at once,
					 * and may fill the slot, whatever PIN says
					 */
};

/*
 * A slot, seen from its attachment:
 *
 *   offline --enable--> missing <--> idle --open--> online --close--> cleaning
 *                          ^                        |    ^               |
 *                          |              unplug, or|    | same device   |
 *                          |              failed    v    | in time       |
 *                          +---- close -- gone <-- returning             |
 *                          +---------------------------------------------+
 */
enum usbpass_slot_state {
	USBPASS_SLOT_OFFLINE,		/* it or its group is disabled; maintenance */
	USBPASS_SLOT_MISSING,		/* no device of the group is here and free */
	USBPASS_SLOT_PENDING,		/* one is, in use by the host */
	USBPASS_SLOT_IDLE,		/* open would succeed */
	USBPASS_SLOT_CLEANING,		/* open would wait */
	USBPASS_SLOT_ONLINE,		/* leased */
	USBPASS_SLOT_RETURNING,		/* leased; the device is away, for a moment */
	USBPASS_SLOT_GONE,		/* leased; the device is away, close it */
	USBPASS_SLOT_ERROR,		/* the only devices are in error */
};

enum usbpass_event_attr {
	USBPASS_A_EVENT_UNSPEC,
	USBPASS_A_EVENT_PAD,
	USBPASS_A_EVENT_SEQ,		/* u64, from 1, without gaps an owner */
	USBPASS_A_EVENT_TIME,		/* u64 */
	USBPASS_A_EVENT_TYPE,		/* u8, enum usbpass_event_type */
	USBPASS_A_EVENT_LOST,		/* u64, events lost before this one */
	USBPASS_A_EVENT_DEVICE,		/* u32, its id */
	USBPASS_A_EVENT_SOCKET,		/* string, the device's */
	USBPASS_A_EVENT_VENDOR,		/* u16, the device's */
	USBPASS_A_EVENT_PRODUCT,	/* u16, the device's */
	USBPASS_A_EVENT_GROUP,		/* string, its name */
	USBPASS_A_EVENT_RULE,		/* u32, its id */
	USBPASS_A_EVENT_ATTACH,		/* string, its name */
	USBPASS_A_EVENT_STATE,		/* u8, of device or slot, by TYPE */
	USBPASS_A_EVENT_JOB,		/* u32 */
	USBPASS_A_EVENT_RESULT,		/* s32, 0 or a negative errno */
	USBPASS_A_EVENT_REASON,		/* string */
	USBPASS_A_EVENT_GENERATION,	/* u64 */
	USBPASS_A_EVENT_PID,		/* u32 } the task that asked, in the */
	USBPASS_A_EVENT_UID,		/* u32 } initial namespaces */
	USBPASS_A_EVENT_COMM,		/* string } */
	USBPASS_A_EVENT_RESET,		/* u8, enum usbpass_reset_kind: what was done */
	USBPASS_A_EVENT_PORT,		/* string, the directory of DEVICE's port below
					 * /sys, USBPASS_PORT_MAX
					 */

	__USBPASS_A_EVENT_MAX,
};

#define USBPASS_A_EVENT_MAX (__USBPASS_A_EVENT_MAX - 1)

enum usbpass_event_type {
	USBPASS_EVENT_DEVICE_ADDED = 1,	/* plugged in: DEVICE SOCKET VENDOR PRODUCT */
	USBPASS_EVENT_DEVICE_REMOVED,
	USBPASS_EVENT_DEVICE_STATE,	/* STATE is enum usbpass_device_state */
	USBPASS_EVENT_SLOT_STATE,	/* STATE is enum usbpass_slot_state */
	USBPASS_EVENT_LEASE_OPENED,	/* PID UID COMM */
	USBPASS_EVENT_LEASE_CLOSED,
	USBPASS_EVENT_LEASE_REFUSED,	/* RESULT REASON PID UID COMM */
	USBPASS_EVENT_RESET,		/* RESET RESULT REASON (the kind's word, then
					 * why it is not more); PID UID COMM. Past the
					 * budget one a minute and device
					 */
	USBPASS_EVENT_IDENTITY_CHANGED,	/* another device in a guarded socket: REASON
					 * tells what differs where a lease waits
					 */
	USBPASS_EVENT_COMMIT,		/* GENERATION; REASON, where it is to be
					 * confirmed, or goes back; PID UID COMM,
					 * but where it goes back by itself
					 */
	USBPASS_EVENT_JOB,		/* JOB RESULT REASON */
	USBPASS_EVENT_FILTERED,		/* a control request was refused: REASON */
	USBPASS_EVENT_CONFIRMED,	/* GENERATION PID UID COMM */
	USBPASS_EVENT_LEASE_REVOKED,	/* REASON; PID UID COMM of the consumer, who
					 * has yet to close it
					 */
	USBPASS_EVENT_MAINTENANCE_ON,	/* PID UID COMM */
	USBPASS_EVENT_MAINTENANCE_OFF,	/* PID UID COMM */
	USBPASS_EVENT_POWER_CYCLE,	/* JOB PORT: to be carried out by who subscribed
					 * with USBPASS_F_POWER. PORT and its `peer` are
					 * switched off for a second by their attribute
					 * `disable`, and on again
					 */
	USBPASS_EVENT_LEARNED,		/* a device takes resets badly, or was
					 * forgotten: REASON
					 */

	__USBPASS_EVENT_MAX,
};

/*
 * 2. The slot's char device
 * =========================
 *
 * /dev/usbpass/OWNER/SLUG. Opening it leases a free device of the group:
 *   EBUSY      the slot is open already
 *   EBUSY      maintenance is on
 *   ENODEV     no device of the group (or not the pinned one) is free here
 *   EAGAIN     O_NONBLOCK, and a device is still being cleaned; without
 *              O_NONBLOCK open waits for that, up to 10 s, then EAGAIN
 *   EACCES     the attachment or its group is disabled
 *   EIO        the device did not take a configuration
 *   ENXIO      the attachment was deleted meanwhile
 *   EINTR      a signal came while waiting
 *
 * It speaks the ABI of <linux/usbdevice_fs.h> to 64-bit callers (a 32-bit
 * caller gets ENOTTY), so that what drives a usbfs node drives it unchanged.
 * read() gives the device descriptor and then each configuration's, as usbfs.
 * poll() gives EPOLLOUT when a URB can be reaped, EPOLLERR | EPOLLHUP once the
 * lease is gone.
 *
 * Done, as in drivers/usb/core/devio.c, errnos included:
 *   CONTROL BULK RESETEP SETINTERFACE SETCONFIGURATION GETDRIVER SUBMITURB
 *   DISCARDURB REAPURB REAPURBNDELAY CLAIMINTERFACE RELEASEINTERFACE
 *   CONNECTINFO CONNINFO_EX IOCTL(DISCONNECT, CONNECT) RESET CLEAR_HALT
 *   GET_CAPABILITIES DISCONNECT_CLAIM GET_SPEED
 * ENOTTY, on purpose:
 *   DISCSIGNAL HUB_PORTINFO CLAIM_PORT RELEASE_PORT DROP_PRIVILEGES
 *   FORBID_SUSPEND ALLOW_SUSPEND WAIT_FOR_RESUME, and every *32 form;
 *   DISCONNECT and CONNECT outside of IOCTL
 * ENOTTY, until a later version: ALLOC_STREAMS FREE_STREAMS, isochronous URBs
 *   (EINVAL, as the capability for none of them is advertised).
 * Capabilities: ZERO_PACKET, REAP_AFTER_DISCONNECT, CONNINFO_EX; also
 *   NO_PACKET_SIZE_LIM and BULK_SCATTER_GATHER where the controller takes lists
 *   long enough for all of the lease's memory (xHCI, EHCI and UHCI do).
 *
 * Differences from usbfs, all of them:
 *   - All interfaces are usbpass's already; a claim is the consumer's own
 *     note. Two opens do not exist, so EBUSY on a claim does not either.
 *   - GETDRIVER: ENODATA before the consumer's claim, "usbpass" after.
 *   - What needs a claim and has none gets EACCES; usbfs claims it then.
 *   - SUBMITURB: EINVAL with a signr (no signals are sent) or with
 *     BULK_CONTINUATION, whose capability is not advertised.
 *   - Bounds: a control transfer 4,096 bytes (EINVAL past it); interrupt
 *     USBPASS_INTERRUPT_BYTES_MAX (EINVAL); bulk the lease's memory (ENOMEM);
 *     USBPASS_URBS_MAX URBs not yet reaped (ENOMEM).
 *   - EPERM: SET_ADDRESS, and any control request that would leave the kernel
 *     and the device out of step and has no USB core call to stand for it.
 *     SET_CONFIGURATION, SET_INTERFACE and CLEAR_FEATURE(ENDPOINT_HALT) on
 *     endpoint 0 are carried out through the USB core.
 *   - While the device is away but may return (USBPASS_LEASE_RETURNING) bulk
 *     and interrupt URBs end with -EPROTO after about 10 ms, control URBs
 *     wait, configuration calls answer 0 and are applied at return. The
 *     kernel's -ESHUTDOWN, -ENODEV and -EHOSTUNREACH never reach the consumer
 *     of a lease that is not gone.
 *   - RESET does what policy, budget and LEARNED allow (enum
 *     usbpass_reset_policy). A step beyond DEVICE is carried out after the call:
 *     the lease is RETURNING meanwhile.
 *   - Once the lease is gone: ENODEV everywhere; reaping drains first.
 */
#define USBPASS_INTERRUPT_BYTES_MAX	32768
#define USBPASS_URBS_MAX		16384	/* a lease, in flight or unreaped */

#define USBPASS_IOC_MAGIC	0xBE

enum usbpass_lease_state {
	USBPASS_LEASE_ONLINE = 1,
	USBPASS_LEASE_RETURNING,
	USBPASS_LEASE_GONE,
};

/**
 * struct usbpass_node_info - what this open file leases
 * @size: in: sizeof of the caller's struct; out: the kernel's. The smaller of
 *	both is written.
 * @flags: 0
 * @device_id: USBPASS_A_DEVICE_ID; 0 while the device is away
 * @slot: the minor
 * @attach_id: USBPASS_A_ATTACH_ID
 * @reset_policy: enum usbpass_reset_policy in force
 * @speed_kbps: kbit/s
 * @lease_memory_bytes: most bytes in flight in this lease
 * @socket: NUL-terminated
 */
struct usbpass_node_info {
	__u32 size;
	__u32 flags;
	__u32 device_id;
	__u32 slot;
	__u32 attach_id;
	__u32 reset_policy;
	__u32 speed_kbps;
	__u32 reserved;
	__u64 lease_memory_bytes;
	char socket[USBPASS_SOCKET_MAX + 1];
};

/**
 * struct usbpass_node_state - the lease's state
 * @size: as in struct usbpass_node_info
 * @flags: 0
 * @state: enum usbpass_lease_state
 * @window_ms: milliseconds left to return; 0 unless RETURNING
 * @returns: how often the device came back in this lease
 * @resets: how many resets the consumer asked for
 */
struct usbpass_node_state {
	__u32 size;
	__u32 flags;
	__u32 state;
	__u32 window_ms;
	__u32 returns;
	__u32 resets;
};

/*
 * INFO and LEASE_STATE: EINVAL, @size below 8 or @flags not 0; EFAULT, bad
 * pointer.
 *
 * HUB_RESET asks for a reset of the device's hub. 0: it comes, and the lease
 * will be RETURNING for a moment; how it ends is an event.
 *   EPERM      the policy in force is not USBPASS_RESET_HUB, the budget is spent,
 *              or the device is LEARNED
 *   EOPNOTSUPP the device is plugged into a root hub
 *   EBUSY      a device below that hub is in the way; or a reset is under way
 *   EAGAIN     the device is away, for a moment
 *   ENODEV     the lease is gone
 */
#define USBPASS_IOC_INFO	_IOWR(USBPASS_IOC_MAGIC, 0x00, struct usbpass_node_info)
#define USBPASS_IOC_HUB_RESET	_IO(USBPASS_IOC_MAGIC, 0x01)
#define USBPASS_IOC_LEASE_STATE	_IOWR(USBPASS_IOC_MAGIC, 0x02, struct usbpass_node_state)

#endif /* _UAPI_LINUX_USBPASS_H */
