// SPDX-License-Identifier: GPL-2.0

//! Filling a pool ahead of requests, in task context.

use super::{
    Pages,
    Pool, //
};
use crate::{
    ffi::context::Task,
    page::{
        ExclusivePages,
        GfpKernel,
        MayFail,
        NoWarn,
        Place, //
    },
    pool::{
        exclusion::good,
        logic::{
            schedule::Refilled,
            tier::Tier, //
        }, //
    }, //
};
use kernel::{
    prelude::*,
    sync::atomic::Relaxed, //
};

/// The number of pages that one tier gets in one turn, before the turn of other pools.
pub(in crate::pool) const CHUNK: usize = 64;

impl Pool {
    /// Fills each online CPU's cache up to `per_cpu` pages (or its capacity), and the reserve up to
    /// its size. Task context only, may sleep and reclaim.
    ///
    /// Failures are not reported. The refill thread continues to fill the reserve. A cache is
    /// filled when requests find it empty.
    pub fn prime(&self, cx: &Task, per_cpu: usize) {
        for tier in Tier::ALL {
            self.tiers.of(tier).prime(self, cx, per_cpu);
        }
        self.call_manager();
    }

    /// Adds a bounded number of the missing pages to each tier. Task context only, may sleep and
    /// reclaim.
    pub(in crate::pool) fn refill(&self, cx: &Task) -> Refilled {
        Tier::ALL.into_iter().fold(Refilled::Full, |before, tier| {
            self.tiers.of(tier).refill(self, cx, before)
        })
    }

    /// Returns the time until which the refill thread skips this pool, by the clock of that thread.
    pub(in crate::pool) fn rests_until(&self) -> u64 {
        self.rests_until.load(Relaxed)
    }

    /// Sets [`Self::rests_until`]. For the refill thread only.
    pub(in crate::pool) fn set_rests_until(&self, time: u64) {
        self.rests_until.store(time, Relaxed);
    }

    /// Makes the list of excluded pages for [`Self::one_for_task`]. Task context only, may sleep.
    pub(in crate::pool) fn aside(&self) -> KVVec<Pages> {
        self.exclusion.aside(self.config.order)
    }

    /// Allocates a page with `GFP_KERNEL`, so with reclaim, but without the OOM killer, because no
    /// process should be killed for a reserve. Excluded pages go to `aside`.
    pub(in crate::pool) fn one_for_task(
        &self,
        cx: &Task,
        place: Place,
        aside: &mut KVVec<Pages>,
    ) -> Option<Pages> {
        let gfp = NoWarn(MayFail(GfpKernel));
        self.exclusion.first_of_many(aside, || {
            good(
                || ExclusivePages::alloc(cx, gfp, self.config.shape(), place).ok(),
                drop,
            )
        })
    }

    /// Returns whether an allocation now leaves its zone above the min watermark.
    pub(in crate::pool) fn ground_is_firm(&self, cx: &Task) -> bool {
        self.one_for_task(cx, self.config.place, &mut self.aside())
            .is_some_and(|pages| !pages.zone_below_min())
    }
}
