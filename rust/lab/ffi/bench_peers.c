// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark's peers in C. See bench_peers.h.
 *
 * Each peer has a function to get and a function to give back. They are inlined into the same
 * loop, so the loop costs each peer the same, and no function pointer is called.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/list_lru.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/page_frag_cache.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/vmstat.h>
#include <net/page_pool/helpers.h>

#ifdef CONFIG_X86
#include <asm/set_memory.h>
#endif

#include "bench_peers.h"
#include "labyrinth.h"

#define MAX_BATCH 256

struct labyrinth_bench {
	const struct peer *peer;
	unsigned int order;
	unsigned int batch;
	unsigned int ops;
	bool borrowed;
	union {
		struct labyrinth_pool *pool;
		struct page_pool *page_pool;
		mempool_t *mempool;
		struct kmem_cache *slab;
		struct page_frag_cache frag;
		struct {
			struct list_lru kept;
			atomic_long_t count;
		};
	};
	void *items[MAX_BATCH];
};

struct peer {
	const char *name;
	int (*open)(struct labyrinth_bench *bench);
	int (*run)(struct labyrinth_bench *bench);
	void (*close)(struct labyrinth_bench *bench);
	unsigned int max_order;
	bool only_in_softirq;
	/* Whether all handles share one mempool or slab cache. */
	bool shared;
};

typedef void *(*get_fn)(struct labyrinth_bench *bench);
typedef void (*put_fn)(struct labyrinth_bench *bench, void *item);

static __always_inline int run_single(struct labyrinth_bench *bench, get_fn get,
				      put_fn put)
{
	unsigned int left = bench->ops;

	do {
		void *item = get(bench);

		if (unlikely(!item))
			return -ENOMEM;
		put(bench, item);
	} while (--left);
	return 0;
}

static __always_inline int run_batch(struct labyrinth_bench *bench, get_fn get,
				     put_fn put)
{
	unsigned int batch = bench->batch, left, i;

	for (left = bench->ops; left; left -= batch) {
		for (i = 0; i < batch; i++) {
			bench->items[i] = get(bench);
			if (unlikely(!bench->items[i]))
				goto failed;
		}
		for (i = 0; i < batch; i++)
			put(bench, bench->items[i]);
	}
	return 0;
failed:
	while (i)
		put(bench, bench->items[--i]);
	return -ENOMEM;
}

static __always_inline int run(struct labyrinth_bench *bench, get_fn get,
			       put_fn put)
{
	return bench->batch == 1 ? run_single(bench, get, put) :
				   run_batch(bench, get, put);
}

/* The loops alone. Their time is subtracted from every other peer in C. */
static int run_empty(struct labyrinth_bench *bench)
{
	unsigned int batch = bench->batch, left = bench->ops, i;

	if (batch == 1) {
		do {
			barrier();
		} while (--left);
		return 0;
	}
	for (; left; left -= batch) {
		for (i = 0; i < batch; i++)
			WRITE_ONCE(bench->items[i], bench);
		for (i = 0; i < batch; i++)
			READ_ONCE(bench->items[i]);
	}
	return 0;
}

/* The page allocator: with order 0 as a constant, and with a variable order. */

static __always_inline void *get_page_0(struct labyrinth_bench *bench)
{
	return alloc_pages(GFP_ATOMIC, 0);
}

static __always_inline void put_page_0(struct labyrinth_bench *bench, void *item)
{
	__free_pages(item, 0);
}

static __always_inline void *get_pages(struct labyrinth_bench *bench)
{
	return alloc_pages(GFP_ATOMIC, bench->order);
}

static __always_inline void put_pages(struct labyrinth_bench *bench, void *item)
{
	__free_pages(item, bench->order);
}

static int run_alloc_pages(struct labyrinth_bench *bench)
{
	return bench->order ? run(bench, get_pages, put_pages) :
			      run(bench, get_page_0, put_page_0);
}

/* The bulk interface of the page allocator. It has no bulk interface to free pages. */
static int run_alloc_pages_bulk(struct labyrinth_bench *bench)
{
	struct page **pages = (struct page **)bench->items;
	unsigned int batch = bench->batch, left;
	unsigned long got, i;

	for (left = bench->ops; left; left -= batch) {
		/* The allocator fills the entries that are NULL. */
		memset(pages, 0, batch * sizeof(*pages));
		got = alloc_pages_bulk(GFP_ATOMIC, batch, pages);
		for (i = 0; i < got; i++)
			__free_pages(pages[i], 0);
		if (unlikely(got != batch))
			return -ENOMEM;
	}
	return 0;
}

