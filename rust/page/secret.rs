// SPDX-License-Identifier: GPL-2.0

//! [`Secret`]: pages that are overwritten before anybody else gets them.

use super::shared::Shareable;
use crate::{
    ffi::helpers,
    stats::Handover, //
};
use core::{
    mem::ManuallyDrop,
    ops::{
        Deref,
        DerefMut, //
    },
    ptr, //
};
use kernel::page::PAGE_SIZE;

/// What has contents to overwrite.
pub trait Scrub {
    /// All contents: whole pages.
    fn bytes(&mut self) -> &mut [u8];

    /// Whether the page of this index among the contents has gone bad.
    fn page_is_bad(&self, index: usize) -> bool;
}

/// Pages that hold or held a secret.
///
/// Whichever way they leave this value, dropped or [taken out](Self::into_inner), they are filled with
/// zeroes before, by a function that no compiler takes away (`memzero_explicit()`). A secret that is
/// leaked (`mem::forget`) keeps its contents, and its pages.
///
/// A page that has gone bad when it is dropped is not filled, as access to it may stop the machine.
/// It keeps its contents and goes out of use, so nobody else gets it.
///
/// It can be shared: the last reader scrubs.
///
/// Contexts: those of the pages. Scrubbing takes as long as zeroing them.
///
/// # Examples
///
/// ```ignore
/// let mut key = Secret::new(ExclusivePage::alloc(cx, Kernel)?.zeroed());
/// key[..32].copy_from_slice(&material);
/// let blank = key.into_inner(); // nothing of the material is in there
/// ```
///
/// C header: [`include/linux/string.h`](srctree/include/linux/string.h)
pub struct Secret<P: Scrub>(P);

impl<P: Scrub> Secret<P> {
    /// Makes pages a secret, with the contents that they have.
    pub fn new(pages: P) -> Self {
        let begun = Handover::Conceal.begin();
        let secret = Self(pages);
        begun.done(true);
        secret
    }

    /// Scrubs the pages and gives them away.
    pub fn into_inner(self) -> P {
        let mut this = ManuallyDrop::new(self);
        // The pages go on being used, and bad ones with them.
        this.scrub(|_, _| true);
        // SAFETY: Moved out of a value that is neither used nor dropped any more.
        unsafe { ptr::read(&this.0) }
    }

    /// Fills those pages with zeroes that `wanted` says yes to.
    fn scrub(&mut self, wanted: impl Fn(&P, usize) -> bool) {
        let begun = Handover::Scrub.begin();
        let count = self.0.bytes().len() / PAGE_SIZE;
        for index in 0..count {
            if !wanted(&self.0, index) {
                continue;
            }
            let bytes = &mut self.0.bytes()[index * PAGE_SIZE..][..PAGE_SIZE];
            // SAFETY: So many bytes that are borrowed mutably; zeroes are bytes.
            unsafe { helpers::labyrinth_scrub(bytes.as_mut_ptr().cast(), bytes.len()) };
        }
        begun.done(true);
    }
}

impl<P: Scrub + Shareable> Shareable for Secret<P> {}

impl<P: Scrub + Deref> Deref for Secret<P> {
    type Target = P::Target;

    fn deref(&self) -> &P::Target {
        &self.0
    }
}

impl<P: Scrub + DerefMut> DerefMut for Secret<P> {
    fn deref_mut(&mut self) -> &mut P::Target {
        &mut self.0
    }
}

impl<P: Scrub> Drop for Secret<P> {
    fn drop(&mut self) {
        self.scrub(|pages, index| !pages.page_is_bad(index));
    }
}
