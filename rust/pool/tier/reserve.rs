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
        cpu::online::possible,
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
            shares::{
                Contents,
                Numbers,
                Part,
                Resize,
                Shares,
                SHARE, //
            },
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
use core::iter::once;
use kernel::{
    alloc::AllocError,
    cpu::CpuId,
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
        "Pages taken out of the reserve: bad memory, and pages beyond the target.",
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
        |pool, _| pool.reserve().target.read(),
    ),
];

/// The slots of a part.
type Slots = KVVec<Option<Pages>>;

/// A part of the reserve, on cache lines of its own.
#[pin_data]
#[repr(align(64))]
pub(crate) struct ReservePart {
    #[pin]
    contents: RawSpinLock<Contents<Slots>>,
    /// The numbers of the contents, written under the lock and read without it.
    pages: Counter,
    room: Counter,
    active: Counter,
    moves: Counter,
}

impl ReservePart {
    /// Makes a part without pages. Task context only, may sleep.
    fn new(slots: usize, room: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            contents <- RawSpinLock::new(
                Contents::new(Self::slots(slots)?, room),
                c"labyrinth_reserve",
                static_lock_class!(),
            ),
            pages: Counter::new(0),
            room: Counter::new(room as u64),
            active: Counter::new(0),
            moves: Counter::new(0),
        }? Error)
    }

    /// Makes a share. Its lock has a class of its own, because the lock of the common part is taken
    /// while it is held.
    fn share() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            contents <- RawSpinLock::new(
                Contents::new(Self::slots(SHARE)?, 0),
                c"labyrinth_reserve_share",
                static_lock_class!(),
            ),
            pages: Counter::new(0),
            room: Counter::new(0),
            active: Counter::new(0),
            moves: Counter::new(0),
        }? Error)
    }

    fn slots(count: usize) -> Result<Slots, AllocError> {
        let mut slots = KVVec::with_capacity(count, GFP_KERNEL)?;
        for _ in 0..count {
            slots.push(None, GFP_KERNEL)?;
        }
        Ok(slots)
    }

    #[inline(always)]
    fn publish_level(&self, numbers: Numbers) {
        self.pages.set(numbers.pages as u64);
        self.room.set(numbers.room as u64);
    }
}

impl Part for ReservePart {
    type Page = Pages;
    type Slots = Slots;

    #[inline(always)]
    fn with<R: Send>(&self, section: impl FnOnce(&mut Contents<Slots>) -> R + Send) -> R {
        self.contents.with(|contents| {
            let result = section(contents);
            self.publish_level(contents.numbers());
            result
        })
    }

    fn publish(&self, contents: &Contents<Slots>) {
        let numbers = contents.numbers();
        self.publish_level(numbers);
        self.active.set(numbers.active as u64);
        self.moves.set(numbers.moves as u64);
    }

    #[inline(always)]
    fn numbers(&self) -> Numbers {
        Numbers {
            pages: self.pages.read() as usize,
            room: self.room.read() as usize,
            active: self.active.read() as usize,
            moves: self.moves.read() as usize,
        }
    }
}

/// Pages that are set aside for the case that the allocator has none. Their number is fixed, or the
/// refill thread changes it (`rust/pool/tiered/resize.rs`).
///
/// Each CPU has a share, so that CPUs that use the reserve at the same time do not wait for each
/// other.
///
/// Any context but NMI, including interrupts disabled and PREEMPT_RT: the critical sections are a
/// few instructions under a `raw_spinlock_t`, a few more for each page of a batch.
#[pin_data]
pub struct Reserve {
    #[pin]
    common: ReservePart,
    /// The shares, by CPU number. A reserve without pages has none.
    shares: KVVec<Pin<KBox<ReservePart>>>,
    /// The number of pages given back to the allocator because they were bad, or beyond the target;
    /// written by the refill thread.
    drained: Counter,
    /// The number of pages that the reserve should hold, written by the refill thread.
    target: Counter,
    /// The size of the store: pages and room. The refill thread makes it follow the target.
    size: Counter,
    /// The number of slots, which the target never exceeds.
    most: usize,
}

