/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of each CPU: counters, and values that one holder of a token can use at a time.
 */
#ifndef LABYRINTH_PERCPU_H
#define LABYRINTH_PERCPU_H

#include <linux/types.h>

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
void *labyrinth_token_take_of(void *word);
void labyrinth_token_give_back(void *word, void *token);
void labyrinth_token_give_back_of(void *word, void *token);

#endif /* LABYRINTH_PERCPU_H */
