// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the commands that a test writes to the parameter "script", separated by ";", on
 * pools. "results" then has a number for each, in their order.
 *
 *	create POOL NAME ORDER COMPOUND CACHE RESERVE EMERGENCY HIGHEST [MAX HALF_LIFE_MS]
 *			0, or a negative errno; with the last two, the reserve sizes
 *			itself
 *	destroy POOL	0
 *	prime POOL N	0, or a negative errno
 *	get POOL CONTEXT HOW N
 *			how many blocks it got of N; HOW is one or bulk, CONTEXT as
 *			in the reports, or hard_irq
 *	race POOL N	how many blocks all CPUs got that asked for N each, at the same
 *			time, in hard interrupts
 *	put POOL CONTEXT HOW N
 *			how many of the last N blocks were taken back
 *	offer POOL CONTEXT OFFSET
 *			1 if the last block was taken back by its address plus OFFSET
 *	pfn POOL	the page frame number of the last block
 *	stamp POOL	writes to all of all blocks; their number
 *	intact POOL	how many blocks still have what was written
 *	marks WHERE	sets the allocator's watermarks, see set_marks()
 *	sleep MS	0
 *	pools N		how many pools could be made of N; none of them is left
 *	flag PFN	0; marks an allocated page as bad, and reports it to nobody
 *
 * POOL is 0 to 3, or 4 for the pool that all modules share, in which there is no bulk.
 */
#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/processor.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "consumer.h"

#define SHARED 4
#define MOST 8192
#define MAX_RESULTS 64
#define MAX_ZONES 16

/* A pool, and its blocks that are out. */
static struct slot {
	struct labyrinth_pool *pool;
	unsigned int order;
	unsigned int count;
	void *blocks[MOST];
} slots[SHARED + 1];

static s64 results[MAX_RESULTS];
static unsigned int result_count;
static DEFINE_MUTEX(script_lock);

/* One call of the interface, to be made in some context. */
struct call {
	struct work_struct work;
	struct irq_work irq_work;
	struct slot *slot;
	bool put, bulk;
	/* Gives back the last block, by its address plus this offset. */
	bool offered;
	size_t offset;
	unsigned int wanted;
	unsigned int done;
};

static unsigned int get_one(struct slot *slot)
{
	void *block;

	if (slot == &slots[SHARED])
		block = labyrinth_alloc_page_gfp_atomic();
	else
		block = labyrinth_pool_alloc(slot->pool);
	if (!block)
		return 0;
	slot->blocks[slot->count++] = block;
	return 1;
}

static unsigned int put_one(struct slot *slot, size_t offset)
{
	void *address = slot->blocks[slot->count - 1] + offset;

	if (slot == &slots[SHARED]) {
		labyrinth_free_page(address);
		slot->count--;
		return 1;
	}
	if (labyrinth_pool_free_bulk(slot->pool, 1, &address) != 1)
		return 0;
	slot->count--;
	return 1;
}

static void make_call(struct call *call)
{
	struct slot *slot = call->slot;
	unsigned int i;

	if (call->bulk && call->put) {
		slot->count -= call->wanted;
		call->done = labyrinth_pool_free_bulk(slot->pool, call->wanted,
						      slot->blocks + slot->count);
	} else if (call->bulk) {
		call->done = labyrinth_pool_alloc_bulk(slot->pool, call->wanted,
						       slot->blocks + slot->count);
		slot->count += call->done;
	} else if (call->put && !call->offered) {
		slot->count -= call->wanted;
		for (i = 0; i < call->wanted; i++) {
			void *block = slot->blocks[slot->count + i];

			if (slot == &slots[SHARED])
				labyrinth_free_page(block);
			else
				labyrinth_pool_free(slot->pool, block);
		}
		call->done = call->wanted;
	} else {
		for (i = 0; i < call->wanted; i++)
			call->done += call->put ? put_one(slot, call->offset) :
						  get_one(slot);
	}
}

