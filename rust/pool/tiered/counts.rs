// SPDX-License-Identifier: GPL-2.0

//! The counters of a pool, except those of its caches.

use crate::{
    ffi::{
        context::Kind,
        percpu::counters::CpuCounters, //
    },
    pool::logic::request::{
        Request,
        Tier, //
    }, //
};
use kernel::alloc::AllocError;

/// All counters.
pub struct Counts(CpuCounters<{ Index::COUNT }>);

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

    /// Returns how often a tier was asked in a context and had no pages.
    pub fn missed(&self, context: Kind, tier: Tier) -> u64 {
        self.sum(Index::Missed(context, tier))
    }

    /// Returns how often a tier served a request. The cache has its own counters.
    pub fn served(&self, context: Kind, tier: Tier) -> u64 {
        self.sum(Index::Served(context, tier))
    }

    /// Returns how many requests no tier served.
    pub fn failed(&self, context: Kind) -> u64 {
        self.sum(Index::Failed(context))
    }

    /// Returns how many pages went to the reserve.
    pub fn put_to_reserve(&self, context: Kind) -> u64 {
        self.sum(Index::ToReserve(context))
    }

    /// Returns how many pages went back to the allocator.
    pub fn put_to_buddy(&self, context: Kind) -> u64 {
        self.sum(Index::ToBuddy(context))
    }

    /// Returns how many pages were filled into the reserve ahead of requests.
    pub fn reserve_refilled(&self) -> u64 {
        self.sum(Index::Refilled)
    }
}
