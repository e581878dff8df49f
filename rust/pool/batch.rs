// SPDX-License-Identifier: GPL-2.0

//! Batches of pages whose requests and frees are all counted.

use super::{
    events,
    Pool,
    Priority,
    Request,
    Tier, //
};
use crate::{
    ffi::{
        context::{
            Context,
            PlainAlloc, //
        },
        mm::call_site::CallSite, //
    },
    page::{
        AllowedIn,
        Bytes,
        Damaged,
        ExclusivePage,
        ExclusivePages,
        Gfp,
        GfpNoLock,
        Guarded,
        Uninit, //
    },
    stats::{
        Recorder,
        SOURCES, //
    }, //
};
use core::ops::{
    Deref,
    DerefMut, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

// Latencies are told apart by the tier that was asked last.
const _: () = assert!(Tier::COUNT == SOURCES);

/// Where the pages of a batch come from.
#[derive(Clone, Copy)]
pub enum Supply<'a> {
    /// The buddy allocator, with the flags of the batch.
    Buddy,
    /// A pool of order 0, which uses its own flags. Requests have this priority.
    Pool(&'a Pool, Priority),
}

/// A page of a batch, with guards or without.
pub enum Held {
    /// Without guards.
    Plain(ExclusivePage<Bytes>),
    /// With guards around its contents.
    Guarded(Guarded),
}

impl Held {
    fn pfn(&self) -> usize {
        match self {
            Self::Plain(page) => page.pfn(),
            Self::Guarded(page) => page.pfn(),
        }
    }

    /// Returns the page without its guards. Damaged guards have been reported by then.
    fn into_pages(self) -> ExclusivePages<Uninit> {
        match self {
            Self::Plain(page) => page.into_uninit().into(),
            Self::Guarded(page) => {
                let (Ok(pages) | Err(Damaged { pages, .. })) = page.open();
                pages.into_uninit()
            }
        }
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Plain(page) => &page[..],
            Self::Guarded(page) => page,
        }
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Plain(page) => &mut page[..],
            Self::Guarded(page) => page,
        }
    }
}

/// Pages that were allocated together and are freed together.
///
/// # Invariants
///
/// `counted` is the number of pages that the recorder counted as allocated and not yet as freed.
pub struct Batch<G> {
    pages: KVVec<Held>,
    guarded: bool,
    /// Whether any page came from the allocator. If so, none of the pages goes to a pool.
    from_buddy: bool,
    counted: u64,
    recorder: Recorder,
    gfp: G,
    caller: CallSite,
}

impl<G: Gfp> Batch<G> {
    /// Makes an empty batch for up to `capacity` pages, which will be charged to `caller`. Task
    /// context only, may sleep.
    pub fn new(
        capacity: usize,
        gfp: G,
        recorder: Recorder,
        caller: CallSite,
    ) -> Result<Self, AllocError> {
        // INVARIANT: There are no pages yet.
        Ok(Self {
            pages: KVVec::with_capacity(capacity, GFP_KERNEL)?,
            guarded: false,
            from_buddy: false,
            counted: 0,
            recorder,
            gfp,
            caller,
        })
    }

    /// Sets whether pages that are requested from now on get guards. Any context.
    pub fn set_guarded(&mut self, guarded: bool) {
        self.guarded = guarded;
    }

