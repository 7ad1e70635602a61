/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-ins for what kernel/{cond,descriptor,facts,filter,name,regex,rule,ruleset}.c take from the kernel, so that these very files run in
 * user space. Each does what the kernel's does, on one processor: locks lock nothing, RCU waits for nobody, memory is malloc's.
 * What those files include for declarations alone is declared and no more.
 */
#ifndef SHIM_H
#define SHIM_H

#include <asm/types.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* linux/types.h, linux/kernel.h */
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s32 s32;
typedef __s64 s64;
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define fallthrough	__attribute__((__fallthrough__))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member)	((type *)((char *)(ptr) - offsetof(type, member)))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define clamp_t(type, a, low, high)	((type)(a) < (type)(low) ? (type)(low) : (type)(a) > (type)(high) ? (type)(high) : (type)(a))
#define le16_to_cpu(x)	le16toh(x)
#define cpu_to_le16(x)	htole16(x)

/* linux/err.h, linux/overflow.h */
#define ERR_PTR(error)	((void *)(long)(error))
#define PTR_ERR(ptr)	((long)(ptr))
#define IS_ERR(ptr)	((unsigned long)(ptr) >= (unsigned long)-4095)
#define struct_size(ptr, member, n)	(sizeof(*(ptr)) + (n) * sizeof((ptr)->member[0]))

/* linux/bitmap.h */
#define BITS_PER_LONG	(8 * sizeof(long))
#define DECLARE_BITMAP(name, bits)	unsigned long name[((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG]

static inline void __set_bit(unsigned int bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] |= 1UL << bit % BITS_PER_LONG;
}

/* Of whole words, as all callers have. */
static inline unsigned int bitmap_weight(const unsigned long *map, unsigned int bits)
{
	unsigned int i, n = 0;

	for (i = 0; i < bits / BITS_PER_LONG; i++)
		n += (unsigned int)__builtin_popcountl(map[i]);
	return n;
}

/* linux/string.h */
static inline ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);
	bool fits = len < size;

	len = fits ? len : size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
	return fits ? (ssize_t)len : -E2BIG;
}

/* linux/slab.h, linux/mm.h */
#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define kzalloc(size, gfp)	calloc(1, size)
#define kcalloc(n, size, gfp)	calloc(n, size)
#define kvmalloc(size, gfp)	malloc(size)
#define kvcalloc(n, size, gfp)	calloc(n, size)
#define kstrdup(s, gfp)		strdup(s)
#define kstrndup(s, n, gfp)	strndup(s, n)
#define kfree(ptr)		free((void *)(ptr))
#define kvfree(ptr)		free((void *)(ptr))

/* linux/hash.h, linux/log2.h, linux/sort.h, linux/sched.h */
static inline u32 hash_32(u32 value, unsigned int bits)
{
	return value * 0x61c88647u >> (32 - bits);
}

static inline unsigned int order_base_2(unsigned int n)
{
	return n > 1 ? 32 - (unsigned int)__builtin_clz(n - 1) : 0;
}

#define sort(base, n, size, order, swap)	qsort(base, n, size, order)
#define cond_resched()		((void)0)

/* linux/kref.h, linux/atomic.h */
struct kref {
	unsigned int count;
};

typedef struct {
	s64 counter;
} atomic64_t;

static inline void kref_init(struct kref *kref)
{
	kref->count = 1;
}

static inline void kref_get(struct kref *kref)
{
	kref->count++;
}

static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	if (--kref->count)
		return 0;
	release(kref);
	return 1;
}

/* linux/rcupdate.h: nobody reads when it is called. */
struct rcu_head {
	char unused;
};

static inline void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	fn(head);
}

/* linux/ratelimit.h: always within the limit, so that what is limited runs. */
#define HZ	250
#define DEFINE_RATELIMIT_STATE(name, interval, burst)	int name = (interval) + (burst)
#define __ratelimit(state)	((void)(state), 1)

/* linux/ktime.h */
typedef s64 ktime_t;
#define ktime_get_boottime_ns()	UINT64_C(1)

/* Members of structures that these files pass on or never touch. */
#define TASK_COMM_LEN	16
struct list_head { struct list_head *next, *prev; };
struct rw_semaphore { char unused; };
typedef struct { char unused; } spinlock_t;
typedef struct { char unused; } wait_queue_head_t;
struct delayed_work { char unused; };
struct cdev { char unused; };
struct notifier_block;

/* linux/device.h */
enum device_removable { DEVICE_REMOVABLE_NOT_SUPPORTED, DEVICE_REMOVABLE_UNKNOWN, DEVICE_FIXED, DEVICE_REMOVABLE };
struct device {
	enum device_removable removable;
	const char *name;
};
#define dev_name(dev)	((dev)->name)

#endif /* SHIM_H */
