// SPDX-License-Identifier: GPL-2.0
/*
 * A callback that frees memory when the kernel runs short of it.
 */
#include "shrinker.h"

struct shrinker *
labyrinth_shrinker_register(const char *name,
			    unsigned long (*count)(struct shrinker *shrinker,
						   struct shrink_control *control),
			    unsigned long (*scan)(struct shrinker *shrinker,
						  struct shrink_control *control),
			    void *data)
{
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (shrinker) {
		shrinker->count_objects = count;
		shrinker->scan_objects = scan;
		shrinker->private_data = data;
		shrinker_register(shrinker);
	}
	return shrinker;
}

unsigned long labyrinth_shrink_stop(void)
{
	return SHRINK_STOP;
}
