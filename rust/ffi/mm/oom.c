// SPDX-License-Identifier: GPL-2.0
/*
 * A callback that gives memory back before the OOM killer chooses a process.
 */
#include <linux/oom.h>

#include "oom.h"

int labyrinth_oom_register(struct notifier_block *block,
			   notifier_fn_t out_of_memory)
{
	block->notifier_call = out_of_memory;
	return register_oom_notifier(block);
}

/* Waits for calls in progress. */
void labyrinth_oom_unregister(struct notifier_block *block)
{
	unregister_oom_notifier(block);
}
