// SPDX-License-Identifier: GPL-2.0

//! What is compared.

use labyrinth::context::Context;

/// How full a reserve is, in pages.
#[derive(Clone, Copy)]
pub(crate) struct Level {
    /// What it holds now.
    pub(crate) now: u64,
    /// What it holds when it is full.
    pub(crate) full: u64,
}

/// A way to get pages in the context `C`.
pub(super) trait Contestant<C: Context>: Send + 'static {
    /// Gets one more page and keeps it; whether there was one. This is what is timed, so it does
    /// nothing else.
    fn take(&mut self, cx: &C) -> bool;

    /// Gives all pages back.
    fn release_all(&mut self, cx: &C);

    /// Its reserve, if it has one. Task context.
    fn level(&self) -> Option<Level> {
        None
    }
}