#ifdef CONFIG_PAGE_POOL
/* A page_pool, with its three ways to give back. Its consumer is this softirq. */

static int open_page_pool(struct labyrinth_bench *bench)
{
	struct page_pool_params params = {
		.order = bench->order,
		.pool_size = 4 * MAX_BATCH,
		.nid = NUMA_NO_NODE,
	};

	bench->page_pool = page_pool_create(&params);
	return PTR_ERR_OR_ZERO(bench->page_pool);
}

static void close_page_pool(struct labyrinth_bench *bench)
{
	page_pool_destroy(bench->page_pool);
}

static __always_inline void *get_page_pool(struct labyrinth_bench *bench)
{
	return page_pool_alloc_pages(bench->page_pool, GFP_ATOMIC);
}

static __always_inline void put_page_pool_direct(struct labyrinth_bench *bench,
						 void *item)
{
	page_pool_recycle_direct(bench->page_pool, item);
}

static __always_inline void put_page_pool_ring(struct labyrinth_bench *bench,
					       void *item)
{
	page_pool_put_full_page(bench->page_pool, item, false);
}

/* A page with another user goes back to the page allocator, past the pool. */
static __always_inline void put_page_pool_slow(struct labyrinth_bench *bench,
					       void *item)
{
	get_page(item);
	page_pool_put_full_page(bench->page_pool, item, false);
	put_page(item);
}

static int run_page_pool_fast(struct labyrinth_bench *bench)
{
	return run(bench, get_page_pool, put_page_pool_direct);
}

static int run_page_pool_ring(struct labyrinth_bench *bench)
{
	return run(bench, get_page_pool, put_page_pool_ring);
}

static int run_page_pool_slow(struct labyrinth_bench *bench)
{
	return run(bench, get_page_pool, put_page_pool_slow);
}

#endif

/* A mempool of pages: with the allocator first, and its reserve alone. */

static int open_mempool(struct labyrinth_bench *bench)
{
	bench->mempool = mempool_create_page_pool(MAX_BATCH >> bench->order ?: 1,
						  bench->order);
	return bench->mempool ? 0 : -ENOMEM;
}

static void close_mempool(struct labyrinth_bench *bench)
{
	mempool_destroy(bench->mempool);
}

static __always_inline void *get_mempool(struct labyrinth_bench *bench)
{
	return mempool_alloc(bench->mempool, GFP_ATOMIC);
}

static __always_inline void *get_mempool_reserve(struct labyrinth_bench *bench)
{
	return mempool_alloc_preallocated(bench->mempool);
}

static __always_inline void put_mempool(struct labyrinth_bench *bench, void *item)
{
	mempool_free(item, bench->mempool);
}

static int run_mempool(struct labyrinth_bench *bench)
{
	return run(bench, get_mempool, put_mempool);
}

static int run_mempool_reserve(struct labyrinth_bench *bench)
{
	return run(bench, get_mempool_reserve, put_mempool);
}

/* A slab cache of page-sized objects, and its bulk interface. */

static int open_slab(struct labyrinth_bench *bench)
{
	bench->slab = kmem_cache_create("labyrinth_bench", PAGE_SIZE, PAGE_SIZE,
					SLAB_NO_MERGE, NULL);
	return bench->slab ? 0 : -ENOMEM;
}

static void close_slab(struct labyrinth_bench *bench)
{
	kmem_cache_destroy(bench->slab);
}

static __always_inline void *get_slab(struct labyrinth_bench *bench)
{
	return kmem_cache_alloc(bench->slab, GFP_ATOMIC);
}

static __always_inline void put_slab(struct labyrinth_bench *bench, void *item)
{
	kmem_cache_free(bench->slab, item);
}

static int run_slab(struct labyrinth_bench *bench)
{
	return run(bench, get_slab, put_slab);
}

static int run_slab_bulk(struct labyrinth_bench *bench)
{
	unsigned int batch = bench->batch, left;

	for (left = bench->ops; left; left -= batch) {
		if (unlikely(!kmem_cache_alloc_bulk(bench->slab, GFP_ATOMIC, batch,
						    bench->items)))
			return -ENOMEM;
		kmem_cache_free_bulk(bench->slab, batch, bench->items);
	}
	return 0;
}

