// SPDX-License-Identifier: GPL-2.0
/*
 * Timers that expire on one CPU, in softirqs (timer_list) and in hard interrupts (hrtimer).
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/smp.h>

#include "../irq/interrupt.h"
#include "timer.h"

void labyrinth_timer_init(struct timer_list *timer,
			  void (*function)(struct timer_list *timer))
{
	timer_setup(timer, function, TIMER_PINNED);
}

void labyrinth_timer_start_on(struct timer_list *timer, int cpu,
			      unsigned int delay_us)
{
	timer->expires = jiffies + usecs_to_jiffies(delay_us);
	add_timer_on(timer, cpu);
}

void labyrinth_timer_rearm(struct timer_list *timer, unsigned int delay_us)
{
	mod_timer(timer, jiffies + usecs_to_jiffies(delay_us));
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
