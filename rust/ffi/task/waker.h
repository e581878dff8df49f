/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waking a thread from any context, by an interrupt of our own (irq_work).
 */
#ifndef LABYRINTH_WAKER_H
#define LABYRINTH_WAKER_H

#include <linux/irq_work.h>
#include <linux/sched.h>

void labyrinth_task_get(struct task_struct *task);
void labyrinth_task_put(struct task_struct *task);

void labyrinth_irq_work_init(struct irq_work *work,
			     void (*function)(struct irq_work *work));
void labyrinth_irq_work_call(struct irq_work *work, int *called);

#endif /* LABYRINTH_WAKER_H */
