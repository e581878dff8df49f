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
use kernel::prelude::*;

/// The pool's own numbers cover this tier.
pub(super) static ROWS: [Row<Pool>; 0] = [];

/// The buddy allocator, for one shape and one choice of node, without excluded memory.
///
/// Contexts: those in which the functions of the [`Call`] are allowed.
pub(in crate::pool) struct Buddy {
    shape: CheckedShape,
    place: Place,
    exclusion: Exclusion,
}

impl Buddy {
    /// Makes the tier, without pages. Task context only, may sleep.
    pub(super) fn new(config: &PoolConfig) -> impl PinInit<Self, Error> {
        Self::for_pool(config)
    }

    /// Makes the source for the shape, place and excluded memory of a pool. Fails with `ERANGE` for
    /// an order above [`MAX_ORDER`](crate::page::MAX_ORDER).
    pub(super) fn for_pool(config: &PoolConfig) -> Result<Self> {
        Ok(Self {
            shape: CheckedShape::of(&config.shape()).ok_or(ERANGE)?,
            place: config.place,
            exclusion: Exclusion::new(config.excluded),
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
        if bad_memory::known() {
            return self.ask_for_good(call, gfp);
        }
        self.exclusion.first(|| self.alloc(call.cx, gfp))
    }

    #[cold]
    #[inline(never)]
    fn ask_for_good<C: Context, M: CalledIn<C>>(
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
        if self.shape.order() == 0 && self.place == Place::Any && self.exclusion.is_open() {
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
