/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attribution of pages in /proc/allocinfo. alloc_tag.c explains how and why.
 *
 * All functions may be called in any context. Without CONFIG_MEM_ALLOC_PROFILING none of
 * them exists.
 */
#ifndef LABYRINTH_ALLOC_TAG_H
#define LABYRINTH_ALLOC_TAG_H

#include <linux/alloc_tag.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/types.h>

#ifdef CONFIG_MEM_ALLOC_PROFILING
struct alloc_tag *labyrinth_held_tag(void);
void labyrinth_pages_allocated(struct page *page, unsigned int order);
void labyrinth_charge(struct page *page, struct alloc_tag *tag);
void labyrinth_uncharge(struct page *page, unsigned int order);
void labyrinth_keep_lines(void);

/* Calls an allocation function whose name ends in _noprof, and charges the line "held". */
#define labyrinth_alloc_held(call) \
	alloc_hooks_tag(labyrinth_held_tag(), call)
#else
#define labyrinth_alloc_held(call) (call)

static inline void labyrinth_pages_allocated(struct page *page,
					     unsigned int order)
{
}

static inline void labyrinth_uncharge(struct page *page, unsigned int order)
{
}
#endif

#endif /* LABYRINTH_ALLOC_TAG_H */
