// SPDX-License-Identifier: GPL-2.0

//! The kernel's emergency reserve, within a budget.

use super::{
    buddy::Buddy,
    Pages,
    TierOps, //
};
use crate::{
    ffi::context::{
        Context,
        Task, //
    },
    page::{
        CalledIn,
        Gfp, //
    },
    pool::{
        call::Call,
        logic::{
            page_source::PageSource,
            request::Request,
            schedule::Refilled,
            tier::Tier, //
        },
        Pool,
        PoolConfig, //
    },
    stats::Row, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub(super) static ROWS: [Row<Pool>; 2] = [
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
/// memory. So only requests of high priority come here, and each allocation that leaves its zone
/// below that mark is paid for from the budget. The budget is restored when the pool's own reserve
/// is full again.
///
/// Contexts: those of `GFP_ATOMIC`. Calls by functions without access to that memory get no pages.
pub struct Emergency {
    buddy: Buddy,
    /// The number of allocations that the budget allows.
    budget: Atomic<u32>,
    /// The number of payments and, above [`SPENT_BITS`], how often the budget was restored. A
    /// payment is refunded only if the budget was not restored since.
    spent: Atomic<u64>,
    /// The number of all payments.
    taken: Atomic<u64>,
}

impl Emergency {
    /// Makes the tier, without pages. Task context only, may sleep.
    pub(super) fn new(config: &PoolConfig) -> impl PinInit<Self, Error> {
        Buddy::for_pool(config).map(|buddy| Self {
            buddy,
            budget: Atomic::new(config.emergency),
            spent: Atomic::new(0),
            taken: Atomic::new(0),
        })
    }

    /// Returns the budget, in allocations. Any context.
    pub fn budget(&self) -> u32 {
        self.budget.load(Relaxed)
    }

    /// Changes the budget. Any context.
    pub fn set_budget(&self, budget: u32) {
        self.budget.store(budget, Relaxed);
    }

    /// Returns whether any payment was made since the budget was restored. Any context.
    fn is_touched(&self) -> bool {
        self.spent.load(Relaxed) as u32 != 0
    }

    /// Restores the budget. Any context.
    fn restore(&self) {
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
        // The budget is a `u32`, so the lower half does not overflow.
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

impl TierOps for Emergency {
    fn excluded_met(&self) -> u64 {
        self.buddy.excluded_met()
    }

    /// Restores the budget if the tiers before this one are full and memory is not short any more.
    fn refill(&self, pool: &Pool, cx: &Task, before: Refilled) -> Refilled {
        if before != Refilled::Full || !self.is_touched() {
            return before;
        }
        if !pool.ground_is_firm(cx) {
            // The next call of the thread may come with the next storm, which needs the budget. So
            // the thread has to come back by itself.
            return Refilled::Starved;
        }
        self.restore();
        Refilled::Full
    }
}

impl<C: Context, M: CalledIn<C>> PageSource<Call<'_, C, M>> for Emergency {
    type Pages = Pages;

    fn gfp() -> u32 {
        M::atomic().map_or(0, Gfp::raw)
    }

    #[inline]
    fn get(&self, call: &Call<'_, C, M>, request: &mut Request) -> Option<Pages> {
        let gfp = M::atomic()?;
        let paid = self.pay()?;
        request.enter(Tier::Emergency);
        let pages = self.buddy.ask(call, gfp);
        if pages.as_ref().is_some_and(Pages::zone_below_min) {
            self.taken.add(1, Relaxed);
        } else {
            self.refund(paid);
        }
        pages
    }

    /// Keeps nothing. The pool frees pages that no tier keeps.
    #[inline(always)]
    fn put(&self, _call: &Call<'_, C, M>, pages: Pages) -> Result<Tier, Pages> {
        Err(pages)
    }
}
