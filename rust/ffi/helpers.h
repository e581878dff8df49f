/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel interface that exist only as macros or inline functions, or that
 * are simpler to write in C. bindgen reads this file (see Kbuild); only rust/ffi/ and
 * rust/page/ call the functions.
 */
#ifndef LABYRINTH_HELPERS_H
#define LABYRINTH_HELPERS_H

#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>

#include "mm/bad_memory.h"
#include "mm/dma.h"
#include "exports.h"
#include "irq/interrupt.h"
#include "cpu/notify.h"
#include "mm/page_mark.h"
#include "pci/pci.h"
#include "unload.h"
#include "mm/vmap.h"
#include "mm/watermark.h"

#ifdef __BINDGEN__
#include "mm/alloc_tag.h"
#include "trace/labyrinth_trace.h"

/* Flags that the kernel crate has no names for. bindgen cannot evaluate the macros. */
static const gfp_t LABYRINTH_GFP_COMP = __GFP_COMP;
static const gfp_t LABYRINTH_GFP_DMA = __GFP_DMA;
static const gfp_t LABYRINTH_GFP_DMA32 = __GFP_DMA32;
static const gfp_t LABYRINTH_GFP_RETRY_MAYFAIL = __GFP_RETRY_MAYFAIL;
static const gfp_t LABYRINTH_GFP_THISNODE = __GFP_THISNODE;
#endif

struct page *labyrinth_alloc_pages(gfp_t gfp, unsigned int order);
struct page *labyrinth_alloc_pages_node(int node, gfp_t gfp,
					unsigned int order);
struct page *labyrinth_alloc_page_nolock(int node);
size_t labyrinth_alloc_pages_bulk(gfp_t gfp, size_t wanted,
				  struct page **pages);
unsigned long labyrinth_page_to_pfn(const struct page *page);
int labyrinth_page_node(const struct page *page);
unsigned int labyrinth_page_zone(const struct page *page);
bool labyrinth_node_online(int node);
int labyrinth_node_of_cpu(unsigned int cpu);
void labyrinth_free_pages(struct page *page, unsigned int order);
void labyrinth_free_around_bad(struct page *page, unsigned int order);
void labyrinth_page_set_link(struct page *page, unsigned long link);
unsigned long labyrinth_page_link(const struct page *page);
void *labyrinth_page_address(const struct page *page);
struct page *labyrinth_virt_to_page(const void *address);
bool labyrinth_page_has_one_user(struct page *page);

void labyrinth_timer_init(struct timer_list *timer,
			  void (*function)(struct timer_list *timer));
void labyrinth_timer_start_on(struct timer_list *timer, int cpu,
			      unsigned int delay_us);
void labyrinth_timer_rearm(struct timer_list *timer, unsigned int delay_us);

void labyrinth_spin_lock_bh(spinlock_t *lock);
int labyrinth_spin_trylock_bh(spinlock_t *lock);
void labyrinth_spin_unlock_bh(spinlock_t *lock);

struct dentry;
struct file_operations;

struct dentry *labyrinth_debugfs_dir(const char *name, struct dentry *parent);
void labyrinth_debugfs_file(const char *name, umode_t mode,
			    struct dentry *parent, void *data,
			    const struct file_operations *operations);
void labyrinth_debugfs_remove(struct dentry *dentry);

struct task_struct *labyrinth_thread_create(int (*function)(void *data),
					    void *data, const char *name,
					    int cpu);
void labyrinth_thread_sleep_until(ktime_t *deadline, const int *woken);
ktime_t labyrinth_time_in_us(unsigned int delay_us);
void labyrinth_task_get(struct task_struct *task);
void labyrinth_task_put(struct task_struct *task);

void *labyrinth_percpu_alloc(size_t size, size_t align);
void labyrinth_percpu_free(void *base);
void *labyrinth_percpu_of(void *base, unsigned int cpu);

void labyrinth_percpu_add(void *base, size_t index, u64 n);
void labyrinth_percpu_raise(void *base, size_t index, u64 n);
u64 labyrinth_percpu_read_here(void *base, size_t index);
u64 labyrinth_percpu_read(void *base, unsigned int cpu, size_t index);
void labyrinth_percpu_add_up(void *base, unsigned int cpu, size_t first,
			     size_t count, u64 *sums);
void labyrinth_percpu_clear(void *base, unsigned int cpu, size_t index);

void *labyrinth_token_take(void *base);
void labyrinth_token_give_back(void *word, void *token);
void *labyrinth_token_take_of(void *word);
void labyrinth_token_give_back_of(void *word, void *token);

void labyrinth_cpus_read_lock(void);
void labyrinth_cpus_read_unlock(void);
int labyrinth_next_possible_cpu(int cpu);
int labyrinth_next_online_cpu(int cpu);

bool labyrinth_may_print(void);

#endif /* LABYRINTH_HELPERS_H */
