/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that are mapped side by side, and the overwriting of contents.
 */
#ifndef LABYRINTH_VMAP_H
#define LABYRINTH_VMAP_H

#include <linux/mm_types.h>
#include <linux/types.h>

void *labyrinth_vmap(struct page **pages, unsigned int count);
void labyrinth_vmap_guard(void *area);
void labyrinth_vunmap(void *area);
void labyrinth_vmap_drop(void *area, struct page **pages, size_t count);

void labyrinth_scrub(void *bytes, size_t count);

#endif /* LABYRINTH_VMAP_H */
