// SPDX-License-Identifier: GPL-2.0
/*
 * Two CPUs give the same block back at the same time, over and over: one has to get
 * through, the other has to be refused.
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
 * A block that goes to the allocator is no block any more, and to give it back again is
 * another misuse. So the caches have enough for all rounds, or they would be refilled
 * under way, when they take nothing, and have space for as many more.
 */
#define ROUNDS 500
#define CACHE (2 * ROUNDS)

static struct labyrinth_pool *pool;
static void *block;
static atomic_t arrived;
static atomic_t taken;

/* Waits until both have come here @rounds times; leaves at the same time as the other. */
static void meet(int rounds)
{
	unsigned int spins = 0;

	atomic_inc(&arrived);
	while (atomic_read(&arrived) < 2 * rounds) {
		cpu_relax();
		/* There may be one CPU only. */
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
