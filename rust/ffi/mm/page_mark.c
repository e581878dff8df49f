// SPDX-License-Identifier: GPL-2.0
/*
 * The word is page->private. It belongs to the owner of the page, and the allocator clears
 * it before it hands out a page. In a page of another owner the word can hold anything at
 * any time, so it is only compared, and written only if it equals a mark.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "page_mark.h"

/*
 * These counters are in C, where counting in static per-CPU data takes one instruction.
 */
static DEFINE_PER_CPU(u64, labyrinth_foreign_counts[LABYRINTH_NR_FOREIGN_EVENTS]);

/* Returns how often an event has happened, on all CPUs. */
u64 labyrinth_foreign_events(unsigned int which)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(labyrinth_foreign_counts[which], cpu));
	return sum;
}

/* Marks a page of ours as lent, and returns its address. */
void *labyrinth_page_mark(struct page *page, unsigned long mark)
{
	this_cpu_inc(labyrinth_foreign_counts[LABYRINTH_FOREIGN_GIVEN]);
	WRITE_ONCE(page->private, mark);
	return page_address(page);
}

/* Removes the mark of a page of ours, and returns its address. */
void *labyrinth_page_unmark(struct page *page)
{
	WRITE_ONCE(page->private, 0);
	return page_address(page);
}

/* Counts an address that is refused. */
void labyrinth_page_refused(void)
{
	this_cpu_inc(labyrinth_foreign_counts[LABYRINTH_FOREIGN_REFUSED]);
}

/*
 * Returns the page at the address if its mark was @from, which becomes @to; NULL
 * otherwise. Of several concurrent callers one gets the page. Any address is allowed.
 */
struct page *labyrinth_page_remark(const void *address, unsigned long from,
				   unsigned long to)
{
	struct page *page;

	if (!PAGE_ALIGNED(address) || !virt_addr_valid(address))
		goto refused;
	page = virt_to_page(address);
	/* Most pages are not ours to write to: read first. */
	if (READ_ONCE(page->private) != from ||
	    cmpxchg(&page->private, from, to) != from)
		goto refused;
	this_cpu_inc(labyrinth_foreign_counts[LABYRINTH_FOREIGN_RETURNED]);
	return page;
refused:
	labyrinth_page_refused();
	return NULL;
}

/* Reads the word of the page at the address. Returns false if there is no page. */
bool labyrinth_page_mark_of(const void *address, unsigned long *mark)
{
	if (!virt_addr_valid(address))
		return false;
	*mark = READ_ONCE(virt_to_page(address)->private);
	return true;
}
