// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel macros and inline functions as functions, for calls from Rust.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/ratelimit.h>
#include <linux/sched/task.h>
#include <linux/topology.h>

#include "mm/alloc_tag.h"
#include "helpers.h"

struct page *labyrinth_alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = labyrinth_alloc_held(alloc_pages_noprof(gfp, order));

	labyrinth_pages_allocated(page, order);
	return page;
}

struct page *labyrinth_alloc_pages_node(int node, gfp_t gfp,
					unsigned int order)
{
	struct page *page = labyrinth_alloc_held(alloc_pages_node_noprof(node, gfp, order));

	labyrinth_pages_allocated(page, order);
	return page;
}

/* Allocates a page that may be freed by __free_pages() alone, so without __GFP_ACCOUNT. */
struct page *labyrinth_alloc_page_nolock(int node)
{
	struct page *page = labyrinth_alloc_held(alloc_pages_nolock_noprof(0, node, 0));

	labyrinth_pages_allocated(page, 0);
	return page;
}

size_t labyrinth_alloc_pages_bulk(gfp_t gfp, size_t wanted, struct page **pages)
{
	size_t got = labyrinth_alloc_held(alloc_pages_bulk_noprof(gfp, numa_mem_id(), NULL,
								  wanted, pages));

	for (size_t i = 0; i < got; i++)
		labyrinth_pages_allocated(pages[i], 0);
	return got;
}

unsigned long labyrinth_page_to_pfn(const struct page *page)
{
	return page_to_pfn(page);
}

int labyrinth_page_node(const struct page *page)
{
	return page_to_nid(page);
}

/* Returns 0 for zone DMA, 1 for DMA32, 2 for any higher zone. */
unsigned int labyrinth_page_zone(const struct page *page)
{
	switch (page_zonenum(page)) {
#ifdef CONFIG_ZONE_DMA
	case ZONE_DMA:
		return 0;
#endif
#ifdef CONFIG_ZONE_DMA32
	case ZONE_DMA32:
		return 1;
#endif
	default:
		return 2;
	}
}

bool labyrinth_node_online(int node)
{
	return node >= 0 && node < MAX_NUMNODES && node_online(node);
}

/* Returns the node of an online CPU, or the nearest node with memory if it has none. */
int labyrinth_node_of_cpu(unsigned int cpu)
{
	return cpu_to_mem(cpu);
}

void labyrinth_free_pages(struct page *page, unsigned int order)
{
	labyrinth_uncharge(page, order);
	__free_pages(page, order);
}

/*
 * The allocator keeps a bad page if it is freed as a single page, but hands out a block
 * again that has a bad page in its middle. So the block is split. A module cannot split a
 * compound page, so a compound page is lost as a whole.
 */
void labyrinth_free_around_bad(struct page *page, unsigned int order)
{
	labyrinth_uncharge(page, order);
	if (PageCompound(page))
		return;
	split_page(page, order);
	for (unsigned long i = 0; i < 1UL << order; i++)
		__free_pages(page + i, 0);
}

/* This word of the page belongs to the page's owner. */
void labyrinth_page_set_link(struct page *page, unsigned long link)
{
	set_page_private(page, link);
}

unsigned long labyrinth_page_link(const struct page *page)
{
	return page_private(page);
}

void *labyrinth_page_address(const struct page *page)
{
	return page_address(page);
}

struct page *labyrinth_virt_to_page(const void *address)
{
	return virt_to_page(address);
}

/*
 * The one user is the caller. Pages that are only temporarily mapped by the kernel count as
 * used.
 */
bool labyrinth_page_has_one_user(struct page *page)
{
	return page_ref_count(page) == 1 && !PageHighMem(page);
}

void labyrinth_timer_init(struct timer_list *timer,
			  void (*function)(struct timer_list *timer))
{
	timer_setup(timer, function, TIMER_PINNED);
}

void labyrinth_timer_start_on(struct timer_list *timer, int cpu,
			      unsigned int delay_us)
{
	timer->expires = jiffies + usecs_to_jiffies(delay_us);
	add_timer_on(timer, cpu);
}

void labyrinth_timer_rearm(struct timer_list *timer, unsigned int delay_us)
{
	mod_timer(timer, jiffies + usecs_to_jiffies(delay_us));
}

void labyrinth_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

int labyrinth_spin_trylock_bh(spinlock_t *lock)
{
	return spin_trylock_bh(lock);
}

void labyrinth_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}

/* These are inline functions if the kernel is built without debugfs. */
struct dentry *labyrinth_debugfs_dir(const char *name, struct dentry *parent)
{
	return debugfs_create_dir(name, parent);
}

