/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The amount of free memory, and the pages that are taken from below the min watermark.
 * helpers.h includes this file.
 */
#ifndef LABYRINTH_WATERMARK_H
#define LABYRINTH_WATERMARK_H

#include <linux/types.h>

struct page;

bool labyrinth_allocations_counted(void);
bool labyrinth_zone_below_min(const struct page *page);
unsigned int labyrinth_zone_kinds(void);
unsigned long labyrinth_local_allocations(unsigned int kind);
bool labyrinth_below_min(unsigned int kind);

unsigned long labyrinth_memory_total(void);
unsigned long labyrinth_usable_above_min(unsigned int limit, int node);
unsigned long labyrinth_usable_at_once(unsigned int limit, int node);
unsigned long labyrinth_usable_reclaimable(unsigned int limit, int node);
unsigned long labyrinth_memory_free(void);
unsigned long labyrinth_memory_on_cpu_lists(void);
unsigned long labyrinth_memory_protected(void);
unsigned long labyrinth_memory_shortfall(void);
unsigned long labyrinth_memory_mark_min(void);
unsigned long labyrinth_memory_mark_low(void);
unsigned long labyrinth_memory_mark_high(void);

#endif /* LABYRINTH_WATERMARK_H */
