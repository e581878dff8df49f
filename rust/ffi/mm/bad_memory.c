// SPDX-License-Identifier: GPL-2.0
/*
 * A flag of each page says whether it is bad. The tracepoint memory_failure_event reports
 * when a page becomes bad: memory_failure() passes it after it has set the flag, for every
 * caller. No other code marks a page that is allocated. (Soft offlining marks only free
 * pages, and pages that it has migrated.)
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "bad_memory.h"

unsigned long labyrinth_bad_parts __read_mostly;

/* Returns the part that a block lies in. A block of any order lies in one part. */
static unsigned int part_of(unsigned long pfn)
{
	return hash_long(pfn >> MAX_PAGE_ORDER, ilog2(BITS_PER_LONG));
}

/* Returns whether any page of a block is bad. */
bool labyrinth_pages_bad(const struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		if (PageHWPoison(page + i))
			return true;
	return false;
}

/* As above, but checks only pages in parts where a bad page was reported. */
bool labyrinth_pages_known_bad(const struct page *page, unsigned int order)
{
	return test_bit(part_of(page_to_pfn(page)), &labyrinth_bad_parts) &&
	       labyrinth_pages_bad(page, order);
}

void labyrinth_note_bad(unsigned long pfn)
{
	set_bit(part_of(pfn), &labyrinth_bad_parts);
}

/* From now on all pages are checked. */
void labyrinth_note_all_bad(void)
{
	WRITE_ONCE(labyrinth_bad_parts, ~0UL);
}

#if defined(CONFIG_MEMORY_FAILURE) && defined(CONFIG_TRACEPOINTS)
static void look_at(struct tracepoint *tracepoint, void *found)
{
	if (!strcmp(tracepoint->name, "memory_failure_event"))
		*(struct tracepoint **)found = tracepoint;
}

/* Looks the tracepoint up, as it is not exported by name. */
static struct tracepoint *find(void)
{
	struct tracepoint *found = NULL;

	for_each_kernel_tracepoint(look_at, &found);
	return found;
}

/* Calls report() for each page that becomes bad, with preemption possibly disabled. */
int labyrinth_bad_memory_register(void (*report)(void *data, unsigned long pfn,
						 int type, int result),
				  void *data)
{
	struct tracepoint *tracepoint = find();

	if (!tracepoint)
		return -ENOENT;
	return tracepoint_probe_register(tracepoint, report, data);
}

void labyrinth_bad_memory_unregister(void (*report)(void *data,
						    unsigned long pfn,
						    int type, int result),
				     void *data)
{
	struct tracepoint *tracepoint = find();

	if (tracepoint)
		tracepoint_probe_unregister(tracepoint, report, data);
	tracepoint_synchronize_unregister();
}
#else
int labyrinth_bad_memory_register(void (*report)(void *data, unsigned long pfn,
						 int type, int result),
				  void *data)
{
	return IS_ENABLED(CONFIG_MEMORY_FAILURE) ? -ENOENT : 0;
}

void labyrinth_bad_memory_unregister(void (*report)(void *data,
						    unsigned long pfn,
						    int type, int result),
				     void *data)
{
}
#endif
