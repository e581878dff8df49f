// SPDX-License-Identifier: GPL-2.0
/*
 * Uses the interface as it should be used: with a timer on each CPU, and with one
 * thread, which also gives back pages that the timers got. Each block is written to
 * completely, and verified before it is given back.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "consumer.h"

#define BULK 16

/* The timer of one CPU, and the blocks that it holds until it next expires. */
struct tick {
	struct timer_list timer;
	u64 serial;
	unsigned int count;
	void *blocks[BULK];
	/* A page on its way to the thread. */
	void *mail;
};

static DEFINE_PER_CPU(struct tick, ticks);
static struct labyrinth_pool *pool;
static struct task_struct *thread;
static DEFINE_SPINLOCK(lock);

void stamp(void *block, unsigned int block_order, u64 value)
{
	u64 *word = block, *end = block + (PAGE_SIZE << block_order);

	for (; word < end; word++)
		*word = value ^ (unsigned long)word;
}

bool stamped(const void *block, unsigned int block_order, u64 value)
{
	const u64 *word = block, *end = block + (PAGE_SIZE << block_order);

	for (; word < end; word++)
		if (*word != (value ^ (unsigned long)word))
			return false;
	return true;
}

static void check(const void *block, unsigned int block_order, u64 value)
{
	if (!stamped(block, block_order, value))
		atomic64_inc(&tally.corruptions);
}

/*
 * Each page of a compound page refers to the first one, which has the order. No page
 * may be beyond the reach of the pool's device.
 */
static void check_shape(const void *block)
{
	struct page *page = virt_to_page(block);
	struct page *last = page + (1 << order) - 1;
	bool good;

	if (compound && order)
		good = PageHead(page) && compound_order(page) == order &&
		       compound_head(last) == page;
	else
		good = !PageCompound(page) && !PageCompound(last);
	if (highest && page_to_phys(last) + PAGE_SIZE - 1 > highest)
		good = false;
	if (!good)
		atomic64_inc(&tally.misshapen);
}

/* Gives back the blocks that the timer holds: every other time in bulk. */
static void release(struct tick *tick)
{
	unsigned int i;

	for (i = 0; i < tick->count; i++) {
		check_shape(tick->blocks[i]);
		check(tick->blocks[i], order, tick->serial + i);
	}
	if (tick->serial & BULK) {
		if (labyrinth_pool_free_bulk(pool, tick->count, tick->blocks) !=
		    tick->count)
			atomic64_inc(&tally.corruptions);
	} else {
		for (i = 0; i < tick->count; i++)
			labyrinth_pool_free(pool, tick->blocks[i]);
	}
	tick->count = 0;
}

static void one_page(atomic64_t *counter)
{
	void *page = labyrinth_alloc_page_gfp_atomic();

	if (!page) {
		atomic64_inc(&tally.failures);
		return;
	}
	atomic64_inc(counter);
	stamp(page, 0, (unsigned long)counter);
	check(page, 0, (unsigned long)counter);
	labyrinth_free_page(page);
}

static void expired(struct timer_list *timer)
{
	struct tick *tick = timer_container_of(tick, timer, timer);
	unsigned int i;
	void *page;

	release(tick);
	one_page(&tally.softirq_blocks);

	tick->serial += BULK;
	tick->count = labyrinth_pool_alloc_bulk(pool, BULK, tick->blocks);
	for (i = 0; i < tick->count; i++)
		stamp(tick->blocks[i], order, tick->serial + i);
	atomic64_add(tick->count, &tally.softirq_blocks);
	atomic64_add(tick->count, &tally.softirq_bulk);
	atomic64_add(BULK - tick->count, &tally.failures);

	if (!READ_ONCE(tick->mail)) {
		page = labyrinth_alloc_page_gfp_atomic();
		if (page) {
			atomic64_inc(&tally.softirq_blocks);
			stamp(page, 0, 0);
			/*
			 * Pairs with xchg() in empty_mailbox(). The contents must be
			 * visible before the page.
			 */
			smp_store_release(&tick->mail, page);
		} else {
			atomic64_inc(&tally.failures);
		}
	}
	mod_timer(timer, jiffies + 1);
}

/* Gives back a page that a timer got. */
static void empty_mailbox(struct tick *tick)
{
	void *page = xchg(&tick->mail, NULL);

	if (!page)
		return;
	check(page, 0, 0);
	labyrinth_free_page(page);
	atomic64_inc(&tally.passed_on);
}

static int thread_function(void *unused)
{
	int cpu;

	while (!kthread_should_stop()) {
		void *block = labyrinth_pool_alloc(pool);

		if (block) {
			atomic64_inc(&tally.task_blocks);
			stamp(block, order, 1);
		} else {
			atomic64_inc(&tally.failures);
		}
		one_page(&tally.task_blocks);

		spin_lock_bh(&lock);
		one_page(&tally.spinlock_blocks);
		spin_unlock_bh(&lock);

		for_each_possible_cpu(cpu)
			empty_mailbox(per_cpu_ptr(&ticks, cpu));
		usleep_range(500, 2000);
		if (block) {
			check_shape(block);
			check(block, order, 1);
			labyrinth_pool_free(pool, block);
		}
	}
	return 0;
}

int traffic_start(void)
{
	const struct labyrinth_pool_params params = {
		.name = "consumer_c",
		.order = order,
		.compound = compound,
		.cache = 32,
		.reserve = 64,
		.emergency = 16,
		.highest = highest,
	};
	struct tick *tick;
	int cpu;

	pool = labyrinth_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	thread = kthread_run(thread_function, NULL, "consumer_c");
	if (IS_ERR(thread)) {
		labyrinth_pool_destroy(pool);
		return PTR_ERR(thread);
	}

	cpus_read_lock();
	for_each_possible_cpu(cpu) {
		tick = per_cpu_ptr(&ticks, cpu);
		timer_setup(&tick->timer, expired, TIMER_PINNED);
		tick->timer.expires = jiffies + 1;
		if (cpu_online(cpu))
			add_timer_on(&tick->timer, cpu);
	}
	cpus_read_unlock();
	return 0;
}

void traffic_stop(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		timer_shutdown_sync(&per_cpu_ptr(&ticks, cpu)->timer);
	kthread_stop(thread);
	for_each_possible_cpu(cpu) {
		release(per_cpu_ptr(&ticks, cpu));
		empty_mailbox(per_cpu_ptr(&ticks, cpu));
	}
	labyrinth_pool_destroy(pool);
}
