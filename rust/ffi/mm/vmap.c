// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are mapped side by side, and the overwriting of contents.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "alloc_tag.h"
#include "vmap.h"

/*
 * VM_MAP_PUT_PAGES is only for labyrinth_view_drop(): with it the core kernel knows what
 * to free, and does so without code of this module.
 */
void *labyrinth_view_map(struct page **pages, unsigned int count)
{
	return vmap(pages, count, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
}

#ifdef CONFIG_X86
/* The entry of a live area does not move. */
static void set_first(void *area, pte_t value)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)area, &level);

	if (pte && level == PG_LEVEL_4K)
		set_pte(pte, value);
}
#endif

/*
 * Unmaps the first page of an area that was never used. No TLB has to be flushed, as no
 * CPU has accessed the page.
 */
void labyrinth_view_guard(void *area)
{
#ifdef CONFIG_X86
	set_first(area, __pte(0));
#endif
}

/* vunmap() accepts that the page at the front is not mapped. */
void labyrinth_view_unmap(void *area)
{
	vunmap(area);
}

/*
 * Makes the core kernel unmap the area and free its pages and their table, later if this
 * context does not allow it. Until then it keeps a list in the first page of each such area.
 */
void labyrinth_view_drop(void *area, struct page **pages, size_t count)
{
#ifdef CONFIG_X86
	set_first(area, mk_pte(pages[0], PAGE_KERNEL));
#endif
	for (size_t i = 0; i < count; i++)
		labyrinth_uncharge(pages[i], 0);
	kvfree_atomic(area);
}

void labyrinth_scrub(void *bytes, size_t count)
{
	memzero_explicit(bytes, count);
}
