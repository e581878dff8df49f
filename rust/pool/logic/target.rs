// SPDX-License-Identifier: GPL-2.0

//! The number of pages that a refill adds.

/// The target level of a store of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pages: usize,
}

impl Target {
    /// Makes the target of a store that should hold `pages` pages. A store of 0 pages is never
    /// refilled.
    pub const fn new(pages: usize) -> Self {
        Self { pages }
    }

    /// Returns how many pages a store at `level` needs to reach its target, but at most `chunk`.
    pub const fn wanted(self, level: usize, chunk: usize) -> usize {
        let missing = self.pages.saturating_sub(level);
        if missing < chunk {
            missing
        } else {
            chunk
        }
    }

    /// Returns how many pages the store should hold.
    pub const fn pages(self) -> usize {
        self.pages
    }
}
