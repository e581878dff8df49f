/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that the CPU accesses without its cache, and flushing of cache lines.
 */
#ifndef LABYRINTH_ATTRIBUTE_H
#define LABYRINTH_ATTRIBUTE_H

#include <linux/types.h>

struct page;

/*
 * The parts of page->private below the address of a mapping: the order of the block, and a
 * flag that says that it is shared with the host and has no attribute.
 */
#define LABYRINTH_BLOCK_ORDER		0x0f
#define LABYRINTH_BLOCK_OF_HOST		0x10

/* The attributes of labyrinth_attribute_set(). */
#define LABYRINTH_UNCACHED		0
#define LABYRINTH_WRITE_COMBINED	1

/* The events that labyrinth_attribute_events() counts. */
#define LABYRINTH_LATE_RESET		0
#define LABYRINTH_LATE_RESET_FAILED	1
#define LABYRINTH_PAGE_LOST		2
#define LABYRINTH_NR_ATTRIBUTE_EVENTS	3

int labyrinth_attribute_set(struct page **pages, int count, unsigned int attribute,
			    bool *lost);
int labyrinth_attribute_reset(struct page **pages, int count);
void labyrinth_attribute_lose(struct page *block, unsigned int order);
void labyrinth_attribute_drop(struct page *block);
void labyrinth_attribute_settle(void);
void *labyrinth_attribute_mapping(const struct page *block);
void labyrinth_attribute_fence(void);
u64 labyrinth_attribute_events(unsigned int which);

int labyrinth_flush(void *address, size_t bytes);

#endif /* LABYRINTH_ATTRIBUTE_H */
