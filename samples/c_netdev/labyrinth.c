// SPDX-License-Identifier: GPL-2.0
/*
 * Pages from a labyrinth pool.
 *
 * A page is lent to the stack, which takes a reference of its own and drops it later, as it
 * does with every page. The driver keeps its reference, and the page in a queue. Once the
 * stack has dropped the page, it is used again. If the queue is full, the stack gets the
 * oldest page for good, and labyrinth refills the pool in the background.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/slab.h>

#include "c_netdev.h"
#include "labyrinth.h"

struct labyrinth_pages {
	struct labyrinth_pool *pool;
	/* Pages from @oldest to @end are lent. Both only grow. */
	unsigned int oldest;
	unsigned int end;
	struct page *lent[RECYCLED];
};

static int pages_open(struct port *port)
{
	const struct labyrinth_pool_params params = {
		.name = port->dev->name,
		.cache = cache,
		.reserve = reserve,
	};
	struct labyrinth_pages *pages = kvzalloc_obj(*pages, GFP_KERNEL);
	int error;

	if (!pages)
		return -ENOMEM;
	pages->pool = labyrinth_pool_create(&params);
	if (IS_ERR(pages->pool)) {
		error = PTR_ERR(pages->pool);
		kvfree(pages);
		return error;
	}
	/* Do not wait for the background refill. */
	labyrinth_pool_prime(pages->pool, cache);
	port->labyrinth = pages;
	return 0;
}

/* Whether the stack has dropped a page. It cannot take a reference again. */
static bool is_dropped(struct page *page)
{
	if (page_ref_count(page) != 1)
		return false;
	/* Read and write the page only after that. */
	smp_acquire__after_ctrl_dep();
	return true;
}

static struct page *pages_take(struct port *port)
{
	struct labyrinth_pages *pages = port->labyrinth;
	void *address;

	if (pages->oldest != pages->end) {
		struct page *page = pages->lent[pages->oldest % RECYCLED];

		if (likely(is_dropped(page))) {
			pages->oldest++;
			return page;
		}
	}
	address = labyrinth_pool_alloc(pages->pool);
	return address ? virt_to_page(address) : NULL;
}

static void pages_put(struct port *port, struct page *page)
{
	labyrinth_pool_free(port->labyrinth->pool, page_address(page));
}

/* Gives back the oldest lent page. If the stack still has it, the stack keeps it. */
static void forget_oldest(struct port *port)
{
	struct labyrinth_pages *pages = port->labyrinth;
	struct page *page = pages->lent[pages->oldest++ % RECYCLED];

	if (is_dropped(page))
		pages_put(port, page);
	else
		put_page(labyrinth_pool_detach(pages->pool, page_address(page)));
}

static void pages_pass(struct port *port, struct page *page, struct sk_buff *skb)
{
	struct labyrinth_pages *pages = port->labyrinth;

	if (unlikely(pages->end - pages->oldest == RECYCLED))
		forget_oldest(port);
	page_ref_inc(page);
	pages->lent[pages->end++ % RECYCLED] = page;
	/* labyrinth.h: page_is_pfmemalloc() means nothing for its pages. */
	skb->pfmemalloc = false;
}

static void pages_close(struct port *port)
{
	struct labyrinth_pages *pages = port->labyrinth;

	while (pages->oldest != pages->end)
		forget_oldest(port);
	labyrinth_pool_destroy(pages->pool);
	kvfree(pages);
}

const struct source labyrinth_source = {
	.name = "labyrinth",
	.open = pages_open,
	.close = pages_close,
	.take = pages_take,
	.pass = pages_pass,
	.put = pages_put,
};
