// SPDX-License-Identifier: GPL-2.0

//! A pool: all sources of pages of one order, tried in order.
//!
//! ```text
//!   get:  per-CPU cache ──► buddy, GFP_NOWAIT ──► reserve ──► buddy, GFP_ATOMIC within the budget
//!   put:  per-CPU cache ──► reserve ──► buddy
//! ```
//!
//! What takes time, refilling above all, is the [`Keeper`]'s, in task context.

mod counts;
mod nolock;
mod refill;

pub(crate) use counts::Counts;

use super::{
    buddy::Buddy,
    cache::{
        CpuCache,
        MAX_CACHE, //
    },
    emergency::Emergency,
    events,
    gate::Gate,
    keeper::{
        Keeper,
        KeptPool, //
    },
    logic::{
        barred::{
            Barred,
            Zone, //
        },
        fallback::Fallback,
        page_source::PageSource,
        request::{
            Priority,
            Request,
            Room, //
        }, //
    },
    reserve::{
        Reserve,
        MAX_RESERVE, //
    }, //
};
use crate::{
    ffi::{
        bad_memory,
        context::{
            Kind,
            PlainAlloc,
            Task, //
        },
        cpu::possible,
        percpu::Tally,
        raw_lock::RawSpinLock,
        waker::Waker,
        watermark::memory_total, //
    },
    page::{
        Chain,
        ExclusivePages,
        NoWait,
        Place,
        Shape,
        Uninit,
        ZoneLimit,
        MAX_ORDER, //
    }, //
};
use kernel::{
    prelude::*,
    static_lock_class,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// How many single pages may be looked at, or one block of more, while a room is kept from others.
const SEARCHED_AT_ONCE: usize = 256;

type Pages = ExclusivePages<Uninit>;

/// How a pool is made.
#[derive(Clone, Copy)]
pub struct PoolConfig {
    /// All allocations are of 2^order pages; a "page" below is that many.
    pub order: u32,
    /// Whether the pages are compound pages, as [`Shape::compound`]; those that are put into the pool
    /// should be, too.
    pub compound: bool,
    /// Pages that each CPU's cache can keep, at most 1024.
    pub cache: usize,
    /// Pages in the reserve, at most 2¹⁸ and half of the machine's memory.
    pub reserve: usize,
    /// Allocations below the min watermark that are allowed before the reserve is full again.
    pub emergency: u32,
    /// The NUMA node. That of the pages that are put into the pool is not looked up.
    pub place: Place,
    /// The memory that no page may come from. Whoever bars most of the memory will see requests fail
    /// that the rest could have served: the allocator is not asked for ever.
    pub barred: Barred,
}

impl Default for PoolConfig {
    /// Single pages from anywhere: 64 in each CPU's cache, and neither a reserve nor a budget.
    fn default() -> Self {
        Self {
            order: 0,
            compound: false,
            cache: 64,
            reserve: 0,
            emergency: 0,
            place: Place::Any,
            barred: Barred::NOTHING,
        }
    }
}

impl PoolConfig {
    /// What is asked of the allocator.
    pub(in crate::source) fn shape(&self) -> Shape {
        Shape {
            order: self.order,
            compound: self.compound,
            zones: match self.barred.zone_limit() {
                Zone::Normal => ZoneLimit::None,
                Zone::Dma32 => ZoneLimit::Dma32,
                Zone::Dma => ZoneLimit::Dma,
            },
        }
    }

    /// `ERANGE` if a number is larger than the documented bounds; `ENOMEM`, and a line in the kernel log,
    /// for a reserve of more than half of the memory. The keeper would take all there is for it. `EINVAL`,
    /// and a line, if the only node that will do is barred.
    fn check(&self, name: &CStr) -> Result {
        if self.order > MAX_ORDER || self.cache > MAX_CACHE || self.reserve > MAX_RESERVE {
            return Err(ERANGE);
        }
        if let Place::Only(node) = self.place {
            let node = node.number();
            if self.barred.bars_node(node as u32) {
                pr_err!("pool '{name}': node {node} is barred, and no other will do\n");
                return Err(EINVAL);
            }
        }
        let (pages, most) = (self.reserve << self.order, memory_total() / 2);
        if pages > most {
            pr_err!(
                "pool '{name}': a reserve of {pages} pages ({} blocks of order {}) is more than \
                 half of the memory: at most {most} pages\n",
                self.reserve,
                self.order
            );
            return Err(ENOMEM);
        }
        Ok(())
    }
}

/// Pages of one order from wherever there are any.
#[pin_data]
pub struct Pool {
    name: CString,
    cache: CpuCache,
    buddy: Buddy<NoWait>,
    #[pin]
    reserve: Reserve,
    emergency: Emergency,
    /// Pages that came back where nothing can be freed.
    #[pin]
    returning: RawSpinLock<Chain>,
    counts: Counts,
    /// Pages that each CPU's cache is to be filled with once.
    to_prime: Atomic<u32>,
    rests_until: Atomic<u64>,
    waker: Arc<Waker>,
    /// For pages that come in other than from `buddy` and `emergency`.
    gate: Gate,
    /// Pages of this order come back without a look at them. It is the order of the pool, or no
    /// order at all if memory is barred, or once memory has gone bad. So looking costs nothing
    /// before.
    unlooked_order: Tally,
    /// Pages taken out of circulation because they had gone bad.
    poisoned: Atomic<usize>,
    /// Searches of cache and reserve for bad pages that are done, of two for each report.
    searches: Atomic<usize>,
    config: PoolConfig,
}

impl Pool {
    /// Makes a pool for a driver, and has it filled. Task context only, may sleep; does not wait for
    /// the pages ([`Self::prime`] does).
    ///
    /// The name is for reports: at most 31 letters, digits and `_-./:`.
    ///
    /// `EINVAL` for another name, `EEXIST` for one that a pool has already, `ENOSPC` for one pool too
    /// many; `ERANGE` and `ENOMEM` as [`PoolConfig`] says.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::prelude::*;
    /// use labyrinth::{
    ///     context::Task,
    ///     pool::{KeptPool, PoolConfig, Priority, Request},
    ///     Pool,
    /// };
    /// use kernel::sync::Arc;
    ///
    /// fn pool_of_a_driver(cx: &Task) -> Result<Arc<KeptPool>> {
    ///     let config = PoolConfig { reserve: 256, ..PoolConfig::default() };
    ///     let pool = Pool::new(cx, c"my_driver", config)?;
    ///     if let Some(pages) = pool.get(cx, &mut Request::new(Priority::High)) {
    ///         pool.put(cx, pages);
    ///     }
    ///     Ok(pool)
    /// }
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "its keeper has it, too")]
    pub fn new(_cx: &Task, name: &CStr, config: PoolConfig) -> Result<Arc<KeptPool>> {
        Keeper::published().ok_or(ENODEV)?.pool(name, config, 0)
    }

    /// Makes an empty pool that nobody fills. Task context only, may sleep.
    pub(super) fn unkept(
        name: CString,
        config: PoolConfig,
        waker: Arc<Waker>,
    ) -> Result<Arc<Self>> {
        config.check(&name)?;
        let shape = config.shape();
        let PoolConfig {
            cache,
            reserve,
            emergency,
            place,
            barred,
            ..
        } = config;
        let gate = Gate::new(barred);

        Arc::pin_init(
            try_pin_init!(Self {
                name,
                cache: CpuCache::new(cache)?,
                buddy: Buddy::new(NoWait, shape, place, barred, Room::Buddy),
                reserve <- Reserve::new(reserve),
                emergency: Emergency::new(shape, place, barred, emergency),
                returning <- RawSpinLock::new(
                    Chain::new(),
                    c"labyrinth_returning",
                    static_lock_class!(),
                ),
                counts: Counts::new()?,
                to_prime: Atomic::new(0),
                rests_until: Atomic::new(0),
                waker,
                unlooked_order: Tally::new(if gate.is_open() {
                    config.order.into()
                } else {
                    u64::MAX
                }),
                poisoned: Atomic::new(0),
                searches: Atomic::new(0),
                gate,
                config,
            }? Error),
            GFP_KERNEL,
        )
    }

    /// The name in reports.
    pub fn name(&self) -> &CStr {
        &self.name
    }

    /// How it was made.
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// The per-CPU cache, to look at.
    pub fn cache(&self) -> &CpuCache {
        &self.cache
    }

    /// The reserve, to look at.
    pub fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// The access to the kernel's emergency reserve.
    pub fn emergency(&self) -> &Emergency {
        &self.emergency
    }

    /// How many barred blocks were not let in. Any context.
    pub fn barred_met(&self) -> u64 {
        self.gate.met() + self.buddy.barred_met() + self.emergency.barred_met()
    }

    /// How many pages were taken out of circulation because they had gone bad. Any context.
    pub fn poisoned(&self) -> usize {
        self.poisoned.load(Relaxed)
    }

    /// The counters.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Hands out pages, or `None` when no room has any for this request, which then says which rooms
    /// it was in.
    ///
    /// Wherever `GFP_ATOMIC` can be used: task and softirq context and under a `spinlock_t`; with
    /// interrupts disabled not on PREEMPT_RT; never in NMI.
    #[inline]
    pub fn get<C: PlainAlloc>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        // Every call here is the last thing done, so a hit has no registers to save. The cache is
        // noted here, and not by the cache itself, so that the compiler merges this store with those
        // that make the request: it would not do so across the look that comes between.
        request.enter(Room::Cache);
        if bad_memory::known() {
            return self.get_good(cx, request);
        }
        let Some(pages) = self.cache.get_noted(cx) else {
            return self.get_beyond(cx, request);
        };
        if events::answered_listened_to() {
            return self.hit_traced::<C>(pages);
        }
        Some(pages)
    }

    /// As [`Self::get`], once memory has gone bad.
    #[cold]
    #[inline(never)]
    fn get_good<C: PlainAlloc>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        match self.cache.get_good(cx, request) {
            None => self.get_beyond(cx, request),
            Some(pages) => self.hit_traced::<C>(pages),
        }
    }

    #[cold]
    #[inline(never)]
    fn hit_traced<C: PlainAlloc>(&self, pages: Pages) -> Option<Pages> {
        self.answered::<C>(&Request::served_by(Room::Cache), Some(&pages));
        Some(pages)
    }

    #[inline(always)]
    fn answered<C: PlainAlloc>(&self, request: &Request, pages: Option<&Pages>) {
        events::answered::<C>(&self.name, self.config.order, request, pages);
    }

    /// Hands out up to `wanted` pages, gives each to `sink` and returns how many there were.
    ///
    /// Where [`Self::get`] can be called. The cache and the allocator are asked for many at a time;
    /// the reserves page by page, only when those have nothing left.
    ///
    /// In the counters and in the trace, each page that is wanted is one request. When all rooms
    /// refuse one of them, the rest are not tried, and count as failed in the same way.
    pub fn get_bulk<C: PlainAlloc>(
        &self,
        cx: &C,
        priority: Priority,
        wanted: usize,
        mut sink: impl FnMut(Pages),
    ) -> usize {
        let mut request = Request::new(priority);
        let mut got = self.cache.get_bulk(cx, &mut request, wanted, |pages| {
            self.answered::<C>(&Request::served_by(Room::Cache), Some(&pages));
            sink(pages);
        });

        if got < wanted {
            self.counts.bulk_missed(C::KIND, wanted - got);
            events::missed(&self.name, wanted - got);
            self.call_keeper();
            let more = self
                .buddy
                .get_bulk(cx, &mut request, wanted - got, |pages| {
                    self.answered::<C>(&Request::served_by(Room::Buddy), Some(&pages));
                    sink(pages);
                });
            self.counts.bulk(C::KIND, Room::Buddy, more);
            got += more;
        }
        while got < wanted {
            let mut request = Request::new(priority);
            let Some(pages) = self.get_beyond(cx, &mut request) else {
                self.not_tried::<C>(&request, wanted - got - 1);
                break;
            };
            sink(pages);
            got += 1;
        }
        got
    }

    /// Takes pages back. Pages that are barred, have gone bad, or are not of the pool's order go to
    /// the allocator.
    ///
    /// Where pages can be freed: task and softirq context and under a `spinlock_t`; with interrupts
    /// disabled not on PREEMPT_RT; never in NMI.
    #[inline]
    pub fn put<C: PlainAlloc>(&self, cx: &C, mut pages: Pages) {
        // As in `get`, nothing comes after a call in here.
        if u64::from(pages.order()) != self.unlooked_order.read() {
            return self.put_looked_at(cx, pages);
        }
        pages.uncharge();
        if events::given_back_listened_to() {
            return self.put_traced(cx, pages);
        }
        if let Err(pages) = self.cache.put(cx, pages) {
            self.put_beyond(cx, pages);
        }
    }

    /// Whether pages may go to a room of this pool. Its own pages that may not, because they have
    /// gone bad, are counted as released in the context `kind`.
    fn is_at_home(&self, pages: &Pages, kind: Kind) -> bool {
        if pages.order() != self.config.order || !self.gate.lets_in(pages) {
            return false;
        }
        if pages.is_known_bad() {
            self.counts.to_buddy(kind, 1);
            return false;
        }
        true
    }

    /// Frees pages, and counts them if they are bad. In any context that may free pages.
    fn release(&self, pages: Pages) {
        if pages.is_known_bad() {
            self.poisoned.add(1, Relaxed);
        }
        drop(pages);
    }

    /// Searches cache and reserve for pages that have gone bad, and gives those to the allocator,
    /// which keeps them. Returns false if the search has to be repeated a moment later: if a cache
    /// was in use, and once more in any case, for pages that were on their way in. For the keeper's
    /// thread only.
    ///
    /// The first search ends the time in which pages come back without a look at them.
    pub(in crate::source) fn take_out_bad(&self) -> bool {
        let wanted = bad_memory::reports().wrapping_mul(2);
        let searches = self.searches.load(Relaxed);
        if searches == wanted {
            return true;
        }
        let (taken, done) = self.drain_unfit(Pages::is_known_bad);
        self.poisoned.add(taken, Relaxed);
        if !done {
            return false;
        }
        let again = searches != wanted - 1;
        self.searches.store(wanted - usize::from(again), Relaxed);
        !again
    }

    /// Gives the `unfit` pages in cache and reserve back to the allocator. Returns their number,
    /// and whether all caches could be searched. From now on, pages that come back are looked at.
    fn drain_unfit(&self, unfit: impl Fn(&Pages) -> bool + Copy + Send) -> (usize, bool) {
        self.unlooked_order.set(u64::MAX);
        let at_once = (SEARCHED_AT_ONCE >> self.config.order).max(1);
        let mut done = true;
        let mut taken = self.reserve.drain_unfit(at_once, unfit);
        for cpu in possible() {
            let result = self.cache.drain_unfit(cpu, at_once, unfit);
            taken += result.unwrap_or_else(|some| {
                done = false;
                some
            });
        }
        (taken, done)
    }

    /// As [`Self::put`], for pages of another order, and where memory is barred or has gone bad.
    #[cold]
    #[inline(never)]
    fn put_looked_at<C: PlainAlloc>(&self, cx: &C, mut pages: Pages) {
        if self.is_at_home(&pages, C::KIND) {
            pages.uncharge();
            return self.put_traced(cx, pages);
        }
        if events::given_back_listened_to() {
            events::given_back(&self.name, Room::Buddy, pages.order(), pages.pfn());
        }
        self.release(pages);
    }

    /// As [`Self::put`], with the page frame number kept for the tracepoint: what has arrived in
    /// the cache can be with somebody else by the time that it is reported.
    #[cold]
    #[inline(never)]
    fn put_traced<C: PlainAlloc>(&self, cx: &C, pages: Pages) {
        let pfn = pages.pfn();
        match self.cache.put(cx, pages) {
            Ok(()) => self.given_back(Room::Cache, Some(pfn)),
            Err(pages) => self.put_beyond(cx, pages),
        }
    }

    /// `pfn` is `None` when nobody wanted to know it.
    #[inline(always)]
    fn given_back(&self, to: Room, pfn: Option<usize>) {
        if let Some(pfn) = pfn {
            events::given_back(&self.name, to, self.config.order, pfn);
        }
    }

    /// Calls the keeper. Any context.
    ///
    /// Whether it is on its way already only the waker can know: a flag of the pool's own stays set
    /// for ever when the keeper is called and then does not come by this pool.
    fn call_keeper(&self) {
        self.waker.wake();
    }
}

