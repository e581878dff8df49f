// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: disabling them, a lock and a timer that work with them disabled, and
 * interrupts of our own (irq_work).
 */
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/smp.h>

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

void labyrinth_raw_spin_init(raw_spinlock_t *lock, const char *name,
			     struct lock_class_key *key)
{
#ifdef CONFIG_DEBUG_SPINLOCK
	__raw_spin_lock_init(lock, name, key, LD_WAIT_SPIN);
#else
	raw_spin_lock_init(lock);
#endif
}

unsigned long labyrinth_raw_spin_lock(raw_spinlock_t *lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(lock, flags);
	return flags;
}

bool labyrinth_raw_spin_trylock(raw_spinlock_t *lock, unsigned long *flags)
{
	return raw_spin_trylock_irqsave(lock, *flags);
}

void labyrinth_raw_spin_unlock(raw_spinlock_t *lock, unsigned long flags)
{
	raw_spin_unlock_irqrestore(lock, flags);
}

void labyrinth_raw_spin_assert_held(raw_spinlock_t *lock)
{
	lockdep_assert_held(lock);
}

/*
 * Without PREEMPT_RT all timers but soft ones expire in a hard interrupt. There, "hard"
 * only makes lockdep apply the rules of PREEMPT_RT.
 */
void labyrinth_hard_timer_init(struct hrtimer *timer,
			       enum hrtimer_restart (*function)(struct hrtimer *timer),
			       bool takes_spinlocks)
{
	bool hard = IS_ENABLED(CONFIG_PREEMPT_RT) || !takes_spinlocks;

	hrtimer_setup(timer, function, CLOCK_MONOTONIC,
		      hard ? HRTIMER_MODE_REL_PINNED_HARD : HRTIMER_MODE_REL_PINNED);
}

struct hard_timer_start {
	struct hrtimer *timer;
	ktime_t delay;
};

static void hard_timer_start(void *data)
{
	struct hard_timer_start *start = data;

	hrtimer_start(start->timer, start->delay,
		      start->timer->is_hard ? HRTIMER_MODE_REL_PINNED_HARD :
					      HRTIMER_MODE_REL_PINNED);
}

/*
 * An hrtimer can only be started on the current CPU. While this waits for another CPU, which
 * may be waiting for this one, interrupts and softirqs must be served.
 */
int labyrinth_hard_timer_start_on(struct hrtimer *timer, int cpu,
				  unsigned int delay_us)
{
	struct hard_timer_start start = { timer, us_to_ktime(delay_us) };

	if (!labyrinth_may_sleep())
		return -EPERM;
	return smp_call_function_single(cpu, hard_timer_start, &start, 1);
}

/* For the timer's own function, which must return HRTIMER_RESTART afterwards. */
void labyrinth_hard_timer_expires_in(struct hrtimer *timer,
				     unsigned int delay_us)
{
	hrtimer_set_expires(timer, ktime_add_us(ktime_get(), delay_us));
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
