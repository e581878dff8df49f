// SPDX-License-Identifier: GPL-2.0
/*
 * The functions for C modules. Rust does the work. The functions here note the caller, for
 * reports, and convert the handle of a pool to a number.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/instruction_pointer.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "../../include/labyrinth.h"
#include "exports.h"

/* The header has macros of these names, which charge blocks to the lines that use them. */
#undef labyrinth_alloc_page_gfp_atomic
#undef labyrinth_pool_alloc
#undef labyrinth_pool_alloc_bulk

/* Returns what can be seen of the context, for statistics. */
static unsigned int context(void)
{
	enum { TASK, SOFTIRQ, SPINLOCKED, IRQS_OFF };

	if (in_hardirq() || irqs_disabled())
		return IRQS_OFF;
	if (in_serving_softirq())
		return SOFTIRQ;
	return preempt_count() ? SPINLOCKED : TASK;
}

void labyrinth_report_misuse(const char *what, int length, const void *address,
			     unsigned long caller)
{
	pr_err("misuse of the C interface: %.*s; address %p, by %pS in %s[%d]; more of this kind are only counted\n",
	       length, what, address, (void *)caller, current->comm, current->pid);
}

/**
 * labyrinth_alloc_page_gfp_atomic() - get a page without sleeping
 *
 * The page comes from the pool "default", which all callers of this function share.
 *
 * Context: atomic, as include/labyrinth.h explains it.
 * Return: the address of the page, or NULL if there is none.
 */
