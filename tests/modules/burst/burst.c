// SPDX-License-Identifier: GPL-2.0
/*
 * Requests blocks of memory until the first failure, as a burst in the timer softirq does. It
 * works on any kernel. Writing "FLAGS ORDER NODE MOST" to the parameter "burst" requests blocks
 * on the CPU of the writer, with bottom halves disabled, until a request fails or MOST blocks are
 * held. Then it frees them all. FLAGS is atomic or nowait. NODE is -1, or the only node to use.
 * The parameter "served" is the number of blocks of the last burst, and "failed" says whether it
 * ended with a failure. The parameter "switches" is the number of context switches of the writer
 * until the end of the burst: on PREEMPT_RT, disabled bottom halves do not prevent these. The
 * parameter "free_before" is the number of free pages in all zones at the beginning of the burst.
 * Writing a number to the parameter "hold" takes so many pages, keeps those whose number is a
 * multiple of "every", and frees the others, so that memory is fragmented. Writing 0 frees all.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmstat.h>

static unsigned long served;
static bool failed;
static unsigned long switches;
static unsigned long free_before;
static unsigned int every = 2;
static LIST_HEAD(held);

static void free_all(struct list_head *blocks, unsigned int order)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		__free_pages(page, order);
	}
}

/* The parameters' lock keeps a second caller out. */
static int set_burst(const char *text, const struct kernel_param *param)
{
	unsigned int order;
	LIST_HEAD(blocks);
	unsigned long most;
	char flags[16];
	gfp_t gfp;
	int node;

	if (sscanf(text, "%15s %u %d %lu", flags, &order, &node, &most) != 4)
		return -EINVAL;
	if (!strcmp(flags, "atomic"))
		gfp = GFP_ATOMIC;
	else if (!strcmp(flags, "nowait"))
		gfp = GFP_NOWAIT;
	else
		return -EINVAL;
	gfp |= __GFP_NOWARN;
	if (node >= 0)
		gfp |= __GFP_THISNODE;

	served = 0;
	failed = false;
	local_bh_disable();
	free_before = global_zone_page_state(NR_FREE_PAGES);
	while (served < most) {
		struct page *page = alloc_pages_node(node, gfp, order);

		if (!page) {
			failed = true;
			break;
		}
		list_add(&page->lru, &blocks);
		served++;
	}
	switches = current->nvcsw + current->nivcsw;
	free_all(&blocks, order);
	local_bh_enable();
	return 0;
}

static const struct kernel_param_ops burst_ops = {
	.set = set_burst,
};
module_param_cb(burst, &burst_ops, NULL, 0200);
MODULE_PARM_DESC(burst, "FLAGS ORDER NODE MOST: requests blocks until a request fails");

static int set_hold(const char *text, const struct kernel_param *param)
{
	unsigned long count, i;
	LIST_HEAD(back);
	int error;

	error = kstrtoul(text, 0, &count);
	if (error)
		return error;
	if (!count || !every) {
		free_all(&held, 0);
		return 0;
	}
	for (i = 0; i < count; i++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);

		if (!page)
			break;
		list_add(&page->lru, page_to_pfn(page) % every ? &back : &held);
		if (need_resched())
			cond_resched();
	}
	free_all(&back, 0);
	return 0;
}

static const struct kernel_param_ops hold_ops = {
	.set = set_hold,
};
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "Takes so many pages and keeps one of \"every\"; 0 frees them");
module_param(every, uint, 0600);
MODULE_PARM_DESC(every, "One of so many pages is kept by \"hold\"");
module_param(served, ulong, 0400);
MODULE_PARM_DESC(served, "The number of blocks that the last burst got");
module_param(failed, bool, 0400);
MODULE_PARM_DESC(failed, "Whether the last burst ended with a failure");
module_param(switches, ulong, 0400);
MODULE_PARM_DESC(switches, "Context switches of the writer until the last burst ended");
module_param(free_before, ulong, 0400);
MODULE_PARM_DESC(free_before, "Free pages at the beginning of the last burst");

static int __init burst_init(void)
{
	return 0;
}
module_init(burst_init);

static void __exit burst_exit(void)
{
	free_all(&held, 0);
}
module_exit(burst_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The labyrinth developers");
MODULE_DESCRIPTION("Requests memory in bursts until the first failure, for the tests of the tool");
