// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at memory that is nobody's, and changing what is somebody's, for tests only. KASAN must
 * not see it.
 */
#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "probe.h"

int labyrinth_probe(const void *address, u8 *value)
{
	return copy_from_kernel_nofault(value, address, 1);
}

int labyrinth_probe_count(const void *address, size_t length, u8 value)
{
	int count = 0;

	for (size_t i = 0; i < length; i++) {
		u8 byte;

		if (copy_from_kernel_nofault(&byte, address + i, 1))
			return -EFAULT;
		count += byte == value;
	}
	return count;
}

void labyrinth_probe_flush(void)
{
	vm_unmap_aliases();
}

/* As if the hardware had reported an error. Nobody is told. */
void labyrinth_probe_spoil(const void *address)
{
	SetPageHWPoison(virt_to_page(address));
}

/* As somebody would who writes where it must not. */
void labyrinth_probe_flip(void *address)
{
	u8 *byte = address;

	WRITE_ONCE(*byte, ~*byte);
}

bool labyrinth_probe_free(const void *address)
{
	return !page_ref_count(virt_to_page(address));
}

/* As a process does that has the page mapped. */
void labyrinth_probe_hold(const void *address)
{
	get_page(virt_to_page(address));
}

void labyrinth_probe_let_go(const void *address)
{
	put_page(virt_to_page(address));
}
