// SPDX-License-Identifier: GPL-2.0

//! Telling of something that should not have happened, without drowning the log in it.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use super::helpers;
use kernel::{
    bindings,
    prelude::*, //
};

/// Whether a line may be printed now: ten in five seconds. Any context but NMI.
pub(crate) fn may_print() -> bool {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_may_print() }
}

/// Stops the machine, because bytes were written that belong to nobody: from this offset of a page on.
/// Any context.
pub(crate) fn halt(pfn: usize, offset: usize) -> ! {
    let text = c"labyrinth: page frame 0x%lx is damaged from byte %zu on\n";
    // SAFETY: The text wants two numbers of this size.
    unsafe { bindings::panic(text.as_char_ptr(), pfn, offset) }
}
