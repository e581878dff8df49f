// SPDX-License-Identifier: GPL-2.0
/*
 * Pages from a page_pool. The stack gives them back to it.
 */
#include <linux/err.h>
#include <net/page_pool/helpers.h>

#include "c_netdev.h"

static int pool_open(struct port *port)
{
	const struct page_pool_params params = {
		.pool_size = RECYCLED,
		.nid = NUMA_NO_NODE,
		/* The only user, so that pages freed in NAPI skip the pool's lock. */
		.napi = &port->napi,
		.netdev = port->dev,
	};

	port->page_pool = page_pool_create(&params);
	return PTR_ERR_OR_ZERO(port->page_pool);
}

/* The pool stays until the stack has given back all pages. */
static void pool_close(struct port *port)
{
	page_pool_destroy(port->page_pool);
}

/* Asks the allocator with GFP_ATOMIC if the pool is empty. */
static struct page *pool_take(struct port *port)
{
	return page_pool_dev_alloc_pages(port->page_pool);
}

static void pool_pass(struct port *port, struct page *page, struct sk_buff *skb)
{
	skb_mark_for_recycle(skb);
}

static void pool_put(struct port *port, struct page *page)
{
	page_pool_put_full_page(port->page_pool, page, false);
}

const struct source page_pool_source = {
	.name = "page_pool",
	.open = pool_open,
	.close = pool_close,
	.take = pool_take,
	.pass = pool_pass,
	.put = pool_put,
};
