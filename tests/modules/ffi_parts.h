/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C side of rust/ffi and rust/page, for a module that has these within: its own copy
 * of everything, of which it exports nothing. Included once in each module.
 */
#define __DISABLE_EXPORTS
#include "../../rust/ffi/bad_memory.c"
#include "../../rust/ffi/dma.c"
#include "../../rust/ffi/helpers.c"
#include "../../rust/ffi/interrupt.c"
#include "../../rust/ffi/mempool.c"
#include "../../rust/ffi/page_mark.c"
#ifdef CONFIG_PCI
#include "../../rust/ffi/pci.c"
#endif
#include "../../rust/ffi/view.c"
#ifdef CONFIG_MEM_ALLOC_PROFILING
#include "../../rust/ffi/alloc_tag.c"
#endif