static void in_work(struct work_struct *work)
{
	make_call(container_of(work, struct call, work));
}

static void in_irq_work(struct irq_work *work)
{
	make_call(container_of(work, struct call, irq_work));
}

/* Makes the call on this CPU, in a context. -EINVAL if there is no such context. */
static s64 call_in(const char *context, struct call *call)
{
	static DEFINE_SPINLOCK(lock);
	unsigned long flags;

	if (!strcmp(context, "task")) {
		make_call(call);
	} else if (!strcmp(context, "spinlock")) {
		spin_lock_bh(&lock);
		make_call(call);
		spin_unlock_bh(&lock);
	} else if (!strcmp(context, "softirq")) {
		INIT_WORK_ONSTACK(&call->work, in_work);
		queue_work(system_bh_wq, &call->work);
		flush_work(&call->work);
		destroy_work_on_stack(&call->work);
	} else if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		/* On PREEMPT_RT, calls are allowed in no other context. */
		return -EOPNOTSUPP;
	} else if (!strcmp(context, "irqs_off")) {
		local_irq_save(flags);
		make_call(call);
		local_irq_restore(flags);
	} else if (!strcmp(context, "hard_irq")) {
		call->irq_work = IRQ_WORK_INIT_HARD(in_irq_work);
		irq_work_queue(&call->irq_work);
		irq_work_sync(&call->irq_work);
	} else {
		return -EINVAL;
	}
	return call->done;
}

static s64 move(struct slot *slot, bool put, char *arguments)
{
	struct call call = { .slot = slot, .put = put };
	char context[16], how[8];

	if (sscanf(arguments, "%15s %7s %u", context, how, &call.wanted) != 3)
		return -EINVAL;
	call.bulk = !strcmp(how, "bulk");
	if (call.wanted > (put ? slot->count : MOST - slot->count))
		return -ERANGE;
	return call_in(context, &call);
}

/* The calls of all CPUs at the same time. */
struct race {
	struct slot *slot;
	unsigned int wanted;
	atomic_t waiting;
	atomic_t count;
};

static void run_race(void *info)
{
	struct race *race = info;
	unsigned int i;

	atomic_dec(&race->waiting);
	while (atomic_read(&race->waiting) > 0)
		cpu_relax();
	for (i = 0; i < race->wanted; i++) {
		void *block = labyrinth_pool_alloc(race->slot->pool);

		if (block)
			race->slot->blocks[atomic_fetch_inc(&race->count)] = block;
	}
}

static s64 race_for(struct slot *slot, unsigned int wanted)
{
	struct race race = { .slot = slot, .wanted = wanted };
	unsigned int got;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return -EOPNOTSUPP;
	cpus_read_lock();
	if (wanted > (MOST - slot->count) / num_online_cpus()) {
		cpus_read_unlock();
		return -ERANGE;
	}
	atomic_set(&race.waiting, num_online_cpus());
	atomic_set(&race.count, slot->count);
	on_each_cpu(run_race, &race, true);
	cpus_read_unlock();
	got = atomic_read(&race.count) - slot->count;
	slot->count += got;
	return got;
}

static s64 offer(struct slot *slot, char *arguments)
{
	struct call call = {
		.slot = slot, .put = true, .offered = true, .wanted = 1,
	};
	char context[16];

	if (sscanf(arguments, "%15s %zu", context, &call.offset) != 2 || !slot->count)
		return -EINVAL;
	return call_in(context, &call);
}

static s64 create(struct slot *slot, char *arguments)
{
	struct labyrinth_pool_params params = {};
	unsigned int compound_pages, reserve_max, half_life_ms;
	char name[64];
	int given;

	given = sscanf(arguments, "%63s %u %u %u %u %u %llu %u %u", name,
		       &params.order, &compound_pages, &params.cache,
		       &params.reserve, &params.emergency, &params.highest,
		       &reserve_max, &half_life_ms);
	if ((given != 7 && given != 9) || slot->pool)
		return -EINVAL;
	params.name = name;
	params.compound = compound_pages;
	slot->pool = given == 7 ? labyrinth_pool_create(&params) :
		labyrinth_pool_create_auto(&params, reserve_max, half_life_ms);
	slot->order = params.order;
	slot->count = 0;
	if (IS_ERR(slot->pool)) {
		int error = PTR_ERR(slot->pool);

		slot->pool = NULL;
		return error;
	}
	return 0;
}

