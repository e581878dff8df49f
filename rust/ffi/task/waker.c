// SPDX-License-Identifier: GPL-2.0
/*
 * Waking a thread from any context, by an interrupt of our own (irq_work).
 */
#include <linux/irqflags.h>
#include <linux/sched/task.h>

#include "waker.h"

void labyrinth_task_get(struct task_struct *task)
{
	get_task_struct(task);
}

void labyrinth_task_put(struct task_struct *task)
{
	put_task_struct(task);
}

/* The work runs in a hard interrupt on PREEMPT_RT, too. */
void labyrinth_irq_work_init(struct irq_work *work,
			     void (*function)(struct irq_work *work))
{
	*work = IRQ_WORK_INIT_HARD(function);
}

/*
 * Sets *called, and queues the work unless *called was set already. In both cases *called is
 * fully ordered after everything before the call. The xchg() that clears *called relies on that.
 */
void labyrinth_irq_work_call(struct irq_work *work, int *called)
{
	unsigned long flags;

	/* Pairs with the xchg() of the thread that is woken. */
	smp_mb();
	if (READ_ONCE(*called))
		return;

	/*
	 * After the exchange, other callers rely on this one to queue the work. Do not
	 * get preempted in between.
	 */
	local_irq_save(flags);
	if (!xchg(called, 1))
		irq_work_queue(work);
	local_irq_restore(flags);
}
