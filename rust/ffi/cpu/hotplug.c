// SPDX-License-Identifier: GPL-2.0
/*
 * Callbacks for CPU hotplug: for dead CPUs, and for CPUs that come online or go offline.
 */
#include <linux/cpuhotplug.h>

#include "hotplug.h"

/* Each caller gets a state of its own. The instance carries the caller's data. */
int labyrinth_hotplug_register(const char *name, struct hlist_node *node,
			       int (*dead)(unsigned int cpu,
					   struct hlist_node *node))
{
	int state, error;

	state = cpuhp_setup_state_multi(CPUHP_BP_PREPARE_DYN, name, NULL, dead);
	if (state < 0)
		return state;

	error = cpuhp_state_add_instance_nocalls(state, node);
	if (error) {
		cpuhp_remove_multi_state(state);
		return error;
	}
	return state;
}

void labyrinth_hotplug_unregister(int state, struct hlist_node *node)
{
	cpuhp_state_remove_instance_nocalls(state, node);
	cpuhp_remove_multi_state(state);
}

/* Also calls online() on each CPU that is online already. */
int labyrinth_each_cpu_register(const char *name, struct hlist_node *node,
				int (*online)(unsigned int cpu,
					      struct hlist_node *node),
				int (*offline)(unsigned int cpu,
					       struct hlist_node *node))
{
	int state, error;

	state = cpuhp_setup_state_multi(CPUHP_AP_ONLINE_DYN, name, online, offline);
	if (state < 0)
		return state;

	error = cpuhp_state_add_instance(state, node);
	if (error) {
		cpuhp_remove_multi_state(state);
		return error;
	}
	return state;
}

/* Calls offline() on each CPU that is online. */
void labyrinth_each_cpu_unregister(int state, struct hlist_node *node)
{
	cpuhp_state_remove_instance(state, node);
	cpuhp_remove_multi_state(state);
}
