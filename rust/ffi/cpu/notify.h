/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Callbacks of the kernel in task context: CPU hotplug, and memory reclaim.
 */
#ifndef LABYRINTH_NOTIFY_H
#define LABYRINTH_NOTIFY_H

#include <linux/shrinker.h>
#include <linux/types.h>

int labyrinth_hotplug_register(const char *name, struct hlist_node *node,
			       int (*dead)(unsigned int cpu,
					   struct hlist_node *node));
void labyrinth_hotplug_unregister(int state, struct hlist_node *node);

int labyrinth_each_cpu_register(const char *name, struct hlist_node *node,
				int (*online)(unsigned int cpu,
					      struct hlist_node *node),
				int (*offline)(unsigned int cpu,
					       struct hlist_node *node));
void labyrinth_each_cpu_unregister(int state, struct hlist_node *node);

struct shrinker *
labyrinth_shrinker_register(const char *name,
			    unsigned long (*count)(struct shrinker *shrinker,
						   struct shrink_control *control),
			    unsigned long (*scan)(struct shrinker *shrinker,
						  struct shrink_control *control),
			    void *data);
unsigned long labyrinth_shrink_stop(void);

#endif /* LABYRINTH_NOTIFY_H */
