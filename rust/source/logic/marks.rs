// SPDX-License-Identifier: GPL-2.0

//! By how much a store of pages is refilled.

/// What a store should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    target: usize,
}

impl Marks {
    /// Marks for a store that should hold `target` pages. A store of 0 pages is never refilled.
    pub const fn new(target: usize) -> Self {
        Self { target }
    }

    /// How many pages bring a store at `level` to its target, at most `chunk` of them at a time.
    pub const fn wanted(self, level: usize, chunk: usize) -> usize {
        let missing = self.target.saturating_sub(level);
        if missing < chunk {
            missing
        } else {
            chunk
        }
    }

    /// The pages that the store should hold.
    pub const fn target(self) -> usize {
        self.target
    }
}
