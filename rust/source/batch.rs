// SPDX-License-Identifier: GPL-2.0

//! Pages from the buddy allocator, in batches, every one of them counted.

use crate::{
    ffi::context::Context,
    page::{
        AllowedIn,
        Bytes,
        ExclusivePage,
        Gfp, //
    },
    stats::Recorder, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// Pages that were allocated together and are freed together.
///
/// # Invariants
///
/// `counted` is the number of pages that the recorder counted as allocated and not yet as freed.
pub(crate) struct Batch<G> {
    pages: KVVec<ExclusivePage<Bytes>>,
    counted: u64,
    recorder: Recorder,
    gfp: G,
}

impl<G: Gfp> Batch<G> {
    /// Makes an empty batch with room for `capacity` pages. Task context only, may sleep.
    pub(crate) fn new(capacity: usize, gfp: G, recorder: Recorder) -> Result<Self, AllocError> {
        // INVARIANT: There are no pages yet.
        Ok(Self {
            pages: KVVec::with_capacity(capacity, GFP_KERNEL)?,
            counted: 0,
            recorder,
            gfp,
        })
    }

    /// Asks the buddy allocator for `wanted` pages, one by one, and zeroes those that it gets.
    ///
    /// In any context that `G` allows; itself allocates nothing else. Each request is recorded
    /// with its outcome and latency. A failure ends nothing: the next page is asked for all the
    /// same. More than the batch has room for is not asked for.
    pub(crate) fn fill<C: Context>(&mut self, cx: &C, wanted: usize)
    where
        G: AllowedIn<C>,
    {
        let room = self.pages.capacity() - self.pages.len();

        for _ in 0..wanted.min(room) {
            let request = self.recorder.request();
            let page = ExclusivePage::alloc(cx, self.gfp);
            // INVARIANT: A page whose allocation is counted is counted here, too.
            self.counted += u64::from(request.done(page.is_ok()));

            if let Ok(page) = page {
                // There is room, so this cannot fail; if it did the page would be freed.
                let _ = self.pages.push_within_capacity(page.zeroed());
            }
        }
    }

    /// The pages.
    pub(crate) fn pages(&self) -> &[ExclusivePage<Bytes>] {
        &self.pages
    }

    /// The pages, to write to.
    pub(crate) fn pages_mut(&mut self) -> &mut [ExclusivePage<Bytes>] {
        &mut self.pages
    }

    /// Frees all pages. In any context that may free a page, see [`ExclusivePage`].
    pub(crate) fn clear(&mut self) {
        self.pages.clear();
        // INVARIANT: No page is left, and those that were counted are now counted as freed.
        self.recorder.freed(core::mem::take(&mut self.counted));
    }

    /// The planted bug that the check at unload must report.
    #[cfg(labyrinth_plant = "leak")]
    pub(crate) fn leak_one(&mut self) {
        if let Some(page) = self.pages.pop() {
            core::mem::forget(page);
            self.counted = self.counted.saturating_sub(1);
        }
    }

    /// The planted bug that KASAN must report.
    #[cfg(labyrinth_plant = "use_after_free")]
    pub(crate) fn use_one_after_free(&mut self) {
        if let Some(page) = self.pages.pop() {
            page.free_then_read();
        }
    }
}

impl<G> Drop for Batch<G> {
    fn drop(&mut self) {
        self.pages.clear();
        self.recorder.freed(self.counted);
    }
}
