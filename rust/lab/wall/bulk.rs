// SPDX-License-Identifier: GPL-2.0

//! The buddy allocator with requests for many pages at once.

use super::contestant::Contestant;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};
use labyrinth::{
    context::PlainAlloc,
    ExclusivePages,
    GfpAtomic,
    NoWarn,
    Uninit, //
};

/// The number of pages in one call.
const PORTION: usize = 64;

/// `alloc_pages_bulk()` with `GFP_ATOMIC`, a portion at a time, as a driver fills its ring.
pub(super) struct Bulk {
    /// At the end are the pages of the last portion that were not requested yet.
    pages: KVVec<ExclusivePages<Uninit>>,
    taken: usize,
}

impl Bulk {
    /// Makes a contestant that can hold up to `most` pages. Task context only, may sleep.
    pub(super) fn new(most: usize) -> Result<Self, AllocError> {
        Ok(Self {
            pages: KVVec::with_capacity(most.next_multiple_of(PORTION), GFP_KERNEL)?,
            taken: 0,
        })
    }
}

impl<C: PlainAlloc> Contestant<C> for Bulk {
    #[inline]
    fn take(&mut self, cx: &C) -> bool {
        if self.taken == self.pages.len() {
            let pages = &mut self.pages;
            let wanted = PORTION.min(pages.capacity() - pages.len());
            ExclusivePages::alloc_bulk(cx, NoWarn(GfpAtomic), wanted, |page| {
                // There is space, so this cannot fail. If it did, the page would be freed.
                let _ = pages.push_within_capacity(page);
            });
        }
        let served = self.taken < self.pages.len();
        self.taken += usize::from(served);
        served
    }

    fn release_all(&mut self, _cx: &C) {
        self.pages.clear();
        self.taken = 0;
    }
}
