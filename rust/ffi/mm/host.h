/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that the guest of a confidential virtual machine shares with its host.
 */
#ifndef LABYRINTH_HOST_H
#define LABYRINTH_HOST_H

#include <linux/types.h>

struct page;

bool labyrinth_host_exists(void);
int labyrinth_host_share(struct page *block, unsigned int order);
int labyrinth_host_take_back(struct page *block, unsigned int order);
void labyrinth_host_drop(struct page *block, unsigned int order);
void labyrinth_host_copy(void *to, const void *from, size_t bytes);

#endif /* LABYRINTH_HOST_H */