void labyrinth_debugfs_file(const char *name, umode_t mode,
			    struct dentry *parent, void *data,
			    const struct file_operations *operations)
{
	debugfs_create_file(name, mode, parent, data, operations);
}

void labyrinth_debugfs_remove(struct dentry *dentry)
{
	debugfs_remove(dentry);
}

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

void labyrinth_task_get(struct task_struct *task)
{
	get_task_struct(task);
}

void labyrinth_task_put(struct task_struct *task)
{
	put_task_struct(task);
}

/* Cast by way of unsigned long: on x86 __percpu pointers have an address space of their own. */
static void __percpu *to_percpu(void *base)
{
	return (void __percpu *)(__force unsigned long)base;
}

void *labyrinth_percpu_alloc(size_t size, size_t align)
{
	return (__force void *)(__force unsigned long)__alloc_percpu(size, align);
}

void labyrinth_percpu_free(void *base)
{
	free_percpu(to_percpu(base));
}

void *labyrinth_percpu_of(void *base, unsigned int cpu)
{
	return per_cpu_ptr(to_percpu(base), cpu);
}

static u64 __percpu *to_word(void *base, size_t index)
{
	return (u64 __percpu *)to_percpu(base) + index;
}

void labyrinth_percpu_add(void *base, size_t index, u64 n)
{
	/* Everything that was done before must be visible before the new value is. */
	smp_wmb();
	this_cpu_add(*to_word(base, index), n);
}

/*
 * This is not this_cpu_cmpxchg(), because other CPUs may clear the word. If the task is
 * moved, it may raise the word of the CPU that it was on.
 */
void labyrinth_percpu_raise(void *base, size_t index, u64 n)
{
	u64 *word = raw_cpu_ptr(to_word(base, index));
	u64 value = READ_ONCE(*word);

	while (value < n && !try_cmpxchg64(word, &value, n))
		;
}

u64 labyrinth_percpu_read_here(void *base, size_t index)
{
	return this_cpu_read(*to_word(base, index));
}

u64 labyrinth_percpu_read(void *base, unsigned int cpu, size_t index)
{
	/* Pairs with the order of labyrinth_percpu_add(). */
	return smp_load_acquire(per_cpu_ptr(to_word(base, index), cpu));
}

void labyrinth_percpu_add_up(void *base, unsigned int cpu, size_t first,
			     size_t count, u64 *sums)
{
	const u64 *words = per_cpu_ptr(to_word(base, first), cpu);

	for (size_t i = 0; i < count; i++) {
		/* As in labyrinth_percpu_read(). */
		sums[i] += smp_load_acquire(&words[i]);
	}
}

void labyrinth_percpu_clear(void *base, unsigned int cpu, size_t index)
{
	WRITE_ONCE(*per_cpu_ptr(to_word(base, index), cpu), 0);
}

/*
 * The token protocol of percpu/cell.rs. This is not this_cpu_xchg(), which need not be
 * atomic against a store by another CPU. If the task is moved in between, it takes the
 * token of the CPU that it was on, which works as well.
 */
void *labyrinth_token_take(void *base)
{
	return xchg((void **)raw_cpu_ptr(to_percpu(base)), NULL);
}

/*
 * Takes the token of any CPU, for labyrinth_token_give_back_of(). Preemption stays disabled
 * in between, so that the other CPU is not without its token for as long as this CPU is busy.
 */
void *labyrinth_token_take_of(void *word)
{
	void *token;

	preempt_disable();
	token = xchg((void **)word, NULL);
	if (!token)
		preempt_enable();
	return token;
}

void labyrinth_token_give_back(void *word, void *token)
{
	/* Pairs with the exchange that takes the token next. */
	smp_store_release((void **)word, token);
}

void labyrinth_token_give_back_of(void *word, void *token)
{
	labyrinth_token_give_back(word, token);
	preempt_enable();
}

void labyrinth_cpus_read_lock(void)
{
	cpus_read_lock();
}

void labyrinth_cpus_read_unlock(void)
{
	cpus_read_unlock();
}

int labyrinth_next_possible_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_possible_mask);
}

int labyrinth_next_online_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_online_mask);
}

/* Our own lines say how many were left out, so the kernel need not print that, too. */
bool labyrinth_may_print(void)
{
	static struct ratelimit_state limit =
		RATELIMIT_STATE_INIT_FLAGS(limit, DEFAULT_RATELIMIT_INTERVAL,
					   DEFAULT_RATELIMIT_BURST, RATELIMIT_MSG_ON_RELEASE);

	return __ratelimit(&limit);
}
