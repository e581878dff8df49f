/* SPDX-License-Identifier: GPL-2.0 */
/* For architectures without a file of their own. */
#ifndef LABYRINTH_ARCH_GENERIC_H
#define LABYRINTH_ARCH_GENERIC_H

#include <linux/errno.h>
#include <linux/libnvdimm.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "../mm/attribute.h"

/*
 * Other architectures do not let a module look up a page table entry, so the first page of an
 * area stays mapped.
 */
static inline void labyrinth_arch_unmap_first(void *area)
{
}

static inline void labyrinth_arch_map_first(void *area, struct page *page)
{
}

/* The functions for persistent memory are the ones that modules can call for any memory. */
static inline int labyrinth_arch_flush(void *address, size_t bytes)
{
	if (!IS_ENABLED(CONFIG_ARCH_HAS_PMEM_API))
		return -EOPNOTSUPP;
	arch_wb_cache_pmem(address, bytes);
	arch_invalidate_pmem(address, bytes);
	return 0;
}

static inline int labyrinth_arch_flush_pages(struct page **pages, int count)
{
	int error = 0;

	for (int i = 0; i < count && !error; i++)
		error = labyrinth_arch_flush(page_address(pages[i]), PAGE_SIZE);
	return error;
}

/*
 * The linear mapping stays as it is. Nobody writes to the pages through it, so a line that
 * a CPU loads from there ahead of time is never written back.
 */
static inline int labyrinth_arch_attribute_set(struct page **pages, int count,
					       unsigned int attribute)
{
	return labyrinth_arch_flush_pages(pages, count);
}

/* Removes the lines that a CPU has loaded ahead of time. */
static inline int labyrinth_arch_attribute_reset(struct page **pages, int count)
{
	labyrinth_arch_flush_pages(pages, count);
	return 0;
}

/* A second mapping has the attribute. */
static inline void *labyrinth_arch_attribute_map(struct page **pages, unsigned int count,
						 unsigned int attribute)
{
	return vmap(pages, count, VM_MAP,
		    attribute == LABYRINTH_WRITE_COMBINED ? pgprot_writecombine(PAGE_KERNEL) :
							    pgprot_noncached(PAGE_KERNEL));
}

static inline void labyrinth_arch_attribute_unmap(void *mapping)
{
	vunmap(mapping);
}

/* Not all of them export the functions to modules. */
static inline bool labyrinth_arch_host_exists(void)
{
	return false;
}

static inline int labyrinth_arch_host_share(void *address, int count)
{
	return -EOPNOTSUPP;
}

static inline int labyrinth_arch_host_take_back(void *address, int count)
{
	return -EOPNOTSUPP;
}

#endif /* LABYRINTH_ARCH_GENERIC_H */
