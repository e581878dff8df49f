// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are mapped side by side, and contents that are overwritten.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../arch/arch.h"
#include "alloc_tag.h"
#include "vmap.h"

/*
 * VM_MAP_PUT_PAGES is for labyrinth_view_drop() alone: the core kernel then knows what
 * to free, and does so by itself.
 */
void *labyrinth_view_map(struct page **pages, unsigned int count)
{
	return vmap(pages, count, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
}

/* Unmaps the first page of an area that nobody has used yet, where the architecture can. */
void labyrinth_view_guard(void *area)
{
	labyrinth_arch_unmap_first(area);
}

/* vunmap() finds a page missing at the front, and does not mind. */
void labyrinth_view_unmap(void *area)
{
	vunmap(area);
}

/*
 * Has the core kernel unmap the area, free its pages and their table, later if this is no
 * context to do so. Until then it keeps a list in the first page of each such area.
 */
void labyrinth_view_drop(void *area, struct page **pages, size_t count)
{
	labyrinth_arch_map_first(area, pages[0]);
	for (size_t i = 0; i < count; i++)
		labyrinth_uncharge(pages[i], 0);
	kvfree_atomic(area);
}

void labyrinth_scrub(void *bytes, size_t count)
{
	memzero_explicit(bytes, count);
}
