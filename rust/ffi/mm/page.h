/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages of the buddy allocator: getting and freeing them, and what struct page says of them.
 */
#ifndef LABYRINTH_PAGE_H
#define LABYRINTH_PAGE_H

#include <linux/gfp.h>
#include <linux/types.h>

struct page;

#ifdef __BINDGEN__
/* Flags that the kernel crate has no names for. bindgen cannot evaluate the macros. */
static const gfp_t LABYRINTH_GFP_COMP = __GFP_COMP;
static const gfp_t LABYRINTH_GFP_DMA = __GFP_DMA;
static const gfp_t LABYRINTH_GFP_DMA32 = __GFP_DMA32;
static const gfp_t LABYRINTH_GFP_KSWAPD_RECLAIM = __GFP_KSWAPD_RECLAIM;
static const gfp_t LABYRINTH_GFP_MOVABLE = __GFP_MOVABLE;
static const gfp_t LABYRINTH_GFP_RETRY_MAYFAIL = __GFP_RETRY_MAYFAIL;
static const gfp_t LABYRINTH_GFP_THISNODE = __GFP_THISNODE;
#endif

struct page *labyrinth_alloc_pages(gfp_t gfp, unsigned int order, bool interrupts);
struct page *labyrinth_alloc_pages_node(int node, gfp_t gfp,
					unsigned int order);
struct page *labyrinth_alloc_page_nolock(int node);
size_t labyrinth_alloc_pages_bulk(gfp_t gfp, size_t wanted,
				  struct page **pages);
void labyrinth_free_pages(struct page *page, unsigned int order);
void labyrinth_free_around_bad(struct page *page, unsigned int order);

unsigned long labyrinth_page_to_pfn(const struct page *page);
int labyrinth_page_node(const struct page *page);
unsigned int labyrinth_page_zone(const struct page *page);
void *labyrinth_page_address(const struct page *page);
struct page *labyrinth_virt_to_page(const void *address);
bool labyrinth_page_has_one_user(struct page *page);
void labyrinth_page_set_link(struct page *page, unsigned long link);
unsigned long labyrinth_page_link(const struct page *page);

bool labyrinth_node_online(int node);
int labyrinth_node_of_cpu(unsigned int cpu);

#endif /* LABYRINTH_PAGE_H */
