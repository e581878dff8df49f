// SPDX-License-Identifier: GPL-2.0

//! The buddy allocator itself, with one set of flags.

use super::contestant::Contestant;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};
use labyrinth::{
    context::Context,
    AllowedIn,
    ExclusivePage,
    Uninit, //
};

/// `alloc_pages()` with the flags `G`.
pub(super) struct Plain<G> {
    pages: KVVec<ExclusivePage<Uninit>>,
    gfp: G,
}

impl<G> Plain<G> {
    /// Makes a contestant that can hold up to `most` pages. Task context only, may sleep.
    pub(super) fn new(gfp: G, most: usize) -> Result<Self, AllocError> {
        Ok(Self {
            pages: KVVec::with_capacity(most, GFP_KERNEL)?,
            gfp,
        })
    }
}

impl<C: Context, G: AllowedIn<C> + Send + 'static> Contestant<C> for Plain<G> {
    #[inline]
    fn take(&mut self, cx: &C) -> bool {
        ExclusivePage::alloc(cx, self.gfp)
            .is_ok_and(|page| self.pages.push_within_capacity(page).is_ok())
    }

    fn release_all(&mut self, _cx: &C) {
        self.pages.clear();
    }
}
