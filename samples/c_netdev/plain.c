// SPDX-License-Identifier: GPL-2.0
/*
 * Pages from the page allocator with GFP_ATOMIC. The stack frees them.
 */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "c_netdev.h"

static int plain_open(struct port *port)
{
	return 0;
}

static void plain_close(struct port *port)
{
}

static struct page *plain_take(struct port *port)
{
	return alloc_page(GFP_ATOMIC | __GFP_NOWARN);
}

static void plain_pass(struct port *port, struct page *page, struct sk_buff *skb)
{
}

static void plain_put(struct port *port, struct page *page)
{
	put_page(page);
}

const struct source plain_source = {
	.name = "plain",
	.open = plain_open,
	.close = plain_close,
	.take = plain_take,
	.pass = plain_pass,
	.put = plain_put,
};
