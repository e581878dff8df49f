// SPDX-License-Identifier: GPL-2.0

//! Counts of pages that were lent to C and came back.

use super::helpers;

/// The events that are counted.
#[derive(Clone, Copy)]
pub(crate) enum Lending {
    /// Blocks of pages that were lent.
    Lent,
    /// Blocks that came back.
    Returned,
    /// Addresses that came back but were not those of lent blocks.
    Refused,
}

/// How often an event has happened since the module was loaded, on all CPUs. Any context.
pub(crate) fn count(of: Lending) -> u64 {
    let which = match of {
        Lending::Lent => helpers::LABYRINTH_LENT,
        Lending::Returned => helpers::LABYRINTH_RETURNED,
        Lending::Refused => helpers::LABYRINTH_REFUSED,
    };
    // SAFETY: The number of a counter.
    unsafe { helpers::labyrinth_lendings(which) }
}
