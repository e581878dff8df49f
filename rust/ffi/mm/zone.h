/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free pages above the limit of a zone for atomic requests, and this CPU's list of its pages.
 * helpers.h includes this file.
 */
#ifndef LABYRINTH_ZONE_H
#define LABYRINTH_ZONE_H

#include <linux/types.h>

#ifdef __BINDGEN__
/* The most times that a refill of a list is doubled. */
static const unsigned int LABYRINTH_LIST_MAX_SCALE = CONFIG_PCP_BATCH_SCALE_MAX;
#endif

/*
 * The most pages of a CPU's list that are counted. On large machines, a list can have hundreds of
 * thousands of pages, and they are counted with bottom halves disabled. A refill has at most
 * 63 << 6 pages of 4 KiB.
 */
#define LABYRINTH_LIST_MOST 4096

struct page;

bool labyrinth_page_in_zone(const struct page *page, int node,
			    unsigned int kind);
bool labyrinth_has_free_cma(void);
void labyrinth_preferred_zone(int *node, unsigned int *kind);
long labyrinth_zone_above(int node, unsigned int kind);
unsigned long labyrinth_above_elsewhere(int node, unsigned int kind);
bool labyrinth_list(int node, unsigned int kind, unsigned long *ours,
		    unsigned long *others);
unsigned long labyrinth_list_high(int node, unsigned int kind);
unsigned long labyrinth_list_batch(int node, unsigned int kind);
unsigned int labyrinth_list_scale(int node, unsigned int kind);
unsigned long labyrinth_list_drift(int node, unsigned int kind);

#endif /* LABYRINTH_ZONE_H */