/* Page-sized fragments, in one softirq as the cache demands. */

static int open_page_frag(struct labyrinth_bench *bench)
{
	page_frag_cache_init(&bench->frag);
	return 0;
}

static void close_page_frag(struct labyrinth_bench *bench)
{
	page_frag_cache_drain(&bench->frag);
}

static __always_inline void *get_page_frag(struct labyrinth_bench *bench)
{
	return page_frag_alloc(&bench->frag, PAGE_SIZE, GFP_ATOMIC);
}

static __always_inline void put_page_frag(struct labyrinth_bench *bench, void *item)
{
	page_frag_free(item);
}

static int run_page_frag(struct labyrinth_bench *bench)
{
	return run(bench, get_page_frag, put_page_frag);
}

/* A hit in the per-CPU cache of labyrinth, by the interface for C modules. */

static int open_labyrinth(struct labyrinth_bench *bench)
{
	struct labyrinth_pool_params params = {
		.name = "bench_c",
		.order = bench->order,
		.cache = 2 * bench->batch,
	};
	int err;

	bench->pool = labyrinth_pool_create(&params);
	if (IS_ERR(bench->pool))
		return PTR_ERR(bench->pool);
	err = labyrinth_pool_prime(bench->pool, bench->batch);
	if (err)
		labyrinth_pool_destroy(bench->pool);
	return err;
}

static void close_labyrinth(struct labyrinth_bench *bench)
{
	labyrinth_pool_destroy(bench->pool);
}

static __always_inline void *get_labyrinth(struct labyrinth_bench *bench)
{
	return labyrinth_pool_alloc(bench->pool);
}

static __always_inline void put_labyrinth(struct labyrinth_bench *bench, void *item)
{
	labyrinth_pool_free(bench->pool, item);
}

static int run_labyrinth(struct labyrinth_bench *bench)
{
	return run(bench, get_labyrinth, put_labyrinth);
}

/*
 * The limit: the lowest possible cost of a per-CPU stack of pages, on an array in the module's
 * own per-CPU memory, at an offset that is known at link time. The first variant has no
 * protection. It is only fit for one softirq that shares the stack with nothing else on its
 * CPU. The second has the cheapest protection from nested interrupts: a word that an unlocked
 * cmpxchg takes and a store gives back. The third disables interrupts.
 */
struct limit {
	unsigned long taken;
	unsigned long count;
	void *items[MAX_BATCH];
};

static DEFINE_PER_CPU(struct limit, limit);

static int open_limit(struct labyrinth_bench *bench)
{
	struct limit *stack;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		stack = per_cpu_ptr(&limit, cpu);
		/* The pages are never accessed. */
		for (stack->count = 0; stack->count < MAX_BATCH; stack->count++)
			stack->items[stack->count] = bench;
	}
	return 0;
}

static void close_limit(struct labyrinth_bench *bench)
{
}

static __always_inline void *get_limit(struct labyrinth_bench *bench)
{
	unsigned long count = this_cpu_read(limit.count);

	if (unlikely(!count))
		return NULL;
	this_cpu_write(limit.count, count - 1);
	return this_cpu_read(limit.items[count - 1]);
}

static __always_inline void put_limit(struct labyrinth_bench *bench, void *item)
{
	unsigned long count = this_cpu_read(limit.count);

	if (unlikely(count == MAX_BATCH))
		return;
	this_cpu_write(limit.items[count], item);
	this_cpu_write(limit.count, count + 1);
}

static __always_inline bool take_limit(void)
{
	return likely(this_cpu_cmpxchg(limit.taken, 0, 1) == 0);
}

static __always_inline void release_limit(void)
{
	barrier();
	this_cpu_write(limit.taken, 0);
}

static __always_inline void *get_limit_token(struct labyrinth_bench *bench)
{
	void *item;

	if (!take_limit())
		return NULL;
	item = get_limit(bench);
	release_limit();
	return item;
}

static __always_inline void put_limit_token(struct labyrinth_bench *bench,
					    void *item)
{
	if (!take_limit())
		return;
	put_limit(bench, item);
	release_limit();
}

static __always_inline void *get_limit_irq(struct labyrinth_bench *bench)
{
	unsigned long flags;
	void *item;

	local_irq_save(flags);
	item = get_limit(bench);
	local_irq_restore(flags);
	return item;
}

