// SPDX-License-Identifier: GPL-2.0

//! Pages that were given back in contexts that may not free them. The refill thread frees them.

use super::{
    Pages,
    Pool, //
};

impl Pool {
    /// Makes the refill thread free pages, which need not come from this pool. Any context but NMI.
    pub(in crate::pool) fn free_later(&self, mut pages: Pages) {
        pages.uncharge();
        self.returning.with(|chain| chain.push(pages));
        // The next round of the refill thread finds the pages.
        self.call_manager();
    }

    /// Returns how many pages wait to be freed by the refill thread. Any context but NMI.
    pub fn returning(&self) -> usize {
        self.returning.with(|chain| chain.len())
    }

    /// Frees the pages that were given back in contexts that may not free them. Contexts: those in
    /// which pages may be freed.
    pub(in crate::pool) fn free_returned(&self) {
        let mut returned = self.returning.with(core::mem::take);
        while let Some(pages) = returned.pop() {
            self.release(pages);
        }
    }
}
