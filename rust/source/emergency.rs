// SPDX-License-Identifier: GPL-2.0

//! The kernel's emergency reserve, within a budget.

use super::{
    buddy::Buddy,
    logic::{
        barred::Barred,
        page_source::PageSource,
        request::{
            Priority,
            Request,
            Room, //
        }, //
    }, //
};
use crate::{
    ffi::context::PlainAlloc,
    page::{
        Atomic,
        ExclusivePages,
        NoWarn,
        Place,
        Shape,
        Uninit, //
    }, //
};
use kernel::sync::atomic::{
    Atomic as AtomicCell,
    Relaxed, //
};

/// The bits of `spent` that hold the number of payments.
const SPENT_BITS: u32 = 32;

/// The buddy allocator with `GFP_ATOMIC`, for as long as there is budget.
///
/// What lies below the min watermark belongs to everybody, above all to those who free memory. So
/// only requests of [`Priority::High`] get here, and each allocation that leaves its zone below that
/// mark is paid from the budget. The budget is whole again once the pool's own reserve is.
///
/// Usable wherever `GFP_ATOMIC` is.
pub struct Emergency {
    buddy: Buddy<NoWarn<Atomic>>,
    /// Allocations that the budget allows.
    budget: AtomicCell<u32>,
    /// Allocations that were paid from it, and above [`SPENT_BITS`] how often it was made whole: a
    /// payment is only taken back from what it was added to.
    spent: AtomicCell<u64>,
    /// All that were ever paid.
    taken: AtomicCell<u64>,
}

impl Emergency {
    /// The emergency reserve of the allocator for one shape and place.
    pub fn new(shape: Shape, place: Place, barred: Barred, budget: u32) -> Self {
        Self {
            buddy: Buddy::new(NoWarn(Atomic), shape, place, barred, Room::Emergency),
            budget: AtomicCell::new(budget),
            spent: AtomicCell::new(0),
            taken: AtomicCell::new(0),
        }
    }

    /// The budget, in allocations. Any context.
    pub fn budget(&self) -> u32 {
        self.budget.load(Relaxed)
    }

    /// Changes the budget. Any context.
    pub fn set_budget(&self, budget: u32) {
        self.budget.store(budget, Relaxed);
    }

    /// All allocations that left their zone below its min watermark. Any context.
    pub fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    /// How many barred blocks it was offered. Any context.
    pub fn barred_met(&self) -> u64 {
        self.buddy.barred_met()
    }

    /// Whether anything was paid since the budget was last whole. Any context.
    pub fn is_touched(&self) -> bool {
        self.spent.load(Relaxed) as u32 != 0
    }

    /// Makes the budget whole again. Any context.
    pub fn restore(&self) {
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

    /// Takes a payment back, unless the budget was made whole meanwhile.
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