static __always_inline void put_limit_irq(struct labyrinth_bench *bench, void *item)
{
	unsigned long flags;

	local_irq_save(flags);
	put_limit(bench, item);
	local_irq_restore(flags);
}

static int run_limit(struct labyrinth_bench *bench)
{
	return run(bench, get_limit, put_limit);
}

static int run_limit_token(struct labyrinth_bench *bench)
{
	return run(bench, get_limit_token, put_limit_token);
}

static int run_limit_irq(struct labyrinth_bench *bench)
{
	return run(bench, get_limit_irq, put_limit_irq);
}

#ifdef CONFIG_X86
/*
 * Write-combined pages the way ttm_pool keeps them (drivers/gpu/drm/ttm/ttm_pool.c): a list_lru
 * for each kind of pages, counters of the node and of the memory cgroup, and pages that are
 * cleared when they come back. ttm_pool also looks up the kind by order and zone, which is left
 * out here.
 */

static void account_ttm(struct page *page, int active, int reclaim)
{
	mod_lruvec_page_state(page, NR_GPU_ACTIVE, active);
	mod_lruvec_page_state(page, NR_GPU_RECLAIM, reclaim);
}

static __always_inline void keep_ttm(struct labyrinth_bench *bench, struct page *page)
{
	int nid = page_to_nid(page);

	INIT_LIST_HEAD(&page->lru);
	rcu_read_lock();
	list_lru_add(&bench->kept, &page->lru, nid, NULL);
	rcu_read_unlock();
	atomic_long_add(1, &bench->count);
	account_ttm(page, -1, 1);
}

static __always_inline void put_ttm(struct labyrinth_bench *bench, void *item)
{
	keep_ttm(bench, item);
}

static __always_inline void put_ttm_cleared(struct labyrinth_bench *bench, void *item)
{
	clear_page(page_address(item));
	keep_ttm(bench, item);
}

static enum lru_status isolate_ttm(struct list_head *item, struct list_lru_one *list, void *out)
{
	list_lru_isolate(list, item);
	*(struct page **)out = list_entry(item, struct page, lru);
	return LRU_REMOVED;
}

static void *get_ttm(struct labyrinth_bench *bench)
{
	unsigned long nr_to_walk = 1;
	struct page *page = NULL;

	if (list_lru_walk_node(&bench->kept, numa_node_id(), isolate_ttm, &page,
			       &nr_to_walk) != 1 || !page)
		return NULL;
	atomic_long_sub(1, &bench->count);
	account_ttm(page, 1, -1);
	return page;
}

static void close_ttm(struct labyrinth_bench *bench)
{
	struct page *page;

	for (;;) {
		local_bh_disable();
		page = get_ttm(bench);
		local_bh_enable();
		if (!page)
			break;
		set_pages_wb(page, 1);
		account_ttm(page, -1, 0);
		__free_page(page);
	}
	list_lru_destroy(&bench->kept);
}

static int open_ttm(struct labyrinth_bench *bench)
{
	if (list_lru_init(&bench->kept))
		return -ENOMEM;
	for (unsigned int i = 0; i < bench->batch; i++) {
		struct page *page = alloc_pages_node(numa_node_id(), GFP_KERNEL, 0);

		if (!page || set_pages_array_wc(&page, 1)) {
			/* This does not happen: memory is not short here. */
			if (page)
				__free_page(page);
			close_ttm(bench);
			return -ENOMEM;
		}
		account_ttm(page, 1, 0);
		local_bh_disable();
		keep_ttm(bench, page);
		local_bh_enable();
	}
	return 0;
}

static int run_ttm(struct labyrinth_bench *bench)
{
	return run(bench, get_ttm, put_ttm);
}

static int run_ttm_cleared(struct labyrinth_bench *bench)
{
	return run(bench, get_ttm, put_ttm_cleared);
}
#endif

static int open_nothing(struct labyrinth_bench *bench)
{
	return 0;
}

static void close_nothing(struct labyrinth_bench *bench)
{
}

