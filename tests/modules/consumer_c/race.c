// SPDX-License-Identifier: GPL-2.0
/*
 * Two CPUs give the same block back at the same time, again and again. One must
 * succeed, and the other must be refused.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/smp.h>

#include "consumer.h"

/*
 * No block may go to the allocator, because giving it back again would be another kind
 * of misuse. A cache takes no blocks while it is refilled. So each cache begins with
 * enough blocks for all rounds, which avoids refills, and has space for as many more.
 */
#define ROUNDS 500
#define CACHE (2 * ROUNDS)

static struct labyrinth_pool *pool;
static void *block;
static atomic_t arrived;
static atomic_t taken;

/*
 * Waits until both CPUs have called this @rounds times. Both return at the same time.
 */
static void meet(int rounds)
{
	unsigned int spins = 0;

	atomic_inc(&arrived);
	while (atomic_read(&arrived) < 2 * rounds) {
		cpu_relax();
		/* On a machine with one CPU, let the other thread run. */
		if (++spins % 65536 == 0)
			cond_resched();
	}
}

static int other(void *unused)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		meet(2 * i + 1);
		atomic_add(labyrinth_pool_free_bulk(pool, 1, &block), &taken);
		meet(2 * i + 2);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

int misuse_race(void)
{
	const struct labyrinth_pool_params params = { .name = "race", .cache = CACHE };
	struct task_struct *thread;
	unsigned int cpu;
	int i, ret = 0;

	pool = labyrinth_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	ret = labyrinth_pool_prime(pool, ROUNDS);
	if (ret) {
		labyrinth_pool_destroy(pool);
		return ret;
	}
	atomic_set(&arrived, 0);
	thread = kthread_create(other, NULL, "consumer_c/race");
	if (IS_ERR(thread)) {
		labyrinth_pool_destroy(pool);
		return PTR_ERR(thread);
	}
	cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	if (cpu < nr_cpu_ids)
		kthread_bind(thread, cpu);
	get_task_struct(thread);
	wake_up_process(thread);

	for (i = 0; i < ROUNDS; i++) {
		block = labyrinth_pool_alloc(pool);
		atomic_set(&taken, 0);
		meet(2 * i + 1);
		atomic_add(labyrinth_pool_free_bulk(pool, 1, &block), &taken);
		meet(2 * i + 2);
		if (!block || atomic_read(&taken) != 1)
			ret = -EIO;
	}
	kthread_stop_put(thread);
	labyrinth_pool_destroy(pool);
	return ret;
}
