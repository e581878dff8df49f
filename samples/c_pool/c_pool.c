// SPDX-License-Identifier: GPL-2.0
/*
 * Takes pages from a labyrinth pool of its own by the C interface: in the timer softirq, as
 * a network driver would for each packet, and in task context.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/timer.h>

#include "labyrinth.h"

/* How often the timer expires, in milliseconds. */
#define PERIOD_MS 4

static struct labyrinth_pool *pool;
static struct timer_list timer;

/* Receives a packet into a page. Any context in which GFP_ATOMIC can be used. */
static int receive(void)
{
	char *packet = labyrinth_pool_alloc(pool);

	if (!packet)
		return -ENOMEM;
	strscpy(packet, "hello", PAGE_SIZE);
	/* labyrinth notices a page that is given back twice, or to another pool. */
	labyrinth_pool_free(pool, packet);
	return 0;
}

static void expired(struct timer_list *unused)
{
	if (receive())
		pr_warn_ratelimited("a packet was dropped\n");
	mod_timer(&timer, jiffies + msecs_to_jiffies(PERIOD_MS));
}

static int __init c_pool_init(void)
{
	static const struct labyrinth_pool_params params = {
		.name = "c_pool",
		.cache = 64,
		.reserve = 64,
	};
	int error;

	pool = labyrinth_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	error = receive();
	if (error) {
		labyrinth_pool_destroy(pool);
		return error;
	}
	timer_setup(&timer, expired, 0);
	mod_timer(&timer, jiffies + msecs_to_jiffies(PERIOD_MS));
	return 0;
}

static void __exit c_pool_exit(void)
{
	timer_shutdown_sync(&timer);
	labyrinth_pool_destroy(pool);
}

module_init(c_pool_init);
module_exit(c_pool_exit);

MODULE_AUTHOR("The labyrinth developers");
MODULE_DESCRIPTION("Sample: takes pages from a labyrinth pool, in C");
MODULE_LICENSE("GPL");
