// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU's emulator. It counts what a peer of the benchmark does between its
 * marks (labyrinth_bench_begin() and labyrinth_bench_end(), see
 * rust/lab/ffi/bench_peers.h), while other CPUs do the same. An emulated machine has no
 * real caches, and not as many real CPUs as it shows. But the causes of slower code on
 * more CPUs can be counted on it: instructions, accesses to cache lines that another
 * CPU also writes, and iterations of loops that wait (PAUSE).
 *
 * The code between two marks is a stretch. A stretch that was interrupted is left out.
 *
 * -plugin sharing.so,out=FILE: a line for each labyrinth_bench_counted():
 *
 *	counted STRETCHES INSTRUCTIONS SHARED WAITS
 *
 * STRETCHES is the number of stretches that were not left out. The others are sums over
 * them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 4;

#define MAX_CPUS 64
#define MAX_ACCESSES 65536
#define SLOTS 65536
#define LINE 64

/* The accesses of one CPU to one line. */
struct line {
	u64 number;
	u64 accesses;
	bool written;
};

/* The counts of one CPU, which only its thread of QEMU writes. */
static struct cpu {
	bool counting;
	u64 stretches, instructions, waits;
	/* Counts of the current stretch. */
	u64 instructions_here, waits_here;
	size_t accesses;
	u64 access[MAX_ACCESSES];
	struct line lines[SLOTS];
} cpus[MAX_CPUS];

static FILE *out;

static void fail(const char *why)
{
	fprintf(stderr, "sharing: %s\n", why);
	exit(1);
}

static struct line *find(struct line *lines, u64 number)
{
	u64 i = number * 0x9e3779b97f4a7c15 >> 48, tries;

	for (tries = 0; tries < SLOTS; tries++, i++) {
		struct line *line = &lines[i % SLOTS];

		if (line->number == number || !line->number) {
			line->number = number;
			return line;
		}
	}
	fail("too many cache lines");
	return NULL;
}

static struct cpu *cpu_of(unsigned int number)
{
	if (number >= MAX_CPUS)
		fail("too many CPUs");
	return &cpus[number];
}

static void begin(unsigned int number, void *data)
{
	struct cpu *cpu = cpu_of(number);

	cpu->counting = true;
	cpu->instructions_here = 0;
	cpu->waits_here = 0;
	cpu->accesses = 0;
}

static void end(unsigned int number, void *data)
{
	struct cpu *cpu = cpu_of(number);
	size_t i;

	if (!cpu->counting)
		return;
	cpu->counting = false;
	cpu->stretches++;
	cpu->instructions += cpu->instructions_here;
	cpu->waits += cpu->waits_here;
	for (i = 0; i < cpu->accesses; i++) {
		struct line *line = find(cpu->lines, cpu->access[i] >> 1);

		line->accesses++;
		line->written |= cpu->access[i] & 1;
	}
}

/* An interrupt has ended. Do not count the stretch that it has interrupted. */
static void interrupted(unsigned int number, void *data)
{
	cpu_of(number)->counting = false;
}

static void waited(unsigned int number, void *data)
{
	cpu_of(number)->waits_here++;
}

static void executed(unsigned int number, void *data)
{
	cpu_of(number)->instructions_here++;
}

static void accessed(unsigned int number, u32 info, u64 address, void *data)
{
	struct cpu *cpu = cpu_of(number);

	if (!cpu->counting)
		return;
	/* No peer makes so many accesses, so leave this stretch out. */
	if (cpu->accesses == MAX_ACCESSES)
		cpu->counting = false;
	else
		cpu->access[cpu->accesses++] = address / LINE << 1 |
					       qemu_plugin_mem_is_store(info);
}

/* Whether another CPU also uses this line, and any CPU writes to it. */
static bool is_shared(const struct cpu *of, const struct line *line)
{
	bool written = line->written, others = false;
	struct cpu *cpu;

	for (cpu = cpus; cpu < cpus + MAX_CPUS; cpu++) {
		struct line *same;

		if (cpu == of || !cpu->stretches)
			continue;
		same = find(cpu->lines, line->number);
		others |= same->accesses;
		written |= same->written;
	}
	return others && written;
}

/* Called when no CPU is between two marks. */
static void report(unsigned int number, void *data)
{
	u64 stretches = 0, instructions = 0, shared = 0, waits = 0;
	struct cpu *cpu;
	size_t i;

	for (cpu = cpus; cpu < cpus + MAX_CPUS; cpu++) {
		stretches += cpu->stretches;
		instructions += cpu->instructions;
		waits += cpu->waits;
		for (i = 0; i < SLOTS && cpu->stretches; i++) {
			if (cpu->lines[i].accesses && is_shared(cpu, &cpu->lines[i]))
				shared += cpu->lines[i].accesses;
		}
	}
	fprintf(out, "counted %llu %llu %llu %llu\n", stretches, instructions, shared, waits);
	fflush(out);
	for (cpu = cpus; cpu < cpus + MAX_CPUS; cpu++) {
		if (cpu->stretches)
			memset(cpu->lines, 0, sizeof(cpu->lines));
		cpu->stretches = 0;
		cpu->instructions = 0;
		cpu->waits = 0;
	}
}

/*
 * A mark is a no-op with an operand that no other code uses. One byte of the operand is
 * the number of the mark.
 */
static const unsigned char mark[] = { 0x0f, 0x1f, 0x80 }, name[] = { 'b', 'a', 'l' };
static const unsigned char pause[] = { 0xf3, 0x90 }, iretq[] = { 0x48, 0xcf };

/* Returns the number of the mark, or -1 if the instruction is none. */
static int mark_of(const unsigned char *code, size_t len)
{
	if (len != 7 || memcmp(code, mark, sizeof(mark)) || memcmp(code + 4, name, sizeof(name)))
		return -1;
	return code[3];
}

static void call(struct qemu_plugin_insn *insn, void (*what)(unsigned int cpu, void *data))
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, what, NO_REGISTERS, NULL);
}

static void translated(u64 id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned char code[16] = { 0 };
		size_t len = qemu_plugin_insn_data(insn, code, sizeof(code));

		switch (mark_of(code, len)) {
		case 0:
			call(insn, begin);
			continue;
		case 1:
			call(insn, end);
			continue;
		case 2:
			call(insn, report);
			continue;
		}
		if (len == sizeof(pause) && !memcmp(code, pause, len))
			call(insn, waited);
		if (len == sizeof(iretq) && !memcmp(code, iretq, len))
			call(insn, interrupted);
		call(insn, executed);
		qemu_plugin_register_vcpu_mem_cb(insn, accessed, NO_REGISTERS, READS_AND_WRITES,
						 NULL);
	}
}

EXPORT int qemu_plugin_install(u64 id, const void *info, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	}
	if (!out) {
		fprintf(stderr, "sharing: out=FILE is missing, or cannot be written\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
