// SPDX-License-Identifier: GPL-2.0

//! The counters of a pool, except those of its caches.

use super::Pool;
use crate::{
    ffi::{
        context::Kind,
        percpu::counters::CpuCounters, //
    },
    pool::logic::request::{
        Request,
        Tier, //
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

pub(super) static ROWS: [Row<Pool>; 5] = [
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
            match (outcome, tier) {
                (0, Tier::Cache) => pool.cache().hits(context),
                (0, _) => pool.counts.sum(Index::Served(context, tier)),
                _ => pool.counts.sum(Index::Missed(context, tier)),
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
        "pool_recycle_reserve",
        "Pages that came back to a reserve, the cache being full.",
        &[CONTEXT],
        |pool, [context, ..]| pool.counts.sum(Index::ToReserve(Kind::ALL[context])),
    ),
    Row::counter(
        "pool_released",
        "Pages that went back to the allocator, cache and reserve being full.",
        &[CONTEXT],
        |pool, [context, ..]| pool.counts.sum(Index::ToBuddy(Kind::ALL[context])),
    ),
    Row::counter(
        "pool_reserve_refill_pages",
        "Pages filled into the reserve ahead of requests.",
        &[],
        |pool, _| pool.counts.sum(Index::Refilled),
    ),
];

/// All counters.
pub(super) struct Counts(CpuCounters<{ Index::COUNT }>);

/// What is counted.
#[derive(Clone, Copy)]
enum Index {
    /// Requests that a tier could not serve.
    Missed(Kind, Tier),
    /// Requests that a tier served. This and `Missed` are counted, not computed as a difference of
    /// other counters, which could be smaller at one read than at the read before.
    Served(Kind, Tier),
    /// Requests that no tier served.
    Failed(Kind),
    /// Pages that went to the reserve.
    ToReserve(Kind),
    /// Pages that went back to the allocator.
    ToBuddy(Kind),
    /// Pages filled into the reserve ahead of requests.
    Refilled,
    /// 1 if requests of this CPU found its cache empty since it was last refilled.
    Hungry,
}

impl Index {
    const PAIRS: usize = Kind::COUNT * Tier::COUNT;
    const COUNT: usize = 2 * Self::PAIRS + 3 * Kind::COUNT + 2;

    /// Returns the index of the counter.
    #[inline(always)]
    const fn index(self) -> usize {
        let singles = 2 * Self::PAIRS;
        match self {
            Self::Missed(kind, tier) => kind as usize * Tier::COUNT + tier as usize,
            Self::Served(kind, tier) => Self::PAIRS + kind as usize * Tier::COUNT + tier as usize,
            Self::Failed(kind) => singles + kind as usize,
            Self::ToReserve(kind) => singles + Kind::COUNT + kind as usize,
            Self::ToBuddy(kind) => singles + 2 * Kind::COUNT + kind as usize,
            Self::Refilled => Self::COUNT - 2,
            Self::Hungry => Self::COUNT - 1,
        }
    }
}

impl Counts {
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self(CpuCounters::new()?))
    }

    #[inline(always)]
    fn add(&self, place: Index, n: usize) {
        self.0.add(place.index(), n as u64);
    }

    fn sum(&self, place: Index) -> u64 {
        self.0.sum(place.index())
    }

    /// Counts a request that its CPU's cache could not serve, with its outcome, as `requests`
    /// requests. Any context.
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
        self.hungry();
    }

    /// Counts the pages of one call that its CPU's cache could not serve.
    #[inline]
    pub(super) fn bulk_missed(&self, context: Kind, pages: usize) {
        self.add(Index::Missed(context, Tier::Cache), pages);
        self.hungry();
    }

    #[inline]
    fn hungry(&self) {
        self.0.all().raise::<{ Index::Hungry.index() }>(1);
    }

    /// Counts the pages that a tier served in one call.
    #[inline]
    pub(super) fn bulk(&self, context: Kind, tier: Tier, pages: usize) {
        self.add(Index::Served(context, tier), pages);
    }

    /// Counts pages that went to the reserve.
    #[inline]
    pub(super) fn to_reserve(&self, context: Kind, pages: usize) {
        self.add(Index::ToReserve(context), pages);
    }

    /// Counts pages that went back to the allocator.
    #[inline]
    pub(super) fn to_buddy(&self, context: Kind, pages: usize) {
        self.add(Index::ToBuddy(context), pages);
    }

    /// Counts a page that was filled into the reserve ahead of requests.
    pub(super) fn refilled(&self) {
        self.add(Index::Refilled, 1);
    }

    /// Returns whether requests of `cpu` found its cache empty since the last call.
    pub(super) fn take_hunger(&self, cpu: u32) -> bool {
        let hungry = self.0.of(Index::Hungry.index(), cpu) != 0;
        if hungry {
            self.0.clear(Index::Hungry.index(), |of| of == cpu);
        }
        hungry
    }

    /// Returns how many requests in a context their CPU's cache could not serve.
    pub(super) fn missed_by_cache(&self, context: Kind) -> u64 {
        self.sum(Index::Missed(context, Tier::Cache))
    }
}