static s64 destroy(struct slot *slot)
{
	labyrinth_pool_destroy(slot->pool);
	slot->pool = NULL;
	return 0;
}

static s64 stamp_all(struct slot *slot)
{
	unsigned int i;

	for (i = 0; i < slot->count; i++)
		stamp(slot->blocks[i], slot->order, i);
	return slot->count;
}

static s64 intact(struct slot *slot)
{
	unsigned int i, count = 0;

	for (i = 0; i < slot->count; i++)
		count += stamped(slot->blocks[i], slot->order, i);
	return count;
}

static s64 last_pfn(struct slot *slot)
{
	if (!slot->count)
		return -EINVAL;
	return page_to_pfn(virt_to_page(slot->blocks[slot->count - 1]));
}

/* The watermarks of zones before set_marks(). */
static struct marks {
	struct zone *zone;
	unsigned long watermark[NR_WMARK];
	long reserve[MAX_NR_ZONES];
	int failures;
} marks[MAX_ZONES];
static unsigned int zones;

/* After this many failures kswapd is not woken any more. */
#define HOPELESS 16

static void restore_marks(void)
{
	while (zones) {
		struct marks *old = &marks[--zones];

		memcpy(old->zone->_watermark, old->watermark, sizeof(old->watermark));
		memcpy(old->zone->lowmem_reserve, old->reserve, sizeof(old->reserve));
		atomic_set(&old->zone->zone_pgdat->kswapd_failures, old->failures);
	}
}

/*
 * Makes the allocator refuse GFP_NOWAIT, and all other requests without access to the
 * emergency reserve, although memory is free. A test should not wait for other code in
 * this state.
 *
 *	below	raises the watermarks above the number of free pages, so pages that
 *		GFP_ATOMIC gets come from below the watermarks
 *	above	raises lowmem_reserve instead, so they come from above the watermarks
 *	usual	restores the old values
 */
static s64 set_marks(const char *where)
{
	bool below = !strcmp(where, "below");
	int node;

	restore_marks();
	if (!strcmp(where, "usual"))
		return 0;
	if (!below && strcmp(where, "above"))
		return -EINVAL;
	for_each_online_node(node) {
		struct zone *zone = NODE_DATA(node)->node_zones;
		struct zone *end = zone + MAX_NR_ZONES;

		for (; zone < end && zones < MAX_ZONES; zone++) {
			struct marks *old = &marks[zones];
			unsigned long free, mark;
			unsigned int kind;

			if (!populated_zone(zone))
				continue;
			free = zone_page_state(zone, NR_FREE_PAGES);
			zones++;
			old->zone = zone;
			old->failures = atomic_read(&zone->zone_pgdat->kswapd_failures);
			memcpy(old->watermark, zone->_watermark, sizeof(old->watermark));
			memcpy(old->reserve, zone->lowmem_reserve, sizeof(old->reserve));
			/* GFP_ATOMIC may go down to three eighths of the min watermark. */
			mark = below ? free * 2 : free * 9 / 10;
			for (kind = 0; kind < NR_WMARK; kind++)
				zone->_watermark[kind] = mark;
			for (kind = 0; kind < MAX_NR_ZONES; kind++)
				zone->lowmem_reserve[kind] = below ? 0 : free / 2;
			atomic_set(&zone->zone_pgdat->kswapd_failures, HOPELESS);
		}
	}
	return zones;
}

