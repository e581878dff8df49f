// SPDX-License-Identifier: GPL-2.0

//! The buddy allocator as a tier.

use super::{
    Pages,
    TierOps, //
};
use crate::{
    ffi::{
        context::Context,
        mm::bad_memory, //
    },
    page::{
        AllowedIn,
        CalledIn,
        Calls,
        CheckedShape,
        ExclusivePages,
        Gfp,
        Place, //
    },
    pool::{
        call::Call,
        exclusion::{
            good,
            Exclusion, //
        },
        logic::{
            page_source::PageSource,
            request::Request,
            tier::Tier, //
        },
        Pool,
        PoolConfig, //
    },
    stats::Row, //
};
use kernel::{
    alloc::{
        Allocator,
        Vec, //
    },
    prelude::*, //
};

/// The pool's own numbers cover this tier.
pub(super) static ROWS: [Row<Pool>; 0] = [];

/// The buddy allocator, for one shape and one choice of node, without excluded memory.
///
/// Contexts: those in which the functions of the [`Call`] are allowed.
pub(in crate::pool) struct Buddy {
    shape: CheckedShape,
    place: Place,
    exclusion: Exclusion,
    /// Whether pages of all nodes will do, and none are excluded.
    any_page: bool,
}

impl Buddy {
    /// Makes the tier, without pages. Task context only, may sleep.
    pub(super) fn new(config: &PoolConfig) -> impl PinInit<Self, Error> {
        Self::for_pool(config)
    }

    /// Makes the source for the shape, place and excluded memory of a pool. Fails with `ERANGE` for
    /// an order above [`MAX_ORDER`](crate::page::MAX_ORDER).
    pub(super) fn for_pool(config: &PoolConfig) -> Result<Self> {
        let exclusion = Exclusion::new(config.excluded);
        Ok(Self {
            shape: CheckedShape::of(&config.shape()).ok_or(ERANGE)?,
            place: config.place,
            any_page: config.place == Place::Any && exclusion.is_open(),
            exclusion,
        })
    }

    /// Returns whether calls by the functions `M` can use this source. If memory is excluded, they
    /// must be able to free the excluded pages that the allocator offers.
    #[inline(always)]
    fn supports<M: Calls>(&self) -> bool {
        M::support(self.shape, self.place) && (M::FREES || self.exclusion.is_open())
    }

    /// Asks the allocator with the flags `gfp`.
    #[inline(always)]
    pub(super) fn ask<C: Context, M: CalledIn<C>>(
        &self,
        call: &Call<'_, C, M>,
        gfp: impl AllowedIn<C>,
    ) -> Option<Pages> {
        if bad_memory::known() || !self.any_page {
            return self.ask_for_some(call, gfp);
        }
        ExclusivePages::alloc_checked(call.cx, gfp, self.shape, Place::Any).ok()
    }

    /// Asks for pages of the chosen node that are neither excluded nor bad.
    #[cold]
    #[inline(never)]
    fn ask_for_some<C: Context, M: CalledIn<C>>(
        &self,
        call: &Call<'_, C, M>,
        gfp: impl AllowedIn<C>,
    ) -> Option<Pages> {
        self.exclusion
            .first(|| good(|| self.alloc(call.cx, gfp), |bad| call.free(bad)))
    }

    #[inline(always)]
    fn alloc<C: Context>(&self, cx: &C, gfp: impl AllowedIn<C>) -> Option<Pages> {
        ExclusivePages::alloc_checked(cx, gfp, self.shape, self.place).ok()
    }

    /// Like [`Self::get_bulk`], but adds the pages to a vector, as many as it has room for.
    pub(in crate::pool) fn get_into<C: Context, M: CalledIn<C>, A: Allocator>(
        &self,
        call: &Call<'_, C, M>,
        request: &mut Request,
        pages: &mut Vec<Pages, A>,
    ) -> usize {
        let wanted = pages.capacity() - pages.len();
        if self.shape.order() == 0 && self.any_page && !bad_memory::known() {
            request.enter(Tier::Buddy);
            return ExclusivePages::alloc_into(call.cx, M::nowait(), wanted, pages);
        }
        self.get_bulk(call, request, wanted, |one| {
            // There is room for as many.
            let _ = pages.push_within_capacity(one);
        })
    }

    /// Asks for `wanted` pages at once, passes each to `sink` and returns how many there were. For
    /// an order above 0, for a node and with excluded memory, the allocator has no bulk interface.
    /// Then pages are requested one by one, until the first failure.
    pub(in crate::pool) fn get_bulk<C: Context, M: CalledIn<C>>(
        &self,
        call: &Call<'_, C, M>,
        request: &mut Request,
        wanted: usize,
        mut sink: impl FnMut(Pages),
    ) -> usize {
        if self.shape.order() == 0 && self.any_page {
            request.enter(Tier::Buddy);
            let mut got = 0;
            ExclusivePages::alloc_bulk(call.cx, M::nowait(), wanted, |pages| {
                // The bulk interface does not use `good`.
                if pages.is_known_bad() {
                    call.free(pages);
                } else {
                    sink(pages);
                    got += 1;
                }
            });
            return got;
        }
        for got in 0..wanted {
            let Some(pages) = self.get(call, request) else {
                return got;
            };
            sink(pages);
        }
        wanted
    }
}

impl TierOps for Buddy {
    fn excluded_met(&self) -> u64 {
        self.exclusion.met()
    }
}

impl<C: Context, M: CalledIn<C>> PageSource<Call<'_, C, M>> for Buddy {
    type Pages = Pages;

    fn gfp() -> u32 {
        M::nowait().raw()
    }

    #[inline]
    fn get(&self, call: &Call<'_, C, M>, request: &mut Request) -> Option<Pages> {
        if !self.supports::<M>() {
            return None;
        }
        request.enter(Tier::Buddy);
        self.ask(call, M::nowait())
    }

    /// Keeps nothing. The pool frees pages that no tier keeps.
    #[inline(always)]
    fn put(&self, _call: &Call<'_, C, M>, pages: Pages) -> Result<Tier, Pages> {
        Err(pages)
    }
}
