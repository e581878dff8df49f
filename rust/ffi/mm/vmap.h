/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that are mapped side by side, and the overwriting of contents.
 */
#ifndef LABYRINTH_VIEW_H
#define LABYRINTH_VIEW_H

#include <linux/mm_types.h>
#include <linux/types.h>

void *labyrinth_view_map(struct page **pages, unsigned int count);
void labyrinth_view_guard(void *area);
void labyrinth_view_unmap(void *area);
void labyrinth_view_drop(void *area, struct page **pages, size_t count);

void labyrinth_scrub(void *bytes, size_t count);

#endif /* LABYRINTH_VIEW_H */
