// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous pages beyond the orders of the buddy allocator. The kernel finds a range of
 * free and movable pages, and moves the latter elsewhere. The pages are single ones, without
 * an order.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/topology.h>

#include "alloc_tag.h"
#include "contiguous.h"

#ifdef CONFIG_CONTIG_ALLOC
/*
 * Allocates @wanted pages, keeps the first @count of them and frees the others at once. If
 * @wanted is a power of two, the first page is aligned to it. Task context, sleeps.
 */
int labyrinth_contiguous_alloc(size_t wanted, size_t count, gfp_t gfp, int node,
			       struct page **first)
{
	if (node == NUMA_NO_NODE)
		node = numa_mem_id();
	*first = labyrinth_alloc_held(alloc_contig_pages_noprof(wanted, gfp, node, NULL));
	if (!*first)
		return -ENOMEM;
	if (wanted > count)
		free_contig_range(page_to_pfn(*first) + count, wanted - count);
	return 0;
}

/* Contexts as for __free_pages(). The allocator keeps those of the pages that are bad. */
void labyrinth_contiguous_free(struct page *first, size_t count)
{
	free_contig_range(page_to_pfn(first), count);
}
#else
int labyrinth_contiguous_alloc(size_t wanted, size_t count, gfp_t gfp, int node,
			       struct page **first)
{
	return -EOPNOTSUPP;
}

void labyrinth_contiguous_free(struct page *first, size_t count)
{
}
#endif
