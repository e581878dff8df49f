// SPDX-License-Identifier: GPL-2.0

//! The functions that allocate and free pages for each request.
//!
//! With allocation profiling they keep its books, see `alloc_tag.c`. Otherwise they are the
//! kernel's own functions, because a function in between would cost each request four
//! instructions.
//!
//! C header: [`include/linux/gfp.h`](srctree/include/linux/gfp.h)

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
pub(crate) use crate::ffi::helpers::labyrinth_free_pages as free_pages;
#[cfg(not(CONFIG_MEM_ALLOC_PROFILING))]
pub(crate) use kernel::bindings::__free_pages as free_pages;

// Without `CONFIG_NUMA`, the kernel's function is inline.
#[cfg(any(CONFIG_MEM_ALLOC_PROFILING, not(CONFIG_NUMA)))]
pub(crate) use crate::ffi::helpers::labyrinth_alloc_pages as alloc_pages;
#[cfg(all(not(CONFIG_MEM_ALLOC_PROFILING), CONFIG_NUMA))]
pub(crate) use kernel::bindings::alloc_pages_noprof as alloc_pages;
