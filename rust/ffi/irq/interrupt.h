/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts: disabling them, a lock and a timer that work with them disabled, and
 * interrupts of our own (irq_work).
 */
#ifndef LABYRINTH_INTERRUPT_H
#define LABYRINTH_INTERRUPT_H

#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/spinlock.h>
#include <linux/types.h>

unsigned long labyrinth_irq_save(void);
void labyrinth_irq_restore(unsigned long flags);
bool labyrinth_irqs_disabled(void);
bool labyrinth_in_hardirq(void);
bool labyrinth_serves_hard_irq(void);
bool labyrinth_serves_device_irq(void);
bool labyrinth_may_sleep(void);
const char *labyrinth_no_sleep(void);

void labyrinth_raw_spin_init(raw_spinlock_t *lock, const char *name,
			     struct lock_class_key *key);
unsigned long labyrinth_raw_spin_lock(raw_spinlock_t *lock);
bool labyrinth_raw_spin_trylock(raw_spinlock_t *lock, unsigned long *flags);
void labyrinth_raw_spin_unlock(raw_spinlock_t *lock, unsigned long flags);
void labyrinth_raw_spin_assert_held(raw_spinlock_t *lock);

void labyrinth_hard_timer_init(struct hrtimer *timer,
			       enum hrtimer_restart (*function)(struct hrtimer *timer),
			       bool takes_spinlocks);
int labyrinth_hard_timer_start_on(struct hrtimer *timer, int cpu,
				  unsigned int delay_us);
void labyrinth_hard_timer_expires_in(struct hrtimer *timer,
				     unsigned int delay_us);

void labyrinth_irq_work_init(struct irq_work *work,
			     void (*function)(struct irq_work *work));
void labyrinth_irq_work_call(struct irq_work *work, int *called);

#endif /* LABYRINTH_INTERRUPT_H */
