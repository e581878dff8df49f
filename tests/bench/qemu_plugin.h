/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of QEMU's interface for plugins that sharing.c uses, version 4 (QEMU 9.2 and
 * newer). No package of the toolchain contains QEMU's own header.
 */
#ifndef LABYRINTH_QEMU_PLUGIN_H
#define LABYRINTH_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>

typedef unsigned int u32;
typedef unsigned long long u64;

struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum { NO_REGISTERS };
enum { READS_AND_WRITES = 3 };

void qemu_plugin_register_vcpu_tb_trans_cb(u64 id,
					   void (*translated)(u64 id,
							      struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t len);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*executed)(unsigned int cpu, void *data),
					    int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*accessed)(unsigned int cpu, u32 info,
						       u64 address, void *data),
				      int flags, int which, void *data);
bool qemu_plugin_mem_is_store(u32 info);

#endif /* LABYRINTH_QEMU_PLUGIN_H */
