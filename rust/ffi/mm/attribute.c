// SPDX-License-Identifier: GPL-2.0
/*
 * Cache attributes of pages, and flushing. How pages get an attribute depends on the
 * architecture, see ../arch/arch.h.
 *
 * While a block of pages has another attribute than write-back, two words in the struct
 * page of its first page are for this file: page->private has the order of the block, and
 * lru.prev the address where the pages are mapped with the attribute. The owner sets the
 * order before it calls a function of this file.
 */
#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include <asm/barrier.h>

#include "../arch/arch.h"
#include "attribute.h"
#include "bad_memory.h"
#include "page.h"

static atomic64_t events[LABYRINTH_NR_ATTRIBUTE_EVENTS];

u64 labyrinth_attribute_events(unsigned int which)
{
	return atomic64_read(&events[which]);
}

/* Pages whose attribute is not known must not be freed, so they stay allocated for ever. */
static void lose(int count)
{
	atomic64_add(count, &events[LABYRINTH_PAGE_LOST]);
}

static int pages_of(const struct page *block)
{
	return 1 << page_private(block);
}

static void unmap_blocks(struct page **pages, int count)
{
	for (int i = 0; i < count; i += pages_of(pages[i]))
		labyrinth_arch_attribute_unmap(pages[i]->lru.prev);
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
		pages[i]->lru.prev = mapping;
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
		lose(count);
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

/* The address at which the pages of a block are mapped with their attribute. */
void *labyrinth_attribute_mapping(const struct page *block)
{
	return block->lru.prev;
}

/*
 * Orders all accesses to pages of any attribute before it against all after it. The
 * barriers of locks and atomics do so for write-back pages only.
 */
void labyrinth_attribute_fence(void)
{
	mb();
}

/* Blocks that were dropped, possibly where one cannot sleep. */
static LLIST_HEAD(dropped);

/* The pages that the work changes at once. The largest block has as many pages. */
static struct page *batch[1024];

static void free_blocks(struct llist_node *node, const struct llist_node *end)
{
	while (node != end) {
		struct page *block = llist_entry(node, struct page, pcp_llist);
		unsigned int order = page_private(block);

		node = node->next;
		if (order && labyrinth_pages_bad(block, order))
			labyrinth_free_around_bad(block, order);
		else
			labyrinth_free_pages(block, order);
	}
}

/* Resets and frees the first blocks of a list, and returns the rest. */
static struct llist_node *reset_some(struct llist_node *first)
{
	struct llist_node *node;
	int count = 0;

	for (node = first; node; node = node->next) {
		struct page *block = llist_entry(node, struct page, pcp_llist);
		int more = pages_of(block);

		if (count + more > (int)ARRAY_SIZE(batch))
			break;
		for (int i = 0; i < more; i++)
			batch[count++] = block + i;
	}
	if (labyrinth_attribute_reset(batch, count)) {
		atomic64_inc(&events[LABYRINTH_LATE_RESET_FAILED]);
		lose(count);
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

/* Makes a block write-back and frees it, later. Any context but NMI. */
void labyrinth_attribute_drop(struct page *block)
{
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
