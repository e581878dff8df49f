// SPDX-License-Identifier: GPL-2.0

//! Chains of sources, asked one after the other.

use super::{
    page_source::PageSource,
    request::Request,
    tier::Tier, //
};

/// A source as a tier of a chain. Requests with less than the priority of the tier do not ask it.
pub(crate) struct AsTier<'a, S>(pub(crate) Tier, pub(crate) &'a S);

impl<X, S: PageSource<X>> PageSource<X> for AsTier<'_, S> {
    type Pages = S::Pages;

    #[inline(always)]
    fn get(&self, call: &X, request: &mut Request) -> Option<Self::Pages> {
        if !request.may_use(self.0) {
            return None;
        }
        self.1.get(call, request)
    }

    #[inline(always)]
    fn put(&self, call: &X, pages: Self::Pages) -> Result<Tier, Self::Pages> {
        self.1.put(call, pages)
    }
}

/// Asks the first source and, if it has no pages, the second. Nesting makes chains of any length.
pub(crate) struct Fallback<A, B>(pub(crate) A, pub(crate) B);

impl<X, A, B> PageSource<X> for Fallback<A, B>
where
    A: PageSource<X>,
    B: PageSource<X, Pages = A::Pages>,
{
    type Pages = A::Pages;

    #[inline(always)]
    fn get(&self, call: &X, request: &mut Request) -> Option<Self::Pages> {
        match self.0.get(call, request) {
            None => self.1.get(call, request),
            pages => pages,
        }
    }

    #[inline(always)]
    fn put(&self, call: &X, pages: Self::Pages) -> Result<Tier, Self::Pages> {
        match self.0.put(call, pages) {
            Err(pages) => self.1.put(call, pages),
            kept => kept,
        }
    }
}
