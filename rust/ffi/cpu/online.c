// SPDX-License-Identifier: GPL-2.0
/*
 * The CPUs that there are, and those that are online.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>

#include "online.h"

void labyrinth_cpus_read_lock(void)
{
	cpus_read_lock();
}

void labyrinth_cpus_read_unlock(void)
{
	cpus_read_unlock();
}

int labyrinth_next_possible_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_possible_mask);
}

int labyrinth_next_online_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_online_mask);
}