impl Shares for Reserve {
    type Part = ReservePart;

    #[inline(always)]
    fn common(&self) -> &ReservePart {
        &self.common
    }

    #[inline(always)]
    fn here(&self) -> Option<&ReservePart> {
        let cpu = CpuId::current().as_u32() as usize;
        self.shares.get(cpu).map(|share| &**share)
    }

    fn shares(&self) -> impl Iterator<Item = &ReservePart> {
        self.shares.iter().map(|share| &**share)
    }
}

impl Reserve {
    /// Makes the tier, without pages. Task context only, may sleep.
    pub(super) fn new(config: &PoolConfig) -> impl PinInit<Self, Error> {
        let (pages, most) = (config.reserve, config.most_reserve());
        try_pin_init!(Self {
            common <- ReservePart::new(most, pages),
            shares: Self::new_shares(most)?,
            drained: Counter::new(0),
            target: Counter::new(pages as u64),
            size: Counter::new(pages as u64),
            most,
        }? Error)
    }

    fn new_shares(most: usize) -> Result<KVVec<Pin<KBox<ReservePart>>>> {
        let mut shares = KVVec::new();
        if most != 0 {
            // Numbers of CPUs that are not possible have a share, too, which is never used.
            let last = possible().max().unwrap_or(0);
            for _ in 0..=last {
                shares.push(
                    KBox::pin_init(ReservePart::share(), GFP_KERNEL)?,
                    GFP_KERNEL,
                )?;
            }
        }
        Ok(shares)
    }

    /// Returns how many pages are in the reserve, approximately. Any context.
    pub fn level(&self) -> usize {
        self.sum().pages
    }

    /// Returns whether the reserve has as many pages as it should hold, approximately. Any context.
    fn is_full(&self) -> bool {
        self.level() >= self.target().pages()
    }

    /// Returns whether no page is missing from the reserve, as far as can be seen at a glance. Any
    /// context.
    #[inline(always)]
    pub(in crate::pool) fn seems_full(&self) -> bool {
        let common = self.common.numbers();
        common.room == 0 && common.active == 0
    }

    /// Returns the target of refills. Any context.
    #[inline(always)]
    pub fn target(&self) -> Target {
        Target::new(self.target.read() as usize)
    }

    /// Changes the target, to at most the number of slots. For the refill thread only.
    pub(in crate::pool) fn set_target(&self, pages: usize) {
        self.target.set(pages.min(self.most) as u64);
    }

    /// Returns the most pages that requests have taken out since the last call. For the refill
    /// thread only.
    pub(in crate::pool) fn take_drawn(&self) -> usize {
        Resize::take_drawn(self)
    }

    /// Takes a page out if the request may use the reserve. Any context but NMI.
    #[inline]
    fn take_for(&self, request: &Request) -> Option<Pages> {
        if request.may_use(Tier::Reserve) {
            self.take_one()
        } else {
            None
        }
    }

    #[inline(always)]
    fn take_one(&self) -> Option<Pages> {
        if bad_memory::known() {
            return self.take_good();
        }
        self.take(Stack::pop)
    }

    /// Takes a good page. Bad pages stay until [`TierOps::drain_bad`].
    #[cold]
    #[inline(never)]
    fn take_good(&self) -> Option<Pages> {
        self.take(|stack| {
            let pages = stack.take_where(0..usize::MAX, |pages| !pages.is_known_bad());
            if pages.is_none() && stack.len() != 0 {
                bad_memory::found_again();
            }
            pages
        })
    }
}