/// What a hit must not pay for: the rooms beyond the per-CPU cache.
impl Pool {
    #[cold]
    #[inline(never)]
    fn get_beyond<C: PlainAlloc>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        let Self {
            buddy,
            reserve,
            emergency,
            counts,
            ..
        } = self;

        let pages = Fallback(buddy, Fallback(reserve, emergency)).get(cx, request);
        counts.path(C::KIND, request, pages.is_some(), 1);
        events::steps(&self.name, request);
        self.answered::<C>(request, pages.as_ref());
        self.call_keeper();
        pages
    }

    /// Notes requests that were not tried: they count like `failed`.
    #[cold]
    #[inline(never)]
    fn not_tried<C: PlainAlloc>(&self, failed: &Request, requests: usize) {
        self.counts.path(C::KIND, failed, false, requests);
        if !events::misses_listened_to() {
            return;
        }
        for _ in 0..requests {
            events::steps(&self.name, failed);
            self.answered::<C>(failed, None);
        }
    }

    #[cold]
    #[inline(never)]
    fn put_beyond<C: PlainAlloc>(&self, cx: &C, pages: Pages) {
        let Self {
            buddy,
            reserve,
            counts,
            ..
        } = self;

        let pfn = events::given_back_listened_to().then(|| pages.pfn());
        match reserve.put(cx, pages) {
            Ok(()) => {
                self.given_back(Room::Reserve, pfn);
                counts.to_reserve(C::KIND, 1);
            }
            Err(pages) => {
                self.given_back(Room::Buddy, pfn);
                counts.to_buddy(C::KIND, 1);
                // There is always room.
                let _ = buddy.put(cx, pages);
            }
        }
    }
}
