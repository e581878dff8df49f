// SPDX-License-Identifier: GPL-2.0
/*
 * Each case here is a misuse, and also checks that it did no harm: a block that was not
 * given back properly must keep its contents, and must be accepted when it is given
 * back properly.
 */
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

#include "consumer.h"

static struct labyrinth_pool *create(const char *name, unsigned int block_order)
{
	const struct labyrinth_pool_params params = {
		.name = name,
		.order = block_order,
		.cache = 8,
	};

	return labyrinth_pool_create(&params);
}

/*
 * Waits until the refill that a request has started is done. While the refill uses the
 * cache, a block that is given back goes to the allocator, and is foreign from then on.
 */
static void let_refill_end(void)
{
	msleep(100);
}

/* Stays on one CPU, so that nobody else gets the block between the two frees. */
static int double_free(void)
{
	void *page = labyrinth_alloc_page_gfp_atomic();

	let_refill_end();
	local_bh_disable();
	labyrinth_free_page(page);
	labyrinth_free_page(page);
	local_bh_enable();
	return 0;
}

/* Frees the block to the allocator first, which clears its mark. */
static int freed_elsewhere(void)
{
	struct page *page;
	unsigned long mark;
	void *address;

	local_bh_disable();
	address = labyrinth_alloc_page_gfp_atomic();
	if (!address) {
		local_bh_enable();
		return -ENOMEM;
	}
	mark = page_private(virt_to_page(address));
	free_page((unsigned long)address);
	labyrinth_free_page(address);
	local_bh_enable();

	/* The pool still misses a page. Give it this one. */
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	set_page_private(page, mark);
	labyrinth_free_page(page_address(page));
	return 0;
}

static int double_free_in_bulk(void)
{
	struct labyrinth_pool *pool = create("misuse", 0);
	void *blocks[3];
	int ret = 0;

	blocks[0] = labyrinth_pool_alloc(pool);
	blocks[1] = blocks[0];
	blocks[2] = labyrinth_pool_alloc(pool);
	let_refill_end();
	local_bh_disable();
	if (labyrinth_pool_free_bulk(pool, 3, blocks) != 2)
		ret = -EIO;
	local_bh_enable();
	labyrinth_pool_destroy(pool);
	return ret;
}

/* Offers a block to the wrong pool. Its own pool must accept it afterwards. */
static int to_wrong_pool(unsigned int block_order, struct labyrinth_pool *wrong)
{
	struct labyrinth_pool *pool = create("misuse", block_order);
	void *block = labyrinth_pool_alloc(pool);
	int ret = 0;

	if (!block)
		return -ENOMEM;
	stamp(block, block_order, 2);
	if (wrong)
		labyrinth_pool_free(wrong, block);
	else
		labyrinth_free_page(block);
	if (!stamped(block, block_order, 2))
		ret = -EIO;
	labyrinth_pool_free(pool, block);
	labyrinth_pool_destroy(pool);
	return ret;
}

static int wrong_pool(void)
{
	struct labyrinth_pool *other = create("other", 0);
	int ret = to_wrong_pool(0, other);

	labyrinth_pool_destroy(other);
	return ret;
}

static int wrong_order(void)
{
	return to_wrong_pool(2, NULL);
}

/* Frees an address within a block: another page of it, or the middle of a page. */
static int inside(size_t offset)
{
	struct labyrinth_pool *pool = create("misuse", 2);
	void *block = labyrinth_pool_alloc(pool);
	int ret = 0;

	if (!block)
		return -ENOMEM;
	stamp(block, 2, 3);
	labyrinth_pool_free(pool, block + offset);
	if (!stamped(block, 2, 3))
		ret = -EIO;
	labyrinth_pool_free(pool, block);
	labyrinth_pool_destroy(pool);
	return ret;
}

static int inside_block(void)
{
	return inside(PAGE_SIZE);
}

static int unaligned(void)
{
	return inside(8);
}

static char image[2 * PAGE_SIZE];

/* Frees nine addresses that do not come from labyrinth. */
static int foreign(void)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);
	void *object = kmalloc(PAGE_SIZE, GFP_KERNEL);
	void *mapped = vmalloc(PAGE_SIZE);
	int on_stack = 0, ret = 0;

	if (page && object && mapped) {
		stamp(page, 0, 4);
		labyrinth_free_page(page);
		set_page_private(virt_to_page(page), (unsigned long)page);
		labyrinth_free_page(page);
		if (!stamped(page, 0, 4) ||
		    page_private(virt_to_page(page)) != (unsigned long)page)
			ret = -EIO;
		set_page_private(virt_to_page(page), 0);
		labyrinth_free_page(object);
		labyrinth_free_page(mapped);
		labyrinth_free_page(PTR_ALIGN_DOWN((void *)&on_stack, PAGE_SIZE));
		labyrinth_free_page(PTR_ALIGN(&image[0], PAGE_SIZE));
		/*
		 * In user space, at the end of the address space, in a hole of the
		 * linear mapping.
		 */
		labyrinth_free_page((void *)(16 * PAGE_SIZE));
		labyrinth_free_page((void *)(-PAGE_SIZE));
		labyrinth_free_page((void *)(PAGE_OFFSET + (1UL << 44)));
	} else {
		ret = -ENOMEM;
	}
	vfree(mapped);
	kfree(object);
	free_page((unsigned long)page);
	return ret;
}

