// SPDX-License-Identifier: GPL-2.0
/*
 * Makes page allocations fail, on any kernel and without harm to others: it takes all free
 * blocks of one order in ZONE_DMA, where hardly anybody else allocates. Writing "CONTEXT
 * ORDER TIMES WARN" to the parameter "fail" requests blocks until so many requests have
 * failed, and then frees them all. CONTEXT is task, softirq or hard_irq. WARN is warn, or
 * nowarn for __GFP_NOWARN. The parameter "failed" is the number of failures so far.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>

/* Linux 5.10 has only the older names of these functions. */
#ifndef in_hardirq
#define in_hardirq() in_irq()
#endif

/* ZONE_DMA has 16 MiB. */
static struct page *blocks[4096];

static unsigned long failed;
static unsigned int order, times;
static gfp_t gfp;
static bool was_there;

static noinline void labyrinth_fail(bool in_context)
{
	unsigned int count = 0, left = times;

	was_there = in_context;
	while (left && count < ARRAY_SIZE(blocks)) {
		blocks[count] = alloc_pages(gfp, order);
		if (blocks[count])
			count++;
		else
			left--;
	}
	failed += times - left;
	times = left;
	while (count)
		__free_pages(blocks[--count], order);
}

static void fail_in_task(void)
{
	labyrinth_fail(in_task());
}

static void softirq_work(struct tasklet_struct *tasklet)
{
	labyrinth_fail(in_serving_softirq());
}

/* A tasklet, because the oldest kernels that the tool supports have no system_bh_wq. */
static DECLARE_TASKLET(soft, softirq_work);

static void fail_in_softirq(void)
{
	tasklet_schedule(&soft);
	/* This waits until the tasklet has run. */
	tasklet_kill(&soft);
}

static void hard_irq_work(struct irq_work *work)
{
	labyrinth_fail(in_hardirq());
}

#ifdef IRQ_WORK_INIT_HARD
static struct irq_work hard = IRQ_WORK_INIT_HARD(hard_irq_work);
#else
static DEFINE_IRQ_WORK(hard, hard_irq_work);
#endif

static void fail_in_hard_irq(void)
{
	irq_work_queue(&hard);
	irq_work_sync(&hard);
}

static const struct {
	const char *name;
	void (*fail)(void);
} contexts[] = {
	{ "task", fail_in_task },
	{ "softirq", fail_in_softirq },
	{ "hard_irq", fail_in_hard_irq },
};

/* The parameters' lock keeps a second caller out. */
static int set_fail(const char *text, const struct kernel_param *param)
{
	char name[16], warn[16];
	size_t i;

	if (sscanf(text, "%15s %u %u %15s", name, &order, &times, warn) != 4)
		return -EINVAL;
	gfp = GFP_ATOMIC | GFP_DMA;
	if (!strcmp(warn, "nowarn"))
		gfp |= __GFP_NOWARN;

	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		if (!strcmp(name, contexts[i].name)) {
			contexts[i].fail();
			if (times)
				return -ENOSPC;
			return was_there ? 0 : -EPROTO;
		}
	}
	return -EINVAL;
}

static const struct kernel_param_ops fail_ops = {
	.set = set_fail,
};
module_param_cb(fail, &fail_ops, NULL, 0200);
MODULE_PARM_DESC(fail, "CONTEXT ORDER TIMES WARN: makes so many allocations fail");
module_param(failed, ulong, 0400);
MODULE_PARM_DESC(failed, "The number of failures so far");

static int __init failing_init(void)
{
	return 0;
}
module_init(failing_init);

static void __exit failing_exit(void)
{
}
module_exit(failing_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The labyrinth developers");
MODULE_DESCRIPTION("Makes page allocations fail, for the tests of the tool");
