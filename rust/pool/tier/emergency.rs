// SPDX-License-Identifier: GPL-2.0

//! The kernel's emergency reserve, within a budget.

use super::buddy::Buddy;
use crate::{
    ffi::context::PlainAlloc,
    page::{
        ExclusivePages,
        GfpAtomic,
        NoWarn,
        Place,
        Shape,
        Uninit, //
    },
    pool::logic::{
        excluded::Excluded,
        page_source::PageSource,
        request::{
            Priority,
            Request,
            Tier, //
        }, //
    },
    pool::tiered::Pool,
    stats::Row, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

pub(in crate::pool) static ROWS: [Row<Pool>; 2] = [
    Row::counter(
        "pool_emergency_pages",
        "Allocations that left their zone below its min watermark.",
        &[],
        |pool, _| pool.emergency().taken.load(Relaxed),
    ),
    Row::gauge(
        "pool_emergency_budget",
        "Such allocations that are allowed before the reserve is full again.",
        &[],
        |pool, _| pool.emergency().budget().into(),
    ),
];

/// The bits of `spent` that hold the number of payments.
const SPENT_BITS: u32 = 32;

/// The buddy allocator with `GFP_ATOMIC`, within a budget.
///
/// The memory below the min watermark is for all of the kernel, above all for code that frees
/// memory. So only requests of [`Priority::High`] come here, and each allocation that leaves its
/// zone below that mark is paid for from the budget. The budget is restored when the pool's own
/// reserve is full again.
///
/// Contexts: those of `GFP_ATOMIC`.
pub struct Emergency {
    buddy: Buddy<NoWarn<GfpAtomic>>,
    /// The number of allocations that the budget allows.
    budget: Atomic<u32>,
    /// The number of payments and, above [`SPENT_BITS`], how often the budget was restored. A
    /// payment is refunded only if the budget was not restored since.
    spent: Atomic<u64>,
    /// The number of all payments.
    taken: Atomic<u64>,
}

impl Emergency {
    /// Makes the source for one shape and place.
    pub(crate) fn new(shape: Shape, place: Place, excluded: Excluded, budget: u32) -> Self {
        Self {
            buddy: Buddy::new(NoWarn(GfpAtomic), shape, place, excluded, Tier::Emergency),
            budget: Atomic::new(budget),
            spent: Atomic::new(0),
            taken: Atomic::new(0),
        }
    }

    /// Returns the budget, in allocations. Any context.
    pub fn budget(&self) -> u32 {
        self.budget.load(Relaxed)
    }

    /// Changes the budget. Any context.
    pub fn set_budget(&self, budget: u32) {
        self.budget.store(budget, Relaxed);
    }

    /// Returns how many excluded blocks the allocator offered. Any context.
    pub(in crate::pool) fn excluded_met(&self) -> u64 {
        self.buddy.excluded_met()
    }

    /// Returns whether any payment was made since the budget was restored. Any context.
    pub(crate) fn is_touched(&self) -> bool {
        self.spent.load(Relaxed) as u32 != 0
    }

    /// Restores the budget. Any context.
    pub(crate) fn restore(&self) {
        let mut spent = self.spent.load(Relaxed);
        loop {
            let whole = (spent >> SPENT_BITS).wrapping_add(1) << SPENT_BITS;
            match self.spent.cmpxchg(spent, whole, Relaxed) {
                Ok(_) => return,
                Err(now) => spent = now,
            }
        }
    }

    /// Pays in advance and returns what [`Self::refund`] needs, or `None` if the budget is spent.
    fn pay(&self) -> Option<u64> {
        let mut spent = self.spent.load(Relaxed);
        // Less than a `u32`, so that the addition stays in its half.
        while (spent as u32) < self.budget() {
            match self.spent.cmpxchg(spent, spent + 1, Relaxed) {
                Ok(_) => return Some(spent >> SPENT_BITS),
                Err(now) => spent = now,
            }
        }
        None
    }

    /// Refunds a payment, unless the budget was restored meanwhile.
    fn refund(&self, times_whole: u64) {
        let mut spent = self.spent.load(Relaxed);
        while spent >> SPENT_BITS == times_whole && spent as u32 != 0 {
            match self.spent.cmpxchg(spent, spent - 1, Relaxed) {
                Ok(_) => return,
                Err(now) => spent = now,
            }
        }
    }
}

impl<C: PlainAlloc> PageSource<C> for Emergency {
    type Pages = ExclusivePages<Uninit>;

    fn get(&self, cx: &C, request: &mut Request) -> Option<Self::Pages> {
        if request.priority() < Priority::High {
            return None;
        }
        let paid = self.pay()?;
        let pages = self.buddy.get(cx, request);
        if pages.as_ref().is_some_and(ExclusivePages::zone_below_min) {
            self.taken.add(1, Relaxed);
        } else {
            self.refund(paid);
        }
        pages
    }

    fn put(&self, cx: &C, pages: Self::Pages) -> Result<(), Self::Pages> {
        self.buddy.put(cx, pages)
    }
}
