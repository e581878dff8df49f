/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between architectures:
 *
 * - the mapping of the first page of an area that vmap() has made;
 * - how pages get a cache attribute, where they are mapped with it, and how they become
 *   write-back again;
 * - flushing;
 * - sharing pages with the host of a confidential guest.
 */
#ifndef LABYRINTH_ARCH_H
#define LABYRINTH_ARCH_H

#ifdef CONFIG_X86
#include "x86.h"
#else
#include "generic.h"
#endif

#endif /* LABYRINTH_ARCH_H */
