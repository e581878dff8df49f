// SPDX-License-Identifier: GPL-2.0

//! Counters of pages that were lent to C and returned.

use crate::ffi::helpers;

/// The events that are counted.
#[derive(Clone, Copy)]
pub(crate) enum ForeignEvent {
    /// A block was given to C code.
    Given,
    /// A block was returned.
    Returned,
    /// C code returned an address that the pool it named had not lent.
    Refused,
}

/// Counts an address that is refused without a look at its page. Any context.
#[cold]
pub(crate) fn refused() {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_page_refused() };
}

/// Returns how often an event has happened since the module was loaded, on all CPUs. Any context.
pub(crate) fn count(of: ForeignEvent) -> u64 {
    let which = match of {
        ForeignEvent::Given => helpers::LABYRINTH_FOREIGN_GIVEN,
        ForeignEvent::Returned => helpers::LABYRINTH_FOREIGN_RETURNED,
        ForeignEvent::Refused => helpers::LABYRINTH_FOREIGN_REFUSED,
    };
    // SAFETY: `which` is the number of a counter.
    unsafe { helpers::labyrinth_foreign_events(which) }
}
