/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts for each module how often the kernel may call it.
 */
#ifndef LABYRINTH_UNLOAD_H
#define LABYRINTH_UNLOAD_H

#include <linux/types.h>

int labyrinth_unload_begin(void (*wait)(const u32 *count, const char *module));
u32 *labyrinth_unload_own(void);
void labyrinth_unload_end(void);
u32 *labyrinth_unload_count(const void *code);
const char *labyrinth_unload_name(const void *code);

#endif /* LABYRINTH_UNLOAD_H */
