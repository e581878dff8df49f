// SPDX-License-Identifier: GPL-2.0

//! How often pages were lent to C and came back.

use super::helpers;

/// What is counted.
#[derive(Clone, Copy)]
pub(crate) enum Lending {
    /// Blocks of pages that were lent.
    Lent,
    /// Blocks that came back.
    Returned,
    /// What came back and was none of these blocks.
    Refused,
}

/// How often that has happened since the module was loaded, on all CPUs. Any context.
pub(crate) fn count(of: Lending) -> u64 {
    let which = match of {
        Lending::Lent => helpers::LABYRINTH_LENT,
        Lending::Returned => helpers::LABYRINTH_RETURNED,
        Lending::Refused => helpers::LABYRINTH_REFUSED,
    };
    // SAFETY: One of those that are counted.
    unsafe { helpers::labyrinth_lendings(which) }
}
