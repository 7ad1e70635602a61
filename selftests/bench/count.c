// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU's that counts the instructions of what a guest marks (marker.h): of one processor, x86-64.
 *
 *   -accel tcg,thread=single -plugin count.so,out=FILE,symbols=FILE[,watch=SYMBOL]...[,top=N]
 *
 * symbols= is the guest's /proc/kallsyms, read when the guest says so; out= gets of each region, numbered from 1:
 *
 *   REGION total INSTRUCTIONS             whatever ran, interrupts and other processes too; an idle processor runs nothing
 *   REGION user INSTRUCTIONS              of these outside of the kernel
 *   REGION moved BYTES                    by REP MOVS and REP STOS, whose repetitions are no instructions here
 *   REGION call SYMBOL CALLS INSTRUCTIONS of each watched function: calls that ended, and what they took with all that they called
 *   REGION self SYMBOL INSTRUCTIONS       of the N functions of the kernel that took the most, without what they called
 *
 * A block that a fault cuts short counts as whole, twice.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "marker.h"

/* Version 1 of the plugins' interface: Debian ships no header of it. */
#define EXPORT	__attribute__((visibility("default")))

struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t id,
								   struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int cpu, void *data), int flags,
					  void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *data), int flags,
					    void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(uint64_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;

#define KERNEL		(1ULL << 63)
#define WATCHES		8

struct symbol {
	uint64_t address, instructions;
	char name[64];
};

struct watch {
	const char *name;
	uint64_t address, return_to, since;	/* return_to: 0: not in it */
	uint64_t calls, instructions;
};

/* What QEMU translates at a time. */
struct block {
	uint64_t address, end, last;	/* @last: its last instruction */
	unsigned int instructions;
	unsigned int width;		/* bytes a repetition, where the first is one that repeats; 0: is none */
	unsigned int symbols;		/* which table the next two are of */
	struct symbol *symbol;		/* NULL: none, or not the kernel's */
	struct watch *watch;		/* NULL: is no watched function's begin */
};

static struct symbol *symbols;
static size_t n_symbols;
static unsigned int tables;		/* of symbols, read until now */
static const char *symbols_path;
static struct watch watches[WATCHES];
static size_t n_watches, top;
static FILE *out;

static bool counts;
static unsigned int region;
static uint64_t total, user, moved;
static const struct block *previous;

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int by_instructions(const void *a, const void *b)
{
	const struct symbol *x = *(struct symbol *const *)a, *y = *(struct symbol *const *)b;

	return x->instructions > y->instructions ? -1 : x->instructions < y->instructions;
}

static void read_symbol(const char *line, size_t *room)
{
	struct symbol one = {};
	char type;

	if (sscanf(line, "%" SCNx64 " %c %63s", &one.address, &type, one.name) != 3 ||
	    !strchr("tTwW", type))
		return;
	if (n_symbols == *room) {
		*room = *room ? 2 * *room : 65536;
		symbols = reallocarray(symbols, *room, sizeof(*symbols));
		if (!symbols)
			abort();
	}
	symbols[n_symbols++] = one;
	for (size_t i = 0; i < n_watches; i++)
		if (!strcmp(watches[i].name, one.name))
			watches[i].address = one.address;
}

static void read_symbols(void)
{
	FILE *file = symbols_path ? fopen(symbols_path, "re") : NULL;
	size_t room = n_symbols;
	char line[512];

	n_symbols = 0;
	if (!file) {
		fprintf(stderr, "count: no symbols: %s\n", symbols_path ? symbols_path : "symbols=");
		return;
	}
	while (fgets(line, sizeof(line), file))
		read_symbol(line, &room);
	fclose(file);
	qsort(symbols, n_symbols, sizeof(*symbols), by_address);
	tables++;
}

/* The symbol that @address is behind. */
static struct symbol *symbol_of(uint64_t address)
{
	size_t low = 0, high = n_symbols;

	if (!(address & KERNEL))
		return NULL;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols[low - 1] : NULL;
}

static void place(struct block *block)
{
	block->symbols = tables;
	block->symbol = symbol_of(block->address);
	block->watch = NULL;
	for (size_t i = 0; i < n_watches; i++)
		if (tables && watches[i].address == block->address)
			block->watch = &watches[i];
}

static void begin(void)
{
	total = user = moved = 0;
	for (size_t i = 0; i < n_symbols; i++)
		symbols[i].instructions = 0;
	for (size_t i = 0; i < n_watches; i++)
		watches[i].calls = watches[i].instructions = watches[i].return_to = 0;
	region++;
	counts = true;
}

static void print_top(void)
{
	struct symbol **sorted = calloc(n_symbols, sizeof(struct symbol *));

	if (!sorted)
		abort();
	for (size_t i = 0; i < n_symbols; i++)
		sorted[i] = &symbols[i];
	qsort(sorted, n_symbols, sizeof(struct symbol *), by_instructions);
	for (size_t i = 0; i < top && i < n_symbols && sorted[i]->instructions; i++)
		fprintf(out, "%u self %s %" PRIu64 "\n", region, sorted[i]->name,
			sorted[i]->instructions);
	free(sorted);
}

static void end(void)
{
	counts = false;
	fprintf(out, "%u total %" PRIu64 "\n%u user %" PRIu64 "\n%u moved %" PRIu64 "\n", region, total,
		region, user, region, moved);
	for (size_t i = 0; i < n_watches; i++)
		fprintf(out, "%u call %s %" PRIu64 " %" PRIu64 "\n", region, watches[i].name,
			watches[i].calls, watches[i].instructions);
	if (top && n_symbols)
		print_top();
	fflush(out);
}

/*
 * The caller's block ends with the call, so that the callee returns to that block's end. An interrupt between the two
 * hides it: that call then ends never, and is not counted.
 */
static void follow_watches(struct block *block, const struct block *before)
{
	struct watch *watch = block->watch;

	for (size_t i = 0; i < n_watches; i++) {
		if (watches[i].return_to != block->address)
			continue;
		watches[i].return_to = 0;
		watches[i].calls++;
		watches[i].instructions += total - watches[i].since;
	}
	if (watch && before) {
		watch->return_to = before->end;
		watch->since = total;
	}
}

static void on_block(unsigned int cpu, void *data)
{
	const struct block *before = previous;
	struct block *block = data;

	previous = block;
	if (!counts)
		return;
	if (block->width && before && before->last == block->address) {
		moved += block->width;
		return;
	}
	if (block->symbols != tables)
		place(block);
	follow_watches(block, before);
	total += block->instructions;
	if (!(block->address & KERNEL))
		user += block->instructions;
	else if (block->symbol)
		block->symbol->instructions += block->instructions;
}

static void on_marker(unsigned int cpu, void *data)
{
	switch ((enum marker)(uintptr_t)data) {
	case MARKER_SYMBOLS:
		read_symbols();
		break;
	case MARKER_BEGIN:
		begin();
		break;
	case MARKER_END:
		if (counts)
			end();
		break;
	case MARKERS:
		break;
	}
}

/* The bytes that each repetition moves; 0: it is no REP MOVS nor REP STOS. */
static unsigned int width_of(const struct qemu_plugin_insn *insn)
{
	const uint8_t *byte = qemu_plugin_insn_data(insn);
	bool rep = false, wide = false, narrow = false;

	for (size_t i = 0; i < qemu_plugin_insn_size(insn); i++) {
		switch (byte[i]) {
		case 0xf3:
			rep = true;
			break;
		case 0x66:
			narrow = true;
			break;
		case 0x48:
			wide = true;
			break;
		case 0xa4:
		case 0xaa:
			return rep ? 1 : 0;
		case 0xa5:
		case 0xab:
			return !rep ? 0 : wide ? 8 : narrow ? 2 : 4;
		default:
			return 0;
		}
	}
	return 0;
}

static void look_for_marker(struct qemu_plugin_insn *insn)
{
	static const uint8_t bytes[] = { MARKER_BYTES };
	const uint8_t *data = qemu_plugin_insn_data(insn);
	uint32_t number;

	if (qemu_plugin_insn_size(insn) != sizeof(bytes) + sizeof(number) ||
	    memcmp(data, bytes, sizeof(bytes)))
		return;
	memcpy(&number, data + sizeof(bytes), sizeof(number));
	number -= MARKER_BASE;
	if (number < MARKERS)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, 0,
						       (void *)(uintptr_t)number);
}

