// SPDX-License-Identifier: GPL-2.0

//! A cache of mapped pages: [`Stash`].

use super::{
    direction::Direction,
    mapped::Mapped, //
};
use crate::ffi::{
    context::MaySleep,
    mm::dma::DmaDevice, //
};
use kernel::prelude::*;

/// Pages that stay mapped for a device from one use to the next.
///
/// Taking pages and giving them back neither maps nor allocates, so both can be done with a
/// [`RawSpinLock`](crate::ffi::sync::spin_lock::RawSpinLock) held. A page contains what its last
/// user in this driver has left there.
///
/// # Invariants
///
/// All `pages` are mapped for `device`.
pub struct Stash<'d, D: Direction> {
    device: DmaDevice<'d>,
    pages: KVec<Mapped<'d, D>>,
}

impl<'d, D: Direction> Stash<'d, D> {
    /// Makes an empty stash for up to `capacity` pages (or blocks of pages) of `device`. Task
    /// context only, may sleep. Fails with `ENOMEM` if there is no memory.
    pub fn new<C: MaySleep>(_cx: &C, device: DmaDevice<'d>, capacity: usize) -> Result<Self> {
        // INVARIANT: There are no pages.
        Ok(Self {
            device,
            pages: KVec::with_capacity(capacity, GFP_KERNEL)?,
        })
    }

    /// Takes the pages that were given back last. Any context.
    ///
    /// Pages that have gone bad cannot be freed here. They stay until the stash is dropped.
    pub fn take(&mut self) -> Option<Mapped<'d, D>> {
        let good = self.pages.iter().rposition(|pages| !pages.is_bad())?;
        let last = self.pages.len() - 1;
        self.pages.swap(good, last);
        self.pages.pop()
    }

    /// Gives pages back. The error has the pages if the stash is full or belongs to another device,
    /// or if they have gone bad. Any context, but pages in the error may be dropped only where
    /// [`Mapped`] allows it. Dropping bad pages takes them out of use.
    pub fn give_back(&mut self, pages: Mapped<'d, D>) -> Result<(), Mapped<'d, D>> {
        if !self.device.is(pages.device()) || pages.is_bad() {
            return Err(pages);
        }
        // INVARIANT: The pages are mapped for this device, as was just checked.
        self.pages
            .push_within_capacity(pages)
            .map_err(|refused| refused.0)
    }
}
