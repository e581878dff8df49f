// SPDX-License-Identifier: GPL-2.0

//! The reserve of a pool.

use super::{
    Pages,
    TierOps, //
};
use crate::{
    ffi::{
        context::{
            Context,
            Kind,
            Task, //
        },
        mm::bad_memory,
        percpu::counters::Counter,
        sync::spin_lock::RawSpinLock, //
    },
    page::CalledIn,
    pool::{
        call::Call,
        events,
        logic::{
            page_source::PageSource,
            request::Request,
            schedule::Refilled,
            stack::{
                take_in_parts,
                Stack, //
            },
            target::Target,
            tier::Tier, //
        },
        tiered::{
            CHUNK,
            CONTEXT, //
        },
        Pool,
        PoolConfig, //
    },
    stats::Row, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    static_lock_class, //
};

/// The maximum number of pages in a reserve.
pub const MAX_RESERVE: usize = 1 << 18;

pub(super) static ROWS: [Row<Pool>; 5] = [
    Row::counter(
        "pool_recycle_reserve",
        "Pages that came back to a reserve, the cache being full.",
        &[CONTEXT],
        |pool, [context, ..]| pool.kept(Kind::ALL[context], Tier::Reserve),
    ),
    Row::counter(
        "pool_reserve_refill_pages",
        "Pages filled into the reserve ahead of requests.",
        &[],
        |pool, _| pool.counts().filled(Tier::Reserve),
    ),
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

/// A fixed number of pages, set aside for the case that the allocator has none.
///
/// Any context but NMI, including interrupts disabled and PREEMPT_RT: the critical sections are a
/// few instructions under a `raw_spinlock_t`.
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
    /// Makes the tier, without pages. Task context only, may sleep.
    pub(super) fn new(config: &PoolConfig) -> impl PinInit<Self, Error> {
        let target = config.reserve;
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

    /// Returns whether the reserve has as many pages as it should hold, approximately. Any context.
    #[inline(always)]
    pub(in crate::pool) fn is_full(&self) -> bool {
        self.level() >= self.target.pages()
    }

    /// Takes the topmost good page. Bad pages stay until [`TierOps::drain_bad`].
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

    /// Returns the target of refills.
    #[inline(always)]
    pub fn target(&self) -> Target {
        self.target
    }

    /// Takes a page out if the request may use the reserve. Any context but NMI.
    #[inline]
    fn take(&self, request: &Request) -> Option<Pages> {
        if request.may_use(Tier::Reserve) && self.target.pages() != 0 {
            self.take_one()
        } else {
            None
        }
    }

    #[inline(always)]
    fn take_one(&self) -> Option<Pages> {
        // An empty reserve is common in a storm. This check without the lock may miss a page that
        // has just come back, which is harmless.
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
    pub(crate) fn fill(&self, pages: Pages) -> Result<(), Pages> {
        // Check the level without the lock first, because the reserve is often full.
        if self.is_full() {
            return Err(pages);
        }
        self.push(pages)
    }

    #[inline(always)]
    fn push(&self, pages: Pages) -> Result<(), Pages> {
        self.stack.with(|stack| {
            let result = stack.push(pages);
            self.level.set(stack.len() as u64);
            result
        })
    }
}

/// Refilling.
impl Reserve {
    /// Adds up to `chunk` pages.
    fn refill_some(&self, pool: &Pool, cx: &Task, chunk: usize) -> Refilled {
        let wanted = self.target.wanted(self.level(), chunk);
        if wanted != 0 {
            let mut aside = pool.aside();
            let (mut got, mut starved) = (0, false);
            for _ in 0..wanted {
                let Some(pages) = pool.one_for_task(cx, pool.config().place, &mut aside) else {
                    starved = true;
                    break;
                };
                // Pages that came back meanwhile have filled the reserve.
                if self.fill(pages).is_err() {
                    break;
                }
                pool.counts().filled_into(Tier::Reserve);
                got += 1;
            }
            events::refilled(pool.name(), Tier::Reserve, wanted, got, self.target.pages());
            if starved {
                return Refilled::Starved;
            }
        }
        if self.is_full() {
            Refilled::Full
        } else {
            Refilled::Partly
        }
    }
}

impl TierOps for Reserve {
    fn refill(&self, pool: &Pool, cx: &Task, before: Refilled) -> Refilled {
        before.max(self.refill_some(pool, cx, CHUNK))
    }

    fn prime(&self, pool: &Pool, cx: &Task, _per_cpu: usize) {
        // The number of turns is bounded, because others may take pages out as fast as they come
        // in.
        for _ in 0..self.target.pages().div_ceil(CHUNK) {
            if self.refill_some(pool, cx, CHUNK) != Refilled::Partly {
                break;
            }
        }
    }

    /// Releases the lock after each `at_once` pages, which must not be 0.
    fn drain_bad(&self, at_once: usize) -> Result<usize, usize> {
        take_in_parts(self.level(), at_once, |places| {
            Some(self.stack.with(move |stack| {
                let pages = stack.take_where(places, Pages::is_known_bad);
                self.level.set(stack.len() as u64);
                self.drained.add(pages.is_some().into());
                pages
            }))
        })
    }
}

impl<C: Context, M: CalledIn<C>> PageSource<Call<'_, C, M>> for Reserve {
    type Pages = Pages;

    #[inline]
    fn get(&self, _call: &Call<'_, C, M>, request: &mut Request) -> Option<Pages> {
        if self.target.pages() == 0 {
            return None;
        }
        request.enter(Tier::Reserve);
        self.take_one()
    }

    #[inline]
    fn put(&self, _call: &Call<'_, C, M>, pages: Pages) -> Result<Tier, Pages> {
        self.fill(pages).map(|()| Tier::Reserve)
    }
}

/// Takes a page out of the reserve of a pool, for the benchmark. Any context but NMI.
///
/// Unlike [`Pool::get`], this asks no other tier, does not change the pool's counters, and does not
/// call the pool manager to fill the reserve.
#[doc(hidden)]
#[inline]
pub fn take_from_reserve(pool: &Pool, request: &Request) -> Option<Pages> {
    pool.reserve().take(request)
}

/// Puts a page into the reserve of a pool, for the benchmark, as [`take_from_reserve`] takes one.
/// The error has the page if the reserve is full, if the pages are not of the pool's form, or if
/// memory is excluded or has gone bad. Any context but NMI.
#[doc(hidden)]
#[inline]
pub fn fill_reserve(pool: &Pool, mut pages: Pages) -> Result<(), Pages> {
    if !pool.keeps_unlooked(&pages) {
        return Err(pages);
    }
    pages.uncharge();
    // The stack refuses pages beyond the target, so the level need not be checked first.
    pool.reserve().push(pages)
}
