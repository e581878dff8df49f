// SPDX-License-Identifier: GPL-2.0

//! The interface of a page source.

use super::{
    request::Request,
    tier::Tier, //
};

/// A source of pages, for calls of the kind `X`.
///
/// The bounds of an implementation on `X` say which calls it supports: in which contexts, and by
/// which functions of the allocator. A chain of sources is a type of its own
/// ([`Fallback`](super::fallback::Fallback)), so there is no dynamic dispatch.
pub(crate) trait PageSource<X> {
    /// The type of the pages. They are exclusive, so giving them back is a move.
    type Pages;

    /// Returns the flags with which the source asks the allocator, 0 if it does not.
    fn gfp() -> u32 {
        0
    }

    /// Hands out pages, or returns `None` if there are none for this request.
    fn get(&self, call: &X, request: &mut Request) -> Option<Self::Pages>;

    /// Takes pages back, and returns the tier that keeps them. The error has the pages if the
    /// source cannot keep them.
    fn put(&self, call: &X, pages: Self::Pages) -> Result<Tier, Self::Pages>;
}
