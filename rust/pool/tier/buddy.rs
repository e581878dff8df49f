// SPDX-License-Identifier: GPL-2.0

//! The buddy allocator as a source of pages.

use crate::{
    ffi::{
        context::Context,
        mm::bad_memory, //
    },
    page::{
        AllowedIn,
        ExclusivePages,
        Gfp,
        Node,
        Place,
        Shape,
        Uninit, //
    },
    pool::{
        exclusion::{
            good,
            Exclusion, //
        },
        logic::{
            excluded::Excluded,
            page_source::PageSource,
            request::{
                Request,
                Tier, //
            }, //
        }, //
    }, //
};

/// The buddy allocator, for one shape, one set of flags and one choice of node, without excluded
/// memory.
///
/// Contexts: those in which the flags are allowed.
pub(crate) struct Buddy<G> {
    gfp: G,
    shape: Shape,
    place: Place,
    exclusion: Exclusion,
    tier: Tier,
}

impl<G: Gfp> Buddy<G> {
    /// Makes the source, which serves as the tier `tier`.
    pub(crate) fn new(gfp: G, shape: Shape, place: Place, excluded: Excluded, tier: Tier) -> Self {
        Self {
            gfp,
            shape,
            place,
            exclusion: Exclusion::new(excluded),
            tier,
        }
    }

    /// Returns how many excluded blocks the allocator offered. Any context.
    pub(in crate::pool) fn excluded_met(&self) -> u64 {
        self.exclusion.met()
    }

    /// Asks for `wanted` pages at once, passes each to `sink` and returns how many there were.
    /// Pages are requested one by one, until the first failure, if memory is excluded or the order is
    /// above 0: the allocator has no bulk interface for such orders.
    pub(crate) fn get_bulk<C: Context>(
        &self,
        cx: &C,
        request: &mut Request,
        wanted: usize,
        mut sink: impl FnMut(ExclusivePages<Uninit>),
    ) -> usize
    where
        G: AllowedIn<C>,
    {
        request.enter(self.tier);
        if self.shape.order == 0 && self.place == Place::Any && self.exclusion.is_open() {
            let mut got = 0;
            ExclusivePages::alloc_bulk(cx, self.gfp, wanted, |pages| {
                // As `good` does.
                if !pages.is_known_bad() {
                    sink(pages);
                    got += 1;
                }
            });
            return got;
        }
        for got in 0..wanted {
            let Some(pages) = self.get(cx, request) else {
                return got;
            };
            sink(pages);
        }
        wanted
    }
}

impl<G: Gfp> Buddy<G> {
    #[inline(always)]
    fn ask<C: Context>(&self, cx: &C) -> Option<ExclusivePages<Uninit>>
    where
        G: AllowedIn<C>,
    {
        ExclusivePages::alloc(cx, self.gfp, self.shape, self.place).ok()
    }

    #[cold]
    #[inline(never)]
    fn get_good<C: Context>(&self, cx: &C) -> Option<ExclusivePages<Uninit>>
    where
        G: AllowedIn<C>,
    {
        self.exclusion.first(|| good(|| self.ask(cx)))
    }
}

impl<C: Context, G: AllowedIn<C>> PageSource<C> for Buddy<G> {
    type Pages = ExclusivePages<Uninit>;

    #[inline]
    fn get(&self, cx: &C, request: &mut Request) -> Option<Self::Pages> {
        request.enter(self.tier);
        if bad_memory::known() {
            return self.get_good(cx);
        }
        self.exclusion.first(|| self.ask(cx))
    }

    /// Frees the pages. Never fails.
    #[inline]
    fn put(&self, _cx: &C, pages: Self::Pages) -> Result<(), Self::Pages> {
        drop(pages);
        Ok(())
    }
}

/// The buddy allocator without a lock (`alloc_pages_nolock()`), order 0 only, for every context.
pub(crate) struct BuddyNoLock {
    near: Option<Node>,
    tier: Tier,
}

impl BuddyNoLock {
    /// Makes the source, which serves as the tier `tier`. `None` for an order above 0 and for a
    /// single allowed node, which the lockless allocator does not support.
    pub(crate) fn new(shape: Shape, place: Place, tier: Tier) -> Option<Self> {
        let near = match place {
            Place::Any => None,
            Place::Near(node) => Some(node),
            Place::Only(_) => return None,
        };
        (shape.order == 0).then_some(Self { near, tier })
    }
}

impl<C: Context> PageSource<C> for BuddyNoLock {
    type Pages = ExclusivePages<Uninit>;

    fn get(&self, cx: &C, request: &mut Request) -> Option<Self::Pages> {
        request.enter(self.tier);
        ExclusivePages::alloc_nolock(cx, self.near).ok()
    }

    /// Takes nothing back: the function that frees without a lock is not exported to modules.
    fn put(&self, _cx: &C, pages: Self::Pages) -> Result<(), Self::Pages> {
        Err(pages)
    }
}
