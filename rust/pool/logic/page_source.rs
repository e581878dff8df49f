// SPDX-License-Identifier: GPL-2.0

//! The interface of all sources of pages.

use super::request::Request;

/// A source of pages, for use in the context `C`.
///
/// The bounds of an implementation on `C` say which contexts it supports. There is no dynamic
/// dispatch: a chain of sources is a type of its own ([`Fallback`](super::fallback::Fallback)).
pub(crate) trait PageSource<C> {
    /// The type of the pages, which are exclusive, so that giving them back is a move.
    type Pages;

    /// Hands out pages, or returns `None` if there are none for this request.
    fn get(&self, cx: &C, request: &mut Request) -> Option<Self::Pages>;

    /// Takes pages back. The error has the pages if the source cannot keep them.
    fn put(&self, cx: &C, pages: Self::Pages) -> Result<(), Self::Pages>;
}

impl<C, S: PageSource<C>> PageSource<C> for &S {
    type Pages = S::Pages;

    #[inline(always)]
    fn get(&self, cx: &C, request: &mut Request) -> Option<Self::Pages> {
        S::get(self, cx, request)
    }

    #[inline(always)]
    fn put(&self, cx: &C, pages: Self::Pages) -> Result<(), Self::Pages> {
        S::put(self, cx, pages)
    }
}
