// SPDX-License-Identifier: GPL-2.0

//! The trait of all ways to get pages that are compared.

use labyrinth::context::Context;

/// The fill level of a reserve, in pages.
#[derive(Clone, Copy)]
pub(crate) struct Level {
    /// The number of pages in the reserve now.
    pub(crate) now: u64,
    /// The number of pages in the full reserve.
    pub(crate) full: u64,
}

/// A way to get pages in the context `C`.
pub(super) trait Contestant<C: Context>: Send + 'static {
    /// Gets one more page and keeps it. Returns whether there was one. This call is timed, so it
    /// does nothing else.
    fn take(&mut self, cx: &C) -> bool;

    /// Gives all pages back.
    fn release_all(&mut self, cx: &C);

    /// Returns the level of its reserve, if it has one. Task context.
    fn level(&self) -> Option<Level> {
        None
    }
}
