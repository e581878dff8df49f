// SPDX-License-Identifier: GPL-2.0

//! Pages that were given back in contexts that may not free them. The refill thread frees them.
//!
//! Interrupts can give pages back faster than the thread frees them. The pages must be taken back
//! all the same, so the pool stops the supply instead: while too many pages wait, calls that cannot
//! free pages get none from the allocator.

use super::{
    Pages,
    Pool, //
};
use crate::{
    ffi::{
        context::Context,
        mm::watermark::memory_total,
        percpu::counters::Counter,
        sync::spin_lock::RawSpinLock, //
    },
    page::{
        Calls,
        Chain, //
    }, //
};
use kernel::{
    prelude::*,
    static_lock_class, //
};

/// The maximum of [`Returning::limit`], in pages of the kernel.
const MAX_LIMIT: usize = 1 << 14;

/// The same, as a part of the memory.
const PART_OF_MEMORY: usize = 64;

/// The pages that wait to be freed.
#[pin_data]
pub(super) struct Returning {
    #[pin]
    chain: RawSpinLock<Chain>,
    /// The length of the chain, written under the lock and read without it.
    level: Counter,
    /// The number of waiting blocks from which on requests are held back.
    limit: usize,
}

impl Returning {
    /// Makes the list for a pool of blocks of this order.
    pub(super) fn new(order: u32) -> impl PinInit<Self> {
        let limit = MAX_LIMIT.min(memory_total() / PART_OF_MEMORY) >> order;
        pin_init!(Self {
            chain <- RawSpinLock::new(
                Chain::new(),
                c"labyrinth_returning",
                static_lock_class!(),
            ),
            level: Counter::new(0),
            limit: limit.max(1),
        })
    }

    fn push(&self, pages: Pages) {
        self.chain.with(|chain| {
            chain.push(pages);
            self.level.set(chain.len() as u64);
        });
    }

    fn pop(&self) -> Option<Pages> {
        self.chain.with(|chain| {
            let pages = chain.pop();
            self.level.set(chain.len() as u64);
            pages
        })
    }
}

impl Pool {
    /// Makes the refill thread free pages, which need not come from this pool. Any context but NMI.
    pub(in crate::pool) fn free_later(&self, mut pages: Pages) {
        pages.uncharge();
        self.returning.push(pages);
        // The next round of the refill thread finds the pages.
        self.call_manager();
    }

    /// Returns how many pages wait to be freed by the refill thread. Any context.
    pub fn returning(&self) -> usize {
        self.returning.level.read() as usize
    }

    /// Returns how many pages may wait before the pool holds requests back. Any context.
    pub fn returning_limit(&self) -> usize {
        self.returning.limit
    }

    /// Returns whether too many pages wait to be freed. Calls with
    /// [`GfpNoLock`](crate::GfpNoLock) then get no pages from the allocator. Any context.
    ///
    /// A driver that gives pages to [`Self::put_with`] that it has not got from a pool should get
    /// no more of them while this is true.
    pub fn holds_back(&self) -> bool {
        self.returning() >= self.returning.limit
    }

    /// Returns whether a request may ask the allocator by the functions `M`, and counts it if not.
    /// Any context.
    #[inline(always)]
    pub(in crate::pool) fn lets_through<C: Context, M: Calls>(&self) -> bool {
        if M::FREES || !self.holds_back() {
            return true;
        }
        self.counts.hold_back(C::KIND);
        false
    }

    /// Frees the pages that were given back in contexts that may not free them. Contexts: those in
    /// which pages may be freed.
    pub(in crate::pool) fn free_returned(&self) {
        // Pages that come back meanwhile wait for the next round. Otherwise other pools might wait
        // for ever.
        for _ in 0..self.returning() {
            let Some(pages) = self.returning.pop() else {
                return;
            };
            self.release(pages);
        }
    }
}
