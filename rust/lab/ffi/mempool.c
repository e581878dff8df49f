// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's mempool of order-0 pages, without its type, whose name differs between versions.
 */
#include <linux/compiler.h>
#include <linux/mempool.h>

#include "mempool.h"

void *labyrinth_mempool_create(unsigned int pages)
{
	return mempool_create_page_pool(pages, 0);
}

void labyrinth_mempool_destroy(void *pool)
{
	mempool_destroy(pool);
}

struct page *labyrinth_mempool_alloc(void *pool, gfp_t gfp)
{
	return mempool_alloc(pool, gfp);
}

void labyrinth_mempool_free(void *pool, struct page *page)
{
	mempool_free(page, pool);
}

/* Returns the number of elements in the reserve. */
unsigned int labyrinth_mempool_filled(const void *pool)
{
	const mempool_t *mempool = pool;

	return READ_ONCE(mempool->curr_nr);
}
