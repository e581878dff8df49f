// SPDX-License-Identifier: GPL-2.0
/*
 * The word is page->private. It belongs to whoever has allocated the page, and the
 * allocator clears it before it hands out a page. Of a page of somebody else it can
 * hold anything at any time, so it is only ever compared, until it equals a mark.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "page_mark.h"

/* In C, because counting in static per-CPU data takes a single instruction. */
static DEFINE_PER_CPU(u64, labyrinth_foreign_counts[LABYRINTH_NR_FOREIGN_EVENTS]);

/* How often an event has happened, on all CPUs. */
u64 labyrinth_foreign_events(unsigned int which)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(labyrinth_foreign_counts[which], cpu));
	return sum;
}

/* Marks a page of ours, which lends it, and returns its address. */
void *labyrinth_page_mark(struct page *page, unsigned long mark)
{
	this_cpu_inc(labyrinth_foreign_counts[LABYRINTH_FOREIGN_GIVEN]);
	WRITE_ONCE(page->private, mark);
	return page_address(page);
}

/* Counts an address that is not taken back. */
void labyrinth_page_refused(void)
{
	this_cpu_inc(labyrinth_foreign_counts[LABYRINTH_FOREIGN_REFUSED]);
}

/*
 * The page at the address if its mark was @from, which then is @to; NULL otherwise. Of
 * several callers at once one gets the page. The address may be anything.
 */
struct page *labyrinth_page_remark(const void *address, unsigned long from,
				   unsigned long to)
{
	struct page *page;

	if (!PAGE_ALIGNED(address) || !virt_addr_valid(address))
		goto refused;
	page = virt_to_page(address);
	/* Most pages are not ours to write to: look first. */
	if (READ_ONCE(page->private) != from ||
	    cmpxchg(&page->private, from, to) != from)
		goto refused;
	this_cpu_inc(labyrinth_foreign_counts[LABYRINTH_FOREIGN_RETURNED]);
	return page;
refused:
	labyrinth_page_refused();
	return NULL;
}

/* What is in the word of the page at the address; false if there is no page. */
bool labyrinth_page_mark_of(const void *address, unsigned long *mark)
{
	if (!virt_addr_valid(address))
		return false;
	*mark = READ_ONCE(virt_to_page(address)->private);
	return true;
}
