// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of the buddy allocator: getting and freeing them, and what struct page says of them.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/topology.h>

#include "alloc_tag.h"
#include "page.h"

/*
 * In an interrupt or a softirq (@interrupts), alloc_pages() ignores the memory policy of the
 * interrupted task, and takes the nearest pages. There the function for a node does the same
 * in fewer instructions.
 */
struct page *labyrinth_alloc_pages(gfp_t gfp, unsigned int order, bool interrupts)
{
	struct page *page;

	if (interrupts)
		page = labyrinth_alloc_held(alloc_pages_node_noprof(numa_node_id(), gfp, order));
	else
		page = labyrinth_alloc_held(alloc_pages_noprof(gfp, order));
	labyrinth_pages_allocated(page, order);
	return page;
}

struct page *labyrinth_alloc_pages_node(int node, gfp_t gfp,
					unsigned int order)
{
	struct page *page = labyrinth_alloc_held(alloc_pages_node_noprof(node, gfp, order));

	labyrinth_pages_allocated(page, order);
	return page;
}

/* Allocates a page that may be freed by __free_pages() alone, so without __GFP_ACCOUNT. */
struct page *labyrinth_alloc_page_nolock(int node)
{
	struct page *page = labyrinth_alloc_held(alloc_pages_nolock_noprof(0, node, 0));

	labyrinth_pages_allocated(page, 0);
	return page;
}

size_t labyrinth_alloc_pages_bulk(gfp_t gfp, size_t wanted, struct page **pages)
{
	size_t got = labyrinth_alloc_held(alloc_pages_bulk_noprof(gfp, numa_mem_id(), NULL,
								  wanted, pages));

	for (size_t i = 0; i < got; i++)
		labyrinth_pages_allocated(pages[i], 0);
	return got;
}

void labyrinth_free_pages(struct page *page, unsigned int order)
{
	labyrinth_uncharge(page, order);
	__free_pages(page, order);
}

/*
 * The allocator keeps a bad page if it is freed as a single page, but hands out a block
 * again that has a bad page in its middle. So the block is split. A module cannot split a
 * compound page, so a compound page is lost as a whole.
 */
void labyrinth_free_around_bad(struct page *page, unsigned int order)
{
	labyrinth_uncharge(page, order);
	if (PageCompound(page))
		return;
	split_page(page, order);
	for (unsigned long i = 0; i < 1UL << order; i++)
		__free_pages(page + i, 0);
}

unsigned long labyrinth_page_to_pfn(const struct page *page)
{
	return page_to_pfn(page);
}

int labyrinth_page_node(const struct page *page)
{
	return page_to_nid(page);
}

/* Returns 0 for zone DMA, 1 for DMA32, 2 for any higher zone. */
unsigned int labyrinth_page_zone(const struct page *page)
{
	switch (page_zonenum(page)) {
#ifdef CONFIG_ZONE_DMA
	case ZONE_DMA:
		return 0;
#endif
#ifdef CONFIG_ZONE_DMA32
	case ZONE_DMA32:
		return 1;
#endif
	default:
		return 2;
	}
}

void *labyrinth_page_address(const struct page *page)
{
	return page_address(page);
}

struct page *labyrinth_virt_to_page(const void *address)
{
	return virt_to_page(address);
}

/*
 * The one user is the caller. Pages that are only temporarily mapped by the kernel count as
 * used.
 */
bool labyrinth_page_has_one_user(struct page *page)
{
	/* A page that is charged to a memory cgroup would stay charged in a pool. */
	return page_ref_count(page) == 1 && !PageHighMem(page) && !PageMemcgKmem(page);
}

/* This word of the page belongs to the page's owner. */
void labyrinth_page_set_link(struct page *page, unsigned long link)
{
	set_page_private(page, link);
}

unsigned long labyrinth_page_link(const struct page *page)
{
	return page_private(page);
}

bool labyrinth_node_online(int node)
{
	return node >= 0 && node < MAX_NUMNODES && node_online(node);
}

/* Returns the node of an online CPU, or the nearest node with memory if it has none. */
int labyrinth_node_of_cpu(unsigned int cpu)
{
	return cpu_to_mem(cpu);
}
