// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that the guest of a confidential virtual machine shares with its host. All other
 * pages are encrypted, or cannot be accessed by the host at all.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "../arch/arch.h"
#include "attribute.h"
#include "host.h"

/* Whether this is a guest whose memory the host cannot read. Any context. */
bool labyrinth_host_exists(void)
{
	return labyrinth_arch_host_exists();
}

/*
 * Shares a block with the host, and fills it with zeroes: the contents do not survive on all
 * machines. If this fails, the host may have a part of the block, so it must not be freed.
 * Task context, sleeps.
 */
int labyrinth_host_share(struct page *block, unsigned int order)
{
	int error = labyrinth_arch_host_share(page_address(block), 1 << order);

	if (error)
		labyrinth_attribute_lose(block, order);
	else
		memset(page_address(block), 0, PAGE_SIZE << order);
	return error;
}

/*
 * Takes a block back from the host, and fills it with zeroes. If this fails, it must not be
 * freed. Task context, sleeps.
 */
int labyrinth_host_take_back(struct page *block, unsigned int order)
{
	int error = labyrinth_arch_host_take_back(page_address(block), 1 << order);

	if (error)
		labyrinth_attribute_lose(block, order);
	else
		memset(page_address(block), 0, PAGE_SIZE << order);
	return error;
}

/* Takes a block back from the host and frees it, later. Any context but NMI. */
void labyrinth_host_drop(struct page *block, unsigned int order)
{
	set_page_private(block, order | LABYRINTH_BLOCK_OF_HOST);
	labyrinth_attribute_drop(block);
}

/*
 * Copies from or to memory that the host can change at the same time. Rust must not do that,
 * as it takes memory that it reads for constant.
 */
void labyrinth_host_copy(void *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
}
