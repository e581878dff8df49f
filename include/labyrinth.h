/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages for code that may not sleep: labyrinth for C.
 *
 * All functions are exported for GPL modules. A module that uses them keeps labyrinth
 * loaded.
 *
 * A block is 2^order contiguous pages in the kernel's linear mapping, aligned to its
 * size. It is identified by the address of its first byte. It is a compound page if its
 * pool was made for compound pages. Its contents are undefined when it is handed out.
 * The caller that got a block owns it, until the block is given back to the pool that
 * it came from.
 *
 * Context: "atomic" below means task context, softirqs, and under a spinlock_t; except
 * on PREEMPT_RT, also with interrupts disabled and in hard interrupts. NMI is never
 * allowed. Functions that may be called in atomic context do not sleep.
 *
 * A block that a module got and has not given back yet is "out". On a kernel with
 * allocation profiling, /proc/allocinfo has a line for each line of code that gets
 * blocks, with the memory of those that are out.
 *
 * The contents of a block belong to its owner, but its struct pages do not. While a
 * block is out, labyrinth keeps a word of its own in page->private and, with allocation
 * profiling, another one in page->lru. Neither may be written to, and page_is_pfmemalloc()
 * of a block means nothing. In a block of several pages only the first one has a reference
 * count.
 *
 * The owner of a block has one reference to it. The owner may lend a block of order 0 to
 * code that takes and drops references of its own with get_page() and put_page(), such as
 * the network stack. It may give the block back only when page_ref_count() is 1 again,
 * or give up its own reference with put_page() after labyrinth_pool_detach(). Otherwise a
 * block must not be passed to code that counts, lists or frees its pages: no
 * vm_insert_page() or other mapping to user space, no pipe, and no block of several pages
 * in an skb, before labyrinth_pool_detach().
 *
 * Misuse is refused and changes nothing. Misuse is: an address of no block that is out,
 * or of a block of another pool; a pool that does not exist; NULL; and a call of a
 * function that sleeps in a context that may not sleep. Misuse is counted in
 * labyrinth_misuse_total of the file "metrics", and the first one of each kind is
 * reported in the kernel log with its caller.
 *
 * One misuse is never noticed: a second free of a block that has been handed out again
 * meanwhile. Another misuse is noticed late: a block that was passed to free_page() is
 * missing when its pool is destroyed ("blocks_out"). If its pool is the shared one, the
 * block is missing when labyrinth is unloaded.
 */
#ifndef LABYRINTH_H
#define LABYRINTH_H

#include <linux/alloc_tag.h>
#include <linux/types.h>

struct page;

/**
 * struct labyrinth_pool - a pool of blocks
 *
 * Opaque. A pointer to it is a handle and not an address.
 */
struct labyrinth_pool;

/**
 * struct labyrinth_pool_params - what labyrinth_pool_create() makes
 * @name: for reports and metrics, each name once: 1 to 31 letters, digits, or any of
 *	"_-.:/"; copied
 * @order: a block has 2^@order pages; 0 to 10
 * @compound: whether a block is a compound page (__GFP_COMP); ignored for @order 0
 * @cache: blocks that each CPU can keep, 0 to 1024
 * @reserve: blocks set aside for when the allocator has none: 0 to 262144, and at most
 *	half of the machine's memory. This limit applies to each pool by itself: the
 *	reserves of several pools together can still exceed the memory
 * @emergency: blocks that may be taken from the kernel's emergency reserve before
 *	@reserve is full again
 * @highest: the highest physical address that a byte of a block may have, for example
 *	because a device cannot address more; 0 for any. If little of the memory is
 *	below it, requests can fail although some of that memory is free
 */
struct labyrinth_pool_params {
	const char *name;
	unsigned int order;
	bool compound;
	unsigned int cache;
	unsigned int reserve;
	unsigned int emergency;
	unsigned long long highest;
};

void *labyrinth_alloc_page_gfp_atomic(void);
void labyrinth_free_page(void *address);

struct labyrinth_pool *
labyrinth_pool_create(const struct labyrinth_pool_params *params);
struct labyrinth_pool *
labyrinth_pool_create_auto(const struct labyrinth_pool_params *params,
			   unsigned int reserve_max, unsigned int half_life_ms);
void labyrinth_pool_destroy(struct labyrinth_pool *pool);
int labyrinth_pool_prime(struct labyrinth_pool *pool, unsigned int per_cpu);

void *labyrinth_pool_alloc(struct labyrinth_pool *pool);
void labyrinth_pool_free(struct labyrinth_pool *pool, void *address);
struct page *labyrinth_pool_detach(struct labyrinth_pool *pool, void *address);
unsigned int labyrinth_pool_alloc_bulk(struct labyrinth_pool *pool,
				       unsigned int wanted, void **blocks);
unsigned int labyrinth_pool_free_bulk(struct labyrinth_pool *pool,
				      unsigned int count, void *const *blocks);

#ifdef CONFIG_MEM_ALLOC_PROFILING
void labyrinth_charge_blocks(unsigned int count, void *const *blocks,
			     struct alloc_tag *tag);

/* Makes a line in /proc/allocinfo for the line of code that uses this macro. */
#define labyrinth_charge_here(_count, _blocks)				\
({									\
	DEFINE_ALLOC_TAG(_labyrinth_tag);				\
	if (mem_alloc_profiling_enabled())				\
		labyrinth_charge_blocks(_count, _blocks,		\
					&_labyrinth_tag);		\
})

/* These call the functions of the same names. */
#define labyrinth_alloc_page_gfp_atomic()				\
({									\
	void *_labyrinth_block = labyrinth_alloc_page_gfp_atomic();	\
	labyrinth_charge_here(!!_labyrinth_block, &_labyrinth_block);	\
	_labyrinth_block;						\
})

#define labyrinth_pool_alloc(_pool)					\
({									\
	void *_labyrinth_block = labyrinth_pool_alloc(_pool);		\
	labyrinth_charge_here(!!_labyrinth_block, &_labyrinth_block);	\
	_labyrinth_block;						\
})

#define labyrinth_pool_alloc_bulk(_pool, _wanted, _blocks)		\
({									\
	void **_labyrinth_blocks = (_blocks);				\
	unsigned int _labyrinth_got;					\
	_labyrinth_got = labyrinth_pool_alloc_bulk(_pool, _wanted,	\
						   _labyrinth_blocks);	\
	labyrinth_charge_here(_labyrinth_got, _labyrinth_blocks);	\
	_labyrinth_got;							\
})
#endif

#endif /* LABYRINTH_H */
