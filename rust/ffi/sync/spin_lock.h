/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spinlocks that disable bottom halves, and raw spinlocks that disable interrupts.
 */
#ifndef LABYRINTH_SPIN_LOCK_H
#define LABYRINTH_SPIN_LOCK_H

#include <linux/spinlock.h>
#include <linux/types.h>

void labyrinth_spin_lock_bh(spinlock_t *lock);
int labyrinth_spin_trylock_bh(spinlock_t *lock);
void labyrinth_spin_unlock_bh(spinlock_t *lock);

void labyrinth_raw_spin_init(raw_spinlock_t *lock, const char *name,
			     struct lock_class_key *key);
unsigned long labyrinth_raw_spin_lock(raw_spinlock_t *lock);
bool labyrinth_raw_spin_trylock(raw_spinlock_t *lock, unsigned long *flags);
void labyrinth_raw_spin_unlock(raw_spinlock_t *lock, unsigned long flags);
void labyrinth_raw_spin_assert_held(raw_spinlock_t *lock);

#endif /* LABYRINTH_SPIN_LOCK_H */
