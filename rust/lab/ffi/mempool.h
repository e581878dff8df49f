/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's mempool of pages.
 */
#ifndef LABYRINTH_MEMPOOL_H
#define LABYRINTH_MEMPOOL_H

#include <linux/gfp.h>

struct page *labyrinth_mempool_alloc(void *pool, gfp_t gfp);
void labyrinth_mempool_free(void *pool, struct page *page);
void *labyrinth_mempool_create(unsigned int pages);
void labyrinth_mempool_destroy(void *pool);
unsigned int labyrinth_mempool_filled(const void *pool);

#endif /* LABYRINTH_MEMPOOL_H */
