// SPDX-License-Identifier: GPL-2.0

//! A list of pages without a limit: [`Chain`].

use super::{
    exclusive::Uninit,
    pages::{
        ExclusivePages,
        Tagged, //
    }, //
};
use crate::ffi::helpers;

/// A list of pages, linked through their own `struct page`s.
///
/// Neither [`Self::push`] nor [`Self::pop`] allocates or frees, and the length has no limit. So a
/// chain can keep pages in a context where they cannot be freed. Any context. The contents of the
/// pages are not touched, because the memory may have gone bad.
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

    /// Puts pages at the front. Any context.
    pub fn push(&mut self, pages: ExclusivePages<Uninit>) {
        let next = self.first.take().map(ExclusivePages::into_tagged);
        let link = next.map_or(0, |next| next.as_ptr().expose_provenance());

        // SAFETY: An allocated page. Its word `private` belongs to its owner, and we own it.
        unsafe { helpers::labyrinth_page_set_link(pages.page(), link) };
        // INVARIANT: The new first page has the address of the old one. The chain still owns the
        // old one although there is no value for it any more.
        self.first = Some(pages);
        self.len += 1;
    }

    /// Takes the pages at the front, if there are any. Any context.
    pub fn pop(&mut self) -> Option<ExclusivePages<Uninit>> {
        let first = self.first.take()?;

        // SAFETY: An allocated page.
        let link = unsafe { helpers::labyrinth_page_link(first.page()) };
        let next = Tagged::new(core::ptr::with_exposed_provenance_mut(link));
        // SAFETY: As in `push`.
        unsafe { helpers::labyrinth_page_set_link(first.page(), 0) };
        // INVARIANT: The second link becomes the first.
        // SAFETY: By the invariant the chain owns these pages, and only this address of them is
        // left.
        self.first = next.map(|tagged| unsafe { ExclusivePages::from_tagged(tagged) });
        self.len -= 1;
        Some(first)
    }

    /// Returns the number of links. Any context.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no links. Any context.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Chain {
    /// Frees the pages. Contexts: those of [`ExclusivePages`].
    fn drop(&mut self) {
        while let Some(pages) = self.pop() {
            drop(pages);
        }
    }
}
