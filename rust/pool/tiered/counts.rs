// SPDX-License-Identifier: GPL-2.0

//! The counters of a pool, except those of its caches.

use super::Pool;
use crate::{
    ffi::{
        context::Kind,
        percpu::counters::CpuCounters, //
    },
    pool::logic::{
        request::Request,
        tier::Tier, //
    },
    stats::{
        label,
        Label,
        Row, //
    }, //
};
use kernel::alloc::AllocError;

/// The contexts that requests come from.
pub(in crate::pool) const CONTEXT: Label = label!("context", Kind);

pub(super) static ROWS: [Row<Pool>; 4] = [
    Row::counter(
        "pool_requests",
        "Requests that a tier of a pool was asked for.",
        &[
            CONTEXT,
            label!("tier", Tier),
            Label::new("outcome", &["hit", "miss"]),
        ],
        |pool, [context, tier, outcome]| {
            let (context, tier) = (Kind::ALL[context], Tier::ALL[tier]);
            match outcome {
                0 => pool.served(context, tier),
                _ => pool.missed(context, tier),
            }
        },
    ),
    Row::counter(
        "pool_failures",
        "Requests that no tier of a pool could serve.",
        &[CONTEXT],
        |pool, [context, ..]| pool.counts.sum(Index::Failed(Kind::ALL[context])),
    ),
    Row::counter(
        "pool_held_back",
        "Requests that did not ask the allocator, because too many pages wait to be freed.",
        &[CONTEXT],
        |pool, [context, ..]| pool.counts.sum(Index::HeldBack(Kind::ALL[context])),
    ),
    Row::counter(
        "pool_released",
        "Pages that went back to the allocator, cache and reserve being full.",
        &[CONTEXT],
        |pool, [context, ..]| pool.counts.sum(Index::Released(Kind::ALL[context])),
    ),
];

/// All counters.
pub(in crate::pool) struct Counts(CpuCounters<{ Index::COUNT }>);

/// A counter of a pool.
#[derive(Clone, Copy)]
enum Index {
    /// Requests that a tier could not serve.
    Missed(Kind, Tier),
    /// Requests that a tier served. Neither this nor `Missed` is the difference of other counters:
    /// a difference could decrease from one read to the next.
    Served(Kind, Tier),
    /// Pages that a tier took back.
    Kept(Kind, Tier),
    /// Requests that no tier served.
    Failed(Kind),
    /// Requests that did not ask the allocator, because too many pages wait to be freed.
    HeldBack(Kind),
    /// Pages that went back to the allocator.
    Released(Kind),
    /// Pages filled into a tier ahead of requests.
    Filled(Tier),
    /// 1 if a request of this CPU found its cache empty since the last refill.
    Hungry,
}

impl Index {
    const PAIRS: usize = Kind::COUNT * Tier::COUNT;
    const COUNT: usize = Self::Hungry.index() + 1;

    /// Returns the index of the counter.
    #[inline(always)]
    const fn index(self) -> usize {
        #[inline(always)]
        const fn pair(kind: Kind, tier: Tier) -> usize {
            kind as usize * Tier::COUNT + tier as usize
        }
        let of_kinds = 3 * Self::PAIRS;
        let of_tiers = of_kinds + 3 * Kind::COUNT;
        match self {
            Self::Missed(kind, tier) => pair(kind, tier),
            Self::Served(kind, tier) => Self::PAIRS + pair(kind, tier),
            Self::Kept(kind, tier) => 2 * Self::PAIRS + pair(kind, tier),
            Self::Failed(kind) => of_kinds + kind as usize,
            Self::Released(kind) => of_kinds + Kind::COUNT + kind as usize,
            Self::HeldBack(kind) => of_kinds + 2 * Kind::COUNT + kind as usize,
            Self::Filled(tier) => of_tiers + tier as usize,
            Self::Hungry => of_tiers + Tier::COUNT,
        }
    }
}