static s64 make_pools(unsigned int wanted)
{
	struct labyrinth_pool **pools;
	unsigned int count;

	pools = kvcalloc(wanted, sizeof(*pools), GFP_KERNEL);
	if (!pools)
		return -ENOMEM;
	for (count = 0; count < wanted; count++) {
		char name[16];
		const struct labyrinth_pool_params params = { .name = name };

		snprintf(name, sizeof(name), "pool-%u", count);
		pools[count] = labyrinth_pool_create(&params);
		if (IS_ERR(pools[count]))
			break;
	}
	wanted = count;
	while (count)
		labyrinth_pool_destroy(pools[--count]);
	kvfree(pools);
	return wanted;
}

static s64 flag(unsigned long pfn)
{
	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		return -EOPNOTSUPP;
	if (!pfn_valid(pfn))
		return -EINVAL;
	SetPageHWPoison(pfn_to_page(pfn));
	return 0;
}

static s64 command(char *text)
{
	char *name, *number = NULL;
	struct slot *slot;
	unsigned int value;

	text = strim(text);
	name = strsep(&text, " ");
	if (!text)
		return -EINVAL;
	if (!strcmp(name, "marks"))
		return set_marks(text);
	number = strsep(&text, " ");
	if (kstrtouint(number, 10, &value))
		return -EINVAL;
	if (!strcmp(name, "sleep")) {
		msleep(value);
		return 0;
	}
	if (!strcmp(name, "pools"))
		return make_pools(value);
	if (!strcmp(name, "flag"))
		return flag(value);
	if (value > SHARED)
		return -EINVAL;
	slot = &slots[value];
	if (!text) {
		if (!strcmp(name, "destroy"))
			return destroy(slot);
		if (!strcmp(name, "stamp"))
			return stamp_all(slot);
		if (!strcmp(name, "intact"))
			return intact(slot);
		if (!strcmp(name, "pfn"))
			return last_pfn(slot);
		return -EINVAL;
	}
	if (!strcmp(name, "create"))
		return create(slot, text);
	if (!strcmp(name, "get"))
		return move(slot, false, text);
	if (!strcmp(name, "put"))
		return move(slot, true, text);
	if (!strcmp(name, "offer"))
		return offer(slot, text);
	if (!strcmp(name, "race") && !kstrtouint(text, 10, &value))
		return race_for(slot, value);
	if (!strcmp(name, "prime") && !kstrtouint(text, 10, &value))
		return labyrinth_pool_prime(slot->pool, value);
	return -EINVAL;
}

static int script_set(const char *text, const struct kernel_param *param)
{
	char *copy = kstrdup(text, GFP_KERNEL), *rest = copy, *part;

	if (!copy)
		return -ENOMEM;
	mutex_lock(&script_lock);
	result_count = 0;
	while ((part = strsep(&rest, ";")) && result_count < MAX_RESULTS)
		results[result_count++] = command(part);
	/*
	 * The script may have left the watermarks changed, and then nobody could
	 * allocate.
	 */
	restore_marks();
	mutex_unlock(&script_lock);
	kfree(copy);
	return part ? -E2BIG : 0;
}

static int results_get(char *buffer, const struct kernel_param *param)
{
	int length = 0;
	unsigned int i;

	mutex_lock(&script_lock);
	for (i = 0; i < result_count; i++)
		length += sysfs_emit_at(buffer, length, "%lld ", results[i]);
	mutex_unlock(&script_lock);
	return length + sysfs_emit_at(buffer, length, "\n");
}

static const struct kernel_param_ops script_ops = {
	.set = script_set,
};

static const struct kernel_param_ops results_ops = {
	.get = results_get,
};

module_param_cb(script, &script_ops, NULL, 0200);
module_param_cb(results, &results_ops, NULL, 0444);

/* Gives back all blocks and destroys all pools that a failed test has left. */
void script_end(void)
{
	unsigned int i;

	for (i = 0; i <= SHARED; i++) {
		struct slot *slot = &slots[i];

		if (i != SHARED && !slot->pool)
			continue;
		while (slot->count && put_one(slot, 0))
			;
		if (i != SHARED)
			destroy(slot);
	}
}
