/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that the kernel has marked as bad (PG_hwpoison), because the hardware reported
 * an error in them, or an administrator took them out of use.
 */
#ifndef LABYRINTH_BAD_MEMORY_H
#define LABYRINTH_BAD_MEMORY_H

#include <linux/types.h>

struct page;

/*
 * A bit is set for each part of memory in which a bad page was reported since the module
 * was loaded. Several parts share a bit. The word is 0 on nearly every machine, and then
 * no page has to be checked.
 */
extern unsigned long labyrinth_bad_parts;

bool labyrinth_pages_bad(const struct page *page, unsigned int order);
bool labyrinth_pages_known_bad(const struct page *page, unsigned int order);
void labyrinth_note_bad(unsigned long pfn);
void labyrinth_note_all_bad(void);

int labyrinth_bad_memory_register(void (*report)(void *data, unsigned long pfn,
						 int type, int result),
				  void *data);
void labyrinth_bad_memory_unregister(void (*report)(void *data,
						    unsigned long pfn,
						    int type, int result),
				     void *data);

#endif /* LABYRINTH_BAD_MEMORY_H */
