// SPDX-License-Identifier: GPL-2.0

//! A bound for the work of one section with bottom halves disabled.

/// The most pages to take or give back in all sections that follow each other without a pause, one
/// on each CPU. Each CPU may wait for the lock while all others have it. With half of this, kswapd
/// of a guest with two CPUs freed pages faster than the squeeze took them.
const AT_ONCE: u64 = 4096;
/// A section may always take or give back so many pages.
const LEAST: u64 = 64;

/// The pages that a section may still take or give back.
///
/// The last block may have more pages than are left, so the bound of a section is the number at its
/// beginning, and one block of the largest order.
pub(super) struct Work {
    left: u64,
}

impl Work {
    /// Returns the work of a section if `cpus` CPUs have sections at the same time.
    pub(super) fn shared_by(cpus: u64) -> Self {
        Self {
            left: (AT_ONCE / cpus.max(1)).max(LEAST),
        }
    }

    /// Counts a block of `pages` pages. Returns false, and counts nothing, if the work is done.
    pub(super) fn begin(&mut self, pages: u64) -> bool {
        let more = self.left > 0;

        self.left = self.left.saturating_sub(pages);
        more
    }
}
