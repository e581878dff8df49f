// SPDX-License-Identifier: GPL-2.0
/*
 * Writes to a page of another owner, as a driver with a bug would. None of labyrinth's
 * checks can prevent that. Writing "CONTEXT PFN OFFSET MASK" to the parameter "write"
 * changes those bits of one byte, OFFSET bytes after the beginning of the page frame
 * PFN. CONTEXT is task, spinlock, softirq or hard_irq.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq_work.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

static u8 *victim;
static u8 mask;
/* Whether the byte was written in the requested context. */
static bool was_there;

static void overrun(bool in_context)
{
	was_there = in_context;
	*victim ^= mask;
}

static void in_task_context(void)
{
	overrun(in_task() && !irqs_disabled());
}

static DEFINE_SPINLOCK(lock);

static void under_spinlock(void)
{
	spin_lock(&lock);
	lockdep_assert_held(&lock);
	overrun(in_task());
	spin_unlock(&lock);
}

static void softirq_work(struct work_struct *work)
{
	overrun(in_serving_softirq());
}

static DECLARE_WORK(soft, softirq_work);

static void in_softirq_work(void)
{
	queue_work(system_bh_wq, &soft);
	flush_work(&soft);
}

static void hard_irq_work(struct irq_work *work)
{
	overrun(in_hardirq());
}

static struct irq_work hard = IRQ_WORK_INIT_HARD(hard_irq_work);

static void in_hard_irq(void)
{
	irq_work_queue(&hard);
	irq_work_sync(&hard);
}

static const struct {
	const char *name;
	void (*write)(void);
} contexts[] = {
	{ "task", in_task_context },
	{ "spinlock", under_spinlock },
	{ "softirq", in_softirq_work },
	{ "hard_irq", in_hard_irq },
};

/* The lock of the module's parameters excludes concurrent calls. */
static int set_write(const char *text, const struct kernel_param *param)
{
	unsigned long pfn, offset;
	char name[16];

	if (sscanf(text, "%15s %lx %lu %hhx", name, &pfn, &offset, &mask) != 4)
		return -EINVAL;
	if (!pfn_valid(pfn + offset / PAGE_SIZE))
		return -ERANGE;
	victim = (u8 *)page_address(pfn_to_page(pfn)) + offset;

	for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
		if (!strcmp(name, contexts[i].name)) {
			contexts[i].write();
			return was_there ? 0 : -EPROTO;
		}
	}
	return -EINVAL;
}

static const struct kernel_param_ops write_ops = {
	.set = set_write,
};
module_param_cb(write, &write_ops, NULL, 0200);
MODULE_PARM_DESC(write, "CONTEXT PFN OFFSET MASK: changes these bits of a byte");

static int __init overrun_init(void)
{
	return 0;
}
module_init(overrun_init);

static void __exit overrun_exit(void)
{
}
module_exit(overrun_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The labyrinth developers");
MODULE_DESCRIPTION("Writes where it must not, for labyrinth's tests");
