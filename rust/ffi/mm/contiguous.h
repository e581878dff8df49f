/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous pages beyond the orders of the buddy allocator.
 */
#ifndef LABYRINTH_CONTIGUOUS_H
#define LABYRINTH_CONTIGUOUS_H

#include <linux/types.h>

struct page;

int labyrinth_contiguous_alloc(size_t wanted, size_t count, gfp_t gfp, int node,
			       struct page **first);
void labyrinth_contiguous_free(struct page *first, size_t count);

#endif /* LABYRINTH_CONTIGUOUS_H */
