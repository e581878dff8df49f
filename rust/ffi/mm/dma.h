/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streaming DMA of whole pages, as functions for Rust.
 */
#ifndef LABYRINTH_DMA_H
#define LABYRINTH_DMA_H

#include <linux/types.h>

struct device;
struct page;

bool labyrinth_dma_map(struct device *dev, struct page *page, size_t bytes,
		       unsigned int direction, dma_addr_t *address);
void labyrinth_dma_unmap(struct device *dev, dma_addr_t address, size_t bytes,
			 unsigned int direction);
void labyrinth_dma_sync_for_cpu(struct device *dev, dma_addr_t address,
				size_t bytes, unsigned int direction);
void labyrinth_dma_sync_for_device(struct device *dev, dma_addr_t address,
				   size_t bytes, unsigned int direction);

#endif /* LABYRINTH_DMA_H */
