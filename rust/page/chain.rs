// SPDX-License-Identifier: GPL-2.0

//! [`Chain`].

use super::{
    exclusive::Uninit,
    pages::{
        ExclusivePages,
        Tagged, //
    }, //
};

/// Pages one behind the other, kept in no other memory than their own.
///
/// Neither [`Self::push`] nor [`Self::pop`] allocates or frees, and there is no limit: this is for
/// keeping pages where nothing may be freed. Any context; the contents are overwritten.
///
/// # Invariants
///
/// The contents of each page, from `first` on, begin with the tagged address of the next one, which
/// is `None` in the last. All of them are owned by the chain. There are `len` of them.
pub(crate) struct Chain {
    first: Option<ExclusivePages<Uninit>>,
    len: usize,
}

impl Chain {
    /// Makes an empty chain.
    pub(crate) const fn new() -> Self {
        // INVARIANT: There are no pages.
        Self {
            first: None,
            len: 0,
        }
    }

    /// Puts pages in front of all others.
    pub(crate) fn push(&mut self, pages: ExclusivePages<Uninit>) {
        let next = self.first.take().map(ExclusivePages::into_tagged);

        // SAFETY: The contents are ours alone; a page is large enough for an address, and aligned.
        unsafe { pages.contents().cast::<Option<Tagged>>().write(next) };
        // INVARIANT: The contents of the new first page begin with what was the first, which is
        // owned by the chain though no value stands for it any more.
        self.first = Some(pages);
        self.len += 1;
    }

    /// Takes the first pages, if there are any.
    pub(crate) fn pop(&mut self) -> Option<ExclusivePages<Uninit>> {
        let first = self.first.take()?;

        // SAFETY: By the invariant the contents begin with this, and they are ours alone.
        let next = unsafe { first.contents().cast::<Option<Tagged>>().read() };
        // INVARIANT: The second pages are the first now.
        // SAFETY: By the invariant the chain owns these pages, and only this address of them is left.
        self.first = next.map(|tagged| unsafe { ExclusivePages::from_tagged(tagged) });
        self.len -= 1;
        Some(first)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
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
