// SPDX-License-Identifier: GPL-2.0

//! Counts of pages that were lent to C and came back.

use crate::ffi::helpers;

/// The events that are counted.
#[derive(Clone, Copy)]
pub(crate) enum ForeignEvent {
    /// Blocks of pages that C code was given.
    Given,
    /// Blocks that came back.
    Returned,
    /// Addresses that came back, but that the pool which C named had not lent.
    Refused,
}

/// Counts an address that is refused without a look at its page. Any context.
#[cold]
pub(crate) fn refused() {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_page_refused() };
}

/// How often an event has happened since the module was loaded, on all CPUs. Any context.
pub(crate) fn count(of: ForeignEvent) -> u64 {
    let which = match of {
        ForeignEvent::Given => helpers::LABYRINTH_FOREIGN_GIVEN,
        ForeignEvent::Returned => helpers::LABYRINTH_FOREIGN_RETURNED,
        ForeignEvent::Refused => helpers::LABYRINTH_FOREIGN_REFUSED,
    };
    // SAFETY: The number of a counter.
    unsafe { helpers::labyrinth_foreign_events(which) }
}
