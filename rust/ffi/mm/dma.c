// SPDX-License-Identifier: GPL-2.0
/*
 * Streaming DMA of whole pages, as functions for Rust.
 */
#include <linux/dma-mapping.h>

#include "dma.h"

/* Returns false, and leaves *address alone, if the device cannot be given the pages. */
bool labyrinth_dma_map(struct device *dev, struct page *page, size_t bytes,
		       unsigned int direction, dma_addr_t *address)
{
	dma_addr_t mapped = dma_map_page(dev, page, 0, bytes, direction);

	if (dma_mapping_error(dev, mapped))
		return false;
	*address = mapped;
	return true;
}

void labyrinth_dma_unmap(struct device *dev, dma_addr_t address, size_t bytes,
			 unsigned int direction)
{
	dma_unmap_page(dev, address, bytes, direction);
}

void labyrinth_dma_sync_for_cpu(struct device *dev, dma_addr_t address,
				size_t bytes, unsigned int direction)
{
	dma_sync_single_for_cpu(dev, address, bytes, direction);
}

void labyrinth_dma_sync_for_device(struct device *dev, dma_addr_t address,
				   size_t bytes, unsigned int direction)
{
	dma_sync_single_for_device(dev, address, bytes, direction);
}
