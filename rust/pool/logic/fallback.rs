// SPDX-License-Identifier: GPL-2.0

//! Two sources, asked one after the other.

use super::{
    page_source::PageSource,
    request::Request, //
};

/// Asks the first source and, if it has no pages, the second. Nesting makes chains of any length.
pub(crate) struct Fallback<A, B>(pub(crate) A, pub(crate) B);

impl<C, A, B> PageSource<C> for Fallback<A, B>
where
    A: PageSource<C>,
    B: PageSource<C, Pages = A::Pages>,
{
    type Pages = A::Pages;

    #[inline(always)]
    fn get(&self, cx: &C, request: &mut Request) -> Option<Self::Pages> {
        match self.0.get(cx, request) {
            None => self.1.get(cx, request),
            pages => pages,
        }
    }

    #[inline(always)]
    fn put(&self, cx: &C, pages: Self::Pages) -> Result<(), Self::Pages> {
        match self.0.put(cx, pages) {
            Err(pages) => self.1.put(cx, pages),
            Ok(()) => Ok(()),
        }
    }
}
