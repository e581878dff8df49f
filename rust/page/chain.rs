// SPDX-License-Identifier: GPL-2.0

//! [`Chain`].

use super::{
    exclusive::Uninit,
    pages::{
        ExclusivePages,
        Tagged, //
    }, //
};
use crate::ffi::helpers;

/// Linked pages, which need no memory but their own `struct page`s.
///
/// Neither [`Self::push`] nor [`Self::pop`] allocates or frees, and there is no limit: a chain
/// keeps pages where nothing may be freed. Any context. The contents are not touched, as the memory
/// may have gone bad.
///
/// # Invariants
///
/// Each link is one `ExclusivePages`. `private` of its first page is the tagged address of the next
/// link, or 0 in the last. The chain starts at `first`, owns all links, and has `len` of them.
pub struct Chain {
    first: Option<ExclusivePages<Uninit>>,
    len: usize,
}

impl Chain {
    /// Makes an empty chain.
    pub const fn new() -> Self {
        // INVARIANT: There are no pages.
        Self {
            first: None,
            len: 0,
        }
    }

    /// Puts pages in front of all others.
    pub fn push(&mut self, pages: ExclusivePages<Uninit>) {
        let next = self.first.take().map(ExclusivePages::into_tagged);
        let link = next.map_or(0, |next| next.as_ptr().expose_provenance());

        // SAFETY: An allocated page, whose word `private` is its owner's, which we are.
        unsafe { helpers::labyrinth_page_set_link(pages.page(), link) };
        // INVARIANT: The new first page has the address of the old one, which the chain still owns
        // although no value stands for it any more.
        self.first = Some(pages);
        self.len += 1;
    }

    /// Takes the first pages, if there are any.
    pub fn pop(&mut self) -> Option<ExclusivePages<Uninit>> {
        let first = self.first.take()?;

        // SAFETY: An allocated page.
        let link = unsafe { helpers::labyrinth_page_link(first.page()) };
        let next = Tagged::new(core::ptr::with_exposed_provenance_mut(link));
        // SAFETY: As in `push`.
        unsafe { helpers::labyrinth_page_set_link(first.page(), 0) };
        // INVARIANT: The second pages are the first now.
        // SAFETY: By the invariant the chain owns these pages, and only this address of them is left.
        self.first = next.map(|tagged| unsafe { ExclusivePages::from_tagged(tagged) });
        self.len -= 1;
        Some(first)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Chain {
    /// Frees the pages, in any context that may.
    fn drop(&mut self) {
        while let Some(pages) = self.pop() {
            drop(pages);
        }
    }
}
