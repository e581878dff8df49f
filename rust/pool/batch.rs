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
        context::Context,
        mm::call_site::CallSite, //
    },
    page::{
        AllowedIn,
        Bytes,
        Calls,
        Damaged,
        ExclusivePage,
        ExclusivePages,
        Gfp,
        Guarded,
        Uninit, //
    },
    stats::Recorder, //
};
use core::ops::{
    Deref,
    DerefMut, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The source of the pages of a batch.
#[derive(Clone, Copy)]
pub enum Supply<'a> {
    /// The buddy allocator, with the flags of the batch. If these flags are for functions that
    /// cannot free pages, the refill thread of this pool frees them a moment later. While too many
    /// pages wait for that, requests fail, and the pool counts them.
    Buddy(&'a Pool),
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
    /// Contexts: those in which `G` is allowed, but not NMI. Nothing else is allocated. Each
    /// request is recorded with its outcome and latency. After a failure the next page is still
    /// requested.
    pub fn fill<C: Context>(&mut self, cx: &C, wanted: usize, supply: Supply<'_>)
    where
        G: AllowedIn<C>,
    {
        let room = self.pages.capacity() - self.pages.len();
        self.from_buddy |= matches!(supply, Supply::Buddy(_));

        for _ in 0..wanted.min(room) {
            let asked = self.recorder.request();
            let (page, last_tier) = match supply {
                Supply::Buddy(pool) => {
                    let page = if pool.lets_through::<C, G::Calls>() {
                        ExclusivePage::alloc(cx, self.gfp).ok()
                    } else {
                        None
                    };
                    (page, Tier::Buddy)
                }
                // A batch cannot keep larger blocks, and this context may not be allowed to free
                // them.
                Supply::Pool(pool, _) if pool.config().order != 0 => (None, Tier::Cache),
                Supply::Pool(pool, priority) => {
                    let mut request = Request::new(priority);
                    let pages = pool.get_with(cx, self.gfp, &mut request);
                    // Each request asks the cache first.
                    let last_tier = request.last_tier().unwrap_or(Tier::Cache);
                    (pages.and_then(one_page), last_tier)
                }
            };
            // INVARIANT: A page whose allocation is counted is counted here, too.
            self.counted += u64::from(asked.done(page.is_some(), last_tier as usize));

            if matches!(supply, Supply::Buddy(_)) {
                events::answered_by_buddy::<C, G>(page.as_ref());
            }
            if let Some(mut page) = page {
                page.charge(self.caller);
                // There is capacity for `wanted` pages, so this never fails.
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
    /// Contexts: those of [`Self::fill`].
    ///
    /// Pages that go to the allocator are counted as freed at once, even if the refill thread of
    /// the pool has to free them.
    pub fn clear<C: Context>(&mut self, cx: &C, supply: Supply<'_>)
    where
        G: AllowedIn<C>,
    {
        match self.way_back(supply) {
            Supply::Buddy(_) if G::Calls::FREES => self.free(),
            Supply::Buddy(pool) => {
                events::freed(&self.pages, Held::pfn);
                while let Some(page) = self.pages.pop() {
                    pool.free_later(page.into_pages());
                }
            }
            Supply::Pool(pool, _) => {
                while let Some(page) = self.pages.pop() {
                    pool.put_with(cx, self.gfp, page.into_pages());
                }
            }
        }
        // INVARIANT: No page is left, and those that were counted are now counted as freed.
        self.recorder.freed(core::mem::take(&mut self.counted));
    }

    /// Returns where all pages go if `supply` is the current choice. Pages from the allocator never
    /// go to a pool, because the pool may be for another node.
    fn way_back<'a>(&mut self, supply: Supply<'a>) -> Supply<'a> {
        let (Supply::Buddy(pool) | Supply::Pool(pool, _)) = supply;
        if core::mem::take(&mut self.from_buddy) {
            Supply::Buddy(pool)
        } else {
            supply
        }
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
