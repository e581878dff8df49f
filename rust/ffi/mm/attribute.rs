// SPDX-License-Identifier: GPL-2.0

//! Counters of what happens to pages that were dropped with a cache attribute, or while the host
//! shared them.

use crate::ffi::helpers;

/// The events that are counted.
#[derive(Clone, Copy)]
pub(crate) enum AttributeEvent {
    /// Blocks that were dropped became write-back, all at once, or one became exclusive.
    LateReset,
    /// That failed, and their pages are lost.
    LateResetFailed,
    /// A page was lost.
    PageLost,
}

/// Returns how often an event has happened since the module was loaded. Any context.
pub(crate) fn count(of: AttributeEvent) -> u64 {
    let which = match of {
        AttributeEvent::LateReset => helpers::LABYRINTH_LATE_RESET,
        AttributeEvent::LateResetFailed => helpers::LABYRINTH_LATE_RESET_FAILED,
        AttributeEvent::PageLost => helpers::LABYRINTH_PAGE_LOST,
    };
    // SAFETY: `which` is the number of a counter.
    unsafe { helpers::labyrinth_attribute_events(which) }
}
