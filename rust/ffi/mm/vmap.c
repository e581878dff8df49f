// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are mapped side by side, and the overwriting of contents.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../arch/arch.h"
#include "alloc_tag.h"
#include "vmap.h"

/*
 * VM_MAP_PUT_PAGES is only for labyrinth_vmap_drop(): with it the core kernel knows what
 * to free, and does so without code of this module.
 */
void *labyrinth_vmap(struct page **pages, unsigned int count)
{
	return vmap(pages, count, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
}

/* Unmaps the first page of an area that was never used, where the architecture can. */
void labyrinth_vmap_guard(void *area)
{
	labyrinth_arch_unmap_first(area);
}

/* vunmap() accepts that the page at the front is not mapped. */
void labyrinth_vunmap(void *area)
{
	vunmap(area);
}

/*
 * Makes the core kernel unmap the area and free its pages and their table, later if this
 * context does not allow it. Until then it keeps a list in the first page of each such area.
 */
void labyrinth_vmap_drop(void *area, struct page **pages, size_t count)
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
