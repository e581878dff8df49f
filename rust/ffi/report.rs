// SPDX-License-Identifier: GPL-2.0

//! Rate-limited reports of things that should not have happened.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use super::helpers;
use kernel::{
    bindings,
    prelude::*, //
};

/// Returns whether a line may be printed now: ten in five seconds may. Any context but NMI.
pub(crate) fn may_print() -> bool {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_may_print() }
}

/// Stops the machine, because bytes that belong to no owner were overwritten: bytes of the page
/// `pfn`, from `offset` on. Any context.
pub(crate) fn halt(pfn: usize, offset: usize) -> ! {
    let text = c"labyrinth: page frame 0x%lx is damaged from byte %zu on\n";
    // SAFETY: The format takes two numbers of this size.
    unsafe { bindings::panic(text.as_char_ptr(), pfn, offset) }
}
