// SPDX-License-Identifier: GPL-2.0

//! The kernel's emergency reserve, within a budget.

use super::{
    buddy::Buddy,
    logic::{
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
        Uninit, //
    }, //
};
use kernel::sync::atomic::{
    Atomic as AtomicCell,
    Relaxed, //
};

/// The buddy allocator with `GFP_ATOMIC`, for as long as there is budget.
///
/// What lies below the min watermark belongs to everybody, above all to those who free memory. So
/// only requests of [`Priority::High`] get here, and each allocation that leaves its zone below that
/// mark is paid from the budget. The budget is whole again once the pool's own reserve is.
///
/// Usable wherever `GFP_ATOMIC` is.
pub(crate) struct Emergency {
    buddy: Buddy<NoWarn<Atomic>>,
    /// Allocations that the budget allows.
    budget: AtomicCell<u32>,
    /// Allocations that were paid from it.
    spent: AtomicCell<u32>,
    /// All that were ever paid.
    taken: AtomicCell<u64>,
}

impl Emergency {
    /// The emergency reserve of the allocator for one order and place.
    pub(crate) fn new(order: u32, place: Place, budget: u32) -> Self {
        Self {
            buddy: Buddy::new(NoWarn(Atomic), order, place, Room::Emergency),
            budget: AtomicCell::new(budget),
            spent: AtomicCell::new(0),
            taken: AtomicCell::new(0),
        }
    }

    /// The budget, in allocations. Any context.
    pub(crate) fn budget(&self) -> u32 {
        self.budget.load(Relaxed)
    }

    /// Changes the budget. Any context.
    pub(crate) fn set_budget(&self, budget: u32) {
        self.budget.store(budget, Relaxed);
    }

    /// All allocations that left their zone below its min watermark. Any context.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    /// Makes the budget whole again. Any context.
    pub(crate) fn restore(&self) {
        self.spent.store(0, Relaxed);
    }

    /// Pays in advance, or says that the budget is spent.
    fn pay(&self) -> bool {
        let mut spent = self.spent.load(Relaxed);
        while spent < self.budget() {
            match self.spent.cmpxchg(spent, spent + 1, Relaxed) {
                Ok(_) => return true,
                Err(now) => spent = now,
            }
        }
        false
    }

    /// Takes a payment back, unless the budget was made whole meanwhile.
    fn refund(&self) {
        let mut spent = self.spent.load(Relaxed);
        while spent != 0 {
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
        if request.priority() < Priority::High || !self.pay() {
            return None;
        }
        let pages = self.buddy.get(cx, request);
        if pages.as_ref().is_some_and(ExclusivePages::zone_below_min) {
            self.taken.add(1, Relaxed);
        } else {
            self.refund();
        }
        pages
    }

    fn put(&self, cx: &C, pages: Self::Pages) -> Result<(), Self::Pages> {
        self.buddy.put(cx, pages)
    }
}
