// SPDX-License-Identifier: GPL-2.0

//! The reserve of a pool.

use crate::{
    ffi::{
        context::Context,
        mm::bad_memory,
        percpu::counters::Counter,
        sync::raw_spin_lock::RawSpinLock, //
    },
    page::{
        ExclusivePages,
        Uninit, //
    },
    pool::logic::{
        page_source::PageSource,
        request::{
            Priority,
            Request,
            Tier, //
        },
        stack::{
            take_in_parts,
            Stack, //
        },
        target::Target, //
    },
    pool::tiered::Pool,
    stats::Row, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    static_lock_class, //
};

/// The maximum number of pages in a reserve.
pub const MAX_RESERVE: usize = 1 << 18;

pub(in crate::pool) static ROWS: [Row<Pool>; 3] = [
    Row::counter(
        "pool_reserve_drain_pages",
        "Pages taken out of the reserve because they are bad.",
        &[],
        |pool, _| pool.reserve().drained.read(),
    ),
    Row::gauge("pool_reserved", "Pages in the reserve.", &[], |pool, _| {
        pool.reserve().level() as u64
    }),
    Row::gauge(
        "pool_reserve_target",
        "Pages that the reserve should hold.",
        &[],
        |pool, _| pool.reserve().target.pages() as u64,
    ),
];

type Pages = ExclusivePages<Uninit>;

/// A fixed number of pages, set aside for the case that the allocator has none.
///
/// Requests of [`Priority::Low`] are refused. Any context but NMI, including interrupts disabled
/// and PREEMPT_RT: the critical sections are a few instructions under a `raw_spinlock_t`.
#[pin_data]
pub struct Reserve {
    #[pin]
    stack: RawSpinLock<Stack<KVVec<Option<Pages>>>>,
    /// The number of pages in the stack, written under the lock and read without it.
    level: Counter,
    /// The number of pages given back to the allocator because they were bad or excluded, written
    /// under the lock.
    drained: Counter,
    target: Target,
}

impl Reserve {
    /// Makes an empty reserve for `target` pages. Task context only, may sleep.
    pub(crate) fn new(target: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            stack <- RawSpinLock::new(
                Stack::new(Self::slots(target)?),
                c"labyrinth_reserve",
                static_lock_class!(),
            ),
            level: Counter::new(0),
            drained: Counter::new(0),
            target: Target::new(target),
        }? Error)
    }

    fn slots(target: usize) -> Result<KVVec<Option<Pages>>, AllocError> {
        let mut slots = KVVec::with_capacity(target, GFP_KERNEL)?;
        for _ in 0..target {
            slots.push(None, GFP_KERNEL)?;
        }
        Ok(slots)
    }

    /// Returns how many pages are in the reserve, approximately. Any context.
    #[inline(always)]
    pub fn level(&self) -> usize {
        self.level.read() as usize
    }

    /// Takes the topmost good page. Bad pages stay, for [`Self::drain_unfit`].
    #[cold]
    #[inline(never)]
    fn get_good(&self) -> Option<Pages> {
        self.stack.with(|stack| {
            let pages = stack.take_where(0..usize::MAX, |pages| !pages.is_known_bad());
            if pages.is_none() && stack.len() != 0 {
                bad_memory::found_again();
            }
            self.level.set(stack.len() as u64);
            pages
        })
    }

    /// Gives the `unfit` pages back to the allocator, and returns their number. The lock is let go
    /// after each look at `at_once` of them, which must not be 0. In any context that may free
    /// pages.
    pub(crate) fn drain_unfit(
        &self,
        at_once: usize,
        unfit: impl Fn(&Pages) -> bool + Copy + Send,
    ) -> usize {
        let drained = take_in_parts(self.level(), at_once, |places| {
            Some(self.stack.with(move |stack| {
                let pages = stack.take_where(places, unfit);
                self.level.set(stack.len() as u64);
                self.drained.add(pages.is_some().into());
                pages
            }))
        });
        drained.unwrap_or_else(|some| some)
    }

    /// Returns when the reserve is refilled, and up to which level.
    #[inline(always)]
    pub fn target(&self) -> Target {
        self.target
    }

    /// Returns whether the reserve is there for such a request.
    #[inline(always)]
    fn is_for(&self, request: &Request) -> bool {
        request.priority() >= Priority::Normal && self.target.pages() != 0
    }

    /// Takes a page out if the reserve is there for such a request. Any context but NMI.
    ///
    /// Unlike [`Pool::get`](crate::pool::Pool::get) this asks no other tier, the pool's counters do not
    /// know of it, and the pool manager is not called to fill the reserve.
    #[inline]
    pub fn take(&self, request: &Request) -> Option<Pages> {
        if self.is_for(request) {
            self.take_one()
        } else {
            None
        }
    }

    #[inline(always)]
    fn take_one(&self) -> Option<Pages> {
        // An empty reserve is common in a storm. A look that comes a moment too early does no harm.
        if self.level() == 0 {
            return None;
        }
        if bad_memory::known() {
            return self.get_good();
        }
        self.stack.with(|stack| {
            let pages = stack.pop();
            self.level.set(stack.len() as u64);
            pages
        })
    }

    /// Puts a page into the reserve. The error has the page if the reserve is full. Any context but
    /// NMI.
    #[inline]
    pub fn fill(&self, pages: Pages) -> Result<(), Pages> {
        if self.level() >= self.target.pages() {
            return Err(pages);
        }
        self.stack.with(|stack| {
            let result = stack.push(pages);
            self.level.set(stack.len() as u64);
            result
        })
    }
}

impl<C: Context> PageSource<C> for Reserve {
    type Pages = Pages;

    #[inline]
    fn get(&self, _cx: &C, request: &mut Request) -> Option<Pages> {
        if !self.is_for(request) {
            return None;
        }
        request.enter(Tier::Reserve);
        self.take_one()
    }

    #[inline]
    fn put(&self, _cx: &C, pages: Pages) -> Result<(), Pages> {
        self.fill(pages)
    }
}