static const struct peer peers[] = {
	{ "empty_c", open_nothing, run_empty, close_nothing, 9 },
	{ "alloc_pages", open_nothing, run_alloc_pages, close_nothing, 9 },
	{ "alloc_pages_bulk", open_nothing, run_alloc_pages_bulk, close_nothing },
#ifdef CONFIG_PAGE_POOL
	{ "page_pool_fast", open_page_pool, run_page_pool_fast, close_page_pool, 9, true },
	{ "page_pool_ring", open_page_pool, run_page_pool_ring, close_page_pool, 0, true },
	{ "page_pool_slow", open_page_pool, run_page_pool_slow, close_page_pool, 0, true },
#endif
	{ "mempool", open_mempool, run_mempool, close_mempool, 9, false, true },
	{ "mempool_reserve", open_mempool, run_mempool_reserve, close_mempool, 0, false, true },
	{ "kmem_cache", open_slab, run_slab, close_slab, 0, false, true },
	{ "kmem_cache_bulk", open_slab, run_slab_bulk, close_slab, 0, false, true },
	{ "page_frag", open_page_frag, run_page_frag, close_page_frag },
	{ "c_pool_hit", open_labyrinth, run_labyrinth, close_labyrinth, 9, false, true },
#ifdef CONFIG_X86
	{ "ttm_way", open_ttm, run_ttm, close_ttm, 0, true },
	{ "ttm_way_cleared", open_ttm, run_ttm_cleared, close_ttm, 0, true },
#endif
	{ "limit", open_limit, run_limit, close_limit, 0, false, true },
	{ "limit_token", open_limit, run_limit_token, close_limit, 0, false, true },
	{ "limit_irq", open_limit, run_limit_irq, close_limit, 0, false, true },
};

const char *labyrinth_bench_name(unsigned int peer)
{
	return peer < ARRAY_SIZE(peers) ? peers[peer].name : NULL;
}

bool labyrinth_bench_has_order(unsigned int peer, unsigned int order)
{
	return peer < ARRAY_SIZE(peers) && order <= peers[peer].max_order;
}

void *labyrinth_bench_open(unsigned int peer, unsigned int order,
			   unsigned int batch, unsigned int ops)
{
	struct labyrinth_bench *bench;

	if (!labyrinth_bench_has_order(peer, order) || !batch ||
	    batch > MAX_BATCH || !ops || ops % batch)
		return NULL;
	bench = kzalloc_obj(*bench);
	if (!bench)
		return NULL;
	bench->peer = &peers[peer];
	bench->order = order;
	bench->batch = batch;
	bench->ops = ops;
	if (bench->peer->open(bench)) {
		kfree(bench);
		return NULL;
	}
	return bench;
}

void *labyrinth_bench_open_beside(const void *handle)
{
	struct labyrinth_bench *bench;

	bench = kmemdup(handle, sizeof(*bench), GFP_KERNEL);
	if (!bench)
		return NULL;
	bench->borrowed = bench->peer->shared;
	if (!bench->borrowed && bench->peer->open(bench)) {
		kfree(bench);
		return NULL;
	}
	return bench;
}

bool labyrinth_bench_only_in_softirq(unsigned int peer)
{
	return peer < ARRAY_SIZE(peers) && peers[peer].only_in_softirq;
}

void labyrinth_bench_close(void *handle)
{
	struct labyrinth_bench *bench = handle;

	if (!bench->borrowed)
		bench->peer->close(bench);
	kfree(bench);
}

int labyrinth_bench_run(void *handle)
{
	struct labyrinth_bench *bench = handle;

	return bench->peer->run(bench);
}

u64 labyrinth_bench_clock(void)
{
#ifdef CONFIG_X86
	return rdtsc_ordered();
#else
	return get_cycles();
#endif
}

/* A no-op that no other code uses, for a plugin of QEMU to recognise. */
static __always_inline void mark(const unsigned int n)
{
#ifdef CONFIG_X86
	asm volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0"
		     : : "i"(0x6c616200 + n) : "memory");
#endif
}

u64 labyrinth_bench_begin(void)
{
	u64 now = labyrinth_bench_clock();

	mark(0);
	return now;
}

u64 labyrinth_bench_end(void)
{
	mark(1);
	return labyrinth_bench_clock();
}

void labyrinth_bench_counted(void)
{
	mark(2);
}

#define KNOWN_INSTRUCTIONS 1000

void labyrinth_bench_known(void)
{
	asm volatile(".rept %c0\n\tnop\n\t.endr" : : "i"(KNOWN_INSTRUCTIONS));
}

unsigned int labyrinth_bench_known_instructions(void)
{
	return KNOWN_INSTRUCTIONS;
}

void labyrinth_bench_nothing(void)
{
	barrier();
}
