// SPDX-License-Identifier: GPL-2.0

//! When a store of pages is refilled, and by how much.

/// The low mark and the target of a store.
///
/// # Invariants
///
/// `low` is less than `target`, or both are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    low: usize,
    target: usize,
}

impl Marks {
    /// Marks for a store that should hold `target` pages: below three quarters of that it is
    /// refilled. A store of 0 pages never is.
    pub(crate) const fn new(target: usize) -> Self {
        // INVARIANT: The subtraction is at least 1 unless `target` is 0. It cannot overflow.
        Self {
            low: target - target.div_ceil(4),
            target,
        }
    }

    /// Whether a store at `level` has to be refilled.
    #[inline(always)]
    pub(crate) const fn is_low(self, level: usize) -> bool {
        level <= self.low && self.low < self.target
    }

    /// How many pages bring a store at `level` to its target, at most `chunk` of them at a time.
    pub(crate) const fn wanted(self, level: usize, chunk: usize) -> usize {
        let missing = self.target.saturating_sub(level);
        if missing < chunk {
            missing
        } else {
            chunk
        }
    }

    /// The pages that the store should hold.
    pub(crate) const fn target(self) -> usize {
        self.target
    }
}
