/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A callback that frees memory when the kernel runs short of it.
 */
#ifndef LABYRINTH_SHRINKER_H
#define LABYRINTH_SHRINKER_H

#include <linux/shrinker.h>

struct shrinker *
labyrinth_shrinker_register(const char *name,
			    unsigned long (*count)(struct shrinker *shrinker,
						   struct shrink_control *control),
			    unsigned long (*scan)(struct shrinker *shrinker,
						  struct shrink_control *control),
			    void *data);
unsigned long labyrinth_shrink_stop(void);

#endif /* LABYRINTH_SHRINKER_H */
