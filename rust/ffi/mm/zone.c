// SPDX-License-Identifier: GPL-2.0
/*
 * Free pages above a zone's limit for atomic requests of order 0, and the CPUs' lists of pages.
 * The rules are those of zone_watermark_fast() and rmqueue_pcplist() in mm/page_alloc.c.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/topology.h>
#include <linux/vmstat.h>

#include "zone.h"

/* The highest zones that a request without zone flags may use. */
#define HIGHEST gfp_zone(GFP_ATOMIC)

static struct zone *zone_of(int node, unsigned int kind)
{
	return &NODE_DATA(node)->node_zones[kind];
}

bool labyrinth_page_in_zone(const struct page *page, int node, unsigned int kind)
{
	return page_to_nid(page) == node && page_zonenum(page) == kind;
}

/* Returns whether there are free pages in CMA areas. */
bool labyrinth_has_free_cma(void)
{
	return global_zone_page_state(NR_FREE_CMA_PAGES);
}

/* Finds the zone that requests on this CPU try first. */
void labyrinth_preferred_zone(int *node, unsigned int *kind)
{
	*node = numa_mem_id();
	*kind = HIGHEST;
	while (*kind && !populated_zone(zone_of(*node, *kind)))
		--*kind;
}

/*
 * Returns the free pages above the limit of GFP_ATOMIC. The allocator compares the same counter,
 * which does not show the latest changes of each CPU.
 */
static long above(struct zone *zone)
{
	long min = zone->_watermark[WMARK_MIN];
	long free = zone_page_state(zone, NR_FREE_PAGES);

	/* __GFP_HIGH may use a half of it, and a quarter of the rest if it cannot sleep. */
	min -= min / 2;
	min -= min / 4;
	return free - zone_page_state(zone, NR_FREE_CMA_PAGES) - min -
	       zone->lowmem_reserve[HIGHEST];
}

long labyrinth_zone_above(int node, unsigned int kind)
{
	return above(zone_of(node, kind));
}

/* Adds up the pages above the limits of all zones but one. */
unsigned long labyrinth_above_elsewhere(int node, unsigned int kind)
{
	unsigned long sum = 0;
	unsigned int k;
	int n;

	for_each_online_node(n) {
		for (k = 0; k <= HIGHEST; k++) {
			struct zone *zone = zone_of(n, k);

			if ((n != node || k != kind) && populated_zone(zone))
				sum += max(above(zone), 0L);
		}
	}
	return sum;
}

static struct per_cpu_pages *list_of(int node, unsigned int kind)
{
	return raw_cpu_ptr(zone_of(node, kind)->per_cpu_pageset);
}

/* Counts the entries of a list, up to a bound. */
static unsigned long count(const struct list_head *list)
{
	const struct list_head *entry;
	unsigned long pages = 0;

	list_for_each(entry, list) {
		if (pages == LABYRINTH_LIST_MOST)
			break;
		pages++;
	}
	return pages;
}

/*
 * Counts the single pages for kernel memory in this CPU's list, and its other pages. If there
 * are LABYRINTH_LIST_MOST or more of the first, the rest counts among the others. Returns false
 * if the list is in use. The caller must stay on the CPU, and keep softirqs out.
 *
 * While the lock is held, a hard interrupt finds the list in use, as it does during any request.
 */
bool labyrinth_list(int node, unsigned int kind, unsigned long *ours,
		    unsigned long *others)
{
	struct per_cpu_pages *pcp = list_of(node, kind);

	if (!spin_trylock(&pcp->lock))
		return false;
	*ours = count(&pcp->lists[MIGRATE_UNMOVABLE]);
	*others = pcp->count - *ours;
	spin_unlock(&pcp->lock);
	return true;
}

/* Returns how many pages the list may hold. */
unsigned long labyrinth_list_high(int node, unsigned int kind)
{
	struct per_cpu_pages *pcp = list_of(node, kind);

	return clamp(READ_ONCE(pcp->high), READ_ONCE(pcp->high_min),
		     READ_ONCE(pcp->high_max));
}

/* Returns the size of a refill that is not doubled. */
unsigned long labyrinth_list_batch(int node, unsigned int kind)
{
	return READ_ONCE(list_of(node, kind)->batch);
}

/* Returns the number of times that the next refill is doubled. */
unsigned int labyrinth_list_scale(int node, unsigned int kind)
{
	return READ_ONCE(list_of(node, kind)->alloc_factor);
}

/* Returns the most pages that this CPU may take or free before the zone's counter shows it. */
unsigned long labyrinth_list_drift(int node, unsigned int kind)
{
	return raw_cpu_ptr(zone_of(node, kind)->per_cpu_zonestats)->stat_threshold;
}