/// Refilling.
impl Reserve {
    /// Adds up to `chunk` pages.
    fn refill_some(&self, pool: &Pool, cx: &Task, chunk: usize) -> Refilled {
        self.gather(false);
        let missing = self.target().wanted(self.level(), chunk);
        let wanted = match pool.may_fill(self.level(), missing) {
            Ok(wanted) => wanted,
            Err(outcome) => return outcome,
        };
        if wanted != 0 {
            let mut aside = pool.aside();
            let (mut got, mut starved) = (0, false);
            for _ in 0..wanted {
                let Some(pages) = pool.one_for_task(cx, pool.config().place, &mut aside) else {
                    starved = true;
                    break;
                };
                // Pages that came back meanwhile have filled the reserve.
                if self.put_in_common(pages).is_err() {
                    break;
                }
                pool.counts().filled_into(Tier::Reserve);
                got += 1;
            }
            let target = self.target().pages();
            events::refilled(pool.name(), Tier::Reserve, wanted, got, target);
            if starved {
                return Refilled::Starved;
            }
        }
        if self.is_full() {
            // All CPUs can see at a glance that no page is missing.
            self.gather(true);
            Refilled::Full
        } else {
            Refilled::Partly
        }
    }
}

/// Changing the size.
impl Reserve {
    /// Makes the size follow the target. Frees at most `chunk` pages, and returns whether more must
    /// be freed. Contexts: those in which pages may be freed.
    fn fit(&self, pool: &Pool, chunk: usize) -> bool {
        let (size, target) = (self.size.read() as usize, self.target().pages());
        if size < target {
            self.grow(target - size);
            self.size.set(target as u64);
        }
        if size <= target {
            return false;
        }
        let removed = self.shrink(chunk.min(size - target), |pages| {
            self.drained.add(1);
            pool.release(pages);
        });
        self.size.set((size - removed) as u64);
        size - removed > target
    }
}

impl TierOps for Reserve {
    fn refill(&self, pool: &Pool, cx: &Task, before: Refilled) -> Refilled {
        if self.fit(pool, CHUNK) {
            return before.max(Refilled::Partly);
        }
        before.max(self.refill_some(pool, cx, CHUNK))
    }

    fn prime(&self, pool: &Pool, cx: &Task, _per_cpu: usize) {
        // The number of turns is bounded, because others may take pages out as fast as they come
        // in.
        for _ in 0..self.target().pages().div_ceil(CHUNK) {
            if self.refill_some(pool, cx, CHUNK) != Refilled::Partly {
                break;
            }
        }
    }

    /// Releases the lock after each `at_once` pages, which must not be 0.
    fn drain_bad(&self, at_once: usize) -> Result<usize, usize> {
        let mut taken = 0;
        for part in Iterator::chain(once(&self.common), self.shares()) {
            // A lock is waited for, so the search of a part is always complete.
            let (Ok(some) | Err(some)) = take_in_parts(part.numbers().pages, at_once, |places| {
                Some(part.with(move |held| held.take_where(places, Pages::is_known_bad)))
            });
            taken += some;
        }
        self.drained.add(taken as u64);
        Ok(taken)
    }
}

impl<C: Context, M: CalledIn<C>> PageSource<Call<'_, C, M>> for Reserve {
    type Pages = Pages;

    #[inline]
    fn get(&self, _call: &Call<'_, C, M>, request: &mut Request) -> Option<Pages> {
        // If the reserve sizes itself, requests that find it empty must be counted.
        if self.most == 0 {
            return None;
        }
        request.enter(Tier::Reserve);
        self.take_one()
    }

    #[inline]
    fn put(&self, _call: &Call<'_, C, M>, pages: Pages) -> Result<Tier, Pages> {
        Shares::put(self, pages).map(|()| Tier::Reserve)
    }
}

/// Takes a page out of the reserve of a pool, for the benchmark. Any context but NMI.
///
/// Unlike [`Pool::get`], this asks no other tier, does not change the pool's counters, and does not
/// call the pool manager to fill the reserve.
#[doc(hidden)]
#[inline]
pub fn take_from_reserve(pool: &Pool, request: &Request) -> Option<Pages> {
    pool.reserve().take_for(request)
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
    Shares::put(pool.reserve(), pages)
}
