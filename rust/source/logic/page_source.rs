// SPDX-License-Identifier: GPL-2.0

//! The interface of everything that pages come from.

use super::request::Request;

/// Something that pages come from and go back to, usable in the context `C`.
///
/// An implementation names in its bounds on `C` which contexts it is fit for. There is no dynamic
/// dispatch: a chain of sources is a type of its own ([`Fallback`](super::fallback::Fallback)).
pub trait PageSource<C> {
    /// What is handed out: exclusive, so that giving it back is a move.
    type Pages;

    /// Hands out pages, or `None` when there are none for this request.
    fn get(&self, cx: &C, request: &mut Request) -> Option<Self::Pages>;

    /// Takes pages back; `Err` gives them to the caller again when there is no room for them.
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
