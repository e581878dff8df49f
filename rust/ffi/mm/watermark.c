// SPDX-License-Identifier: GPL-2.0
/*
 * Free pages, watermarks, and the allocator's own counters.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/vmstat.h>

#include "watermark.h"

bool labyrinth_allocations_counted(void)
{
	return IS_ENABLED(CONFIG_VM_EVENT_COUNTERS);
}

unsigned int labyrinth_zone_kinds(void)
{
	return MAX_NR_ZONES;
}

/* Returns the pages that left the allocator on this CPU since boot, for zones of a kind. */
unsigned long labyrinth_local_allocations(unsigned int kind)
{
#ifdef CONFIG_VM_EVENT_COUNTERS
	return raw_cpu_read(vm_event_states.event[PGALLOC_NORMAL -
						  ZONE_NORMAL + kind]);
#else
	return 0;
#endif
}

static unsigned long zone_free(struct zone *zone)
{
	return zone_page_state_snapshot(zone, NR_FREE_PAGES);
}

/*
 * This is not min_wmark_pages(), which adds a boost against fragmentation. The boost is
 * no part of the emergency reserve, and GFP_ATOMIC may ignore it.
 */
static unsigned long zone_min(struct zone *zone)
{
	return zone->_watermark[WMARK_MIN];
}

bool labyrinth_zone_below_min(const struct page *page)
{
	struct zone *zone = page_zone(page);

	return zone_free(zone) < zone_min(zone);
}

static unsigned long zone_low(struct zone *zone)
{
	return zone->_watermark[WMARK_LOW];
}

static unsigned long zone_high(struct zone *zone)
{
	return zone->_watermark[WMARK_HIGH];
}

static unsigned long zone_shortfall(struct zone *zone)
{
	unsigned long free = zone_free(zone), min = zone_min(zone);

	return free < min ? min - free : 0;
}

/* Returns the pages of a zone that are kept for hardware with short addresses. */
static unsigned long zone_protected(struct zone *zone)
{
	return zone->lowmem_reserve[gfp_zone(GFP_KERNEL)];
}

static unsigned long zone_on_cpu_lists(struct zone *zone)
{
	unsigned long pages = 0;
	int cpu;

	for_each_online_cpu(cpu)
		pages += per_cpu_ptr(zone->per_cpu_pageset, cpu)->count;
	return pages;
}

/* Adds up a figure of all zones of one kind. */
static unsigned long sum_of_kind(unsigned int kind,
				 unsigned long (*figure)(struct zone *zone))
{
	unsigned long sum = 0;
	int node;

	for_each_online_node(node) {
		struct zone *zone = &NODE_DATA(node)->node_zones[kind];

		if (populated_zone(zone))
			sum += figure(zone);
	}
	return sum;
}

static unsigned long sum_of_all(unsigned long (*figure)(struct zone *zone))
{
	unsigned long sum = 0;
	unsigned int kind;

	for (kind = 0; kind < MAX_NR_ZONES; kind++)
		sum += sum_of_kind(kind, figure);
	return sum;
}

/* Returns whether any zone of this kind is below its min watermark. */
bool labyrinth_below_min(unsigned int kind)
{
	return sum_of_kind(kind, zone_shortfall) != 0;
}

/* Returns the size of all memory that the kernel manages, in pages. */
unsigned long labyrinth_memory_total(void)
{
	return totalram_pages();
}

/* Returns the index of the highest zone for a ZoneLimit of place.rs. */
static unsigned int highest_zone(unsigned int limit)
{
	switch (limit) {
	case 0:
		return gfp_zone(GFP_KERNEL);
	case 1:
		return gfp_zone(GFP_KERNEL | GFP_DMA32);
	default:
		return gfp_zone(GFP_KERNEL | GFP_DMA);
	}
}

/*
 * Adds up a figure of the zones that requests with a ZoneLimit can use: of one node, or of
 * all nodes if the number is negative.
 */
static unsigned long sum_of_usable(unsigned int limit, int only,
				   unsigned long (*figure)(struct zone *zone,
							   unsigned int highest))
{
	unsigned int kind, highest = highest_zone(limit);
	unsigned long sum = 0;
	int node;

	for_each_online_node(node) {
		if (only >= 0 && node != only)
			continue;
		for (kind = 0; kind <= highest; kind++) {
			struct zone *zone = &NODE_DATA(node)->node_zones[kind];

			if (populated_zone(zone))
				sum += figure(zone, highest);
		}
	}
	return sum;
}

static unsigned long zone_above_min(struct zone *zone, unsigned int highest)
{
	unsigned long free = zone_free(zone);
	unsigned long kept = zone_min(zone) + zone->lowmem_reserve[highest] +
			     zone_page_state(zone, NR_FREE_CMA_PAGES);

	return free > kept ? free - kept : 0;
}

static unsigned long zone_at_once(struct zone *zone, unsigned int highest)
{
	unsigned long above = zone_above_min(zone, highest);
	unsigned long last = DIV_ROUND_UP(zone_high(zone) - zone_min(zone), 4);

	return above > last ? above - last : 0;
}

/* As si_mem_available() does, this leaves a part of the page cache to its users. */
static unsigned long zone_reclaimable(struct zone *zone, unsigned int highest)
{
	unsigned long pages = zone_page_state(zone, NR_ZONE_ACTIVE_FILE) +
			      zone_page_state(zone, NR_ZONE_INACTIVE_FILE);
	unsigned long pending = zone_page_state(zone, NR_ZONE_WRITE_PENDING);

	pages -= min(pages, pending);
	return pages - min(pages / 2, zone_low(zone));
}

/* Returns the free pages above the min watermarks. */
unsigned long labyrinth_usable_above_min(unsigned int limit, int node)
{
	return sum_of_usable(limit, node, zone_above_min);
}

/*
 * Returns the same, less a quarter of the pages between the min and the high watermark of
 * each zone.
 */
unsigned long labyrinth_usable_at_once(unsigned int limit, int node)
{
	return sum_of_usable(limit, node, zone_at_once);
}

/* Returns the clean page cache that reclaim can free. */
unsigned long labyrinth_usable_reclaimable(unsigned int limit, int node)
{
	return sum_of_usable(limit, node, zone_reclaimable);
}

unsigned long labyrinth_memory_free(void)
{
	return sum_of_all(zone_free);
}

unsigned long labyrinth_memory_on_cpu_lists(void)
{
	return sum_of_all(zone_on_cpu_lists);
}

unsigned long labyrinth_memory_protected(void)
{
	return sum_of_all(zone_protected);
}

/* Adds up the pages that each zone lacks to be at its own min watermark. */
unsigned long labyrinth_memory_shortfall(void)
{
	return sum_of_all(zone_shortfall);
}

unsigned long labyrinth_memory_mark_min(void)
{
	return sum_of_all(zone_min);
}

unsigned long labyrinth_memory_mark_low(void)
{
	return sum_of_all(zone_low);
}

unsigned long labyrinth_memory_mark_high(void)
{
	return sum_of_all(zone_high);
}
