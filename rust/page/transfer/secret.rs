// SPDX-License-Identifier: GPL-2.0

//! [`Secret`]: pages that are overwritten before another owner gets them.

use super::shared::Shareable;
use crate::{
    ffi::helpers,
    page::transfer::Transfer, //
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

/// Pages whose contents can be overwritten.
pub trait Scrub {
    /// Returns all contents, which are whole pages.
    fn bytes(&mut self) -> &mut [u8];

    /// Returns whether the page with this index has gone bad.
    fn page_is_bad(&self, index: usize) -> bool;
}

/// Pages that hold or held a secret.
///
/// The pages are filled with zeroes when the value is dropped and when they are [taken
/// out](Self::into_inner), by a function that no compiler removes (`memzero_explicit()`). A secret
/// that is leaked (`mem::forget`) keeps its pages and their contents.
///
/// A page that has gone bad is not filled when it is dropped, because access to it may stop the
/// machine. It keeps its contents and goes out of use, so no other owner gets it.
///
/// A secret can be shared: the last reader scrubs it.
///
/// Contexts: those of the pages. Scrubbing takes as long as zeroing.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::{context::Task, ExclusivePage, GfpKernel, Secret};
/// # fn example(cx: &Task, material: [u8; 32]) -> Result {
/// let mut key = Secret::new(ExclusivePage::alloc(cx, GfpKernel)?.zeroed());
/// key[..32].copy_from_slice(&material);
/// let blank = key.into_inner(); // nothing of the material is in there
/// # Ok(())
/// # }
/// ```
///
/// C header: [`include/linux/string.h`](srctree/include/linux/string.h)
pub struct Secret<P: Scrub>(P);

impl<P: Scrub> Secret<P> {
    /// Makes pages a secret, with the contents that they have.
    pub fn new(pages: P) -> Self {
        let begun = Transfer::Conceal.begin();
        let secret = Self(pages);
        begun.done(true);
        secret
    }

    /// Scrubs the pages and returns them.
    pub fn into_inner(self) -> P {
        let mut this = ManuallyDrop::new(self);
        // The caller uses the pages further, including the bad ones.
        this.scrub(|_, _| true);
        // SAFETY: The pages are moved out of a value that is neither used nor dropped any more.
        unsafe { ptr::read(&this.0) }
    }

    /// Fills the pages that `wanted` accepts with zeroes.
    fn scrub(&mut self, wanted: impl Fn(&P, usize) -> bool) {
        let begun = Transfer::Scrub.begin();
        let count = self.0.bytes().len() / PAGE_SIZE;
        for index in 0..count {
            if !wanted(&self.0, index) {
                continue;
            }
            let bytes = &mut self.0.bytes()[index * PAGE_SIZE..][..PAGE_SIZE];
            // SAFETY: `bytes` is borrowed mutably and has this length; zeroes are valid bytes.
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