static int null(void)
{
	struct labyrinth_pool *pool = create("misuse", 0);
	void *page = labyrinth_alloc_page_gfp_atomic();
	int ret = 0;

	if (!page)
		return -ENOMEM;
	stamp(page, 0, 5);
	/* Three calls without an address. */
	labyrinth_free_page(NULL);
	labyrinth_pool_free(pool, NULL);
	if (labyrinth_pool_alloc_bulk(pool, 1, NULL) ||
	    labyrinth_pool_alloc_bulk(pool, 0, NULL))
		ret = -EIO;
	/* Five calls without a pool. */
	labyrinth_pool_free(NULL, page);
	labyrinth_pool_destroy(NULL);
	if (labyrinth_pool_alloc(NULL) || labyrinth_pool_prime(NULL, 1) != -EINVAL ||
	    labyrinth_pool_free_bulk(NULL, 1, &page) || !stamped(page, 0, 5))
		ret = -EIO;
	labyrinth_free_page(page);
	labyrinth_pool_destroy(pool);
	return ret;
}

/*
 * Four calls with a pool that was destroyed, and three with pools that never existed.
 */
static int no_pool(void)
{
	struct labyrinth_pool *pool = create("misuse", 0);
	void *page = labyrinth_alloc_page_gfp_atomic();
	int ret = 0;

	if (!page)
		return -ENOMEM;
	stamp(page, 0, 6);
	labyrinth_pool_destroy(pool);
	labyrinth_pool_destroy(pool);
	labyrinth_pool_free(pool, page);
	if (labyrinth_pool_alloc(pool) ||
	    labyrinth_pool_prime(pool, 1) != -EINVAL)
		ret = -EIO;
	labyrinth_pool_free(ERR_PTR(-ENOMEM), page);
	labyrinth_pool_free((void *)&ret, page);
	labyrinth_pool_free((void *)1, page);
	if (!stamped(page, 0, 6))
		ret = -EIO;
	labyrinth_free_page(page);
	return ret;
}

/*
 * Nobody is given the handle of the shared pool. But it is the first pool, so its
 * handle can be guessed. This tries the handle, and what it would be if generations
 * began at 1.
 */
static int default_pool(void)
{
	void *page;

	labyrinth_pool_destroy((void *)(1UL << 30));
	labyrinth_pool_destroy((void *)(1UL << 10));
	page = labyrinth_alloc_page_gfp_atomic();
	if (!page)
		return -EIO;
	labyrinth_free_page(page);
	return 0;
}

/*
 * Destroys a pool while blocks are out (one misuse), then frees them to it (two more).
 */
static int blocks_out(void)
{
	struct labyrinth_pool *pool = create("misuse", 1);
	void *one = labyrinth_pool_alloc(pool);
	void *two = labyrinth_pool_alloc(pool);
	int ret = 0;

	if (!one || !two)
		return -ENOMEM;
	stamp(one, 1, 7);
	stamp(two, 1, 8);
	labyrinth_pool_destroy(pool);
	if (!stamped(one, 1, 7) || !stamped(two, 1, 8))
		ret = -EIO;
	labyrinth_pool_free(pool, one);
	labyrinth_pool_free(pool, two);
	return ret;
}

/*
 * Detaches a block. Then frees it to its pool, which does not know it any more, and
 * detaches NULL, a block of another pool, and a block without naming a pool.
 */
static int detached(void)
{
	struct labyrinth_pool *pool = create("misuse", 0);
	struct labyrinth_pool *other = create("other", 0);
	void *one = labyrinth_pool_alloc(pool);
	void *two = labyrinth_pool_alloc(pool);
	struct page *page;
	int ret = 0;

	if (!one || !two)
		return -ENOMEM;
	stamp(one, 0, 9);
	stamp(two, 0, 10);
	page = labyrinth_pool_detach(pool, one);
	if (page != virt_to_page(one) || page_ref_count(page) != 1)
		return -EIO;
	labyrinth_pool_free(pool, one);
	if (labyrinth_pool_detach(pool, NULL) ||
	    labyrinth_pool_detach(other, two) ||
	    labyrinth_pool_detach(NULL, two) ||
	    !stamped(one, 0, 9) || !stamped(two, 0, 10))
		ret = -EIO;
	/* The pool misses none of its blocks when it is destroyed. */
	labyrinth_pool_free(pool, two);
	labyrinth_pool_destroy(pool);
	labyrinth_pool_destroy(other);
	if (page_ref_count(page) != 1 || page_private(page))
		ret = -EIO;
	put_page(page);
	return ret;
}

