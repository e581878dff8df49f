// SPDX-License-Identifier: GPL-2.0
/*
 * Cache attributes of pages, and flushing. How pages get an attribute depends on the
 * architecture, see ../arch/arch.h.
 *
 * While a block of pages has another attribute than write-back, page->private of its first
 * page is for this file. It has the address where the block is mapped with the attribute,
 * and in its low bits the order. The owner puts the order there before it calls
 * labyrinth_attribute_set(). Blocks that are shared with the host (host.c) have the order and
 * a flag in the word, and come here when they are dropped.
 */
#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include <asm/barrier.h>

#include "../arch/arch.h"
#include "alloc_tag.h"
#include "attribute.h"
#include "bad_memory.h"
#include "host.h"
#include "page.h"

static atomic64_t events[LABYRINTH_NR_ATTRIBUTE_EVENTS];

u64 labyrinth_attribute_events(unsigned int which)
{
	return atomic64_read(&events[which]);
}

/*
 * Pages in a state that is not known must not be freed, so the block stays allocated for ever.
 * It is in no driver's line of /proc/allocinfo any more.
 */
void labyrinth_attribute_lose(struct page *block, unsigned int order)
{
	labyrinth_uncharge(block, order);
	atomic64_add(1 << order, &events[LABYRINTH_PAGE_LOST]);
}

static unsigned int order_of(const struct page *block)
{
	return page_private(block) & LABYRINTH_BLOCK_ORDER;
}

static bool is_of_host(const struct page *block)
{
	return page_private(block) & LABYRINTH_BLOCK_OF_HOST;
}

static int pages_of(const struct page *block)
{
	return 1 << order_of(block);
}

/* The address at which the pages of a block are mapped with their attribute. */
void *labyrinth_attribute_mapping(const struct page *block)
{
	return (void *)(page_private(block) & PAGE_MASK);
}

static void unmap_blocks(struct page **pages, int count)
{
	for (int i = 0; i < count; i += pages_of(pages[i]))
		labyrinth_arch_attribute_unmap(labyrinth_attribute_mapping(pages[i]));
}

static void lose_blocks(struct page **pages, int count)
{
	for (int i = 0; i < count; i += pages_of(pages[i]))
		labyrinth_attribute_lose(pages[i], order_of(pages[i]));
}

static int map_blocks(struct page **pages, int count, unsigned int attribute)
{
	for (int i = 0; i < count; i += pages_of(pages[i])) {
		void *mapping = labyrinth_arch_attribute_map(pages + i, pages_of(pages[i]),
							     attribute);

		if (!mapping) {
			unmap_blocks(pages, i);
			return -ENOMEM;
		}
		set_page_private(pages[i], (unsigned long)mapping | order_of(pages[i]));
	}
	return 0;
}

/*
 * Gives an attribute to all pages of some blocks, which are write-back. If that fails, all
 * of them are write-back again, or else *lost is true, and nobody may use them any more.
 * Task context, sleeps.
 */
int labyrinth_attribute_set(struct page **pages, int count, unsigned int attribute,
			    bool *lost)
{
	int error = labyrinth_arch_attribute_set(pages, count, attribute);

	if (!error)
		error = map_blocks(pages, count, attribute);
	*lost = false;
	/* The kernel may have changed some of the pages before it failed. */
	if (error && labyrinth_arch_attribute_reset(pages, count)) {
		lose_blocks(pages, count);
		*lost = true;
	}
	return error;
}

/*
 * Makes all pages of some blocks write-back. If that fails, they can be used as before, and
 * the caller can try again. Task context, sleeps.
 */
int labyrinth_attribute_reset(struct page **pages, int count)
{
	/* Where this can fail, unmapping does nothing. */
	unmap_blocks(pages, count);
	return labyrinth_arch_attribute_reset(pages, count);
}

/* Orders all accesses to pages of any attribute before it against all after it. */
void labyrinth_attribute_fence(void)
{
	/* Barriers for SMP, as those of locks, order accesses to write-back pages only. */
	mb();
}

/*
 * Blocks that were dropped, possibly where one cannot sleep. Some of them have an attribute,
 * and others are shared with the host (see host.c).
 */
static LLIST_HEAD(dropped);

/* The pages that the work changes at once. The largest block has as many pages. */
static struct page *batch[1024];

static void free_block(struct page *block, unsigned int order)
{
	if (order && labyrinth_pages_bad(block, order))
		labyrinth_free_around_bad(block, order);
	else
		labyrinth_free_pages(block, order);
}

static void free_blocks(struct llist_node *node, const struct llist_node *end)
{
	while (node != end) {
		struct page *block = llist_entry(node, struct page, pcp_llist);

		node = node->next;
		free_block(block, order_of(block));
	}
}

/* Takes a block back from the host and frees it. The block may be in a list. */
static void take_back(struct page *block)
{
	unsigned int order = order_of(block);

	if (labyrinth_host_take_back(block, order)) {
		atomic64_inc(&events[LABYRINTH_LATE_RESET_FAILED]);
		return;
	}
	atomic64_inc(&events[LABYRINTH_LATE_RESET]);
	free_block(block, order);
}

/* Resets and frees the first blocks of a list, and returns the rest. */
static struct llist_node *reset_some(struct llist_node *first)
{
	struct page *block = llist_entry(first, struct page, pcp_llist);
	struct llist_node *node;
	int count = 0;

	if (is_of_host(block)) {
		node = first->next;
		take_back(block);
		return node;
	}
	for (node = first; node; node = node->next) {
		int more;

		block = llist_entry(node, struct page, pcp_llist);
		if (is_of_host(block))
			break;
		more = pages_of(block);
		if (count + more > (int)ARRAY_SIZE(batch))
			break;
		for (int i = 0; i < more; i++)
			batch[count++] = block + i;
	}
	if (labyrinth_attribute_reset(batch, count)) {
		atomic64_inc(&events[LABYRINTH_LATE_RESET_FAILED]);
		lose_blocks(batch, count);
		return node;
	}
	atomic64_inc(&events[LABYRINTH_LATE_RESET]);
	free_blocks(first, node);
	return node;
}

static void reset_dropped(struct work_struct *work)
{
	struct llist_node *node = llist_del_all(&dropped);

	while (node) {
		node = reset_some(node);
		cond_resched();
	}
}

/* The kernel runs one work at most once at a time, so the work has the batch to itself. */
static DECLARE_WORK(work, reset_dropped);

/*
 * Makes a block write-back, or takes it back from the host, and frees it, later. Any context
 * but NMI.
 */
void labyrinth_attribute_drop(struct page *block)
{
	/* The list needs the words that say which line the block is charged to. */
	labyrinth_uncharge(block, order_of(block));
	if (llist_add(&block->pcp_llist, &dropped))
		schedule_work(&work);
}

/* Waits until all blocks that were dropped are free. Task context, sleeps. */
void labyrinth_attribute_settle(void)
{
	flush_work(&work);
}

/*
 * Writes the cache lines of a range back to memory, and removes them from the caches. Any
 * context. -EOPNOTSUPP where a module cannot do that.
 */
int labyrinth_flush(void *address, size_t bytes)
{
	return labyrinth_arch_flush(address, bytes);
}
