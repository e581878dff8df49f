/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel threads.
 */
#ifndef LABYRINTH_THREAD_H
#define LABYRINTH_THREAD_H

#include <linux/ktime.h>
#include <linux/sched.h>

struct task_struct *labyrinth_thread_create(int (*function)(void *data),
					    void *data, const char *name,
					    int cpu);
void labyrinth_thread_sleep_until(ktime_t *deadline, const int *woken);
ktime_t labyrinth_time_in_us(unsigned int delay_us);

#endif /* LABYRINTH_THREAD_H */
