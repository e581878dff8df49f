/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CPUs that there are, and those that are online.
 */
#ifndef LABYRINTH_ONLINE_H
#define LABYRINTH_ONLINE_H

#include <linux/types.h>

void labyrinth_cpus_read_lock(void);
void labyrinth_cpus_read_unlock(void);
int labyrinth_next_possible_cpu(int cpu);
int labyrinth_next_online_cpu(int cpu);

#endif /* LABYRINTH_ONLINE_H */
