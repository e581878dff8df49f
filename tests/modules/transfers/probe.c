// SPDX-License-Identifier: GPL-2.0
/*
 * Reads memory that is free, and changes memory of other owners, for tests only. KASAN
 * must not check these accesses.
 */
#include <linux/cc_platform.h>
#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>
#include <linux/umh.h>
#include <linux/vmalloc.h>

#ifdef CONFIG_X86_64
#include <asm/msr.h>
#include <asm/set_memory.h>
#endif

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

/*
 * Marks a page as bad, as the kernel does when the hardware reports an error. No
 * listener is called.
 */
void labyrinth_probe_spoil(const void *address)
{
	SetPageHWPoison(virt_to_page(address));
}

/* Changes a byte, as a stray write would. */
void labyrinth_probe_flip(void *address)
{
	u8 *byte = address;

	WRITE_ONCE(*byte, ~*byte);
}

/* Returns the address of a page in the linear mapping. */
void *labyrinth_probe_address_of(unsigned long pfn)
{
	return page_address(pfn_to_page(pfn));
}

bool labyrinth_probe_free(const void *address)
{
	return !page_ref_count(virt_to_page(address));
}

/* Takes a reference, as a process does that has the page mapped. */
void labyrinth_probe_hold(const void *address)
{
	get_page(virt_to_page(address));
}

void labyrinth_probe_let_go(const void *address)
{
	put_page(virt_to_page(address));
}

/*
 * Returns the memory type that an access to the address has: the page table entry says
 * which of the eight types of the CPU's own table it is. Without an entry -EFAULT.
 */
int labyrinth_probe_memory_type(const void *address)
{
#ifdef CONFIG_X86_64
	unsigned int level, index;
	pte_t *pte = lookup_address((unsigned long)address, &level);
	u64 entry, types;

	if (!pte || !(pte_val(*pte) & _PAGE_PRESENT))
		return -EFAULT;
	entry = pte_val(*pte);
	index = !!(entry & _PAGE_PWT) | !!(entry & _PAGE_PCD) << 1 |
		!!(entry & (level == PG_LEVEL_4K ? _PAGE_PAT : _PAGE_PAT_LARGE)) << 2;
	rdmsrq(MSR_IA32_CR_PAT, types);
	return types >> (8 * index) & 7;
#else
	return -EOPNOTSUPP;
#endif
}

/*
 * Makes the pages of a lost block write-back, and frees them, so that a test leaves nothing
 * behind.
 */
void labyrinth_probe_rescue(const void *address, unsigned int order)
{
	struct page *block = virt_to_page(address);

#ifdef CONFIG_X86_64
	set_pages_wb(block, 1 << order);
#endif
	__free_pages(block, order);
}

/* Makes the kernel call all shrinkers, as an administrator would. */
int labyrinth_probe_shrink(void)
{
	static const char * const argv[] = {
		"/bin/sh", "-c", "echo 2 >/proc/sys/vm/drop_caches", NULL
	};
	static const char * const envp[] = { NULL };

	/* The function does not write to them. */
	return call_usermodehelper(argv[0], (char **)argv, (char **)envp, UMH_WAIT_PROC);
}

/* Whether this is a guest that encrypts its memory against the host. */
bool labyrinth_probe_confidential(void)
{
	return cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
}
