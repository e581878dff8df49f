/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accesses to memory without its owner's knowledge, for tests only. probe.rs calls
 * these.
 */
#ifndef LABYRINTH_TRANSFER_PROBE_H
#define LABYRINTH_TRANSFER_PROBE_H

#include <linux/types.h>

int labyrinth_probe(const void *address, u8 *value);
int labyrinth_probe_count(const void *address, size_t length, u8 value);
void labyrinth_probe_flush(void);
void labyrinth_probe_spoil(const void *address);
void labyrinth_probe_flip(void *address);
void *labyrinth_probe_address_of(unsigned long pfn);
bool labyrinth_probe_free(const void *address);
void labyrinth_probe_hold(const void *address);
void labyrinth_probe_let_go(const void *address);
bool labyrinth_probe_confidential(void);
int labyrinth_probe_shrink(void);
int labyrinth_probe_memory_type(const void *address);
void labyrinth_probe_rescue(const void *address, unsigned int order);

#endif /* LABYRINTH_TRANSFER_PROBE_H */
