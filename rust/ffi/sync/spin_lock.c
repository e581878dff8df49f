// SPDX-License-Identifier: GPL-2.0
/*
 * Spinlocks that disable bottom halves, and raw spinlocks that disable interrupts.
 */
#include <linux/lockdep.h>

#include "spin_lock.h"

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

void labyrinth_raw_spin_init(raw_spinlock_t *lock, const char *name,
			     struct lock_class_key *key)
{
#ifdef CONFIG_DEBUG_SPINLOCK
	__raw_spin_lock_init(lock, name, key, LD_WAIT_SPIN);
#else
	raw_spin_lock_init(lock);
#endif
}

unsigned long labyrinth_raw_spin_lock(raw_spinlock_t *lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(lock, flags);
	return flags;
}

bool labyrinth_raw_spin_trylock(raw_spinlock_t *lock, unsigned long *flags)
{
	return raw_spin_trylock_irqsave(lock, *flags);
}

void labyrinth_raw_spin_unlock(raw_spinlock_t *lock, unsigned long flags)
{
	raw_spin_unlock_irqrestore(lock, flags);
}

void labyrinth_raw_spin_assert_held(raw_spinlock_t *lock)
{
	lockdep_assert_held(lock);
}
