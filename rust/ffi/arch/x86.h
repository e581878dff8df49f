/* SPDX-License-Identifier: GPL-2.0 */
/* x86 lets a module look up the page table entry of an address. */
#ifndef LABYRINTH_ARCH_X86_H
#define LABYRINTH_ARCH_X86_H

#include <linux/mm.h>
#include <linux/pgtable.h>

/* The entry of a live area stays where it is. */
static inline void labyrinth_arch_set_first(void *area, pte_t value)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)area, &level);

	if (pte && level == PG_LEVEL_4K)
		set_pte(pte, value);
}

/*
 * Unmaps the first page of an area that nobody has used yet. No CPU has to be told: none
 * has accessed it.
 */
static inline void labyrinth_arch_unmap_first(void *area)
{
	labyrinth_arch_set_first(area, __pte(0));
}

/* Maps the first page of an area again. */
static inline void labyrinth_arch_map_first(void *area, struct page *page)
{
	labyrinth_arch_set_first(area, mk_pte(page, PAGE_KERNEL));
}

#endif /* LABYRINTH_ARCH_X86_H */
