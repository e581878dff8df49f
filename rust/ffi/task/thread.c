// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel threads.
 */
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/topology.h>

#include "thread.h"

/*
 * Creates a thread for a CPU, or for any CPU if @cpu is negative. The extra reference keeps
 * the task_struct for kthread_stop_put() if the thread returns early.
 */
struct task_struct *labyrinth_thread_create(int (*function)(void *data),
					    void *data, const char *name,
					    int cpu)
{
	struct task_struct *task;

	if (cpu < 0)
		task = kthread_create(function, data, "%s", name);
	else
		task = kthread_create_on_node(function, data, cpu_to_node(cpu),
					      "%s/%d", name, cpu);

	if (!IS_ERR(task))
		get_task_struct(task);
	return task;
}

/*
 * Sleeps until the deadline (NULL for none), or until a kthread_stop(), or until another
 * task sets *woken (which may be NULL) and calls wake_up_process(). May return early.
 */
void labyrinth_thread_sleep_until(ktime_t *deadline, const int *woken)
{
	/* Set the state before the checks: a wakeup between them and schedule() is not lost. */
	set_current_state(TASK_IDLE);
	if (!kthread_should_stop() && !(woken && READ_ONCE(*woken)))
		schedule_hrtimeout(deadline, HRTIMER_MODE_ABS);
	__set_current_state(TASK_RUNNING);
}

ktime_t labyrinth_time_in_us(unsigned int delay_us)
{
	return ktime_add_us(ktime_get(), delay_us);
}