impl Counts {
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self(CpuCounters::new()?))
    }

    #[inline(always)]
    fn add(&self, counter: Index, n: usize) {
        self.0.add(counter.index(), n as u64);
    }

    fn sum(&self, counter: Index) -> u64 {
        self.0.sum(counter.index())
    }

    /// Counts `requests` requests with the path and the outcome of `request`, which its CPU's cache
    /// could not serve. Any context.
    #[inline]
    pub(super) fn path(&self, context: Kind, request: &Request, served: bool, requests: usize) {
        let served_by = request.last_tier().filter(|_| served);

        for tier in Tier::ALL {
            if request.has_been_to(tier) && served_by != Some(tier) {
                self.add(Index::Missed(context, tier), requests);
            }
        }
        match served_by {
            Some(tier) => self.add(Index::Served(context, tier), requests),
            None => self.add(Index::Failed(context), requests),
        }
    }

    /// Counts a request that its CPU's cache could not serve, and the tier after the cache did. Any
    /// context.
    #[inline(always)]
    pub(super) fn served_second(&self, context: Kind) {
        self.add(Index::Missed(context, Tier::Cache), 1);
        self.add(Index::Served(context, Tier::SECOND), 1);
    }

    /// Counts the pages that one call did not find in its CPU's cache.
    #[inline]
    pub(super) fn bulk_missed(&self, context: Kind, pages: usize) {
        self.add(Index::Missed(context, Tier::Cache), pages);
    }

    /// Notes that this CPU's cache is empty. Returns whether that was news. Any context.
    #[inline(always)]
    pub(super) fn hungry(&self) -> bool {
        self.0.all().raise::<{ Index::Hungry.index() }>(1)
    }

    /// Counts the pages that a tier served in one call.
    #[inline]
    pub(super) fn bulk(&self, context: Kind, tier: Tier, pages: usize) {
        self.add(Index::Served(context, tier), pages);
    }

    /// Counts a page that a tier took back.
    #[inline]
    pub(super) fn kept_by(&self, context: Kind, tier: Tier) {
        self.add(Index::Kept(context, tier), 1);
    }

    /// Counts pages that went back to the allocator.
    #[inline]
    pub(super) fn release(&self, context: Kind, pages: usize) {
        self.add(Index::Released(context), pages);
    }

    /// Counts a request that did not ask the allocator, because too many pages wait to be freed.
    /// Any context.
    #[cold]
    pub(super) fn hold_back(&self, context: Kind) {
        self.add(Index::HeldBack(context), 1);
    }

    /// Counts a page that was filled into a tier ahead of requests.
    pub(in crate::pool) fn filled_into(&self, tier: Tier) {
        self.add(Index::Filled(tier), 1);
    }

    /// Returns whether requests of `cpu` found its cache empty since the last call.
    pub(in crate::pool) fn take_hunger(&self, cpu: u32) -> bool {
        let hungry = self.0.of(Index::Hungry.index(), cpu) != 0;
        if hungry {
            self.0.clear(Index::Hungry.index(), |of| of == cpu);
        }
        hungry
    }

    /// Returns how often a tier was asked in a context and had no pages.
    pub(super) fn missed(&self, context: Kind, tier: Tier) -> u64 {
        self.sum(Index::Missed(context, tier))
    }

    /// Returns how many requests a tier served. The cache has its own counters.
    pub(super) fn served(&self, context: Kind, tier: Tier) -> u64 {
        self.sum(Index::Served(context, tier))
    }

    /// Returns how many pages a tier took back. The cache has its own counters.
    pub(super) fn kept(&self, context: Kind, tier: Tier) -> u64 {
        self.sum(Index::Kept(context, tier))
    }

    /// Returns how many pages were filled into a tier ahead of requests. The cache has its own
    /// counters.
    pub(in crate::pool) fn filled(&self, tier: Tier) -> u64 {
        self.sum(Index::Filled(tier))
    }
}
