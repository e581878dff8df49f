/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other architectures do not let a module look up a page table entry, so the first page of an
 * area stays mapped.
 */
#ifndef LABYRINTH_ARCH_GENERIC_H
#define LABYRINTH_ARCH_GENERIC_H

struct page;

static inline void labyrinth_arch_unmap_first(void *area)
{
}

static inline void labyrinth_arch_map_first(void *area, struct page *page)
{
}

#endif /* LABYRINTH_ARCH_GENERIC_H */
