// SPDX-License-Identifier: GPL-2.0

//! Reports requests and pages to the tracepoints.

use super::logic::request::{
    Request,
    Tier, //
};
use crate::{
    ffi::{
        context::Context,
        trace::{
            self,
            PageAlloc,
            PageFree, //
        }, //
    },
    page::{
        ExclusivePage,
        ExclusivePages,
        Gfp,
        GfpAtomic,
        GfpNoLock,
        GfpNoWait,
        NoWarn,
        Uninit, //
    }, //
};
use kernel::{
    bindings,
    prelude::*, //
};

/// The name that is reported for pages of no pool.
const NO_POOL: &CStr = c"none";

impl From<Tier> for trace::Tier {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Cache => Self::Cache,
            Tier::Buddy => Self::Buddy,
            Tier::Reserve => Self::Reserve,
            Tier::Emergency => Self::Emergency,
        }
    }
}

/// Returns whether the tracepoint for answered requests is enabled.
#[inline(always)]
pub(super) fn answered_listened_to() -> bool {
    trace::page_alloc_listened_to()
}

/// Reports that a pool has answered a request. The pages came from the tier that was asked last.
#[inline(always)]
pub(super) fn answered<C: Context>(
    pool: &CStr,
    order: u32,
    request: &Request,
    pages: Option<&ExclusivePages<Uninit>>,
) {
    answered_with::<C>(pool, order, request, pages, gfp_in);
}

/// As [`answered`], for requests that may not enter the allocator.
#[inline(always)]
pub(super) fn answered_nolock<C: Context>(
    pool: &CStr,
    order: u32,
    request: &Request,
    pages: Option<&ExclusivePages<Uninit>>,
) {
    answered_with::<C>(pool, order, request, pages, |_| GfpNoLock::RAW);
}

#[inline(always)]
fn answered_with<C: Context>(
    pool: &CStr,
    order: u32,
    request: &Request,
    pages: Option<&ExclusivePages<Uninit>>,
    gfp_in: impl Fn(Tier) -> bindings::gfp_t,
) {
    trace::page_alloc(|| {
        let tier = request.last_tier().filter(|_| pages.is_some());
        PageAlloc {
            pool,
            source: tier.map_or(trace::Tier::None, Into::into),
            context: C::KIND,
            order,
            pfn: pages.map_or(0, ExclusivePages::pfn),
            gfp: tier.map_or(0, gfp_in),
        }
    });
}

/// Returns the flags that a pool uses with a tier, and none for a tier that is not the allocator.
fn gfp_in(tier: Tier) -> bindings::gfp_t {
    match tier {
        Tier::Cache | Tier::Reserve => 0,
        Tier::Buddy => GfpNoWait::RAW,
        Tier::Emergency => NoWarn::<GfpAtomic>::RAW,
    }
}

/// Reports that the allocator itself has answered a request.
#[inline(always)]
pub(super) fn answered_by_buddy<C: Context, G: Gfp>(page: Option<&ExclusivePage<Uninit>>) {
    trace::page_alloc(|| PageAlloc {
        pool: NO_POOL,
        source: page.map_or(trace::Tier::None, |_| trace::Tier::Buddy),
        context: C::KIND,
        order: 0,
        pfn: page.map_or(0, ExclusivePage::pfn),
        gfp: G::RAW,
    });
}

/// Returns whether a tracepoint for failed requests or for fallbacks is enabled.
#[inline(always)]
pub(super) fn misses_listened_to() -> bool {
    trace::page_alloc_listened_to() || trace::fallback_listened_to()
}

/// Returns whether the tracepoint for pages that are given back is enabled.
#[inline(always)]
pub(super) fn given_back_listened_to() -> bool {
    trace::page_free_listened_to()
}

/// Reports that pages of a pool are given back. Unless they go to the allocator, the event may
/// follow the one of the next request that gets them.
#[inline(always)]
pub(super) fn given_back(pool: &CStr, to: Tier, order: u32, pfn: usize) {
    trace::page_free(|| PageFree {
        pool,
        to: to.into(),
        order,
        pfn,
    });
}

/// Reports that pages of no pool are about to be freed.
#[inline(always)]
pub(super) fn freed<'a, T: 'a>(pages: impl IntoIterator<Item = &'a T>, pfn: impl Fn(&T) -> usize) {
    if trace::page_free_listened_to() {
        for page in pages {
            given_back(NO_POOL, Tier::Buddy, 0, pfn(page));
        }
    }
}

/// Reports each fallback of a request from one tier to the next.
#[inline(always)]
pub(super) fn steps(pool: &CStr, request: &Request) {
    if !trace::fallback_listened_to() {
        return;
    }
    let mut visited = Tier::ALL
        .into_iter()
        .filter(|&tier| request.has_been_to(tier));
    let Some(mut from) = visited.next() else {
        return;
    };
    for to in visited {
        trace::fallback(|| trace::Fallback {
            pool,
            from: from.into(),
            to: to.into(),
        });
        from = to;
    }
}

/// Reports that a bulk request found so many pages too few in the per-CPU cache: as many fallbacks.
#[inline(always)]
pub(super) fn missed(pool: &CStr, pages: usize) {
    if trace::fallback_listened_to() {
        for _ in 0..pages {
            trace::fallback(|| trace::Fallback {
                pool,
                from: trace::Tier::Cache,
                to: trace::Tier::Buddy,
            });
        }
    }
}

/// Reports that a tier was refilled. All numbers count pages of the pool's order.
#[inline(always)]
pub(super) fn refilled(pool: &CStr, tier: Tier, wanted: usize, got: usize, target: usize) {
    trace::refill(|| trace::Refill {
        pool,
        tier: tier.into(),
        wanted: wanted as u32,
        got: got as u32,
        target: target as u32,
    });
}
