/* SPDX-License-Identifier: GPL-2.0 */
/* x86 lets a module look up the page table entry of an address, and change attributes. */
#ifndef LABYRINTH_ARCH_X86_H
#define LABYRINTH_ARCH_X86_H

#include <linux/cc_platform.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>

#include <asm/cacheflush.h>
#include <asm/set_memory.h>

#include "../mm/attribute.h"

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

/*
 * Changes the linear mapping, splits its large pages, and flushes TLBs and caches of all
 * CPUs, once for all pages.
 */
static inline int labyrinth_arch_attribute_set(struct page **pages, int count,
					       unsigned int attribute)
{
	return attribute == LABYRINTH_WRITE_COMBINED ? set_pages_array_wc(pages, count) :
						       set_pages_array_uc(pages, count);
}

static inline int labyrinth_arch_attribute_reset(struct page **pages, int count)
{
	return set_pages_array_wb(pages, count);
}

static inline void *labyrinth_arch_attribute_map(struct page **pages, unsigned int count,
						 unsigned int attribute)
{
	return page_address(pages[0]);
}

static inline void labyrinth_arch_attribute_unmap(void *mapping)
{
}

static inline int labyrinth_arch_flush(void *address, size_t bytes)
{
	while (bytes) {
		unsigned int part = min_t(size_t, bytes, SZ_1G);

		clflush_cache_range(address, part);
		address += part;
		bytes -= part;
	}
	return 0;
}

/* The kernel's functions do nothing, and succeed, on a machine without encrypted memory. */
static inline bool labyrinth_arch_host_exists(void)
{
	return cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
}

static inline int labyrinth_arch_host_share(void *address, int count)
{
	return set_memory_decrypted((unsigned long)address, count);
}

static inline int labyrinth_arch_host_take_back(void *address, int count)
{
	return set_memory_encrypted((unsigned long)address, count);
}

#endif /* LABYRINTH_ARCH_X86_H */
