// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: disabling them, and what shows whether the current code is in one.
 */
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "interrupt.h"

unsigned long labyrinth_irq_save(void)
{
	unsigned long flags;

	local_irq_save(flags);
	return flags;
}

void labyrinth_irq_restore(unsigned long flags)
{
	local_irq_restore(flags);
}

bool labyrinth_irqs_disabled(void)
{
	return irqs_disabled();
}

bool labyrinth_in_hardirq(void)
{
	return in_hardirq();
}

/* An NMI counts as a hard interrupt, too. */
bool labyrinth_serves_hard_irq(void)
{
	return in_hardirq() && !in_nmi() && irqs_disabled();
}

/*
 * Whether this could be the handler of a device's interrupt. Its thread has bottom halves disabled,
 * and without PREEMPT_RT also interrupts.
 */
bool labyrinth_serves_device_irq(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return preemptible() && softirq_count();
	return irqs_disabled() && !in_nmi();
}

bool labyrinth_may_sleep(void)
{
	return !labyrinth_no_sleep();
}

/* Returns why this context may not sleep, for reports; NULL if it may. */
const char *labyrinth_no_sleep(void)
{
	if (in_nmi())
		return "in an NMI";
	if (in_hardirq())
		return "in a hard interrupt";
	if (in_serving_softirq())
		return "in a softirq";
	if (irqs_disabled())
		return "with interrupts disabled";
	/* On PREEMPT_RT preempt_count() does not show these. */
	if (softirq_count())
		return "with bottom halves disabled";
	if (preempt_count())
		return "with preemption disabled";
	if (rcu_preempt_depth())
		return "in an RCU read-side section";
	return NULL;
}