/* Calls the three functions that sleep, in the context of the caller. */
static bool all_refused(struct labyrinth_pool *pool)
{
	struct labyrinth_pool *made = create("misuse_too", 0);
	int primed = labyrinth_pool_prime(pool, 4);

	labyrinth_pool_destroy(pool);
	return made == ERR_PTR(-EPERM) && primed == -EPERM;
}

static struct labyrinth_pool *elsewhere;
static bool refused_elsewhere;

static void in_softirq_context(struct timer_list *unused)
{
	refused_elsewhere = all_refused(elsewhere);
}

static void in_hard_interrupt(struct irq_work *unused)
{
	refused_elsewhere = all_refused(elsewhere);
}

/* Calls them in a context that may not sleep. The pool must be usable afterwards. */
static int may_not_sleep(const char *where)
{
	struct labyrinth_pool *pool = create("misuse", 0);
	bool refused = false;
	void *block;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	elsewhere = pool;
	refused_elsewhere = false;
	if (!strcmp(where, "in_rcu")) {
		rcu_read_lock();
		refused = all_refused(pool);
		rcu_read_unlock();
	} else if (!strcmp(where, "in_spinlock")) {
		static DEFINE_SPINLOCK(lock);

		spin_lock(&lock);
		refused = all_refused(pool);
		spin_unlock(&lock);
	} else if (!strcmp(where, "without_preemption")) {
		preempt_disable();
		refused = all_refused(pool);
		preempt_enable();
	} else if (!strcmp(where, "without_bottom_halves")) {
		local_bh_disable();
		refused = all_refused(pool);
		local_bh_enable();
	} else if (!strcmp(where, "without_interrupts")) {
		local_irq_disable();
		refused = all_refused(pool);
		local_irq_enable();
	} else if (!strcmp(where, "in_softirq")) {
		struct timer_list timer;

		timer_setup_on_stack(&timer, in_softirq_context, 0);
		mod_timer(&timer, jiffies + 1);
		msleep(100);
		timer_shutdown_sync(&timer);
		timer_destroy_on_stack(&timer);
		refused = refused_elsewhere;
	} else if (!strcmp(where, "in_interrupt")) {
		struct irq_work work = IRQ_WORK_INIT_HARD(in_hard_interrupt);

		irq_work_queue(&work);
		irq_work_sync(&work);
		refused = refused_elsewhere;
	} else {
		labyrinth_pool_destroy(pool);
		return -EINVAL;
	}
	block = labyrinth_pool_alloc(pool);
	if (!block)
		refused = false;
	labyrinth_pool_free(pool, block);
	labyrinth_pool_destroy(pool);
	return refused ? 0 : -EIO;
}

/* These parameters are refused, but do not count as misuse. */
static int bad_parameters(void)
{
	static const struct labyrinth_pool_params refused[] = {
		{ .name = NULL },
		{ .name = "" },
		{ .name = "a name with blanks" },
		{ .name = "0123456789012345678901234567890x" },
		{ .name = "misuse", .order = 11 },
		{ .name = "misuse", .cache = -1 },
		{ .name = "misuse", .reserve = -1 },
		{ .name = "default" },
		{ .name = "misuse", .order = 10, .reserve = 262144 },
		{ .name = "misuse", .order = 1, .highest = 8190 },
	};
	static const int wanted[] = {
		EINVAL, EINVAL, EINVAL, EINVAL, ERANGE, ERANGE, ERANGE, EEXIST,
		ENOMEM, ERANGE,
	};
	unsigned int i;

	if (labyrinth_pool_create(NULL) != ERR_PTR(-EINVAL))
		return -EIO;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct labyrinth_pool *pool = labyrinth_pool_create(&refused[i]);

		if (pool != ERR_PTR(-wanted[i])) {
			if (!IS_ERR(pool))
				labyrinth_pool_destroy(pool);
			return -EIO;
		}
	}
	return 0;
}

/* Leaves a pool behind when this module is unloaded. */
static int forgotten(void)
{
	return PTR_ERR_OR_ZERO(create("forgotten", 0));
}

int misuse(const char *name)
{
	static const struct {
		const char *name;
		int (*commit)(void);
	} all[] = {
		{ "double_free", double_free },
		{ "double_free_in_bulk", double_free_in_bulk },
		{ "freed_elsewhere", freed_elsewhere },
		{ "wrong_pool", wrong_pool },
		{ "wrong_order", wrong_order },
		{ "inside_block", inside_block },
		{ "unaligned", unaligned },
		{ "foreign", foreign },
		{ "null", null },
		{ "no_pool", no_pool },
		{ "default_pool", default_pool },
		{ "blocks_out", blocks_out },
		{ "detached", detached },
		{ "bad_parameters", bad_parameters },
		{ "forgotten", forgotten },
		{ "race", misuse_race },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(name, all[i].name))
			return all[i].commit();
	return may_not_sleep(name);
}
