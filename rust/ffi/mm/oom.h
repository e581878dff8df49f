/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A callback that gives memory back before the OOM killer chooses a process.
 */
#ifndef LABYRINTH_OOM_H
#define LABYRINTH_OOM_H

#include <linux/notifier.h>

int labyrinth_oom_register(struct notifier_block *block,
			   notifier_fn_t out_of_memory);
void labyrinth_oom_unregister(struct notifier_block *block);

#endif /* LABYRINTH_OOM_H */
