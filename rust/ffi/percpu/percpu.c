// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of each CPU: counters, and values that one holder of a token can use at a time.
 */
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "percpu.h"

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