/* A block lives as long as QEMU: it does not say when it has dropped one. */
static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
	struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, n - 1);
	struct block *block = calloc(1, sizeof(*block));

	if (!block)
		abort();
	block->address = qemu_plugin_insn_vaddr(first);
	block->last = qemu_plugin_insn_vaddr(last);
	block->end = block->last + qemu_plugin_insn_size(last);
	block->instructions = n;
	block->width = width_of(first);
	block->symbols = UINT32_MAX;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, 0, block);
	for (size_t i = 0; i < n; i++)
		look_for_marker(qemu_plugin_tb_get_insn(tb, i));
}

static void at_exit(uint64_t id, void *data)
{
	fclose(out);
}

static bool take_option(const char *option)
{
	const char *value = strchr(option, '=');
	size_t len = value ? (size_t)(value++ - option) : 0;

	if (len == 3 && !strncmp(option, "out", len))
		out = fopen(value, "we");
	else if (len == 3 && !strncmp(option, "top", len))
		top = strtoul(value, NULL, 10);
	else if (len == 7 && !strncmp(option, "symbols", len))
		symbols_path = strdup(value);
	else if (len == 5 && !strncmp(option, "watch", len) && n_watches < WATCHES)
		watches[n_watches++].name = strdup(value);
	else
		return false;
	return true;
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (!take_option(argv[i])) {
			fprintf(stderr, "count: unknown option: %s\n", argv[i]);
			return -1;
		}
	}
	if (!out) {
		fprintf(stderr, "count: out= is missing, or cannot be written\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