void *labyrinth_alloc_page_gfp_atomic(void)
{
	return labyrinth_export_alloc_default(context(), _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_alloc_page_gfp_atomic);

/**
 * labyrinth_free_page() - give a page back
 * @address: the address from labyrinth_alloc_page_gfp_atomic()
 *
 * Context: atomic.
 */
void labyrinth_free_page(void *address)
{
	labyrinth_export_free_default(address, context(), _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_free_page);

/**
 * labyrinth_pool_create() - make a pool
 * @params: its configuration; used only during the call
 *
 * A driver makes one pool for each of its queues, so that the queues do not compete for
 * pages. If @params are wrong, the kernel log says why.
 * Context: task context, may sleep.
 * Return: the pool, or an error pointer: -EPERM in a context that may not sleep, which is
 * misuse; -EINVAL or -ERANGE for bad @params; -EEXIST for the name of another pool, which
 * can be a pool of labyrinth itself ("default", and "wall" and "wall_consumed" during that
 * experiment); -ENOMEM, also for a reserve of more than half of the memory; -ENOSPC if all
 * modules together have 1023 pools.
 */
struct labyrinth_pool *
labyrinth_pool_create(const struct labyrinth_pool_params *params)
{
	if (!params) {
		pr_err("%s() needs parameters, not NULL\n", __func__);
		return ERR_PTR(-EINVAL);
	}
	return (void *)labyrinth_export_create(params->name, params->order,
					       params->compound, params->cache,
					       params->reserve, params->emergency,
					       params->highest, false, 0, 0,
					       _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_pool_create);

/**
 * labyrinth_pool_create_auto() - make a pool whose reserve sizes itself
 * @params: its configuration, as for labyrinth_pool_create(); @params->reserve is the least
 *	number of blocks in the reserve, and may be 0
 * @reserve_max: the most blocks in the reserve: at least 1 and @params->reserve, at most
 *	262144 and half of the machine's memory. The pool allocates 8 bytes for each
 * @half_life_ms: the time of calm, in milliseconds, after which the reserve is half as
 *	large: 100 or more, or 0 for 20 minutes
 *
 * The reserve grows after a burst that came near its end, and becomes smaller in calm.
 * Documentation/auto-reserve.md describes the rule.
 * Context: task context, may sleep.
 * Return: as labyrinth_pool_create(); also -ERANGE for @reserve_max or @half_life_ms out of
 * these bounds.
 */
struct labyrinth_pool *
labyrinth_pool_create_auto(const struct labyrinth_pool_params *params,
			   unsigned int reserve_max, unsigned int half_life_ms)
{
	if (!params) {
		pr_err("%s() needs parameters, not NULL\n", __func__);
		return ERR_PTR(-EINVAL);
	}
	return (void *)labyrinth_export_create(params->name, params->order,
					       params->compound, params->cache,
					       params->reserve, params->emergency,
					       params->highest, true, reserve_max,
					       half_life_ms, _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_pool_create_auto);

/**
 * labyrinth_pool_destroy() - destroy a pool
 * @pool: the pool, which may not be used afterwards
 *
 * All blocks should be back. Blocks that are out are reported as misuse; they stay valid,
 * and can still be given back. The pool that labyrinth_alloc_page_gfp_atomic() uses cannot
 * be destroyed.
 *
 * Context: task context, sleeps. In a context that may not sleep the call is reported as
 * misuse, and changes nothing.
 */
void labyrinth_pool_destroy(struct labyrinth_pool *pool)
{
	labyrinth_export_destroy((unsigned long)pool, _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_pool_destroy);

/**
 * labyrinth_pool_prime() - prepare a pool for a burst
 * @pool: the pool
 * @per_cpu: how many blocks each CPU's cache should hold
 *
 * Fills the cache of each online CPU up to @per_cpu blocks, or as many as it can keep, and
 * the reserve. Blocks that cannot be allocated now are requested again in the background.
 *
 * Context: task context, may sleep; not with the CPU hotplug lock held.
 * Return: 0, -EINVAL for a pool that does not exist, or -EPERM in a context that may not
 * sleep, which is misuse.
 */
int labyrinth_pool_prime(struct labyrinth_pool *pool, unsigned int per_cpu)
{
	return labyrinth_export_prime((unsigned long)pool, per_cpu, _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_pool_prime);

/**
 * labyrinth_pool_alloc() - get a block without sleeping
 * @pool: the pool
 *
 * Context: atomic.
 * Return: the address of the block, or NULL if there is none.
 */
void *labyrinth_pool_alloc(struct labyrinth_pool *pool)
{
	return labyrinth_export_alloc((unsigned long)pool, context(),
				      _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_pool_alloc);

/**
 * labyrinth_pool_free() - give a block back
 * @pool: the pool that the block came from
 * @address: the address of the block
 *
 * Context: atomic.
 */
void labyrinth_pool_free(struct labyrinth_pool *pool, void *address)
{
	labyrinth_export_free((unsigned long)pool, address, context(),
			      _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_pool_free);

/**
 * labyrinth_pool_detach() - keep a block for good
 * @pool: the pool that the block came from
 * @address: the address of the block
 *
 * From now on the block is an ordinary page, or a block of 2^order pages, of the allocator.
 * The caller's reference is unchanged. Whoever drops the last reference frees the block;
 * the pool never gets it back.
 *
 * Context: atomic.
 * Return: the first page of the block, or NULL if the call was misuse.
 */
struct page *labyrinth_pool_detach(struct labyrinth_pool *pool, void *address)
{
	address = labyrinth_export_detach((unsigned long)pool, address,
					  _RET_IP_);
	return address ? virt_to_page(address) : NULL;
}
EXPORT_SYMBOL_GPL(labyrinth_pool_detach);

/**
 * labyrinth_pool_alloc_bulk() - get several blocks without sleeping
 * @pool: the pool
 * @wanted: how many
 * @blocks: receives their addresses, with space for @wanted
 *
 * Context: atomic.
 * Return: how many blocks there are in @blocks now, from its beginning; the rest is left
 * unchanged. It may be fewer than @wanted.
 */
unsigned int labyrinth_pool_alloc_bulk(struct labyrinth_pool *pool,
				       unsigned int wanted, void **blocks)
{
	return labyrinth_export_alloc_bulk((unsigned long)pool, wanted, blocks,
					   context(), _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_pool_alloc_bulk);

/**
 * labyrinth_pool_free_bulk() - give several blocks back
 * @pool: the pool that they came from
 * @count: how many
 * @blocks: their addresses
 *
 * If one block is refused, the others are still taken back.
 *
 * Context: atomic.
 * Return: how many were taken back: @count, unless some were misuse.
 */
unsigned int labyrinth_pool_free_bulk(struct labyrinth_pool *pool,
				      unsigned int count, void *const *blocks)
{
	return labyrinth_export_free_bulk((unsigned long)pool, count, blocks,
					  context(), _RET_IP_);
}
EXPORT_SYMBOL_GPL(labyrinth_pool_free_bulk);
