// SPDX-License-Identifier: GPL-2.0

//! The number of pages that a refill adds.

/// The target level of a store of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    target: usize,
}

impl Marks {
    /// Makes marks for a store that should hold `target` pages. A store of 0 pages is never
    /// refilled.
    pub const fn new(target: usize) -> Self {
        Self { target }
    }

    /// Returns how many pages a store at `level` needs to reach its target, but at most `chunk`.
    pub const fn wanted(self, level: usize, chunk: usize) -> usize {
        let missing = self.target.saturating_sub(level);
        if missing < chunk {
            missing
        } else {
            chunk
        }
    }

    /// Returns how many pages the store should hold.
    pub const fn target(self) -> usize {
        self.target
    }
}
