/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timers that expire on one CPU, in softirqs (timer_list) and in hard interrupts (hrtimer).
 */
#ifndef LABYRINTH_TIMER_H
#define LABYRINTH_TIMER_H

#include <linux/hrtimer.h>
#include <linux/timer.h>
#include <linux/types.h>

void labyrinth_timer_init(struct timer_list *timer,
			  void (*function)(struct timer_list *timer));
void labyrinth_timer_start_on(struct timer_list *timer, int cpu,
			      unsigned int delay_us);
void labyrinth_timer_rearm(struct timer_list *timer, unsigned int delay_us);

void labyrinth_hard_timer_init(struct hrtimer *timer,
			       enum hrtimer_restart (*function)(struct hrtimer *timer),
			       bool takes_spinlocks);
int labyrinth_hard_timer_start_on(struct hrtimer *timer, int cpu,
				  unsigned int delay_us);
void labyrinth_hard_timer_expires_in(struct hrtimer *timer,
				     unsigned int delay_us);

#endif /* LABYRINTH_TIMER_H */
