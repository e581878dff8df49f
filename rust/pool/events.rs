// SPDX-License-Identifier: GPL-2.0

//! Reports requests and pages to the tracepoints.

use super::logic::{
    request::Request,
    sizing::Resize,
    tier::Tier, //
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
        Uninit, //
    }, //
};
use kernel::prelude::*;

/// The name of the pool in events of pages that belong to no pool, and the name of the tier in
/// events without pages.
const NONE: &CStr = c"none";

/// Returns whether the tracepoint for answered requests is enabled.
#[inline(always)]
pub(super) fn answered_listened_to() -> bool {
    trace::page_alloc_listened_to()
}

/// Reports that a pool has answered a request. The pages came from the tier that was asked last.
/// `gfp` returns the flags that the request used with a tier.
#[inline(always)]
pub(super) fn answered<C: Context>(
    pool: &CStr,
    order: u32,
    request: &Request,
    pages: Option<&ExclusivePages<Uninit>>,
    gfp: impl Fn(Tier) -> u32,
) {
    trace::page_alloc(|| {
        let tier = request.last_tier().filter(|_| pages.is_some());
        PageAlloc {
            pool,
            tier: tier.map_or(NONE, Tier::c_name),
            context: C::KIND,
            order,
            pfn: pages.map_or(0, ExclusivePages::pfn),
            gfp: tier.map_or(0, gfp),
        }
    });
}

/// Reports that the allocator itself has answered a request.
#[inline(always)]
pub(super) fn answered_by_buddy<C: Context, G: Gfp>(page: Option<&ExclusivePage<Uninit>>) {
    trace::page_alloc(|| PageAlloc {
        pool: NONE,
        tier: page.map_or(NONE, |_| Tier::Buddy.c_name()),
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

/// Reports that pages of a pool are given back. If a tier keeps the pages, this event may follow
/// the event of the next request that gets them.
#[inline(always)]
pub(super) fn given_back(pool: &CStr, to: Tier, order: u32, pfn: usize) {
    trace::page_free(|| PageFree {
        pool,
        to: to.c_name(),
        order,
        pfn,
    });
}

/// Reports that pages of no pool are about to be freed.
#[inline(always)]
pub(super) fn freed<'a, T: 'a>(pages: impl IntoIterator<Item = &'a T>, pfn: impl Fn(&T) -> usize) {
    if trace::page_free_listened_to() {
        for page in pages {
            given_back(NONE, Tier::Buddy, 0, pfn(page));
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
            from: from.c_name(),
            to: to.c_name(),
        });
        from = to;
    }
}

/// Reports one fallback for each of the pages that a bulk request did not find in the per-CPU
/// cache.
#[inline(always)]
pub(super) fn missed(pool: &CStr, pages: usize) {
    if trace::fallback_listened_to() {
        for _ in 0..pages {
            trace::fallback(|| trace::Fallback {
                pool,
                from: Tier::Cache.c_name(),
                to: Tier::Buddy.c_name(),
            });
        }
    }
}

/// Reports that a tier was refilled. All numbers count pages of the pool's order.
#[inline(always)]
pub(super) fn refilled(pool: &CStr, tier: Tier, wanted: usize, got: usize, target: usize) {
    trace::refill(|| trace::Refill {
        pool,
        tier: tier.c_name(),
        wanted: wanted as u32,
        got: got as u32,
        target: target as u32,
    });
}

/// Reports a decision about the target of a reserve that sizes itself.
#[inline(always)]
pub(super) fn resized(pool: &CStr, resize: &Resize) {
    trace::resize(|| trace::Resized {
        pool,
        reason: resize.reason.c_name(),
        from: resize.from as u32,
        to: resize.to as u32,
        high_water: u32::try_from(resize.high_water).unwrap_or(u32::MAX),
    });
}
