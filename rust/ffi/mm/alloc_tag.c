// SPDX-License-Identifier: GPL-2.0
/*
 * Attribution of pages in /proc/allocinfo.
 *
 * The kernel charges a page to the line of code that allocates it, for as long as the
 * page is allocated. That line need not be the page's user: a page from a cache was
 * allocated by the code that filled the cache. So all pages are allocated in the name of
 * one tag, "held", and are charged anew whenever they change hands:
 *
 *	allocator ──► held ──► the caller's line ──► held ──► allocator
 *	                charge              uncharge
 *
 * Charging moves the numbers of the page from one tag to another. The kernel's own record
 * still says "held", so the page must be charged to "held" again before it is freed.
 *
 * The struct page of a page records what the page is charged to, in the two words of
 * the list node that the owner of a page may use. The second word is the complement of
 * the first. So an owner that uses the words for a list is detected, and then the page
 * stays charged to the same line. Only the owner of a page touches these words, so no
 * lock is needed. All first words are even: an odd word would make the page a tail
 * page.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "../../../include/labyrinth.h"
#include "alloc_tag.h"

/*
 * Values of the first word that are not tags, because no address is that low. One marks
 * a held page, and contains its order. The other marks a page that is in no line
 * because profiling was off.
 */
#define HELD(order)	(2UL + 2 * (order))
#define MOST_HELD	HELD(MAX_PAGE_ORDER)
#define UNKNOWN		(MOST_HELD + 2)

/* The line of the pages in caches and reserves, and of callers without a line. */
struct alloc_tag *labyrinth_held_tag(void)
{
	DEFINE_ALLOC_TAG(held);

	return &held;
}

static void remember(struct page *page, unsigned long who)
{
	page->lru.next = (struct list_head *)who;
	page->lru.prev = (struct list_head *)~who;
}

static unsigned long recall(const struct page *page)
{
	unsigned long who = (unsigned long)page->lru.next;

	return (unsigned long)page->lru.prev == ~who ? who : UNKNOWN;
}

static void move(struct alloc_tag *from, struct alloc_tag *to, size_t bytes)
{
	this_cpu_add(to->counters->bytes, bytes);
	this_cpu_inc(to->counters->calls);
	this_cpu_dec(from->counters->calls);
	/* Do this last: a line without bytes may be freed when its module is gone. */
	this_cpu_sub(from->counters->bytes, bytes);
}

/*
 * Keeps the lines of this module when it is unloaded while pages are out. The kernel's
 * record of these pages says "held", and it reads that line when they are freed. The kernel
 * keeps the lines of a module while one of them has bytes, but the bytes of "held" were
 * moved to other lines.
 */
void labyrinth_keep_lines(void)
{
	struct alloc_tag *held = labyrinth_held_tag();

	if (held->counters)
		this_cpu_inc(held->counters->bytes);
}

/* Call this for each new allocation. */
void labyrinth_pages_allocated(struct page *page, unsigned int order)
{
	if (page)
		remember(page, mem_alloc_profiling_enabled() ? HELD(order) : UNKNOWN);
}

/* Charges pages to a tag, if they are charged to "held". */
void labyrinth_charge(struct page *page, struct alloc_tag *tag)
{
	unsigned long who = recall(page);

	if (!mem_alloc_profiling_enabled() || who < HELD(0) || who > MOST_HELD)
		return;

	remember(page, (unsigned long)tag);
	move(labyrinth_held_tag(), tag, PAGE_SIZE << (who - HELD(0)) / 2);
}

/**
 * labyrinth_charge_blocks() - make blocks show in a line of /proc/allocinfo
 * @count: how many blocks
 * @blocks: their addresses; the caller owns them
 * @tag: the line; it must stay as long as the blocks are out
 *
 * The macros in include/labyrinth.h call it for every block that they hand out. A block
 * that is in a line already stays there. Nothing changes for NULL, for an address that is
 * not that of a page, or for a line that the kernel does not count in.
 *
 * Context: any.
 */
void labyrinth_charge_blocks(unsigned int count, void *const *blocks,
			     struct alloc_tag *tag)
{
	if (!blocks || !tag || !tag->counters)
		return;
	for (unsigned int i = 0; i < count; i++) {
		/* This is false for NULL, too. */
		if (virt_addr_valid(blocks[i]))
			labyrinth_charge(virt_to_page(blocks[i]), tag);
	}
}
EXPORT_SYMBOL_GPL(labyrinth_charge_blocks);

/* Charges pages to "held" again. Call this before they are freed, too. */
void labyrinth_uncharge(struct page *page, unsigned int order)
{
	unsigned long who = recall(page);

	/*
	 * Do this even if profiling was switched off: numbers that were moved must be
	 * moved back.
	 */
	if (who <= UNKNOWN)
		return;

	remember(page, HELD(order));
	move((struct alloc_tag *)who, labyrinth_held_tag(), PAGE_SIZE << order);
}