    /// Asks `supply` for `wanted` pages, one by one, and zeroes those that it gets. Asks for no
    /// more than fit into the batch.
    ///
    /// Contexts: those in which `G` and `GFP_ATOMIC` are allowed. Nothing else is allocated. Each
    /// request is recorded with its outcome and latency. After a failure the next page is still
    /// requested.
    pub fn fill<C: PlainAlloc>(&mut self, cx: &C, wanted: usize, supply: Supply<'_>)
    where
        G: AllowedIn<C>,
    {
        let gfp = self.gfp;
        self.fill_by(
            cx,
            wanted,
            supply,
            || ExclusivePage::alloc(cx, gfp).ok(),
            |pool, request| pool.get(cx, request),
        );
    }

    fn fill_by<C: Context>(
        &mut self,
        cx: &C,
        wanted: usize,
        supply: Supply<'_>,
        from_buddy: impl Fn() -> Option<ExclusivePage<Uninit>>,
        from_pool: impl Fn(&Pool, &mut Request) -> Option<ExclusivePages<Uninit>>,
    ) {
        let space = self.pages.capacity() - self.pages.len();
        self.from_buddy |= matches!(supply, Supply::Buddy);

        for _ in 0..wanted.min(space) {
            let asked = self.recorder.request();
            let (page, last_tier) = match supply {
                Supply::Buddy => (from_buddy(), Tier::Buddy),
                // A larger block could not be kept, and this may be no place to free it.
                Supply::Pool(pool, _) if pool.config().order != 0 => (None, Tier::Cache),
                Supply::Pool(pool, priority) => {
                    let mut request = Request::new(priority);
                    let pages = from_pool(pool, &mut request);
                    // Every request is in the cache first.
                    let last_tier = request.last_tier().unwrap_or(Tier::Cache);
                    (pages.and_then(one_page), last_tier)
                }
            };
            // INVARIANT: A page whose allocation is counted is counted here, too.
            self.counted += u64::from(asked.done(page.is_some(), last_tier as usize));

            if matches!(supply, Supply::Buddy) {
                events::answered_by_buddy::<C, G>(page.as_ref());
            }
            if let Some(mut page) = page {
                page.charge(self.caller);
                // There is space, so this cannot fail; if it did the page would be freed.
                let _ = self.pages.push_within_capacity(if self.guarded {
                    Held::Guarded(Guarded::new(cx, page.zeroed().into()))
                } else {
                    Held::Plain(page.zeroed())
                });
            }
        }
    }

    /// Returns the pages. Any context.
    pub fn pages(&self) -> &[Held] {
        &self.pages
    }

    /// Returns the pages for writing. Any context.
    pub fn pages_mut(&mut self) -> &mut [Held] {
        &mut self.pages
    }

    /// Gives all pages back to `supply`, or to the allocator if any of them came from there.
    /// Contexts: those in which an [`ExclusivePage`] may be dropped.
    pub fn clear<C: PlainAlloc>(&mut self, cx: &C, supply: Supply<'_>) {
        match self.way_back(supply) {
            Supply::Buddy => self.free(),
            Supply::Pool(pool, _) => {
                while let Some(page) = self.pages.pop() {
                    pool.put(cx, page.into_pages());
                }
            }
        }
        // INVARIANT: No page is left, and those that were counted are now counted as freed.
        self.recorder.freed(core::mem::take(&mut self.counted));
    }

    /// Returns where all pages go, if `supply` is the current choice. A pool chosen for the next
    /// cycle does not get pages that it never had, because they may come from a node that is not
    /// for this pool.
    fn way_back<'a>(&mut self, supply: Supply<'a>) -> Supply<'a> {
        if core::mem::take(&mut self.from_buddy) {
            Supply::Buddy
        } else {
            supply
        }
    }
}

impl Batch<GfpNoLock> {
    /// As [`Self::fill`], in any context but NMI. Pages come from `alloc_pages_nolock()`, or from
    /// the tiers of a pool that take no lock of the allocator.
    pub fn fill_nolock<C: Context>(&mut self, cx: &C, wanted: usize, supply: Supply<'_>) {
        self.fill_by(
            cx,
            wanted,
            supply,
            || {
                let pages = ExclusivePages::alloc_nolock(cx, None).ok()?;
                one_page(pages)
            },
            |pool, request| pool.get_nolock(cx, request),
        );
    }

    /// As [`Self::clear`], in any context but NMI. Pages that go to the allocator are counted as
    /// freed at once. The refill thread of `pool` frees them a moment later.
    pub fn clear_nolock<C: Context>(&mut self, cx: &C, pool: &Pool, supply: Supply<'_>) {
        let supply = self.way_back(supply);
        if matches!(supply, Supply::Buddy) {
            events::freed(&self.pages, Held::pfn);
        }
        while let Some(page) = self.pages.pop() {
            let pages = page.into_pages();
            match supply {
                Supply::Buddy => pool.free_later(pages),
                Supply::Pool(pool, _) => pool.put_nolock(cx, pages),
            }
        }
        // INVARIANT: No page is left, and those that were counted are now counted as freed.
        self.recorder.freed(core::mem::take(&mut self.counted));
    }
}

impl<G> Batch<G> {
    fn free(&mut self) {
        events::freed(&self.pages, Held::pfn);
        self.pages.clear();
    }
}

impl<G> Drop for Batch<G> {
    fn drop(&mut self) {
        self.free();
        self.recorder.freed(self.counted);
    }
}

/// Returns the only page of an allocation of order 0.
fn one_page(pages: ExclusivePages<Uninit>) -> Option<ExclusivePage<Uninit>> {
    pages.try_into().ok()
}
