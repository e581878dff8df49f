// SPDX-License-Identifier: GPL-2.0
/*
 * The C side of labyrinth's own types, as far as the driver needs it: this module has a
 * copy of its own of everything.
 */
#include "../../../rust/ffi/dma.c"
#include "../../../rust/ffi/helpers.c"
#include "../../../rust/ffi/interrupt.c"
#include "../../../rust/ffi/mempool.c"
#include "../../../rust/ffi/pci.c"
#ifdef CONFIG_MEM_ALLOC_PROFILING
/* That is for labyrinth.ko to do. */
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(symbol)
#include "../../../rust/ffi/alloc_tag.c"
#endif
