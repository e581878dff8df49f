// SPDX-License-Identifier: GPL-2.0

//! The memory that a reserve may take when it sizes itself.
//!
//! Beyond its least size, such a reserve has at most three quarters of the memory that is free. The
//! part that it has already taken counts as free, too. Otherwise each refill would take three
//! quarters of what the last one has left.
//!
//! If the clean page cache is larger than that memory, the reserve has at most three quarters of
//! the page cache instead. Few pages are free then, and the pages of the reserve come from reclaim.

/// The memory that is available to a pool. All numbers are in pages of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Available {
    /// The free pages above the min watermarks.
    pub free: usize,
    /// The clean page cache that can be reclaimed.
    pub reclaimable: usize,
    /// The free pages without the last quarter of those between the min and the high watermark.
    /// Before that quarter is reached, a zone is below its low watermark, and `kswapd` works.
    pub at_once: usize,
}

/// What a reserve may take now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Up to this many pages of the kernel, at least one.
    Pages(usize),
    /// Nothing until `kswapd` has reclaimed memory.
    Later,
    /// Nothing, because the reserve has three quarters already.
    Nothing,
}

impl Available {
    /// Returns what a reserve of `held` pages may take.
    pub(crate) fn allowance(&self, held: usize) -> Allowance {
        let all = held.saturating_add(self.free).max(self.reclaimable);
        let more = (all - all.div_ceil(4)).saturating_sub(held);

        match more.min(self.at_once) {
            0 if more == 0 => Allowance::Nothing,
            0 => Allowance::Later,
            pages => Allowance::Pages(pages),
        }
    }
}
