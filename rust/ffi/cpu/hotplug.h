/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Callbacks for CPU hotplug: for dead CPUs, and for CPUs that come online or go offline.
 */
#ifndef LABYRINTH_HOTPLUG_H
#define LABYRINTH_HOTPLUG_H

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

#endif /* LABYRINTH_HOTPLUG_H */
